//! Correct histories with one thing changed. Not each change is a contradiction (a lost answer explains
//! much), so for each kind of change it is asserted how often, at least, it is caught.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod model;

use lastseat_history::{Answer, Ask, BookingView, History, Rule, State, check};
use model::{Rng, Shape, history};

/// How many histories each kind of change is tried on.
const SEEDS: u64 = if cfg!(debug_assertions) { 40 } else { 200 };

/// Changes one thing, if the history has such a thing.
type Mutation = fn(&mut History, &mut Rng) -> Option<()>;

/// An operation that fits, by chance.
fn pick(history: &History, rng: &mut Rng, fits: impl Fn(&Ask, &Answer) -> bool) -> Option<usize> {
    let found: Vec<usize> = (0..history.operations.len())
        .filter(|index| fits(&history.operations[*index].ask, &history.operations[*index].answer))
        .collect();
    rng.pick(&found).copied()
}

fn view(history: &mut History, index: usize) -> Option<&mut BookingView> {
    match &mut history.operations[index].answer {
        Answer::Booking { booking, .. } => Some(booking),
        _ => None,
    }
}

fn last_booking<'h>(
    history: &'h mut History,
    rng: &mut Rng,
    fits: impl Fn(&BookingView) -> bool,
) -> Option<&'h mut BookingView> {
    let bookings = &mut history.last.as_mut()?.bookings;
    let found: Vec<usize> = (0..bookings.len()).filter(|index| fits(&bookings[*index])).collect();
    let index = *rng.pick(&found)?;
    Some(&mut bookings[index])
}

fn is_created(ask: &Ask, answer: &Answer) -> bool {
    matches!((ask, answer), (Ask::Create { .. }, Answer::Booking { replayed: false, .. }))
}

fn lose_a_booking(history: &mut History, rng: &mut Rng) -> Option<()> {
    let told = pick(history, rng, is_created)?;
    let id = view(history, told)?.id.clone();
    history.last.as_mut()?.bookings.retain(|view| view.id != id);
    Some(())
}

fn double_a_booking(history: &mut History, rng: &mut Rng) -> Option<()> {
    let mut twin = last_booking(history, rng, |_| true)?.clone();
    twin.id.push_str("_again");
    history.last.as_mut()?.bookings.push(twin);
    Some(())
}

fn undo_the_last_change(history: &mut History, rng: &mut Rng) -> Option<()> {
    let changed =
        pick(history, rng, |ask, answer| ask.changes_booking() && matches!(answer, Answer::Booking { .. }))?;
    let (id, version) = view(history, changed).map(|view| (view.id.clone(), view.version))?;
    let before = history.operations.iter().find_map(|op| match &op.answer {
        Answer::Booking { booking, .. } if booking.id == id && booking.version < version => {
            Some(booking.clone())
        }
        _ => None,
    })?;
    *last_booking(history, rng, |view| view.id == id)? = before;
    Some(())
}

fn swap_two_answers(history: &mut History, rng: &mut Rng) -> Option<()> {
    let (one, two) = (pick(history, rng, is_created)?, pick(history, rng, is_created)?);
    let (a, b) = (history.operations[one].answer.clone(), history.operations[two].answer.clone());
    (a != b).then_some(())?;
    (history.operations[one].answer, history.operations[two].answer) = (b, a);
    Some(())
}

fn refuse_what_was_booked(history: &mut History, rng: &mut Rng) -> Option<()> {
    let told = pick(history, rng, is_created)?;
    history.operations[told].answer =
        Answer::Refused { code: "sold_out".into(), pools: Vec::new(), state: None };
    Some(())
}

fn another_key_for_a_repetition(history: &mut History, rng: &mut Rng) -> Option<()> {
    let again = pick(history, rng, |_, answer| matches!(answer, Answer::Booking { replayed: true, .. }))?;
    history.operations[again].key = Some("never-used".into());
    Some(())
}

fn a_new_booking_for_a_repetition(history: &mut History, rng: &mut Rng) -> Option<()> {
    let again = pick(history, rng, |ask, answer| {
        matches!((ask, answer), (Ask::Create { .. }, Answer::Booking { replayed: true, .. }))
    })?;
    let mut twin = view(history, again)?.clone();
    twin.id.push_str("_again");
    history.operations[again].answer = Answer::Booking { booking: twin.clone(), replayed: false };
    history.last.as_mut()?.bookings.push(twin);
    Some(())
}

fn fewer_places_than_were_sold(history: &mut History, rng: &mut Rng) -> Option<()> {
    // Where it was sold out once, and nobody ever changed the capacity.
    let refused = pick(
        history,
        rng,
        |ask, answer| matches!((ask, answer), (Ask::Create { .. }, Answer::Refused { code, .. }) if code == "sold_out"),
    )?;
    let Answer::Refused { pools, .. } = &history.operations[refused].answer else { return None };
    let named = pools.iter().find(|pool| pool.available == 0)?.key.clone();
    let Ask::Create { listing, .. } = history.operations[refused].ask.clone() else { return None };
    let set =
        |ask: &Ask| matches!(ask, Ask::SetPools { pools, .. } if pools.iter().any(|pool| pool.key == named));
    (!history.operations.iter().any(|op| set(&op.ask))).then_some(())?;
    let found = history.setting.listings.iter_mut().find(|found| found.id == listing)?;
    found.pools.iter_mut().find(|pool| pool.key == named)?.capacity -= 1;
    Some(())
}

fn a_lower_limit_for_customers(history: &mut History, _: &mut Rng) -> Option<()> {
    let listing = history.setting.listings.iter_mut().find(|listing| listing.max_per_customer.is_some())?;
    listing.max_per_customer = listing.max_per_customer.map(|most| most - 1);
    Some(())
}

fn another_number_in_availability(history: &mut History, rng: &mut Rng) -> Option<()> {
    let told = pick(history, rng, |_, answer| matches!(answer, Answer::Availability { .. }))?;
    let Answer::Availability { pools, .. } = &mut history.operations[told].answer else { return None };
    pools[0].confirmed += 1;
    pools[0].available -= 1;
    Some(())
}

fn an_old_availability(history: &mut History, rng: &mut Rng) -> Option<()> {
    let told = pick(history, rng, |_, answer| matches!(answer, Answer::Availability { .. }))?;
    let Answer::Availability { version, .. } = &mut history.operations[told].answer else { return None };
    *version = (*version >= 10).then_some(*version / 2)?;
    Some(())
}

fn another_number_in_a_refusal(history: &mut History, rng: &mut Rng) -> Option<()> {
    let told =
        pick(history, rng, |_, answer| matches!(answer, Answer::Refused { code, .. } if code == "sold_out"))?;
    let Answer::Refused { pools, .. } = &mut history.operations[told].answer else { return None };
    pools[0].held += 2;
    Some(())
}

fn another_version_in_a_reading(history: &mut History, rng: &mut Rng) -> Option<()> {
    let read = pick(history, rng, |ask, answer| {
        matches!((ask, answer), (Ask::Read { .. }, Answer::Booking { .. }))
    })?;
    view(history, read)?.version += 1;
    Some(())
}

fn a_lapse_that_did_not_happen(history: &mut History, rng: &mut Rng) -> Option<()> {
    let lapsed = last_booking(history, rng, |view| view.state == State::Expired && view.version == 2)?;
    let due = lapsed.created_at_ms + 2_000;
    (lapsed.state, lapsed.version, lapsed.due_at_ms) = (State::Held, 1, Some(due));
    Some(())
}

fn a_deadline_that_moves(history: &mut History, rng: &mut Rng) -> Option<()> {
    let held = pick(
        history,
        rng,
        |_, answer| matches!(answer, Answer::Booking { booking, .. } if booking.state == State::Held),
    )?;
    view(history, held)?.due_at_ms.as_mut().map(|due| *due += 700)
}

fn sold_in_the_end_to_nobody(history: &mut History, rng: &mut Rng) -> Option<()> {
    let lapsed = last_booking(history, rng, |view| view.state == State::Expired && view.paid == 0)?;
    (lapsed.state, lapsed.paid, lapsed.decided_at_ms) =
        (State::Confirmed, lapsed.total, Some(lapsed.created_at_ms + 1));
    Some(())
}

fn money_that_is_gone(history: &mut History, rng: &mut Rng) -> Option<()> {
    last_booking(history, rng, |view| view.refund_due > 0)?.refund_due = 0;
    Some(())
}

fn a_counter_that_is_off(history: &mut History, rng: &mut Rng) -> Option<()> {
    let pools = &mut history.last.as_mut()?.pools;
    let index = usize::try_from(rng.below(i64::try_from(pools.len()).ok()?)).ok()?;
    pools[index].confirmed += 1;
    Some(())
}

fn a_stamp_from_another_clock(history: &mut History, rng: &mut Rng) -> Option<()> {
    let changed = pick(history, rng, |ask, answer| {
        matches!((ask, answer), (Ask::Cancel { .. }, Answer::Booking { replayed: false, .. }))
    })?;
    let id = view(history, changed)?.id.clone();
    let earlier = view(history, changed)?.decided_at_ms? - 1_600;
    let seen = history.operations.iter_mut().filter_map(|op| match &mut op.answer {
        Answer::Booking { booking, .. } => Some(booking),
        _ => None,
    });
    let last = history.last.iter_mut().flat_map(|last| &mut last.bookings);
    for view in seen.chain(last).filter(|view| view.id == id && view.state == State::Cancelled) {
        view.decided_at_ms = Some(earlier);
    }
    Some(())
}

/// What is changed, what it breaks at least, and how often in a hundred that is caught at least.
const MUTATIONS: &[(&str, Mutation, Rule, u64)] = &[
    ("lose a booking", lose_a_booking, Rule::NothingLost, 100),
    ("double a booking", double_a_booking, Rule::NothingUnasked, 95),
    ("undo the last change", undo_the_last_change, Rule::VersionsGrow, 100),
    ("swap two answers", swap_two_answers, Rule::AnswerFits, 95),
    ("refuse what was booked", refuse_what_was_booked, Rule::NothingUnasked, 80),
    ("another key for a repetition", another_key_for_a_repetition, Rule::OneAnswerPerKey, 100),
    ("a new booking for a repetition", a_new_booking_for_a_repetition, Rule::NothingUnasked, 95),
    ("fewer places than were sold", fewer_places_than_were_sold, Rule::NoOversell, 95),
    ("a lower limit for customers", a_lower_limit_for_customers, Rule::CustomerLimit, 80),
    ("another number in availability", another_number_in_availability, Rule::Availability, 90),
    ("an old availability", an_old_availability, Rule::AvailabilityVersions, 85),
    ("another number in a refusal", another_number_in_a_refusal, Rule::JustRefusal, 75),
    ("another version in a reading", another_version_in_a_reading, Rule::VersionsGrow, 95),
    ("a lapse that did not happen", a_lapse_that_did_not_happen, Rule::Deadlines, 90),
    ("a deadline that moves", a_deadline_that_moves, Rule::OneContentPerVersion, 90),
    ("sold in the end to nobody", sold_in_the_end_to_nobody, Rule::Money, 95),
    ("money that is gone", money_that_is_gone, Rule::Money, 98),
    ("a counter that is off", a_counter_that_is_off, Rule::Counters, 85),
    ("a stamp from another clock", a_stamp_from_another_clock, Rule::Stamps, 95),
];

#[test]
fn what_is_changed_is_caught() {
    let mut table = String::new();
    let mut missed = Vec::new();
    for (name, mutation, rule, least) in MUTATIONS {
        let (mut tried, mut caught, mut named) = (0, 0, 0);
        for seed in 0..SEEDS {
            let resized = if seed % 2 == 0 { 4 } else { 0 };
            let mut changed = history(Shape { seed, resized, ..Shape::default() });
            if mutation(&mut changed, &mut Rng(seed)).is_none() {
                continue;
            }
            tried += 1;
            let report = check(&changed);
            caught += u64::from(!report.holds());
            named += u64::from(report.breaks(*rule));
        }
        table += &format!("{name}: {tried} tried, {caught} caught, {named} of them as {rule:?}\n");
        if tried < SEEDS / 4 || caught * 100 < least * tried || named == 0 {
            missed.push(*name);
        }
    }
    println!("{table}");
    assert!(missed.is_empty(), "caught too seldom: {missed:?}\n{table}");
}
