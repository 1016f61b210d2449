//! Two operators decide on one receipt; an operator decides as the review lapses; a customer comes back with
//! a better receipt.

use lastseat_core::booking::State;
use lastseat_core::refusal::RefusalData;

use crate::common::race::{First, assert_won, codes, ways, won};
use crate::common::{Answer, House, ask};

/// Asserts that all refusals say who decided, and when.
#[track_caller]
fn assert_told(answers: &[Answer], state: State, by: &str) {
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let RefusalData::State { state: told, decided_by, decided_at } = &refusal.data else {
            panic!("{refusal:?}");
        };
        assert_eq!((*told, decided_by.as_deref()), (state, Some(by)));
        assert!(decided_at.is_some() && refusal.detail.contains(by), "{refusal:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_twice_confirms_once_and_tells_the_other_who_did() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(2).await;
        let booking = house.in_review(ask::one(&listing)).await;
        let (anna, ben) = (ask::operator("Anna"), ask::operator("Ben"));
        let left = (0..4).map(|_| ask::approve(&anna, booking.id)).collect();
        let right = (0..4).map(|_| ask::approve(&ben, booking.id)).collect();
        let (left, right) = house.race(way, left, right).await;
        let winner = if won(&left) == 1 { "Anna" } else { "Ben" };
        let all = [left, right].concat();
        assert_won(&all, 1, "wrong_state", way);
        assert_told(&all, State::Confirmed, winner);
        match way.first {
            First::Left => assert_eq!(winner, "Anna"),
            First::Right => assert_eq!(winner, "Ben"),
            First::Nobody => {}
        }
        let row = house.read(booking.id).await;
        assert_eq!((row.state, row.paid, row.refund_due), (State::Confirmed, 1_000, 0));
        assert_eq!(row.decided_by.as_deref(), Some(winner));
        let events = house.events(&row).await;
        assert_eq!(
            events,
            ["booking.held", "booking.payment_submitted", "booking.approved", "booking.confirmed"]
        );
        assert_eq!(house.stock(&listing, "standard").await, (1, 0, 1));
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_and_rejecting_one_receipt_does_one_of_both() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let booking = house.in_review(ask::one(&listing)).await;
        let (anna, ben) = (ask::operator("Anna"), ask::operator("Ben"));
        let left = (0..3).map(|_| ask::approve(&anna, booking.id)).collect();
        let right = (0..3).map(|_| ask::reject(&ben, booking.id)).collect();
        let (left, right) = house.race(way, left, right).await;
        let approved = won(&left) == 1;
        let all = [left, right].concat();
        assert_won(&all, 1, "wrong_state", way);
        let row = house.read(booking.id).await;
        if approved {
            assert_told(&all, State::Confirmed, "Anna");
            assert_eq!((row.state, row.paid), (State::Confirmed, 1_000));
            assert_eq!(house.stock(&listing, "standard").await, (0, 0, 1));
        } else {
            assert_told(&all, State::Rejected, "Ben");
            assert_eq!((row.state, row.paid), (State::Rejected, 0));
            assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
        }
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_before_the_deadline_wins_and_one_at_it_loses_whoever_comes_first() {
    for way in ways() {
        for (early_ms, approved) in [(1, true), (0, false)] {
            let house = way.house();
            let listing = house.places(1).await;
            let booking = house.in_review(ask::one(&listing)).await;
            let deadline = booking.deadline.unwrap();
            house.set(lastseat_core::time::Time::from_millis(deadline.millis() - early_ms));
            let anna = ask::operator("Anna");
            let left = (0..3).map(|_| ask::approve(&anna, booking.id)).collect();
            let right = (0..3).map(|_| ask::settle()).collect();
            let (left, right) = house.race(way, left, right).await;
            assert_eq!(won(&right), 3);
            let row = house.read(booking.id).await;
            if approved {
                assert_won(&left, 1, "wrong_state", way);
                assert_eq!((row.state, row.paid), (State::Confirmed, 1_000));
            } else {
                assert_won(&left, 0, "hold_expired", way);
                assert_eq!((row.state, row.paid), (State::Expired, 0));
                let events = house.events(&row).await;
                assert_eq!(events.iter().filter(|kind| **kind == "booking.expired").count(), 1);
                assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
            }
            house.audit();
        }
    }
}

/// The clock strikes while operators and the worker are at it: who comes in time is decided for each command
/// by its own transaction's clock, and the booking is confirmed or expired, never both.
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_while_the_clock_strikes_confirms_or_finds_it_expired() {
    let (mut confirmed, mut expired) = (0, 0);
    for round in 0..40u64 {
        let way = ways().nth(4 + usize::try_from(round % 6).unwrap()).unwrap();
        let house = way.house();
        let listing = house.places(1).await;
        let booking = house.in_review(ask::one(&listing)).await;
        let deadline = booking.deadline.unwrap();
        house.set(lastseat_core::time::Time::from_millis(deadline.millis() - 1));
        let anna = ask::operator("Anna");
        let left: Vec<_> = (0..4).map(|_| ask::approve(&anna, booking.id)).collect();
        let right: Vec<_> = (0..4).flat_map(|_| [ask::settle(), ask::one(&listing)]).collect();
        let (left, right) = std::thread::scope(|scope| {
            // On a thread of its own, so that it strikes in the middle.
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_micros(round * round * 20));
                house.set(deadline);
            });
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(house.race(way, left, right))
            })
        });
        let sold_elsewhere =
            right.iter().filter(|answer| matches!(answer, Ok(lastseat_core::Outcome::Booking(_))));
        let row = house.read(booking.id).await;
        if won(&left) == 1 {
            confirmed += 1;
            assert_eq!((row.state, row.paid), (State::Confirmed, 1_000));
            assert_eq!(sold_elsewhere.count(), 0, "the place is sold twice");
        } else {
            expired += 1;
            assert_won(&left, 0, "hold_expired", way);
            assert_eq!((row.state, row.paid), (State::Expired, 0));
            assert!(sold_elsewhere.count() <= 1, "the place is sold twice");
        }
        house.audit();
    }
    assert!(confirmed > 0 && expired > 0, "both ends are reached: {confirmed} confirmed, {expired} expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_better_receipt_and_a_new_customer_want_the_place_that_a_rejection_freed() {
    for way in ways() {
        let house = way.house();
        let listing = house.places(1).await;
        let booking = house.in_review(ask::one(&listing)).await;
        house.submit(ask::reject(&ask::operator("Anna"), booking.id)).await.unwrap();
        // One second before it is too late for another receipt.
        house.pass(599);
        let left = vec![ask::receipt(booking.id)];
        let right = (0..4).map(|_| ask::one(&listing)).collect();
        let (left, right) = house.race(way, left, right).await;
        assert_eq!(won(&left) + won(&right), 1, "{way:?}");
        assert!(codes(&left).iter().chain(&codes(&right)).all(|code| *code == "sold_out"), "{way:?}");
        let row = house.read(booking.id).await;
        if won(&left) == 1 {
            assert_ne!(way.first, First::Right);
            assert_eq!((row.state, row.details.receipts.len()), (State::InReview, 2));
        } else {
            assert_ne!(way.first, First::Left);
            assert_eq!((row.state, row.details.receipts.len()), (State::Rejected, 1));
        }
        assert_eq!(house.stock(&listing, "standard").await, (0, 1, 0));
        house.audit();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_better_receipt_that_comes_too_late_is_refused_though_the_place_is_free() {
    let house = House::open();
    let listing = house.places(1).await;
    let booking = house.in_review(ask::one(&listing)).await;
    house.submit(ask::reject(&ask::operator("Anna"), booking.id)).await.unwrap();
    house.pass(600);
    let refusal = house.submit(ask::receipt(booking.id)).await.unwrap_err();
    assert_eq!(refusal.code.as_str(), "wrong_state");
    assert_eq!(house.stock(&listing, "standard").await, (1, 0, 0));
    house.audit();
}
