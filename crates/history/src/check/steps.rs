//! From version to version: only steps that there are, each asked for or made by time; deadlines; stamps.

use super::life::{Life, Stage, deadline, lapsed, stamp};
use super::name;
use super::prepare::{Booked, By, Effect, Prepared};
use crate::operation::{Ask, BookingView, State};
use crate::report::{Report, Rule};
use crate::setting::LAPSE_LATENESS_MS;

pub(crate) fn check(all: &Prepared<'_>, lives: &[Life<'_>], report: &mut Report) {
    for (booked, life) in all.bookings.iter().zip(lives) {
        check_creation(all, booked, report);
        check_sights(all, booked, report);
        for pair in life.stages.windows(2) {
            check_step(all, booked, &pair[0], &pair[1], report);
        }
        check_count(all, booked, life, report);
    }
    check_lapse_events(all, lives, report);
}

fn broken(
    all: &Prepared<'_>,
    report: &mut Report,
    rule: Rule,
    ops: &[Option<usize>],
    id: &str,
    detail: String,
) {
    let ops: Vec<u64> = ops.iter().flatten().map(|op| all.ops[*op].id).collect();
    report.violate(rule, ops, [id.to_owned()], detail);
}

/// The states that one change, or time, leads to. From each, a change may also leave the state as it is.
fn leads_to(state: State) -> &'static [State] {
    use State::{Cancelled, Completed, Confirmed, Expired, Held, InReview, Rejected};
    match state {
        Held => &[InReview, Confirmed, Expired, Cancelled],
        InReview => &[Confirmed, Expired, Rejected, Cancelled],
        Confirmed => &[Completed, Cancelled],
        Expired => &[InReview, Confirmed],
        Rejected => &[InReview],
        Completed | Cancelled => &[],
    }
}

fn is_reachable(from: State, to: State, steps: u64) -> bool {
    from == to || (steps > 0 && leads_to(from).iter().any(|next| is_reachable(*next, to, steps.min(6) - 1)))
}

/// Changes that can have made a version after `after`, up to `upto`, that was seen by `seen_by`.
fn makers(all: &Prepared<'_>, booked: &Booked<'_>, after: u64, seen_by: i64) -> Vec<usize> {
    let can = |index: &usize| {
        let made = match all.effects[*index] {
            Effect::Nothing => false,
            Effect::Unknown => true,
            Effect::Version(made) => made > after,
        };
        made && all.windows[*index].lo <= seen_by
    };
    booked.changes.iter().copied().filter(can).collect()
}

fn check_step(
    all: &Prepared<'_>,
    booked: &Booked<'_>,
    from: &Stage<'_>,
    to: &Stage<'_>,
    report: &mut Report,
) {
    let steps = to.view.version - from.view.version;
    let (before, after) = (from.view, to.view);
    let ops = [from.op, to.op];
    report.count(Rule::PossibleSteps, 1);
    let between = format!(
        "{}: version {} was {:?} to {}, version {} is {:?} to {}",
        booked.id,
        before.version,
        before.state,
        name(all, from.op),
        after.version,
        after.state,
        name(all, to.op)
    );
    if !is_reachable(before.state, after.state, steps) {
        let detail = format!("{between}; no {steps} steps lead there");
        broken(all, report, Rule::PossibleSteps, &ops, booked.id, detail);
    }
    if before.created_at_ms != after.created_at_ms || before.customer != after.customer {
        let detail = format!("{between}; but it was created at another instant, or for another customer");
        broken(all, report, Rule::PossibleSteps, &ops, booked.id, detail);
    }
    let makers = makers(all, booked, before.version, to.seen_by);
    let asked = |fits: fn(&Ask) -> bool| makers.iter().any(|index| fits(&all.ops[*index].ask));
    let other = |ask: &Ask| matches!(ask, Ask::Other { .. });
    let missing = match after.state {
        State::Confirmed if before.state != State::Confirmed => {
            !asked(|ask| matches!(ask, Ask::Confirm { .. } | Ask::Reschedule { .. } | Ask::Other { .. }))
        }
        State::Cancelled if before.state != State::Cancelled => {
            !asked(|ask| matches!(ask, Ask::Cancel { .. } | Ask::Other { .. }))
        }
        State::InReview | State::Rejected if before.state != after.state => !asked(other),
        state if state == before.state => makers.is_empty(),
        _ => false,
    };
    let moved =
        from.claim != to.claim && !asked(|ask| matches!(ask, Ask::Reschedule { .. } | Ask::Other { .. }));
    if missing || moved {
        let what = if moved { "nobody had asked to move it" } else { "nobody had asked for that" };
        broken(all, report, Rule::PossibleSteps, &ops, booked.id, format!("{between}; {what}"));
    }
    if from.meets_next {
        check_deadline(all, booked, from, to, report);
        check_stamp(all, booked, (from, to), &makers, report);
    }
}

/// The next version of a hold: its lapse not before the deadline, anything else not after it.
fn check_deadline(
    all: &Prepared<'_>,
    booked: &Booked<'_>,
    from: &Stage<'_>,
    to: &Stage<'_>,
    report: &mut Report,
) {
    let Some(due) = deadline(from.view) else { return };
    report.count(Rule::Deadlines, 1);
    let ops = [from.op, to.op];
    let (rule, version) = (Rule::Deadlines, to.view.version);
    if lapsed(from.view, to.view) {
        let early = booked.sights.iter().filter(|s| s.view.version == version).find(|s| s.window.hi < due);
        if let Some(early) = early {
            let detail = format!(
                "the hold of {} lasts until {due}, but {} was told that it had lapsed, at {} or before",
                booked.id,
                name(all, early.op),
                early.window.hi
            );
            broken(all, report, rule, &[from.op, early.op], booked.id, detail);
        }
        return;
    }
    let decided = stamp(from.view, to.view).map_or(to.born.0, |at| at - all.slack);
    if decided >= due {
        let detail = format!(
            "the hold of {} (version {}, told to {}) lapsed at {due}, but version {version}, decided at {decided} or later, is {:?} to {} without a lapse in between",
            booked.id,
            from.view.version,
            name(all, from.op),
            to.view.state,
            name(all, to.op)
        );
        broken(all, report, rule, &ops, booked.id, detail);
    }
    for sight in booked.sights.iter().filter(|sight| sight.view.version == version && sight.by != By::Reading)
    {
        let Some(Ask::Extend { seconds, .. }) = sight.op.map(|op| &all.ops[op].ask) else { continue };
        if sight.view.due_at_ms != Some(due + seconds * 1000) {
            let detail = format!(
                "the hold of {} until {due} was extended by {seconds} s, and then lasts until {:?}",
                booked.id, sight.view.due_at_ms
            );
            broken(all, report, rule, &[from.op, sight.op], booked.id, detail);
        }
    }
}

/// A stamp lies after the first request that can have made it began, and before anybody was told of it.
fn check_stamp(
    all: &Prepared<'_>,
    booked: &Booked<'_>,
    (from, to): (&Stage<'_>, &Stage<'_>),
    makers: &[usize],
    report: &mut Report,
) {
    let Some(at) = stamp(from.view, to.view) else { return };
    report.count(Rule::Stamps, 1);
    let begun = makers.iter().map(|index| all.windows[*index].lo).min().unwrap_or(at);
    let told = booked.sights.iter().filter(|sight| sight.view.version >= to.view.version);
    let told = told.min_by_key(|sight| sight.window.hi);
    let (told_by, told_at) = told.map_or((None, at), |sight| (sight.op, sight.window.hi));
    if at < begun || at > told_at {
        let detail = format!(
            "version {} of {} says that it was decided at {at}, but it was asked for at {begun} at the earliest and told to {} at {told_at} at the latest",
            to.view.version,
            booked.id,
            name(all, told_by)
        );
        broken(all, report, Rule::Stamps, &[to.op, told_by], booked.id, detail);
    }
}

fn check_creation(all: &Prepared<'_>, booked: &Booked<'_>, report: &mut Report) {
    let Some(first) = booked.sights.iter().min_by_key(|sight| sight.window.hi) else { return };
    let created = first.view.created_at_ms;
    report.count(Rule::Stamps, 1);
    let asked = booked.creations.iter().flat_map(|index| {
        std::iter::once(index)
            .chain(all.same_key(*index).iter().filter(|other| all.effects[**other] != Effect::Nothing))
    });
    let begun = asked.map(|index| all.windows[*index].lo).min().unwrap_or(created);
    if created < begun || created > first.window.hi {
        let detail = format!(
            "{} says that it was created at {created}, but it was asked for at {begun} at the earliest and told to {} at {} at the latest",
            booked.id,
            name(all, first.op),
            first.window.hi
        );
        broken(all, report, Rule::Stamps, &[first.op], booked.id, detail);
    }
}

/// Nobody is shown a hold after its deadline, and deadlines are as the listing promises.
fn check_sights(all: &Prepared<'_>, booked: &Booked<'_>, report: &mut Report) {
    for sight in &booked.sights {
        let view = sight.view;
        let Some(due) = deadline(view) else { continue };
        report.count(Rule::Deadlines, 1);
        if sight.by != By::Replay && sight.window.lo >= due {
            let detail = format!(
                "the hold of {} lapsed at {due}, but {}, which began at {} or later, was told that it is {:?}",
                booked.id,
                name(all, sight.op),
                sight.window.lo,
                view.state
            );
            broken(all, report, Rule::Deadlines, &[sight.op], booked.id, detail);
        }
        check_promise(all, view, sight.op, report);
    }
}

fn check_promise(all: &Prepared<'_>, view: &BookingView, op: Option<usize>, report: &mut Report) {
    let Some(listing) = all.listing(&view.listing).map(|no| &all.listings[no]) else { return };
    let (Some(due), State::Held) = (view.due_at_ms, view.state) else { return };
    let lasts = due - view.created_at_ms;
    let wrong = match (view.version, listing.hold_seconds, listing.hold_max_seconds) {
        (1, Some(seconds), _) if lasts != seconds * 1000 => format!("{seconds} s"),
        (2.., _, Some(most)) if lasts > most * 1000 => format!("{most} s at most"),
        _ => return,
    };
    let detail =
        format!("version {} of {} is held for {lasts} ms; promised are {wrong}", view.version, view.id);
    broken(all, report, Rule::Deadlines, &[op], &view.id, detail);
}

/// Every version but the first was asked for or made by time; each request makes one, and time one after each
/// at most.
fn check_count(all: &Prepared<'_>, booked: &Booked<'_>, life: &Life<'_>, report: &mut Report) {
    let Some(newest) = life.stages.last() else { return };
    let mut makers = makers(all, booked, 1, newest.seen_by);
    makers.sort_by_key(|index| all.same_key(*index).first().copied().unwrap_or(*index));
    makers.dedup_by_key(|index| all.same_key(*index).first().copied().unwrap_or(*index));
    report.count(Rule::PossibleSteps, 1);
    let most = 2 + 2 * makers.len() as u64;
    if newest.view.version > most {
        let detail = format!(
            "{} is at version {} to {}, but {} changes were asked for, which make {most} at most",
            booked.id,
            newest.view.version,
            name(all, newest.op),
            makers.len()
        );
        broken(all, report, Rule::PossibleSteps, &[newest.op], booked.id, detail);
    }
}

fn check_lapse_events(all: &Prepared<'_>, lives: &[Life<'_>], report: &mut Report) {
    for lapse in all.last.iter().flat_map(|last| &last.lapses) {
        let Some(no) = all.booking_no(&lapse.booking) else { continue };
        let before = lives[no].stages.iter().find(|stage| stage.view.version + 1 == lapse.version);
        let Some(due) = before.and_then(|stage| deadline(stage.view)) else { continue };
        report.count(Rule::Deadlines, 1);
        let late = lapse.at_ms - due;
        if !(-all.slack..LAPSE_LATENESS_MS + all.slack).contains(&late) {
            let detail = format!(
                "the hold of {} lapsed at {due}, but its event is of {}, {late} ms later; allowed are 0 to {LAPSE_LATENESS_MS}",
                lapse.booking, lapse.at_ms
            );
            broken(all, report, Rule::Deadlines, &[], &lapse.booking, detail);
        }
    }
}
