//! A booking is called off.

use super::booking::{Subject, Transition, check_seen, sign, wrong_state};
use crate::booking::State;
use crate::command::{Actor, Command};
use crate::event::EventKind;
use crate::listing::Listing;
use crate::refusal::{Code, Refusal, RefusalData};
use crate::time::Time;
use crate::world::World;

pub(super) fn decide(
    world: &World,
    command: &Command,
    subject: &Subject,
    reason: Option<&str>,
) -> Result<Transition, Refusal> {
    let old = &subject.row;
    if !matches!(old.state, State::Held | State::InReview | State::Confirmed) {
        return Err(wrong_state(old, "only a booking that is held, in review or confirmed can be cancelled"));
    }
    check_in_time(command, subject, world.now)?;
    check_seen(command, subject)?;
    let mut row = old.clone();
    row.state = State::Cancelled;
    row.deadline = None;
    row.reason = reason.map(str::to_owned);
    row.refund_due = row.paid - row.refunded;
    sign(&mut row, command, world.now);
    Ok(Transition::new(row, &[EventKind::BookingCancelled]))
}

/// `409 wrong_state` for customers who come too late to cancel or to move their booking.
pub(super) fn check_in_time(command: &Command, subject: &Subject, now: Time) -> Result<(), Refusal> {
    if command.actor != Actor::Owner {
        return Ok(());
    }
    let Some(until) = changeable_until(&subject.listing, subject) else { return Ok(()) };
    if now < until {
        return Ok(());
    }
    let row = &subject.row;
    Err(Refusal::with(
        Code::WrongState,
        format!(
            "Customers could change this booking until {until}; now only the organiser can. Please ask them."
        ),
        RefusalData::State {
            state: row.state,
            decided_by: row.decided_by.clone(),
            decided_at: row.decided_at,
        },
    ))
}

fn changeable_until(listing: &Listing, subject: &Subject) -> Option<Time> {
    let policy = listing.policy_of(subject.row.policy);
    listing.starts_at(&subject.row.lines).map(|start| start.plus_seconds(-policy.cancel_until_seconds))
}
