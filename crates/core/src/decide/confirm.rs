//! Money came in.

use super::booking::{Subject, Transition, check_seen, sign, wrong_state};
use super::readmit::readmit;
use crate::admission::AdmissionKind;
use crate::booking::{Booking, MAX_PAYMENTS, Payment, State};
use crate::command::{Command, MoneyIn};
use crate::event::EventKind;
use crate::refusal::{Code, Refusal};
use crate::settle::REASON_LATE_PAYMENT;
use crate::time::Time;
use crate::world::World;

/// `422 invalid` for money of another currency, unless that payment is known.
pub(super) fn check(subject: &Subject, money: &MoneyIn) -> Result<(), Refusal> {
    let wanted = &subject.listing.doc.currency;
    if money.currency == *wanted || is_known(&subject.row, money) {
        return Ok(());
    }
    Err(Refusal::field("payment.currency", format!("must be {wanted}, the currency of the booking")))
}

/// Whether that payment was told before. Only its reference counts: what a repetition says of the amount changes
/// nothing.
fn is_known(row: &Booking, money: &MoneyIn) -> bool {
    row.details.payments.iter().any(|payment| payment.reference == money.reference)
}

pub(super) fn decide(
    world: &World,
    command: &Command,
    subject: &Subject,
    money: &MoneyIn,
) -> Result<Transition, Refusal> {
    let old = &subject.row;
    // The same payment told twice changes nothing, whatever has become of the booking since.
    if is_known(old, money) {
        return Ok(Transition::nothing(old.clone()));
    }
    if old.details.payments.len() >= MAX_PAYMENTS {
        return Err(Refusal::field("payment", format!("is one too many: a booking takes {MAX_PAYMENTS}")));
    }
    let late = old.state == State::Expired;
    let settled_late = late && old.reason.as_deref() == Some(REASON_LATE_PAYMENT);
    let open = old.state.holds() || (late && !settled_late);
    // A late receipt that found nothing left stands for the whole price too.
    let missing = missing(old);
    if (open || (settled_late && old.paid == 0)) && money.amount != missing {
        let text = format!("must be {missing}, what is missing of the total");
        return Err(Refusal::field("payment.amount", text));
    }
    check_seen(command, subject)?;
    // Money that pays for nothing goes back.
    if !open {
        let mut row = received(old, money, world.now);
        row.refund_due += money.amount;
        return Ok(Transition::new(row, &[EventKind::BookingLatePayment]));
    }
    let mut row = received(old, money, world.now);
    if late {
        match readmit(world, subject, AdmissionKind::Sale) {
            Ok(()) => {}
            Err(refusal) if gone(&refusal) => {
                row.refund_due += money.amount;
                row.reason = Some(REASON_LATE_PAYMENT.to_owned());
                return Ok(Transition::new(row, &[EventKind::BookingLatePayment]));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    row.state = State::Confirmed;
    row.deadline = None;
    row.reason = None;
    sign(&mut row, command, world.now);
    Ok(if late {
        Transition::new(row, &[EventKind::BookingLatePayment, EventKind::BookingConfirmed])
    } else {
        Transition::new(row, &[EventKind::BookingConfirmed])
    })
}

/// What has to be paid still, in minor units.
pub(super) const fn missing(row: &Booking) -> i64 {
    row.total - row.applied()
}

/// A hold for which nothing has to be paid, as a waiting customer is offered one, is taken up.
pub(super) fn accept(world: &World, command: &Command, subject: &Subject) -> Result<Transition, Refusal> {
    let old = &subject.row;
    if !old.state.holds() {
        return Err(wrong_state(old, "only a booking that is held can be taken up"));
    }
    let missing = missing(old);
    if missing > 0 {
        return Err(Refusal::field("payment", format!("is needed: {missing} is missing of the total")));
    }
    check_seen(command, subject)?;
    let mut row = old.clone();
    row.state = State::Confirmed;
    row.deadline = None;
    sign(&mut row, command, world.now);
    Ok(Transition::new(row, &[EventKind::BookingConfirmed]))
}

/// Whether a late comer found nothing left. Money is never refused for that: it goes back.
pub(super) fn gone(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::SoldOut | Code::CustomerLimit | Code::NotOnSale)
}

fn received(old: &Booking, money: &MoneyIn, now: Time) -> Booking {
    let mut row = old.clone();
    row.paid += money.amount;
    let payment = Payment { reference: money.reference.clone(), amount: money.amount, at: now };
    row.details.payments.push(payment);
    row
}
