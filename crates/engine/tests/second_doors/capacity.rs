//! Other ways to capacity than a plain booking: an import, a cut, two lines of one basket on the same pool.

use lastseat_core::Outcome;
use lastseat_core::booking::State;
use lastseat_core::refusal::RefusalData;

use crate::common::race::{First, assert_won, codes, ways, won};
use crate::common::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn imports_and_new_customers_share_the_places_and_not_one_more() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(3).await;
        // Each line stands twice in the file: the second is skipped.
        let left: Vec<_> = (0..8).map(|n| ask::import(&listing, &format!("old-{}", n / 2))).collect();
        let right = (0..4).map(|_| ask::one(&listing)).collect();
        let (left, right) = house.race(way, left, right).await;
        let imported = left.iter().filter(|answer| matches!(answer, Ok(Outcome::Imported(_)))).count();
        assert_eq!(imported + won(&right), 3, "{way:?}");
        assert!(codes(&left).iter().chain(&codes(&right)).all(|code| *code == "sold_out"), "{way:?}");
        match way.first {
            First::Left => assert_eq!(imported, 3),
            First::Right => assert_eq!(imported, 0),
            First::Nobody => {}
        }
        assert_eq!(house.stock(&listing, "standard").await.0, 0);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_sweeps_the_overdue_holds_in_its_way() {
    let house = House::open();
    let listing = house.places(1).await;
    let overdue = house.book(ask::one(&listing)).await;
    assert_eq!(house.submit(ask::import(&listing, "a")).await.unwrap_err().code.as_str(), "sold_out");
    house.pass(600);
    assert!(matches!(house.submit(ask::import(&listing, "a")).await.unwrap(), Outcome::Imported(_)));
    assert_eq!(house.read(overdue.id).await.state, State::Expired);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_and_new_customers_never_leave_more_taken_than_there_is() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(4).await;
        house.paid(ask::one(&listing)).await;
        let left = vec![ask::capacity(&listing, 2), ask::capacity(&listing, 1)];
        let right = (0..5).map(|_| ask::one(&listing)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert!(codes(&left).iter().all(|code| *code == "capacity_in_use"), "{way:?}: {left:?}");
        assert!(codes(&right).iter().all(|code| *code == "sold_out"), "{way:?}: {right:?}");
        let capacity = house.availability(&listing).await.pools[0].capacity;
        let taken = 1 + i64::try_from(won(&right)).unwrap();
        assert_eq!(house.stock(&listing, "standard").await, (capacity - taken, taken - 1, 1), "{way:?}");
        match way.first {
            First::Left => assert_eq!((capacity, taken), (1, 1)),
            First::Right => {
                assert_eq!((capacity, taken), (4, 4));
                let Err(refusal) = &left[0] else { panic!("{left:?}") };
                let RefusalData::Pools { pools, .. } = &refusal.data else { panic!("{refusal:?}") };
                assert_eq!((pools[0].key.as_str(), pools[0].held, pools[0].confirmed), ("standard", 3, 1));
            }
            First::Nobody => {}
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_sweeps_overdue_holds_before_it_is_refused() {
    let house = House::open();
    let listing = house.places(2).await;
    house.book(ask::one(&listing)).await;
    house.book(ask::one(&listing)).await;
    assert_eq!(house.submit(ask::capacity(&listing, 0)).await.unwrap_err().code.as_str(), "capacity_in_use");
    house.pass(600);
    house.submit(ask::capacity(&listing, 0)).await.unwrap();
    assert_eq!(house.stock(&listing, "standard").await, (0, 0, 0));
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lines_on_one_pool_are_admitted_as_their_sum() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(3).await;
        let twice = || ask::create(&listing, ask::lines(&[("standard", 1), ("standard", 1)]));
        let left = (0..3).map(|_| twice()).collect();
        let right = (0..3).map(|_| twice()).collect();
        let (left, right) = house.race(way, left, right).await;
        let all = [left, right].concat();
        assert_won(&all, 1, "sold_out", way);
        let Some(Err(refusal)) = all.iter().find(|answer| answer.is_err()) else { panic!() };
        let RefusalData::Pools { pools, .. } = &refusal.data else { panic!("{refusal:?}") };
        assert_eq!((pools.len(), pools[0].requested, pools[0].available), (1, 2, 1));
        assert_eq!(house.stock(&listing, "standard").await, (1, 2, 0));
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basket_over_two_pools_is_taken_whole_or_not_at_all() {
    for way in ways() {
        let house = way.house();
        let pools = serde_json::json!([{ "key": "a", "capacity": 2 }, { "key": "b", "capacity": 2 }]);
        let listing = house.paid_places(pools, serde_json::json!({})).await;
        let left = (0..3).map(|_| ask::create(&listing, ask::lines(&[("a", 2), ("b", 1)]))).collect();
        let right = (0..3).map(|_| ask::create(&listing, ask::lines(&[("b", 2), ("a", 1)]))).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&[left.clone(), right.clone()].concat(), 1, "sold_out", way);
        let taken = if won(&left) == 1 { (2, 1) } else { (1, 2) };
        // No payment is due for what costs nothing.
        let stock = (house.stock(&listing, "a").await.2, house.stock(&listing, "b").await.2);
        assert_eq!(stock, taken, "{way:?}");
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_at_the_same_instant_gives_one_booking() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(5).await;
        let create = || ask::under_key(ask::one(&listing), 77);
        let left = (0..5).map(|_| create()).collect();
        let right = (0..5).map(|_| create()).collect();
        let (left, right) = house.race(way, left, right).await;
        let ids: std::collections::BTreeSet<_> = [left, right]
            .concat()
            .into_iter()
            .map(|answer| match answer.unwrap() {
                Outcome::Booking(booking) => booking.id,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids.len(), 1, "{way:?}");
        assert_eq!(house.stock(&listing, "standard").await, (4, 1, 0));
        house.audit();
    }
}
