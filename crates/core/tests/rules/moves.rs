//! Rescheduling: own units first, all or nothing, at the new price.

use lastseat_core::booking::State;
use lastseat_core::command::Actor;
use lastseat_core::id::ListingId;
use lastseat_core::refusal::{Code, RefusalData};
use serde_json::json;

use crate::bench::{
    Bench, code, lines, money, nights_form, operator, reschedule, seats_form, slot, slots_form, stay,
};

fn bench(capacity: i64) -> (Bench, ListingId) {
    let mut bench = Bench::default();
    let listing = bench.places(capacity, &json!({"payment": ["external"], "hold_seconds": 60}));
    (bench, listing)
}

#[test]
fn a_booking_moves_over_its_own_units_when_everything_else_is_taken() {
    let (mut bench, listing) = bench(3);
    let booking = bench.book(listing, &[("standard", 2)]);
    bench.book(listing, &[("standard", 1)]);
    let all = bench.change(Actor::Owner, booking.id, reschedule(lines(&[("standard", 1)]))).unwrap();
    assert_eq!((all.total, bench.pool(listing, "standard").held), (100, 2));
    bench.change(Actor::Owner, booking.id, reschedule(lines(&[("standard", 2)]))).unwrap();
    let refusal = bench.change(Actor::Owner, booking.id, reschedule(lines(&[("standard", 3)]))).unwrap_err();
    assert_eq!(refusal.code, Code::SoldOut);
    let RefusalData::Pools { pools: short, .. } = refusal.data else { panic!("pools are told") };
    assert_eq!((short[0].requested, short[0].available), (3, 2), "its own two could be kept");
}

#[test]
fn a_move_to_a_full_pool_changes_nothing_of_the_old_one() {
    let (mut bench, listing) = bench(1);
    let booking = bench.book(listing, &[("standard", 1)]);
    bench.book(listing, &[("vip", 1)]);
    let both = reschedule(lines(&[("standard", 1), ("vip", 1)]));
    assert_eq!(code(bench.change(Actor::Owner, booking.id, both)), Code::SoldOut);
    assert_eq!((bench.pool(listing, "standard").held, bench.pool(listing, "vip").held), (1, 1));
}

#[test]
fn the_same_units_at_the_same_price_are_no_change() {
    let (mut bench, listing) = bench(2);
    let booking = bench.book(listing, &[("standard", 1)]);
    let same = reschedule(lines(&[("standard", 1)]));
    assert_eq!(bench.change(Actor::Owner, booking.id, same.clone()).unwrap(), booking);
    bench.put_pools(listing, json!([{"key": "standard", "price": 120}])).unwrap();
    let repriced = bench.change(Actor::Owner, booking.id, same).unwrap();
    assert_eq!((repriced.total, repriced.version), (120, 2));
}

#[test]
fn what_was_paid_bounds_what_a_sold_booking_moves_to() {
    let (mut bench, listing) = bench(9);
    let booking = bench.book(listing, &[("vip", 1)]);
    bench.change(operator(), booking.id, money(300, "p")).unwrap();
    assert_eq!(code(bench.change(operator(), booking.id, reschedule(lines(&[("vip", 2)])))), Code::Invalid);
    let cheaper = bench.change(operator(), booking.id, reschedule(lines(&[("standard", 2)]))).unwrap();
    assert_eq!((cheaper.state, cheaper.total, cheaper.refund_due), (State::Confirmed, 200, 100));
    let back = bench.change(operator(), booking.id, reschedule(lines(&[("vip", 1)])));
    assert_eq!(code(back), Code::Invalid, "what is due back pays for nothing");
    bench.change(operator(), booking.id, reschedule(lines(&[("standard", 1)]))).unwrap();
    let row = bench.booking(booking.id);
    assert_eq!((row.refund_due, row.applied()), (200, 100));
}

#[test]
fn what_cost_nothing_cannot_be_moved_to_what_has_to_be_paid() {
    let (mut bench, listing) = bench(9);
    let free = bench.book(listing, &[("free", 1)]);
    assert_eq!(free.state, State::Confirmed);
    assert_eq!(code(bench.change(Actor::Owner, free.id, reschedule(lines(&[("vip", 1)])))), Code::Invalid);
    bench.change(Actor::Owner, free.id, reschedule(lines(&[("free", 2)]))).unwrap();
    // Where nothing has to be paid, prices are only told.
    let open = bench.places(9, &json!({}));
    let booking = bench.book(open, &[("standard", 1)]);
    let moved = bench.change(Actor::Owner, booking.id, reschedule(lines(&[("vip", 1)]))).unwrap();
    assert_eq!((moved.state, moved.total, moved.paid), (State::Confirmed, 300, 0));
}

#[test]
fn a_hold_that_moves_to_what_is_paid_already_is_sold() {
    let (mut bench, listing) = bench(9);
    let mut import = bench.importation(listing, lines(&[("vip", 1)]), State::Held);
    import.paid = 150;
    let id = import.id;
    bench.import(import).unwrap();
    let moved = bench.change(operator(), id, reschedule(lines(&[("standard", 1)]))).unwrap();
    assert_eq!(
        (moved.state, moved.paid, moved.refund_due, moved.deadline),
        (State::Confirmed, 150, 50, None)
    );
}

#[test]
fn limits_count_what_a_booking_would_have_not_what_it_had() {
    let mut bench = Bench::default();
    let policy = json!({"payment": ["external"], "max_per_customer": 3, "max_open_holds": 1});
    let listing = bench.places(9, &policy);
    let booking = bench.try_book(listing, lines(&[("standard", 3)]), "c").unwrap();
    bench.change(Actor::Owner, booking.id, reschedule(lines(&[("vip", 3)]))).unwrap();
    let four = bench.change(Actor::Owner, booking.id, reschedule(lines(&[("vip", 4)])));
    assert_eq!(code(four), Code::CustomerLimit);
}

#[test]
fn nights_one_by_one_are_stays_too_and_not_too_short() {
    let mut bench = Bench::default();
    let mut form = nights_form(2, &json!({}));
    form["min_nights"] = json!(2);
    let inn = bench.listing(form);
    let nights = |days: &[u32]| {
        let keys: Vec<_> = days.iter().map(|day| format!("double/2026-11-{day}")).collect();
        lines(&keys.iter().map(|key| (key.as_str(), 1)).collect::<Vec<_>>())
    };
    for short in [&[25][..], &[25, 27], &[24, 25, 27]] {
        assert_eq!(code(bench.try_book(inn, nights(short), "a")), Code::Invalid, "{short:?}");
    }
    let two_rooms = lines(&[("double/2026-11-25", 1), ("single/2026-11-26", 1)]);
    assert_eq!(code(bench.try_book(inn, two_rooms, "a")), Code::Invalid);
    let booking = bench.try_book(inn, nights(&[24, 25, 28, 27]), "a").unwrap();
    assert_eq!(code(bench.change(Actor::Owner, booking.id, reschedule(nights(&[24])))), Code::Invalid);
    bench.change(Actor::Owner, booking.id, reschedule(nights(&[29, 28]))).unwrap();
}

#[test]
fn stays_slots_and_seats_move_as_well() {
    let mut bench = Bench::default();
    let inn = bench.listing(nights_form(1, &json!({})));
    let booking = bench.try_book(inn, stay("double", "2026-11-25", "2026-11-28", 1), "a").unwrap();
    bench.try_book(inn, stay("double", "2026-11-28", "2026-11-30", 1), "b").unwrap();
    let earlier = reschedule(stay("double", "2026-11-24", "2026-11-27", 1));
    bench.change(Actor::Owner, booking.id, earlier).unwrap();
    let held = |bench: &Bench, day: u32| bench.pool(inn, &format!("double/2026-11-{day}")).confirmed;
    assert_eq!([24, 25, 26, 27].map(|day| held(&bench, day)), [1, 1, 1, 0]);
    let over = reschedule(stay("double", "2026-11-26", "2026-11-29", 1));
    assert_eq!(code(bench.change(Actor::Owner, booking.id, over)), Code::SoldOut);
    assert_eq!(
        code(bench.change(Actor::Owner, booking.id, reschedule(slot("double", "2026-11-25T00:00:00Z", 1)))),
        Code::Invalid
    );

    let pitch = bench.listing(slots_form(1, &json!({})));
    let booking = bench.try_book(pitch, slot("pitch", "2026-11-22T03:30:00Z", 2), "a").unwrap();
    bench.change(Actor::Owner, booking.id, reschedule(slot("pitch", "2026-11-22T04:30:00Z", 2))).unwrap();
    assert_eq!(bench.pool(pitch, "pitch/2026-11-22T03:30Z").confirmed, 0);

    let film = bench.listing(seats_form(&json!({})));
    let booking = bench.book(film, &[("A-1", 1), ("A-2", 1)]);
    bench.book(film, &[("A-4", 1)]);
    bench.change(Actor::Owner, booking.id, reschedule(lines(&[("A-2", 1), ("A-3", 1)]))).unwrap();
    assert_eq!(
        code(bench.change(Actor::Owner, booking.id, reschedule(lines(&[("A-3", 1), ("A-4", 1)])))),
        Code::SoldOut
    );
    assert_eq!(["A-1", "A-2", "A-3", "A-4"].map(|seat| bench.pool(film, seat).confirmed), [0, 1, 1, 1]);
}
