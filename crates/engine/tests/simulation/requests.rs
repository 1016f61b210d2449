//! What clients ask for.

use std::collections::BTreeMap;

use lastseat_core::Outcome;
use lastseat_core::booking::{Booking, Receipt, State};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, CreateBooking, Idempotency, IdempotencyKey, ImportBooking,
    JoinWaitlist, MoneyIn, PoolsChange, Role, WaitFor,
};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, EntryNo, KeyId, ListingId, ListingNo, WaitlistId};
use lastseat_core::listing::request::{Claim, LineSpec, SlotSpec, StaySpec};
use lastseat_core::listing::{Kind, Listing};
use lastseat_core::refusal::{Code, Refusal};
use lastseat_core::time::Time;
use lastseat_core::waitlist::Entry;
use lastseat_store::Read;
use lastseat_store::memory::Dice;
use lastseat_store::read::Which;
use serde_json::{Value, json};

use crate::crowd;
use crate::model::all;

/// When every seed begins: 2026-11-21T12:00:00Z.
pub(crate) const START: Time = Time::from_millis(1_795_262_400_000);

/// What one client wants. The ids that an adapter draws are drawn anew each time it is sent.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Create {
        listing: ListingId,
        claim: Claim,
        who: u64,
        address: bool,
    },
    Change {
        of: BookingId,
        change: BookingChange,
    },
    Import {
        listing: ListingId,
        claim: Claim,
        state: State,
        paid: i64,
        external: u64,
    },
    Patch {
        listing: ListingId,
        patch: Value,
    },
    Pools {
        listing: ListingId,
        change: PoolsChange,
    },
    /// A new listing, whose title is the request's number.
    List {
        form: Value,
    },
    /// Somebody wants to wait, whose name tells the request's number.
    Join {
        listing: ListingId,
        want: WaitFor,
        who: Option<u64>,
        until: Option<Time>,
        address: bool,
    },
    /// Somebody wants to wait no more.
    Leave {
        entry: WaitlistId,
    },
}

/// What a client may wish for now, of this listing if it wants a booking.
pub(crate) fn wish(dice: &mut Dice, read: &dyn Read, id: ListingId, crowd: bool) -> Option<(Actor, What)> {
    let operator = Actor::Key { id: KeyId::from_bits(1), role: Role::Admin, name: "Olim".into() };
    let listings: Vec<Listing> = read.listings().unwrap();
    let listing = listings.iter().find(|listing| listing.id == id)?;
    if crowd && let Some(wish) = crowd::wish(dice, read, listing) {
        return Some(wish);
    }
    Some(match dice.below(110) {
        100..108 => (Actor::Public, join(dice, read, listing)),
        108.. => {
            let entries = entries(read, listing.no);
            if entries.is_empty() {
                return None;
            }
            (Actor::Owner, What::Leave { entry: dice.pick(&entries).id })
        }
        0..50 => {
            let (claim, who) = (claim(dice, listing), dice.below(4));
            (Actor::Public, What::Create { listing: id, claim, who, address: dice.chance(300) })
        }
        50..85 => {
            let bookings = all(read);
            if bookings.is_empty() {
                return None;
            }
            let booking = dice.pick(&bookings);
            let listing = listings.iter().find(|listing| listing.no == booking.listing)?;
            let change = change(dice, booking, listing);
            let actor = if dice.chance(300) { Actor::Owner } else { operator };
            (actor, What::Change { of: booking.id, change })
        }
        85..89 => {
            let claim = claim(dice, listing);
            let state = *dice.pick(&State::ALL);
            let paid = *dice.pick(&[0, 50, 100, 200]);
            (operator, What::Import { listing: id, claim, state, paid, external: dice.below(4) })
        }
        89..94 => (operator, What::Patch { listing: id, patch: patch(dice, listing) }),
        94..97 => (operator, What::List { form: form(dice) }),
        97..100 => (operator, What::Pools { listing: id, change: pools(dice, listing) }),
    })
}

/// A request, with what became of it as far as its client knows.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its number; a booking that it makes carries it as its note.
    pub(crate) no: usize,
    pub(crate) what: What,
    pub(crate) actor: Actor,
    pub(crate) key: Option<Idempotency>,
    /// Whether the client still asks.
    pub(crate) open: bool,
    /// When a success was first told, if one was.
    pub(crate) told_at: Option<Time>,
}

/// The key of the request with this number.
fn key(no: u64) -> IdempotencyKey {
    IdempotencyKey(u128::from(no).to_be_bytes())
}

impl Request {
    /// A new request, the one with this number.
    pub(crate) fn new(
        dice: &mut Dice,
        read: &dyn Read,
        id: ListingId,
        no: usize,
        crowd: bool,
    ) -> Option<Self> {
        let (actor, what) = wish(dice, read, id, crowd)?;
        // Edits carry no key; of the others some do not care.
        let unkeyed = matches!(what, What::Patch { .. } | What::Import { .. } | What::Leave { .. });
        let keyed = !unkeyed && dice.chance(800);
        let mut key = Idempotency { key: self::key(no as u64), fingerprint: self::key(no as u64).0 };
        if no > 0 && dice.chance(80) {
            // Somebody takes a key that was used already, lately perhaps.
            let back = if dice.chance(500) { 1 + dice.below(4) } else { 1 + dice.below(no as u64) };
            key.key = self::key((no as u64).saturating_sub(back));
        }
        Some(Self { no, what, actor, key: keyed.then_some(key), open: true, told_at: None })
    }

    /// Its client hears something; perhaps it asks again.
    pub(crate) fn hear(&mut self, dice: &mut Dice, answer: &Result<Outcome, Refusal>, now: Time) {
        match answer {
            Ok(_) => {
                self.told_at.get_or_insert(now);
                // One answer in six is lost; who has a key asks again.
                self.open = self.key.is_some() && dice.chance(160);
            }
            Err(refusal) if refusal.code == Code::Unavailable => self.hear_nothing(),
            Err(refusal) => {
                let hopeless = matches!(refusal.code, Code::IdempotencyMismatch | Code::Invalid);
                self.open = self.key.is_some() && !hopeless && dice.chance(300);
            }
        }
    }

    /// Nobody knows what became of it: only who has a key may ask again.
    pub(crate) fn hear_nothing(&mut self) {
        self.open = self.key.is_some() || matches!(self.what, What::Import { .. } | What::Leave { .. });
    }

    /// The command, as it is sent now.
    pub(crate) fn command(&self, id: u128) -> Command {
        let action = match &self.what {
            What::Create { listing, claim, who, address } => Action::CreateBooking(Box::new(CreateBooking {
                id: BookingId::from_bits(id),
                listing: *listing,
                claim: claim.clone(),
                expected_total: None,
                customer: customer(*who),
                address: address.then(|| "home".to_owned()),
                max_open_holds_of_address: address.then_some(3),
                note: Some(self.no.to_string()),
                pass: None,
            })),
            What::Change { of, change } => Action::Booking { id: *of, change: change.clone() },
            What::Import { listing, claim, state, paid, external } => {
                Action::ImportBooking(Box::new(ImportBooking {
                    id: BookingId::from_bits(id),
                    listing: *listing,
                    claim: claim.clone(),
                    customer: customer(*external),
                    state: *state,
                    created_at: None,
                    paid: *paid,
                    external_id: Some(format!("old-{external}")),
                }))
            }
            What::Patch { listing, patch } => {
                Action::PatchListing { id: *listing, patch: Box::new(patch.clone()) }
            }
            What::Pools { listing, change } => Action::PutPools { id: *listing, change: change.clone() },
            What::List { form } => {
                let mut form = form.clone();
                form["title"] = json!(self.no.to_string());
                let spec = Box::new(serde_json::from_value(form).unwrap());
                Action::CreateListing { id: ListingId::from_bits(id), spec }
            }
            What::Join { listing, want, who, until, address } => {
                Action::JoinWaitlist(Box::new(JoinWaitlist {
                    id: WaitlistId::from_bits(id),
                    listing: *listing,
                    want: want.clone(),
                    customer: Customer {
                        name: format!("Waits {}", self.no),
                        external_id: who.map(|who| format!("c{who}")),
                        ..Customer::default()
                    },
                    address: address.then(|| "home".to_owned()),
                    max_open_holds_of_address: address.then_some(3),
                    until: *until,
                }))
            }
            What::Leave { entry } => Action::LeaveWaitlist { id: *entry },
        };
        let mut command = Command::new(self.actor.clone(), action);
        command.idempotency = self.key;
        command
    }
}

fn customer(who: u64) -> Customer {
    Customer { name: "A guest".into(), external_id: Some(format!("c{who}")), ..Customer::default() }
}

fn policy(dice: &mut Dice) -> Value {
    let mut policy = dice
        .pick(&[
            json!({"payment": ["receipt", "external"], "hold_seconds": 60, "hold_max_seconds": 120, "review_seconds": 600}),
            json!({"payment": ["external"], "hold_seconds": 1}),
            json!({"payment": []}),
            json!({"payment": ["receipt"], "hold_seconds": 600}),
        ])
        .clone();
    if dice.chance(300) {
        policy["max_per_customer"] = json!(1 + dice.below(3));
    }
    if dice.chance(300) {
        policy["max_open_holds"] = json!(1 + dice.below(2));
    }
    policy
}

/// A small listing of any kind.
pub(crate) fn form(dice: &mut Dice) -> Value {
    let policy = policy(dice);
    let capacity = 1 + dice.below(4);
    match dice.below(4) {
        0 => json!({
            "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
            "starts_at": "2026-11-21T18:00:00Z", "ends_at": "2026-11-21T20:00:00Z", "policy": policy,
            "pools": [{"key": "standard", "capacity": capacity, "price": 100}, {"key": "free", "capacity": capacity}],
        }),
        1 => json!({
            "kind": "nights", "title": "Inn", "timezone": "Europe/Berlin", "currency": "UZS", "policy": policy,
            "resources": [{"key": "double", "capacity": capacity, "price": 100}],
            "calendar": {"from": "2026-11-20", "until": "2026-11-28"},
        }),
        2 => json!({
            "kind": "slots", "title": "Pitch", "timezone": "Asia/Kolkata", "currency": "UZS", "policy": policy,
            "resources": [{"key": "pitch", "capacity": capacity, "price": 100}],
            "calendar": {"from": "2026-11-21", "until": "2026-11-24"}, "slot_minutes": 60,
            "opening_hours": [{"days": ["sat", "sun", "mon"], "from": "18:00", "until": "23:00"}],
        }),
        _ => {
            let seat = |n: u32| json!({"seat_guid": format!("A-{n}"), "seat_number": n.to_string(), "position": {"x": n, "y": 0}, "category": "Stalls"});
            json!({
                "kind": "seats", "title": "Film", "timezone": "America/New_York", "currency": "UZS", "policy": policy,
                "starts_at": "2026-11-21T18:00:00Z",
                "seating": {"plan": {
                    "name": "Hall", "size": {"width": 10, "height": 10},
                    "categories": [{"name": "Stalls", "color": "#ff0000"}],
                    "zones": [{"name": "Main", "position": {"x": 0, "y": 0}, "rows": [
                        {"row_number": "A", "position": {"x": 0, "y": 0}, "seats": [seat(1), seat(2), seat(3)]}]}],
                }, "prices": {"Stalls": 100}},
            })
        }
    }
}

/// What can be asked of a listing: few pools, so that many want the same.
pub(crate) fn claim(dice: &mut Dice, listing: &Listing) -> Claim {
    let quantity = i64::try_from(1 + dice.below(2)).unwrap();
    let line = |pool: &str, quantity| LineSpec { pool: pool.to_owned(), quantity };
    match listing.kind() {
        Kind::Places => match dice.below(5) {
            0 => Claim::Lines(vec![line("free", quantity)]),
            1 => Claim::Lines(vec![line("standard", 1), line("free", 1), line("standard", 1)]),
            _ => Claim::Lines(vec![line("standard", quantity)]),
        },
        Kind::Nights => {
            let first = 21 + dice.below(4);
            let last = first + 1 + dice.below(3);
            let date = |day: u64| format!("2026-11-{day}").parse().unwrap();
            let (check_in, check_out) = (date(first), date(last));
            Claim::Stay(StaySpec { resource: "double".into(), check_in, check_out, quantity: 1 })
        }
        Kind::Slots => {
            let starts_at =
                dice.pick(&["2026-11-21T13:30:00Z", "2026-11-22T12:30:00Z", "2026-11-22T13:30:00Z"]);
            let starts_at = starts_at.parse().unwrap();
            Claim::Slot(SlotSpec { resource: "pitch".into(), starts_at, slots: quantity })
        }
        Kind::Seats => {
            let seats = [&["A-1"][..], &["A-2"], &["A-1", "A-2"], &["A-2", "A-3"]];
            Claim::Lines(dice.pick(&seats).iter().map(|seat| line(seat, 1)).collect())
        }
    }
}

/// Somebody wants to wait: for something that cannot be had just now, if one of a few is.
pub(crate) fn join(dice: &mut Dice, read: &dyn Read, listing: &Listing) -> What {
    let pools: BTreeMap<_, _> = read.pools(listing.no).unwrap().into_iter().collect();
    let mut want = wait_for(dice, listing);
    for _ in 0..4 {
        let can_be_had = match &want {
            WaitFor::Any(_) => false,
            WaitFor::Claim(claim) => claim.resolve(listing).is_ok_and(|asked| {
                asked.iter().all(|(no, units)| pools.get(no).is_some_and(|pool| pool.available() >= *units))
            }),
        };
        if !can_be_had {
            break;
        }
        want = wait_for(dice, listing);
    }
    let who = dice.chance(600).then(|| dice.below(6));
    let until = dice.chance(100).then(|| read.now().plus_seconds(i64::try_from(dice.below(900)).unwrap()));
    What::Join { listing: listing.id, want, who, until, address: dice.chance(100) }
}

pub(crate) fn wait_for(dice: &mut Dice, listing: &Listing) -> WaitFor {
    if dice.chance(200) {
        return WaitFor::Any(i64::try_from(1 + dice.below(3)).unwrap());
    }
    if listing.kind() != Kind::Places || dice.chance(200) {
        return WaitFor::Claim(claim(dice, listing));
    }
    let quantity = i64::try_from(1 + dice.below(4)).unwrap();
    let pool = if dice.chance(800) { "standard" } else { "free" };
    WaitFor::Claim(Claim::Lines(vec![LineSpec { pool: pool.into(), quantity }]))
}

/// The entries of a listing.
pub(crate) fn entries(read: &dyn Read, of: ListingNo) -> Vec<Entry> {
    read.entries(of, Which::All, EntryNo(0), u32::MAX).unwrap()
}

/// A change of a booking, as its client last saw it.
pub(crate) fn change(dice: &mut Dice, booking: &Booking, listing: &Listing) -> BookingChange {
    let missing = (booking.total - booking.applied()).max(1);
    let reference = format!("p{}", dice.below(4));
    if booking.details.offer.is_some() && booking.total == 0 && dice.chance(300) {
        return BookingChange::Accept;
    }
    match dice.below(10) {
        0..=2 => {
            let currency = "UZS".to_owned();
            let amount = if dice.chance(100) { missing + 1 } else { missing };
            BookingChange::Confirm(MoneyIn { amount, currency, reference })
        }
        3 | 4 => BookingChange::SubmitReceipt(Box::new(Receipt {
            file: "receipts/a".into(),
            media_type: "image/png".into(),
            size: 1,
            sha256: "00".into(),
            at: START,
            note: None,
        })),
        5 => BookingChange::Approve,
        6 => BookingChange::Reject { reason: "unreadable".into() },
        7 => BookingChange::Cancel { reason: None },
        8 if dice.chance(500) => BookingChange::Extend { seconds: 30 },
        8 => BookingChange::Refund { amount: 1 + i64::try_from(dice.below(50)).unwrap(), reference },
        _ => BookingChange::Reschedule { claim: claim(dice, listing) },
    }
}

/// An edit of a listing.
pub(crate) fn patch(dice: &mut Dice, listing: &Listing) -> Value {
    if dice.chance(60) {
        return json!({"status": "cancelled"});
    }
    match (dice.below(6), listing.kind()) {
        (0, _) => json!({"title": format!("Title {}", dice.below(9))}),
        (1, _) => json!({"policy": {"max_per_customer": 1 + dice.below(3)}}),
        (2, _) => json!({"policy": {"hold_seconds": 1 + dice.below(100)}}),
        (3, _) => json!({"status": *dice.pick(&["closed", "published", "published"])}),
        (_, Kind::Places | Kind::Seats) => {
            let hour = 14 + dice.below(8);
            json!({"starts_at": format!("2026-11-21T{hour}:00:00Z"), "ends_at": format!("2026-11-21T{hour}:59:00Z")})
        }
        (4, Kind::Nights) => {
            json!({"check_in_time": "14:00", "check_out_time": format!("0{}:00", dice.below(9))})
        }
        (_, Kind::Nights) => {
            json!({"calendar": {"from": "2026-11-20", "until": format!("2026-12-{:02}", 1 + dice.below(9))}})
        }
        (_, Kind::Slots) => {
            let from = 16 + dice.below(4);
            json!({"opening_hours": [{"days": ["sat", "sun"], "from": format!("{from}:00"), "until": "23:00"}]})
        }
    }
}

/// A change of capacities.
pub(crate) fn pools(dice: &mut Dice, listing: &Listing) -> PoolsChange {
    let number = dice.below(5);
    let of = |value: Value| PoolsChange::Pools(serde_json::from_value(value).unwrap());
    let price = dice.chance(300).then_some(90 + number);
    let range = |resource: &str| {
        let range = json!({"resource": resource, "from": "2026-11-21", "until": "2026-11-24", "capacity": number, "price": price});
        PoolsChange::Range(serde_json::from_value(range).unwrap())
    };
    match listing.kind() {
        Kind::Places if dice.chance(500) => of(json!([{"key": "standard", "capacity": number}])),
        Kind::Places => of(json!([{"key": "standard", "blocked": number, "price": 90 + number}])),
        Kind::Nights => range("double"),
        Kind::Slots => range("pitch"),
        Kind::Seats => of(json!([{"key": "A-2", "blocked": number % 2}])),
    }
}
