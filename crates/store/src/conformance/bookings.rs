//! Bookings: every field there and back, every change, every way to list them.

use std::collections::BTreeSet;

use lastseat_core::booking::{Booking, Details, Offer, Payment, Receipt, State};
use lastseat_core::command::{Actor, BookingChange};
use lastseat_core::customer::Customer;
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingNo, KeyId, WaitlistId};
use lastseat_core::line::{Line, Lines};
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolNo;

use super::Factory;
use super::kit::{Kit, START, lines, nights, places};
use crate::read::{BookingFilter, Money};

/// A row in which nothing is left at its default.
fn full(kit: &mut Kit, listing: &Listing) -> Booking {
    let at = START.plus_seconds(1);
    let payment = |reference: &str, amount| Payment { reference: reference.to_owned(), amount, at };
    let line = |position, quantity, unit_price| Line { pool: PoolNo::new(0, position), quantity, unit_price };
    // Three nights, the last at another price, and one later with another quantity.
    let lines = vec![line(20_790, 1, 100), line(20_791, 1, 100), line(20_792, 1, 140), line(20_800, 2, 100)];
    Booking {
        lines: Lines::new(lines),
        total: 540,
        paid: (1 << 53) - 1,
        refund_due: 25,
        refunded: 15,
        deadline: Some(START.plus_seconds(77)),
        customer: Customer {
            name: "Дилноза \"Д\" O'Brien \\ 李\n\t🎟".to_owned(),
            email: Some("D@Example.org".to_owned()),
            phone: Some("+998 90 000 00 00".to_owned()),
            telegram_id: Some(-1_001_234_567_890),
            external_id: Some("crm/17".to_owned()),
        },
        address: Some("a1b2".to_owned()),
        note: Some("a window, please; DROP TABLE bookings; --".to_owned()),
        reason: Some("because".to_owned()),
        decided_by: Some("Ольга".to_owned()),
        decided_at: Some(at),
        created_by: Some(KeyId::from_bits(u128::MAX >> 1)),
        details: Details {
            extended: true,
            payments: vec![payment("p-1", (1 << 53) - 2), payment("p-2", 1)],
            refunds: vec![payment("r-1", 15)],
            receipts: vec![Receipt {
                file: "receipts/x".to_owned(),
                media_type: "image/png".to_owned(),
                size: 12_345,
                sha256: "ab".repeat(32),
                at,
                note: Some("paid at noon".to_owned()),
            }],
            imported_as: Some("old-1".to_owned()),
            offer: Some(Offer { entry: WaitlistId::from_bits(u128::MAX >> 2), taken: true }),
        },
        ..kit.row(listing, State::InReview)
    }
}

/// Finds a booking by every way there is, and checks that all find the same.
fn seen_everywhere(kit: &mut Kit, booking: &Booking) {
    let (id, no) = (booking.id, booking.no);
    let found = kit.ask(|tx| tx.bookings(&BTreeSet::from([id])));
    assert_eq!(found, std::slice::from_ref(booking));
    let found = kit.ask(|tx| tx.bookings_at(&BTreeSet::from([no])));
    assert_eq!(found, std::slice::from_ref(booking));
    assert_eq!(kit.read(|read| read.booking(id)).as_ref(), Some(booking));
    assert_eq!(kit.read(|read| read.booking_at(no)).as_ref(), Some(booking));
    assert!(kit.read(|read| read.all_bookings(BookingNo(0), 100)).contains(booking));
    assert!(kit.read(|read| read.bookings(&BookingFilter::default(), 100)).contains(booking));
}

/// Puts in a row as it is, and gives it back with its number.
fn insert(kit: &mut Kit, booking: Booking) -> Booking {
    kit.commit(|world| {
        let no = world.insert_booking(booking, &[EventKind::BookingHeld], &Actor::Public);
        world.booking_at(no).cloned().unwrap()
    })
}

/// A case of the suite.
pub fn a_booking_comes_back_with_every_field(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(nights());
    let row = full(&mut kit, &listing);
    let booking = insert(&mut kit, row);
    assert_eq!((booking.no, booking.events), (BookingNo(1), 1));
    seen_everywhere(&mut kit, &booking);
    assert_eq!(kit.read(|read| read.stored_due_at(booking.no)), booking.deadline);
}

/// A case of the suite.
pub fn a_booking_comes_back_with_nothing_but_what_it_needs(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let row = kit.row(&listing, State::Cancelled);
    let bare = Customer { name: "N".to_owned(), ..Customer::default() };
    let booking = insert(&mut kit, Booking { customer: bare, ..row });
    seen_everywhere(&mut kit, &booking);
    assert_eq!(kit.read(|read| read.stored_due_at(booking.no)), None);
    let nobody = kit.id();
    assert_eq!(kit.read(|read| read.booking(lastseat_core::id::BookingId::from_bits(nobody))), None);
    assert_eq!(kit.read(|read| read.booking_at(BookingNo(99))), None);
}

/// A case of the suite.
pub fn every_change_of_a_booking_is_kept(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(nights());
    let row = full(&mut kit, &listing);
    let full = insert(&mut kit, row);
    let least = Booking {
        version: 2,
        state: State::Rejected,
        lines: Lines::new(vec![Line { pool: PoolNo::new(1, 20_795), quantity: 1, unit_price: 60 }]),
        total: 60,
        paid: 0,
        refund_due: 0,
        refunded: 0,
        deadline: None,
        reason: None,
        decided_by: None,
        decided_at: None,
        details: Details { imported_as: full.details.imported_as.clone(), ..Details::default() },
        ..full.clone()
    };
    for (version, wanted) in [(2, least), (3, full)] {
        let wanted = Booking { version, events: version, ..wanted };
        kit.commit(|world| {
            let row = Booking { events: version - 1, ..wanted.clone() };
            world.update_booking(row, &[EventKind::BookingRescheduled], &Actor::Owner);
        });
        seen_everywhere(&mut kit, &wanted);
        assert_eq!(kit.read(|read| read.stored_due_at(wanted.no)), wanted.deadline);
    }
}

fn found(kit: &Kit, filter: &BookingFilter, limit: u32) -> Vec<i64> {
    kit.read(|read| read.bookings(filter, limit)).iter().map(|booking| booking.no.0).collect()
}

/// A case of the suite.
pub fn bookings_are_listed_newest_first_by_what_is_asked(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (first, second) = (kit.listing(places()), kit.listing(places()));
    let key = KeyId::from_bits(kit.id());
    for listing in [&first, &second, &first, &second, &first] {
        kit.book(listing.id, "standard", 1);
    }
    let cancelled = kit.read(|read| read.booking_at(BookingNo(3))).unwrap();
    kit.change(cancelled.id, BookingChange::Cancel { reason: None });
    let row = kit.row(&second, State::Rejected);
    insert(&mut kit, Booking { created_by: Some(key), ..row });

    let all = BookingFilter::default();
    assert_eq!(found(&kit, &all, 100), [6, 5, 4, 3, 2, 1]);
    assert_eq!(found(&kit, &all, 2), [6, 5]);
    assert_eq!(found(&kit, &BookingFilter { before: Some(BookingNo(5)), ..all.clone() }, 2), [4, 3]);
    assert_eq!(found(&kit, &BookingFilter { listing: Some(first.no), ..all.clone() }, 100), [5, 3, 1]);
    assert_eq!(found(&kit, &BookingFilter { created_by: Some(key), ..all.clone() }, 100), [6]);
    let states = vec![State::Cancelled, State::Rejected];
    assert_eq!(found(&kit, &BookingFilter { states, ..all.clone() }, 100), [6, 3]);
    let states = vec![State::Held];
    let both = BookingFilter { states, listing: Some(second.no), before: Some(BookingNo(4)), ..all };
    assert_eq!(found(&kit, &both, 100), [2]);
}

/// A case of the suite.
pub fn customers_are_found_by_what_they_are_called_in_any_script(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let who = [
        Customer { name: "Dilnoza \"Dil\" K.".to_owned(), ..Customer::default() },
        Customer {
            name: "Дильноза".to_owned(), phone: Some("+998 90".to_owned()), ..Customer::default()
        },
        Customer { name: "X".to_owned(), email: Some("Info@Example.org".to_owned()), ..Customer::default() },
        Customer { name: "Y".to_owned(), telegram_id: Some(40_417), ..Customer::default() },
        Customer { name: "Z".to_owned(), external_id: Some("CRM-9".to_owned()), ..Customer::default() },
    ];
    for customer in who {
        let row = kit.row(&listing, State::Held);
        insert(&mut kit, Booking { customer, ..row });
    }
    let of = |text: &str| BookingFilter { customer: Some(text.to_owned()), ..BookingFilter::default() };
    for (text, wanted) in [
        ("dilnoza", &[1][..]),
        ("DIL\" K", &[1]),
        ("дильн", &[2]),
        ("ДИЛЬН", &[2]),
        ("+998", &[2]),
        ("info@EXAMPLE", &[3]),
        ("4041", &[4]),
        ("crm-9", &[5]),
        // The names of the fields are not the customer's.
        ("email", &[]),
        ("name", &[]),
        ("%", &[]),
        ("nobody", &[]),
    ] {
        assert_eq!(found(&kit, &of(text), 100), wanted, "{text}");
    }
}

/// A case of the suite.
pub fn overdue_bookings_are_listed_beside_those_that_were_settled(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    kit.book(listing.id, "standard", 1);
    kit.pass(600);
    // This batch settles the first hold.
    kit.book(listing.id, "standard", 1);
    kit.pass(300);
    kit.book(listing.id, "standard", 1);
    let expired = BookingFilter {
        states: vec![State::Expired],
        overdue: vec![State::Held, State::InReview],
        ..BookingFilter::default()
    };
    assert_eq!(found(&kit, &expired, 100), [1]);
    kit.pass(300);
    assert_eq!(found(&kit, &expired, 100), [2, 1], "the second lapses at this instant");
    let only_overdue = BookingFilter { states: Vec::new(), ..expired };
    assert_eq!(found(&kit, &only_overdue, 100), [2]);
}

/// A case of the suite.
pub fn all_bookings_come_in_pages_and_in_order(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    for _ in 0..7 {
        kit.book(listing.id, "standard", 1);
    }
    let (mut seen, mut after) = (Vec::new(), BookingNo(0));
    loop {
        let page = kit.read(|read| read.all_bookings(after, 3));
        let Some(last) = page.last() else { break };
        after = last.no;
        seen.extend(page.iter().map(|booking| booking.no.0));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(kit.next(), (8, 2));
}

/// A case of the suite.
pub fn numbers_are_summed_by_state(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, other) = (kit.listing(places()), kit.listing(places()));
    for _ in 0..3 {
        kit.book(listing.id, "standard", 2);
    }
    kit.book(other.id, "standard", 1);
    let row = kit.row(&listing, State::Cancelled);
    insert(&mut kit, Booking { paid: 50, refund_due: 20, refunded: 30, ..row });
    let create = kit.creation(listing.id, lines(&[("vip", 1)]), "somebody");
    kit.create(create, None);
    let mut numbers = kit.read(|read| read.numbers(listing.no)).by_state;
    numbers.sort_unstable_by_key(|(state, ..)| *state);
    let held = Money { total: 850, ..Money::default() };
    let cancelled = Money { total: 100, paid: 50, refund_due: 20, refunded: 30 };
    assert_eq!(numbers, [(State::Held, 4, held), (State::Cancelled, 1, cancelled)]);
}
