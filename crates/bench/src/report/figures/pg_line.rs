//! A longer line to the database.

use std::time::Duration;

use lastseat_bench::embedded::one_of;
use lastseat_bench::race::{self, CancellationToken, Ground, Options, Strategy};
use lastseat_scratch::Proxy;

use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::{Database, node};

pub(super) const ENTRY: Entry = Entry {
    name: "pg-line",
    title: "A longer line to PostgreSQL",
    how: "1,000 callers on one pool through a proxy that adds a millisecond to each exchange with the database, beside the \
          same through the same proxy without it.",
    measure,
};

/// What is added to each exchange.
const ADDED: Duration = Duration::from_millis(1);
/// Bookings of a round.
const BOOKINGS: u64 = 100_000;
/// Callers at the same time.
const CALLERS: u64 = 1_000;
/// How long `for-update` is watched, in seconds.
const SECONDS: f64 = 2.0;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start()?;
    let proxy = Proxy::start(database.server().address(), Duration::ZERO)?;
    let [mut near, mut far, mut others] = [Unit::PerSecond; 3].map(Samples::new);
    for _ in 0..lab.rounds() {
        for (added, rates) in [(Duration::ZERO, &mut near), (ADDED, &mut far)] {
            let name = database.fresh()?;
            proxy.set_added_round_trip(added);
            let embedded = node(&database.server().url_through(&proxy, &name))?;
            let bookings = lab.scaled(BOOKINGS, CALLERS);
            let timed = lab.block_on(async {
                let listing = embedded.listing(places(1, 1_000_000)).await?;
                let timed =
                    embedded.book_all(listing.id, CALLERS, bookings, |_| one_of(&pool_key(0))).await?;
                embedded.stop().await;
                anyhow::Ok(timed)
            })?;
            rates.push(timed.per_second());
            database.drop(&name)?;
        }
        let name = database.fresh()?;
        proxy.set_added_round_trip(ADDED);
        let url = database.server().url_through(&proxy, &name);
        let ground = Ground::prepare(&[Strategy::ForUpdate], Some(&url), None)?;
        let options = Options {
            users: 128,
            capacity: 1_000_000,
            think: Duration::ZERO,
            limit: Some(lab.seconds(SECONDS)),
        };
        let stop = CancellationToken::new();
        let run = race::run(Strategy::ForUpdate, &options, &ground, &stop);
        others.push(lab.block_on(run)?.bookings_per_second);
        database.drop(&name)?;
    }
    let note = format!("for-update with 128 callers over the same line: {others}");
    let figure = Figure::ratio("1 ms added", &far, "nothing added", &near, Bound::AtLeast(0.5));
    Ok(vec![figure.with_note(note)])
}
