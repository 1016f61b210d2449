//! Long lists: served in parts, and no more is loaded than is needed.

use lastseat_core::booking::State;
use lastseat_core::command::WaitFor;
use lastseat_core::waitlist::Standing;
use serde_json::json;

use crate::common::{House, ask};

/// The longest that an edit of a large listing may take, in a build that is not optimised, on a busy machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);

/// More than one transaction gives away.
const MANY: i64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn more_offers_than_one_transaction_may_make_come_one_after_the_other_and_nobody_slips_in() {
    let house = House::open();
    let listing = house.places(1).await;
    house.book(ask::one(&listing)).await;
    for part in 0..MANY / 1_000 {
        let joins = (0..1_000).map(|number| ask::wait(&listing, 1, &format!("W {part} {number}"))).collect();
        assert!(house.all_at_once(joins).await.iter().all(Result::is_ok));
    }
    let raise = house.submit(ask::capacity(&listing, MANY));
    raise.await.unwrap();
    let first = house.availability(&listing).await;
    assert!(first.pools[0].held < MANY && first.pools[0].kept > 0, "{first:?}");
    assert_eq!(first.pools[0].available, 0);
    assert_eq!(house.engine.waiting(listing.no).await.unwrap(), MANY - first.pools[0].held + 1);
    // Who asks has more of them made, and nothing of what is left for others.
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "overloaded");
    assert!(house.stock(&listing, "standard").await.1 > first.pools[0].held);
    for _ in 0..5 {
        house.settle().await;
    }
    assert_eq!(house.stock(&listing, "standard").await, (0, MANY, 0));
    assert_eq!(house.engine.waiting(listing.no).await.unwrap(), 1);
    assert!(lastseat_store::verify::verify(house.store.as_ref()).unwrap().ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_waits_until_those_who_wait_have_got_what_they_wanted() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 3_000, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let late = house.book(ask::one(&listing)).await;
    for part in [999, 1_000, 1_000] {
        house.all_at_once((0..part).map(|_| ask::one(&listing)).collect()).await;
    }
    let joins = (0..1_100).map(|number| ask::wait(&listing, 1, &format!("W {number}"))).collect();
    assert!(house.all_at_once(joins).await.iter().all(Result::is_ok));
    house.pass(600);
    // One transaction does not make 1,100 offers. What is left then is kept, and it is more than those who wait want.
    let pays = || house.submit(ask::pay(late.id, 1_000, "late"));
    assert_eq!(pays().await.unwrap_err().code.as_str(), "overloaded");
    let paid = crate::common::booking(pays().await.unwrap());
    assert_eq!((paid.state, paid.refund_due), (State::Confirmed, 0));
    assert_eq!(house.engine.waiting(listing.no).await.unwrap(), 0);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn long_stays_that_have_lapsed_count_once_each() {
    let house = House::open();
    let listing = house
        .listing(json!({
            "kind": "nights", "resources": [{ "key": "double", "capacity": 400, "price": 1_000 }],
            "calendar": { "from": "2026-06-02", "until": "2026-08-01" },
            "policy": { "payment": ["external"], "hold_seconds": 600 },
        }))
        .await;
    let stay = || ask::create(&listing, ask::stay("double", "2026-06-05", "2026-07-20"));
    house.all_at_once((0..400).map(|_| stay()).collect()).await;
    let claim = || WaitFor::Claim(ask::stay("double", "2026-06-05", "2026-07-20"));
    for number in 0..40 {
        house.join(ask::wait_for(&listing, claim(), ask::known(&format!("W {number}")))).await;
    }
    house.pass(600);
    // 18,000 nights: more than one transaction would sweep of bookings.
    house.book(stay()).await;
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_behind_thousands_of_couples_is_found() {
    let house = House::open();
    let listing =
        house.paid_places(json!([{ "key": "standard", "capacity": 2, "price": 1_000 }]), json!({})).await;
    let one = house.book(ask::one(&listing)).await;
    house.book(ask::one(&listing)).await;
    for part in 0..6 {
        let joins = (0..1_000).map(|number| ask::wait(&listing, 2, &format!("C {part} {number}"))).collect();
        assert!(house.all_at_once(joins).await.iter().all(Result::is_ok));
    }
    let single = house.join(ask::wait(&listing, 1, "Single")).await;
    assert_eq!(house.entry(single).await.ahead, 6_000);
    house.submit(ask::cancel(&ask::operator("Olim"), one.id)).await.unwrap();
    assert_eq!(house.entry(single).await.standing, Standing::Offered);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_very_many_pools_of_which_one_is_waited_for_holds_nobody_up() {
    let house = House::open();
    let resource = |number| json!({ "key": format!("room-{number}"), "capacity": 1, "price": 1_000 });
    let listing = house
        .listing(json!({
            "kind": "nights", "resources": (0..60).map(resource).collect::<Vec<_>>(),
            "calendar": { "from": "2026-06-02", "until": "2027-06-02" },
            "policy": { "payment": ["external"], "hold_seconds": 600 },
        }))
        .await;
    let night = || ask::stay("room-0", "2026-06-10", "2026-06-11");
    house.book(ask::create(&listing, night())).await;
    let join = |number| ask::wait_for(&listing, WaitFor::Claim(night()), ask::known(&format!("W {number}")));
    let joins = (0..1_000).map(join).collect();
    assert!(house.all_at_once(joins).await.iter().all(Result::is_ok));
    for patch in [json!({ "description": "New words" }), json!({ "policy": { "max_quantity": 2 } })] {
        let begun = std::time::Instant::now();
        house.patch(&listing, patch).await;
        house.settle().await;
        assert!(begun.elapsed() < PATIENCE, "an edit took {:?}", begun.elapsed());
    }
    assert_eq!(house.engine.waiting(listing.no).await.unwrap(), 1_000);
}
