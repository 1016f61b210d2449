//! Holds: how overdue ones are found where they stand in the way.

use lastseat_core::booking::Booking;
use lastseat_core::command::{BookingChange, MoneyIn};
use lastseat_core::id::BookingNo;
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolRef;

use super::Factory;
use super::kit::{Kit, START, lines, nights, places, stay};
use crate::read::Hold;

fn at(listing: &Listing, key: &str) -> PoolRef {
    PoolRef { listing: listing.no, pool: listing.find_pool(key).unwrap() }
}

fn overdue(kit: &mut Kit, listing: &Listing, key: &str, units: i64) -> Vec<i64> {
    let found: Vec<BookingNo> = kit.ask(|tx| tx.overdue_in(&[(at(listing, key), units)]));
    found.into_iter().map(|no| no.0).collect()
}

/// A case of the suite.
pub fn overdue_holds_are_found_oldest_first_and_no_more_than_asked(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, other) = (kit.listing(places()), kit.listing(places()));
    let first = kit.book(listing.id, "standard", 2);
    kit.pass(10);
    kit.book(listing.id, "standard", 1);
    kit.book(listing.id, "vip", 1);
    kit.book(other.id, "standard", 1);
    kit.pass(10);
    kit.book(listing.id, "standard", 3);
    // The first hold is now the last to lapse.
    kit.change(first.id, BookingChange::Extend { seconds: 60 });

    kit.clock.set(START.plus_seconds(609));
    assert!(overdue(&mut kit, &listing, "standard", i64::MAX).is_empty());
    kit.pass(1);
    assert_eq!(
        overdue(&mut kit, &listing, "standard", i64::MAX),
        [2],
        "a deadline has passed at its instant"
    );
    kit.clock.set(START.plus_seconds(1000));
    assert_eq!(overdue(&mut kit, &listing, "standard", i64::MAX), [2, 5, 1]);
    assert_eq!(overdue(&mut kit, &listing, "standard", 4), [2, 5], "one and three units are enough");
    assert_eq!(overdue(&mut kit, &listing, "standard", 5), [2, 5, 1]);
    assert_eq!(overdue(&mut kit, &listing, "standard", 1), [2]);
    assert!(overdue(&mut kit, &listing, "standard", 0).is_empty());
    assert_eq!(overdue(&mut kit, &listing, "vip", 9), [3]);
    assert_eq!(overdue(&mut kit, &other, "standard", 9), [4]);
    kit.clock.set(START);
    assert!(overdue(&mut kit, &listing, "standard", 9).is_empty(), "a clock that goes back takes it back");
}

/// A case of the suite.
pub fn a_stay_is_overdue_on_its_own_nights_only(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let inn = kit.listing(nights());
    for (from, until) in [("2026-12-29", "2027-01-03"), ("2027-01-02", "2027-01-04")] {
        let create = kit.creation(inn.id, stay(from, until), from);
        kit.create(create, None);
    }
    // One booking with two stretches that do not touch.
    let apart = lines(&[("double/2026-12-05", 1), ("double/2026-12-07", 2), ("single/2026-12-07", 1)]);
    let create = kit.creation(inn.id, apart, "apart");
    kit.create(create, None);
    kit.pass(600);
    for (night, wanted) in [
        ("double/2026-12-28", &[][..]),
        ("double/2026-12-29", &[1]),
        ("double/2026-12-31", &[1]),
        ("double/2027-01-01", &[1]),
        ("double/2027-01-02", &[1, 2]),
        ("double/2027-01-03", &[2]),
        ("double/2027-01-04", &[]),
        ("single/2026-12-31", &[]),
        ("double/2026-12-05", &[3]),
        ("double/2026-12-06", &[]),
        ("double/2026-12-07", &[3]),
        ("single/2026-12-07", &[3]),
    ] {
        assert_eq!(overdue(&mut kit, &inn, night, i64::MAX), wanted, "{night}");
    }
}

/// A case of the suite.
pub fn moving_extending_and_ending_a_hold_moves_what_is_found(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let [moved, paid, lapsed]: [Booking; 3] = std::array::from_fn(|_| kit.book(listing.id, "standard", 1));
    kit.change(moved.id, BookingChange::Reschedule { claim: lines(&[("vip", 1)]) });
    let money = MoneyIn { amount: 100, currency: "UZS".to_owned(), reference: "p".to_owned() };
    kit.change(paid.id, BookingChange::Confirm(money));
    kit.pass(600);
    assert_eq!(overdue(&mut kit, &listing, "standard", 9), [lapsed.no.0]);
    assert_eq!(overdue(&mut kit, &listing, "vip", 9), [moved.no.0]);
    // The next batch settles both.
    kit.book(listing.id, "standard", 1);
    assert!(overdue(&mut kit, &listing, "standard", 9).is_empty());
    assert!(overdue(&mut kit, &listing, "vip", 9).is_empty());
    assert_eq!(kit.read(|read| read.holds(listing.no)).len(), 1);
}

/// A case of the suite.
pub fn the_next_release_is_the_first_deadline_to_come(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let (standard, vip) = (at(&listing, "standard"), at(&listing, "vip"));
    assert_eq!(kit.ask(|tx| tx.next_releases(&[standard])), [None]);
    let first = kit.book(listing.id, "standard", 1);
    kit.pass(10);
    kit.book(listing.id, "standard", 1);
    kit.book(listing.id, "vip", 1);
    assert_eq!(kit.ask(|tx| tx.next_releases(&[standard])), [Some(START.plus_seconds(600))]);
    assert_eq!(kit.ask(|tx| tx.next_releases(&[vip])), [Some(START.plus_seconds(610))]);
    // What lapses at this instant has lapsed.
    kit.clock.set(START.plus_seconds(600));
    assert_eq!(kit.ask(|tx| tx.next_releases(&[standard])), [Some(START.plus_seconds(610))]);
    kit.clock.set(START.plus_seconds(10));
    kit.change(first.id, BookingChange::Extend { seconds: 60 });
    assert_eq!(kit.ask(|tx| tx.next_releases(&[standard])), [Some(START.plus_seconds(610))]);
    kit.clock.set(START.plus_seconds(611));
    assert_eq!(kit.ask(|tx| tx.next_releases(&[standard])), [Some(START.plus_seconds(660))]);
}

/// A case of the suite.
pub fn holds_are_listed_by_group_and_deadline(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let inn = kit.listing(nights());
    let listing = kit.listing(places());
    kit.book(listing.id, "vip", 2);
    kit.pass(5);
    for claim in [stay("2026-12-10", "2026-12-12"), lines(&[("single/2026-12-10", 1)])] {
        let create = kit.creation(inn.id, claim, "somebody");
        kit.create(create, None);
        kit.pass(5);
    }
    let late = kit.creation(inn.id, stay("2026-12-11", "2026-12-12"), "late");
    kit.create(late, None);
    let day = |key: &str| inn.find_pool(key).unwrap().position;
    let (tenth, eleventh) = (day("double/2026-12-10"), day("double/2026-12-11"));
    let hold = |group, first, last, seconds| Hold {
        group,
        first,
        last,
        quantity: 1,
        due_at: START.plus_seconds(seconds),
    };
    let wanted =
        [hold(0, tenth, eleventh, 605), hold(0, eleventh, eleventh, 615), hold(1, tenth, tenth, 610)];
    assert_eq!(kit.read(|read| read.holds(inn.no)), wanted);
    let vip = Hold { group: 1, first: 0, last: 0, quantity: 2, due_at: START.plus_seconds(600) };
    assert_eq!(kit.read(|read| read.holds(listing.no)), [vip]);
}
