//! What changes by itself, and when.

use lastseat_core::booking::State;
use lastseat_core::command::{Action, BookingChange};
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingNo, ListingNo};
use lastseat_core::time::Time;
use serde_json::json;

use super::Factory;
use super::kit::{Kit, START, lines, places};

fn due(kit: &mut Kit, limit: u32) -> Vec<i64> {
    kit.ask(|tx| tx.due(limit)).into_iter().map(|no| no.0).collect()
}

/// A case of the suite.
pub fn what_is_due_comes_oldest_first(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    assert_eq!(kit.read(|read| read.next_due()), None);
    let listing = kit.listing(places());
    let first = kit.book(listing.id, "standard", 1);
    kit.pass(10);
    kit.book(listing.id, "standard", 1);
    kit.book(listing.id, "standard", 1);
    let cancelled = kit.book(listing.id, "standard", 1);
    kit.change(cancelled.id, BookingChange::Cancel { reason: None });
    kit.change(first.id, BookingChange::Extend { seconds: 60 });
    assert_eq!(kit.read(|read| read.next_due()), Some(START.plus_seconds(610)));
    assert!(due(&mut kit, 9).is_empty());
    kit.clock.set(START.plus_seconds(610));
    assert_eq!(due(&mut kit, 9), [2, 3]);
    kit.clock.set(START.plus_seconds(700));
    assert_eq!(due(&mut kit, 9), [2, 3, 1]);
    assert_eq!(due(&mut kit, 2), [2, 3]);
    assert_eq!(kit.read(|read| read.stored_due_at(first.no)), Some(START.plus_seconds(660)));
    assert_eq!(kit.read(|read| read.stored_due_at(cancelled.no)), None);
    assert_eq!(kit.read(|read| read.stored_due_at(BookingNo(99))), None);
    kit.act(Action::SettleDue { limit: 9 });
    assert!(due(&mut kit, 9).is_empty());
    assert_eq!(kit.read(|read| read.next_due()), None);
}

/// Five sold bookings; the second is called off.
fn sold(kit: &mut Kit) -> std::sync::Arc<lastseat_core::listing::Listing> {
    let mut form = places();
    form["policy"]["payment"] = json!([]);
    let listing = kit.listing(form);
    for n in 0..5 {
        let create = kit.creation(listing.id, lines(&[("standard", 1)]), "somebody");
        let booking = kit.create(create, None);
        assert_eq!(booking.state, State::Confirmed);
        if n == 1 {
            kit.change(booking.id, BookingChange::Cancel { reason: None });
        }
    }
    listing
}

fn live(kit: &mut Kit, of: ListingNo, after: i64, through: i64, limit: u32) -> Vec<i64> {
    let found = kit.ask(|tx| tx.live_bookings(of, BookingNo(after), BookingNo(through), limit));
    found.into_iter().map(|no| no.0).collect()
}

fn renew(kit: &mut Kit, of: ListingNo, nos: &[i64], through: Option<i64>) {
    let mut tx = kit.begin(&Names::default()).unwrap();
    let mut world = lastseat_core::world::World::new(tx.now());
    world.load_listing(tx.listing_at(of).unwrap().unwrap());
    for booking in tx.bookings_at(&nos.iter().copied().map(BookingNo).collect()).unwrap() {
        let no = booking.no;
        world.load_booking(booking);
        world.touch_booking(no);
    }
    tx.write(&world).unwrap();
    tx.set_renewed(of, through.map(BookingNo)).unwrap();
    tx.commit().unwrap();
}

fn stored(kit: &Kit, no: i64) -> Option<Time> {
    kit.read(|read| read.stored_due_at(BookingNo(no)))
}

/// A case of the suite.
pub fn an_edit_has_the_bookings_renewed_in_parts(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = sold(&mut kit);
    let other = sold(&mut kit);
    let (old, new) = (listing.doc.shape.clone(), "2026-12-25T03:00:00Z");
    assert_eq!(kit.ask(|tx| tx.renewing()), None);
    kit.patch(listing.id, json!({"title": "Other words"}));
    assert!(!kit.read(|read| read.is_renewing()), "words change no deadlines");
    let edited = kit.patch(listing.id, json!({"ends_at": new}));
    assert_ne!(edited.doc.shape, old);
    assert!(kit.read(|read| read.is_renewing()));
    assert_eq!(kit.ask(|tx| tx.renewing()), Some((listing.no, BookingNo(0), BookingNo(5))));
    assert_eq!(live(&mut kit, listing.no, 0, 10, 2), [1, 3]);
    assert_eq!(live(&mut kit, listing.no, 3, 4, 9), [4]);
    assert_eq!(live(&mut kit, other.no, 0, 10, 9), [6, 8, 9, 10]);

    let ends: Time = new.parse().unwrap();
    let before = stored(&kit, 4);
    assert_ne!(before, Some(ends));
    renew(&mut kit, listing.no, &[1, 3], Some(3));
    assert_eq!((stored(&kit, 1), stored(&kit, 3), stored(&kit, 4)), (Some(ends), Some(ends), before));
    assert_eq!(kit.ask(|tx| tx.renewing()), Some((listing.no, BookingNo(3), BookingNo(5))));
    renew(&mut kit, listing.no, &[4, 5], None);
    assert_eq!((stored(&kit, 4), stored(&kit, 5)), (Some(ends), Some(ends)));
    assert_eq!(kit.ask(|tx| tx.renewing()), None);
    assert!(!kit.read(|read| read.is_renewing()));
    assert_eq!(
        kit.read(|read| read.booking_at(BookingNo(4))).unwrap().version,
        1,
        "renewing is no transition"
    );
}

/// A case of the suite.
pub fn a_second_edit_begins_renewing_anew(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = sold(&mut kit);
    kit.patch(listing.id, json!({"ends_at": "2026-12-25T03:00:00Z"}));
    renew(&mut kit, listing.no, &[1, 3], Some(3));
    kit.patch(listing.id, json!({"title": "Other words"}));
    let goes_on = kit.ask(|tx| tx.renewing()).map(|(of, _, through)| (of, through));
    assert_eq!(goes_on, Some((listing.no, BookingNo(5))), "words do not end it");
    kit.book(listing.id, "standard", 1);
    kit.patch(listing.id, json!({"status": "cancelled"}));
    assert_eq!(kit.ask(|tx| tx.renewing()), Some((listing.no, BookingNo(0), BookingNo(6))));
    renew(&mut kit, listing.no, &[1, 3, 4, 5, 6], None);
    assert_eq!(due(&mut kit, 9), [1, 3, 4, 5, 6], "what is called off is due at once");
}
