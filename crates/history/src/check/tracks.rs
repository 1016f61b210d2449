//! What every booking's life adds to the bounds of its pools and of its customer.
//!
//! Two views are kept apart. *Decided*: the server's stamps are read under the locks of the pools, so
//! decisions (bookings, refusals) see everything that was decided before them, and what was decided up to an
//! instant and not given up by it was taken all at once. *Seen*: readings see a decision some time between
//! its stamp and the end of the first operation that was told of it; in between it may count or not.

use std::collections::HashMap;

use super::life::{Life, Stage, deadline, lapsed};
use super::prepare::{Claim, Effect, FOREVER, NEVER, Prepared, Window};
use super::track::{HELD, Marks, ROOM, SOLD, Side, TAKEN, Track};
use crate::operation::{Answer, Ask};
use crate::setting::Measure;

/// A customer of a listing.
pub(crate) type CustomerAt<'h> = (usize, &'h str);

/// Whose eyes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum View {
    /// Of whoever decides.
    Decided,
    /// Of whoever reads.
    Seen,
}

/// The bounds of all pools and of all customers with a limit.
pub(crate) struct Tracks<'h> {
    /// Of the pools, for decisions.
    pub(crate) pools: Vec<Track>,
    /// Of the pools, for readings.
    pub(crate) seen: Vec<Track>,
    /// Of the customers, for decisions.
    pub(crate) customers: HashMap<CustomerAt<'h>, Track>,
    /// By pool, the deadlines of holds, in order, with all units up to them.
    lapses: Vec<Vec<(i64, i64)>>,
}

/// A stretch in which a claim counts.
struct Piece<'a> {
    quantity: usize,
    side: Side,
    claim: &'a Claim,
    from: i64,
    until: i64,
}

impl<'h> Tracks<'h> {
    pub(crate) fn new(all: &Prepared<'h>, lives: &[Life<'h>]) -> Self {
        let (pools, customers) = marks(all, lives, View::Decided);
        let (seen, _) = marks(all, lives, View::Seen);
        let mut lapses: Vec<Vec<(i64, i64)>> = vec![Vec::new(); all.pools.len()];
        for stage in lives.iter().flat_map(|life| &life.stages) {
            for (pool, units) in deadline(stage.view).map(|_| &stage.claim).into_iter().flatten() {
                lapses[*pool].push((stage.view.due_at_ms.unwrap_or(NEVER), *units));
            }
        }
        for of_pool in &mut lapses {
            of_pool.sort_unstable();
            let mut sum = 0;
            for (_, units) in of_pool.iter_mut() {
                sum += *units;
                *units = sum;
            }
        }
        Self {
            pools: pools.into_iter().map(Marks::track).collect(),
            seen: seen.into_iter().map(Marks::track).collect(),
            customers: customers.into_iter().map(|(of, marks)| (of, marks.track())).collect(),
            lapses,
        }
    }

    /// Units of holds of a pool whose deadline lies in the window.
    pub(crate) fn lapsing(&self, pool: usize, window: Window) -> i64 {
        let lapses = &self.lapses[pool];
        let sum = |index: usize| index.checked_sub(1).map_or(0, |last| lapses[last].1);
        sum(lapses.partition_point(|(at, _)| *at <= window.hi))
            - sum(lapses.partition_point(|(at, _)| *at < window.lo))
    }
}

/// The changes of the bounds of pools and customers.
fn marks<'h>(
    all: &Prepared<'h>,
    lives: &[Life<'h>],
    view: View,
) -> (Vec<Marks>, HashMap<CustomerAt<'h>, Marks>) {
    let mut pools: Vec<Marks> = all.pools.iter().map(|_| Marks::default()).collect();
    let mut customers: HashMap<CustomerAt<'h>, Marks> = HashMap::new();
    for life in lives {
        let Some(first) = life.stages.first() else { continue };
        let customer = limited(all, &first.view.listing, first.view.customer.as_deref());
        for piece in pieces(life, view, all.slack) {
            place(all, &mut pools, &mut customers, customer, &piece);
        }
    }
    add_phantoms(all, &mut pools, &mut customers);
    add_room(all, &mut pools, &mut customers);
    (pools, customers)
}

/// The customer of a listing, if it limits customers.
pub(crate) fn limited<'h>(
    all: &Prepared<'h>,
    listing: &str,
    customer: Option<&'h str>,
) -> Option<CustomerAt<'h>> {
    let no = all.listing(listing)?;
    let listing = &all.listings[no];
    let limits = listing.max_per_customer.is_some() || listing.max_open_holds.is_some();
    Some((no, customer.filter(|_| limits)?))
}

/// How many units of one customer a claim is.
pub(crate) fn units(all: &Prepared<'_>, listing: usize, claim: &Claim) -> i64 {
    match all.listings[listing].measure {
        Measure::Sum => claim.iter().map(|(_, units)| units).sum(),
        Measure::PerPosition => {
            let mut at: HashMap<&str, i64> = HashMap::new();
            for (pool, units) in claim {
                let key = &all.pools[*pool].1.key;
                *at.entry(key.split_once('/').map_or("", |(_, position)| position)).or_default() += units;
            }
            at.into_values().max().unwrap_or(0)
        }
    }
}

fn place<'h>(
    all: &Prepared<'h>,
    pools: &mut [Marks],
    customers: &mut HashMap<CustomerAt<'h>, Marks>,
    customer: Option<CustomerAt<'h>>,
    piece: &Piece<'_>,
) {
    let within = (piece.from, piece.until);
    for (pool, units) in piece.claim {
        pools[*pool].add(piece.quantity, piece.side, within, *units);
    }
    if let Some(of) = customer {
        // Of a customer, holds are counted by number, and all that is taken by units.
        let amount = if piece.quantity == HELD { 1 } else { units(all, of.0, piece.claim) };
        customers.entry(of).or_default().add(piece.quantity, piece.side, within, amount);
    }
}

fn pieces<'a>(life: &'a Life<'_>, view: View, slack: i64) -> Vec<Piece<'a>> {
    let mut pieces = Vec::with_capacity(life.stages.len() * 6);
    let mut most: Vec<(&Claim, i64, i64)> = Vec::new();
    let mut add = |quantity, side, claim, from, until| {
        pieces.push(Piece { quantity, side, claim, from, until });
    };
    // Since when the claim of the stage is taken without a break: in this view, and by its stamps.
    let mut since: Option<(i64, i64)> = None;
    for (at, stage) in life.stages.iter().enumerate() {
        let Some(quantity) = quantity(stage) else {
            since = None;
            continue;
        };
        // In the millisecond of its birth it may not be there yet; at the end of it, it is.
        let known_by = |stage: &Stage<'_>| if view == View::Seen { stage.seen_by } else { stage.born.1 };
        let lasts = if view == View::Seen { stage.told_until } else { stage.decided_until };
        let certain_until = stage.ends - 1 - slack;
        let possible = (stage.born.0 - slack, lasts.saturating_add(slack));
        add(quantity, Side::Least, &stage.claim, known_by(stage) + 1, certain_until);
        add(quantity, Side::Most, &stage.claim, possible.0, possible.1);
        if quantity == HELD {
            add(HELD, Side::Decided, &stage.claim, stage.born.1, certain_until);
        }
        most.push((&stage.claim, possible.0, possible.1));
        let (known_since, decided_since) = since.take().unwrap_or((known_by(stage) + 1, stage.born.1));
        let next = life.stages.get(at + 1).filter(|next| goes_on(stage, next));
        if next.is_some() {
            since = Some((known_since, decided_since));
        } else {
            add(TAKEN, Side::Least, &stage.claim, known_since, certain_until);
            add(TAKEN, Side::Decided, &stage.claim, decided_since, certain_until);
        }
    }
    for gap in &life.gaps {
        for claim in &gap.claims {
            add(HELD, Side::Most, claim, gap.from - slack, gap.until);
            add(SOLD, Side::Most, claim, gap.from - slack, gap.until);
            most.push((claim, gap.from - slack, gap.until));
        }
    }
    // The same claim counts once at a time, however many versions of the booking may be true.
    most.sort_unstable();
    let mut merged: Option<(&Claim, i64, i64)> = None;
    for (claim, from, until) in most {
        match &mut merged {
            Some(run) if run.0 == claim && from <= run.2.saturating_add(1) => run.2 = run.2.max(until),
            _ => {
                if let Some((claim, from, until)) = merged.replace((claim, from, until)) {
                    add(TAKEN, Side::Most, claim, from, until);
                }
            }
        }
    }
    if let Some((claim, from, until)) = merged {
        add(TAKEN, Side::Most, claim, from, until);
    }
    pieces
}

fn quantity(stage: &Stage<'_>) -> Option<usize> {
    let state = stage.view.state;
    if state.holds() {
        Some(HELD)
    } else if state.sells() {
        Some(SOLD)
    } else {
        None
    }
}

/// Whether the same units stay taken from this version to the next.
fn goes_on(stage: &Stage<'_>, next: &Stage<'_>) -> bool {
    stage.meets_next
        && quantity(next).is_some()
        && stage.claim == next.claim
        && !lapsed(stage.view, next.view)
}

/// Bookings that nobody saw, but that somebody may have made: where no last reading would show them.
fn add_phantoms<'h>(all: &Prepared<'h>, pools: &mut [Marks], customers: &mut HashMap<CustomerAt<'h>, Marks>) {
    if all.is_complete() {
        return;
    }
    for (index, op) in all.ops.iter().enumerate() {
        let Ask::Create { listing, customer, lines } = &op.ask else { continue };
        let Some(claim) = all.claim(listing, lines) else { continue };
        if all.effects[index] == Effect::Unknown {
            let of = limited(all, listing, customer.as_deref());
            for quantity in [HELD, SOLD, TAKEN] {
                let from = all.windows[index].lo;
                let piece = Piece { quantity, side: Side::Most, claim: &claim, from, until: FOREVER };
                place(all, pools, customers, of, &piece);
            }
        }
    }
}

/// What there is to take: of each pool the capacities that may have been in force, of each customer the
/// limit.
fn add_room<'h>(all: &Prepared<'h>, pools: &mut [Marks], customers: &mut HashMap<CustomerAt<'h>, Marks>) {
    let mut settings: Vec<Vec<(Window, i64)>> = vec![Vec::new(); pools.len()];
    for (index, op) in all.ops.iter().enumerate() {
        let Ask::SetPools { listing, pools } = &op.ask else { continue };
        let Some(listing) = all.listing(listing) else { continue };
        let done = |other: &usize| matches!(all.ops[*other].answer, Answer::Done);
        let together = all.same_key(index);
        if op.answer.is_refusal() || (op.answer.is_unknown() && together.iter().any(done)) {
            continue;
        }
        // What was told to one request with a key may have been done for an earlier one.
        let begun = together.iter().map(|other| all.windows[*other].lo).min();
        let window = Window { lo: begun.unwrap_or(all.windows[index].lo), hi: all.windows[index].hi };
        for numbers in pools {
            if let Some(pool) = all.pool(listing, &numbers.key) {
                settings[pool].push((window, numbers.capacity - numbers.blocked));
            }
        }
    }
    for (pool, mut settings) in settings.into_iter().enumerate() {
        let initial = all.pools[pool].1;
        settings.push((Window { lo: NEVER, hi: NEVER }, initial.capacity - initial.blocked));
        add_settings(&mut pools[pool], settings);
    }
    for ((listing, _), marks) in customers.iter_mut() {
        let most = all.listings[*listing].max_per_customer.unwrap_or(FOREVER);
        marks.add(ROOM, Side::Least, (NEVER, FOREVER), most);
        marks.add(ROOM, Side::Most, (NEVER, FOREVER), most);
    }
}

/// A setting may be in force from its begin until one that began after its end has ended.
fn add_settings(marks: &mut Marks, mut settings: Vec<(Window, i64)>) {
    settings.sort_unstable_by_key(|(window, _)| window.lo);
    // By begin, the earliest end of those that begin there or later.
    let mut earliest_end = vec![FOREVER; settings.len() + 1];
    for (at, (window, _)) in settings.iter().enumerate().rev() {
        earliest_end[at] = window.hi.min(earliest_end[at + 1]);
    }
    let mut changes: Vec<(i64, i64, i64)> = Vec::new();
    for (window, value) in &settings {
        let after = settings.partition_point(|(other, _)| other.lo <= window.hi);
        let until = earliest_end[after].min(FOREVER);
        changes.push((window.lo, *value, 1));
        changes.push((until + 1, *value, -1));
    }
    changes.sort_unstable_by_key(|(at, ..)| *at);
    let mut in_force: std::collections::BTreeMap<i64, i64> = std::collections::BTreeMap::new();
    let mut at = 0;
    while at < changes.len() {
        let from = changes[at].0;
        while at < changes.len() && changes[at].0 == from {
            *in_force.entry(changes[at].1).or_default() += changes[at].2;
            at += 1;
        }
        in_force.retain(|_, times| *times > 0);
        let until = changes.get(at).map_or(FOREVER, |change| change.0 - 1);
        let (Some((least, _)), Some((most, _))) = (in_force.first_key_value(), in_force.last_key_value())
        else {
            continue;
        };
        marks.add(ROOM, Side::Least, (from, until), *least);
        marks.add(ROOM, Side::Most, (from, until), *most);
    }
}
