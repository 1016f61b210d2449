//! What the simulation has found, in as few steps as show it.

use std::time::Duration;

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{Action, Actor, BookingChange, Command, CreateBooking, MoneyIn};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_engine::batch::{self, Answer};
use lastseat_store::memory::TestClock;
use lastseat_store::simulated::{Cluster, Node};
use lastseat_store::{Lane, Store};
use serde_json::json;

use crate::requests::START;

struct Shop {
    clock: TestClock,
    lane: Box<dyn Lane>,
    ids: u128,
}

impl Shop {
    fn new() -> Self {
        let clock = TestClock::at(START);
        let node: Node = Cluster::new(clock.clone()).node();
        Self { clock, lane: node.lane().unwrap(), ids: 0 }
    }

    fn act(&mut self, action: Action) -> Answer {
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            *ids
        };
        let command = Command::new(Actor::System, action);
        batch::run(self.lane.as_mut(), &[command], &mut fresh).answers.remove(0)
    }

    fn list(&mut self, no: u128) -> ListingId {
        let id = ListingId::from_bits(1_000 + no);
        let spec = json!({
            "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
            "starts_at": "2026-12-21T18:00:00Z", "ends_at": "2026-12-21T20:00:00Z",
            "policy": {"payment": ["external"], "hold_seconds": 60},
            "pools": [{"key": "standard", "capacity": 5, "price": 100}],
        });
        let spec = Box::new(serde_json::from_value(spec).unwrap());
        self.act(Action::CreateListing { id, spec }).unwrap();
        id
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
    let (first, second) = (shop.list(1), shop.list(2));
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
