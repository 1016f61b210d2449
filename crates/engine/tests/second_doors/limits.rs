//! Limits on one customer, who comes through several pools, windows and addresses at once.

use lastseat_core::Outcome;
use lastseat_core::command::{Action, Actor, Command, WaitFor};
use lastseat_core::customer::Customer;
use lastseat_core::listing::Listing;
use lastseat_core::refusal::Code;
use lastseat_core::waitlist::Standing;
use serde_json::json;

use crate::common::race::{assert_won, ways};
use crate::common::{House, ask, booking};

fn ann() -> Customer {
    Customer { name: "Ann".to_owned(), email: Some("Ann@Example.org".to_owned()), ..Customer::default() }
}

/// The same person, written otherwise.
fn ann_again() -> Customer {
    Customer { name: "A. N.".to_owned(), email: Some("ann@example.ORG".to_owned()), ..Customer::default() }
}

fn pools() -> serde_json::Value {
    json!([{ "key": "a", "capacity": 50, "price": 1_000 }, { "key": "b", "capacity": 50, "price": 1_000 }])
}

fn of(listing: &Listing, pool: &str, customer: Customer) -> Command {
    ask::create_for(listing, ask::lines(&[(pool, 1)]), customer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_limit_holds_over_two_pools() {
    for way in ways() {
        let house = way.house();
        let listing = house.paid_places(pools(), json!({ "max_per_customer": 2 })).await;
        let left = (0..3).map(|_| of(&listing, "a", ann())).collect();
        let right = (0..3).map(|_| of(&listing, "b", ann_again())).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&[left, right].concat(), 2, "customer_limit", way);
        // Others are not held up.
        house.book(of(&listing, "a", Customer { name: "Bob".to_owned(), ..Customer::default() })).await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_holds_are_limited_and_paying_one_makes_room() {
    for way in ways() {
        let house = way.house();
        let listing = house.paid_places(pools(), json!({ "max_open_holds": 1 })).await;
        let left = (0..3).map(|_| of(&listing, "a", ann())).collect();
        let right = (0..3).map(|_| of(&listing, "b", ann_again())).collect();
        let (left, right) = house.race(way, left, right).await;
        let all = [left, right].concat();
        assert_won(&all, 1, "customer_limit", way);
        let held = all.into_iter().find_map(Result::ok).map(booking).unwrap();
        house.submit(ask::pay(held.id, 1_000, "x")).await.unwrap();
        house.book(of(&listing, "b", ann())).await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_hold_counts_against_nobody() {
    for way in ways() {
        let house = way.house();
        let listing = house.paid_places(pools(), json!({ "max_open_holds": 1, "max_per_customer": 1 })).await;
        house.book(of(&listing, "a", ann())).await;
        house.pass(600);
        let left = (0..2).map(|_| of(&listing, "a", ann())).collect();
        let right = (0..2).map(|_| of(&listing, "b", ann())).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&[left, right].concat(), 1, "customer_limit", way);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_does_not_break_the_customers_limit() {
    for way in ways() {
        let house = way.house();
        let listing = house.paid_places(pools(), json!({ "max_per_customer": 1 })).await;
        let late = house.book(of(&listing, "a", ann())).await;
        house.pass(600);
        let left = vec![ask::pay(late.id, 1_000, "late")];
        let right = vec![of(&listing, "b", ann())];
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        let row = house.read(late.id).await;
        let booked = right[0].is_ok();
        assert_eq!(row.refund_due, if booked { 1_000 } else { 0 }, "{way:?}: {row:?}");
        house.audit();
    }
}

fn from_address(listing: &Listing, address: &str, most: i64) -> Command {
    let nobody = Customer { name: "A guest".to_owned(), ..Customer::default() };
    let mut create = ask::creation(listing, ask::lines(&[("standard", 1)]), nobody);
    create.address = Some(address.to_owned());
    create.max_open_holds_of_address = Some(most);
    Command::new(Actor::Public, Action::CreateBooking(Box::new(create)))
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_from_one_address_are_limited_over_all_listings() {
    for way in ways() {
        let house = way.house();
        let (one, other) = (house.places(50).await, house.places(50).await);
        let left = (0..4).map(|_| from_address(&one, "here", 3)).collect();
        let right = (0..4).map(|_| from_address(&other, "here", 3)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&[left, right].concat(), 3, "customer_limit", way);
        house.book(from_address(&one, "there", 3)).await;
        // When they lapse, the address is as good as new, whether or not anybody has swept.
        house.pass(600);
        house.book(from_address(&other, "here", 3)).await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_in_line_is_one_of_the_holds_that_an_address_may_have() {
    for way in ways() {
        let house = way.house();
        let (one, other) = (house.places(1).await, house.places(50).await);
        let first = house.book(ask::one(&one)).await;
        let wait = |_| {
            let claim = WaitFor::Claim(ask::lines(&[("standard", 1)]));
            let Action::JoinWaitlist(mut join) = ask::wait_for(&one, claim, Customer::default()).action
            else {
                unreachable!()
            };
            join.customer.name = "A guest".to_owned();
            (join.address, join.max_open_holds_of_address) = (Some("here".to_owned()), Some(3));
            Command::new(Actor::Public, Action::JoinWaitlist(join))
        };
        let left = (0..4).map(wait).collect();
        let right = (0..4).map(|_| from_address(&other, "here", 3)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&[left.clone(), right.clone()].concat(), 3, "customer_limit", way);
        house.audit();
        let joined = left.into_iter().filter_map(Result::ok).map(|outcome| match outcome {
            Outcome::Waits(entry) => entry.id,
            other => panic!("{other:?}"),
        });
        let joined: Vec<_> = joined.collect();
        if joined.is_empty() {
            continue;
        }
        // It is the same one when it has become a hold, and none when it has lapsed.
        house.submit(ask::cancel(&ask::operator("Olim"), first.id)).await.unwrap();
        assert!(house.standings(&joined).await.contains(&Standing::Offered));
        assert_eq!(
            house.try_book(from_address(&other, "here", 3)).await.unwrap_err().code,
            Code::CustomerLimit
        );
        house.audit();
        house.pass(600);
        house.settle().await;
        house.book(from_address(&other, "here", 3)).await;
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_set_later_counts_what_the_customer_has() {
    for way in ways() {
        let house = way.house();
        let listing = house.paid_places(pools(), json!({})).await;
        house.book(of(&listing, "a", ann())).await;
        let left = vec![ask::patch(&listing, json!({ "policy": { "max_per_customer": 2 } }))];
        let right = (0..3).map(|_| of(&listing, "b", ann())).collect();
        let (left, _) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        let refusal = loop {
            // Whatever came before the limit stays; from now on it holds.
            if let Err(refusal) = house.try_book(of(&listing, "b", ann())).await {
                break refusal;
            }
        };
        assert_eq!(refusal.code, Code::CustomerLimit);
        house.audit();
        let read = lastseat_store::Store::reader(house.store.as_ref()).unwrap();
        let units = read.customers(listing.no).unwrap()[0].1.units;
        assert!((2..=4).contains(&units), "{way:?}: {units}");
    }
}

#[tokio::test]
async fn a_booking_that_is_moved_counts_once() {
    let house = House::open();
    let listing = house.paid_places(pools(), json!({ "max_per_customer": 2, "max_open_holds": 1 })).await;
    let held = house.book(ask::create_for(&listing, ask::lines(&[("a", 2)]), ann())).await;
    house.submit(ask::reschedule(held.id, ask::lines(&[("b", 2)]))).await.unwrap();
    let more = house.submit(ask::reschedule(held.id, ask::lines(&[("a", 1), ("b", 2)]))).await.unwrap_err();
    assert_eq!(more.code, Code::CustomerLimit);
    house.audit();
}
