//! A new booking.

use crate::admission::{Admission, AdmissionKind, Window, admit, check_sale, price};
use crate::booking::{Booking, Details, State};
use crate::command::{Command, CreateBooking};
use crate::customer::{MAX_NOTE_CHARS, check_optional_text};
use crate::decide::{Outcome, check_key, given_before, visible_listing};
use crate::event::EventKind;
use crate::id::BookingNo;
use crate::line::Lines;
use crate::listing::{Listing, Policy};
use crate::refusal::{Code, Refusal, RefusalData};
use crate::world::{Answer, World};

/// Largest total, in minor units: what a JSON number carries without loss.
pub(super) const MAX_TOTAL: i64 = (1 << 53) - 1;

pub(super) fn decide(
    world: &mut World,
    command: &Command,
    create: &CreateBooking,
) -> Result<Outcome, Refusal> {
    let listing = visible_listing(world, &command.actor, create.listing)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let mut problems = create.customer.problems();
    if let Some(note) = &create.note {
        check_optional_text(&mut problems, "note", note, MAX_NOTE_CHARS);
    }
    let asked = match create.claim.resolve(&listing) {
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
    let lines = price(world, &listing, &asked, create.claim.field())?;
    check_total(&lines, create.claim.field())?;
    check_key(world, command.idempotency)?;

    let policy = listing.policy();
    let total = lines.total();
    let held = policy.payment_due(total);
    check_sale(world, &listing, &asked, Window::OnSale)?;
    check_expected(create.expected_total, total, &listing)?;
    admit(
        world,
        &Admission {
            listing: &listing,
            policy,
            asked: &asked,
            customer: &create.customer,
            address: create.address.as_deref().zip(create.max_open_holds_of_address),
            own: None,
            kind: if held { AdmissionKind::Hold } else { AdmissionKind::Sale },
            window: Window::OnSale,
        },
    )?;

    let booking = row(world, command, create, &listing, policy, lines, held);
    let kind = if held { EventKind::BookingHeld } else { EventKind::BookingConfirmed };
    let no = world.insert_booking(booking, &[kind], &command.actor);
    world.remember(command.idempotency, Answer::Booking { no, version: 1 });
    Ok(Outcome::Booking(Box::new(world.booking_at(no).cloned().expect("just inserted"))))
}

fn row(
    world: &World,
    command: &Command,
    create: &CreateBooking,
    listing: &Listing,
    policy: &Policy,
    lines: Lines,
    held: bool,
) -> Booking {
    Booking {
        no: BookingNo(0),
        id: create.id,
        listing: listing.no,
        policy: listing.policy_no(),
        version: 1,
        events: 0,
        state: if held { State::Held } else { State::Confirmed },
        total: lines.total(),
        lines,
        paid: 0,
        refund_due: 0,
        refunded: 0,
        deadline: held.then(|| world.now.plus_seconds(policy.hold_seconds)),
        created_at: world.now,
        customer: create.customer.clone(),
        address: create.address.clone(),
        note: create.note.clone(),
        reason: None,
        decided_by: None,
        decided_at: None,
        created_by: command.actor.key(),
        details: Details::default(),
    }
}

/// `422 invalid` for a total that no JSON number carries.
pub(crate) fn check_total(lines: &Lines, field: &str) -> Result<(), Refusal> {
    let total: i128 = lines.iter().map(|line| i128::from(line.quantity) * i128::from(line.unit_price)).sum();
    if total > i128::from(MAX_TOTAL) {
        return Err(Refusal::field(field, "costs more than can be written"));
    }
    Ok(())
}

fn check_expected(expected: Option<i64>, total: i64, listing: &Listing) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != total => Err(Refusal::with(
            Code::PriceChanged,
            format!(
                "It costs {total} {} now, in minor units; you expected {expected}.",
                listing.doc.currency
            ),
            RefusalData::Total(total),
        )),
        _ => Ok(()),
    }
}
