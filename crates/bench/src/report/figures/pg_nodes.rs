//! Several nodes on one PostgreSQL: on the same pool, and on listings of their own.

use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use lastseat_bench::embedded::{Embedded, one_of};
use lastseat_core::listing::Listing;

use super::{Entry, places, pool_key};
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::postgres::{Database, node};

pub(super) const ENTRY: Entry = Entry {
    name: "pg-nodes",
    title: "Several nodes on one PostgreSQL",
    how: "128 callers at each node, all nodes in this process, each with connections of its own. Four nodes sell the same \
          pool, and the counters are compared with what was sold; two nodes sell a listing each. Beside them one node with \
          128 callers.",
    measure,
};

/// Callers of a node.
const CALLERS: u64 = 128;
/// Bookings of a round, in all.
const BOOKINGS: u64 = 120_000;

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start()?;
    let [mut one, mut four, mut two, mut share] =
        [Unit::PerSecond, Unit::PerSecond, Unit::PerSecond, Unit::Count].map(Samples::new);
    for _ in 0..lab.rounds() {
        one.push(sell(lab, &database, 1, 1)?.0);
        four.push(sell(lab, &database, 4, 1)?.0);
        let (rate, cores) = sell(lab, &database, 2, 2)?;
        two.push(rate);
        share.push(cores);
    }
    let note = format!("cores that PostgreSQL was busy on meanwhile: {:.2}", share.median());
    Ok(vec![
        Figure::ratio("four nodes, one pool", &four, "one node", &one, Bound::AtLeast(0.85)),
        Figure::ratio("two nodes, two listings", &two, "one node", &one, Bound::AtLeast(1.0)).with_note(note),
    ])
}

/// So many nodes sell from so many listings; bookings per second, and how many cores the database used.
fn sell(lab: &Lab, database: &Database, nodes: u64, listings: usize) -> anyhow::Result<(f64, f64)> {
    let name = database.fresh()?;
    let url = database.url(&name);
    let nodes: Vec<Embedded> = (0..nodes).map(|_| node(&url)).collect::<anyhow::Result<_>>()?;
    let each = lab.scaled(BOOKINGS, CALLERS) / nodes.len() as u64;
    let sold = lab.block_on(async {
        let mut made: Vec<Arc<Listing>> = Vec::new();
        for _ in 0..listings {
            made.push(nodes[0].listing(places(1, 1_000_000)).await?);
        }
        let busy = database.processor_seconds()?;
        let begun = Instant::now();
        let selling = nodes.iter().enumerate().map(|(number, node)| {
            node.book_all(made[number % listings].id, CALLERS, each, |_| one_of(&pool_key(0)))
        });
        for done in futures_util::future::join_all(selling).await {
            done?;
        }
        let took = begun.elapsed().as_secs_f64();
        let busy = database.processor_seconds()? - busy;
        for node in nodes {
            node.stop().await;
        }
        anyhow::Ok((took, busy))
    });
    let (took, busy) = sold?;
    let counted = database.server().sql(&name, "SELECT sum(held) FROM pools")?;
    let bookings = database.server().sql(&name, "SELECT count(*) FROM bookings")?;
    ensure!(counted == bookings, "the counters say {counted:?}, and {bookings:?} were sold");
    let number =
        |rows: &[lastseat_scratch::Row]| -> Option<f64> { rows.first()?.first()?.as_deref()?.parse().ok() };
    let total = number(&bookings).unwrap_or_default();
    ensure!(total >= each as f64, "only {total} were sold");
    database.drop(&name)?;
    Ok((total / took, busy / took))
}
