//! Versions of a booking never go back in time, and each has one content.

use super::name;
use super::prepare::{By, Prepared, Sight, same_content};
use crate::report::{Report, Rule};

pub(crate) fn check(all: &Prepared<'_>, report: &mut Report) {
    for booked in &all.bookings {
        check_order(all, &booked.sights, report);
        for same in booked.sights.chunk_by(|a, b| a.view.version == b.view.version) {
            report.count(Rule::OneContentPerVersion, same.len() - 1);
            for other in &same[1..] {
                if !same_content(same[0].view, other.view) {
                    let (one, two) = (&same[0], other);
                    let detail = format!(
                        "version {} of {} is {} to {}, and {} to {}",
                        one.view.version,
                        booked.id,
                        told(one),
                        name(all, one.op),
                        told(two),
                        name(all, two.op)
                    );
                    report.violate(
                        Rule::OneContentPerVersion,
                        ids(all, [one, two]),
                        [booked.id.to_owned()],
                        detail,
                    );
                    break;
                }
            }
        }
    }
}

/// An answer that is told again says what once was: it shows that the version had been there, not that it
/// still was.
fn check_order(all: &Prepared<'_>, sights: &[Sight<'_>], report: &mut Report) {
    if sights.len() < 2 {
        return;
    }
    let mut by_end: Vec<&Sight<'_>> = sights.iter().collect();
    by_end.sort_by_key(|sight| sight.ended_us);
    let mut by_start: Vec<&Sight<'_>> = sights.iter().filter(|sight| sight.by != By::Replay).collect();
    by_start.sort_by_key(|sight| sight.started_us);
    report.count(Rule::VersionsGrow, by_start.len());
    let mut newest: Option<&Sight<'_>> = None;
    let mut ended = by_end.into_iter().peekable();
    for later in by_start {
        while let Some(earlier) = ended.next_if(|earlier| earlier.ended_us < later.started_us) {
            if newest.is_none_or(|newest| newest.view.version < earlier.view.version) {
                newest = Some(earlier);
            }
        }
        let Some(earlier) = newest.filter(|newest| newest.view.version > later.view.version) else {
            continue;
        };
        let detail = format!(
            "{} was told version {} of {}, but after it {} was told version {}",
            name(all, earlier.op),
            earlier.view.version,
            later.view.id,
            name(all, later.op),
            later.view.version
        );
        report.violate(Rule::VersionsGrow, ids(all, [earlier, later]), [later.view.id.clone()], detail);
    }
}

fn ids(all: &Prepared<'_>, sights: [&Sight<'_>; 2]) -> Vec<u64> {
    sights.into_iter().filter_map(|sight| sight.op).map(|op| all.ops[op].id).collect()
}

/// What may differ, for people.
fn told(sight: &Sight<'_>) -> String {
    let view = sight.view;
    let lines: Vec<String> =
        view.lines.iter().map(|line| format!("{} of {}", line.quantity, line.pool)).collect();
    let (due, decided) = (view.due_at_ms.unwrap_or(0), view.decided_at_ms.unwrap_or(0));
    format!("{:?} (due at {due}, decided at {decided}, paid {}; {})", view.state, view.paid, lines.join(", "))
}
