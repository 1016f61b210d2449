//! What is left, from memory.

use lastseat_bench::load::closed::Loop;
use lastseat_bench::load::{Address, Template};

use super::{Entry, places};
use crate::constant::Constant;
use crate::figure::{Bound, Figure, Samples, Unit};
use crate::lab::Lab;
use crate::server::Server;

pub(super) const ENTRY: Entry = Entry {
    name: "cache",
    title: "What is left",
    how: "64 connections ask a server for the availability of a listing with ten pools, again and again. Beside it a \
          server of the same libraries whose one handler returns a constant of the same size, in a process of its own.",
    measure,
};

/// Connections.
const CONNECTIONS: usize = 64;
/// Pools of the listing.
const POOLS: u64 = 10;
/// Seconds before and while it is measured.
const SECONDS: (f64, f64) = (0.5, 3.0);

fn measure(lab: &Lab) -> anyhow::Result<Vec<Figure>> {
    let data = lab.fresh()?;
    let server = Server::start(data.path(), &[])?;
    let listing = server.listing(lab, &places(POOLS, 1_000))?;
    let path = format!("/v1/listings/{listing}/availability");
    let address = lab.block_on(server.address())?;
    let size = lab.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let body = client
            .get(format!("http://{}{path}", address.host()))
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await?;
        anyhow::Ok(body.len())
    })?;
    let constant = Constant::start(size)?;
    let beside = lab.block_on(Address::resolve(constant.url()))?;
    let [mut ours, mut theirs] = [Unit::PerSecond; 2].map(Samples::new);
    for _ in 0..lab.rounds() {
        ours.push(ask(lab, &address, &path)?);
        theirs.push(ask(lab, &beside, &path)?);
    }
    let what = format!("availability, {size} bytes");
    Ok(vec![Figure::ratio(what, &ours, "a constant of the same size", &theirs, Bound::AtLeast(0.6))])
}

/// Answers per second, which must all be good.
fn ask(lab: &Lab, address: &Address, path: &str) -> anyhow::Result<f64> {
    let how =
        Loop { connections: CONNECTIONS, warm_up: lab.seconds(SECONDS.0), measure: lab.seconds(SECONDS.1) };
    let answered = lab.load(address, &Template::get(address, path), how)?;
    let tally = &answered.tally;
    anyhow::ensure!(
        tally.failed.is_empty() && tally.other.keys().all(|answer| answer.starts_with("200")),
        "unexpected answers: {:?}, failed {:?}",
        tally.other,
        tally.failed
    );
    Ok(answered.per_second())
}
