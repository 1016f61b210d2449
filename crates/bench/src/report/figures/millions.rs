//! Millions of bookings in the file: a booking costs no more, the server starts at once, and memory stays small.

use std::path::Path;

use lastseat_bench::embedded::{Embedded, one_of};
use lastseat_bench::latency::Percentiles;
use lastseat_bench::load::closed::Loop;
use lastseat_engine::EngineConfig;
use lastseat_store_sqlite::FILE_NAME;

use super::{Entry, places, pool_key};
use crate::bulk;
use crate::figure::{Amount, Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::server::Server;

pub(super) const ENTRY: Entry = Entry {
    name: "millions",
    title: "Millions of bookings",
    how: "The same bookings into a file with 10,000 and into one with 5,000,000 (of 500 listings, nine in ten long over), \
          by one caller (median latency) and by 1,000 callers (time per booking), in process. Then the real server is \
          started on the large file, from the start of the process until it listens (the file is in the page cache), and loaded over 100 connections.",
    measure,
};

/// Listings of both files.
const LISTINGS: u64 = 500;
/// Bookings of the small file.
const MODEL: u64 = LISTINGS * bulk::BOOKINGS_EACH;
/// How often they are in the large one.
const COPIES: u64 = 500;
/// Callers, with the bookings of a round.
const ONE: (u64, u64) = (1, 2_000);
const MANY: (u64, u64) = (1_000, 50_000);
/// Bookings before those that count.
const WARM_UP: u64 = 2_000;
/// Capacity of the pool that is booked: enough.
const CAPACITY: i64 = 1_000_000;
/// The load under which memory is looked at.
const CONNECTIONS: usize = 100;
const LOAD_SECONDS: f64 = 3.0;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let (small, large) = (lab.fresh()?, lab.fresh()?);
    let copies = if lab.quick() { COPIES / 50 } else { COPIES };
    // The server makes its key before the file is filled.
    drop(Server::start(large.path(), &[])?);
    lab.block_on(bulk::model(large.path(), LISTINGS))?;
    let (small_file, large_file) = (small.path().join(FILE_NAME), large.path().join(FILE_NAME));
    std::fs::copy(&large_file, &small_file)?;
    bulk::multiply(&large_file, copies)?;
    let megabytes = std::fs::metadata(&large_file)?.len() as f64 / 1e6;

    let [mut small_one, mut large_one, mut small_many, mut large_many] = [Unit::Millis; 4].map(Samples::new);
    for _ in 0..lab.rounds() {
        let fresh = lab.fresh()?;
        std::fs::copy(&small_file, fresh.path().join(FILE_NAME))?;
        for (dir, one, many) in
            [(fresh.path(), &mut small_one, &mut small_many), (large.path(), &mut large_one, &mut large_many)]
        {
            let (latency, per_booking) = book(lab, dir)?;
            one.push(latency);
            many.push(per_booking);
        }
    }

    let [mut start, mut memory, mut loaded] =
        [Unit::Seconds, Unit::Megabytes, Unit::Megabytes].map(Samples::new);
    for _ in 0..lab.rounds().min(3) {
        let server = Server::start(large.path(), &[])?;
        start.push(server.started_in().as_secs_f64());
        memory.push(server.resident_mb()?);
        let listing = server.listing(lab, &places(1, CAPACITY))?;
        let (address, template) = server.booking(lab, &listing, &pool_key(0))?;
        let how =
            Loop { connections: CONNECTIONS, warm_up: lab.seconds(0.0), measure: lab.seconds(LOAD_SECONDS) };
        lab.load(&address, &template, how)?;
        loaded.push(server.resident_mb()?);
    }
    let count = format!("{} bookings", Amount((copies * MODEL) as f64, Unit::Count));
    let most = Bound::AtMost(1.5);
    Ok(vec![
        Figure::ratio(format!("{count}, 1 caller"), &large_one, "10,000 bookings", &small_one, most)
            .with_note(format!("the large file has {megabytes:.0} MB")),
        Figure::ratio(format!("{count}, 1,000 callers"), &large_many, "10,000 bookings", &small_many, most),
        Figure::limit("the server's start", &start, Bound::AtMost(2.0)),
        Figure::limit("resident memory after it", &memory, Bound::AtMost(200.0)),
        Figure::limit("resident memory under load", &loaded, Bound::AtMost(200.0)),
    ])
}

/// The median latency of one caller and the time per booking of many, in milliseconds.
fn book(lab: &Lab, dir: &Path) -> anyhow::Result<(f64, f64)> {
    let embedded = Embedded::start(dir, EngineConfig::default())?;
    lab.block_on(async {
        let listing = embedded.listing(places(1, CAPACITY)).await?;
        let claim = |_| one_of(&pool_key(0));
        embedded.book_all(listing.id, MANY.0, WARM_UP, claim).await?;
        let one = embedded.book_all(listing.id, ONE.0, lab.scaled(ONE.1, 500), claim).await?;
        let many = embedded.book_all(listing.id, MANY.0, lab.scaled(MANY.1, 10_000), claim).await?;
        embedded.stop().await;
        Ok((Percentiles::of(&one.latencies).p50_ms, 1_000.0 / many.per_second()))
    })
}
