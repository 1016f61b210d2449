//! `GET /bookings/{id}`

use askama::Template;
use axum::extract::Path;
use http::StatusCode;
use lastseat_core::booking::{Booking, MAX_RECEIPTS, State};
use lastseat_core::listing::{Kind, Listing, PaymentMethod, Policy, Status};
use lastseat_core::settle::{REASON_HOLD_LAPSED, REASON_LATE_PAYMENT};
use lastseat_core::time::Time;

use super::{Own, open};
use crate::pages::dates::{self, Countdown, Instant};
use crate::pages::lines::{Item, items};
use crate::pages::shell::Shell;
use crate::pages::trouble::Trouble;
use crate::pages::visit::{Page, Visit};
use crate::pages::words::{self, Tone};
use crate::pages::{flash, listing, money};

/// An extension shorter than this is not worth a button, in seconds.
const MIN_EXTENSION_SECONDS: i64 = 30;

/// Money that moved, or has to.
struct Sum {
    name: &'static str,
    value: String,
    is_total: bool,
}

#[derive(Template)]
#[template(path = "booking.html")]
struct View<'a> {
    shell: Shell,
    own: &'a Own,
    reference: String,
    heading: &'static str,
    tone: Tone,
    says: Vec<String>,
    clock: Option<(&'static str, Countdown, Instant)>,
    zone: String,
    amount: String,
    instructions: Option<String>,
    pays: bool,
    takes: bool,
    upload: Option<&'static str>,
    note: &'a str,
    receipts: Vec<(String, Instant)>,
    extend: Option<(i64, String)>,
    can_cancel: bool,
    can_move: bool,
    anew: Option<(String, &'static str)>,
    void: bool,
    items: Vec<Item>,
    sums: Vec<Sum>,
    when: Option<String>,
    calendar: Option<String>,
    topic: String,
    trouble: Option<Trouble>,
}

/// `GET /bookings/{id}`
pub(crate) async fn show(mut visit: Visit, Path(id): Path<String>) -> Page {
    let own = open(&visit, &id, &visit.query).await?;
    visit.set_cookie(visit.wallet.with(own.booking.id, &own.token));
    Ok(render(&visit, &own, None, ""))
}

/// The page, with what went wrong above it, and the note that was typed for the receipt.
pub(super) fn render(
    visit: &Visit,
    own: &Own,
    trouble: Option<Trouble>,
    note: &str,
) -> axum::response::Response {
    let Own { booking, listing, token } = own;
    let (zone, currency, now) = (listing.zone(), &listing.doc.currency, visit.now);
    let policy = listing.policy_of(booking.policy);
    let status = trouble.as_ref().and_then(|trouble| StatusCode::from_u16(trouble.status).ok());
    let (heading, tone) = words::state_for_customer(booking);
    let live = is_live(booking);
    let starts_at = listing.starts_at(&booking.lines);
    let reference = visit.engine().secret().reference(booking.no);
    let view = View {
        shell: visit
            .shell(format!("{heading}: {reference}"))
            .script("booking.js")
            .flash(flash::of(&visit.query)),
        reference,
        heading,
        tone,
        says: says(listing, booking, policy, now),
        clock: clock(listing, booking, now),
        zone: dates::zone_name(&listing.doc.timezone, zone, starts_at.unwrap_or(now)),
        amount: money::amount(booking.total - booking.applied(), currency),
        instructions: policy.payment_instructions.clone(),
        pays: booking.state == State::Held,
        takes: takes(booking),
        upload: upload(booking, policy, now),
        note,
        receipts: receipts(listing, booking),
        extend: extension(booking, policy),
        can_cancel: can_cancel(own, now),
        can_move: can_move(own, now),
        anew: anew(own),
        void: !(live || booking.state == State::Completed),
        items: items(listing, booking),
        sums: sums(booking, currency),
        when: listing::when(listing),
        calendar: (live && starts_at.is_some())
            .then(|| format!("/v1/bookings/{}.ics?token={token}", booking.id)),
        topic: format!("booking:{}?token={token}", booking.id),
        own,
        trouble,
    };
    visit.show_private(status.unwrap_or(StatusCode::OK), &view)
}

/// What the state means for the customer, and what happens next.
fn says(listing: &Listing, booking: &Booking, policy: &Policy, now: Time) -> Vec<String> {
    let mut says = Vec::new();
    let by_receipt = policy.payment.contains(&PaymentMethod::Receipt);
    if booking.state == State::Held && booking.details.offer.is_some() {
        says.push("You have waited for it, and now it is your turn.".to_owned());
    }
    match booking.state {
        State::Held if takes(booking) => {
            says.push("Take it before the time is up; after that it goes to the next in line.".to_owned());
        }
        State::Held if by_receipt => {
            says.push("Pay and upload your receipt before the time is up.".to_owned());
        }
        State::Held => says.push("It becomes yours as soon as your payment has come in.".to_owned()),
        State::InReview => {
            let text = "There is nothing more to do. The organiser looks at your receipt, and this page changes by itself.";
            says.push(text.to_owned());
            says.extend(booking.deadline.map(|deadline| {
                format!("It is checked by {} at the latest.", dates::moment(deadline, listing.zone()))
            }));
        }
        State::Confirmed => says.push("It is yours. Show the reference when you come.".to_owned()),
        State::Completed => says.push("Thank you for coming.".to_owned()),
        State::Expired if booking.details.offer.is_some() => {
            says.push("It went to the next in line, or is free for others again.".to_owned());
        }
        State::Expired if booking.reason.as_deref() == Some(REASON_HOLD_LAPSED) => {
            says.push("What was held for you is free for others again.".to_owned());
        }
        State::Expired | State::Rejected | State::Cancelled => {
            says.extend(booking.reason.as_deref().map(words::reason));
        }
    }
    if booking.refund_due > 0 {
        let amount = money::amount(booking.refund_due, &listing.doc.currency);
        says.push(format!("You get {amount} back; the organiser sends it."));
    }
    match booking.state {
        State::Expired if booking.reason.as_deref() == Some(REASON_LATE_PAYMENT) => says.push(
            "By then everything had gone to others. What you paid goes back to you; the organiser has been told."
                .to_owned(),
        ),
        State::Expired if upload(booking, policy, now).is_some() => says.push(
            "Have you paid already? Upload your receipt below: if it is still free, it becomes yours after all."
                .to_owned(),
        ),
        State::Rejected if upload(booking, policy, now).is_some() => says.push(
            "You can upload a better receipt for a short while, if it is still free.".to_owned(),
        ),
        _ => {}
    }
    says
}

/// Whether it is held for somebody who has waited for it, and has only to be taken: nothing is to be paid.
fn takes(booking: &Booking) -> bool {
    booking.state == State::Held && booking.total <= booking.applied()
}

/// Whether the customer may still give it back.
pub(super) fn can_cancel(own: &Own, now: Time) -> bool {
    let Own { booking, listing, .. } = own;
    let notice = listing.policy_of(booking.policy).cancel_until_seconds;
    let start = listing.starts_at(&booking.lines);
    is_live(booking) && start.is_none_or(|start| now < start.plus_seconds(-notice))
}

/// Whether the customer may still choose something else, and there is something else to choose.
pub(super) fn can_move(own: &Own, now: Time) -> bool {
    let listing = &own.listing;
    let has_others =
        listing.kind() != Kind::Places || listing.groups.all().len() > 1 || listing.policy().max_quantity > 1;
    own.booking.state != State::InReview && can_cancel(own, now) && has_others
}

fn is_live(booking: &Booking) -> bool {
    matches!(booking.state, State::Held | State::InReview | State::Confirmed)
}

/// Where to book once more when this booking has come to nothing.
fn anew(own: &Own) -> Option<(String, &'static str)> {
    let Own { booking, listing, .. } = own;
    if is_live(booking) || booking.state == State::Completed {
        return None;
    }
    Some(match listing.doc.status {
        Status::Published => (format!("/listings/{}", listing.id), "Book anew"),
        _ => ("/".to_owned(), "See what else can be booked"),
    })
}

fn clock(listing: &Listing, booking: &Booking, now: Time) -> Option<(&'static str, Countdown, Instant)> {
    let deadline = booking.deadline.filter(|_| booking.state == State::Held)?;
    let label = if takes(booking) { "left to take it" } else { "left to pay" };
    Some((label, Countdown::new(deadline, now), Instant::new(deadline, listing.zone())))
}

/// What the upload of a receipt is called, where there can be one.
fn upload(booking: &Booking, policy: &Policy, now: Time) -> Option<&'static str> {
    if !policy.payment.contains(&PaymentMethod::Receipt) || booking.details.receipts.len() >= MAX_RECEIPTS {
        return None;
    }
    match booking.state {
        State::Held => Some("Upload the receipt"),
        State::InReview => Some("Add another file"),
        State::Expired if booking.reason.as_deref() != Some(REASON_LATE_PAYMENT) => {
            Some("Upload the receipt after all")
        }
        State::Rejected
            if booking.decided_at.is_some_and(|at| now < at.plus_seconds(policy.hold_seconds)) =>
        {
            Some("Upload a better receipt")
        }
        _ => None,
    }
}

fn receipts(listing: &Listing, booking: &Booking) -> Vec<(String, Instant)> {
    let name = |media_type: &str| match media_type {
        "application/pdf" => "PDF".to_owned(),
        _ => "Picture".to_owned(),
    };
    let receipts = booking.details.receipts.iter();
    receipts.map(|receipt| (name(&receipt.media_type), Instant::new(receipt.at, listing.zone()))).collect()
}

/// By how many seconds the hold can be extended, and that in words.
fn extension(booking: &Booking, policy: &Policy) -> Option<(i64, String)> {
    let deadline = booking.deadline.filter(|_| booking.state == State::Held && !booking.details.extended)?;
    let limit = booking.created_at.plus_seconds(policy.hold_max());
    let seconds = (limit.millis() - deadline.millis()) / 1000;
    (seconds >= MIN_EXTENSION_SECONDS).then(|| (seconds, dates::duration(seconds)))
}

fn sums(booking: &Booking, currency: &str) -> Vec<Sum> {
    let sum = |name, value, is_total| Sum { name, value: money::amount(value, currency), is_total };
    let mut sums = vec![sum("Total", booking.total, true)];
    let moved = [
        ("Paid", booking.paid),
        ("To go back to you", booking.refund_due),
        ("Gone back to you", booking.refunded),
    ];
    sums.extend(
        moved.into_iter().filter(|(_, value)| *value > 0).map(|(name, value)| sum(name, value, false)),
    );
    sums
}
