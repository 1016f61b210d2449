//! What is in order is found in order, also while it changes; what is not is found and named.

use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::command::{Action, Actor, BookingChange, MoneyIn};
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, BookingNo, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolRef;
use serde_json::json;

use super::report::MAX_BROKEN;
use super::walk::Walk;
use super::{Report, Rule, verify, verify_sample, verify_snapshot};
use crate::conformance::kit::{Kit, START, lines, nights, places, stay};
use crate::memory::{Faults, MemoryStore, Rows, TestClock};
use crate::read::StoredEvent;
use crate::tx::Store;

mod gone;
mod waitlist;

struct Stage {
    kit: Kit,
    memory: MemoryStore,
    listing: Arc<Listing>,
    inn: Arc<Listing>,
}

fn money(amount: i64, currency: &str) -> BookingChange {
    BookingChange::Confirm(MoneyIn { amount, currency: currency.to_owned(), reference: "p".to_owned() })
}

/// A store in which everything has happened: 1 held, 2 confirmed, 3 cancelled and paid back in part, 4 overdue, 5 a
/// stay that was moved, 6 in review, 7 completed, 8 held from a counted address.
fn stage() -> Stage {
    let clock = TestClock::at(START);
    let memory = MemoryStore::new(clock.clone(), Faults::default());
    let shared: Arc<dyn Store> = Arc::new(memory.clone());
    let mut kit = Kit::new(&|_| Arc::clone(&shared));
    kit.clock = clock;
    let mut form = places();
    form["policy"]["max_per_customer"] = json!(20);
    let (listing, inn) = (kit.listing(form), kit.listing(nights()));
    let [_held, confirmed, cancelled, _overdue] =
        std::array::from_fn(|_| kit.book(listing.id, "standard", 1));
    for booking in [&confirmed, &cancelled] {
        kit.change(booking.id, money(100, "UZS"));
    }
    kit.change(cancelled.id, BookingChange::Cancel { reason: None });
    kit.change(cancelled.id, BookingChange::Refund { amount: 40, reference: "r".to_owned() });
    let create = kit.creation(inn.id, stay("2026-12-30", "2027-01-02"), "guest");
    let moved = kit.create(create, None);
    kit.change(moved.id, BookingChange::Reschedule { claim: stay("2026-12-31", "2027-01-03") });
    for state in [State::InReview, State::Completed] {
        let row = kit.row(&listing, state);
        kit.commit(|world| world.insert_booking(row, &[EventKind::BookingPaymentSubmitted], &Actor::System));
    }
    let mut create = kit.creation(listing.id, lines(&[("vip", 2)]), "other");
    (create.address, create.max_open_holds_of_address) = (Some("home".to_owned()), Some(9));
    let last = kit.create(create, None);
    for booking in [&moved, &last] {
        kit.change(booking.id, BookingChange::Extend { seconds: 600 });
    }
    kit.pass(600);
    Stage { kit, memory, listing, inn }
}

impl Stage {
    fn verify(&self) -> Report {
        let report = verify(&self.memory).unwrap();
        let snapshot = self.memory.reader().unwrap();
        assert_eq!(
            verify_snapshot(snapshot.as_ref()).unwrap(),
            report,
            "one snapshot or many, it is the same"
        );
        report
    }

    fn id(&self, no: i64) -> BookingId {
        self.kit.read(|read| read.booking_at(BookingNo(no))).unwrap().id
    }

    fn at(&self, listing: &Listing, key: &str) -> PoolRef {
        PoolRef { listing: listing.no, pool: listing.find_pool(key).unwrap() }
    }

    /// Plants something, and checks that it is found under these rules, and under no other, with these names.
    fn finds(self, what: &str, plant: impl FnOnce(&mut Rows), wanted: &[(Rule, &[String])]) {
        self.memory.tamper(plant);
        let report = self.verify();
        assert!(!report.ok, "{what} was not found");
        for rule in Rule::ALL {
            let found = &report.of(*rule).broken;
            let names = wanted.iter().find(|(of, _)| of == rule).map_or(&[][..], |(_, names)| names);
            assert_eq!(found, names, "{what}: {}", rule.name());
        }
    }
}

fn edit(rows: &mut Rows, no: i64, change: impl FnOnce(&mut lastseat_core::booking::Booking)) {
    change(&mut Arc::make_mut(rows.bookings.get_mut(&BookingNo(no)).unwrap()).booking);
}

#[test]
fn a_store_in_order_is_found_in_order_although_holds_are_overdue() {
    let stage = stage();
    let due = stage.kit.read(|read| read.next_due()).unwrap();
    assert!(due <= stage.kit.clock.now(), "some holds are overdue and not swept");
    let report = stage.verify();
    assert!(report.ok, "{report:#?}");
    let checked: Vec<u64> = report.checks.iter().map(|check| check.checked).collect();
    assert_eq!(checked, [82, 82, 5, 3, 8, 8, 8, 8, 0, 0, 82, 2, 0]);
    let text = serde_json::to_value(&report).unwrap();
    assert_eq!(text["ok"], json!(true));
    assert_eq!(text["checks"][0], json!({"name": "no_oversell", "checked": 82, "broken": []}));
}

#[test]
fn wrong_counters_are_found_by_the_name_of_their_pool() {
    let it = stage();
    let at = it.at(&it.listing, "standard");
    let name = [format!("{}/standard", it.listing.id)];
    let held = |rows: &mut Rows| rows.pools.get_mut(&at).unwrap().held += 1;
    it.finds("a unit too many is held", held, &[(Rule::CountersAreTrue, &name)]);

    let it = stage();
    let night = it.at(&it.inn, "double/2027-01-02");
    let name = [format!("{}/double/2027-01-02", it.inn.id)];
    let swapped = |rows: &mut Rows| {
        let pool = rows.pools.get_mut(&night).unwrap();
        (pool.held, pool.confirmed) = (pool.confirmed, pool.held);
    };
    it.finds("held is taken for confirmed", swapped, &[(Rule::CountersAreTrue, &name)]);

    let it = stage();
    let at = it.at(&it.listing, "vip");
    let name = [format!("{}/vip", it.listing.id)];
    let gone = |rows: &mut Rows| rows.pools.retain(|other, _| *other != at);
    it.finds("a pool with bookings is gone", gone, &[(Rule::CountersAreTrue, &name)]);
}

#[test]
fn an_oversold_pool_is_found_although_its_counters_are_true() {
    let it = stage();
    let at = it.at(&it.listing, "standard");
    let name = [format!("{}/standard", it.listing.id)];
    let cut = |rows: &mut Rows| rows.pools.get_mut(&at).unwrap().capacity = 4;
    it.finds("less capacity than is sold", cut, &[(Rule::NoOversell, &name)]);
    let it = stage();
    let at = it.at(&it.listing, "standard");
    let blocked = |rows: &mut Rows| rows.pools.get_mut(&at).unwrap().blocked = -1;
    it.finds(
        "a negative number",
        blocked,
        &[(Rule::NoOversell, &[format!("{}/standard", stage().listing.id)])],
    );
}

#[test]
fn a_booking_that_was_changed_behind_its_log_is_found() {
    let it = stage();
    let name = [it.id(2).to_string()];
    let note = |rows: &mut Rows| edit(rows, 2, |row| row.note = Some("changed".to_owned()));
    it.finds("a changed row", note, &[(Rule::LogFoldsToRows, &name)]);

    let it = stage();
    let (name, pool) = ([it.id(3).to_string()], [format!("{}/standard", it.listing.id)]);
    let revived = |rows: &mut Rows| edit(rows, 3, |row| row.state = State::Completed);
    let customers = [it.listing.id.to_string()];
    let wanted: [(Rule, &[String]); 3] = [
        (Rule::CountersAreTrue, &pool),
        (Rule::CustomersAreCounted, &customers),
        (Rule::LogFoldsToRows, &name),
    ];
    it.finds("a revived booking", revived, &wanted);
}

#[test]
fn a_hole_in_the_log_is_found() {
    for (what, index) in [("the first event", 0), ("one in between", 1), ("the last", 2)] {
        let it = stage();
        let name = [it.id(3).to_string()];
        let hole = |rows: &mut Rows| {
            let mut seen = 0;
            rows.events.retain(|event| {
                let of_it = event.booking.is_some_and(|(no, _)| no == BookingNo(3));
                seen += usize::from(of_it);
                !(of_it && seen == index + 1)
            });
        };
        it.finds(what, hole, &[(Rule::LogFoldsToRows, &name)]);
    }
    let it = stage();
    let name = [it.id(1).to_string()];
    let garbage = |rows: &mut Rows| {
        let event =
            rows.events.iter_mut().find(|event| event.booking.is_some_and(|(no, _)| no == BookingNo(1)));
        Arc::make_mut(event.unwrap()).data = "{".to_owned();
    };
    it.finds("an event that cannot be read", garbage, &[(Rule::LogFoldsToRows, &name)]);
}

#[test]
fn money_that_does_not_add_up_is_found() {
    for (what, change) in [
        ("money from nowhere", (|row| row.paid += 1) as fn(&mut lastseat_core::booking::Booking)),
        ("a refund that nobody recorded", |row| (row.refunded, row.refund_due) = (50, 50)),
        ("money kept for nothing", |row| row.refund_due = 0),
        ("a negative amount", |row| row.refund_due = -1),
    ] {
        let it = stage();
        let name = [it.id(3).to_string()];
        let wanted: [(Rule, &[String]); 2] = [(Rule::MoneyIsConserved, &name), (Rule::LogFoldsToRows, &name)];
        it.finds(what, |rows| edit(rows, 3, change), &wanted);
    }
    let it = stage();
    let name = [it.id(2).to_string()];
    let wanted: [(Rule, &[String]); 2] = [(Rule::MoneyIsConserved, &name), (Rule::LogFoldsToRows, &name)];
    let cheaper = |row: &mut lastseat_core::booking::Booking| row.total = 99;
    it.finds("more applied than it costs", |rows| edit(rows, 2, cheaper), &wanted);
}

#[test]
fn a_deadline_that_nobody_would_see_is_found() {
    for (what, due) in [("none", None), ("another", Some(START))] {
        let it = stage();
        let name = [it.id(1).to_string()];
        let lost = |rows: &mut Rows| {
            Arc::make_mut(rows.bookings.get_mut(&BookingNo(1)).unwrap()).due_at = due;
        };
        it.finds(what, lost, &[(Rule::DueAtIsComputed, &name)]);
    }
    let it = stage();
    let name = [it.id(2).to_string()];
    let wanted: [(Rule, &[String]); 2] = [(Rule::DueAtIsComputed, &name), (Rule::LogFoldsToRows, &name)];
    it.finds("a deadline of what is sold", |rows| edit(rows, 2, |row| row.deadline = Some(START)), &wanted);
}

#[test]
fn holds_that_are_not_those_of_the_bookings_are_found() {
    let it = stage();
    let name = [format!("{}/vip", it.listing.id)];
    let lost = |rows: &mut Rows| rows.holds.retain(|key, _| key.3 != BookingNo(8));
    it.finds("a hold that nobody would sweep", lost, &[(Rule::HoldsMatchBookings, &name)]);

    let it = stage();
    let name = [format!("{}/double/2026-12-31", it.inn.id)];
    let shorter = |rows: &mut Rows| {
        rows.holds.iter_mut().filter(|(key, _)| key.3 == BookingNo(5)).for_each(|(_, row)| row.last -= 1);
    };
    it.finds("a hold on fewer nights", shorter, &[(Rule::HoldsMatchBookings, &name)]);

    let it = stage();
    let name = [format!("{}/standard", it.listing.id)];
    let left = |rows: &mut Rows| {
        let (key, row) =
            rows.holds.iter().find(|(key, _)| key.3 == BookingNo(1)).map(|(k, r)| (*k, *r)).unwrap();
        rows.holds.insert((key.0, key.1, key.2, BookingNo(2), key.4), row);
    };
    it.finds("a hold of what is sold", left, &[(Rule::HoldsMatchBookings, &name)]);
}

#[test]
fn customers_and_addresses_that_are_counted_wrong_are_found() {
    let it = stage();
    let (of, name) = ((it.listing.no, "x:other".to_owned()), [it.listing.id.to_string()]);
    let wrong = |rows: &mut Rows| rows.customers.get_mut(&of).unwrap().units -= 1;
    it.finds("a unit too few", wrong, &[(Rule::CustomersAreCounted, &name)]);
    let it = stage();
    let of = (it.listing.no, "x:somebody".to_owned());
    let nobody = |rows: &mut Rows| rows.customers.retain(|other, _| *other != of);
    it.finds("nobody", nobody, &[(Rule::CustomersAreCounted, &name)]);
    let it = stage();
    let of = (ListingNo(0), "home".to_owned());
    let wrong = |rows: &mut Rows| rows.customers.get_mut(&of).unwrap().open_holds = 0;
    it.finds("an address", wrong, &[(Rule::CustomersAreCounted, &["addresses".to_owned()])]);
}

#[test]
fn one_id_for_two_bookings_is_found() {
    let it = stage();
    let (first, second) = (it.id(1), it.id(2));
    let name = [first.to_string()];
    let twin = |rows: &mut Rows| {
        rows.booking_nos.insert(first, BookingNo(2));
    };
    it.finds("an id that leads elsewhere", twin, &[(Rule::BookingsAreUnique, &name)]);
    let it = stage();
    let wanted = [second.to_string()];
    let lost = |rows: &mut Rows| rows.booking_nos.retain(|id, _| *id != second);
    it.finds("an id that leads nowhere", lost, &[(Rule::BookingsAreUnique, &wanted)]);
}

#[test]
fn bookings_may_change_while_they_are_checked() {
    for (page, chunk) in [(1, 1), (2, 1), (3, 2), (100, 100)] {
        let mut it = stage();
        let mut walk = Walk::begin(it.memory.reader().unwrap().as_ref()).unwrap();
        let mut turn = 0;
        loop {
            disturb(&mut it, turn);
            turn += 1;
            if !walk.page(it.memory.reader().unwrap().as_ref(), page).unwrap() {
                break;
            }
        }
        let report = loop {
            disturb(&mut it, turn);
            turn += 1;
            let read = it.memory.reader().unwrap();
            if !walk.follow(read.as_ref(), chunk).unwrap() {
                break walk.finish(read.as_ref()).unwrap();
            }
            if turn > 30 {
                // Nothing more happens, so it comes to an end.
                while walk.follow(read.as_ref(), chunk).unwrap() {}
                break walk.finish(read.as_ref()).unwrap();
            }
        };
        assert!(report.ok, "pages of {page}, chunks of {chunk}: {report:#?}");
        it.verify();
    }
}

/// Something happens between two snapshots: to a booking that was read already, and to one that was not.
fn disturb(it: &mut Stage, turn: usize) {
    let (listing, inn) = (it.listing.id, it.inn.id);
    match turn {
        0 => drop(it.kit.act(Action::SettleDue { limit: 9 })),
        1 => drop(it.kit.book(listing, "vip", 1)),
        2 => drop(it.kit.change(it.id(9), BookingChange::Reschedule { claim: lines(&[("standard", 2)]) })),
        3 => drop(it.kit.change(it.id(8), money(500, "UZS"))),
        4 => drop(it.kit.change(it.id(5), BookingChange::Cancel { reason: None })),
        5 => {
            let third = it.kit.listing(places());
            it.kit.book(third.id, "standard", 1);
        }
        6 => drop(it.kit.change(it.id(9), money(200, "UZS"))),
        7 => {
            let create = it.kit.creation(inn, stay("2026-12-05", "2026-12-09"), "late");
            it.kit.create(create, None);
        }
        8 => drop(it.kit.patch(inn, json!({"check_out_time": "10:00"}))),
        9 => drop(it.kit.patch(inn, json!({"policy": {"max_per_customer": 3}}))),
        _ if turn < 15 => {
            it.kit.pass(300);
            it.kit.act(Action::SettleDue { limit: 1 });
        }
        _ => {}
    }
}

/// Takes their places in the log from the newest events, as where places are given after the commit, or gives them back.
fn unplace(it: &Stage, count: usize) {
    it.memory.tamper(|rows| {
        let unplaced = std::mem::take(&mut rows.unplaced).into_values().flatten();
        rows.events
            .extend(unplaced.map(|event| Arc::new(StoredEvent { place: event.no, ..(*event).clone() })));
        rows.events.sort_by_key(|event| event.place);
        let newest = rows.events.split_off(rows.events.len().saturating_sub(count));
        let placeless =
            newest.into_iter().map(|event| Arc::new(StoredEvent { place: 0, ..(*event).clone() }));
        rows.unplaced.insert(1, placeless.collect());
    });
}

#[test]
fn what_has_no_place_in_the_log_yet_counts_where_it_is_seen() {
    for unplaced in [0, 1, 3, 100] {
        let mut it = stage();
        unplace(&it, unplaced);
        let mut walk = Walk::begin(it.memory.reader().unwrap().as_ref()).unwrap();
        for turn in 0..14 {
            unplace(&it, 0);
            disturb(&mut it, turn);
            unplace(&it, unplaced);
            if turn < 8 {
                walk.page(it.memory.reader().unwrap().as_ref(), 2).unwrap();
            }
        }
        while walk.page(it.memory.reader().unwrap().as_ref(), 2).unwrap() {}
        let report = loop {
            let read = it.memory.reader().unwrap();
            if !walk.follow(read.as_ref(), 3).unwrap() {
                break walk.finish(read.as_ref()).unwrap();
            }
        };
        assert!(report.ok, "{unplaced} without a place: {report:#?}");
    }
}

#[test]
fn what_is_wrong_is_found_while_other_things_change() {
    let mut it = stage();
    let at = it.at(&it.listing, "vip");
    it.memory.tamper(|rows| rows.pools.get_mut(&at).unwrap().held += 1);
    let mut walk = Walk::begin(it.memory.reader().unwrap().as_ref()).unwrap();
    for turn in 0..5 {
        disturb(&mut it, turn);
        walk.page(it.memory.reader().unwrap().as_ref(), 2).unwrap();
    }
    while walk.page(it.memory.reader().unwrap().as_ref(), 2).unwrap() {}
    while walk.follow(it.memory.reader().unwrap().as_ref(), 1).unwrap() {}
    let report = walk.finish(it.memory.reader().unwrap().as_ref()).unwrap();
    assert_eq!(report.of(Rule::CountersAreTrue).broken, [format!("{}/vip", it.listing.id)]);
    assert_eq!(report.violations(), 1, "{report:#?}");
}

#[test]
fn samples_go_round_and_find_what_is_wrong() {
    let it = stage();
    let reader = it.memory.reader().unwrap();
    let mut seen = Vec::new();
    let mut after = BookingNo(0);
    for _ in 0..4 {
        let sample = verify_sample(reader.as_ref(), after, 3).unwrap();
        assert!(sample.report.ok, "{:#?}", sample.report);
        seen.push((after.0, sample.bookings));
        after = sample.next;
    }
    assert_eq!(seen, [(0, 3), (3, 3), (6, 2), (0, 3)]);
    drop(reader);
    for (limit, plant) in [
        (3, (|rows: &mut Rows, at| rows.pools.get_mut(&at).unwrap().held += 1) as fn(&mut Rows, PoolRef)),
        (3, |rows, at| rows.pools.get_mut(&at).unwrap().capacity = 0),
        (20, |rows, at| rows.pools.get_mut(&at).unwrap().confirmed += 1),
        (3, |rows, _| edit(rows, 1, |row| row.paid = 1)),
    ] {
        let it = stage();
        let at = it.at(&it.listing, "standard");
        it.memory.tamper(|rows| plant(rows, at));
        let sample = verify_sample(it.memory.reader().unwrap().as_ref(), BookingNo(0), limit).unwrap();
        assert!(!sample.report.ok);
    }
}

#[test]
fn of_many_broken_things_some_are_named() {
    let mut report = Report::default();
    for n in 0..3 * MAX_BROKEN {
        report.check(Rule::LogFoldsToRows, false, || format!("bkg_{}", n / 2));
    }
    let check = report.of(Rule::LogFoldsToRows);
    assert_eq!((check.checked, check.broken.len()), (300, MAX_BROKEN));
    assert_eq!(check.broken[..2], ["bkg_0", "bkg_1"]);
}
