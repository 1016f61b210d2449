//! A batch in miniature: it loads everything there is, so that the cases need not say what they need.

use std::collections::BTreeSet;
use std::sync::Arc;

use lastseat_core::booking::{Booking, Details, State};
use lastseat_core::command::{Action, Actor, BookingChange, Command, CreateBooking, Idempotency};
use lastseat_core::customer::Customer;
use lastseat_core::decide::names::{Names, Wanted};
use lastseat_core::id::{BookingId, BookingNo, ListingId, ListingNo};
use lastseat_core::line::{Line, Lines};
use lastseat_core::listing::Listing;
use lastseat_core::listing::request::{Claim, LineSpec, StaySpec};
use lastseat_core::pool::{Pool, PoolNo, PoolRef};
use lastseat_core::time::Time;
use lastseat_core::world::{World, counted};
use lastseat_core::{Outcome, decide};
use serde_json::{Value, json};

use super::Factory;
use crate::error::{CommitError, StoreError};
use crate::memory::TestClock;
use crate::read::Read;
use crate::tx::{Lane, Store, Tx};

/// When the cases begin: 2026-11-21T12:00:00Z.
pub(crate) const START: Time = Time::from_millis(1_795_262_400_000);

/// A store with its one lane.
pub(crate) struct Kit {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) lane: Box<dyn Lane>,
    pub(crate) clock: TestClock,
    ids: u128,
}

impl Kit {
    pub(crate) fn new(factory: Factory<'_>) -> Self {
        let clock = TestClock::at(START);
        let store = factory(&clock);
        let lane = store.lane().unwrap();
        Self { store, lane, clock, ids: 0x0193_0000_0000_7000_8000_0000_0000_0000 }
    }

    /// A fresh id, later than the ones before.
    pub(crate) fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
    }

    pub(crate) fn read<T>(&self, question: impl FnOnce(&dyn Read) -> Result<T, StoreError>) -> T {
        question(look(&self.store).as_ref()).unwrap()
    }

    /// Asks inside a transaction, which is then rolled back.
    pub(crate) fn ask<T>(&mut self, question: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>) -> T {
        question(self.begin(&Names::default()).unwrap().as_mut()).unwrap()
    }

    /// Begins a transaction that has all listings to itself, and what else is named.
    pub(crate) fn begin(&mut self, names: &Names) -> Result<Box<dyn Tx + '_>, StoreError> {
        let listings = self.read(|read| read.listings()).iter().map(|listing| listing.id).collect();
        let batch = self.id();
        self.lane.begin(batch, &Names { listings, ..names.clone() })
    }

    /// The numbers that the next booking and the next listing get.
    pub(crate) fn next(&mut self) -> (i64, i64) {
        let names = Names { new_bookings: 1, new_listings: 1, ..Names::default() };
        let (bookings, listings) = self.begin(&names).unwrap().numbers(1, 1).unwrap();
        (bookings.peek().unwrap(), listings.peek().unwrap())
    }

    /// The numbers of all bookings that there are.
    fn bookings(&self) -> BTreeSet<BookingNo> {
        self.read(|read| read.all_bookings(BookingNo(0), u32::MAX >> 1))
            .iter()
            .map(|booking| booking.no)
            .collect()
    }

    /// Changes the world that holds everything, writes it and commits.
    pub(crate) fn commit<T>(&mut self, change: impl FnOnce(&mut World) -> T) -> T {
        self.try_commit(change).unwrap()
    }

    pub(crate) fn try_commit<T>(&mut self, change: impl FnOnce(&mut World) -> T) -> Result<T, StoreError> {
        let listings: Vec<ListingNo> =
            self.read(|read| read.listings()).iter().map(|listing| listing.no).collect();
        let bookings = self.bookings();
        // Whoever changes the world by hand makes no more than that.
        let names = Names { new_bookings: 1, new_listings: 1, joins: true, ..Names::default() };
        let mut tx = self.begin(&names).unwrap();
        let mut world = load(tx.as_mut(), &listings, &bookings, &names);
        let result = change(&mut world);
        tx.write(&world)?;
        match tx.commit() {
            Ok(()) => Ok(result),
            Err(CommitError::Aborted(error)) => Err(error),
            Err(unknown) => panic!("{unknown:?}"),
        }
    }

    /// Decides a command in a batch of its own, with what is due settled first.
    pub(crate) fn run(&mut self, command: &Command) -> Outcome {
        let listings: Vec<ListingNo> =
            self.read(|read| read.listings()).iter().map(|listing| listing.no).collect();
        let bookings = self.bookings();
        let mut names = Names::default();
        names.add(command);
        let mut tx = self.begin(&names).unwrap();
        let mut world = load(tx.as_mut(), &listings, &bookings, &names);
        load_named(tx.as_mut(), &mut world, command);
        world.settle_all();
        let outcome = decide(&mut world, command).unwrap();
        tx.write(&world).unwrap();
        tx.commit().unwrap();
        outcome
    }

    pub(crate) fn act(&mut self, action: Action) -> Outcome {
        self.run(&Command::new(Actor::System, action))
    }

    pub(crate) fn listing(&mut self, form: Value) -> Arc<Listing> {
        let id = ListingId::from_bits(self.id());
        let spec = Box::new(serde_json::from_value(form).unwrap());
        match self.act(Action::CreateListing { id, spec }) {
            Outcome::Listing(listing) => listing,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn patch(&mut self, id: ListingId, patch: Value) -> Arc<Listing> {
        match self.act(Action::PatchListing { id, patch: Box::new(patch) }) {
            Outcome::Listing(listing) => listing,
            other => panic!("{other:?}"),
        }
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

    pub(crate) fn create(&mut self, create: CreateBooking, idempotency: Option<Idempotency>) -> Booking {
        let mut command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
        command.idempotency = idempotency;
        booking_of(self.run(&command))
    }

    pub(crate) fn book(&mut self, listing: ListingId, pool: &str, quantity: i64) -> Booking {
        let create = self.creation(listing, lines(&[(pool, quantity)]), "somebody");
        self.create(create, None)
    }

    pub(crate) fn change(&mut self, id: BookingId, change: BookingChange) -> Booking {
        booking_of(self.act(Action::Booking { id, change }))
    }

    /// A row that was not decided by anybody: in the listing's first group, with one unit.
    pub(crate) fn row(&mut self, listing: &Listing, state: State) -> Booking {
        let line = Line { pool: PoolNo::new(0, 0), quantity: 1, unit_price: 100 };
        Booking {
            no: BookingNo(0),
            id: BookingId::from_bits(self.id()),
            listing: listing.no,
            policy: 0,
            version: 1,
            events: 0,
            state,
            lines: Lines::new(vec![line]),
            total: 100,
            paid: 0,
            refund_due: 0,
            refunded: 0,
            deadline: state.holds().then(|| self.clock.now().plus_seconds(600)),
            created_at: self.clock.now(),
            customer: customer("somebody"),
            address: None,
            note: None,
            reason: None,
            decided_by: None,
            decided_at: None,
            created_by: None,
            details: Details::default(),
        }
    }

    pub(crate) fn pool(&self, listing: &Listing, key: &str) -> Pool {
        let wanted = listing.find_pool(key).unwrap();
        let pools = self.read(|read| read.pools(listing.no));
        pools.into_iter().find(|(no, _)| *no == wanted).unwrap().1
    }
}

/// A snapshot of everything that was committed, in order.
pub(crate) fn look(store: &Arc<dyn Store>) -> Box<dyn Read + '_> {
    store.order_events().unwrap();
    store.reader().unwrap()
}

pub(crate) fn booking_of(outcome: Outcome) -> Booking {
    match outcome {
        Outcome::Booking(booking) => *booking,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn customer(who: &str) -> Customer {
    Customer { name: who.to_owned(), external_id: Some(who.to_owned()), ..Customer::default() }
}

pub(crate) fn lines(asked: &[(&str, i64)]) -> Claim {
    let line = |(pool, quantity): &(&str, i64)| LineSpec { pool: (*pool).to_owned(), quantity: *quantity };
    Claim::Lines(asked.iter().map(line).collect())
}

pub(crate) fn stay(check_in: &str, check_out: &str) -> Claim {
    let (check_in, check_out) = (check_in.parse().unwrap(), check_out.parse().unwrap());
    Claim::Stay(StaySpec { resource: "double".to_owned(), check_in, check_out, quantity: 1 })
}

/// Ten places at 100 and five at 250, held for ten minutes until they are paid by receipt or transfer.
pub(crate) fn places() -> Value {
    json!({
        "kind": "places", "title": "Night shift", "timezone": "Asia/Tashkent", "currency": "UZS",
        "starts_at": "2026-12-24T17:00:00Z", "ends_at": "2026-12-25T01:00:00Z",
        "pools": [{"key": "standard", "capacity": 10, "price": 100}, {"key": "vip", "capacity": 5, "price": 250}],
        "policy": {"payment": ["receipt", "external"], "hold_seconds": 600},
    })
}

pub(crate) fn nights() -> Value {
    json!({
        "kind": "nights", "title": "Inn", "timezone": "Europe/Berlin", "currency": "EUR",
        "resources": [{"key": "double", "capacity": 3, "price": 100}, {"key": "single", "capacity": 1, "price": 60}],
        "calendar": {"from": "2026-12-01", "until": "2027-01-10"},
        "policy": {"payment": ["external"], "hold_seconds": 600},
    })
}

fn load(tx: &mut dyn Tx, listings: &[ListingNo], bookings: &BTreeSet<BookingNo>, names: &Names) -> World {
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) =
        tx.numbers(names.new_bookings, names.new_listings).unwrap();
    for &listing in listings {
        world.load_listing(tx.listing_at(listing).unwrap().unwrap());
        for (pool, numbers) in tx.whole(listing).unwrap() {
            world.load_pool(PoolRef { listing, pool }, Some(numbers));
        }
        world.load_list(listing, tx.list_numbers(listing).unwrap());
    }
    let mut of = BTreeSet::new();
    for booking in tx.bookings_at(bookings).unwrap() {
        of.extend(counted(&booking, &world.listings[&booking.listing]).into_iter().map(|(of, _)| of));
        world.load_booking(booking);
    }
    load_customers(tx, &mut world, of);
    world
}

fn load_customers(
    tx: &mut dyn Tx,
    world: &mut World,
    of: impl IntoIterator<Item = lastseat_core::world::CustomerRef>,
) {
    let of: Vec<_> = of.into_iter().collect();
    for (of, has) in of.iter().zip(tx.customers(&of).unwrap()) {
        world.load_customer(of.clone(), has);
    }
}

/// Puts in what is not a row of a booking or a pool.
fn load_named(tx: &mut dyn Tx, world: &mut World, command: &Command) {
    let (mut names, mut wanted) = (Names::default(), Wanted::default());
    names.add(command);
    wanted.add(world, command);
    load_customers(tx, world, wanted.customers.into_keys());
    for (key, what) in tx.remembered(&names.idempotency).unwrap() {
        world.load_remembered(key, what);
    }
    for external_id in names.imported {
        let found = tx.imported(&external_id).unwrap();
        world.load_imported(external_id, found);
    }
    for key in names.keys {
        if tx.has_key(key).unwrap() {
            world.load_key(key);
        }
    }
}
