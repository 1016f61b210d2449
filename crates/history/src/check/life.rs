//! The life of a booking, from the versions that were seen: between which instants each version was true.
//!
//! A version is born at one instant. For the first it is `created_at`; for a lapse it is the deadline; for a
//! decision it is `decided_at`, where that differs from the one before. Otherwise it lies after every change
//! that still found an earlier version began, after the first request that can have made it began, and before
//! anything that saw it ended. (A reading of an earlier version says nothing: what is decided is seen when it
//! is committed, a little later.) Where versions in between were not seen (a change whose answer was lost),
//! anything may have been true there: a gap.

use super::prepare::{Booked, By, Claim, Effect, FOREVER, Prepared, Sight};
use crate::operation::{Ask, BookingView, State};

/// A version that was seen.
#[derive(Debug)]
pub(crate) struct Stage<'h> {
    pub(crate) view: &'h BookingView,
    pub(crate) claim: Claim,
    /// One operation that saw it; none for the last reading.
    pub(crate) op: Option<usize>,
    /// When it was decided: not before, not after.
    pub(crate) born: (i64, i64),
    /// From then on everybody sees it or a later one.
    pub(crate) seen_by: i64,
    /// When the next version was decided, at the earliest.
    pub(crate) ends: i64,
    /// The last instant at which somebody can still decide by it.
    pub(crate) decided_until: i64,
    /// The last instant at which anybody can still be told of it.
    pub(crate) told_until: i64,
    /// Whether the next stage is the next version.
    pub(crate) meets_next: bool,
}

/// Versions that nobody saw: what may have been taken meanwhile.
#[derive(Debug)]
pub(crate) struct Gap {
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) claims: Vec<Claim>,
}

/// A life.
#[derive(Debug, Default)]
pub(crate) struct Life<'h> {
    pub(crate) stages: Vec<Stage<'h>>,
    pub(crate) gaps: Vec<Gap>,
    /// Whether a change whose outcome nobody knows may still give back, take or move its units.
    pub(crate) is_open: bool,
}

/// The deadline of a version that lapses.
pub(crate) fn deadline(view: &BookingView) -> Option<i64> {
    view.due_at_ms.filter(|_| view.state.holds())
}

/// Whether `next`, the version after `view`, is its lapse.
pub(crate) fn lapsed(view: &BookingView, next: &BookingView) -> bool {
    view.state.holds() && next.state == State::Expired
}

/// Whether `next`, the version after `view`, carries its own stamp.
pub(crate) fn stamp(view: &BookingView, next: &BookingView) -> Option<i64> {
    next.decided_at_ms.filter(|at| view.decided_at_ms != Some(*at))
}

impl<'h> Life<'h> {
    pub(crate) fn of(all: &Prepared<'h>, booked: &Booked<'h>) -> Self {
        let mut life = Self::default();
        let groups: Vec<&[Sight<'h>]> =
            booked.sights.chunk_by(|a, b| a.view.version == b.view.version).collect();
        let mut earliest_end = vec![FOREVER; groups.len() + 1];
        for (at, group) in groups.iter().enumerate().rev() {
            let own = group.iter().map(|sight| sight.window.hi).min().unwrap_or(FOREVER);
            earliest_end[at] = own.min(earliest_end[at + 1]);
        }
        let mut still_there = i64::MIN;
        for (at, group) in groups.iter().enumerate() {
            let view = group[0].view;
            let claim = all.claim(&view.listing, &view.lines).unwrap_or_default();
            let seen_by = earliest_end[at];
            let (born, seen_by) = life.birth(all, booked, view, &claim, (still_there, seen_by));
            if let Some(before) = life.stages.last_mut() {
                before.meets_next = before.view.version + 1 == view.version;
                if before.meets_next {
                    before.ends = born.0;
                    let lapses = i64::from(lapsed(before.view, view));
                    before.decided_until = born.1 - lapses;
                    before.told_until = seen_by - lapses;
                }
            }
            let decided = group.iter().filter(|sight| sight.by == By::Change);
            still_there = decided.map(|sight| sight.window.lo).max().unwrap_or(i64::MIN).max(still_there);
            let ends = next_change(all, booked, view, still_there);
            let op = group[0].op;
            life.stages.push(Stage {
                view,
                claim,
                op,
                born,
                seen_by,
                ends,
                decided_until: FOREVER,
                told_until: FOREVER,
                meets_next: false,
            });
        }
        life.close(all, booked);
        life
    }

    /// When a version was born and by when everybody sees it; a gap before it is noted.
    fn birth(
        &mut self,
        all: &Prepared<'h>,
        booked: &Booked<'h>,
        view: &BookingView,
        claim: &Claim,
        (still_there, seen_by): (i64, i64),
    ) -> ((i64, i64), i64) {
        let Some(before) = self.stages.last_mut() else {
            let created = view.created_at_ms;
            if view.version > 1 {
                let claims = possible_claims(all, booked, view, [claim.clone()]);
                self.gaps.push(Gap { from: created, until: seen_by, claims });
                return ((created, seen_by), seen_by);
            }
            return ((created, created), seen_by.max(created));
        };
        if before.view.version + 1 == view.version {
            if let (true, Some(due)) = (lapsed(before.view, view), deadline(before.view)) {
                return ((due, due), due);
            }
            if let Some(at) = stamp(before.view, view) {
                return ((at, at), seen_by.max(at));
            }
            let makers = first_maker(all, booked, before.view.version).unwrap_or(i64::MIN);
            let lo = before.born.0.max(still_there).max(makers);
            return ((lo, seen_by.max(lo)), seen_by.max(lo));
        }
        let from = before.ends;
        (before.decided_until, before.told_until) = (seen_by, seen_by);
        let claims = possible_claims(all, booked, view, [before.claim.clone(), claim.clone()]);
        self.gaps.push(Gap { from, until: seen_by, claims });
        ((from, seen_by.max(from)), seen_by.max(from))
    }

    /// What comes after the last version that was seen: its lapse, or anything if a change may be under way.
    fn close(&mut self, all: &Prepared<'h>, booked: &Booked<'h>) {
        self.is_open = self.may_go_on(all, booked);
        let Some(last) = self.stages.last_mut() else { return };
        let due = deadline(last.view);
        if self.is_open {
            let claims = possible_claims(all, booked, last.view, [last.claim.clone()]);
            self.gaps.push(Gap { from: last.ends, until: FOREVER, claims });
        } else {
            last.ends = due.unwrap_or(FOREVER);
            last.told_until = due.map_or(FOREVER, |due| due - 1);
            last.decided_until = last.told_until;
        }
    }

    /// Whether a change may follow the last version that was seen. Each key makes one version at most; so the
    /// versions that no answered request can have made have used up as many of the unanswered ones.
    fn may_go_on(&self, all: &Prepared<'h>, booked: &Booked<'h>) -> bool {
        let Some(last) = self.stages.last() else { return false };
        let unknown = booked.changes.iter().filter(|index| all.effects[**index] == Effect::Unknown);
        let mut unknown: Vec<usize> =
            unknown.map(|index| all.same_key(*index).first().copied().unwrap_or(*index)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let answered =
            |version| booked.changes.iter().any(|index| all.effects[*index] == Effect::Version(version));
        let used = self.stages.windows(2).filter(|pair| {
            let (before, after) = (pair[0].view, pair[1].view);
            let by_time =
                after.state != before.state && matches!(after.state, State::Expired | State::Completed);
            pair[0].meets_next && !by_time && !answered(after.version)
        });
        if unknown.is_empty() || used.count() >= unknown.len() {
            return false;
        }
        unknown.iter().any(|index| match (last.view.state, &all.ops[*index].ask) {
            (State::Cancelled | State::Completed, _) => false,
            (State::Held | State::InReview, _) | (_, Ask::Other { .. }) => true,
            (State::Confirmed, ask) => matches!(ask, Ask::Cancel { .. } | Ask::Reschedule { .. }),
            (State::Expired, ask) => matches!(ask, Ask::Confirm { .. }),
            (State::Rejected, _) => false,
        })
    }

    /// Whether the booking may have been in `state` at some instant between `lo` and `hi`.
    pub(crate) fn may_be(&self, state: State, lo: i64, hi: i64) -> bool {
        let ends_as = |stage: &Stage<'_>| match (state, stage.meets_next, deadline(stage.view)) {
            // Nobody has to see a lapse for it to be true.
            (State::Expired, false, Some(due)) => due <= hi,
            (State::Completed, _, _) => stage.view.state == State::Confirmed,
            _ => false,
        };
        self.stages.iter().any(|stage| {
            (stage.view.state == state && stage.born.0 <= hi && stage.decided_until >= lo) || ends_as(stage)
        }) || self.gaps.iter().any(|gap| gap.from <= hi && gap.until >= lo)
    }
}

/// The earliest begin of a change that may have made a version after `version`.
fn first_maker(all: &Prepared<'_>, booked: &Booked<'_>, version: u64) -> Option<i64> {
    let later = booked.changes.iter().filter(|index| match all.effects[**index] {
        Effect::Nothing => false,
        Effect::Unknown => true,
        Effect::Version(made) => made > version,
    });
    later.map(|index| all.windows[*index].lo).min()
}

/// The earliest instant at which a version can have been followed by another.
fn next_change(all: &Prepared<'_>, booked: &Booked<'_>, view: &BookingView, still_there: i64) -> i64 {
    let due = deadline(view).unwrap_or(FOREVER);
    let change = first_maker(all, booked, view.version).unwrap_or(FOREVER);
    due.min(change).max(still_there)
}

/// What may be claimed while nobody looks: what was seen before and after, and what somebody asked to move it
/// to.
fn possible_claims(
    all: &Prepared<'_>,
    booked: &Booked<'_>,
    view: &BookingView,
    seen: impl IntoIterator<Item = Claim>,
) -> Vec<Claim> {
    let asked = booked.changes.iter().filter_map(|index| match &all.ops[*index].ask {
        Ask::Reschedule { lines, .. } => all.claim(&view.listing, lines),
        _ => None,
    });
    let mut claims: Vec<Claim> = seen.into_iter().chain(asked).collect();
    claims.sort_unstable();
    claims.dedup();
    claims
}
