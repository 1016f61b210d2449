//! Who may wait, and what for.

use lastseat_core::Outcome;
use lastseat_core::command::WaitFor;
use lastseat_core::customer::Customer;
use lastseat_core::refusal::RefusalData;
use lastseat_core::waitlist::Standing;
use serde_json::json;

use crate::common::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_what_can_be_had() {
    let house = House::open();
    let listing = house.places(2).await;
    let refused = house.try_join(ask::wait(&listing, 1, "Vera")).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "wrong_state");
    let RefusalData::Pools { pools, .. } = refused.data else { panic!("{:?}", refused.data) };
    assert_eq!((pools[0].key.as_str(), pools[0].available), ("standard", 2));
    house.book(ask::one(&listing)).await;
    // One is left, and two are wanted.
    let pair = house.join(ask::wait(&listing, 2, "Pair")).await;
    assert_eq!(house.entry(pair).await.ahead, 0);
    // An overdue hold does not count.
    let held = house.places(1).await;
    house.book(ask::one(&held)).await;
    house.pass(600);
    assert_eq!(house.try_join(ask::wait(&held, 1, "Vera")).await.unwrap_err().code.as_str(), "wrong_state");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_be_served_is_told_at_once() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 2, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_quantity": 5 })).await;
    house.book(ask::create(&listing, ask::lines(&[("standard", 2)]))).await;
    for quantity in [0, -1, 3, 6, 1_001] {
        let refused = house.try_join(ask::wait(&listing, quantity, "Vera")).await.unwrap_err();
        assert_eq!(refused.code.as_str(), "invalid", "{quantity}");
        let any = ask::wait_for(&listing, WaitFor::Any(quantity), ask::known("Vera"));
        assert_eq!(house.try_join(any).await.unwrap_err().code.as_str(), "invalid", "{quantity}");
    }
    let unknown = WaitFor::Claim(ask::lines(&[("balcony", 1)]));
    let refused = house.try_join(ask::wait_for(&listing, unknown, ask::known("Vera"))).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "invalid");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_listings_and_those_without_a_waitlist_take_nobody() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }]);
    let without = house.paid_places(pools, json!({ "waitlist": false })).await;
    house.book(ask::one(&without)).await;
    let refused = house.try_join(ask::wait(&without, 1, "Vera")).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "wrong_state");
    let sold_out = house.try_book(ask::one(&without)).await.unwrap_err();
    assert!(matches!(sold_out.data, RefusalData::Pools { waitlist: None, .. }));
    for (patch, code) in [
        (json!({ "status": "draft" }), "not_found"),
        (json!({ "status": "closed" }), "not_on_sale"),
        (json!({ "sale_opens_at": "2026-06-02T12:00:00Z" }), "not_on_sale"),
        (json!({ "sale_closes_at": "2026-06-01T12:00:00Z" }), "not_on_sale"),
        (json!({ "status": "cancelled" }), "not_on_sale"),
    ] {
        let listing = house.places(1).await;
        house.book(ask::one(&listing)).await;
        house.patch(&listing, patch.clone()).await;
        let refused = house.try_join(ask::wait(&listing, 1, "Vera")).await.unwrap_err();
        assert_eq!(refused.code.as_str(), code, "{patch}");
    }
    let listing = house.places(1).await;
    house.book(ask::one(&listing)).await;
    let sold_out = house.try_book(ask::one(&listing)).await.unwrap_err();
    assert!(matches!(sold_out.data, RefusalData::Pools { waitlist: Some(id), .. } if id == listing.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_waits_once_and_who_has_no_identity_as_often_as_asked() {
    let house = House::open();
    let listing = house.places(1).await;
    house.book(ask::one(&listing)).await;
    let first = house.join(ask::wait(&listing, 1, "Vera")).await;
    let again = house.submit(ask::wait(&listing, 1, "VERA")).await.unwrap();
    assert_eq!(again, Outcome::WaitsAlready(first));
    let nobody = || {
        let want = WaitFor::Claim(ask::lines(&[("standard", 1)]));
        ask::wait_for(&listing, want, Customer { name: "Nobody".to_owned(), ..Customer::default() })
    };
    let (one, two) = (house.join(nobody()).await, house.join(nobody()).await);
    assert_ne!(one, two);
    assert_eq!([house.entry(one).await.ahead, house.entry(two).await.ahead], [1, 2]);
    // In one batch too.
    let twice =
        house.all_at_once(vec![ask::wait(&listing, 1, "Boris"), ask::wait(&listing, 1, "Boris")]).await;
    let joined = twice.iter().filter(|answer| matches!(answer, Ok(Outcome::Waits(_)))).count();
    assert_eq!(joined, 1, "{twice:?}");
    // Who left may join again, at the end.
    house.submit(ask::leave(first)).await.unwrap();
    let later = house.join(ask::wait(&listing, 1, "Vera")).await;
    assert_eq!(house.entry(later).await.ahead, 3);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_under_the_same_key_joins_once() {
    let house = House::open();
    let listing = house.places(1).await;
    house.book(ask::one(&listing)).await;
    house.join(ask::wait(&listing, 1, "Anna")).await;
    let join = ask::under_key(ask::wait(&listing, 1, "Vera"), 5);
    let Outcome::Waits(first) = house.submit(join.clone()).await.unwrap() else { panic!("it joins") };
    let again = house.engine.submit(join).await.unwrap();
    let Outcome::Waits(second) = again.outcome else { panic!("{:?}", again.outcome) };
    assert!(again.replayed);
    assert_eq!((second.id, second.joined_behind), (first.id, 1));
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_ahead_are_those_who_wait_for_the_same() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }, { "key": "vip", "capacity": 1, "price": 5_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    house.book(ask::create(&listing, ask::lines(&[("standard", 1), ("vip", 1)]))).await;
    let claim =
        |keys: &[&str]| WaitFor::Claim(ask::lines(&keys.iter().map(|key| (*key, 1)).collect::<Vec<_>>()));
    let wants = [
        ("A", claim(&["standard"]), 0),
        ("B", claim(&["vip"]), 0),
        ("C", claim(&["standard"]), 1),
        ("D", WaitFor::Any(1), 3),
        ("E", claim(&["vip"]), 2),
        ("F", claim(&["standard", "vip"]), 5),
    ];
    let mut ids = Vec::new();
    for (name, want, ahead) in wants {
        let id = house.join(ask::wait_for(&listing, want, ask::known(name))).await;
        let entry = house.entry(id).await;
        assert_eq!((entry.ahead, entry.entry.joined_behind), (ahead, ahead), "{name}");
        ids.push(id);
    }
    // It never grows, and falls when somebody leaves.
    house.submit(ask::leave(ids[0])).await.unwrap();
    let mut now = Vec::new();
    for id in &ids[1..] {
        now.push(house.entry(*id).await.ahead);
    }
    assert_eq!(now, [0, 0, 2, 2, 4]);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_pool_will_do_for_who_says_so() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 2, "price": 1_000 }, { "key": "vip", "capacity": 2, "price": 5_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let by = ask::operator("Olim");
    let all = [("standard", 1), ("standard", 1), ("vip", 1), ("vip", 1)];
    let mut booked = Vec::new();
    for claim in all {
        booked.push(house.book(ask::create(&listing, ask::lines(&[claim]))).await.id);
    }
    let pair = house.join(ask::wait_for(&listing, WaitFor::Any(2), ask::known("Pair"))).await;
    house.submit(ask::cancel(&by, booked[0])).await.unwrap();
    assert_eq!(house.entry(pair).await.standing, Standing::Waiting);
    house.audit();
    house.submit(ask::cancel(&by, booked[2])).await.unwrap();
    let offer = house.entry(pair).await.offer.unwrap();
    assert_eq!((offer.total, offer.lines.len()), (6_000, 2));
    house.audit();
}
