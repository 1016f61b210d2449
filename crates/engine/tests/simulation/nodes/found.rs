//! What the simulation has found, in as few steps as show it.

use std::time::Duration;

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, CreateBooking, Idempotency, IdempotencyKey, JoinWaitlist, MoneyIn,
    WaitFor,
};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, ListingId, WaitlistId};
use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_engine::batch::{self, Answer};
use lastseat_store::memory::TestClock;
use lastseat_store::simulated::Cluster;
use lastseat_store::{Lane, Store};
use serde_json::json;

use crate::requests::{START, entries};

struct Shop {
    clock: TestClock,
    cluster: Cluster,
    lane: Box<dyn Lane>,
    /// Another node's.
    other: Box<dyn Lane>,
    ids: u128,
}

impl Shop {
    fn new() -> Self {
        let clock = TestClock::at(START);
        let cluster = Cluster::new(clock.clone());
        let lane = || cluster.node().lane().unwrap();
        let (lane, other) = (lane(), lane());
        Self { clock, cluster, lane, other, ids: 0 }
    }

    fn act(&mut self, action: Action) -> Answer {
        self.batch(&[Command::new(Actor::System, action)]).remove(0)
    }

    fn batch(&mut self, commands: &[Command]) -> Vec<Answer> {
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            *ids
        };
        batch::run(self.lane.as_mut(), commands, &mut fresh).answers
    }

    fn list(&mut self, no: u128, payment: &[&str]) -> ListingId {
        let id = ListingId::from_bits(1_000 + no);
        let spec = json!({
            "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
            "starts_at": "2026-12-21T18:00:00Z", "ends_at": "2026-12-21T20:00:00Z",
            "policy": {"payment": payment, "hold_seconds": 60},
            "pools": [{"key": "standard", "capacity": 5, "price": 100}, {"key": "vip", "capacity": 5, "price": 100}],
        });
        let spec = Box::new(serde_json::from_value(spec).unwrap());
        self.act(Action::CreateListing { id, spec }).unwrap();
        id
    }

    /// The booking that was offered last.
    fn offered(&self, listing: ListingId) -> BookingId {
        let read = self.cluster.node();
        let read = read.reader().unwrap();
        let listing = read.listings().unwrap().into_iter().find(|found| found.id == listing).unwrap();
        let offered = entries(read.as_ref(), listing.no).into_iter().filter_map(|entry| entry.booking);
        read.booking_at(offered.max().unwrap()).unwrap().unwrap().id
    }

    /// A booking from the one address that there is.
    fn book(&mut self, listing: ListingId, no: u128) -> Booking {
        let create = CreateBooking {
            id: BookingId::from_bits(2_000 + no),
            listing,
            claim: Claim::Lines(vec![LineSpec { pool: "standard".into(), quantity: 1 }]),
            expected_total: None,
            customer: Customer { name: "A guest".into(), ..Customer::default() },
            address: Some("home".into()),
            max_open_holds_of_address: Some(3),
            note: None,
            pass: None,
        };
        match self.act(Action::CreateBooking(Box::new(create))) {
            Ok(Outcome::Booking(row)) => *row,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn who_pays_late_needs_nothing_of_other_listings_of_the_same_address() {
    let mut shop = Shop::new();
    let (first, second) = (shop.list(1, &["external"]), shop.list(2, &["external"]));
    let booking = shop.book(first, 1);
    shop.book(second, 2);
    shop.clock.advance(Duration::from_secs(3_600));
    // Both have lapsed, and nobody has swept.
    let money = MoneyIn { amount: 100, currency: "UZS".into(), reference: "p".into() };
    let paid = shop.act(Action::Booking { id: booking.id, change: BookingChange::Confirm(money) });
    match paid {
        Ok(Outcome::Booking(row)) => assert_eq!(row.state, State::Confirmed),
        other => panic!("{other:?}"),
    }
}

/// A new booking from nowhere in particular.
fn create(listing: ListingId, no: u128, pool: &str, quantity: i64, key: Option<u8>) -> Command {
    let create = CreateBooking {
        id: BookingId::from_bits(3_000 + no),
        listing,
        claim: Claim::Lines(vec![LineSpec { pool: pool.into(), quantity }]),
        expected_total: None,
        customer: Customer { name: "A guest".into(), ..Customer::default() },
        address: None,
        max_open_holds_of_address: None,
        note: None,
        pass: None,
    };
    let mut command = Command::new(Actor::System, Action::CreateBooking(Box::new(create)));
    command.idempotency =
        key.map(|key| Idempotency { key: IdempotencyKey([key; 16]), fingerprint: [key; 16] });
    command
}

#[test]
fn nobody_is_refused_for_what_was_known_before_because_somebody_else_is_not() {
    let mut shop = Shop::new();
    let listing = shop.list(1, &[]);
    let commands = [create(listing, 1, "standard", 2, None), create(listing, 2, "standard", 2, None)];
    for command in &commands {
        assert!(shop.batch(std::slice::from_ref(command))[0].is_ok());
    }
    // Elsewhere two of the four are given back.
    std::mem::swap(&mut shop.lane, &mut shop.other);
    let (id, change) = (BookingId::from_bits(3_001), BookingChange::Cancel { reason: None });
    shop.act(Action::Booking { id, change }).unwrap();
    std::mem::swap(&mut shop.lane, &mut shop.other);
    let answers =
        shop.batch(&[create(listing, 3, "standard", 1, None), create(listing, 4, "standard", 2, None)]);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[test]
fn who_asks_again_is_answered_as_before_beside_others_who_book() {
    let mut shop = Shop::new();
    let listing = shop.list(1, &[]);
    let first = create(listing, 1, "standard", 4, Some(7));
    let commands = [first.clone(), create(listing, 2, "vip", 1, None)];
    for command in &commands {
        assert!(shop.batch(std::slice::from_ref(command))[0].is_ok());
    }
    let answers = shop.batch(&[create(listing, 3, "vip", 1, None), first]);
    assert!(matches!(answers[..], [Ok(Outcome::Booking(_)), Ok(Outcome::Replay(_))]), "{answers:?}");
}

/// Somebody wants to wait for one place.
fn wait(listing: ListingId, no: u128) -> Command {
    let join = JoinWaitlist {
        id: WaitlistId::from_bits(4_000 + no),
        listing,
        want: WaitFor::Claim(Claim::Lines(vec![LineSpec { pool: "standard".into(), quantity: 1 }])),
        customer: Customer { name: "A guest".into(), ..Customer::default() },
        address: None,
        max_open_holds_of_address: None,
        until: None,
    };
    Command::new(Actor::System, Action::JoinWaitlist(Box::new(join)))
}

#[test]
fn whoever_books_has_a_number_although_others_were_offered_something_before_in_the_same_batch() {
    let mut shop = Shop::new();
    let listing = shop.list(1, &["external"]);
    let first: Vec<Command> = (1..=5).map(|no| create(listing, no, "standard", 1, None)).collect();
    assert!(shop.batch(&first).iter().all(Result::is_ok));
    let mut last = BookingId::from_bits(3_001);
    for no in 10..60 {
        // Two numbers are used, or three: whatever a node has in store, it comes to its end in the middle once.
        let others = 1 + no % 2;
        assert!(matches!(shop.batch(&[wait(listing, no)])[..], [Ok(Outcome::Waits(_))]));
        let id = std::mem::replace(&mut last, BookingId::from_bits(0));
        let cancel = Action::Booking { id, change: BookingChange::Cancel { reason: None } };
        let mut commands = vec![Command::new(Actor::System, cancel)];
        commands.extend((0..others).map(|other| create(listing, 10 * no + other, "vip", 1, None)));
        let answers = shop.batch(&commands);
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        for other in 0..others {
            let (id, change) =
                (BookingId::from_bits(3_000 + 10 * no + other), BookingChange::Cancel { reason: None });
            shop.act(Action::Booking { id, change }).unwrap();
        }
        last = shop.offered(listing);
    }
}
