//! Random sequences of all commands on listings of all kinds, with time that passes, customers who come again, keys
//! that are used again. [`Bench`] checks every rule after every step; here is what only the sequence knows: what was
//! answered before, and what must be refused.

use std::collections::BTreeMap;

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, Idempotency, IdempotencyKey, NewKey, PoolsChange, Role, WaitFor,
};
use lastseat_core::id::{KeyId, ListingId, ListingNo};
use lastseat_core::listing::request::Claim;
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::pool::PoolRef;
use lastseat_core::refusal::{Code, Refusal, RefusalData};
use lastseat_core::world::Answer;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{
    Bench, admin, cancel, extend, integrator, lines, money, nights_form, operator, places_form, receipt,
    refund, reject, reschedule, seats_form, slot, slots_form, stay, time,
};

/// Most listings of one run.
const MAX_LISTINGS: usize = 6;

/// A step, in small numbers that are read as what there is at the time.
#[derive(Clone, Debug)]
enum Op {
    Pass(i64),
    Create { listing: u8, claim: u8, quantity: i64, who: u8, actor: u8, address: u8, expected: u8 },
    Change { booking: u8, change: u8, amount: u8, claim: u8, actor: u8, seen: u8 },
    Import { listing: u8, claim: u8, state: u8, paid: u8, age: u8, external: u8 },
    Patch { listing: u8, patch: u8 },
    Pools { listing: u8, change: u8, number: i64 },
    List { kind: u8, policy: u8 },
    Key { revoke: bool },
    Join { listing: u8, claim: u8, quantity: i64, who: u8 },
    Leave { listing: u8, entry: u8, actor: u8 },
    Due,
}

fn op() -> impl Strategy<Value = Op> {
    let byte = any::<u8>;
    let quantity = prop_oneof![8 => 1..4i64, 1 => Just(0), 1 => Just(11)];
    let claim = (byte(), byte(), quantity);
    prop_oneof![
        3 => prop::sample::select(vec![1, 30, 59, 60, 61, 600, 3_600, 86_400, -5, -120]).prop_map(Op::Pass),
        9 => (claim, byte(), byte(), byte(), byte()).prop_map(
            |((listing, claim, quantity), who, actor, address, expected)| {
                Op::Create { listing, claim, quantity, who, actor, address, expected }
            }
        ),
        14 => (byte(), byte(), byte(), byte(), byte(), byte()).prop_map(
            |(booking, change, amount, claim, actor, seen)| {
                Op::Change { booking, change, amount, claim, actor, seen }
            }
        ),
        2 => (byte(), byte(), byte(), byte(), byte(), byte()).prop_map(
            |(listing, claim, state, paid, age, external)| {
                Op::Import { listing, claim, state, paid, age, external }
            }
        ),
        2 => (byte(), byte()).prop_map(|(listing, patch)| Op::Patch { listing, patch }),
        2 => (byte(), byte(), 0..6i64).prop_map(|(listing, change, number)| Op::Pools { listing, change, number }),
        1 => (byte(), byte()).prop_map(|(kind, policy)| Op::List { kind, policy }),
        1 => any::<bool>().prop_map(|revoke| Op::Key { revoke }),
        6 => (byte(), byte(), 1..5i64, byte()).prop_map(|(listing, claim, quantity, who)| {
            Op::Join { listing, claim, quantity, who }
        }),
        1 => (byte(), byte(), byte()).prop_map(|(listing, entry, actor)| Op::Leave { listing, entry, actor }),
        1 => Just(Op::Due),
    ]
}

fn pick<T: Clone>(items: &[T], index: u8) -> T {
    items[usize::from(index) % items.len()].clone()
}

fn policy(index: u8) -> Value {
    pick(
        &[
            json!({"payment": ["receipt", "external"], "hold_seconds": 60, "hold_max_seconds": 120, "review_seconds": 600}),
            json!({"payment": ["external"], "hold_seconds": 1, "max_per_customer": 3, "max_open_holds": 2}),
            json!({"payment": []}),
            json!({"payment": ["receipt"], "hold_seconds": 600, "max_open_holds": 1, "cancel_until_seconds": 86_400}),
        ],
        index,
    )
}

fn claim(listing: &Listing, index: u8, quantity: i64) -> Claim {
    match listing.kind() {
        Kind::Places => match index % 5 {
            0 | 1 => lines(&[("standard", quantity)]),
            2 => lines(&[("free", quantity)]),
            3 => lines(&[("vip", 1), ("standard", quantity), ("vip", quantity)]),
            _ => lines(&[("nowhere", quantity)]),
        },
        Kind::Nights => match index % 5 {
            0 => stay("double", "2026-11-21", "2026-11-23", quantity),
            1 => stay("double", "2026-11-22", "2026-11-30", quantity),
            2 => stay("single", "2026-11-22", "2026-11-24", quantity),
            3 => lines(&[("double/2026-11-23", quantity), ("single/2026-11-24", 1)]),
            _ => stay("double", "2026-12-04", "2026-12-06", quantity),
        },
        Kind::Seats => match index % 5 {
            0 => lines(&[("A-1", quantity.min(1)), ("A-2", 1)]),
            1 => lines(&[("A-2", quantity.min(1)), ("A-3", 1)]),
            2 => lines(&[("A-4", quantity)]),
            3 => lines(&[("standing", quantity)]),
            _ => lines(&[("A-1", 1), ("A-1", 1)]),
        },
        Kind::Slots => match index % 5 {
            0 => slot("pitch", "2026-11-22T03:30:00Z", quantity),
            1 => slot("pitch", "2026-11-22T04:30:00Z", 2),
            2 => lines(&[("pitch/2026-11-22T03:30Z", quantity)]),
            3 => slot("pitch", "2026-11-24T05:30:00Z", quantity),
            _ => slot("pitch", "2026-11-22T03:45:00Z", 1),
        },
    }
}

fn actor(index: u8) -> Actor {
    pick(
        &[operator(), admin(), Actor::Owner, Actor::Owner, integrator(), Actor::Public, Actor::System],
        index,
    )
}

/// A run: what there is, and what was answered under each idempotency key.
#[derive(Default)]
struct Run {
    bench: Bench,
    answered: BTreeMap<IdempotencyKey, (Idempotency, Outcome)>,
}

impl Run {
    fn listing(&self, index: u8) -> Listing {
        let id: ListingId = pick(&self.bench.listings, index);
        Listing::clone(self.bench.world.listing(id).unwrap())
    }

    /// What the step asks for. None for time alone, and where there is nothing to ask it of.
    fn command(&mut self, op: &Op) -> Option<Command> {
        let system = |action| Command::new(admin(), action);
        let command = match *op {
            Op::Pass(seconds) => {
                self.bench.pass(seconds);
                return None;
            }
            Op::Create { listing, claim: index, quantity, who, actor: by, address, expected } => {
                let listing = self.listing(listing);
                let claim = claim(&listing, index, quantity);
                let mut create = self.bench.creation(listing.id, claim, &format!("c{}", who % 3));
                if who % 5 == 4 {
                    create.customer.external_id = None;
                }
                if address % 3 == 0 {
                    (create.address, create.max_open_holds_of_address) = (Some("home".into()), Some(2));
                }
                create.expected_total = (expected % 6 == 0).then_some(100);
                let by = pick(&[Actor::Public, Actor::Public, integrator(), operator()], by);
                Command::new(by, Action::CreateBooking(Box::new(create)))
            }
            Op::Change { booking, change, amount, claim: index, actor: by, seen } => {
                let bookings = self.bench.bookings();
                let booking = bookings.get(usize::from(booking) % bookings.len().max(1))?;
                let change = self.change(booking, change, amount, index);
                let mut command = Command::new(actor(by), Action::Booking { id: booking.id, change });
                command.if_match = match seen % 8 {
                    0 => Some(u64::from(booking.version)),
                    1 => Some(u64::from(booking.version) + 1),
                    _ => None,
                };
                command
            }
            Op::Import { listing, claim: index, state, paid, age, external } => {
                let listing = self.listing(listing);
                let claim = claim(&listing, index, 1);
                let mut import = self.bench.importation(listing.id, claim, pick(&State::ALL, state));
                import.paid = pick(&[0, 0, 50, 100, 250], paid);
                let now = self.bench.world.now;
                import.created_at = pick(
                    &[None, Some(now), Some(now.plus_seconds(-30)), Some(now.plus_seconds(-9_999))],
                    age,
                );
                import.external_id = pick(&[None, Some("old-1".into()), Some("old-2".into())], external);
                system(Action::ImportBooking(Box::new(import)))
            }
            Op::Patch { listing, patch: index } => {
                let listing = self.listing(listing);
                system(Action::PatchListing { id: listing.id, patch: Box::new(patch(&listing, index)) })
            }
            Op::Pools { listing, change, number } => {
                let listing = self.listing(listing);
                system(Action::PutPools { id: listing.id, change: pools(&listing, change, number) })
            }
            Op::List { kind, policy: index } => {
                if self.bench.listings.len() >= MAX_LISTINGS {
                    return None;
                }
                let policy = policy(index);
                let form = match kind % 4 {
                    0 => places_form(3, &policy),
                    1 => nights_form(2, &policy),
                    2 => slots_form(2, &policy),
                    _ => seats_form(&policy),
                };
                let id = ListingId::from_bits(self.bench.id());
                system(Action::CreateListing { id, spec: Box::new(serde_json::from_value(form).unwrap()) })
            }
            Op::Key { revoke: true } => system(Action::RevokeKey { id: KeyId::from_bits(9) }),
            Op::Key { revoke: false } => {
                let id = KeyId::from_bits(9);
                let key = NewKey { id, role: Role::Operator, name: "new".into(), hash: [9; 32] };
                system(Action::CreateKey(Box::new(key)))
            }
            Op::Join { listing, claim: index, quantity, who } => {
                let listing = self.listing(listing);
                let want = match index % 4 {
                    0 => WaitFor::Any(quantity),
                    _ => WaitFor::Claim(claim(&listing, index / 4, quantity)),
                };
                let who = (who % 3 > 0).then(|| format!("c{}", who % 7));
                self.bench.joining(listing.id, want, who.as_deref())
            }
            Op::Leave { listing, entry, actor: by } => {
                let entries = self.bench.entries(self.listing(listing).no);
                let entry = entries.get(usize::from(entry) % entries.len().max(1))?;
                Command::new(actor(by), Action::LeaveWaitlist { id: entry.id })
            }
            Op::Due => {
                self.bench.renew();
                return None;
            }
        };
        Some(command)
    }

    fn change(&self, booking: &Booking, change: u8, amount: u8, index: u8) -> BookingChange {
        let missing = booking.total - booking.applied();
        let reference = format!("p{}", amount % 7);
        match change % 12 {
            0 | 1 => receipt("r"),
            2 | 3 => money(missing.max(1), &reference),
            4 => money(i64::from(amount) + 1, &reference),
            5 | 6 => BookingChange::Approve,
            7 => reject("unreadable"),
            8 => cancel(),
            9 => extend(i64::from(amount) % 90),
            10 => reschedule(claim(&self.bench.world.listing_of(booking), index, i64::from(amount) % 3 + 1)),
            _ => refund(i64::from(amount) * 3 + 1, &reference),
        }
    }

    fn step(&mut self, op: &Op, key: Option<u8>) {
        let Some(mut command) = self.command(op) else { return };
        if let (Some(key), true) = (key, remembers(&command.action)) {
            // The ids that the engine draws are no part of the request.
            let mut fingerprint = [0; 16];
            fingerprint[..4].copy_from_slice(&digest(&format!("{op:?}")).to_be_bytes());
            command.idempotency = Some(Idempotency { key: IdempotencyKey([key; 16]), fingerprint });
        }
        self.bench.settle();
        let before = self.bench.seen();
        let answer = self.bench.run(&command);
        match &answer {
            Ok(outcome) => self.check_success(&command, outcome),
            Err(refusal) => self.check_refusal(&command, refusal),
        }
        if let Ok(Outcome::Replay(_)) = answer {
            assert_eq!(self.bench.seen(), before, "an answer that is given again changes nothing");
        }
    }

    fn check_success(&mut self, command: &Command, outcome: &Outcome) {
        if let Some(idempotency) = command.idempotency {
            match (self.answered.get(&idempotency.key), outcome) {
                (Some((known, first)), Outcome::Replay(answer)) => {
                    assert_eq!(known, &idempotency, "a key stands for one request");
                    assert!(same(first, answer), "first {first:?}, then {answer:?}");
                }
                (None, Outcome::Replay(answer)) => panic!("nothing was answered before: {answer:?}"),
                (Some(first), again) => panic!("carried out twice: {first:?}, {again:?}"),
                (None, outcome) => {
                    self.answered.insert(idempotency.key, (idempotency, outcome.clone()));
                }
            }
        }
        if let (Outcome::Booking(row), Action::CreateBooking(create)) = (outcome, &command.action) {
            let world = &self.bench.world;
            let listing = world.listing(create.listing).unwrap();
            let policy = listing.policy_of(row.policy);
            if let Some(identity) = create.customer.identity().filter(|_| policy.limits_customers()) {
                let has = world.customer(&(listing.no, identity));
                assert!(policy.max_per_customer.is_none_or(|most| has.units <= most), "{has:?}");
                if row.state == State::Held {
                    assert!(policy.max_open_holds.is_none_or(|most| has.open_holds <= most), "{has:?}");
                }
            }
            if let (Some(address), Some(most), State::Held) =
                (&create.address, create.max_open_holds_of_address, row.state)
            {
                assert!(world.customer(&(ListingNo(0), address.clone())).open_holds <= most);
            }
            assert!(create.expected_total.is_none_or(|expected| expected == row.total));
            assert!(
                asked(&create.claim, listing)
                    == row.lines.iter().map(|l| (l.pool, l.quantity)).collect::<Vec<_>>()
            );
        }
    }

    fn check_refusal(&self, command: &Command, refusal: &Refusal) {
        if refusal.code == Code::IdempotencyMismatch {
            let used = command.idempotency.unwrap();
            assert_ne!(self.answered[&used.key].0.fingerprint, used.fingerprint);
        }
        // Who is told that something is sold out could not have had it.
        if let (Code::SoldOut, RefusalData::Pools { pools: short, .. }) = (refusal.code, &refusal.data) {
            let world = &self.bench.world;
            let (id, own) = match &command.action {
                Action::CreateBooking(create) => (create.listing, None),
                Action::ImportBooking(import) => (import.listing, None),
                Action::Booking { id, change } => {
                    let row = world.booking(*id).unwrap();
                    let own = matches!(change, BookingChange::Reschedule { .. }).then_some(row);
                    (world.listing_of(row).id, own)
                }
                other => panic!("{other:?} is never sold out"),
            };
            let listing = world.listing(id).unwrap();
            assert!(!short.is_empty());
            for short in short {
                let pool = listing.find_pool(&short.key).unwrap();
                let found = world.pool(PoolRef { listing: listing.no, pool }).unwrap_or_default();
                let back: i64 = own.map_or(0, |row: &Booking| {
                    row.lines.iter().filter(|line| line.pool == pool).map(|line| line.quantity).sum()
                });
                let free = found.capacity - found.blocked - found.held - found.confirmed - found.kept + back;
                assert!(short.requested > free && short.available == free.max(0), "{short:?} of {found:?}");
            }
        }
    }
}

fn asked(claim: &Claim, listing: &Listing) -> Vec<(lastseat_core::pool::PoolNo, i64)> {
    claim.resolve(listing).unwrap()
}

/// Whether answers to this are remembered.
fn remembers(action: &Action) -> bool {
    matches!(
        action,
        Action::CreateBooking(_)
            | Action::Booking { .. }
            | Action::CreateListing { .. }
            | Action::PutPools { .. }
            | Action::CreateKey(_)
            | Action::JoinWaitlist(_)
    )
}

fn same(first: &Outcome, answer: &Answer) -> bool {
    match (first, answer) {
        (Outcome::Booking(row), Answer::Booking { no, version }) => (row.no, row.version) == (*no, *version),
        (Outcome::Listing(listing), Answer::Listing(id)) => listing.id == *id,
        (Outcome::Key(key), Answer::Key(id)) => key == id,
        (Outcome::Waits(entry), Answer::Entry(id)) => entry.id == *id,
        (Outcome::WaitsAlready(entry), Answer::EntryThere(id)) => entry == id,
        _ => false,
    }
}

/// A small hash of a text (FNV-1a).
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn patch(listing: &Listing, index: u8) -> Value {
    let common = [
        json!({"title": "Other words"}),
        json!({"policy": policy(index / 16)}),
        json!({"sale_closes_at": "2026-12-30T00:00:00Z"}),
        json!({"sale_closes_at": null}),
        json!({"status": "closed"}),
        json!({"status": "published"}),
        json!({"status": "published"}),
    ];
    let own: Vec<Value> = match listing.kind() {
        Kind::Places | Kind::Seats => vec![
            json!({"starts_at": "2026-11-22T09:00:00Z", "ends_at": "2026-11-22T12:00:00Z"}),
            json!({"starts_at": "2026-11-25T09:00:00Z", "ends_at": "2026-11-25T12:00:00Z"}),
        ],
        Kind::Nights => vec![
            json!({"check_in_time": "13:00", "check_out_time": "09:00"}),
            json!({"calendar": {"from": "2026-11-19", "until": "2026-12-06"}}),
        ],
        Kind::Slots => vec![
            json!({"opening_hours": [{"days": ["sun"], "from": "10:30", "until": "14:30"}]}),
            json!({"calendar": {"from": "2026-11-21", "until": "2026-11-27"}}),
        ],
    };
    let cancelled = (index % 32 == 31).then(|| json!({"status": "cancelled"}));
    let all: Vec<Value> = common.into_iter().chain(own.iter().cloned()).chain(own.iter().cloned()).collect();
    cancelled.unwrap_or_else(|| pick(&all, index))
}

fn pools(listing: &Listing, index: u8, number: i64) -> PoolsChange {
    let range = |resource: &str| json!({"resource": resource, "from": "2026-11-22", "until": "2026-11-24", "capacity": number});
    let of = |value: Value| PoolsChange::Pools(serde_json::from_value(value).unwrap());
    match (listing.kind(), index % 3) {
        (Kind::Places, 0) => of(json!([{"key": "standard", "capacity": number, "price": 100 + number}])),
        (Kind::Places, 1) => {
            of(json!([{"key": "standard", "blocked": number}, {"key": "vip", "capacity": 9}]))
        }
        (Kind::Places, _) => of(json!([{"key": "late", "capacity": number, "price": 10}])),
        (Kind::Seats, 0) => of(json!([{"key": "A-1", "capacity": number % 2}])),
        (Kind::Seats, _) => {
            of(json!([{"key": "A-2", "blocked": number % 2}, {"key": "standing", "capacity": number}]))
        }
        (Kind::Nights, 0) => {
            of(json!([{"key": "double/2026-11-22", "capacity": number, "price": 90 + number}]))
        }
        (Kind::Nights, _) => PoolsChange::Range(serde_json::from_value(range("double")).unwrap()),
        (Kind::Slots, _) => PoolsChange::Range(serde_json::from_value(range("pitch")).unwrap()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_in_whatever_order_no_rule_breaks(
        kinds in prop::collection::vec((any::<u8>(), any::<u8>()), 1..4),
        ops in prop::collection::vec((op(), prop::option::weighted(0.3, 0..6u8)), 1..90),
    ) {
        let mut run = Run::default();
        for (kind, policy) in kinds {
            run.step(&Op::List { kind, policy }, None);
        }
        for (op, key) in &ops {
            run.step(op, *key);
        }
        run.bench.renew();
        // In the end nothing is held any more.
        run.bench.pass(365 * 86_400);
        run.bench.settle();
        for booking in run.bench.bookings() {
            let never_ends = booking.state == State::Confirmed;
            prop_assert!(!booking.state.holds() && !never_ends, "{booking:?}");
        }
    }
}

#[test]
fn the_clock_of_the_forms_is_the_benchs() {
    // The random claims above are for these days.
    assert_eq!(time(crate::bench::START).to_string(), "2026-11-21T12:00:00Z");
    let mut run = Run::default();
    for kind in 0..4 {
        run.step(&Op::List { kind, policy: 2 }, None);
    }
    for (index, works) in [(0, 5), (1, 5), (2, 5), (3, 5)] {
        let listing = run.listing(index);
        let booked = (0..works).filter(|n| {
            let claim = claim(&listing, *n, 1);
            run.bench.try_book(listing.id, claim, &format!("{n}")).is_ok()
        });
        assert!(booked.count() >= 2, "the claims on {:?} can be booked", listing.kind());
    }
}
