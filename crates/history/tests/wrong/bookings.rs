//! Bookings: lost, changed by nobody, back in time, alive after their end.

use lastseat_history::{Answer, Ask, BookingView, Lapse, Rule, State};

use crate::story::{HOLD_MS, Story, again, cancelled, confirmed, create, expired, held, lines, told, twins};

#[test]
fn an_acknowledged_booking_that_is_lost() {
    twins(Rule::NothingLost, &["bkg_b was told to operation 1", "[operations [1]]"], |twin| {
        let mut story = Story::new(2);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let b = story.hold((0, 10), "bkg_b", "bob", 1);
        story.ends((20, 30), twin.pick(&[&a, &b], &[&a]));
        story
    });
}

#[test]
fn an_acknowledged_booking_that_is_not_found() {
    twins(Rule::NothingLost, &["operation 1 found no bkg_a"], |twin| {
        let mut story = Story::new(2);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let missing = Answer::Refused { code: "not_found".into(), pools: Vec::new(), state: None };
        story.tell((20, 30), None, Ask::Read { booking: "bkg_a".into() }, twin.pick(told(&a), missing));
        story.ends((40, 50), &[&a]);
        story
    });
}

#[test]
fn an_acknowledged_change_that_is_lost() {
    twins(
        Rule::VersionsGrow,
        &["operation 1 was told version 2 of bkg_a", "the last reading was told version 1"],
        |twin| {
            let mut story = Story::new(2);
            let a = story.hold((0, 10), "bkg_a", "ann", 1);
            let sold = story.confirm((20, 30), &a);
            story.ends((40, 50), &[twin.pick(&sold, &a)]);
            story
        },
    );
}

#[test]
fn a_reading_that_goes_back() {
    twins(Rule::VersionsGrow, &["operations [1, 2]"], |twin| {
        let mut story = Story::new(2);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        story.confirm((20, 30), &a);
        // Beside the confirmation it may be seen or not.
        story.read((twin.pick(25, 31), 40), &a);
        story
    });
}

#[test]
fn one_version_with_two_contents() {
    twins(Rule::OneContentPerVersion, &["version 2 of bkg_a is Confirmed", "Cancelled"], |twin| {
        let mut story = Story::new(2);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let sold = story.confirm((20, 30), &a);
        story.read((22, 30), &sold);
        let called_off = BookingView { paid: 100, refund_due: 100, ..cancelled(twin.pick(&sold, &a), 26) };
        story.tell((20, 30), None, Ask::Cancel { booking: "bkg_a".into() }, told(&called_off));
        story
    });
}

#[test]
fn confirmed_after_the_hold_had_lapsed_without_a_new_admission() {
    twins(
        Rule::Deadlines,
        &["the hold of bkg_a (version 1, told to operation 0) lapsed at 10001", "without a lapse"],
        |twin| {
            let mut story = Story::new(1);
            let a = story.hold((0, 10), "bkg_a", "ann", 1);
            let late = (HOLD_MS + 20, HOLD_MS + 30);
            story.confirm(late, &twin.pick(expired(&a), a.clone()));
            story
        },
    );
}

#[test]
fn a_hold_that_is_shown_after_its_deadline() {
    twins(Rule::Deadlines, &["the hold of bkg_a lapsed at 10001, but operation 1"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let from = HOLD_MS + twin.pick(0, 1);
        story.read((from, from + 9), &a);
        story
    });
}

#[test]
fn a_hold_that_is_still_there_in_the_end() {
    twins(Rule::Deadlines, &["but the last reading"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        story.ends((HOLD_MS + 500, HOLD_MS + 501), &[&twin.pick(expired(&a), a)]);
        story
    });
}

#[test]
fn a_hold_that_lapses_too_early() {
    twins(Rule::Deadlines, &["lasts until 10001, but operation 1 was told that it had lapsed"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let from = HOLD_MS - 10;
        story.read((from, from + twin.pick(11, 10)), &expired(&a));
        story
    });
}

#[test]
fn a_lapse_that_is_marked_too_late() {
    twins(Rule::Deadlines, &["5000 ms later"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        story.ends((3 * HOLD_MS, 3 * HOLD_MS + 1), &[&expired(&a)]);
        let at_ms = 1 + HOLD_MS + twin.pick(4_999, 5_000);
        story.history.last.as_mut().unwrap().lapses.push(Lapse {
            booking: "bkg_a".into(),
            version: 2,
            at_ms,
        });
        story
    });
}

#[test]
fn an_extension_by_another_time_than_asked() {
    twins(Rule::Deadlines, &["was extended by 5 s"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let due_at_ms = a.due_at_ms.map(|due| due + twin.pick(5_000, 6_000));
        let longer = BookingView { version: 2, due_at_ms, ..a };
        story.tell((20, 30), None, Ask::Extend { booking: "bkg_a".into(), seconds: 5 }, told(&longer));
        story
    });
}

#[test]
fn confirmed_though_nobody_paid() {
    twins(Rule::PossibleSteps, &["bkg_a: version 1 was Held", "nobody had asked for that"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let pays = Ask::Confirm { booking: "bkg_a".into(), reference: "p".into(), amount: a.total };
        let reads = Ask::Read { booking: "bkg_a".into() };
        let mut sold = confirmed(&a, 21);
        sold.paid = twin.pick(sold.paid, 0);
        story.tell((20, 30), None, twin.pick(pays, reads), told(&sold));
        story
    });
}

#[test]
fn alive_again_after_it_was_cancelled() {
    twins(Rule::PossibleSteps, &["version 2 was Cancelled", "no 1 steps lead there"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let called_off = story.cancel((20, 30), &a);
        let mut money_back = BookingView { version: 3, paid: 100, refund_due: 100, ..called_off };
        if twin == crate::story::Twin::Wrong {
            money_back =
                BookingView { state: State::Confirmed, refund_due: 0, decided_at_ms: Some(41), ..money_back };
        }
        let ask = Ask::Confirm { booking: "bkg_a".into(), reference: "p".into(), amount: 100 };
        story.tell((40, 50), None, ask, told(&money_back));
        story
    });
}

#[test]
fn both_sold_and_given_back() {
    twins(Rule::Money, &["Confirmed", "refund due 100", "so 0 pays for a booking of 100"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let mut sold = confirmed(&expired(&a), HOLD_MS + 21);
        // With one payment. Somebody else's refund, of which nothing is known, must not hide it.
        (sold.refund_due, sold.total) = (twin.pick(0, 100), 100);
        let ask = Ask::Confirm { booking: "bkg_a".into(), reference: "p".into(), amount: 100 };
        story.tell((HOLD_MS + 20, HOLD_MS + 30), None, ask, told(&sold));
        story
    });
}

#[test]
fn expired_and_still_paid_for() {
    twins(Rule::Money, &["is Expired", "so 100 still pays for it"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let late = BookingView { version: 3, paid: 100, refund_due: twin.pick(100, 0), ..expired(&a) };
        let ask = Ask::Confirm { booking: "bkg_a".into(), reference: "p".into(), amount: 100 };
        story.tell((HOLD_MS + 20, HOLD_MS + 30), None, ask, told(&late));
        story
    });
}

#[test]
fn money_that_is_given_back_twice() {
    twins(Rule::Money, &["refund due 100, refunded 100, which does not add up"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let sold = story.confirm((20, 30), &a);
        let off = story.cancel((40, 50), &sold);
        let back = BookingView { version: 4, refund_due: twin.pick(0, 100), refunded: 100, ..off };
        let ask = Ask::Other { booking: "bkg_a".into(), what: "refund".into() };
        story.tell((60, 70), None, ask, told(&back));
        story
    });
}

#[test]
fn one_payment_that_counts_twice() {
    twins(Rule::Money, &["paid 200", "but distinct payments of 100 at most"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let sold = story.confirm((20, 30), &a);
        let twice = BookingView { version: 3, paid: 200, refund_due: 100, ..sold };
        let reference = twin.pick("p2", "p1").to_owned();
        story.tell(
            (40, 50),
            None,
            Ask::Confirm { booking: "bkg_a".into(), reference, amount: 100 },
            told(&twice),
        );
        story
    });
}

#[test]
fn a_decision_before_it_was_asked_for() {
    twins(Rule::Stamps, &["says that it was decided at 5, but it was asked for at 20"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 3), "bkg_a", "ann", 1);
        let off = cancelled(&a, twin.pick(21, 5));
        story.tell((20, 30), None, Ask::Cancel { booking: "bkg_a".into() }, told(&off));
        story
    });
}

#[test]
fn a_creation_from_a_stale_clock() {
    twins(Rule::Stamps, &["says that it was created at 900, but it was asked for at 1000"], |twin| {
        let mut story = Story::new(1);
        let a = held("bkg_a", "ann", 1, twin.pick(1_001, 900));
        story.tell((1_000, 1_010), None, create("ann", 1), told(&a));
        story
    });
}

#[test]
fn other_lines_than_asked_for() {
    twins(Rule::AnswerFits, &["asked for", "quantity: 2"], |twin| {
        let mut story = Story::new(3);
        let a = held("bkg_a", "ann", 1, 1);
        story.tell((0, 10), None, create("ann", twin.pick(1, 2)), told(&a));
        story
    });
}

#[test]
fn moved_though_nobody_asked() {
    twins(Rule::PossibleSteps, &["nobody had asked to move it"], |twin| {
        let mut story = Story::new(3);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let due_at_ms = a.due_at_ms.map(|due| due + 1000);
        let moved = BookingView { version: 2, lines: lines(2), total: 200, due_at_ms, ..a.clone() };
        let asked = Ask::Reschedule { booking: a.id.clone(), lines: lines(2) };
        let ask = twin.pick(asked, Ask::Extend { booking: a.id, seconds: 1 });
        story.tell((20, 30), None, ask, Answer::Unknown);
        story.read((40, 50), &moved);
        story
    });
}

#[test]
fn refused_as_lapsed_while_it_was_held() {
    twins(Rule::JustRefusal, &["hold_expired", "never Expired"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let from = HOLD_MS - twin.pick(20, 40);
        let answer =
            Answer::Refused { code: "hold_expired".into(), pools: Vec::new(), state: Some(State::Expired) };
        story.tell((from, from + 30), None, Ask::Cancel { booking: a.id }, answer);
        story
    });
}

#[test]
fn a_lapse_read_beside_a_confirmation_is_no_contradiction() {
    // Decided right before the deadline, committed right after it, read in between.
    let mut story = Story::new(1);
    let a = story.hold((0, 10), "bkg_a", "ann", 1);
    let sold = confirmed(&a, HOLD_MS);
    let ask = Ask::Confirm { booking: a.id.clone(), reference: "p".into(), amount: 100 };
    story.tell((HOLD_MS - 1, HOLD_MS + 50), Some("k"), ask.clone(), told(&sold));
    story.read((HOLD_MS + 20, HOLD_MS + 25), &expired(&a));
    story.tell((HOLD_MS + 60, HOLD_MS + 70), Some("k"), ask, again(&sold));
    let report = lastseat_history::check(&story.history);
    assert!(report.holds(), "{report}");
    // After it, it is one.
    let reading = &mut story.history.operations[2];
    (reading.started_us, reading.ended_us) = ((HOLD_MS + 51) * 1000, Some((HOLD_MS + 52) * 1000));
    let report = lastseat_history::check(&story.history);
    assert!(report.breaks(Rule::OneContentPerVersion), "{report}");
}
