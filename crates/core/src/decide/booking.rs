//! What all changes of one booking share: finding it, who may, and the words of `wrong_state`.

use std::sync::Arc;

use super::{
    cancel, check_key, check_version, confirm, extend, given_before, receipt, refund, reschedule, review,
};
use crate::booking::{Booking, State};
use crate::command::{Actor, BookingChange, Command, Role};
use crate::decide::Outcome;
use crate::event::EventKind;
use crate::id::BookingId;
use crate::listing::Listing;
use crate::refusal::{Code, FieldError, Refusal, RefusalData};
use crate::settle::SYSTEM;
use crate::world::{Answer, World};

/// A booking that is about to change: its settled row and its listing.
pub(super) struct Subject {
    pub(super) row: Booking,
    pub(super) listing: Arc<Listing>,
}

/// A change that was decided: the new row with its version not yet counted, and what to say about it.
/// Without events nothing changes.
pub(super) struct Transition {
    pub(super) row: Booking,
    pub(super) events: Vec<EventKind>,
}

impl Transition {
    pub(super) fn new(row: Booking, events: &[EventKind]) -> Self {
        Self { row, events: events.to_vec() }
    }

    /// The answer is the booking as it is.
    pub(super) fn nothing(row: Booking) -> Self {
        Self { row, events: Vec::new() }
    }
}

pub(super) fn decide(
    world: &mut World,
    command: &Command,
    id: BookingId,
    change: &BookingChange,
) -> Result<Outcome, Refusal> {
    need_token(&command.actor)?;
    let no = world.booking(id).ok_or_else(|| Refusal::not_found("booking"))?.no;
    // A command before this one in the batch may have called the listing off, or moved its times.
    world.settle(no);
    let row = world.booking_at(no).cloned().expect("found above");
    let listing = world.listing_of(&row);
    check_may(&command.actor, &row, change)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let problems = problems(change);
    if !problems.is_empty() {
        return Err(Refusal::invalid(problems));
    }
    let subject = Subject { row, listing };
    match change {
        BookingChange::SubmitReceipt(_) => receipt::check(&subject)?,
        BookingChange::Confirm(money) => confirm::check(&subject, money)?,
        BookingChange::Reschedule { claim } => reschedule::check(world, &subject, claim)?,
        _ => {}
    }
    check_key(world, command.idempotency)?;
    let mut transition = match change {
        BookingChange::SubmitReceipt(receipt) => receipt::decide(world, command, &subject, receipt),
        BookingChange::Confirm(money) => confirm::decide(world, command, &subject, money),
        BookingChange::Accept => confirm::accept(world, command, &subject),
        BookingChange::Approve => review::approve(world, command, &subject),
        BookingChange::Reject { reason } => review::reject(world, command, &subject, reason),
        BookingChange::Cancel { reason } => cancel::decide(world, command, &subject, reason.as_deref()),
        BookingChange::Extend { seconds } => extend::decide(world, command, &subject, *seconds),
        BookingChange::Reschedule { claim } => reschedule::decide(world, command, &subject, claim),
        BookingChange::Refund { amount, reference } => {
            refund::decide(world, command, &subject, *amount, reference)
        }
    }?;
    if !transition.events.is_empty() {
        if transition.row.refund_due > subject.row.refund_due {
            transition.events.push(EventKind::BookingRefundDue);
        }
        transition.row.version += 1;
        world.update_booking(transition.row, &transition.events, &command.actor);
        // What is decided after its end is over: it is never shown as active.
        world.settle(no);
    }
    let row = world.booking_at(no).cloned().expect("loaded");
    world.remember(command.idempotency, Answer::Booking { no, version: row.version });
    Ok(Outcome::Booking(Box::new(row)))
}

/// `401 unauthenticated` for who has neither the booking's token nor a key.
fn need_token(actor: &Actor) -> Result<(), Refusal> {
    if *actor == Actor::Public {
        return Err(Refusal::new(
            Code::Unauthenticated,
            "Send the booking's token (header Booking-Token) or an API key (Authorization: Bearer <key>).",
        ));
    }
    Ok(())
}

/// Who may do what. Somebody else's booking is told apart from none at all by operators only.
fn check_may(actor: &Actor, row: &Booking, change: &BookingChange) -> Result<(), Refusal> {
    use BookingChange as B;
    let missing = || Refusal::not_found("booking");
    let forbidden = |text: &str| Err(Refusal::new(Code::Forbidden, text));
    match actor {
        Actor::System | Actor::Key { role: Role::Admin | Role::Operator, .. } => Ok(()),
        Actor::Key { role: Role::Integrator, id, .. } => {
            if row.created_by != Some(*id) {
                return Err(missing());
            }
            match change {
                B::Confirm(_) | B::Accept | B::Cancel { .. } | B::Reschedule { .. } => Ok(()),
                _ => forbidden(
                    "Keys with the role integrator may confirm, cancel and reschedule their bookings.",
                ),
            }
        }
        Actor::Owner => match change {
            B::SubmitReceipt(_) | B::Cancel { .. } | B::Extend { .. } | B::Reschedule { .. } => Ok(()),
            B::Accept if confirm::missing(row) == 0 => Ok(()),
            _ => forbidden("Only operators may do this."),
        },
        Actor::Public => need_token(actor),
    }
}

fn problems(change: &BookingChange) -> Vec<FieldError> {
    use crate::customer::{MAX_NOTE_CHARS, MAX_TEXT_CHARS, check_optional_text, check_text};
    let mut problems = Vec::new();
    match change {
        BookingChange::SubmitReceipt(receipt) => {
            if let Some(note) = &receipt.note {
                check_optional_text(&mut problems, "note", note, MAX_NOTE_CHARS);
            }
        }
        BookingChange::Confirm(money) => {
            check_text(&mut problems, "payment.reference", &money.reference, MAX_TEXT_CHARS);
            check_amount(&mut problems, "payment.amount", money.amount);
        }
        BookingChange::Reject { reason } => check_text(&mut problems, "reason", reason, MAX_NOTE_CHARS),
        BookingChange::Cancel { reason: Some(reason) } => {
            check_optional_text(&mut problems, "reason", reason, MAX_NOTE_CHARS);
        }
        BookingChange::Extend { seconds } => {
            if !(1..=crate::listing::policy::MAX_REVIEW_SECONDS).contains(seconds) {
                problems.push(FieldError::new("seconds", "must be at least 1 and no more than 90 days"));
            }
        }
        BookingChange::Refund { amount, reference } => {
            check_text(&mut problems, "reference", reference, MAX_TEXT_CHARS);
            check_amount(&mut problems, "amount", *amount);
        }
        BookingChange::Accept
        | BookingChange::Approve
        | BookingChange::Cancel { reason: None }
        | BookingChange::Reschedule { .. } => {}
    }
    problems
}

fn check_amount(problems: &mut Vec<FieldError>, field: &str, amount: i64) {
    if !(1..=super::create::MAX_TOTAL).contains(&amount) {
        problems.push(FieldError::new(field, "must be at least 1 minor unit and no more than 2^53 - 1"));
    }
}

/// `409 stale_version`, which comes after `wrong_state`.
pub(super) fn check_seen(command: &Command, subject: &Subject) -> Result<(), Refusal> {
    check_version(command.if_match, u64::from(subject.row.version))
}

/// `409 hold_expired` for a hold that has lapsed, else `409 wrong_state` with who decided and when.
pub(super) fn wrong_state(row: &Booking, wanted: &str) -> Refusal {
    let data = RefusalData::State {
        state: row.state,
        decided_by: row.decided_by.clone(),
        decided_at: row.decided_at,
    };
    if row.state == State::Expired {
        let text = "The hold has lapsed and its places are free again. Book anew; if you have paid already, hand in the receipt.";
        return Refusal::with(Code::HoldExpired, text, data);
    }
    let who = match (&row.decided_by, row.decided_at) {
        (Some(by), Some(at)) => format!(" by {} at {at}", if by == SYSTEM { "the system" } else { by }),
        _ => String::new(),
    };
    let state = row.state.as_str().replace('_', " ");
    Refusal::with(Code::WrongState, format!("The booking is {state}{who}; {wanted}."), data)
}

/// Signs a decision.
pub(super) fn sign(row: &mut Booking, command: &Command, now: crate::time::Time) {
    row.decided_by = Some(command.actor.signature());
    row.decided_at = Some(now);
}
