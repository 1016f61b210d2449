//! What was acknowledged is there; what is there was asked for.
//!
//! A booking whose creation nobody was told must come from a request with an unknown outcome, each request
//! (or key) making one at most. Which from which is a matching: requests with the same customer and lines are
//! alike but for their begin, and a booking fits every request that began before it was created, so giving
//! the bookings in order of creation the earliest request decides it.

use std::collections::{HashMap, HashSet};

use super::prepare::{Booked, Claim, Effect, Prepared};
use crate::operation::{Answer, Ask};
use crate::report::{Report, Rule};

/// Requests and bookings that may belong together: listing, customer, and the lines where they are known.
type Alike<'h> = (&'h str, Option<&'h str>, Option<Claim>);

pub(crate) fn check(all: &Prepared<'_>, report: &mut Report) {
    check_lost(all, report);
    check_unasked(all, report);
}

fn check_lost(all: &Prepared<'_>, report: &mut Report) {
    let shown: HashSet<&str> =
        all.last.iter().flat_map(|last| &last.bookings).map(|view| view.id.as_str()).collect();
    for booked in &all.bookings {
        let Some(seen) = booked.sights.iter().filter(|sight| sight.op.is_some()).min_by_key(|s| s.ended_us)
        else {
            continue;
        };
        let by = seen.op.map(|op| all.ops[op].id);
        if all.is_complete() {
            report.count(Rule::NothingLost, 1);
            if !shown.contains(booked.id) {
                let detail = format!(
                    "{} was told to operation {}, but the last reading does not have it",
                    booked.id,
                    by.unwrap_or(0)
                );
                report.violate(Rule::NothingLost, by, [booked.id.to_owned()], detail);
            }
        }
    }
    for op in all.ops {
        let Answer::Refused { code, .. } = &op.answer else { continue };
        let Some(booked) = op.ask.booking().and_then(|id| all.booking(id)) else { continue };
        if code == "not_found" {
            report.count(Rule::NothingLost, 1);
            if let Some(before) = booked.sights.iter().find(|sight| sight.ended_us < op.started_us) {
                let detail =
                    format!("operation {} found no {}, which had been told before", op.id, booked.id);
                let by = before.op.map(|before| all.ops[before].id);
                report.violate(
                    Rule::NothingLost,
                    by.into_iter().chain([op.id]),
                    [booked.id.to_owned()],
                    detail,
                );
            }
        }
    }
    if let Some(last) = all.last {
        let mut ids: Vec<&str> = last.bookings.iter().map(|view| view.id.as_str()).collect();
        ids.sort_unstable();
        for twice in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
            let detail = format!("the last reading shows {} twice", twice[0]);
            report.violate(Rule::NothingUnasked, [], [twice[0].to_owned()], detail);
        }
    }
}

fn check_unasked(all: &Prepared<'_>, report: &mut Report) {
    let unexplained: Vec<&Booked<'_>> = all
        .bookings
        .iter()
        .filter(|booked| !booked.sights.is_empty() && booked.creations.is_empty())
        .collect();
    let seen = all.bookings.iter().filter(|booked| !booked.sights.is_empty()).count();
    report.count(Rule::NothingUnasked, seen);
    // Where lines may have changed since the creation, they tell nothing about it.
    let mut moved: HashMap<(&str, Option<&str>), bool> = HashMap::new();
    for booked in &unexplained {
        let view = booked.sights[0].view;
        *moved.entry((&view.listing, view.customer.as_deref())).or_default() |= !booked.changes.is_empty();
    }
    let alike = |listing, customer, claim: Option<Claim>| -> Alike<'_> {
        let told = !moved.get(&(listing, customer)).copied().unwrap_or(false);
        (listing, customer, claim.filter(|_| told))
    };
    let mut requests: HashMap<Alike<'_>, Vec<(i64, u64)>> = HashMap::new();
    for (index, op) in all.ops.iter().enumerate() {
        let Ask::Create { listing, customer, lines } = &op.ask else { continue };
        let together = all.same_key(index);
        let earliest = together
            .iter()
            .filter(|other| all.effects[**other] == Effect::Unknown && all.ops[**other].ask == op.ask)
            .min_by_key(|other| all.ops[**other].started_us);
        if all.effects[index] == Effect::Unknown && earliest.is_none_or(|first| *first == index) {
            let of = alike(listing.as_str(), customer.as_deref(), all.claim(listing, lines));
            requests.entry(of).or_default().push((all.windows[index].lo, op.id));
        }
    }
    let mut bookings: HashMap<Alike<'_>, Vec<&Booked<'_>>> = HashMap::new();
    for booked in unexplained {
        let view = booked.sights[0].view;
        let of = alike(&view.listing, view.customer.as_deref(), all.claim(&view.listing, &view.lines));
        bookings.entry(of).or_default().push(booked);
    }
    let mut groups: Vec<_> = bookings.into_iter().collect();
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    for (of, mut bookings) in groups {
        bookings.sort_by_key(|booked| booked.sights[0].view.created_at_ms);
        let mut free = requests.remove(&of).unwrap_or_default();
        free.sort_unstable();
        for (at, booked) in bookings.iter().enumerate() {
            let created = booked.sights[0].view.created_at_ms;
            if free.get(at).is_some_and(|(begun, _)| *begun <= created) {
                continue;
            }
            let could: Vec<u64> = free.iter().take(at).map(|(_, id)| *id).collect();
            let detail = format!(
                "{} of customer {} in {}, created at {created}, was asked for by nobody: of the {} requests with an unknown outcome and the same lines that had begun, each made another booking",
                booked.id,
                of.1.unwrap_or("(none)"),
                of.0,
                could.len()
            );
            report.violate(
                Rule::NothingUnasked,
                could,
                bookings.iter().take(at + 1).map(|b| b.id.to_owned()),
                detail,
            );
            break;
        }
    }
}
