//! The table of transitions: what each change does in each state, and who may ask for it.

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{Actor, BookingChange};
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::refusal::{Code, RefusalData};
use serde_json::json;

use crate::bench::{
    Bench, END, cancel, code, extend, integrator, lines, money, operator, receipt, refund, reject,
    reschedule, time,
};

/// A minute to pay, ten to look at a receipt.
fn bench() -> (Bench, ListingId) {
    let mut bench = Bench::default();
    let policy = json!({"payment": ["receipt", "external"], "hold_seconds": 60, "hold_max_seconds": 100, "review_seconds": 600});
    let listing = bench.places(5, &policy);
    (bench, listing)
}

/// Brings a fresh booking of one unit at 100 into a state.
fn in_state(bench: &mut Bench, listing: ListingId, state: State) -> Booking {
    let booking = bench.book(listing, &[("standard", 1)]);
    let mut change = |change| bench.change(operator(), booking.id, change).unwrap();
    match state {
        State::Held => {}
        State::InReview => drop(change(receipt("a"))),
        State::Confirmed | State::Completed => drop(change(money(100, "first"))),
        State::Expired => bench.pass(60),
        State::Rejected => {
            change(receipt("a"));
            change(reject("unreadable"));
        }
        State::Cancelled => drop(change(cancel())),
    }
    if state == State::Completed {
        bench.world.now = time(END);
    }
    bench.settle();
    let booking = bench.booking(booking.id);
    assert_eq!(booking.state, state);
    booking
}

const STATES: [State; 7] = [
    State::Held,
    State::InReview,
    State::Confirmed,
    State::Completed,
    State::Expired,
    State::Rejected,
    State::Cancelled,
];

/// What becomes of a change in each of [`STATES`]: the state, and with `+` money to give back; or the code.
#[test]
fn each_change_does_in_each_state_what_the_table_says() {
    type Row = (&'static str, BookingChange, [&'static str; 7]);
    let claim = || reschedule(lines(&[("standard", 2)]));
    let cheaper = || reschedule(lines(&[("free", 1)]));
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        //                                        held          in_review     confirmed     completed     expired         rejected      cancelled
        ("receipt",    receipt("b"),           ["in_review",   "in_review",  "wrong_state", "wrong_state", "in_review",   "in_review",  "wrong_state"]),
        ("confirm",    money(100, "second"),   ["confirmed",   "confirmed",  "confirmed +", "completed +", "confirmed",   "rejected +", "cancelled +"]),
        ("too little", money(99, "second"),    ["invalid",     "invalid",    "confirmed +", "completed +", "invalid",     "rejected +", "cancelled +"]),
        ("approve",    BookingChange::Approve, ["wrong_state", "confirmed",  "wrong_state", "wrong_state", "hold_expired", "wrong_state", "wrong_state"]),
        ("reject",     reject("no"),           ["wrong_state", "rejected",   "wrong_state", "wrong_state", "hold_expired", "wrong_state", "wrong_state"]),
        ("cancel",     cancel(),               ["cancelled",   "cancelled",  "cancelled +", "wrong_state", "hold_expired", "wrong_state", "wrong_state"]),
        ("extend",     extend(30),             ["held",        "wrong_state", "wrong_state", "wrong_state", "hold_expired", "wrong_state", "wrong_state"]),
        ("reschedule", claim(),                ["held",        "wrong_state", "invalid",     "wrong_state", "hold_expired", "wrong_state", "wrong_state"]),
        ("to free",    cheaper(),              ["confirmed",   "wrong_state", "confirmed +", "wrong_state", "hold_expired", "wrong_state", "wrong_state"]),
        ("refund",     refund(1, "r"),         ["invalid",     "invalid",    "invalid",     "invalid",     "invalid",      "invalid",     "invalid"]),
    ];
    for (name, change, wanted) in table {
        for (state, wanted) in STATES.into_iter().zip(wanted) {
            let (mut bench, listing) = bench();
            let before = in_state(&mut bench, listing, state);
            let got = match bench.change(operator(), before.id, change.clone()) {
                Err(refusal) => refusal.code.as_str().to_owned(),
                Ok(after) => {
                    assert_eq!(after.version, before.version + 1, "{name} in {state:?}");
                    let grew = if after.refund_due > before.refund_due { " +" } else { "" };
                    format!("{}{grew}", after.state.as_str())
                }
            };
            assert_eq!(got, wanted, "{name} in {state:?}");
            let kinds = bench.kinds_of(before.no);
            assert_eq!(got.ends_with('+'), kinds.last() == Some(&"booking.refund_due"), "{name}: {kinds:?}");
        }
    }
}

#[test]
fn each_transition_tells_what_happened() {
    let told = |state: State, change: BookingChange| -> Vec<&'static str> {
        let (mut bench, listing) = bench();
        let booking = in_state(&mut bench, listing, state);
        let before = bench.kinds_of(booking.no).len();
        bench.change(operator(), booking.id, change).unwrap();
        bench.kinds_of(booking.no)[before..].to_vec()
    };
    let submitted = "booking.payment_submitted";
    assert_eq!(told(State::Held, receipt("b")), [submitted]);
    assert_eq!(told(State::Rejected, receipt("b")), [submitted]);
    assert_eq!(told(State::Expired, receipt("b")), ["booking.late_payment", submitted]);
    assert_eq!(told(State::Held, money(100, "p")), ["booking.confirmed"]);
    assert_eq!(told(State::Expired, money(100, "p")), ["booking.late_payment", "booking.confirmed"]);
    assert_eq!(told(State::Cancelled, money(7, "p")), ["booking.late_payment", "booking.refund_due"]);
    assert_eq!(told(State::InReview, BookingChange::Approve), ["booking.approved", "booking.confirmed"]);
    assert_eq!(told(State::InReview, reject("no")), ["booking.rejected"]);
    assert_eq!(told(State::Confirmed, cancel()), ["booking.cancelled", "booking.refund_due"]);
    assert_eq!(told(State::Held, cancel()), ["booking.cancelled"]);
    assert_eq!(told(State::Held, extend(5)), ["booking.extended"]);
    assert_eq!(told(State::Held, reschedule(lines(&[("vip", 1)]))), ["booking.rescheduled"]);
    let free = reschedule(lines(&[("free", 1)]));
    assert_eq!(told(State::Held, free.clone()), ["booking.rescheduled", "booking.confirmed"]);
    assert_eq!(told(State::Confirmed, free), ["booking.rescheduled", "booking.refund_due"]);
}

#[test]
fn time_alone_expires_and_completes_with_its_reason_and_event() {
    let (mut bench, listing) = bench();
    let held = bench.book(listing, &[("standard", 1)]);
    assert_eq!(held.deadline, Some(bench.world.now.plus_seconds(60)));
    let reviewed = bench.book(listing, &[("standard", 1)]);
    let reviewed = bench.change(Actor::Owner, reviewed.id, receipt("a")).unwrap();
    assert_eq!(reviewed.deadline, Some(bench.world.now.plus_seconds(600)), "the hold's clock stops");
    bench.pass(59);
    bench.settle();
    assert_eq!(bench.booking(held.id).state, State::Held);
    bench.pass(1);
    bench.settle();
    let expired = bench.booking(held.id);
    assert_eq!((expired.state, expired.reason.as_deref()), (State::Expired, Some("hold_lapsed")));
    assert_eq!(bench.booking(reviewed.id).state, State::InReview);
    bench.pass(540);
    bench.settle();
    let lapsed = bench.booking(reviewed.id);
    assert_eq!((lapsed.state, lapsed.reason.as_deref()), (State::Expired, Some("review_lapsed")));
    assert_eq!(bench.pool(listing, "standard").held, 0);
    assert_eq!(bench.kinds_of(lapsed.no).last(), Some(&"booking.expired"));
}

#[test]
fn a_booking_of_a_listing_without_times_never_completes() {
    let mut bench = Bench::default();
    let mut form = crate::bench::places_form(2, &json!({}));
    form.as_object_mut().unwrap().retain(|key, _| !key.ends_with("_at"));
    let listing = bench.listing(form);
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.pass(100 * 365 * 86_400);
    bench.settle();
    assert_eq!(bench.booking(booking.id).state, State::Confirmed);
}

#[test]
fn nothing_is_sold_after_its_end_however_long_the_sale_is_open() {
    let mut bench = Bench::default();
    let listing = bench.places(5, &json!({}));
    let inn = bench.listing(crate::bench::nights_form(5, &json!({})));
    for id in [listing, inn] {
        bench.patch(id, json!({"sale_closes_at": "2027-01-01T00:00:00Z"})).unwrap();
    }
    let stay = |from, until| crate::bench::stay("double", from, until, 1);
    bench.world.now = time("2026-11-23T09:59:59Z"); // 10:59:59 in Berlin
    bench.try_book(inn, stay("2026-11-22", "2026-11-24"), "a").unwrap();
    bench.pass(1);
    let over = bench.try_book(inn, stay("2026-11-22", "2026-11-24"), "a");
    assert_eq!(code(over), Code::NotOnSale, "the first of its nights is over");
    bench.try_book(inn, stay("2026-11-23", "2026-11-24"), "a").unwrap();
    bench.book(listing, &[("standard", 1)]);
    bench.world.now = time(END);
    assert_eq!(code(bench.try_book(listing, lines(&[("standard", 1)]), "a")), Code::NotOnSale);
}

#[test]
fn approving_twice_confirms_once_and_names_who_decided() {
    let (mut bench, listing) = bench();
    let booking = in_state(&mut bench, listing, State::InReview);
    let approved = bench.change(operator(), booking.id, BookingChange::Approve).unwrap();
    assert_eq!((approved.paid, approved.refund_due), (100, 0));
    assert_eq!(approved.decided_by.as_deref(), Some("Olim"));
    let refusal = bench.change(operator(), booking.id, BookingChange::Approve).unwrap_err();
    let decided = RefusalData::State {
        state: State::Confirmed,
        decided_by: Some("Olim".to_owned()),
        decided_at: approved.decided_at,
    };
    assert_eq!((refusal.code, refusal.data), (Code::WrongState, decided));
    assert!(approved.decided_at.is_some());
    assert_eq!(bench.pool(listing, "standard").confirmed, 1);
}

#[test]
fn a_review_that_ends_after_the_end_is_completed_at_once() {
    let mut bench = Bench::default();
    let listing =
        bench.places(1, &json!({"payment": ["receipt"], "hold_seconds": 3600, "review_seconds": 864_000}));
    bench.world.now = time("2026-11-23T09:59:00Z");
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.change(Actor::Owner, booking.id, receipt("a")).unwrap();
    bench.world.now = time(END);
    let approved = bench.change(operator(), booking.id, BookingChange::Approve).unwrap();
    assert_eq!(
        (approved.state, approved.version),
        (State::Completed, 4),
        "never shown as active after its end"
    );
    let kinds = bench.kinds_of(booking.no);
    assert_eq!(kinds[2..], ["booking.approved", "booking.confirmed", "booking.completed"]);
    let events: Vec<u32> = bench.log[&booking.no].iter().map(|step| step.version).collect();
    assert_eq!(events, [1, 2, 3, 3, 4]);
}

#[test]
fn everybody_may_do_their_own_and_no_more() {
    let changes: Vec<(BookingChange, [bool; 2])> = vec![
        // The owner, and the integrator who made it.
        (receipt("a"), [true, false]),
        (money(100, "p"), [false, true]),
        (BookingChange::Approve, [false, false]),
        (reject("no"), [false, false]),
        (cancel(), [true, true]),
        (extend(5), [true, false]),
        (reschedule(lines(&[("vip", 1)])), [true, true]),
        (refund(1, "r"), [false, false]),
    ];
    for (change, allowed) in changes {
        for (actor, allowed) in [Actor::Owner, integrator()].into_iter().zip(allowed) {
            let (mut bench, listing) = bench();
            let create = bench.creation(listing, lines(&[("standard", 1)]), "c");
            let booking = bench.create(integrator(), create).unwrap();
            let answer = bench.change(actor, booking.id, change.clone());
            assert_eq!(answer.is_ok(), allowed, "{change:?}");
            assert!(answer.is_ok() || code(answer) == Code::Forbidden);
        }
        let (mut bench, listing) = bench();
        let booking = bench.book(listing, &[("standard", 1)]);
        let public = bench.change(Actor::Public, booking.id, change.clone());
        assert_eq!(code(public), Code::Unauthenticated);
        assert_eq!(code(bench.change(integrator(), booking.id, change)), Code::NotFound, "not theirs to see");
    }
    let (mut bench, _) = bench();
    let nobody = bench.change(operator(), BookingId::from_bits(5), cancel());
    assert_eq!(code(nobody), Code::NotFound);
}
