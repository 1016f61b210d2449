//! Waiting comes to its end.

use lastseat_core::command::{Action, Actor, Command, WaitFor};
use lastseat_core::waitlist::{Ended, Standing};
use lastseat_store::Store as _;
use serde_json::json;

use crate::common::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_at_its_date_and_with_the_sale_for_every_reader_at_once() {
    let house = House::open();
    let listing = house.places(1).await;
    house.patch(&listing, json!({ "sale_closes_at": "2026-06-01T13:00:00Z" })).await;
    let booked = house.book(ask::one(&listing)).await;
    let mut join = ask::wait(&listing, 1, "Anna");
    if let Action::JoinWaitlist(join) = &mut join.action {
        join.until = Some(house.now().plus_seconds(60));
    }
    let mut waits = vec![house.join(join).await];
    for name in ["Boris", "Vera"] {
        waits.push(house.join(ask::wait(&listing, 1, name)).await);
    }
    house.pass(60);
    assert_eq!(house.standings(&waits).await, [Standing::Closed, Standing::Waiting, Standing::Waiting]);
    assert_eq!(house.entry(waits[0]).await.ended, Some(Ended::Until));
    // It is passed by without having been closed by anybody.
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.standings(&waits).await, [Standing::Closed, Standing::Offered, Standing::Waiting]);
    house.pass(3_600);
    assert_eq!(house.entry(waits[2]).await.standing, Standing::Closed);
    house.settle().await;
    assert_eq!(house.standings(&waits).await, [Standing::Closed, Standing::Lapsed, Standing::Closed]);
    assert_eq!(house.entry(waits[2]).await.ended, Some(Ended::SaleOver));
    assert_eq!(house.engine.waiting(listing.no).await.unwrap(), 0);
    assert_eq!(house.store.reader().unwrap().next_due().unwrap(), None);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_or_cancelled_listing_sends_everybody_home() {
    for (status, why) in [("closed", Ended::ListingClosed), ("cancelled", Ended::ListingCancelled)] {
        let house = House::open();
        let listing = house.places(1).await;
        house.book(ask::one(&listing)).await;
        let mut waits = Vec::new();
        for name in ["Anna", "Boris", "Vera"] {
            waits.push(house.join(ask::wait(&listing, 1, name)).await);
        }
        house.patch(&listing, json!({ "status": status })).await;
        assert_eq!(house.standings(&waits).await, [Standing::Closed; 3]);
        house.settle().await;
        house.renewed().await;
        house.settle().await;
        assert_eq!(house.engine.waiting(listing.no).await.unwrap(), 0);
        for id in &waits {
            assert_eq!(house.entry(*id).await.ended, Some(why));
            assert_eq!(house.submit(ask::leave(*id)).await.unwrap_err().code.as_str(), "wrong_state");
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_prolonged_keeps_them_waiting() {
    let house = House::open();
    let listing = house.places(1).await;
    house.patch(&listing, json!({ "sale_closes_at": "2026-06-01T13:00:00Z" })).await;
    house.paid(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.patch(&listing, json!({ "sale_closes_at": "2026-06-01T15:00:00Z" })).await;
    house.settle().await;
    house.pass(2 * 3_600);
    house.settle().await;
    assert_eq!(house.entry(waits).await.standing, Standing::Waiting);
    assert_eq!(
        house.store.reader().unwrap().next_due().unwrap(),
        Some(crate::common::at("2026-06-01T15:00:00Z"))
    );
    house.pass(3_600);
    house.settle().await;
    assert_eq!(house.entry(waits).await.ended, Some(Ended::SaleOver));
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_may_leave_twice_and_nobody_leaves_for_another() {
    let house = House::open();
    let listing = house.places(1).await;
    house.book(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    let as_who = |actor: Actor| Command::new(actor, Action::LeaveWaitlist { id: waits });
    assert_eq!(house.submit(as_who(Actor::Public)).await.unwrap_err().code.as_str(), "unauthenticated");
    for _ in 0..2 {
        house.submit(ask::leave(waits)).await.unwrap();
        assert_eq!(house.entry(waits).await.standing, Standing::Left);
    }
    let nobody = lastseat_engine::ids::waitlist_id();
    assert_eq!(house.submit(ask::leave(nobody)).await.unwrap_err().code.as_str(), "not_found");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_noticed_by_those_too_who_change_in_the_same_transaction() {
    let house = House::open();
    let listing = house.places(2).await;
    let by = ask::operator("Olim");
    let mut booked = vec![house.paid(ask::one(&listing)).await.id, house.paid(ask::one(&listing)).await.id];
    let keeper = house.join(ask::wait(&listing, 2, "Pair")).await;
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    for _ in 0..10 {
        let taken = house.book(ask::one(&listing)).await;
        house.submit(ask::cancel(&by, taken.id)).await.unwrap();
    }
    assert_eq!(house.availability(&listing).await.pools[0].kept, 1);
    house.patch(&listing, json!({ "sale_closes_at": "2026-06-01T12:00:02Z" })).await;
    house.audit();
    house.settle().await;
    house.pass(2);
    house.settle().await;
    assert_eq!(house.entry(keeper).await.ended, Some(Ended::SaleOver));
    assert_eq!(
        (house.engine.waiting(listing.no).await.unwrap(), house.availability(&listing).await.pools[0].kept),
        (0, 0)
    );
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_slot_that_is_sold_no_more_is_told_so() {
    let house = House::open();
    let hours = |from: &str| json!([{ "days": ["tue"], "from": from, "until": "12:00" }]);
    let listing = house
        .listing(json!({
            "kind": "slots", "slot_minutes": 60,
            "resources": [{ "key": "pitch", "capacity": 1, "price": 1_000 }],
            "calendar": { "from": "2026-06-02", "until": "2026-06-03" }, "opening_hours": hours("09:00"),
        }))
        .await;
    house.book(ask::create(&listing, ask::slot("pitch", "2026-06-02T10:00:00Z", 1))).await;
    let two = WaitFor::Claim(ask::slot("pitch", "2026-06-02T09:00:00Z", 2));
    let waits = house.join(ask::wait_for(&listing, two, ask::known("Vera"))).await;
    let later = WaitFor::Claim(ask::slot("pitch", "2026-06-02T10:00:00Z", 2));
    let later = house.join(ask::wait_for(&listing, later, ask::known("Boris"))).await;
    house.patch(&listing, json!({ "opening_hours": hours("10:00") })).await;
    house.settle().await;
    assert_eq!(house.standings(&[waits, later]).await, [Standing::Closed, Standing::Waiting]);
    assert_eq!(house.entry(waits).await.ended, Some(Ended::SaleOver));
    house.audit();
}
