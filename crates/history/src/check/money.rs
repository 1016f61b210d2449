//! Each payment counts once, and money is applied, due back, or back: never two of them.

use std::collections::HashMap;

use super::name;
use super::prepare::{Booked, Effect, Prepared};
use crate::operation::{Ask, BookingView, State};
use crate::report::{Report, Rule};

/// What is known of a payment of a booking.
struct Payment {
    least: i64,
    most: i64,
    /// The first version that certainly has it.
    since: Option<u64>,
    /// The earliest begin of a request that tells of it.
    begun: i64,
}

pub(crate) fn check(all: &Prepared<'_>, report: &mut Report) {
    for booked in &all.bookings {
        let payments = payments(all, booked);
        let other = booked.changes.iter().any(|index| matches!(all.ops[*index].ask, Ask::Other { .. }));
        for sight in &booked.sights {
            let view = sight.view;
            report.count(Rule::Money, 1);
            let told_before =
                payments.values().filter(|payment| payment.since.is_some_and(|since| since <= view.version));
            let least: i64 = told_before.map(|payment| payment.least).sum();
            let asked_before = payments.values().filter(|payment| payment.begun <= sight.window.hi);
            let most: i64 = asked_before.map(|payment| payment.most).sum();
            let applied = view.paid - view.refund_due - view.refunded;
            let wrong = if view.paid < 0 || view.refund_due < 0 || view.refunded < 0 || applied < 0 {
                "which does not add up".to_owned()
            } else if view.paid < least {
                format!("but payments of {least} had been told to be taken by that version")
            } else if view.paid > most && !other {
                format!("but distinct payments of {most} at most had been sent by then")
            } else if view.state.sells() && !pays(view, applied) {
                format!("so {applied} pays for a booking of {}", view.total)
            } else if matches!(view.state, State::Expired | State::Rejected | State::Cancelled)
                && applied != 0
            {
                format!("so {applied} still pays for it")
            } else {
                continue;
            };
            let detail = format!(
                "version {} of {} is {:?} to {}, paid {}, refund due {}, refunded {}, {wrong}",
                view.version,
                view.id,
                view.state,
                name(all, sight.op),
                view.paid,
                view.refund_due,
                view.refunded
            );
            report.violate(Rule::Money, sight.op.map(|op| all.ops[op].id), [view.id.clone()], detail);
            break;
        }
    }
}

/// Whether that much may be applied to a sold booking: its price, where somebody decided that it is paid;
/// nothing, where no payment was due.
fn pays(view: &BookingView, applied: i64) -> bool {
    applied == view.total || (applied == 0 && (view.paid == 0 || view.decided_at_ms.is_none()))
}

fn payments<'h>(all: &Prepared<'h>, booked: &Booked<'h>) -> HashMap<&'h str, Payment> {
    let mut payments: HashMap<&str, Payment> = HashMap::new();
    for index in &booked.changes {
        let Ask::Confirm { reference, amount, .. } = &all.ops[*index].ask else { continue };
        let begun = all.windows[*index].lo;
        let new = Payment { least: *amount, most: *amount, since: None, begun };
        let payment = payments.entry(reference).or_insert(new);
        payment.least = payment.least.min(*amount);
        payment.most = payment.most.max(*amount);
        payment.begun = payment.begun.min(begun);
        if let Effect::Version(version) = all.effects[*index] {
            payment.since = Some(payment.since.map_or(version, |since| since.min(version)));
        }
    }
    payments
}
