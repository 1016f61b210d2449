//! What a batch changed, as statements: made in memory, then sent all together with the commit.

mod bookings;
mod listings;
pub(crate) mod new;
pub(crate) mod waitlist;

use futures_util::future::join_all;
use lastseat_core::event::EventData;
use lastseat_core::id::ListingNo;
use lastseat_core::pool::{Pool, PoolRef};
use lastseat_core::world::{Answer, Changes, CustomerUse, World};
use lastseat_store::columns::ENTRY_THERE;
use lastseat_store::{CommitError, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

pub(crate) use bookings::counted_anew;

use crate::connection::Connection;
use crate::error::{ends_session, store_error};
use crate::sql;

/// Statements that are on their way at the same time.
const AT_ONCE: usize = 24;
/// Bits of an event's number that tell its place in the batch.
pub(crate) const EVENT_BITS: u32 = 16;
/// Events that a batch may have: those of the next batch begin there.
pub(crate) const MAX_EVENTS: usize = 1 << EVENT_BITS;

/// The bits of a batch's id, its halves laid one on the other, that number the edition it makes.
const EDITION: u128 = (1 << 63) - 1;

/// A value for a statement.
type Param = Box<dyn ToSql + Sync + Send>;

/// Statements in the order in which they are sent.
#[derive(Default)]
pub(crate) struct Written {
    statements: Vec<(&'static str, Vec<Param>)>,
    /// What was sent before them.
    begun: Option<JoinHandle<Answers>>,
    /// How far renewing has come, by listing.
    pub(crate) renewed: Vec<(i64, Option<i64>)>,
}

/// Boxes values for a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$(Box::new($value) as $crate::write::Param),*] };
}
pub(crate) use params;

impl Written {
    /// What the world has changed, but for waitlists, as the batch `id` with the number `no`, written by `node`.
    pub(crate) fn new(world: &World, id: u128, no: i64, node: i64) -> Self {
        let mut written = Self::default();
        let changes = &world.changes;
        let edition = i64::try_from((id ^ (id >> 64)) & EDITION).expect("63 bits");
        listings::write(&mut written, world, edition);
        let rows = bookings::write(&mut written, world, no << EVENT_BITS);
        let edits = !changes.listings.is_empty();
        if edits {
            // Pools may be new.
            written.push(sql::UPSERT_POOLS, changed_pools(world, true));
        }
        if !changes.removed_pools.is_empty() {
            let (listings, nos): (Vec<i64>, Vec<i64>) =
                changes.removed_pools.iter().map(|at| (at.listing.0, at.pool.packed())).unzip();
            written.push(sql::DELETE_POOLS, params![listings, nos]);
        }
        customers(&mut written, world);
        keys(&mut written, world);
        let mut all = params![
            no,
            Uuid::from_u128(id),
            node,
            touched(changes, true),
            to_read(changes),
            !changes.new_keys.is_empty() || !changes.revoked_keys.is_empty(),
            touched(changes, false),
        ];
        all.extend(changed_pools(world, !edits));
        all.extend(rows);
        all.extend(events(world, no << EVENT_BITS));
        all.extend(remembered(world));
        all.extend(params![changes.bookings.values().any(Option::is_some)]);
        written.push(sql::WRITE, all);
        written
    }

    /// What the world has changed of waitlists.
    pub(crate) fn lists(world: &World) -> Self {
        let mut written = Self::default();
        waitlist::write(&mut written, world);
        written
    }

    /// This, and then `other`, of which nothing was sent yet.
    pub(crate) fn and(mut self, other: Self) -> Self {
        debug_assert!(other.begun.is_none(), "it would come too late");
        self.statements.extend(other.statements);
        self.renewed.extend(other.renewed);
        self
    }

    pub(crate) fn push(&mut self, sql: &'static str, params: Vec<Param>) {
        self.statements.push((sql, params));
    }

    /// Sends it and waits until it is done; nothing of it is committed.
    pub(crate) fn send(self, connection: &Connection) -> Result<(), StoreError> {
        self.run(connection, None).0
    }

    /// Sends it already, so that the server is at work on it while more is put together.
    pub(crate) fn begin(mut self, connection: &Connection) -> Self {
        let client = Arc::clone(&connection.client);
        let statements = std::mem::take(&mut self.statements).into_iter();
        let statements: Vec<(Statement, Vec<Param>)> =
            statements.map(|(sql, params)| (connection.prepared(sql).clone(), params)).collect();
        self.begun = Some(connection.begin(async move {
            join_all(statements.iter().map(|(statement, params)| execute(&client, statement, params))).await
        }));
        self
    }

    /// Sends it with the commit behind it, and waits until both are done.
    pub(crate) fn commit(self, connection: &Connection) -> Result<(), CommitError> {
        // What was said before is not about this commit.
        connection.take_unreplicated();
        let (written, committed) = self.run(connection, Some("COMMIT"));
        if let Err(error) = written {
            // A transaction of which a statement has failed cannot be committed; whether one has failed that never
            // answered is not known.
            let known = !matches!(error, StoreError::Unavailable(_)) || connection.is_open();
            return Err(if known { CommitError::Aborted(error) } else { CommitError::Unknown(error) });
        }
        committed.and_then(|()| replicated(connection))
    }

    fn run(
        mut self,
        connection: &Connection,
        then: Option<&str>,
    ) -> (Result<(), StoreError>, Result<(), CommitError>) {
        for (listing, through) in std::mem::take(&mut self.renewed) {
            self.push(sql::SET_RENEWED, params![listing, through]);
        }
        let mut begun = self.begun.take();
        let mut chunks = self.statements.chunks(AT_ONCE).peekable();
        loop {
            let before = answers_of(begun.take());
            let chunk = chunks.next().unwrap_or_default();
            let sent = chunk
                .iter()
                .map(|(sql, params)| execute(&connection.client, connection.prepared(sql), params));
            let last = then.filter(|_| chunks.peek().is_none());
            let end = async {
                match last {
                    Some(end) => connection.client.batch_execute(end).await,
                    None => Ok(()),
                }
            };
            let answers = connection.wait(async { tokio::join!(biased; join_all(sent), end, before) });
            let (written, ended, before) = match answers {
                Ok(answers) => answers,
                Err(late) => {
                    connection.spoil();
                    return (Err(late), Ok(()));
                }
            };
            for answer in before.into_iter().chain(written) {
                if let Err(error) = connection.check(answer) {
                    return (Err(error), Ok(()));
                }
            }
            if chunks.peek().is_none() {
                return (Ok(()), ended.map_err(|error| outcome(connection, error)));
            }
        }
    }
}

/// Answers to statements, one each.
type Answers = Vec<Result<u64, tokio_postgres::Error>>;

/// Waits for what was begun.
async fn answers_of(begun: Option<JoinHandle<Answers>>) -> Answers {
    match begun {
        Some(begun) => begun.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())),
        None => Vec::new(),
    }
}

async fn execute(
    client: &Client,
    statement: &Statement,
    params: &[Param],
) -> Result<u64, tokio_postgres::Error> {
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as _).collect();
    client.execute(statement, &params).await
}

/// Whether a commit that has succeeded is where it should be, as the server says.
fn replicated(connection: &Connection) -> Result<(), CommitError> {
    if !connection.take_unreplicated() {
        return Ok(());
    }
    let why = "the commit is on the primary, and no standby has confirmed it".to_owned();
    Err(CommitError::Unknown(StoreError::Unavailable(why)))
}

/// What an error at the commit says about it.
fn outcome(connection: &Connection, error: tokio_postgres::Error) -> CommitError {
    if ends_session(&error) {
        connection.spoil();
        return CommitError::Unknown(store_error(error));
    }
    CommitError::Aborted(store_error(error))
}

/// Listings whose pools or documents changed, and with `events` those that new events speak of.
fn touched(changes: &Changes, events: bool) -> Vec<i64> {
    let mut touched: BTreeSet<ListingNo> = changes.pools.iter().map(|at| at.listing).collect();
    touched.extend(changes.removed_pools.iter().map(|at| at.listing));
    touched.extend(&changes.listings);
    if events {
        touched.extend(changes.events.iter().map(|event| event.listing));
    }
    touched.into_iter().map(|no| no.0).collect()
}

/// Listings that other nodes have to read anew.
fn to_read(changes: &Changes) -> Vec<i64> {
    let new = changes.new_listings.iter().map(|(no, ..)| no.0);
    new.chain(changes.listings.iter().map(|no| no.0)).collect()
}

/// Eight columns of the changed pools, or of none.
fn changed_pools(world: &World, wanted: bool) -> Vec<Param> {
    let changed = world.changes.pools.iter().filter(|_| wanted);
    pools(&changed.filter_map(|at| Some((*at, world.pool(*at)?))).collect::<Vec<_>>())
}

/// Eight columns of pools.
fn pools(rows: &[(PoolRef, Pool)]) -> Vec<Param> {
    let column = |of: fn(&Pool) -> i64| -> Vec<i64> { rows.iter().map(|(_, pool)| of(pool)).collect() };
    params![
        rows.iter().map(|(at, _)| at.listing.0).collect::<Vec<_>>(),
        rows.iter().map(|(at, _)| at.pool.packed()).collect::<Vec<_>>(),
        column(|pool| pool.capacity),
        column(|pool| pool.blocked),
        column(|pool| pool.held),
        column(|pool| pool.confirmed),
        column(|pool| pool.price),
        column(|pool| pool.kept),
    ]
}

fn customers(written: &mut Written, world: &World) {
    if world.changes.customers.is_empty() {
        return;
    }
    let (mut listings, mut identities, mut units, mut holds) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for of in &world.changes.customers {
        let has: CustomerUse = world.customer(of);
        listings.push(of.0.0);
        identities.push(of.1.clone());
        units.push(has.units);
        holds.push(has.open_holds);
    }
    written.push(sql::UPSERT_CUSTOMERS, params![listings, identities, units, holds]);
}

fn keys(written: &mut Written, world: &World) {
    let now = world.now.millis();
    for key in &world.changes.new_keys {
        let id = Uuid::from_u128(key.id.bits());
        written
            .push(sql::INSERT_KEY, params![id, key.role.as_str(), key.name.clone(), key.hash.to_vec(), now]);
    }
    for id in &world.changes.revoked_keys {
        written.push(sql::REVOKE_KEY, params![Uuid::from_u128(id.bits()), now]);
    }
}

/// Nine columns of new events; `first` is the number of the first.
fn events(world: &World, first: i64) -> Vec<Param> {
    let events = &world.changes.events;
    let data = |data: &EventData| match data {
        EventData::Booking(patch) => json(patch),
        EventData::Listing(text) => text.clone(),
    };
    let count = i64::try_from(events.len()).expect("a batch is small");
    params![
        (first..first + count).collect::<Vec<i64>>(),
        events.iter().map(|event| event.at.millis()).collect::<Vec<_>>(),
        events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(),
        events.iter().map(|event| event.listing.0).collect::<Vec<_>>(),
        optional(events.iter().map(|event| event.booking.map(|no| no.0))),
        events.iter().map(|event| i64::from(event.seq)).collect::<Vec<_>>(),
        events.iter().map(|event| i64::from(event.version)).collect::<Vec<_>>(),
        events.iter().map(|event| event.actor.clone()).collect::<Vec<_>>(),
        events.iter().map(|event| data(&event.data)).collect::<Vec<_>>(),
    ]
}

/// The instant, then seven columns of new answers under idempotency keys.
fn remembered(world: &World) -> Vec<Param> {
    let (mut keys, mut fingerprints) = (Vec::new(), Vec::new());
    let (mut bookings, mut versions) = (Vec::new(), Vec::new());
    let (mut listings, mut api_keys, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for (key, what) in &world.changes.remembered {
        let (booking, version, listing, api_key, entry) = match &what.answer {
            Answer::Booking { no, version } => (Some(no.0), Some(i64::from(*version)), None, None, None),
            Answer::Listing(id) => (None, None, Some(Uuid::from_u128(id.bits())), None, None),
            Answer::Key(id) => (None, None, None, Some(Uuid::from_u128(id.bits())), None),
            Answer::Entry(id) => (None, None, None, None, Some(Uuid::from_u128(id.bits()))),
            Answer::EntryThere(id) => {
                (None, Some(i64::from(ENTRY_THERE)), None, None, Some(Uuid::from_u128(id.bits())))
            }
        };
        keys.push(Uuid::from_bytes(key.0));
        fingerprints.push(Uuid::from_bytes(what.fingerprint));
        bookings.push(booking);
        versions.push(version);
        listings.push(listing);
        api_keys.push(api_key);
        entries.push(entry);
    }
    let [bookings, versions] = [bookings, versions].map(|column| optional(column.into_iter()));
    let [listings, api_keys, entries] =
        [listings, api_keys, entries].map(|column| optional(column.into_iter()));
    params![world.now.millis(), keys, fingerprints, bookings, versions, listings, api_keys, entries]
}

/// A column of values that may be missing. Where all are, it is empty: `unnest` fills up with NULL what is shorter than the
/// others.
fn optional<T>(values: impl Iterator<Item = Option<T>>) -> Vec<Option<T>> {
    let column: Vec<Option<T>> = values.collect();
    if column.iter().all(Option::is_none) { Vec::new() } else { column }
}

/// JSON of the core's types, which cannot fail to be written.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("rows have text keys and plain values")
}
