//! An operator decides on a receipt.

use super::booking::{Subject, Transition, check_seen, sign, wrong_state};
use crate::booking::{Payment, State};
use crate::command::Command;
use crate::event::EventKind;
use crate::refusal::Refusal;
use crate::world::World;

/// The reference under which money that a receipt shows is booked.
const RECEIPT_REFERENCE: &str = "receipt";

pub(super) fn approve(world: &World, command: &Command, subject: &Subject) -> Result<Transition, Refusal> {
    check(command, subject)?;
    let mut row = subject.row.clone();
    let missing = row.total - row.applied();
    if missing > 0 {
        row.paid += missing;
        // A second receipt of one booking is another payment.
        let nth = row.details.payments.iter().filter(|p| p.reference.starts_with(RECEIPT_REFERENCE)).count();
        let reference =
            if nth == 0 { RECEIPT_REFERENCE.to_owned() } else { format!("{RECEIPT_REFERENCE}-{}", nth + 1) };
        row.details.payments.push(Payment { reference, amount: missing, at: world.now });
    }
    row.state = State::Confirmed;
    row.deadline = None;
    row.reason = None;
    sign(&mut row, command, world.now);
    Ok(Transition::new(row, &[EventKind::BookingApproved, EventKind::BookingConfirmed]))
}

pub(super) fn reject(
    world: &World,
    command: &Command,
    subject: &Subject,
    reason: &str,
) -> Result<Transition, Refusal> {
    check(command, subject)?;
    let mut row = subject.row.clone();
    row.state = State::Rejected;
    row.deadline = None;
    row.reason = Some(reason.to_owned());
    row.refund_due = row.paid - row.refunded;
    sign(&mut row, command, world.now);
    Ok(Transition::new(row, &[EventKind::BookingRejected]))
}

fn check(command: &Command, subject: &Subject) -> Result<(), Refusal> {
    if subject.row.state != State::InReview {
        return Err(wrong_state(&subject.row, "only a booking in review can be approved or rejected"));
    }
    check_seen(command, subject)
}
