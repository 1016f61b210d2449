//! A crowd: so many customers at the same instant, each once. Connections are opened first and released together.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::bail;
use futures_util::StreamExt;
use lastseat_core::listing::Kind;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ask::{Ask, asks, wanted_by_a_crowd};
use crate::inventory::{Inventory, Server};
use crate::latency::Percentiles;
use crate::load::{Address, Connection, LoadError, Template, limits};
use crate::tally::{Tally, sum};
use crate::{SETTLING, scope};

/// Largest crowd; beyond it one machine has no ports left.
pub const MAX_USERS: usize = 20_000;
/// Connections that are being opened at the same time.
const OPENING: usize = 64;
/// How long a customer waits for the answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who comes where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `http://HOST:PORT`.
    pub url: String,
    /// Id of the listing.
    pub listing: String,
    /// How many customers, 1 to [`MAX_USERS`].
    pub users: usize,
    /// An API key under which they book; none books as the public does.
    pub api_key: Option<String>,
}

/// How it went.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Id of the listing.
    pub listing: String,
    /// What is scarce in it.
    pub kind: Kind,
    /// How many customers came.
    pub users: usize,
    /// Who got what they asked for.
    #[serde(rename = "201")]
    pub created: u64,
    /// Who was refused in order.
    #[serde(rename = "409")]
    pub refused: u64,
    /// Whom the server failed.
    #[serde(rename = "5xx")]
    pub server_errors: u64,
    /// Who got any other answer.
    pub other: u64,
    /// Who got none.
    pub failed: u64,
    /// Refusals by code.
    pub refusals: BTreeMap<String, u64>,
    /// What was neither a booking nor a refusal in order, by status and code.
    pub errors: BTreeMap<String, u64>,
    /// From the common instant to the last answer, in seconds.
    pub seconds: f64,
    /// Waiting times from the common instant on.
    pub latency: Percentiles,
    /// Units held and sold before, as the server says.
    pub taken_before: i64,
    /// Units held and sold after.
    pub taken_after: i64,
    /// Units that can still be booked.
    pub available: i64,
    /// Whether more was taken of any pool than exists, or more acknowledged.
    pub oversold: bool,
}

/// Runs it.
///
/// # Errors
/// If the server cannot be reached, does not show the listing, or the crowd is too large for this machine.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    if !(1..=MAX_USERS).contains(&options.users) {
        bail!("a crowd has 1 to {MAX_USERS} users");
    }
    limits::allow(options.users)?;
    let address = Address::resolve(&options.url).await?;
    let server = Server::new(address.base(), options.api_key.as_deref())?;
    let listing = server.listing(&options.listing).await?;
    let before = server.inventory(&options.listing).await?;
    let wanted = wanted_by_a_crowd(listing.kind, &asks(&listing, &before)?);

    let connections = futures_util::stream::iter((0..options.users).map(|_| Connection::open(&address)));
    let connections: Vec<_> = connections.buffered(OPENING).collect().await;
    let templates = templates(options, &address, &wanted);
    let (release, released) = watch::channel(None);
    let mut tasks = JoinSet::new();
    for (user, connection) in connections.into_iter().enumerate() {
        let ask = user % wanted.len();
        let (template, released) = (templates[ask].clone(), released.clone());
        tasks.spawn(async move { (ask, book(user, connection, template, released).await) });
    }
    let start = Instant::now();
    release.send_replace(Some(start));
    let mut tally = Tally::default();
    let mut acknowledged = vec![0; before.pools.len()];
    while let Some(done) = tasks.join_next().await {
        let (ask, one) = done?;
        for &pool in &wanted[ask].pools {
            acknowledged[pool] += i64::try_from(one.created).unwrap_or(i64::MAX);
        }
        tally.merge(one);
    }
    let seconds = start.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLING).await;
    let after = server.inventory(&options.listing).await?;
    Ok(report(options, listing.kind, &tally, seconds, &before, &after, &acknowledged))
}

fn templates(options: &Options, address: &Address, wanted: &[Ask]) -> Vec<Template> {
    let (scope, key) = (scope(), options.api_key.as_deref());
    let body = |ask: &Ask| Template::post(address, "/v1/bookings", key, &scope, &ask.body(&options.listing));
    wanted.iter().map(body).collect()
}

async fn book(
    user: usize,
    connection: Result<Connection, LoadError>,
    mut template: Template,
    mut released: watch::Receiver<Option<Instant>>,
) -> Tally {
    let mut tally = Tally::default();
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(error) => {
            tally.fail(error.label());
            return tally;
        }
    };
    let request = template.stamped(user as u64).to_vec();
    let start = match released.wait_for(Option::is_some).await {
        Ok(start) => start.unwrap_or_else(Instant::now),
        Err(_) => return tally,
    };
    match tokio::time::timeout(PATIENCE, connection.exchange(&request)).await {
        Ok(answer) => tally.add(answer.as_ref(), start.elapsed()),
        Err(_) => tally.fail("no_answer"),
    }
    tally
}

fn report(
    options: &Options,
    kind: Kind,
    tally: &Tally,
    seconds: f64,
    before: &Inventory,
    after: &Inventory,
    acknowledged: &[i64],
) -> Report {
    let beyond = |(pool, &units): (&crate::inventory::PoolView, &i64)| units > pool.capacity - pool.blocked;
    let mut errors = tally.other.clone();
    errors.extend(tally.server_errors.clone());
    errors.extend(tally.failed.clone());
    Report {
        listing: options.listing.clone(),
        kind,
        users: options.users,
        created: tally.created,
        refused: sum(&tally.conflicts),
        server_errors: sum(&tally.server_errors),
        other: sum(&tally.other),
        failed: sum(&tally.failed),
        refusals: tally.conflicts.clone(),
        errors,
        seconds,
        latency: tally.percentiles(),
        taken_before: before.taken(),
        taken_after: after.taken(),
        available: after.available(),
        oversold: !after.oversold().is_empty() || before.pools.iter().zip(acknowledged).any(beyond),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} customers at the same instant, {:.3} s", self.users, self.seconds)?;
        writeln!(f, "  201 booked    {:>8}", self.created)?;
        writeln!(f, "  409 refused   {:>8}{}", self.refused, list(&self.refusals))?;
        writeln!(f, "  5xx           {:>8}", self.server_errors)?;
        writeln!(f, "  other         {:>8}", self.other)?;
        writeln!(f, "  no answer     {:>8}{}", self.failed, list(&self.errors))?;
        writeln!(f, "  waiting       {}", self.latency)?;
        writeln!(
            f,
            "  the server    {} units taken before, {} after, {} left",
            self.taken_before, self.taken_after, self.available
        )?;
        write!(f, "  oversold      {}", if self.oversold { "YES" } else { "no" })
    }
}

/// `  (sold_out 19, ...)`, or nothing.
pub(crate) fn list(counts: &BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    format!("  ({})", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::PoolView;

    fn inventory(capacity: i64, confirmed: i64) -> Inventory {
        let key = "standard".to_owned();
        let pool = PoolView { key, capacity, available: 0, held: 0, confirmed, blocked: 0, starts_at: None };
        Inventory { pools: vec![pool] }
    }

    fn judged(created: u64, after: i64) -> Report {
        let options = Options { url: String::new(), listing: "lst_1".to_owned(), users: 20, api_key: None };
        let mut tally = Tally { created, ..Tally::default() };
        tally.conflicts.insert("sold_out".to_owned(), 20 - created);
        let acknowledged = [i64::try_from(created).unwrap()];
        report(&options, Kind::Places, &tally, 0.5, &inventory(1, 0), &inventory(1, after), &acknowledged)
    }

    #[test]
    fn selling_the_last_one_once_is_right_and_twice_is_oversold() {
        assert!(!judged(1, 1).oversold);
        assert!(judged(2, 1).oversold, "two customers were told that they have it");
        assert!(judged(1, 2).oversold, "the server counts two of one");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_crowd_meets_one_instant_and_everybody_is_counted() {
        let server = crate::fake::FakeServer::start(3).await;
        server.stall(Duration::from_millis(100));
        let options = Options { url: server.url(), listing: "lst_1".to_owned(), users: 20, api_key: None };
        let report = run(&options).await.unwrap();
        assert_eq!((report.created, report.refused, report.failed), (3, 17, 0));
        assert_eq!((report.taken_before, report.taken_after, report.available), (0, 3, 0));
        assert!(!report.oversold);
        assert!(report.latency.p50_ms > 20.0, "waiting counts from the instant: {}", report.latency);
    }

    #[tokio::test]
    async fn a_crowd_of_nobody_and_a_server_that_is_not_there_are_errors() {
        let mut options = Options {
            url: "http://127.0.0.1:9".to_owned(),
            listing: "lst_1".to_owned(),
            users: 0,
            api_key: None,
        };
        assert!(run(&options).await.unwrap_err().to_string().contains("1 to 20000"));
        options.users = 1;
        assert!(run(&options).await.unwrap_err().to_string().contains("is the server running"));
    }

    #[test]
    fn json_names_the_statuses_and_people_read_the_same_numbers() {
        let report = judged(1, 1);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(
            (json["201"].as_u64(), json["409"].as_u64(), json["5xx"].as_u64()),
            (Some(1), Some(19), Some(0))
        );
        assert_eq!(json["oversold"], false);
        let text = report.to_string();
        assert!(text.contains("409 refused         19  (sold_out 19)"), "{text}");
        assert!(text.ends_with("oversold      no"), "{text}");
    }
}
