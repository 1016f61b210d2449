//! Money and bookings cross each other: a cancellation and the payment, a late payment and a new customer.

use lastseat_core::booking::State;
use lastseat_core::command::Actor;

use crate::common::race::{First, assert_won, codes, ways, won};
use crate::common::{House, ask};

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_while_the_money_comes_in_leaves_it_cancelled_and_the_money_due_back() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let booking = house.book(ask::one(&listing)).await;
        let left =
            vec![ask::cancel(&Actor::Owner, booking.id), ask::cancel(&ask::operator("Anna"), booking.id)];
        // The same payment told three times is one payment.
        let right = (0..3).map(|_| ask::pay(booking.id, 1_000, "transfer-1")).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "wrong_state", way);
        assert_won(&right, 3, "", way);
        let row = house.read(booking.id).await;
        assert_eq!((row.state, row.paid, row.refund_due), (State::Cancelled, 1_000, 1_000), "{way:?}");
        let events = house.events(&row).await;
        let confirmed = usize::from(events.contains(&"booking.confirmed"));
        match way.first {
            First::Left => assert_eq!(confirmed, 0, "{events:?}"),
            First::Right => assert_eq!(confirmed, 1, "{events:?}"),
            First::Nobody => {}
        }
        assert_eq!(events.iter().filter(|kind| **kind == "booking.refund_due").count(), 1, "{events:?}");
        assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_different_payments_for_one_hold_confirm_once_and_the_second_goes_back() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let booking = house.book(ask::one(&listing)).await;
        let left = (0..2).map(|_| ask::pay(booking.id, 1_000, "transfer-1")).collect();
        let right = (0..2).map(|_| ask::pay(booking.id, 1_000, "transfer-2")).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_eq!(won(&left) + won(&right), 4, "{way:?}");
        let row = house.read(booking.id).await;
        assert_eq!((row.state, row.paid, row.refund_due), (State::Confirmed, 2_000, 1_000), "{way:?}");
        assert_eq!(house.stock(&listing, "standard").await, (0, 0, 1));
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_money_takes_the_place_again_or_goes_back_but_never_both() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let late = house.book(ask::one(&listing)).await;
        // Nobody has swept the hold: whoever comes first has to.
        house.pass(600);
        let left = (0..3).map(|_| ask::pay(late.id, 1_000, "transfer-1")).collect();
        let right = (0..4).map(|_| ask::one(&listing)).collect();
        let (left, right) = house.race(way, left, right).await;
        // Late money is never refused: it is taken, or taken to be given back.
        assert_won(&left, 3, "", way);
        let row = house.read(late.id).await;
        let events = house.events(&row).await;
        if row.state == State::Confirmed {
            assert_ne!(way.first, First::Right);
            assert_eq!((row.paid, row.refund_due), (1_000, 0), "{way:?}");
            assert_won(&right, 0, "sold_out", way);
            assert!(!events.contains(&"booking.refund_due"), "{events:?}");
            assert_eq!(house.stock(&listing, "standard").await, (0, 0, 1));
        } else {
            assert_ne!(way.first, First::Left);
            assert_eq!((row.state, row.reason.as_deref()), (State::Expired, Some("late_payment")));
            assert_eq!((row.paid, row.refund_due), (1_000, 1_000), "{way:?}");
            assert_won(&right, 1, "sold_out", way);
            assert_eq!(events.iter().filter(|kind| **kind == "booking.refund_due").count(), 1, "{events:?}");
            assert_eq!(house.stock(&listing, "standard").await, (0, 1, 0));
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_late_payments_for_the_last_place_one_is_confirmed_and_one_goes_back() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let first = house.book(ask::one(&listing)).await;
        house.pass(600);
        let second = house.book(ask::one(&listing)).await;
        house.pass(600);
        let left = vec![ask::pay(first.id, 1_000, "a"), ask::pay(first.id, 1_000, "a")];
        let right = vec![ask::pay(second.id, 1_000, "b"), ask::pay(second.id, 1_000, "b")];
        house.race(way, left, right).await;
        let (first, second) = (house.read(first.id).await, house.read(second.id).await);
        let sold = [&first, &second].into_iter().filter(|row| row.state == State::Confirmed).count();
        assert_eq!((sold, first.refund_due + second.refund_due), (1, 1_000), "{way:?}");
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_receipt_and_a_new_customer_want_the_last_place() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let late = house.book(ask::one(&listing)).await;
        house.pass(600);
        let left = vec![ask::receipt(late.id)];
        let right = (0..4).map(|_| ask::one(&listing)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_won(&left, 1, "", way);
        let row = house.read(late.id).await;
        if row.state == State::InReview {
            assert_ne!(way.first, First::Right);
            assert_won(&right, 0, "sold_out", way);
        } else {
            assert_ne!(way.first, First::Left);
            assert_eq!((row.state, row.reason.as_deref()), (State::Expired, Some("late_payment")));
            assert_eq!((row.paid, row.refund_due), (0, 0), "nobody has named the money yet");
            assert_won(&right, 1, "sold_out", way);
            // Now somebody does: it goes back, whatever is free meanwhile.
            house.pass(600);
            let row = house.submit(ask::pay(row.id, 1_000, "a")).await.map(crate::common::booking).unwrap();
            assert_eq!((row.state, row.refund_due), (State::Expired, 1_000));
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunding_twice_gives_back_once() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let booking = house.paid(ask::one(&listing)).await;
        house.submit(ask::cancel(&Actor::Owner, booking.id)).await.unwrap();
        let refund = |reference: &str| {
            let reference = reference.to_owned();
            let change = lastseat_core::command::BookingChange::Refund { amount: 1_000, reference };
            lastseat_core::command::Command::new(
                ask::operator("Anna"),
                lastseat_core::command::Action::Booking { id: booking.id, change },
            )
        };
        let left = vec![refund("out-1"), refund("out-1")];
        let right = vec![refund("out-2"), refund("out-2")];
        let (left, right) = house.race(way, left, right).await;
        // The winner's second telling is the same refund; the other's both are too much.
        assert_eq!(won(&left) + won(&right), 2, "{way:?}");
        assert!(codes(&left).iter().chain(&codes(&right)).all(|code| *code == "invalid"), "{way:?}");
        let row = house.read(booking.id).await;
        assert_eq!((row.paid, row.refund_due, row.refunded), (1_000, 0, 1_000));
        house.audit();
    }
}

#[tokio::test]
async fn a_late_payment_under_one_key_is_one_payment() {
    let house = House::open();
    let listing = house.places(1).await;
    let late = house.book(ask::one(&listing)).await;
    house.pass(600);
    let pay = || ask::under_key(ask::pay(late.id, 1_000, "a"), 9);
    let first = house.submit(pay()).await.map(crate::common::booking).unwrap();
    assert_eq!(house.submit(pay()).await.map(crate::common::booking).unwrap(), first);
    assert_eq!((first.state, first.paid), (State::Confirmed, 1_000));
    house.audit();
}
