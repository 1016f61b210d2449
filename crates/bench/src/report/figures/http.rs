//! Over HTTP: the real server beside Redis, beside itself without batches, and refusing beside accepting.

use lastseat_bench::load::closed::{Answered, Loop};
use lastseat_bench::tally::sum;

use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::redis::Redis;
use crate::server::{Server, processor_time};

pub(super) const ENTRY: Entry = Entry {
    name: "http",
    title: "Over HTTP",
    how: "The server in a process of its own, 1,000 connections, one pool, each booking a hold with its event and \
          idempotency key, every commit synced. Beside it a Redis on the same disk with `appendfsync always` that runs a \
          Lua script: look for a duplicate, look whether something is left, take one, store a reservation of the same \
          size (redis-benchmark, 1,000 connections); the same server with one booking per transaction; and a pool that \
          is sold out. Both load generators run on one thread, and share the cores with what they measure.",
    measure,
};

/// Connections.
const CONNECTIONS: usize = 1_000;
/// What is left out at the beginning, and what is counted, in seconds.
const WARM_UP: f64 = 0.5;
const MEASURE: f64 = 2.5;
/// Reservations of a round at Redis.
const RESERVATIONS: u64 = 100_000;
/// This process, to the kernel.
const OURSELVES: &str = "self";
/// Capacity of a pool: enough.
const CAPACITY: i64 = 1_000_000;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let redis = Redis::start(lab)?;
    let (data, single_data) = (lab.fresh()?, lab.fresh()?);
    let server = Server::start(data.path(), &[])?;
    let single = Server::start(single_data.path(), &["--batch-limit", "1"])?;
    let [mut accepts, mut reserves, mut one_by_one, mut refuses] = [Unit::PerSecond; 4].map(Samples::new);
    let mut p99 = Samples::new(Unit::Millis);
    let [mut serving, mut asking] = [Unit::Millis; 2].map(Samples::new);
    for _ in 0..lab.rounds() {
        let before = (server.processor_time()?, processor_time(OURSELVES)?);
        let answered = book(lab, &server, CAPACITY)?;
        let used = (server.processor_time()? - before.0, processor_time(OURSELVES)? - before.1);
        // What the warm-up used is taken to be its share.
        let each = 1_000.0 * answered.seconds
            / (answered.seconds + lab.seconds(WARM_UP).as_secs_f64())
            / answered.tally.answered() as f64;
        serving.push(used.0.as_secs_f64() * each);
        asking.push(used.1.as_secs_f64() * each);
        accepts.push(answered.per_second());
        p99.push(answered.tally.percentiles().p99_ms);
        reserves.push(redis.reserve(CONNECTIONS, lab.scaled(RESERVATIONS, 20_000))?);
        one_by_one.push(book(lab, &single, CAPACITY)?.per_second());
        refuses.push(book(lab, &server, 0)?.per_second());
    }
    let redis = format!("Redis {}, Lua, appendfsync always", redis.version());
    let what = "bookings, 1,000 connections, one pool";
    Ok(vec![
        Figure::ratio(what, &accepts, redis, &reserves, Bound::AtLeast(1.0))
            .with_note(format!(
                "99 of 100 bookings were answered within {p99}; processor time per booking: server {serving}, load \
                 generator {asking}"
            )),
        Figure::ratio(what, &accepts, "the same server, batch limit 1", &one_by_one, Bound::AtLeast(5.0)),
        Figure::ratio("refusals, sold out", &refuses, "accepting", &accepts, Bound::AtLeast(1.5)),
    ])
}

/// Loads the server with bookings of a new listing. Every answer must be the one that the capacity asks for.
fn book(lab: &Lab, server: &Server, capacity: i64) -> anyhow::Result<Answered> {
    let listing = server.listing(lab, &places(1, capacity))?;
    let (address, template) = server.booking(lab, &listing, &pool_key(0))?;
    let how = Loop { connections: CONNECTIONS, warm_up: lab.seconds(WARM_UP), measure: lab.seconds(MEASURE) };
    let answered = lab.load(&address, &template, how)?;
    let tally = &answered.tally;
    let wanted = if capacity > 0 { tally.created } else { sum(&tally.conflicts) };
    anyhow::ensure!(
        wanted == tally.answered() && tally.failed.is_empty() && wanted > 0,
        "unexpected answers: {} booked, refused {:?}, 5xx {:?}, other {:?}, failed {:?}",
        tally.created,
        tally.conflicts,
        tally.server_errors,
        tally.other,
        tally.failed
    );
    Ok(answered)
}
