//! Who needs more than is free: passed over at most ten times.

use lastseat_core::command::WaitFor;
use lastseat_core::waitlist::{Ended, MAX_SKIPS, Standing};
use serde_json::json;

use crate::common::{House, ask};

/// A sold-out listing with a booking per place.
async fn full(
    house: &House,
    places: i64,
) -> (std::sync::Arc<lastseat_core::listing::Listing>, Vec<lastseat_core::id::BookingId>) {
    let listing = house.places(places).await;
    let mut booked = Vec::new();
    for _ in 0..places {
        booked.push(house.book(ask::one(&listing)).await.id);
    }
    (listing, booked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_behind_singles_is_passed_over_ten_times_and_then_served() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 20).await;
    let by = ask::operator("Olim");
    let group = house.join(ask::wait(&listing, 4, "Group")).await;
    let mut singles = Vec::new();
    for number in 0..15 {
        singles.push(house.join(ask::wait(&listing, 1, &format!("Single {number}"))).await);
    }
    for round in 1..=10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        let entry = house.entry(group).await;
        assert_eq!((entry.standing, entry.entry.skipped), (Standing::Waiting, round));
        assert_eq!(house.entry(singles[round as usize - 1]).await.standing, Standing::Offered);
        house.audit();
    }
    // From now on everything is kept for it.
    for kept in 1..=3 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        assert_eq!(house.entry(group).await.entry.skipped, MAX_SKIPS);
        assert_eq!(house.entry(singles[10]).await.standing, Standing::Waiting);
        let found = house.availability(&listing).await;
        assert_eq!((found.pools[0].available, found.pools[0].kept, found.waiting), (0, kept, 6));
        assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
        house.audit();
    }
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    let entry = house.entry(group).await;
    assert_eq!((entry.standing, entry.offer.unwrap().total), (Standing::Offered, 4_000));
    // The others are served again.
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    assert_eq!(house.entry(singles[10]).await.standing, Standing::Offered);
    house.audit();
    // Why it had to wait, event by event.
    let events = house.engine.events(0, Some(listing.no), 500).await.unwrap();
    let skips: Vec<serde_json::Value> = events
        .iter()
        .filter(|event| event.kind.as_str() == "waitlist.skipped")
        .map(|event| serde_json::from_str(&event.data).unwrap())
        .collect();
    assert_eq!(skips.len(), 10);
    for (number, skip) in (1..).zip(&skips) {
        assert_eq!(skip["id"], group.to_string());
        assert_eq!((&skip["skipped"], &skip["wants"]), (&json!(number), &json!(4)));
        assert_eq!(skip["in_favour_of"], singles[number - 1].to_string());
        assert_eq!(skip["pools"], json!(["standard"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_passes_a_group_over_no_more_often_than_those_who_wait() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 20).await;
    let by = ask::operator("Olim");
    let group = house.join(ask::wait(&listing, 4, "Group")).await;
    for round in 1..=10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.book(ask::one(&listing)).await;
        assert_eq!(house.entry(group).await.entry.skipped, round);
        house.audit();
    }
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_for_others_again_when_the_group_leaves() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 20).await;
    let by = ask::operator("Olim");
    let group = house.join(ask::wait(&listing, 4, "Group")).await;
    for _ in 0..10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.book(ask::one(&listing)).await;
    }
    let late = house.join(ask::wait(&listing, 2, "Late")).await;
    for _ in 0..3 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    }
    assert_eq!(house.standings(&[group, late]).await, [Standing::Waiting; 2]);
    house.submit(ask::leave(group)).await.unwrap();
    assert_eq!(house.standings(&[group, late]).await, [Standing::Left, Standing::Offered]);
    house.book(ask::one(&listing)).await;
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_groups_at_their_bound_are_served_in_order() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 30).await;
    let by = ask::operator("Olim");
    let mut groups = Vec::new();
    for (name, quantity) in [("First", 3), ("Second", 2)] {
        groups.push(house.join(ask::wait(&listing, quantity, name)).await);
    }
    for _ in 0..10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.book(ask::one(&listing)).await;
    }
    for _ in 0..2 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.audit();
    }
    // Two are free, and the second would fit; they are the first's.
    assert_eq!(house.standings(&groups).await, [Standing::Waiting, Standing::Waiting]);
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    assert_eq!(house.standings(&groups).await, [Standing::Offered, Standing::Waiting]);
    for _ in 0..2 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    }
    assert_eq!(house.standings(&groups).await, [Standing::Offered, Standing::Offered]);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lowered_capacity_takes_what_is_kept_before_it_is_refused() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 12).await;
    let by = ask::operator("Olim");
    let group = house.join(ask::wait(&listing, 4, "Group")).await;
    for _ in 0..10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.book(ask::one(&listing)).await;
    }
    for _ in 0..2 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    }
    assert_eq!(house.availability(&listing).await.pools[0].kept, 2);
    house.submit(ask::capacity(&listing, 11)).await.unwrap();
    house.audit();
    assert_eq!(house.availability(&listing).await.pools[0].kept, 1);
    assert_eq!(house.submit(ask::capacity(&listing, 9)).await.unwrap_err().code.as_str(), "capacity_in_use");
    house.submit(ask::capacity(&listing, 14)).await.unwrap();
    assert_eq!(house.entry(group).await.standing, Standing::Offered);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_one_pool_stays_kept_when_another_comes_free() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 12, "price": 1_000 }, { "key": "other", "capacity": 1, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let by = ask::operator("Olim");
    let mut booked = Vec::new();
    for _ in 0..12 {
        booked.push(house.book(ask::one(&listing)).await.id);
    }
    let other = house.book(ask::create(&listing, ask::lines(&[("other", 1)]))).await;
    let group = house.join(ask::wait(&listing, 4, "Group")).await;
    for _ in 0..10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.book(ask::one(&listing)).await;
    }
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    assert_eq!(house.availability(&listing).await.pools[0].kept, 1);
    house.submit(ask::cancel(&by, other.id)).await.unwrap();
    assert_eq!(house.availability(&listing).await.pools[0].kept, 1);
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
    assert_eq!(house.entry(group).await.standing, Standing::Waiting);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_passed_over_where_enough_is_left() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }, { "key": "other", "capacity": 15, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let one_of = |key: &str| ask::create(&listing, ask::lines(&[(key, 1)]));
    let booked = house.book(one_of("standard")).await;
    let both = WaitFor::Claim(ask::lines(&[("standard", 1), ("other", 2)]));
    let waits = house.join(ask::wait_for(&listing, both, ask::known("Vera"))).await;
    for left in (2..15).rev() {
        house.book(one_of("other")).await;
        assert_eq!(house.availability(&listing).await.pools[1].available, left);
        assert_eq!(house.entry(waits).await.entry.skipped, 0);
    }
    // From here on it loses something: what is left of the other would not do any more.
    let mut last = house.book(one_of("other")).await;
    for round in 1..=10 {
        assert_eq!(house.entry(waits).await.entry.skipped, round);
        house.submit(ask::cancel(&ask::operator("Olim"), last.id)).await.unwrap();
        house.audit();
        if round < 10 {
            last = house.book(one_of("other")).await;
        }
    }
    let kept = house.availability(&listing).await.pools[1].kept;
    assert_eq!((kept, house.try_book(one_of("other")).await.unwrap_err().code.as_str()), (2, "sold_out"));
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.entry(waits).await.standing, Standing::Offered);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_not_passed_over_by_bookings_of_their_own() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 12).await;
    let group = house.join(ask::wait(&listing, 4, "Group")).await;
    let single = |who: &str| ask::create_for(&listing, ask::lines(&[("standard", 1)]), ask::known(who));
    for (who, skipped) in [("Group", 0), ("Anna", 1), ("Group", 1)] {
        house.submit(ask::cancel(&ask::operator("Olim"), booked.pop().unwrap())).await.unwrap();
        house.book(single(who)).await;
        assert_eq!(house.entry(group).await.entry.skipped, skipped);
    }
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_for_whom_nothing_could_be_had_anyway() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 14, "price": 1_000 }, { "key": "other", "capacity": 4, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_per_customer": 4 })).await;
    let by = ask::operator("Olim");
    let mut booked = Vec::new();
    for _ in 0..14 {
        booked.push(house.book(ask::one(&listing)).await.id);
    }
    let limited = house.join(ask::wait(&listing, 4, "Limited")).await;
    house.join(ask::wait(&listing, 4, "Large")).await;
    for _ in 0..10 {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        house.book(ask::one(&listing)).await;
    }
    house.book(ask::create_for(&listing, ask::lines(&[("other", 1)]), ask::known("Limited"))).await;
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    let entry = house.entry(limited).await;
    assert_eq!((entry.standing, entry.ended), (Standing::Closed, Some(Ended::CustomerLimit)));
    assert_eq!(house.availability(&listing).await.pools[0].kept, 1);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_for_who_wants_more_than_there_is_any_more() {
    let house = House::open();
    let (listing, mut booked) = full(&house, 14).await;
    let by = ask::operator("Olim");
    house.join(ask::wait(&listing, 4, "Group")).await;
    for _ in 0..10 {
        house.submit(ask::cancel(&by, booked.remove(0))).await.unwrap();
        booked.push(house.book(ask::one(&listing)).await.id);
    }
    for capacity in (3..14).rev() {
        house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
        assert_eq!(house.availability(&listing).await.pools[0].kept, 1);
        house.submit(ask::capacity(&listing, capacity)).await.unwrap();
        house.audit();
    }
    // Four will never come free of three.
    house.submit(ask::cancel(&by, booked.pop().unwrap())).await.unwrap();
    let pool = &house.availability(&listing).await.pools[0];
    assert_eq!((pool.kept, pool.available), (0, 1));
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_two_pools_is_not_passed_over_for_ever_by_those_who_take_all_of_one() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 3, "price": 1_000 }, { "key": "other", "capacity": 3, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let by = ask::operator("Olim");
    let all_of = |key: &str| ask::create(&listing, ask::lines(&[(key, 3)]));
    let mut taken = vec![house.book(all_of("standard")).await.id, house.book(all_of("other")).await.id];
    let both = WaitFor::Claim(ask::lines(&[("standard", 2), ("other", 2)]));
    let group = house.join(ask::wait_for(&listing, both, ask::known("Group"))).await;
    for round in 1..=10 {
        // Now the one, now the other comes free, and goes as a whole.
        house.submit(ask::cancel(&by, taken.remove(0))).await.unwrap();
        taken.push(house.book(all_of(["other", "standard"][round % 2])).await.id);
        assert_eq!(house.entry(group).await.entry.skipped, u32::try_from(round).unwrap());
    }
    house.submit(ask::cancel(&by, taken.remove(0))).await.unwrap();
    let refused = house.try_book(all_of("standard")).await.unwrap_err();
    assert_eq!((refused.code.as_str(), house.availability(&listing).await.pools[0].kept), ("sold_out", 2));
    house.submit(ask::cancel(&by, taken.remove(0))).await.unwrap();
    assert_eq!(house.entry(group).await.standing, Standing::Offered);
    house.audit();
}
