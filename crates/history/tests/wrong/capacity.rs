//! Places: sold twice, refused for nothing, counted wrong.

use lastseat_history::{Answer, Ask, Coverage, PoolNumbers, Rule, ShortPool};

use crate::story::{HOLD_MS, LISTING, Story, again, create, expired, held, lines, refused, told, twins};

#[test]
fn one_more_than_there_are() {
    twins(
        Rule::NoOversell,
        &["3 units of lst_1/standard", "but there are 2", "operations [0, 1, 2]", "bkg_c"],
        |twin| {
            let mut story = Story::new(twin.pick(3, 2));
            story.hold((0, 10), "bkg_a", "ann", 1);
            story.hold((0, 10), "bkg_b", "bob", 1);
            story.hold((5, 20), "bkg_c", "cem", 1);
            story
        },
    );
}

#[test]
fn a_place_sold_again_before_it_was_given_back() {
    twins(Rule::NoOversell, &["at 50, 2 units"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let (cancel, again) = twin.pick(((30, 40), (40, 60)), ((60, 70), (49, 55)));
        let a = story.cancel(cancel, &a);
        let b = story.hold(again, "bkg_b", "bob", 1);
        story.ends((100, 110), &[&a, &b]);
        story
    });
}

#[test]
fn a_place_sold_again_before_its_hold_lapsed() {
    twins(Rule::NoOversell, &["2 units"], |twin| {
        let mut story = Story::new(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let from = twin.pick(HOLD_MS, HOLD_MS - 2);
        story.hold((from, from + 5), "bkg_b", "bob", 1);
        story.ends(
            (2 * HOLD_MS, 2 * HOLD_MS + 1),
            &[&expired(&a), &expired(&held("bkg_b", "bob", 1, from + 1))],
        );
        story
    });
}

#[test]
fn a_capacity_that_was_lowered_below_what_is_taken() {
    let lower = |capacity| Ask::SetPools {
        listing: LISTING.into(),
        pools: vec![PoolNumbers { key: "standard".into(), capacity, blocked: 1 }],
    };
    twins(
        Rule::NoOversell,
        &["2 units of lst_1/standard were taken at once, but there are 1 at most"],
        |twin| {
            let mut story = Story::new(5);
            story.hold((0, 10), "bkg_a", "ann", 2);
            story.tell((20, 30), None, lower(twin.pick(3, 2)), Answer::Done);
            story
        },
    );
}

#[test]
fn refused_while_places_were_free() {
    twins(
        Rule::JustRefusal,
        &["operation 1 (create) was refused with sold_out", "1 to 1 were free"],
        |twin| {
            let mut story = Story::new(2);
            story.hold((0, 10), "bkg_a", "ann", twin.pick(2, 1));
            story.sold_out((20, 30), "bob", 1, twin.pick(2, 1));
            story
        },
    );
}

#[test]
fn refused_for_a_hold_that_had_lapsed() {
    twins(Rule::JustRefusal, &["sold_out"], |twin| {
        let mut story = Story::new(1);
        story.hold((0, 10), "bkg_a", "ann", 1);
        let from = twin.pick(HOLD_MS - 5, HOLD_MS + 1);
        story.sold_out((from, from + 20), "bob", 1, 1);
        story
    });
}

#[test]
fn refused_with_numbers_that_never_were() {
    twins(Rule::JustRefusal, &["saying of lst_1/standard", "2 to 2 held"], |twin| {
        let mut story = Story::new(2);
        story.hold((0, 10), "bkg_a", "ann", 2);
        story.sold_out((20, 30), "bob", 1, twin.pick(2, 1));
        story
    });
}

#[test]
fn a_lost_answer_may_be_why_it_was_sold_out() {
    // In the end it is seen that the lost request did nothing.
    twins(Rule::JustRefusal, &["sold_out", "1 to 1 were free"], |twin| {
        let mut story = Story::new(1);
        story.tell((0, 10), Some("k"), create("ann", 1), Answer::Unknown);
        story.sold_out((20, 30), "bob", 1, 1);
        story.ends((40, 50), &[]);
        story.history.last.as_mut().unwrap().coverage = twin.pick(Coverage::Some, Coverage::All);
        story
    });
}

#[test]
fn a_capacity_refused_though_it_sufficed() {
    twins(Rule::JustRefusal, &["capacity_in_use"], |twin| {
        let mut story = Story::new(5);
        story.hold((0, 10), "bkg_a", "ann", 3);
        let capacity = twin.pick(2, 3);
        let pools = vec![PoolNumbers { key: "standard".into(), capacity, blocked: 0 }];
        let short = ShortPool { key: "standard".into(), requested: capacity, available: 0, held: 3 };
        let ask = Ask::SetPools { listing: LISTING.into(), pools };
        story.tell((20, 30), None, ask, refused("capacity_in_use", vec![short]));
        story
    });
}

#[test]
fn a_customer_over_the_limit() {
    twins(
        Rule::CustomerLimit,
        &["customer ann had 3 units of lst_1, but may have 2", "bkg_a, bkg_b"],
        |twin| {
            let mut story = Story::new(9);
            story.listing().max_per_customer = Some(2);
            story.hold((0, 10), "bkg_a", "ann", 2);
            story.hold((5, 15), "bkg_b", twin.pick("bob", "ann"), 1);
            story
        },
    );
}

#[test]
fn a_customer_with_too_many_holds() {
    twins(Rule::CustomerLimit, &["had 2 live holds of lst_1, but may have 1"], |twin| {
        let mut story = Story::new(9);
        story.listing().max_open_holds = Some(1);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        story.confirm(twin.pick((20, 30), (60, 70)), &a);
        story.hold((40, 50), "bkg_b", "ann", 1);
        story
    });
}

#[test]
fn a_customer_refused_though_within_the_limit() {
    twins(Rule::JustRefusal, &["customer ann had 1 to 1 units"], |twin| {
        let mut story = Story::new(9);
        story.listing().max_per_customer = Some(2);
        story.hold((0, 10), "bkg_a", "ann", twin.pick(2, 1));
        story.tell((20, 30), None, create("ann", 1), refused("customer_limit", Vec::new()));
        story
    });
}

#[test]
fn availability_that_is_older_than_promised() {
    twins(Rule::Availability, &["0 held", "1 to 1 held"], |twin| {
        let mut story = Story::new(2);
        story.hold((0, 10), "bkg_a", "ann", 1);
        let from = twin.pick(250, 262);
        story.availability((from, from + 5), 1, (0, 0, 2));
        story
    });
}

#[test]
fn availability_that_goes_back() {
    twins(Rule::AvailabilityVersions, &["version 4", "told version 3", "operations [1, 2]"], |twin| {
        let mut story = Story::new(2);
        story.hold((0, 10), "bkg_a", "ann", 1);
        story.availability((300, 305), 4, (1, 0, 2));
        story.availability((600, 605), twin.pick(4, 3), (1, 0, 2));
        story
    });
}

#[test]
fn one_version_of_the_inventory_with_two_contents() {
    twins(Rule::AvailabilityVersions, &["version 2 of the inventory shows"], |twin| {
        let mut story = Story::new(2);
        story.availability((5, 8), 2, (0, 0, 2));
        let a = story.hold((10, 20), "bkg_a", "ann", 1);
        story.availability((30, 35), twin.pick(3, 2), (1, 0, 2));
        story.ends((40, 50), &[&a]);
        story
    });
}

#[test]
fn availability_that_does_not_add_up() {
    twins(Rule::Availability, &["does not add up"], |twin| {
        let mut story = Story::new(2);
        story.availability((5, 8), 2, (0, 0, 2));
        if let Answer::Availability { pools, .. } = &mut story.history.operations[0].answer {
            pools[0].available = twin.pick(2, 1);
        }
        story
    });
}

#[test]
fn counters_that_are_not_the_sums() {
    twins(Rule::Counters, &["counts 2 held and 1 confirmed", "1 to 1 held and 1 to 1 confirmed"], |twin| {
        let mut story = Story::new(5);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let a = story.confirm((20, 30), &a);
        let b = story.hold((0, 10), "bkg_b", "bob", 1);
        story.ends((40, 50), &[&a, &b]);
        story.counters(twin.pick(1, 2), 1);
        story
    });
}

#[test]
fn a_move_that_takes_what_is_not_there() {
    twins(Rule::NoOversell, &["3 units"], |twin| {
        let mut story = Story::new(2);
        let a = story.hold((0, 10), "bkg_a", "ann", 1);
        let b = story.hold((0, 10), "bkg_b", "bob", 1);
        let a = story.cancel((20, 30), &a);
        let from = twin.pick(40, 15);
        let quantity = 2;
        let mut moved = held("bkg_b", "bob", quantity, b.created_at_ms);
        moved.version = 2;
        let ask = Ask::Reschedule { booking: "bkg_b".into(), lines: lines(quantity) };
        story.tell((from, from + 1), Some("m"), ask.clone(), told(&moved));
        story.tell((60, 70), Some("m"), ask, again(&moved));
        story.ends((80, 90), &[&a, &moved]);
        story
    });
}

#[test]
fn a_reading_across_a_deadline_is_no_contradiction() {
    // The rows are read before the second hold was there, the clock after the first one lapsed: nothing is held.
    let mut story = Story::new(2);
    story.history.setting.availability_lag_ms = 0;
    let a = story.hold((0, 3), "bkg_a", "ann", 1);
    let due = a.due_at_ms.unwrap();
    story.hold((due - 8, due - 5), "bkg_b", "bob", 1);
    story.availability((due - 10, due + 10), 2, (0, 0, 2));
    if let Answer::Availability { as_of_ms, .. } = &mut story.history.operations[2].answer {
        *as_of_ms = due + 5;
    }
    let report = lastseat_history::check(&story.history);
    assert!(report.holds(), "{report}");
    // Where no deadline lies in between, it is one.
    story.history.operations[2].ended_us = Some((due - 1) * 1000);
    let report = lastseat_history::check(&story.history);
    assert!(report.breaks(Rule::Availability), "{report}");
}
