//! The history by booking, pool and key, with every instant on the server's axis: whole milliseconds, the
//! bounds of the clock's offset taken into account. Here also stands what is not believed, and why.

use std::collections::HashMap;

use crate::history::{Coverage, History, LastReading};
use crate::operation::{Answer, Ask, BookingView, Line, Operation, State};
use crate::report::{Report, Rule};
use crate::setting::{Listing, Pool};

/// Later than everything.
pub(crate) const FOREVER: i64 = 1 << 60;
/// Earlier than everything.
pub(crate) const NEVER: i64 = -FOREVER;

/// Milliseconds of the server's clock, both included, in which something happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    pub(crate) lo: i64,
    pub(crate) hi: i64,
}

/// Pools by number with their units, in order, each once.
pub(crate) type Claim = Vec<(usize, i64)>;

/// How a client came to see a booking.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// The first answer to a request that made or changed it.
    Change,
    /// That answer again: it says what once was, not what is.
    Replay,
    /// A reading.
    Reading,
}

/// A booking as somebody saw it.
#[derive(Clone, Debug)]
pub(crate) struct Sight<'h> {
    /// Index of the operation; none for the last reading.
    pub(crate) op: Option<usize>,
    pub(crate) view: &'h BookingView,
    pub(crate) by: By,
    pub(crate) window: Window,
    pub(crate) started_us: i64,
    pub(crate) ended_us: i64,
}

/// What is known of the effect of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    /// None.
    Nothing,
    /// It may have happened, at any time from the start.
    Unknown,
    /// It was answered with this version of the booking, if not to this request then to another with its key.
    Version(u64),
}

/// What is known of a booking.
#[derive(Debug, Default)]
pub(crate) struct Booked<'h> {
    pub(crate) id: &'h str,
    /// In order of versions, then of ends.
    pub(crate) sights: Vec<Sight<'h>>,
    /// Operations that changed it or may have.
    pub(crate) changes: Vec<usize>,
    /// Operations that were answered with its creation.
    pub(crate) creations: Vec<usize>,
}

/// The history, ready to be looked at.
pub(crate) struct Prepared<'h> {
    pub(crate) listings: &'h [Listing],
    pub(crate) ops: &'h [Operation],
    pub(crate) windows: Vec<Window>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) pools: Vec<(usize, &'h Pool)>,
    pub(crate) bookings: Vec<Booked<'h>>,
    pub(crate) keys: Vec<Vec<usize>>,
    pub(crate) last: Option<&'h LastReading>,
    pub(crate) slack: i64,
    pub(crate) lag: i64,
    /// By operation, which of `keys` it belongs to.
    group_of: Vec<Option<usize>>,
    offsets: (i64, i64),
    listing_nos: HashMap<&'h str, usize>,
    pool_nos: HashMap<(usize, &'h str), usize>,
    booking_nos: HashMap<&'h str, usize>,
}

impl<'h> Prepared<'h> {
    pub(crate) fn new(history: &'h History, report: &mut Report) -> Self {
        let clock = history.setting.clock;
        let slack = clock.slack_ms.max(0);
        let mut this = Self {
            listings: &history.setting.listings,
            ops: &history.operations,
            windows: Vec::with_capacity(history.operations.len()),
            effects: Vec::new(),
            pools: Vec::new(),
            bookings: Vec::new(),
            keys: Vec::new(),
            group_of: vec![None; history.operations.len()],
            last: history.last.as_ref(),
            slack,
            lag: history.setting.availability_lag_ms.max(0),
            offsets: (clock.offset_low_ms - slack, clock.offset_high_ms + slack),
            listing_nos: HashMap::new(),
            pool_nos: HashMap::new(),
            booking_nos: HashMap::new(),
        };
        this.place_listings(report);
        this.place_operations(report);
        this.group_keys();
        this.collect_sights(report);
        this.drop_doubtful();
        this
    }

    pub(crate) fn window(&self, started_us: i64, ended_us: Option<i64>) -> Window {
        let lo = started_us.div_euclid(1000) + self.offsets.0;
        let hi = ended_us.map_or(FOREVER, |at| at.div_euclid(1000) + self.offsets.1);
        Window { lo, hi }
    }

    pub(crate) fn listing(&self, id: &str) -> Option<usize> {
        self.listing_nos.get(id).copied()
    }

    pub(crate) fn pool(&self, listing: usize, key: &str) -> Option<usize> {
        self.pool_nos.get(&(listing, key)).copied()
    }

    pub(crate) fn booking(&self, id: &str) -> Option<&Booked<'h>> {
        self.booking_nos.get(id).map(|no| &self.bookings[*no])
    }

    /// The number of the booking in `bookings`.
    pub(crate) fn booking_no(&self, id: &str) -> Option<usize> {
        self.booking_nos.get(id).copied()
    }

    /// The operations of the same kind with the same key, itself included; none for one without a key.
    pub(crate) fn same_key(&self, index: usize) -> &[usize] {
        self.group_of[index].map_or(&[], |no| &self.keys[no])
    }

    /// Lines with pools by number, in order, each pool once. None if a pool is not in the setting.
    pub(crate) fn claim(&self, listing: &str, lines: &[Line]) -> Option<Claim> {
        let listing = self.listing(listing)?;
        let mut claim = Claim::with_capacity(lines.len());
        for line in lines {
            claim.push((self.pool(listing, &line.pool)?, line.quantity));
        }
        claim.sort_unstable();
        claim.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        Some(claim)
    }

    /// `lst_1/standard`, for people.
    pub(crate) fn pool_name(&self, pool: usize) -> String {
        let (listing, pool) = self.pools[pool];
        format!("{}/{}", self.listings[listing].id, pool.key)
    }

    /// Whether the last reading would show every booking.
    pub(crate) fn is_complete(&self) -> bool {
        self.last.is_some_and(|last| last.coverage == Coverage::All)
    }

    fn place_listings(&mut self, report: &mut Report) {
        for (no, listing) in self.listings.iter().enumerate() {
            if self.listing_nos.insert(&listing.id, no).is_some() {
                report.violate(
                    Rule::Recording,
                    [],
                    [],
                    format!("listing {} stands twice in the setting", listing.id),
                );
            }
            for pool in &listing.pools {
                self.pool_nos.insert((no, &pool.key), self.pools.len());
                self.pools.push((no, pool));
            }
        }
    }

    fn place_operations(&mut self, report: &mut Report) {
        report.count(Rule::Recording, self.ops.len());
        let mut ids: Vec<u64> = self.ops.iter().map(|op| op.id).collect();
        ids.sort_unstable();
        for twice in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
            report.violate(Rule::Recording, [twice[0]], [], format!("operation {} stands twice", twice[0]));
        }
        for op in self.ops {
            let ended = if op.answer.is_unknown() { None } else { op.ended_us };
            let window = self.window(op.started_us, ended);
            self.windows.push(window);
            self.effects.push(if op.answer.is_refusal() { Effect::Nothing } else { Effect::Unknown });
            let broken = match &op.ask {
                _ if op.ended_us.is_some_and(|end| end < op.started_us) => Some("ends before it begins"),
                _ if op.ended_us.is_none() && !op.answer.is_unknown() => Some("has an answer but no end"),
                Ask::Create { listing, lines, .. } if self.claim(listing, lines).is_none() => {
                    Some("names a listing or pool that the setting does not have")
                }
                Ask::Availability { listing } if self.listing(listing).is_none() => {
                    Some("names a listing that the setting does not have")
                }
                Ask::SetPools { listing, pools } => match self.listing(listing) {
                    Some(no) if pools.iter().all(|pool| self.pool(no, &pool.key).is_some()) => None,
                    _ => Some("names a listing or pool that the setting does not have"),
                },
                _ => None,
            };
            if let Some(broken) = broken {
                report.violate(Rule::Recording, [op.id], [], format!("operation {} {broken}", op.id));
            }
            let seen = &mut report.seen;
            seen.operations += 1;
            match &op.answer {
                answer if answer.is_unknown() => seen.unknown += 1,
                Answer::Refused { .. } => seen.refused += 1,
                Answer::Booking { replayed: true, .. } => seen.replayed += 1,
                Answer::Booking { .. } if !matches!(op.ask, Ask::Read { .. }) => seen.acknowledged += 1,
                Answer::Availability { .. } => seen.availability += 1,
                _ => {}
            }
        }
    }

    /// Requests with the same key are one request: what one of them was told is the effect of them all.
    fn group_keys(&mut self) {
        let mut groups: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (index, op) in self.ops.iter().enumerate() {
            if let Answer::Booking { booking, .. } = &op.answer {
                self.effects[index] = Effect::Version(booking.version);
            }
            if let Some(key) = &op.key {
                groups.entry((op.ask.kind(), key)).or_default().push(index);
            }
        }
        self.keys = groups.into_values().collect();
        self.keys.sort_unstable();
        for (no, group) in self.keys.iter().enumerate() {
            for index in group {
                self.group_of[*index] = Some(no);
            }
            let known = group.iter().find_map(|index| match self.effects[*index] {
                Effect::Version(version) => Some((version, *index)),
                _ => None,
            });
            if let Some((version, told)) = known {
                for index in group {
                    if self.effects[*index] == Effect::Unknown && self.ops[*index].ask == self.ops[told].ask {
                        self.effects[*index] = Effect::Version(version);
                    }
                }
            }
        }
    }

    fn booked(&mut self, id: &'h str) -> &mut Booked<'h> {
        let no = *self.booking_nos.entry(id).or_insert_with(|| {
            self.bookings.push(Booked { id, ..Booked::default() });
            self.bookings.len() - 1
        });
        &mut self.bookings[no]
    }

    fn collect_sights(&mut self, report: &mut Report) {
        for (index, op) in self.ops.iter().enumerate() {
            if op.ask.changes_booking()
                && self.effects[index] != Effect::Nothing
                && let Some(id) = op.ask.booking()
            {
                self.booked(id).changes.push(index);
            }
            let Answer::Booking { booking: view, replayed } = &op.answer else { continue };
            let by = match &op.ask {
                Ask::Read { .. } => By::Reading,
                _ if *replayed => By::Replay,
                _ => By::Change,
            };
            let sight = Sight {
                op: Some(index),
                view,
                by,
                window: self.windows[index],
                started_us: op.started_us,
                ended_us: op.ended_us.unwrap_or(i64::MAX),
            };
            if matches!(op.ask, Ask::Create { .. }) {
                self.booked(&view.id).creations.push(index);
            }
            self.add_sight(sight, report);
        }
        if let Some(last) = self.last {
            let window = self.window(last.started_us, Some(last.ended_us));
            for view in &last.bookings {
                let (started_us, ended_us) = (last.started_us, last.ended_us);
                self.add_sight(
                    Sight { op: None, view, by: By::Reading, window, started_us, ended_us },
                    report,
                );
            }
            report.seen.bookings_at_last = last.bookings.len() as u64;
        }
        for booked in &mut self.bookings {
            booked.sights.sort_by_key(|sight| (sight.view.version, sight.ended_us));
            report.seen.bookings += u64::from(!booked.sights.is_empty());
        }
    }

    fn add_sight(&mut self, sight: Sight<'h>, report: &mut Report) {
        if self.claim(&sight.view.listing, &sight.view.lines).is_none() {
            report.violate(
                Rule::Recording,
                sight.op.map(|op| self.ops[op].id),
                [sight.view.id.clone()],
                format!("booking {} names a listing or pool that the setting does not have", sight.view.id),
            );
            return;
        }
        self.booked(&sight.view.id).sights.push(sight);
    }

    /// A reading shows a hold as lapsed from its deadline on, also while a change that was decided right
    /// before the deadline is not committed yet; then the next reading shows the change. So a lapse that was
    /// only read, beside a change that was under way, does not stand against what was seen instead.
    fn drop_doubtful(&mut self) {
        let (ops, effects, slack) = (self.ops, &self.effects, self.slack);
        for booked in &mut self.bookings {
            let Some(newest) = booked.sights.last() else { continue };
            let newest = newest.view.version;
            let lapsed = |sight: &Sight<'_>| {
                sight.by == By::Reading && matches!(sight.view.state, State::Expired | State::Completed)
            };
            if (booked.changes.is_empty() && slack == 0) || !booked.sights.iter().any(lapsed) {
                continue;
            }
            let doubtful = |sight: &Sight<'_>| {
                let contradicted = sight.view.version < newest
                    || booked
                        .sights
                        .iter()
                        .any(|other| other.view.version == newest && !same_content(other.view, sight.view));
                let beside = |index: &usize| {
                    let op = &ops[*index];
                    let open = op.answer.is_unknown() || effects[*index] == Effect::Unknown;
                    let ends = if open { i64::MAX } else { op.ended_us.unwrap_or(i64::MAX) };
                    op.started_us <= sight.ended_us && ends >= sight.started_us
                };
                lapsed(sight) && contradicted && (slack > 0 || booked.changes.iter().any(beside))
            };
            let keep: Vec<bool> = booked.sights.iter().map(|sight| !doubtful(sight)).collect();
            let mut keep = keep.into_iter();
            booked.sights.retain(|_| keep.next().unwrap_or(true));
        }
    }
}

/// Whether two views of one version are the same: everything but the order of lines and, where time alone
/// does not change the state any more, the instant of the next change, which follows the listing's times.
pub(crate) fn same_content(a: &BookingView, b: &BookingView) -> bool {
    let sums = |view: &BookingView| {
        let mut lines = view.lines.clone();
        lines.sort_unstable();
        lines
    };
    a.state == b.state
        && (a.total, a.paid, a.refund_due, a.refunded) == (b.total, b.paid, b.refund_due, b.refunded)
        && (a.created_at_ms, a.decided_at_ms) == (b.created_at_ms, b.decided_at_ms)
        && (!a.state.holds() || a.due_at_ms == b.due_at_ms)
        && (&a.listing, &a.customer) == (&b.listing, &b.customer)
        && (a.lines == b.lines || sums(a) == sums(b))
}
