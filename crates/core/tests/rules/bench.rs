//! A world that is kept loaded: commands are decided one after the other, and after each one every rule is
//! checked, whatever the test is about.
use std::collections::{BTreeMap, BTreeSet};

use lastseat_core::booking::{Booking, Receipt, State, Step};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, CreateBooking, Idempotency, IdempotencyKey, ImportBooking,
    MoneyIn, PoolsChange, Role,
};
use lastseat_core::customer::Customer;
use lastseat_core::event::{EventData, EventKind};
use lastseat_core::id::{BookingId, BookingNo, EntryRef, KeyId, ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::listing::request::{Claim, LineSpec, SlotSpec, StaySpec};
use lastseat_core::numbers::Numbers;
use lastseat_core::pool::{Pool, PoolRef};
use lastseat_core::refusal::{Code, Refusal};
use lastseat_core::settle::due_at;
use lastseat_core::time::Time;
use lastseat_core::waitlist::Entry;
use lastseat_core::world::{Changes, CustomerUse, World, counted};
use lastseat_core::{Outcome, decide};
use serde_json::{Value, json};

/// When tests begin.
pub(crate) const START: &str = "2026-11-21T12:00:00Z";
/// The end of the listings that [`Bench::places`] makes.
pub(crate) const END: &str = "2026-11-23T12:00:00Z";

/// A world, and what a store would have made of its changes.
pub(crate) struct Bench {
    pub(crate) world: World,
    /// The events of each booking, oldest first.
    pub(crate) log: BTreeMap<BookingNo, Vec<Step>>,
    /// The kinds of all events, oldest first.
    pub(crate) kinds: Vec<(Option<BookingNo>, EventKind)>,
    /// The `due_at` that a store would have written last for each booking.
    pub(crate) stored_due: BTreeMap<BookingNo, Option<Time>>,
    /// Listings whose bookings are to be renewed after an edit, up to which one.
    pub(crate) renewing: BTreeMap<ListingNo, BookingNo>,
    pub(crate) listings: Vec<ListingId>,
    pub(crate) customers: BTreeSet<(ListingNo, String)>,
    /// The entries of waitlists, as a store would have them.
    pub(crate) stored: BTreeMap<EntryRef, Entry>,
    /// How many entries are loaded at a time, where not all are loaded anyway.
    pub(crate) chunk: u32,
    ids: u128,
}

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

pub(crate) fn operator() -> Actor {
    Actor::Key { id: KeyId::from_bits(1), role: Role::Operator, name: "Olim".into() }
}

pub(crate) fn admin() -> Actor {
    Actor::Key { id: KeyId::from_bits(2), role: Role::Admin, name: "Aziza".into() }
}

pub(crate) fn integrator() -> Actor {
    Actor::Key { id: KeyId::from_bits(3), role: Role::Integrator, name: "Partner".into() }
}

pub(crate) fn customer(id: &str) -> Customer {
    Customer { name: "A guest".into(), external_id: Some(id.into()), ..Customer::default() }
}

pub(crate) fn lines(asked: &[(&str, i64)]) -> Claim {
    let line = |(pool, quantity): &(&str, i64)| LineSpec { pool: (*pool).to_owned(), quantity: *quantity };
    Claim::Lines(asked.iter().map(line).collect())
}

pub(crate) fn stay(resource: &str, check_in: &str, check_out: &str, quantity: i64) -> Claim {
    let (check_in, check_out) = (check_in.parse().unwrap(), check_out.parse().unwrap());
    Claim::Stay(StaySpec { resource: resource.to_owned(), check_in, check_out, quantity })
}

pub(crate) fn slot(resource: &str, starts_at: &str, slots: i64) -> Claim {
    Claim::Slot(SlotSpec { resource: resource.to_owned(), starts_at: time(starts_at), slots })
}

pub(crate) fn money(amount: i64, reference: &str) -> BookingChange {
    BookingChange::Confirm(MoneyIn { amount, currency: "UZS".into(), reference: reference.into() })
}

pub(crate) fn receipt(file: &str) -> BookingChange {
    BookingChange::SubmitReceipt(Box::new(Receipt {
        file: file.to_owned(),
        media_type: "image/png".into(),
        size: 100,
        sha256: "00".into(),
        at: Time::default(),
        note: None,
    }))
}

pub(crate) fn reject(reason: &str) -> BookingChange {
    BookingChange::Reject { reason: reason.to_owned() }
}

pub(crate) fn cancel() -> BookingChange {
    BookingChange::Cancel { reason: None }
}

pub(crate) fn extend(seconds: i64) -> BookingChange {
    BookingChange::Extend { seconds }
}

pub(crate) fn refund(amount: i64, reference: &str) -> BookingChange {
    BookingChange::Refund { amount, reference: reference.to_owned() }
}

pub(crate) fn reschedule(claim: Claim) -> BookingChange {
    BookingChange::Reschedule { claim }
}

/// An idempotency key with the fingerprint of its request.
pub(crate) fn key(key: u8, fingerprint: u8) -> Option<Idempotency> {
    Some(Idempotency { key: IdempotencyKey([key; 16]), fingerprint: [fingerprint; 16] })
}

/// A listing of places: `standard` at 100 and `free` at 0, ending at [`END`].
pub(crate) fn places_form(capacity: i64, policy: &Value) -> Value {
    json!({
        "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
        "starts_at": "2026-11-23T10:00:00Z", "ends_at": END,
        "pools": [{"key": "standard", "capacity": capacity, "price": 100}, {"key": "free", "capacity": capacity},
                  {"key": "vip", "capacity": capacity, "price": 300}],
        "policy": policy,
    })
}

pub(crate) fn nights_form(capacity: i64, policy: &Value) -> Value {
    json!({
        "kind": "nights", "title": "Inn", "timezone": "Europe/Berlin", "currency": "UZS",
        "resources": [{"key": "double", "capacity": capacity, "price": 100}, {"key": "single", "capacity": 1, "price": 60}],
        "calendar": {"from": "2026-11-20", "until": "2026-12-05"}, "policy": policy,
    })
}

pub(crate) fn slots_form(capacity: i64, policy: &Value) -> Value {
    json!({
        "kind": "slots", "title": "Pitch", "timezone": "Asia/Kolkata", "currency": "UZS",
        "resources": [{"key": "pitch", "capacity": capacity, "price": 100}],
        "calendar": {"from": "2026-11-21", "until": "2026-11-25"},
        "opening_hours": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "until": "13:00"}],
        "slot_minutes": 60, "policy": policy,
    })
}

pub(crate) fn seats_form(policy: &Value) -> Value {
    let seat = |n: usize| json!({"seat_guid": format!("A-{n}"), "seat_number": n.to_string(), "position": {"x": n, "y": 0}, "category": "Stalls"});
    let seats: Vec<Value> = (1..=6).map(seat).collect();
    json!({
        "kind": "seats", "title": "Film", "timezone": "America/New_York", "currency": "UZS",
        "starts_at": "2026-11-23T10:00:00Z", "ends_at": END,
        "seating": {"plan": {
            "name": "Hall", "size": {"width": 10, "height": 10}, "categories": [{"name": "Stalls", "color": "#ff0000"}],
            "zones": [{"name": "Main", "position": {"x": 0, "y": 0}, "rows": [
                {"row_number": "A", "position": {"x": 0, "y": 0}, "seats": seats}]}],
        }, "prices": {"Stalls": 100}},
        "pools": [{"key": "standing", "capacity": 3, "price": 50}],
        "policy": policy,
    })
}

impl Default for Bench {
    fn default() -> Self {
        let mut world = World::new(time(START));
        (world.booking_numbers, world.listing_numbers) = (Numbers::from(1), Numbers::from(1));
        for actor in [operator(), admin(), integrator()] {
            world.load_key(actor.key().unwrap());
        }
        Self {
            world,
            log: BTreeMap::new(),
            kinds: Vec::new(),
            stored_due: BTreeMap::new(),
            renewing: BTreeMap::new(),
            listings: Vec::new(),
            customers: BTreeSet::new(),
            stored: BTreeMap::new(),
            chunk: u32::MAX,
            ids: 1000,
        }
    }
}

impl Bench {
    pub(crate) fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    /// Lets time pass. Nothing settles until the next command.
    pub(crate) fn pass(&mut self, seconds: i64) {
        self.world.now = self.world.now.plus_seconds(seconds);
    }

    /// Runs a command as a batch of its own would: what is due is settled first, and what changed is written
    /// afterwards. Checks every rule after each of both.
    pub(crate) fn run(&mut self, command: &Command) -> Result<Outcome, Refusal> {
        self.settle();
        let before = self.seen();
        let answer = decide(&mut self.world, command);
        match &answer {
            Err(refusal) => {
                assert_eq!(before, self.seen(), "a refusal changed something: {refusal}\n{command:?}");
            }
            Ok(_) => {
                self.serve();
                self.write();
            }
        }
        self.check();
        answer
    }

    /// Settles everything, as loading a batch does.
    pub(crate) fn settle(&mut self) {
        self.world.settle_all();
        self.world.settle_entries();
        self.serve();
        self.write();
        self.check();
        assert_eq!(self.world.settle_all(), 0, "settling twice at the same instant changes nothing");
    }

    /// Renews what was edited, as a worker would.
    pub(crate) fn renew(&mut self) {
        for booking in self.bookings() {
            if self.renewing.get(&booking.listing).is_some_and(|through| booking.no <= *through) {
                self.world.touch_booking(booking.no);
            }
        }
        self.renewing.clear();
        self.write();
        self.check();
    }

    /// Takes the changes out of the world, and does what a store would do with them.
    fn write(&mut self) {
        let changes = std::mem::take(&mut self.world.changes);
        for (no, id, new) in &changes.new_listings {
            self.listings.push(*id);
            for (pool, numbers) in &new.pools {
                self.world.load_pool(PoolRef { listing: *no, pool: *pool }, Some(*numbers));
            }
        }
        self.customers.extend(changes.customers.iter().cloned());
        for no in &changes.recount {
            self.recount(*no);
        }
        self.store_entries();
        for no in &changes.recheck {
            self.recheck(*no);
        }
        for no in &changes.listings {
            if let Some(through) = self.world.listings[no].doc.renew_through {
                self.renewing.insert(*no, through);
            }
        }
        for no in changes.bookings.keys() {
            let booking = self.world.booking_at(*no).unwrap();
            let due = due_at(booking, &self.world.listing_of(booking));
            self.stored_due.insert(*no, due);
        }
        self.append(&changes);
    }

    fn recount(&mut self, no: ListingNo) {
        let listing = self.world.listings[&no].clone();
        let mut has: BTreeMap<_, CustomerUse> = BTreeMap::new();
        for booking in self.bookings().into_iter().filter(|b| b.listing == no) {
            if booking.state.holds() || booking.state.sells() {
                for (of, units) in counted(&booking, &listing).into_iter().filter(|(of, _)| of.0 == no) {
                    let has = has.entry(of).or_default();
                    has.units += units;
                    has.open_holds += i64::from(booking.state.holds());
                }
            }
        }
        for (of, has) in has {
            self.customers.insert(of.clone());
            self.world.load_customer(of, has);
        }
    }

    fn append(&mut self, changes: &Changes) {
        for event in &changes.events {
            self.kinds.push((event.booking, event.kind));
            if let (Some(no), EventData::Booking(patch)) = (event.booking, &event.data) {
                // As it is read back from a store.
                let patch = serde_json::from_str(&serde_json::to_string(patch).unwrap()).unwrap();
                let step = Step { version: event.version, seq: event.seq, patch };
                self.log.entry(no).or_default().push(step);
            }
        }
    }

    pub(crate) fn bookings(&self) -> Vec<Booking> {
        (1..self.world.booking_numbers.peek().unwrap())
            .filter_map(|no| self.world.booking_at(BookingNo(no)))
            .cloned()
            .collect()
    }

    pub(crate) fn booking(&self, id: BookingId) -> Booking {
        self.world.booking(id).cloned().unwrap()
    }

    pub(crate) fn pool(&self, listing: ListingId, key: &str) -> Pool {
        let listing = self.world.listing(listing).unwrap();
        let pool = listing.find_pool(key).unwrap();
        self.world.pool(PoolRef { listing: listing.no, pool }).unwrap()
    }

    pub(crate) fn listing(&mut self, form: Value) -> ListingId {
        let id = ListingId::from_bits(self.id());
        let spec = Box::new(serde_json::from_value(form).unwrap());
        self.run(&Command::new(admin(), Action::CreateListing { id, spec })).unwrap();
        id
    }

    /// See [`places_form`].
    pub(crate) fn places(&mut self, capacity: i64, policy: &Value) -> ListingId {
        self.listing(places_form(capacity, policy))
    }

    pub(crate) fn patch(&mut self, id: ListingId, patch: Value) -> Result<Listing, Refusal> {
        let command = Command::new(admin(), Action::PatchListing { id, patch: Box::new(patch) });
        match self.run(&command)? {
            Outcome::Listing(listing) => Ok(Listing::clone(&listing)),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn put_pools(&mut self, id: ListingId, pools: Value) -> Result<(), Refusal> {
        let change = PoolsChange::Pools(serde_json::from_value(pools).unwrap());
        self.run(&Command::new(admin(), Action::PutPools { id, change })).map(|_| ())
    }

    pub(crate) fn creation(&mut self, listing: ListingId, claim: Claim, who: &str) -> CreateBooking {
        CreateBooking {
            id: BookingId::from_bits(self.id()),
            listing,
            claim,
            expected_total: None,
            customer: customer(who),
            address: None,
            max_open_holds_of_address: None,
            note: None,
            pass: None,
        }
    }

    pub(crate) fn create(&mut self, actor: Actor, create: CreateBooking) -> Result<Booking, Refusal> {
        self.command_for_booking(&Command::new(actor, Action::CreateBooking(Box::new(create))))
    }

    pub(crate) fn try_book(
        &mut self,
        listing: ListingId,
        claim: Claim,
        who: &str,
    ) -> Result<Booking, Refusal> {
        let create = self.creation(listing, claim, who);
        self.create(Actor::Public, create)
    }

    pub(crate) fn book(&mut self, listing: ListingId, asked: &[(&str, i64)]) -> Booking {
        let who = self.id().to_string();
        self.try_book(listing, lines(asked), &who).unwrap()
    }

    pub(crate) fn command_for_booking(&mut self, command: &Command) -> Result<Booking, Refusal> {
        match self.run(command)? {
            Outcome::Booking(booking) => Ok(*booking),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn change(
        &mut self,
        actor: Actor,
        id: BookingId,
        change: BookingChange,
    ) -> Result<Booking, Refusal> {
        self.command_for_booking(&Command::new(actor, Action::Booking { id, change }))
    }

    pub(crate) fn import(&mut self, import: ImportBooking) -> Result<Outcome, Refusal> {
        self.run(&Command::new(admin(), Action::ImportBooking(Box::new(import))))
    }

    pub(crate) fn importation(&mut self, listing: ListingId, claim: Claim, state: State) -> ImportBooking {
        ImportBooking {
            id: BookingId::from_bits(self.id()),
            listing,
            claim,
            customer: customer("elsewhere"),
            state,
            created_at: None,
            paid: 0,
            external_id: None,
        }
    }

    /// The kinds of a booking's events.
    pub(crate) fn kinds_of(&self, no: BookingNo) -> Vec<&'static str> {
        self.kinds.iter().filter(|(of, _)| *of == Some(no)).map(|(_, kind)| kind.as_str()).collect()
    }
}

pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> Code {
    answer.expect_err("refused").code
}
