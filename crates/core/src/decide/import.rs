//! A booking from elsewhere. The same rules apply as to one made here, the sale window apart: it was sold
//! before it came. One that names itself a hold and has nothing left to pay is confirmed, as it would be here.

use super::{Outcome, check_key, create, given_before, need_admin, need_key};
use crate::admission::{Admission, AdmissionKind, Window, admit, price};
use crate::booking::{Booking, Details, MAX_PAYMENTS, Payment, State};
use crate::command::{Command, ImportBooking};
use crate::customer::{MAX_TEXT_CHARS, check_text};
use crate::event::EventKind;
use crate::id::BookingNo;
use crate::listing::Status;
use crate::refusal::{FieldError, Refusal, RefusalData};
use crate::settle::settle;
use crate::world::{Answer, World};

const _: () = assert!(MAX_PAYMENTS > 0);
/// The reference of money that came in before the import.
const IMPORT_REFERENCE: &str = "import";

pub(super) fn decide(
    world: &mut World,
    command: &Command,
    import: &ImportBooking,
) -> Result<Outcome, Refusal> {
    need_key(&command.actor)?;
    let listing = world.listing(import.listing).cloned().ok_or_else(|| Refusal::not_found("listing"))?;
    need_admin(&command.actor)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let mut problems = import.customer.problems();
    if let Some(id) = &import.external_id {
        check_text(&mut problems, "external_id", id, MAX_TEXT_CHARS);
    }
    if !(0..=create::MAX_TOTAL).contains(&import.paid) {
        problems.push(FieldError::new("paid", "must be at least 0 and no more than 2^53 - 1"));
    }
    if import.created_at.is_some_and(|at| at > world.now) {
        problems.push(FieldError::new("created_at", "lies in the future"));
    }
    let asked = match import.claim.resolve(&listing) {
        Ok(asked) => asked,
        Err(Refusal { data: RefusalData::Fields(fields), .. }) => {
            problems.extend(fields);
            Vec::new()
        }
        Err(refusal) => return Err(refusal),
    };
    if !problems.is_empty() {
        return Err(Refusal::invalid(problems));
    }
    if let Some(known) = import.external_id.as_deref().and_then(|id| world.imported(id)) {
        return Ok(Outcome::Skipped(known));
    }
    let lines = price(world, &listing, &asked, import.claim.field())?;
    create::check_total(&lines, import.claim.field())?;
    check_key(world, command.idempotency)?;

    let created_at = import.created_at.unwrap_or(world.now);
    let policy = listing.policy();
    let total = lines.total();
    let paid_for = !policy.payment_due(total) || import.paid >= total;
    let state = match import.state {
        State::Held if paid_for => State::Confirmed,
        state => state,
    };
    let deadline = match state {
        State::Held => Some(created_at.plus_seconds(policy.hold_seconds)),
        State::InReview => Some(created_at.plus_seconds(policy.review_seconds)),
        _ => None,
    };
    let payments = (import.paid > 0).then(|| Payment {
        reference: IMPORT_REFERENCE.to_owned(),
        amount: import.paid,
        at: created_at,
    });
    let mut row = Booking {
        no: BookingNo(0),
        id: import.id,
        listing: listing.no,
        policy: listing.policy_no(),
        version: 1,
        events: 0,
        state,
        total,
        lines,
        paid: import.paid,
        refund_due: if state.sells() || state.holds() { (import.paid - total).max(0) } else { import.paid },
        refunded: 0,
        deadline,
        created_at,
        customer: import.customer.clone(),
        address: None,
        note: None,
        reason: None,
        decided_by: None,
        decided_at: None,
        created_by: command.actor.key(),
        details: Details {
            payments: payments.into_iter().collect(),
            imported_as: import.external_id.clone(),
            ..Details::default()
        },
    };
    // What is over already is taken in as such: one whose end has passed is completed.
    settle(&mut row, &listing, world.now);
    row.version = 1;
    if row.state.holds() || row.state.sells() {
        let kind = if row.state.holds() { AdmissionKind::Hold } else { AdmissionKind::Sale };
        admit(
            world,
            &Admission {
                listing: &listing,
                policy,
                asked: &asked,
                customer: &import.customer,
                address: None,
                own: None,
                kind,
                window: if listing.doc.status == Status::Cancelled { Window::OnSale } else { Window::Any },
            },
        )?;
    }
    let id = row.id;
    let kind = kind_of(row.state);
    let refund = row.refund_due > 0;
    let kinds: &[EventKind] = if refund { &[kind, EventKind::BookingRefundDue] } else { &[kind] };
    let no = world.insert_booking(row, kinds, &command.actor);
    world.remember(command.idempotency, Answer::Booking { no, version: 1 });
    if let Some(external_id) = &import.external_id {
        world.set_imported(external_id.clone(), id);
    }
    Ok(Outcome::Imported(id))
}

const fn kind_of(state: State) -> EventKind {
    match state {
        State::Held => EventKind::BookingHeld,
        State::InReview => EventKind::BookingPaymentSubmitted,
        State::Confirmed => EventKind::BookingConfirmed,
        State::Completed => EventKind::BookingCompleted,
        State::Expired => EventKind::BookingExpired,
        State::Rejected => EventKind::BookingRejected,
        State::Cancelled => EventKind::BookingCancelled,
    }
}
