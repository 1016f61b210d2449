//! Idempotency keys and lost answers: once each.

use lastseat_history::{Answer, Ask, BookingView, Rule};

use crate::story::{Story, again, confirmed, create, held, told, twins};

#[test]
fn two_bookings_under_one_key() {
    twins(
        Rule::OneAnswerPerKey,
        &["\"k\" made two bookings: bkg_a was told to operation 0, bkg_b to operation 1"],
        |twin| {
            let mut story = Story::new(5);
            let (a, b) = (held("bkg_a", "ann", 1, 1), held("bkg_b", "ann", 1, 25));
            story.tell((0, 10), Some("k"), create("ann", 1), told(&a));
            story.tell((20, 30), Some("k"), create("ann", 1), twin.pick(again(&a), told(&b)));
            story
        },
    );
}

#[test]
fn another_answer_under_one_key() {
    twins(
        Rule::OneAnswerPerKey,
        &["version 2 (Confirmed) of bkg_a to operation 1, and again version 3 (Confirmed)"],
        |twin| {
            let mut story = Story::new(5);
            let a = story.hold((0, 10), "bkg_a", "ann", 1);
            let first = confirmed(&a, 21);
            let ask = Ask::Confirm { booking: "bkg_a".into(), reference: "p1".into(), amount: 100 };
            story.tell((20, 30), Some("k"), ask.clone(), told(&first));
            let now = BookingView { version: 3, ..first.clone() };
            let note = Ask::Other { booking: "bkg_a".into(), what: "note".into() };
            story.tell((40, 50), None, note, told(&now));
            // The answer then, not the booking now.
            story.tell((60, 70), Some("k"), ask, again(&twin.pick(first, now)));
            story
        },
    );
}

#[test]
fn a_lost_request_that_turns_up_twice() {
    twins(Rule::NothingUnasked, &["bkg_b of customer ann", "bookings bkg_a, bkg_b"], |twin| {
        let mut story = Story::new(5);
        story.tell((0, 10), Some("k"), create("ann", 1), Answer::Unknown);
        story.tell((20, 30), Some("k"), create("ann", 1), Answer::Unknown);
        let (a, b) = (held("bkg_a", "ann", 1, 5), held("bkg_b", "ann", 1, 25));
        story.ends((40, 50), twin.pick(&[&a], &[&a, &b]));
        story
    });
}

#[test]
fn a_lost_request_and_its_repetition_that_both_turn_up() {
    twins(Rule::NothingUnasked, &["bkg_a of customer ann", "was asked for by nobody"], |twin| {
        let mut story = Story::new(5);
        let (a, b) = (held("bkg_a", "ann", 1, 5), held("bkg_b", "ann", 1, 25));
        story.tell((0, 10), Some("k"), create("ann", 1), Answer::Unknown);
        story.tell((20, 30), Some("k"), create("ann", 1), twin.pick(again(&a), told(&b)));
        story.ends((40, 50), twin.pick(&[&a], &[&a, &b]));
        story
    });
}

#[test]
fn a_booking_that_nobody_asked_for() {
    twins(Rule::NothingUnasked, &["bkg_b of customer bob", "was asked for by nobody"], |twin| {
        let mut story = Story::new(5);
        story.tell((0, 10), None, create(twin.pick("bob", "ann"), 1), Answer::Unknown);
        story.ends((40, 50), &[&held("bkg_b", "bob", 1, 25)]);
        story
    });
}

#[test]
fn a_booking_older_than_the_request_for_it() {
    twins(Rule::NothingUnasked, &["created at 25"], |twin| {
        let mut story = Story::new(5);
        story.tell(twin.pick((20, 30), (26, 30)), None, create("bob", 1), Answer::Unknown);
        story.ends((40, 50), &[&held("bkg_b", "bob", 1, 25)]);
        story
    });
}

#[test]
fn refused_for_another_request_that_nobody_made() {
    twins(Rule::JustRefusal, &["idempotency_mismatch", "nothing else was asked under its key"], |twin| {
        let mut story = Story::new(5);
        let a = held("bkg_a", "ann", 1, 1);
        story.tell((0, 10), Some("k"), create("ann", 1), told(&a));
        let mismatch =
            Answer::Refused { code: "idempotency_mismatch".into(), pools: Vec::new(), state: None };
        story.tell((20, 30), Some("k"), create("ann", twin.pick(2, 1)), mismatch);
        story
    });
}
