//! Capacities, blocked units and prices are changed. Nothing that is held or sold is ever taken away: where
//! it would be, nothing changes at all.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Outcome, check_key, check_version, given_before, need_admin, need_key};
use crate::admission::ask_again;
use crate::command::{Command, PoolRange, PoolSpec, PoolsChange};
use crate::customer::check_text;
use crate::event::EventKind;
use crate::id::ListingId;
use crate::listing::build::{MAX_CAPACITY, MAX_POOLS, MAX_PRICE, MAX_RESOURCES};
use crate::listing::{Group, Groups, Kind, Listing, night_date};
use crate::pool::{Pool, PoolNo, PoolRef};
use crate::refusal::{Code, FieldError, Refusal, RefusalData, ShortPool};
use crate::world::{Answer, World};

/// New numbers for one pool; what is none stays.
struct Numbers {
    capacity: Option<i64>,
    blocked: Option<i64>,
    price: Option<i64>,
}

/// Where in the request it stands, which pool it means, and what that gets.
type Wanted = (String, PoolNo, Numbers);

pub(super) fn put(
    world: &mut World,
    command: &Command,
    id: ListingId,
    change: &PoolsChange,
) -> Result<Outcome, Refusal> {
    need_key(&command.actor)?;
    let old = world.listing(id).cloned().ok_or_else(|| Refusal::not_found("listing"))?;
    need_admin(&command.actor)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let mut problems = Vec::new();
    let (groups, wanted) = match change {
        PoolsChange::Pools(pools) => named(&mut problems, &old, pools),
        PoolsChange::Range(range) => (None, ranged(&mut problems, world, &old, range)),
    };
    let mut changed = Vec::with_capacity(wanted.len());
    for (field, pool, numbers) in &wanted {
        let before = world.pool(PoolRef { listing: old.no, pool: *pool });
        let is_new = groups.as_ref().is_some_and(|_| pool.group as usize >= old.groups.all().len());
        let Some(before) = before.or_else(|| is_new.then(Pool::default)) else {
            problems.push(FieldError::new(field, "is not a pool of this listing"));
            continue;
        };
        let after = Pool {
            capacity: numbers.capacity.unwrap_or(before.capacity),
            blocked: numbers.blocked.unwrap_or(before.blocked),
            price: numbers.price.unwrap_or(before.price),
            ..before
        };
        let is_seat = old.groups.get(pool.group).is_some_and(|group| group.seat.is_some());
        if is_seat && after.capacity > 1 {
            problems.push(FieldError::new(field, "is a seat; its capacity is 0 or 1"));
        }
        if after.blocked > after.capacity {
            problems.push(FieldError::new(field, "would have more blocked units than capacity"));
        }
        changed.push((*pool, after));
    }
    if !problems.is_empty() {
        return Err(Refusal::invalid(problems));
    }
    check_key(world, command.idempotency)?;
    check_version(command.if_match, old.version)?;
    check_in_use(world, &old, &changed)?;
    let listing = apply(world, command, &old, groups, &changed);
    world.remember(command.idempotency, Answer::Listing(id));
    Ok(Outcome::Listing(listing))
}

fn apply(
    world: &mut World,
    command: &Command,
    old: &Arc<Listing>,
    groups: Option<Vec<Group>>,
    changed: &[(PoolNo, Pool)],
) -> Arc<Listing> {
    let mut listing = Arc::clone(old);
    if let Some(groups) = groups {
        let (mut doc, mut version) = (old.doc.clone(), old.version);
        // A new pool is an edit of the listing; new numbers are not, they only show in it.
        if groups.len() > old.groups.all().len() {
            version += 1;
        } else {
            doc.pools_version = Some(doc.pools_version.unwrap_or(0) + 1);
        }
        let groups = Arc::new(Groups::new(groups));
        listing = Arc::new(Listing::new(old.no, old.id, version, old.created_at, doc, groups));
        world.set_listing(Arc::clone(&listing));
        world.changes.groups.insert(old.no);
    }
    for (pool, numbers) in changed {
        world.set_pool(PoolRef { listing: old.no, pool: *pool }, *numbers);
    }
    let pools: Vec<_> = changed
        .iter()
        .take(MAX_RESOURCES)
        .map(|(no, pool)| {
            serde_json::json!({ "key": listing.pool_key(*no), "capacity": pool.capacity, "blocked": pool.blocked, "price": pool.price })
        })
        .collect();
    let data = serde_json::json!({ "pools": pools, "changed": changed.len() });
    world.listing_event(EventKind::ListingUpdated, old.no, &command.actor, data.to_string());
    listing
}

fn check_numbers(problems: &mut Vec<FieldError>, field: &str, numbers: &Numbers) {
    let mut range = |name: &str, value: Option<i64>, max: i64| {
        if value.is_some_and(|value| !(0..=max).contains(&value)) {
            problems.push(FieldError::new(format!("{field}{name}"), format!("must be 0 to {max}")));
        }
    };
    range("capacity", numbers.capacity, MAX_CAPACITY);
    range("blocked", numbers.blocked, MAX_CAPACITY);
    range("price", numbers.price, MAX_PRICE);
}

/// The pools by their keys, and the groups with what changes in them. A new key adds a pool to listings of
/// places, and a standing area to listings of seats.
fn named(
    problems: &mut Vec<FieldError>,
    listing: &Listing,
    pools: &[PoolSpec],
) -> (Option<Vec<Group>>, Vec<Wanted>) {
    if !(1..=MAX_POOLS).contains(&pools.len()) {
        problems.push(FieldError::new("pools", "must have at least one entry"));
    }
    let mut groups = listing.groups.all().to_vec();
    let mut wanted = Vec::with_capacity(pools.len());
    let mut seen = std::collections::HashSet::new();
    let undated = matches!(listing.kind(), Kind::Places | Kind::Seats);
    let mut groups_changed = false;
    for (index, spec) in pools.iter().enumerate() {
        let field = format!("pools[{index}]");
        let numbers = Numbers { capacity: spec.capacity, blocked: spec.blocked, price: spec.price };
        check_numbers(problems, &format!("{field}."), &numbers);
        if !seen.insert(&spec.key) {
            problems.push(FieldError::new(format!("{field}.key"), "stands twice"));
            continue;
        }
        let found = listing.find_pool(&spec.key);
        if found.is_none() && undated {
            check_text(problems, &format!("{field}.key"), &spec.key, 100);
            let Some(capacity) = spec.capacity else {
                problems.push(FieldError::new(
                    format!("{field}.key"),
                    "is not a pool of this listing; a new one needs a capacity",
                ));
                continue;
            };
            groups.push(Group {
                key: spec.key.clone(),
                title: spec.key.clone(),
                capacity,
                price: spec.price.unwrap_or(0),
                seat: None,
            });
            groups_changed = true;
            let number = u32::try_from(groups.len() - 1).expect("limits keep groups below 2^31");
            wanted.push((field, PoolNo::new(number, 0), numbers));
            continue;
        }
        let Some(pool) = found else {
            problems.push(FieldError::new(format!("{field}.key"), "is not a pool of this listing"));
            continue;
        };
        if undated && let Some(group) = groups.get_mut(pool.group as usize) {
            let (capacity, price) =
                (spec.capacity.unwrap_or(group.capacity), spec.price.unwrap_or(group.price));
            groups_changed |= (capacity, price) != (group.capacity, group.price);
            (group.capacity, group.price) = (capacity, price);
        }
        wanted.push((field, pool, numbers));
    }
    (groups_changed.then_some(groups), wanted)
}

/// The pools of one resource on a stretch of dates in the listing's time zone.
fn ranged(
    problems: &mut Vec<FieldError>,
    world: &World,
    listing: &Listing,
    range: &PoolRange,
) -> Vec<Wanted> {
    if !listing.kind().is_dated() {
        problems.push(FieldError::new("from", "is for listings of the kinds nights and slots"));
        return Vec::new();
    }
    let Some(group) = listing.groups.find(&range.resource) else {
        problems.push(FieldError::new("resource", "is not a resource of this listing"));
        return Vec::new();
    };
    if range.until <= range.from {
        problems.push(FieldError::new("until", "must lie after from"));
    }
    let check = Numbers { capacity: range.capacity, blocked: range.blocked, price: range.price };
    check_numbers(problems, "", &check);
    let pools: Vec<_> = world
        .pools_of(listing.no)
        .into_iter()
        .filter(|(no, _)| no.group == group && (range.from..range.until).contains(&date_of(listing, *no)))
        .map(|(no, _)| {
            let numbers = Numbers { capacity: range.capacity, blocked: range.blocked, price: range.price };
            ("resource".to_owned(), no, numbers)
        })
        .collect();
    if pools.is_empty() {
        problems.push(FieldError::new("from", "there are no pools between these dates"));
    }
    pools
}

fn date_of(listing: &Listing, pool: PoolNo) -> Date {
    match listing.kind() {
        Kind::Nights => night_date(pool),
        _ => {
            let start = listing.pool_starts_at(pool).unwrap_or_default();
            let zone: TimeZone = listing.zone().clone();
            start.timestamp().to_zoned(zone).date()
        }
    }
}

fn check_in_use(world: &World, listing: &Listing, changed: &[(PoolNo, Pool)]) -> Result<(), Refusal> {
    let short: Vec<ShortPool> = changed
        .iter()
        .filter(|(_, pool)| pool.free() < 0)
        .map(|(no, pool)| ShortPool {
            key: listing.pool_key(*no),
            requested: pool.capacity - pool.blocked,
            available: 0,
            held: pool.held,
            confirmed: pool.confirmed,
            next_release_at: None,
        })
        .collect();
    let Some(first) = short.first() else { return Ok(()) };
    if world.leaves_overdue(listing.no) {
        return Err(ask_again());
    }
    let detail = format!(
        "{} units would be left of {}, but {} are held and {} confirmed. Nothing was changed.",
        first.requested, first.key, first.held, first.confirmed
    );
    Err(Refusal::with(Code::CapacityInUse, detail, RefusalData::Pools { pools: short, waitlist: None }))
}
