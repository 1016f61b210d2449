//! Everything that frees a place feeds the list, and nobody else sees it.

use lastseat_core::booking::State;
use lastseat_core::command::{Action, PoolRange, PoolSpec, PoolsChange, WaitFor};
use lastseat_core::waitlist::Standing;
use serde_json::json;

use crate::common::{House, ask};

/// A listing of one place that is taken, with somebody who waits for it.
macro_rules! taken {
    ($house:ident, $listing:ident, $booked:ident, $waits:ident) => {
        let $house = House::open();
        let $listing = $house.places(1).await;
        let $booked = $house.book(ask::one(&$listing)).await;
        let $waits = $house.join(ask::wait(&$listing, 1, "Vera")).await;
        assert_eq!($house.entry($waits).await.standing, Standing::Waiting);
    };
}

/// Whether the entry has got the place, which nobody else can have.
async fn served(
    house: &House,
    listing: &lastseat_core::listing::Listing,
    waits: lastseat_core::id::WaitlistId,
) {
    let entry = house.entry(waits).await;
    assert_eq!(entry.standing, Standing::Offered);
    let offer = entry.offer.unwrap();
    assert_eq!((offer.state, offer.customer.name.as_str()), (State::Held, "Vera"));
    assert_eq!(offer.deadline, Some(house.now().plus_seconds(600)));
    assert_eq!(house.events(&offer).await, ["booking.held"]);
    assert_eq!(house.try_book(ask::one(listing)).await.unwrap_err().code.as_str(), "sold_out");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_booking_goes_to_who_waits() {
    taken!(house, listing, booked, waits);
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_receipt_goes_to_who_waits() {
    taken!(house, listing, booked, waits);
    house.submit(ask::receipt(booked.id)).await.unwrap();
    house.submit(ask::reject(&ask::operator("Olim"), booked.id)).await.unwrap();
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_hold_goes_to_who_waits_when_the_worker_settles_it() {
    taken!(house, listing, _booked, waits);
    house.pass(600);
    house.settle().await;
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_hold_goes_to_who_waits_when_somebody_else_tries_to_book_it() {
    taken!(house, listing, _booked, waits);
    house.pass(600);
    // Nobody has settled it; and what it gives is not for the public.
    assert_eq!(house.stock(&listing, "standard").await.0, 0);
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_capacity_goes_to_who_waits() {
    taken!(house, listing, _booked, waits);
    house.submit(ask::capacity(&listing, 2)).await.unwrap();
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unblocked_unit_goes_to_who_waits() {
    let house = House::open();
    let listing = house.places(1).await;
    let blocked = |blocked: i64| {
        let pool =
            PoolSpec { key: "standard".to_owned(), capacity: None, blocked: Some(blocked), price: None };
        ask::admin(Action::PutPools { id: listing.id, change: PoolsChange::Pools(vec![pool]) })
    };
    house.submit(blocked(1)).await.unwrap();
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(blocked(0)).await.unwrap();
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_is_moved_away_leaves_its_place_to_who_waits() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }, { "key": "other", "capacity": 1, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let booked = house.book(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(ask::reschedule(booked.id, ask::lines(&[("other", 1)]))).await.unwrap();
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_is_made_smaller_leaves_the_rest_to_who_waits() {
    let house = House::open();
    let listing = house.places(2).await;
    let booked = house.book(ask::create(&listing, ask::lines(&[("standard", 2)]))).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(ask::reschedule(booked.id, ask::lines(&[("standard", 1)]))).await.unwrap();
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_lapses_or_is_declined_goes_to_the_next() {
    let house = House::open();
    let listing = house.places(1).await;
    let booked = house.book(ask::one(&listing)).await;
    let mut waits = Vec::new();
    for name in ["Anna", "Boris", "Vera"] {
        waits.push(house.join(ask::wait(&listing, 1, name)).await);
    }
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.standings(&waits).await, [Standing::Offered, Standing::Waiting, Standing::Waiting]);
    house.pass(600);
    house.settle().await;
    assert_eq!(house.standings(&waits).await, [Standing::Lapsed, Standing::Offered, Standing::Waiting]);
    house.submit(ask::leave(waits[1])).await.unwrap();
    assert_eq!(house.standings(&waits).await, [Standing::Lapsed, Standing::Left, Standing::Offered]);
    served(&house, &listing, waits[2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_payment_does_not_pass_who_waits() {
    taken!(house, listing, booked, waits);
    house.pass(600);
    let late = house.submit(ask::pay(booked.id, 1_000, "late")).await.map(crate::common::booking).unwrap();
    assert_eq!((late.state, late.refund_due), (State::Expired, 1_000));
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_does_not_pass_who_waits() {
    taken!(house, listing, _booked, waits);
    house.pass(600);
    let refused = house.submit(ask::import(&listing, "old-1")).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "sold_out");
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_free_in_a_batch_is_for_who_waits_and_not_for_who_comes_later_in_the_same_batch() {
    taken!(house, listing, booked, waits);
    let commands =
        vec![ask::cancel(&ask::operator("Olim"), booked.id), ask::one(&listing), ask::one(&listing)];
    let answers = house.all_at_once(commands).await;
    assert!(answers[0].is_ok() && answers[1].is_err() && answers[2].is_err(), "{answers:?}");
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nights_that_are_added_or_raised_go_to_who_waits_for_all_of_them() {
    let house = House::open();
    let listing = house
        .listing(json!({
            "kind": "nights", "resources": [{ "key": "double", "title": "Double", "capacity": 1, "price": 100 }],
            "calendar": { "from": "2026-07-01", "until": "2026-08-01" },
            "policy": { "payment": ["receipt"], "hold_seconds": 600 }
        }))
        .await;
    let book = |from: &str, until: &str| ask::create(&listing, ask::stay("double", from, until));
    let first = house.book(book("2026-07-01", "2026-07-03")).await;
    let second = house.book(book("2026-07-03", "2026-07-05")).await;
    let stay = WaitFor::Claim(ask::stay("double", "2026-07-02", "2026-07-04"));
    let waits = house.join(ask::wait_for(&listing, stay, ask::known("Vera"))).await;
    // Half of it is not enough, and is there for others.
    house.submit(ask::cancel(&ask::operator("Olim"), first.id)).await.unwrap();
    assert_eq!(house.entry(waits).await.standing, Standing::Waiting);
    let third = house.book(book("2026-07-01", "2026-07-02")).await;
    house.submit(ask::cancel(&ask::operator("Olim"), second.id)).await.unwrap();
    let entry = house.entry(waits).await;
    assert_eq!(entry.standing, Standing::Offered);
    let lines = entry.offer.unwrap().lines;
    assert_eq!(
        lines.iter().map(|line| listing.pool_key(line.pool)).collect::<Vec<_>>(),
        ["double/2026-07-02", "double/2026-07-03"]
    );
    // A range of nights that is raised.
    let stay = WaitFor::Claim(ask::stay("double", "2026-07-01", "2026-07-03"));
    let next = house.join(ask::wait_for(&listing, stay, ask::known("Boris"))).await;
    let date = |text: &str| text.parse().unwrap();
    let range = PoolRange {
        resource: "double".to_owned(),
        from: date("2026-07-01"),
        until: date("2026-07-03"),
        capacity: Some(2),
        blocked: None,
        price: None,
    };
    house
        .submit(ask::admin(Action::PutPools { id: listing.id, change: PoolsChange::Range(range) }))
        .await
        .unwrap();
    assert_eq!(house.entry(next).await.standing, Standing::Offered);
    assert_eq!(house.read(third.id).await.state, State::Held);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_offers_nothing_until_it_is_published_again() {
    taken!(house, listing, booked, waits);
    house.patch(&listing, json!({ "status": "draft" })).await;
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.entry(waits).await.standing, Standing::Waiting);
    house.audit();
    house.patch(&listing, json!({ "status": "published" })).await;
    served(&house, &listing, waits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_lapsed_is_enough_for_who_waits_and_for_who_comes_then() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 6, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_quantity": 6 })).await;
    house.paid(ask::one(&listing)).await;
    house.book(ask::create(&listing, ask::lines(&[("standard", 5)]))).await;
    let waits = house.join(ask::wait(&listing, 3, "Vera")).await;
    // Nobody has swept: whoever comes first does, and who waits comes before them.
    house.pass(600);
    house.book(ask::one(&listing)).await;
    let entry = house.entry(waits).await;
    assert_eq!((entry.standing, entry.entry.skipped), (Standing::Offered, 0));
    house.book(ask::one(&listing)).await;
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_lapsed_is_enough_for_large_groups_that_wait_and_for_who_comes_then() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 3_000, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_quantity": 1_000 })).await;
    for _ in 0..3 {
        house.book(ask::create(&listing, ask::lines(&[("standard", 1_000)]))).await;
    }
    let mut waits = Vec::new();
    for name in ["Vera", "Boris"] {
        waits.push(house.join(ask::wait(&listing, 1_000, name)).await);
    }
    house.pass(600);
    house.book(ask::one(&listing)).await;
    assert_eq!(house.standings(&waits).await, [Standing::Offered, Standing::Offered]);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_lapsed_of_the_other_pool_counts_too_for_who_waits_for_both() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }, { "key": "other", "capacity": 1, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    for pool in ["standard", "other"] {
        house.book(ask::create(&listing, ask::lines(&[(pool, 1)]))).await;
    }
    let both = WaitFor::Claim(ask::lines(&[("standard", 1), ("other", 1)]));
    for want in [both, WaitFor::Any(2)] {
        let waits = house.join(ask::wait_for(&listing, want, ask::known("Vera"))).await;
        // Nobody has swept, and whoever comes asks for one of them only.
        house.pass(600);
        assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
        let entry = house.entry(waits).await;
        assert_eq!((entry.standing, entry.entry.skipped), (Standing::Offered, 0));
        house.audit();
        // The next one waits for two holds, too.
        house.submit(ask::cancel(&ask::operator("Olim"), entry.offer.unwrap().id)).await.unwrap();
        for pool in ["standard", "other"] {
            house.book(ask::create(&listing, ask::lines(&[(pool, 1)]))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_that_has_lapsed_than_one_batch_sweeps_is_given_away_in_two() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 17_000, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_quantity": 1_000 })).await;
    let lapsed = house.book(ask::one(&listing)).await;
    for _ in 0..17 {
        house.all_at_once((0..1_000).map(|_| ask::one(&listing)).collect()).await;
    }
    let mut waits = Vec::new();
    for number in 0..17 {
        waits.push(house.join(ask::wait(&listing, 1_000, &format!("Vera {number}"))).await);
    }
    house.pass(600);
    let offered = |standings: Vec<Standing>| standings.iter().filter(|s| **s == Standing::Offered).count();
    // Whether there is something for who pays late is not known before everything is swept.
    let pays = || house.submit(ask::pay(lapsed.id, 1_000, "late"));
    assert_eq!(pays().await.unwrap_err().code.as_str(), "overloaded");
    assert_eq!(offered(house.standings(&waits).await), 16);
    let booking = crate::common::booking(pays().await.unwrap());
    assert_eq!((booking.state, booking.refund_due), (State::Expired, 1_000));
    assert_eq!(offered(house.standings(&waits).await), 17);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_lapsed_of_who_waits_elsewhere_does_not_count_against_the_limit() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 2, "price": 1_000 }, { "key": "other", "capacity": 2, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_per_customer": 3 })).await;
    let vera = |pool, units| ask::create_for(&listing, ask::lines(&[(pool, units)]), ask::known("Vera"));
    house.book(vera("standard", 1)).await;
    house.book(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 2, "Vera")).await;
    house.book(vera("other", 2)).await;
    house.pass(600);
    // Who comes asks for one of the pools only.
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
    assert_eq!(house.entry(waits).await.standing, Standing::Offered);
    house.audit();
}
