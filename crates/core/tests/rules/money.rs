//! Money: what comes in, what comes late, what goes back. And what an extension or an import may do.

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{Actor, BookingChange, MoneyIn};
use lastseat_core::id::ListingId;
use lastseat_core::refusal::{Code, RefusalData};
use lastseat_core::time::Time;
use serde_json::json;

use crate::bench::{
    Bench, END, cancel, code, extend, lines, money, operator, receipt, refund, reject, reschedule, time,
};

fn bench(capacity: i64) -> (Bench, ListingId) {
    let mut bench = Bench::default();
    let policy = json!({"payment": ["receipt", "external"], "hold_seconds": 60, "hold_max_seconds": 100, "review_seconds": 600});
    let listing = bench.places(capacity, &policy);
    (bench, listing)
}

/// A booking whose hold has lapsed, and whose only place somebody else may have taken since.
fn lapsed(bench: &mut Bench, listing: ListingId, taken: bool) -> Booking {
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.pass(60);
    bench.settle();
    if taken {
        bench.book(listing, &[("standard", 1)]);
    }
    booking
}

fn facts(booking: &Booking) -> (State, Option<&str>, i64, i64, i64) {
    (booking.state, booking.reason.as_deref(), booking.paid, booking.refund_due, booking.refunded)
}

#[test]
fn late_money_gets_its_place_back_whatever_the_sale_window() {
    let (mut bench, listing) = bench(1);
    let booking = lapsed(&mut bench, listing, false);
    bench.patch(listing, json!({"sale_closes_at": "2026-11-21T12:00:30Z"})).unwrap();
    let late = bench.change(operator(), booking.id, money(100, "p")).unwrap();
    assert_eq!(facts(&late), (State::Confirmed, None, 100, 0, 0));
    assert_eq!(bench.pool(listing, "standard").confirmed, 1);
}

#[test]
fn late_money_gets_its_place_back_in_a_draft() {
    let (mut bench, listing) = bench(1);
    let booking = lapsed(&mut bench, listing, false);
    bench.patch(listing, json!({"status": "draft"})).unwrap();
    let late = bench.change(operator(), booking.id, money(100, "p")).unwrap();
    assert_eq!(facts(&late), (State::Confirmed, None, 100, 0, 0));
}

#[test]
fn late_money_for_a_place_that_is_gone_is_due_back_once() {
    let (mut bench, listing) = bench(1);
    let booking = lapsed(&mut bench, listing, true);
    for _ in 0..2 {
        // Told twice, it is the same payment.
        let late = bench.change(operator(), booking.id, money(100, "p")).unwrap();
        assert_eq!(facts(&late), (State::Expired, Some("late_payment"), 100, 100, 0));
    }
    let kinds = bench.kinds_of(booking.no);
    assert_eq!(kinds[1..], ["booking.expired", "booking.late_payment", "booking.refund_due"]);
    // Although the place comes free again, what was told to the customer stays.
    bench.pass(60);
    let more = bench.change(operator(), booking.id, money(30, "q")).unwrap();
    assert_eq!(facts(&more), (State::Expired, Some("late_payment"), 130, 130, 0));
    assert_eq!(bench.pool(listing, "standard").confirmed, 0);
}

#[test]
fn late_money_for_a_listing_that_is_closed_or_called_off_is_due_back() {
    for status in ["closed", "cancelled"] {
        let (mut bench, listing) = bench(1);
        let booking = lapsed(&mut bench, listing, false);
        bench.patch(listing, json!({"status": status})).unwrap();
        let late = bench.change(operator(), booking.id, money(100, "p")).unwrap();
        assert_eq!(facts(&late), (State::Expired, Some("late_payment"), 100, 100, 0), "{status}");
    }
}

#[test]
fn late_money_does_not_pass_the_customers_limit() {
    let mut bench = Bench::default();
    let policy = json!({"payment": ["external"], "hold_seconds": 60, "max_per_customer": 1});
    let listing = bench.places(5, &policy);
    let first = bench.try_book(listing, lines(&[("standard", 1)]), "c").unwrap();
    assert_eq!(code(bench.try_book(listing, lines(&[("standard", 1)]), "c")), Code::CustomerLimit);
    bench.pass(60);
    bench.try_book(listing, lines(&[("standard", 1)]), "c").unwrap();
    let late = bench.change(operator(), first.id, money(100, "p")).unwrap();
    assert_eq!(facts(&late), (State::Expired, Some("late_payment"), 100, 100, 0));
}

#[test]
fn a_late_receipt_is_reviewed_or_answered_with_late_payment() {
    let (mut bench, listing) = bench(1);
    let booking = lapsed(&mut bench, listing, false);
    let late = bench.change(Actor::Owner, booking.id, receipt("a")).unwrap();
    assert_eq!(facts(&late), (State::InReview, None, 0, 0, 0));
    assert_eq!(late.deadline, Some(bench.world.now.plus_seconds(600)));

    let (mut bench, listing) = self::bench(1);
    let booking = lapsed(&mut bench, listing, true);
    let gone = bench.change(Actor::Owner, booking.id, receipt("a")).unwrap();
    assert_eq!(facts(&gone), (State::Expired, Some("late_payment"), 0, 0, 0));
    assert_eq!(gone.details.receipts.len(), 1, "the receipt is kept");
    assert_eq!(code(bench.change(Actor::Owner, booking.id, receipt("b"))), Code::HoldExpired);
    assert_eq!(code(bench.change(operator(), booking.id, money(99, "p"))), Code::Invalid);
    let named = bench.change(operator(), booking.id, money(100, "p")).unwrap();
    assert_eq!(facts(&named), (State::Expired, Some("late_payment"), 100, 100, 0));
}

#[test]
fn a_better_receipt_soon_after_a_rejection_is_a_new_admission() {
    let (mut bench, listing) = bench(1);
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.change(Actor::Owner, booking.id, receipt("a")).unwrap();
    bench.change(operator(), booking.id, reject("unreadable")).unwrap();
    assert_eq!(bench.pool(listing, "standard").held, 0, "a rejection gives the place back");
    bench.pass(59);
    let again = bench.change(Actor::Owner, booking.id, receipt("b")).unwrap();
    assert_eq!(facts(&again), (State::InReview, None, 0, 0, 0));
    assert_eq!((again.decided_by, again.decided_at), (None, None));
    bench.change(operator(), booking.id, reject("unreadable too")).unwrap();
    bench.book(listing, &[("standard", 1)]);
    assert_eq!(code(bench.change(Actor::Owner, booking.id, receipt("c"))), Code::SoldOut);
    bench.pass(60);
    bench.settle();
    assert_eq!(code(bench.change(Actor::Owner, booking.id, receipt("d"))), Code::WrongState, "too late");
}

#[test]
fn the_same_payment_reference_changes_nothing() {
    let (mut bench, listing) = bench(1);
    let booking = bench.book(listing, &[("standard", 1)]);
    let paid = bench.change(operator(), booking.id, money(100, "p")).unwrap();
    assert_eq!(bench.change(operator(), booking.id, money(100, "p")).unwrap(), paid);
    // Whatever else is said of it.
    assert_eq!(bench.change(operator(), booking.id, money(99, "p")).unwrap(), paid);
    let dollars = MoneyIn { amount: 100, currency: "USD".into(), reference: "p".into() };
    assert_eq!(bench.change(operator(), booking.id, BookingChange::Confirm(dollars)).unwrap(), paid);
    bench.change(operator(), booking.id, cancel()).unwrap();
    let known = bench.change(operator(), booking.id, money(100, "p")).unwrap();
    assert_eq!(facts(&known), (State::Cancelled, None, 100, 100, 0));
}

#[test]
fn another_currency_is_invalid() {
    let (mut bench, listing) = bench(1);
    let booking = bench.book(listing, &[("standard", 1)]);
    let dollars = MoneyIn { amount: 100, currency: "USD".into(), reference: "p".into() };
    let refusal = bench.change(operator(), booking.id, BookingChange::Confirm(dollars)).unwrap_err();
    assert!(matches!(refusal.data, RefusalData::Fields(fields) if fields[0].field == "payment.currency"));
}

#[test]
fn money_goes_back_in_parts_and_never_more_than_is_due() {
    let (mut bench, listing) = bench(1);
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.change(operator(), booking.id, money(100, "p")).unwrap();
    assert_eq!(code(bench.change(operator(), booking.id, refund(1, "r"))), Code::Invalid, "nothing is due");
    bench.change(operator(), booking.id, cancel()).unwrap();
    let part = bench.change(operator(), booking.id, refund(60, "r-1")).unwrap();
    assert_eq!(facts(&part), (State::Cancelled, None, 100, 40, 60));
    assert_eq!(bench.change(operator(), booking.id, refund(60, "r-1")).unwrap(), part, "told twice");
    assert_eq!(code(bench.change(operator(), booking.id, refund(59, "r-1"))), Code::Invalid);
    assert_eq!(code(bench.change(operator(), booking.id, refund(41, "r-2"))), Code::Invalid);
    let rest = bench.change(operator(), booking.id, refund(40, "r-2")).unwrap();
    assert_eq!(facts(&rest), (State::Cancelled, None, 100, 0, 100));
    assert_eq!(bench.kinds_of(booking.no)[4..], ["booking.refunded", "booking.refunded"]);
}

#[test]
fn a_hold_is_extended_once_and_not_beyond_its_limit() {
    let (mut bench, listing) = bench(1);
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.pass(30);
    let refusal = bench.change(Actor::Owner, booking.id, extend(41)).unwrap_err();
    assert_eq!(refusal.code, Code::Invalid);
    assert!(refusal.detail.contains("at most 40 more seconds"), "{}", refusal.detail);
    for seconds in [0, -1, i64::MAX] {
        assert_eq!(code(bench.change(Actor::Owner, booking.id, extend(seconds))), Code::Invalid);
    }
    let later = bench.change(Actor::Owner, booking.id, extend(40)).unwrap();
    assert_eq!(later.deadline, Some(booking.created_at.plus_seconds(100)));
    assert_eq!(code(bench.change(operator(), booking.id, extend(1))), Code::WrongState, "only once");
    bench.pass(69);
    bench.settle();
    assert_eq!(bench.booking(booking.id).state, State::Held);
    bench.pass(1);
    assert_eq!(code(bench.change(Actor::Owner, booking.id, extend(1))), Code::HoldExpired);
}

#[test]
fn customers_cancel_and_move_in_time_and_operators_always() {
    let mut bench = Bench::default();
    let listing = bench.places(5, &json!({"cancel_until_seconds": 3600}));
    let booking = bench.book(listing, &[("free", 1)]);
    let start = time("2026-11-23T10:00:00Z");
    bench.world.now = start.plus_seconds(-3600);
    let moved = || reschedule(lines(&[("free", 2)]));
    assert_eq!(code(bench.change(Actor::Owner, booking.id, moved())), Code::WrongState);
    let refusal = bench.change(Actor::Owner, booking.id, cancel()).unwrap_err();
    assert_eq!(refusal.code, Code::WrongState);
    assert!(refusal.detail.contains("2026-11-23T09:00:00Z"), "{}", refusal.detail);
    bench.world.now = start.plus_seconds(-3601);
    bench.change(Actor::Owner, booking.id, moved()).unwrap();
    bench.world.now = start;
    bench.change(operator(), booking.id, cancel()).unwrap();
}

fn imported(
    bench: &mut Bench,
    listing: ListingId,
    state: State,
    paid: i64,
    created_at: Option<Time>,
) -> Booking {
    let mut import = bench.importation(listing, lines(&[("standard", 1)]), state);
    (import.paid, import.created_at) = (paid, created_at);
    let id = import.id;
    assert_eq!(bench.import(import), Ok(Outcome::Imported(id)));
    bench.booking(id)
}

#[test]
fn an_import_is_settled_and_its_due_at_computed() {
    let (mut bench, listing) = bench(9);
    let now = bench.world.now;
    let held = imported(&mut bench, listing, State::Held, 0, None);
    assert_eq!((held.state, held.deadline, held.version), (State::Held, Some(now.plus_seconds(60)), 1));
    let reviewed = imported(&mut bench, listing, State::InReview, 0, Some(now.plus_seconds(-599)));
    assert_eq!((reviewed.state, reviewed.deadline), (State::InReview, Some(now.plus_seconds(1))));
    let lapsed = imported(&mut bench, listing, State::Held, 0, Some(now.plus_seconds(-60)));
    assert_eq!((lapsed.state, lapsed.version, lapsed.deadline), (State::Expired, 1, None));
    let sold = imported(&mut bench, listing, State::Confirmed, 150, None);
    assert_eq!(facts(&sold), (State::Confirmed, None, 150, 50, 0), "more than it costs is due back");
    let gone = imported(&mut bench, listing, State::Cancelled, 80, None);
    assert_eq!(facts(&gone), (State::Cancelled, None, 80, 80, 0));
    assert_eq!(bench.pool(listing, "standard").held, 2);
    assert_eq!(bench.pool(listing, "standard").confirmed, 1);
    bench.world.now = time(END);
    let over = imported(&mut bench, listing, State::Confirmed, 100, None);
    assert_eq!((over.state, over.version), (State::Completed, 1), "its end has passed");
}

#[test]
fn an_imported_hold_with_nothing_left_to_pay_is_confirmed() {
    let (mut bench, listing) = bench(9);
    let long_ago = Some(bench.world.now.plus_seconds(-3600));
    for (paid, due_back) in [(100, 0), (130, 30)] {
        let sold = imported(&mut bench, listing, State::Held, paid, long_ago);
        assert_eq!(facts(&sold), (State::Confirmed, None, paid, due_back, 0));
        assert_eq!(bench.kinds_of(sold.no)[0], "booking.confirmed");
    }
    let free = bench.importation(listing, lines(&[("free", 1)]), State::Held);
    let id = free.id;
    bench.import(free).unwrap();
    assert_eq!(bench.booking(id).state, State::Confirmed);
}

#[test]
fn an_import_is_admitted_like_anybody_and_skipped_the_second_time() {
    let (mut bench, listing) = bench(1);
    bench.patch(listing, json!({"status": "closed"})).unwrap();
    let mut import = bench.importation(listing, lines(&[("standard", 1)]), State::Confirmed);
    import.external_id = Some("old-1".into());
    let first = import.id;
    assert_eq!(bench.import(import.clone()), Ok(Outcome::Imported(first)), "it was sold before it came");
    import.id = lastseat_core::id::BookingId::from_bits(bench.id());
    assert_eq!(bench.import(import.clone()), Ok(Outcome::Skipped(first)));
    import.external_id = Some("old-2".into());
    assert_eq!(code(bench.import(import.clone())), Code::SoldOut);
    import.created_at = Some(bench.world.now.plus_seconds(1));
    assert_eq!(code(bench.import(import)), Code::Invalid, "from the future");
    let gone = imported(&mut bench, listing, State::Rejected, 0, None);
    assert_eq!(gone.state, State::Rejected, "what takes nothing needs no place");
}

#[test]
fn an_imported_hold_that_was_paid_in_part_loses_no_money() {
    let (mut bench, listing) = bench(2);
    let held = imported(&mut bench, listing, State::Held, 50, None);
    assert_eq!(code(bench.change(operator(), held.id, money(100, "p"))), Code::Invalid);
    let paid = bench.change(operator(), held.id, money(50, "p")).unwrap();
    assert_eq!(facts(&paid), (State::Confirmed, None, 100, 0, 0));
    let lapses = imported(&mut bench, listing, State::Held, 50, None);
    bench.pass(60);
    bench.settle();
    let lapsed = bench.booking(lapses.id);
    assert_eq!(facts(&lapsed), (State::Expired, Some("hold_lapsed"), 50, 50, 0), "it pays for nothing now");
    assert_eq!(bench.kinds_of(lapses.no).last(), Some(&"booking.refund_due"));
    bench.change(operator(), lapses.id, refund(50, "r")).unwrap();
    let late = bench.change(operator(), lapses.id, money(100, "late")).unwrap();
    assert_eq!(facts(&late), (State::Confirmed, None, 150, 0, 50));
    let created_at = Some(bench.world.now.plus_seconds(-3600));
    let gone = imported(&mut bench, listing, State::Held, 30, created_at);
    assert_eq!(facts(&gone), (State::Expired, Some("hold_lapsed"), 30, 30, 0));
}
