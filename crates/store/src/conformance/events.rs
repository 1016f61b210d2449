//! The log.

use lastseat_core::booking::{Patch, Step, fold};
use lastseat_core::command::{BookingChange, MoneyIn};
use lastseat_core::event::EventKind;
use lastseat_core::id::BookingNo;

use super::Factory;
use super::kit::{Kit, START, lines, nights, places, stay};
use crate::read::StoredEvent;

fn kinds(events: &[StoredEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

fn paid(reference: &str) -> BookingChange {
    BookingChange::Confirm(MoneyIn {
        amount: 100,
        currency: "UZS".to_owned(),
        reference: reference.to_owned(),
    })
}

/// A case of the suite.
pub fn events_come_in_order_and_none_is_skipped(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    assert_eq!(kit.read(|read| read.last_event()), 0);
    let (first, second) = (kit.listing(places()), kit.listing(places()));
    let booking = kit.book(first.id, "standard", 1);
    kit.pass(5);
    kit.book(second.id, "standard", 1);
    kit.change(booking.id, paid("p"));
    kit.change(booking.id, BookingChange::Cancel { reason: Some("rain".to_owned()) });
    let all = kit.read(|read| read.events(0, None, 100));
    let wanted = ["listing.created", "listing.created", "booking.held", "booking.held", "booking.confirmed"];
    assert_eq!(kinds(&all)[..5], wanted);
    assert_eq!(kinds(&all)[5..], ["booking.cancelled", "booking.refund_due"]);
    assert!(all.is_sorted_by(|a, b| a.place < b.place));
    assert_eq!(kit.read(|read| read.last_event()), all.last().unwrap().place);

    let (mut paged, mut after) = (Vec::new(), 0);
    loop {
        let page = kit.read(|read| read.events(after, None, 3));
        let Some(last) = page.last() else { break };
        after = last.place;
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let of_second = kit.read(|read| read.events(0, Some(second.no), 100));
    assert_eq!(kinds(&of_second), ["listing.created", "booking.held"]);
    assert_eq!(kit.read(|read| read.events(of_second[0].place, Some(second.no), 1)), of_second[1..]);

    let created = &all[0];
    assert_eq!((created.booking, created.seq, created.listing), (None, 0, first.no));
    assert!(created.data.contains("Night shift"), "{}", created.data);
    let held = &all[2];
    assert_eq!(held.booking, Some((booking.no, booking.id)));
    assert_eq!((held.at, held.kind, held.seq, held.version), (START, EventKind::BookingHeld, 1, 1));
    assert_eq!(held.actor, "public");
    assert_eq!((all[4].at, all[4].actor.as_str()), (START.plus_seconds(5), "system"));
    assert_eq!((all[5].seq, all[5].version, all[6].seq, all[6].version), (3, 3, 4, 3));
}

/// A case of the suite.
pub fn the_events_of_a_booking_fold_to_its_row(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (inn, listing) = (kit.listing(nights()), kit.listing(places()));
    let mut rows = Vec::new();
    let create = kit.creation(inn.id, stay("2026-12-30", "2027-01-02"), "somebody");
    let booking = kit.create(create, None);
    rows.push(booking.clone());
    // Others come in between.
    kit.book(listing.id, "standard", 1);
    rows.push(kit.change(booking.id, BookingChange::Extend { seconds: 30 }));
    let claim = lines(&[("double/2027-01-05", 2)]);
    rows.push(kit.change(booking.id, BookingChange::Reschedule { claim }));
    kit.book(listing.id, "standard", 1);
    kit.pass(700);
    // Settled by time, which is written with the next batch.
    kit.book(listing.id, "standard", 1);
    rows.push(kit.read(|read| read.booking(booking.id)).unwrap());
    assert_eq!(rows.iter().map(|row| row.version).collect::<Vec<_>>(), [1, 2, 3, 4]);

    let events = kit.read(|read| read.booking_events(booking.no));
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(events.iter().all(|event| event.booking == Some((booking.no, booking.id))));
    for row in rows {
        let step = |event: &StoredEvent| {
            let patch: Patch = serde_json::from_str(&event.data).unwrap();
            Step { version: event.version, seq: event.seq, patch }
        };
        let steps: Vec<Step> = events.iter().filter(|event| event.version <= row.version).map(step).collect();
        assert_eq!(fold(row.no, row.id, row.listing, &steps), Some(row));
    }
    assert_eq!(kit.read(|read| read.booking_events(BookingNo(99))), []);
}
