//! One batch at a time, without threads, on the store in memory that fails on demand.
#![allow(clippy::unwrap_used, reason = "tests")]

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, CreateBooking, Idempotency, IdempotencyKey,
};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, BookingNo, ListingId};
use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::refusal::Code;
use lastseat_core::time::Time;
use lastseat_core::world::Answer;
use lastseat_engine::batch::{self, Ran};
use lastseat_store::memory::{Failure, Fate, Fault, Faults, MemoryStore, TestClock};
use lastseat_store::verify::verify;
use lastseat_store::{Lane, Store};
use serde_json::{Value, json};

struct Bench {
    clock: TestClock,
    store: MemoryStore,
    lane: Box<dyn Lane>,
    ids: u128,
}

impl Bench {
    fn new() -> Self {
        // 2026-11-21T12:00:00Z
        let clock = TestClock::at(Time::from_millis(1_795_262_400_000));
        let store = MemoryStore::new(clock.clone(), Faults::default());
        let lane = store.lane().unwrap();
        Self { clock, store, lane, ids: 0 }
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    fn run(&mut self, commands: &[Command]) -> Ran {
        let mut ids = self.ids + 1_000_000;
        self.ids += 1_000;
        batch::run(self.lane.as_mut(), commands, &mut || {
            ids += 1;
            ids
        })
    }

    fn listing(&mut self, policy: &Value) -> ListingId {
        let id = ListingId::from_bits(self.id());
        let spec = json!({
            "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
            "starts_at": "2026-11-23T10:00:00Z", "ends_at": "2026-11-23T12:00:00Z", "policy": policy,
            "pools": [{"key": "standard", "capacity": 5, "price": 100}],
        });
        let spec = Box::new(serde_json::from_value(spec).unwrap());
        let ran = self.run(&[Command::new(Actor::System, Action::CreateListing { id, spec })]);
        assert!(ran.answers[0].is_ok());
        id
    }

    fn creation(&mut self, listing: ListingId, who: &str) -> Command {
        let customer = Customer { name: who.into(), external_id: Some(who.into()), ..Customer::default() };
        Command::new(
            Actor::Public,
            Action::CreateBooking(Box::new(CreateBooking {
                id: BookingId::from_bits(self.id()),
                listing,
                claim: Claim::Lines(vec![LineSpec { pool: "standard".into(), quantity: 1 }]),
                expected_total: None,
                customer,
                address: None,
                max_open_holds_of_address: None,
                note: None,
                pass: None,
            })),
        )
    }

    fn book(&mut self, listing: ListingId, who: &str) -> Booking {
        let command = self.creation(listing, who);
        booking(&self.run(&[command]), 0)
    }

    fn bookings(&self) -> Vec<Booking> {
        self.store.reader().unwrap().all_bookings(BookingNo(0), 100).unwrap()
    }

    fn check(&self) {
        let report = verify(&self.store).unwrap();
        assert!(report.ok, "{report:#?}");
    }
}

fn booking(ran: &Ran, index: usize) -> Booking {
    match ran.answers[index].as_ref().unwrap() {
        Outcome::Booking(booking) => Booking::clone(booking),
        other => panic!("{other:?}"),
    }
}

fn edit(id: ListingId, patch: Value) -> Command {
    Command::new(Actor::System, Action::PatchListing { id, patch: Box::new(patch) })
}

fn codes(ran: &Ran) -> Vec<Option<Code>> {
    ran.answers.iter().map(|answer| answer.as_ref().err().map(|refusal| refusal.code)).collect()
}

fn keyed(mut command: Command) -> Command {
    command.idempotency = Some(Idempotency { key: IdempotencyKey([7; 16]), fingerprint: [7; 16] });
    command
}

#[test]
fn a_first_limit_counts_for_the_bookings_behind_it_in_the_batch() {
    let mut bench = Bench::new();
    let listing = bench.listing(&json!({}));
    bench.book(listing, "a");
    let [first, second] = ["a", "b"].map(|who| bench.creation(listing, who));
    let limit = edit(listing, json!({"policy": {"max_per_customer": 1}}));
    let ran = bench.run(&[limit, first, second]);
    assert_eq!(codes(&ran), [None, Some(Code::CustomerLimit), None]);
    bench.check();
}

#[test]
fn edits_in_one_batch_have_all_bookings_renewed() {
    let mut bench = Bench::new();
    let listing = bench.listing(&json!({}));
    let booked = bench.book(listing, "a");
    let times = |end: &str| edit(listing, json!({"ends_at": end}));
    let renew = Command::new(Actor::System, Action::RenewDue { limit: 10 });
    bench.run(&[times("2026-11-23T13:00:00Z")]);
    // The first edit's renewal ends in the batch of the second, and words come after both.
    let words = edit(listing, json!({"title": "Other words"}));
    bench.run(&[times("2026-11-23T14:00:00Z"), words, renew.clone()]);
    bench.check();
    while bench.run(std::slice::from_ref(&renew)).more_renewals {}
    bench.check();
    let due = bench.store.reader().unwrap().stored_due_at(booked.no).unwrap();
    assert_eq!(due, Some("2026-11-23T14:00:00Z".parse().unwrap()));
}

#[test]
fn one_poisonous_command_does_not_fail_its_neighbours() {
    let mut bench = Bench::new();
    let listing = bench.listing(&json!({}));
    let commands: Vec<Command> = (0..5).map(|n| bench.creation(listing, &n.to_string())).collect();
    let Action::CreateBooking(poison) = &commands[3].action else { panic!() };
    bench.store.faults().poison(poison.id);
    let ran = bench.run(&commands);
    assert_eq!(codes(&ran), [None, None, None, Some(Code::Unavailable), None]);
    assert_eq!(bench.bookings().len(), 4);
    bench.check();
}

#[test]
fn an_unknown_outcome_is_settled_before_anybody_is_answered() {
    for (fate, question) in [Fate::Landed, Fate::Lost, Fate::LandsLater, Fate::LostLater]
        .into_iter()
        .flat_map(|fate| [(fate, false), (fate, true)])
    {
        let mut bench = Bench::new();
        let listing = bench.listing(&json!({}));
        let command = bench.creation(listing, "a");
        bench.store.faults().once(Fault::Unknown(fate));
        if question {
            // It can be asked the third time only.
            bench.store.faults().once(Fault::Question);
            bench.store.faults().once(Fault::Question);
        }
        let ran = bench.run(&[command]);
        let answered = booking(&ran, 0);
        assert_eq!(bench.bookings(), [answered], "{fate:?}: once, as it was answered");
        bench.check();
    }
}

#[test]
fn who_was_told_that_nothing_is_known_finds_it_under_the_key() {
    for (fate, there) in [(Fate::Landed, true), (Fate::Lost, false), (Fate::LandsLater, true)] {
        let mut bench = Bench::new();
        let listing = bench.listing(&json!({}));
        let command = keyed(bench.creation(listing, "a"));
        bench.store.faults().once(Fault::Crash(fate));
        let ran = bench.run(std::slice::from_ref(&command));
        assert_eq!(codes(&ran), [Some(Code::Unavailable)]);
        bench.lane = bench.store.lane().unwrap();
        let again = bench.run(std::slice::from_ref(&command));
        let replayed = Outcome::Replay(Answer::Booking { no: BookingNo(1), version: 1 });
        assert_eq!(again.answers[0].as_ref().unwrap() == &replayed, there, "{fate:?}");
        assert_eq!(bench.bookings().len(), 1);
    }
}

#[test]
fn a_full_disk_refuses_and_changes_nothing_until_there_is_room() {
    let mut bench = Bench::new();
    let listing = bench.listing(&json!({}));
    let commands: Vec<Command> = (0..3).map(|n| bench.creation(listing, &n.to_string())).collect();
    for fault in [Fault::Write(Failure::Full), Fault::Commit(Failure::Full)] {
        bench.store.faults().always(fault);
        let ran = bench.run(&commands);
        assert_eq!(codes(&ran), [Some(Code::Unavailable); 3]);
        assert!(ran.worlds.is_empty(), "nothing is told to those who watch");
        assert!(bench.bookings().is_empty());
        bench.store.faults().heal();
    }
    assert_eq!(codes(&bench.run(&commands)), [None; 3]);
}

#[test]
fn the_same_key_twice_in_one_batch_books_once() {
    let mut bench = Bench::new();
    let listing = bench.listing(&json!({}));
    let (first, second) = (bench.creation(listing, "a"), bench.creation(listing, "a"));
    let ran = bench.run(&[keyed(first), keyed(second)]);
    let one = booking(&ran, 0);
    let replayed = Outcome::Replay(Answer::Booking { no: one.no, version: 1 });
    assert_eq!(ran.answers[1], Ok(replayed));
    assert_eq!(bench.bookings(), [one]);
}

#[test]
fn a_clock_that_goes_back_gives_no_place_twice() {
    let mut bench = Bench::new();
    let listing = bench.listing(&json!({"payment": ["external"], "hold_seconds": 60}));
    let first: Vec<Booking> = (0..5).map(|n| bench.book(listing, &n.to_string())).collect();
    bench.clock.advance(std::time::Duration::from_secs(60));
    let second: Vec<Booking> = (5..10).map(|n| bench.book(listing, &n.to_string())).collect();
    bench.clock.rewind(std::time::Duration::from_secs(3600));
    let command = bench.creation(listing, "late");
    assert_eq!(codes(&bench.run(&[command])), [Some(Code::SoldOut)]);
    let cancel = BookingChange::Cancel { reason: None };
    let late = Command::new(Actor::Owner, Action::Booking { id: first[0].id, change: cancel });
    assert_eq!(codes(&bench.run(&[late])), [Some(Code::HoldExpired)], "what has lapsed has lapsed");
    assert!(second.iter().all(|booking| booking.state == State::Held));
    bench.check();
}
