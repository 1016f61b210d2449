//! A long waitlist: what it costs to join it, and to give to those who wait.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use lastseat_bench::embedded::{Embedded, joining, one_of};
use lastseat_core::command::{Action, Actor, Command, PoolSpec, PoolsChange};
use lastseat_core::id::ListingId;
use lastseat_engine::EngineConfig;
use tokio::sync::broadcast::error::RecvError;

use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::{Database, node};
use crate::server::Server;

pub(super) const ENTRY: Entry = Entry {
    name: "waitlist",
    title: "100,000 wait for one pool",
    how: "In process. 1,000 callers make 100,000 holds on a pool with room for all; then 1,000 callers join the waitlist of a \
          sold-out listing until 100,000 wait. One command raises its capacity by 10,000, and as many of \
          those who wait get a hold each: some in the same transaction, the others in the next ones, and nobody else meanwhile. Time per entry and per offer beside the time per hold. For memory the \
          real server is started on a file with 100,000 entries, and on one with as many more holds in their place.",
    measure,
};

/// Callers at the same time.
const CALLERS: u64 = 1_000;
/// Who waits, and holds beside them.
const ENTRIES: u64 = 100_000;
/// Units that come free at once.
const RELEASED: u64 = 10_000;
/// Capacity of the other pool: enough.
const CAPACITY: i64 = 1_000_000;
/// How long it may take until more has been given away.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the server is started for its memory.
const STARTS: usize = 3;

/// Milliseconds per hold, per entry that joins, and per offer.
#[derive(Clone, Copy)]
struct Costs {
    hold: f64,
    join: f64,
    offer: f64,
}

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start()?;
    let mut files = Three::default();
    let mut postgres = Three::default();
    for _ in 0..lab.rounds() {
        let dir = lab.fresh()?;
        let embedded = Embedded::start(dir.path(), EngineConfig::default())?;
        files.push(lab.block_on(run(lab, embedded))?);
        let name = database.fresh()?;
        postgres.push(lab.block_on(run(lab, node(&database.url(&name))?))?);
        database.drop(&name)?;
    }
    let (with, without) = (lab.fresh()?, lab.fresh()?);
    for dir in [&with, &without] {
        // The server makes its key before the file is filled.
        drop(Server::start(dir.path(), &[])?);
    }
    lab.block_on(fill(lab, with.path(), true))?;
    lab.block_on(fill(lab, without.path(), false))?;
    let [mut waiting, mut holds] = [Unit::Megabytes; 2].map(Samples::new);
    for _ in 0..lab.rounds().min(STARTS) {
        waiting.push(Server::start(with.path(), &[])?.resident_mb()?);
        holds.push(Server::start(without.path(), &[])?.resident_mb()?);
    }
    let most = Bound::AtMost(1.5);
    let mut figures = Vec::new();
    for (where_, costs) in [("SQLite", &files), ("PostgreSQL", &postgres)] {
        figures.push(Figure::ratio(format!("joining, {where_}"), &costs.join, "a hold", &costs.hold, most));
        figures.push(Figure::ratio(
            format!("10,000 offers at once, {where_}, each"),
            &costs.offer,
            "a hold",
            &costs.hold,
            most,
        ));
    }
    let same = Bound::AtMost(1.1);
    figures.push(Figure::ratio(
        "resident memory, 100,000 entries",
        &waiting,
        "100,000 holds in their place",
        &holds,
        same,
    ));
    Ok(figures)
}

struct Three {
    hold: Samples,
    join: Samples,
    offer: Samples,
}

impl Default for Three {
    fn default() -> Self {
        let [hold, join, offer] = [Unit::Millis; 3].map(Samples::new);
        Self { hold, join, offer }
    }
}

impl Three {
    fn push(&mut self, costs: Costs) {
        self.hold.push(costs.hold);
        self.join.push(costs.join);
        self.offer.push(costs.offer);
    }
}

async fn run(lab: &Lab, embedded: Embedded) -> anyhow::Result<Costs> {
    let entries = lab.scaled(ENTRIES, CALLERS);
    let free = embedded.listing(places(1, CAPACITY)).await?.id;
    let claim = |_| one_of(&pool_key(0));
    let held = embedded.book_all(free, CALLERS, entries, claim).await?;
    let (listing, joined) = join(&embedded, entries).await?;
    let released = RELEASED.min(entries);
    let mut commits = embedded.engine.subscribe();
    let begun = Instant::now();
    let capacity = i64::try_from(released)? + 1;
    let pool = PoolSpec { key: pool_key(0), capacity: Some(capacity), blocked: None, price: None };
    let change = PoolsChange::Pools(vec![pool]);
    embedded.engine.submit(Command::new(Actor::System, Action::PutPools { id: listing, change })).await?;
    let Some(known) = embedded.engine.listing(listing) else { bail!("the listing is gone") };
    let left = i64::try_from(entries - released)?;
    while embedded.engine.waiting(known.no).await? > left {
        // Looked at after each commit: to ask again and again would take a processor from those who are at work.
        let committed = tokio::time::timeout(PATIENCE, commits.recv()).await;
        ensure!(!matches!(committed, Err(_) | Ok(Err(RecvError::Closed))), "not all was given away");
    }
    let took = begun.elapsed().as_secs_f64() * 1_000.0;
    embedded.stop().await;
    Ok(Costs { hold: 1_000.0 / held.per_second(), join: 1_000.0 / joined, offer: took / released as f64 })
}

/// A sold-out listing for which so many wait, and how many joined in a second.
async fn join(embedded: &Embedded, entries: u64) -> anyhow::Result<(ListingId, f64)> {
    let listing = embedded.listing(places(1, 1)).await?.id;
    embedded.book_all(listing, 1, 1, |_| one_of(&pool_key(0))).await?;
    let command = move |_| joining(listing, one_of(&pool_key(0)));
    let joined = embedded.ask_all(CALLERS, entries, command).await?;
    Ok((listing, joined.per_second()))
}

/// A file with holds, and as many entries or holds beside them.
async fn fill(lab: &Lab, dir: &Path, waiting: bool) -> anyhow::Result<()> {
    let entries = lab.scaled(ENTRIES, CALLERS);
    let embedded = Embedded::start(dir, EngineConfig::default())?;
    let free = embedded.listing(places(1, CAPACITY)).await?.id;
    embedded.book_all(free, CALLERS, entries, |_| one_of(&pool_key(0))).await?;
    if waiting {
        join(&embedded, entries).await?;
    } else {
        embedded.book_all(free, CALLERS, entries, |_| one_of(&pool_key(0))).await?;
    }
    embedded.stop().await;
    Ok(())
}
