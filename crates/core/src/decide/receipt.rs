//! A receipt was handed in.

use super::booking::{Subject, Transition, check_seen, wrong_state};
use super::confirm::gone;
use super::readmit::readmit;
use crate::admission::AdmissionKind;
use crate::booking::{MAX_RECEIPTS, Receipt, State};
use crate::command::Command;
use crate::event::EventKind;
use crate::listing::PaymentMethod;
use crate::refusal::Refusal;
use crate::settle::REASON_LATE_PAYMENT;
use crate::world::World;

/// `422 invalid` where receipts are no way to pay.
pub(super) fn check(subject: &Subject) -> Result<(), Refusal> {
    let policy = subject.listing.policy_of(subject.row.policy);
    if policy.payment.contains(&PaymentMethod::Receipt) {
        return Ok(());
    }
    Err(Refusal::field("receipt", "is not a way to pay for this booking"))
}

pub(super) fn decide(
    world: &World,
    command: &Command,
    subject: &Subject,
    receipt: &Receipt,
) -> Result<Transition, Refusal> {
    let old = &subject.row;
    let policy = subject.listing.policy_of(old.policy);
    if old.details.receipts.len() >= MAX_RECEIPTS {
        return Err(Refusal::field("receipt", format!("is one too many: a booking takes {MAX_RECEIPTS}")));
    }
    let late = old.state == State::Expired && old.reason.as_deref() != Some(REASON_LATE_PAYMENT);
    let again = old.state == State::Rejected
        && old.decided_at.is_some_and(|at| world.now < at.plus_seconds(policy.hold_seconds));
    if !(old.state.holds() || late || again) {
        return Err(wrong_state(old, "a receipt can be handed in while it is held or in review"));
    }
    check_seen(command, subject)?;
    let mut row = old.clone();
    row.details.receipts.push(Receipt { at: world.now, ..receipt.clone() });
    if late || again {
        match readmit(world, subject, AdmissionKind::Hold) {
            Ok(()) => {}
            Err(refusal) if late && gone(&refusal) => {
                row.reason = Some(REASON_LATE_PAYMENT.to_owned());
                return Ok(Transition::new(row, &[EventKind::BookingLatePayment]));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    if old.state != State::InReview {
        row.state = State::InReview;
        row.deadline = Some(world.now.plus_seconds(policy.review_seconds));
    }
    row.reason = None;
    row.decided_by = None;
    row.decided_at = None;
    let submitted = EventKind::BookingPaymentSubmitted;
    Ok(if late {
        Transition::new(row, &[EventKind::BookingLatePayment, submitted])
    } else {
        Transition::new(row, &[submitted])
    })
}
