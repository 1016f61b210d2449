//! Availability: not older than promised, its numbers possible, its versions in order.

use std::collections::HashMap;

use super::prepare::{Prepared, Window};
use super::track::{HELD, ROOM, SOLD, Wants};
use super::tracks::Tracks;
use crate::operation::{Answer, Ask, PoolReading};
use crate::report::{Report, Rule};

/// What was told of a listing.
struct Reading<'h> {
    listing: usize,
    version: u64,
    as_of: i64,
    pools: &'h [PoolReading],
    id: u64,
    started_us: i64,
    ended_us: i64,
    /// When it can have been true: the promised lag before the request, to the answer.
    window: Window,
}

pub(crate) fn check<'h>(all: &Prepared<'h>, tracks: &Tracks<'h>, report: &mut Report) {
    let mut readings: Vec<Reading<'h>> = Vec::new();
    for (index, op) in all.ops.iter().enumerate() {
        let Ask::Availability { listing } = &op.ask else { continue };
        let Answer::Availability { version, as_of_ms, pools } = &op.answer else { continue };
        let Some(listing) = all.listing(listing) else { continue };
        let answered = all.windows[index];
        readings.push(Reading {
            listing,
            version: *version,
            as_of: *as_of_ms,
            pools,
            id: op.id,
            started_us: op.started_us,
            ended_us: op.ended_us.unwrap_or(i64::MAX),
            window: Window { lo: answered.lo - all.lag, hi: answered.hi },
        });
    }
    for reading in &readings {
        check_reading(all, tracks, reading, report);
    }
    check_order(all, &mut readings, report);
    check_same_version(&mut readings, report);
}

fn check_reading(all: &Prepared<'_>, tracks: &Tracks<'_>, reading: &Reading<'_>, report: &mut Report) {
    let Window { lo, hi } = reading.window;
    report.count(Rule::Availability, reading.pools.len());
    report.count(Rule::Stamps, 1);
    if !(lo..=hi).contains(&reading.as_of) {
        let detail = format!(
            "operation {} was told availability as of {}; promised is {lo} to {hi}",
            reading.id, reading.as_of
        );
        report.violate(Rule::Stamps, [reading.id], [], detail);
    }
    for told in reading.pools {
        let Some(pool) = all.pool(reading.listing, &told.key) else {
            let detail = format!(
                "operation {} was told of a pool {}, which is not in the setting",
                reading.id, told.key
            );
            report.violate(Rule::Recording, [reading.id], [], detail);
            continue;
        };
        let name = all.pool_name(pool);
        let room = told.capacity - told.blocked;
        let sums = room - told.held - told.confirmed == told.available;
        if !sums || told.available < 0 || told.held < 0 || told.confirmed < 0 {
            let detail =
                format!("operation {} was told of {name} what does not add up: {told:?}", reading.id);
            report.violate(Rule::Availability, [reading.id], [], detail);
            continue;
        }
        // The rows and the instant that holds are compared with may both lie anywhere in the window.
        let lapsing = tracks.lapsing(pool, reading.window);
        let mut wants = Wants::default();
        wants[HELD] = Some((told.held - lapsing, told.held + lapsing));
        wants[SOLD] = Some((told.confirmed, told.confirmed));
        wants[ROOM] = Some((room, room));
        if !tracks.seen[pool].has(reading.window, &wants) {
            let extent = |quantity| tracks.seen[pool].extent(reading.window, quantity);
            let ((h0, h1), (s0, s1), (r0, r1)) = (extent(HELD), extent(SOLD), extent(ROOM));
            let detail = format!(
                "operation {} was told of {name}: {} held, {} confirmed, {room} in all; but at no instant from {lo} to {hi} was that so: {h0} to {h1} held (and {lapsing} lapsing), {s0} to {s1} confirmed, {r0} to {r1} in all",
                reading.id, told.held, told.confirmed
            );
            report.violate(Rule::Availability, [reading.id], [], detail);
        }
    }
}

/// What was told before a reading's window begins is not newer than what it tells.
fn check_order(all: &Prepared<'_>, readings: &mut [Reading<'_>], report: &mut Report) {
    report.count(Rule::AvailabilityVersions, readings.len());
    readings.sort_by_key(|reading| reading.ended_us);
    let mut by_start: Vec<usize> = (0..readings.len()).collect();
    by_start.sort_by_key(|index| readings[*index].started_us);
    let mut newest: HashMap<usize, &Reading<'_>> = HashMap::new();
    let mut ended = readings.iter().peekable();
    for index in by_start {
        let later = &readings[index];
        let begins = later.started_us - all.lag * 1000;
        while let Some(earlier) = ended.next_if(|earlier| earlier.ended_us < begins) {
            let known = newest.entry(earlier.listing).or_insert(earlier);
            if known.version < earlier.version {
                *known = earlier;
            }
        }
        let Some(earlier) = newest.get(&later.listing).filter(|known| known.version > later.version) else {
            continue;
        };
        let detail = format!(
            "operation {} was told version {} of the inventory of {}, but more than {} ms later operation {} was told version {}",
            earlier.id, earlier.version, all.listings[later.listing].id, all.lag, later.id, later.version
        );
        report.violate(Rule::AvailabilityVersions, [earlier.id, later.id], [], detail);
    }
}

/// Within a version only time changes what is held, and only downwards.
fn check_same_version(readings: &mut [Reading<'_>], report: &mut Report) {
    readings.sort_by_key(|reading| (reading.listing, reading.version, reading.as_of));
    let same = |a: &Reading<'_>, b: &Reading<'_>| (a.listing, a.version) == (b.listing, b.version);
    for group in readings.chunk_by(same) {
        let mut before: HashMap<&str, (&PoolReading, &Reading<'_>)> = HashMap::new();
        for reading in group {
            for told in reading.pools {
                let Some((earlier, by)) = before.insert(&told.key, (told, reading)) else { continue };
                let rows = |told: &PoolReading| (told.capacity, told.blocked, told.confirmed);
                let held = if by.as_of == reading.as_of {
                    earlier.held == told.held
                } else {
                    earlier.held >= told.held
                };
                if rows(earlier) != rows(told) || !held {
                    let detail = format!(
                        "version {} of the inventory shows {earlier:?} as of {} to operation {}, and {told:?} as of {} to operation {}",
                        reading.version, by.as_of, by.id, reading.as_of, reading.id
                    );
                    report.violate(Rule::AvailabilityVersions, [by.id, reading.id], [], detail);
                }
            }
        }
    }
}
