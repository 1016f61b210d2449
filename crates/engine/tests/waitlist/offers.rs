//! What an offer is, and what becomes of it.

use lastseat_core::booking::State;
use lastseat_core::command::{Actor, BookingChange};
use lastseat_core::listing::Listing;
use lastseat_core::waitlist::{Ended, Standing};
use serde_json::json;

use crate::common::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_taken_up_by_a_receipt_or_by_money_and_stays_taken() {
    let house = House::open();
    let by = ask::operator("Olim");
    for pays in [true, false] {
        let listing = house.places(1).await;
        let booked = house.book(ask::one(&listing)).await;
        let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
        house.submit(ask::cancel(&by, booked.id)).await.unwrap();
        let offer = house.entry(waits).await.offer.unwrap();
        if pays {
            house.submit(ask::pay(offer.id, 1_000, "paid")).await.unwrap();
        } else {
            house.submit(ask::receipt(offer.id)).await.unwrap();
        }
        assert_eq!(house.entry(waits).await.standing, Standing::Taken);
        let refused = house.submit(ask::leave(waits)).await.unwrap_err();
        assert_eq!(refused.code.as_str(), "wrong_state");
        // What becomes of the booking later is the booking's business.
        house.submit(ask::cancel(&by, offer.id)).await.unwrap();
        assert_eq!(house.entry(waits).await.standing, Standing::Taken);
        assert_eq!(told(&house, &listing).await, ["waitlist.joined", "waitlist.offered", "waitlist.taken"]);
        house.audit();
    }
}

/// What was told of the waitlist of a listing, in order.
async fn told(house: &House, listing: &Listing) -> Vec<&'static str> {
    let events = house.engine.events(0, Some(listing.no), 100).await.unwrap();
    let kinds = events.iter().map(|event| event.kind.as_str());
    kinds.filter(|kind| kind.starts_with("waitlist")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_after_an_offer_has_lapsed_takes_it_up() {
    let house = House::open();
    let listing = house.places(1).await;
    let booked = house.book(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    let offer = house.entry(waits).await.offer.unwrap();
    house.pass(600);
    house.settle().await;
    assert_eq!(house.entry(waits).await.standing, Standing::Lapsed);
    house.submit(ask::pay(offer.id, 1_000, "late")).await.unwrap();
    assert_eq!(house.entry(waits).await.standing, Standing::Taken);
    assert_eq!(
        told(&house, &listing).await,
        ["waitlist.joined", "waitlist.offered", "waitlist.lapsed", "waitlist.taken"]
    );
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_the_organiser_cancels_is_closed_and_one_that_the_customer_declines_is_left() {
    let house = House::open();
    let by = ask::operator("Olim");
    let ways =
        [(by.clone(), Standing::Closed, Some(Ended::OfferCancelled)), (Actor::Owner, Standing::Left, None)];
    for (who, standing, why) in ways {
        let listing = house.places(1).await;
        let booked = house.book(ask::one(&listing)).await;
        let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
        house.submit(ask::cancel(&by, booked.id)).await.unwrap();
        let offer = house.entry(waits).await.offer.unwrap();
        house.submit(ask::cancel(&who, offer.id)).await.unwrap();
        let entry = house.entry(waits).await;
        assert_eq!((entry.standing, entry.ended), (standing, why));
        let last = format!("waitlist.{}", standing.as_str());
        assert_eq!(told(&house, &listing).await, ["waitlist.joined", "waitlist.offered", &last]);
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_of_a_listing_that_is_called_off_says_so() {
    let house = House::open();
    let listing = house.places(1).await;
    let booked = house.book(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    house.patch(&listing, json!({ "status": "cancelled" })).await;
    let entry = house.entry(waits).await;
    assert_eq!((entry.standing, entry.ended), (Standing::Closed, Some(Ended::ListingCancelled)));
    house.settle().await;
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_costs_nothing_is_held_until_it_is_accepted() {
    let house = House::open();
    let listing = house
        .listing(json!({ "kind": "places", "pools": [{ "key": "standard", "capacity": 1, "price": 0 }] }))
        .await;
    let booked = house.book(ask::one(&listing)).await;
    assert_eq!(booked.state, State::Confirmed);
    let mut waits = Vec::new();
    for name in ["Anna", "Vera"] {
        waits.push(house.join(ask::wait(&listing, 1, name)).await);
    }
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.standings(&waits).await, [Standing::Offered, Standing::Waiting]);
    house.pass(600);
    house.settle().await;
    assert_eq!(house.standings(&waits).await, [Standing::Lapsed, Standing::Offered]);
    let offer = house.entry(waits[1]).await.offer.unwrap();
    let accepted = house.change(Actor::Owner, offer.id, BookingChange::Accept).await.unwrap();
    assert_eq!(accepted.state, State::Confirmed);
    assert_eq!(house.entry(waits[1]).await.standing, Standing::Taken);
    let twice = house.change(Actor::Owner, offer.id, BookingChange::Accept).await.unwrap_err();
    assert_eq!(twice.code.as_str(), "wrong_state");
    house.audit();
    // What costs something is not to be had so.
    let paid = house.places(1).await;
    let held = house.book(ask::one(&paid)).await;
    let refused = house.change(Actor::Owner, held.id, BookingChange::Accept).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "forbidden");
    let refused = house.change(ask::operator("Olim"), held.id, BookingChange::Accept).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_as_much_as_one_may_have_when_the_turn_comes_waits_no_more() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }, { "key": "other", "capacity": 1, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_per_customer": 1 })).await;
    let booked = house.book(ask::one(&listing)).await;
    let mut waits = Vec::new();
    for name in ["Vera", "Boris"] {
        waits.push(house.join(ask::wait(&listing, 1, name)).await);
    }
    house.book(ask::create_for(&listing, ask::lines(&[("other", 1)]), ask::known("Vera"))).await;
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.standings(&waits).await, [Standing::Closed, Standing::Offered]);
    assert_eq!(house.entry(waits[0]).await.ended, Some(Ended::CustomerLimit));
    let refused = house.try_join(ask::wait(&listing, 1, "Vera")).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "customer_limit");
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_hold_of_who_waits_does_not_stand_in_their_way() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 1, "price": 1_000 }, { "key": "other", "capacity": 1, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({ "max_open_holds": 1 })).await;
    let other = house.book(ask::create_for(&listing, ask::lines(&[("other", 1)]), ask::known("Vera"))).await;
    house.pass(500);
    let booked = house.book(ask::one(&listing)).await;
    // Two holds at a time are too many: Vera waits for her own to lapse.
    assert_eq!(
        house.try_join(ask::wait(&listing, 1, "Vera")).await.unwrap_err().code.as_str(),
        "customer_limit"
    );
    house.pass(100);
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(ask::cancel(&ask::operator("Olim"), booked.id)).await.unwrap();
    assert_eq!(house.entry(waits).await.standing, Standing::Offered);
    assert_eq!(house.read(other.id).await.state, State::Expired);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_comes_with_the_places_is_kept_by_the_offers() {
    let house = House::open();
    let pools = json!([{ "key": "standard", "capacity": 2, "price": 1_000 }, { "key": "other", "capacity": 1, "price": 1_000 }]);
    let listing = house.paid_places(pools, json!({})).await;
    let mut booked = Vec::new();
    for _ in 0..2 {
        booked.push(house.book(ask::one(&listing)).await.id);
    }
    house.paid(ask::create_for(&listing, ask::lines(&[("other", 1)]), ask::known("Vera"))).await;
    let mut waits = Vec::new();
    for name in ["Vera", "Boris", "Anna"] {
        waits.push(house.join(ask::wait(&listing, 1, name)).await);
    }
    house.patch(&listing, json!({ "status": "draft" })).await;
    for id in booked {
        house.submit(ask::cancel(&ask::operator("Olim"), id)).await.unwrap();
    }
    // On sale again, and from now on one for each: Vera has hers.
    house.patch(&listing, json!({ "status": "published", "policy": { "max_per_customer": 1 } })).await;
    assert_eq!(house.try_book(ask::one(&listing)).await.unwrap_err().code.as_str(), "sold_out");
    house.settle().await;
    assert_eq!(house.standings(&waits).await, [Standing::Closed, Standing::Offered, Standing::Offered]);
    house.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_cancellation_are_not_taken_for_its_reason_and_what_was_taken_stays_taken() {
    let house = House::open();
    let by = ask::operator("Olim");
    let ways = [
        (Actor::Owner, "listing_cancelled", Standing::Left, None),
        (by.clone(), "listing_cancelled", Standing::Closed, Some(Ended::OfferCancelled)),
    ];
    for (who, words, standing, why) in ways {
        let listing = house.places(1).await;
        let booked = house.book(ask::one(&listing)).await;
        let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
        house.submit(ask::cancel(&by, booked.id)).await.unwrap();
        let offer = house.entry(waits).await.offer.unwrap();
        let cancel = BookingChange::Cancel { reason: Some(words.to_owned()) };
        house.change(who, offer.id, cancel).await.unwrap();
        let entry = house.entry(waits).await;
        assert_eq!((entry.standing, entry.ended), (standing, why));
    }
    let listing = house.places(1).await;
    let booked = house.book(ask::one(&listing)).await;
    let waits = house.join(ask::wait(&listing, 1, "Vera")).await;
    house.submit(ask::cancel(&by, booked.id)).await.unwrap();
    let offer = house.entry(waits).await.offer.unwrap();
    house.submit(ask::pay(offer.id, 1_000, "paid")).await.unwrap();
    house.submit(ask::cancel(&by, offer.id)).await.unwrap();
    let entry = house.entry(waits).await;
    assert_eq!((entry.standing, entry.ended), (Standing::Taken, None));
}
