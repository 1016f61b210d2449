//! No oversell, and no customer over the limit, at any instant.

use super::life::Life;
use super::prepare::{NEVER, Prepared, Window};
use super::track::{ROOM, Track};
use super::tracks::{CustomerAt, Tracks, limited};
use crate::report::{Report, Rule};

/// Most bookings that a violation names.
const MAX_NAMED: usize = 20;

pub(crate) fn check(all: &Prepared<'_>, lives: &[Life<'_>], tracks: &Tracks<'_>, report: &mut Report) {
    for (pool, track) in tracks.pools.iter().enumerate() {
        check_pool(all, lives, (pool, track), report);
    }
    let mut customers: Vec<_> = tracks.customers.iter().collect();
    customers.sort_unstable_by_key(|(of, _)| **of);
    for (of, track) in customers {
        check_customer(all, lives, *of, track, report);
    }
}

/// The instant at which a value is farthest over its bound: by how much, when, the value and the bound.
fn worst(values: impl Iterator<Item = (i64, i64, i64)>) -> Option<(i64, i64, i64)> {
    values.filter(|(_, value, bound)| value > bound).max_by_key(|(at, value, bound)| (value - bound, -at))
}

fn check_pool(all: &Prepared<'_>, lives: &[Life<'_>], (pool, track): (usize, &Track), report: &mut Report) {
    let values = || track.all().filter(|(at, bounds)| *at > NEVER && bounds.decided[1] > 0);
    report.count(Rule::NoOversell, values().count());
    let over = values().map(|(at, bounds)| (at, bounds.decided[1], bounds.most[ROOM]));
    let Some((at, taken, room)) = worst(over) else { return };
    let (listing, _) = all.pools[pool];
    let (ops, ids) = taking(all, lives, at, |life| {
        let first = &life.stages[0];
        all.listing(&first.view.listing) == Some(listing)
            && life.stages.iter().any(|stage| stage.claim.iter().any(|(of, _)| *of == pool))
    });
    let detail = format!(
        "at {at}, {taken} units of {} were taken at once, but there are {room} at most",
        all.pool_name(pool)
    );
    report.violate(Rule::NoOversell, ops, ids, detail);
}

fn check_customer(
    all: &Prepared<'_>,
    lives: &[Life<'_>],
    of: CustomerAt<'_>,
    track: &Track,
    report: &mut Report,
) {
    let values = || track.all().filter(|(at, bounds)| *at > NEVER && bounds.decided[1] > 0);
    report.count(Rule::CustomerLimit, values().count());
    let listing = &all.listings[of.0];
    let limits = [(0, listing.max_open_holds, "live holds"), (1, listing.max_per_customer, "units")];
    for (which, most, what) in limits {
        let Some(most) = most else { continue };
        let over = values().map(|(at, bounds)| (at, bounds.decided[which], most));
        let Some((at, has, most)) = worst(over) else { continue };
        let (ops, ids) = taking(all, lives, at, |life| {
            let view = life.stages[0].view;
            limited(all, &view.listing, view.customer.as_deref()) == Some(of)
        });
        let detail =
            format!("at {at}, customer {} had {has} {what} of {}, but may have {most}", of.1, listing.id);
        report.violate(Rule::CustomerLimit, ops, ids, detail);
    }
}

/// Operations and bookings that took something at an instant.
fn taking(
    all: &Prepared<'_>,
    lives: &[Life<'_>],
    at: i64,
    counts: impl Fn(&Life<'_>) -> bool,
) -> (Vec<u64>, Vec<String>) {
    let window = Window { lo: at, hi: at };
    let stage = |life: &Life<'_>| {
        let taking = |stage: &&super::life::Stage<'_>| {
            (stage.view.state.holds() || stage.view.state.sells())
                && stage.born.1 <= window.lo
                && stage.ends > window.hi
        };
        life.stages
            .iter()
            .find(taking)
            .map(|stage| (stage.op.map(|op| all.ops[op].id), stage.view.id.clone()))
    };
    let found: Vec<_> = lives
        .iter()
        .filter(|life| !life.stages.is_empty() && counts(life))
        .filter_map(stage)
        .take(MAX_NAMED)
        .collect();
    (found.iter().filter_map(|(op, _)| *op).collect(), found.into_iter().map(|(_, id)| id).collect())
}
