//! Batches of new bookings that are decided on what a lane knows, for stores that offer it: one that does not begins none,
//! and its cases end there.

use lastseat_core::booking::{Booking, State};
use lastseat_core::command::{
    Action, Actor, Command, Idempotency, IdempotencyKey, ImportBooking, PoolsChange, Role,
};
use lastseat_core::decide;
use lastseat_core::decide::names::{Names, Wanted};
use lastseat_core::event::EventKind;
use lastseat_core::id::{BookingId, BookingNo, KeyId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolRef;
use lastseat_core::waitlist::{Entry, EntryState, Want};
use lastseat_core::world::{Answer, Remembered, World};
use serde_json::{Value, json};

use super::kit::{Kit, customer, lines, look, places};
use super::{Factory, waitlists};
use crate::error::{CommitError, StoreError};
use crate::tx::{Lane, Tx};

/// Bookings that a case makes at most on what it knows, until it learns anew.
const MOST: usize = 4;

/// A store with two lanes on one listing, of which the first knows what it needs.
struct Two {
    kit: Kit,
    other: Box<dyn Lane>,
    listing: Listing,
}

impl Two {
    /// None for stores that do not offer it.
    fn new(factory: Factory<'_>) -> Option<Self> {
        let mut kit = Kit::new(factory);
        let listing = kit.listing(places()).as_ref().clone();
        kit.book(listing.id, "standard", 1);
        kit.book(listing.id, "vip", 1);
        let names = Names { listings: [listing.id].into(), new_bookings: 1, ..Names::default() };
        let batch = kit.id();
        kit.lane.begin_optimistic(batch, &names)?;
        let other = kit.store.lane().unwrap();
        let mut two = Self { kit, other, listing };
        two.learn();
        Some(two)
    }

    /// Has the first lane look how it is now, with locks, and take numbers.
    fn learn(&mut self) {
        let listings = [self.listing.id].into();
        let names = Names { listings, new_bookings: MOST, ..Names::default() };
        let pools = ["standard", "vip"].map(|key| self.listing.find_pool(key).unwrap());
        let pools = pools.map(|pool| PoolRef { listing: self.listing.no, pool });
        let batch = self.kit.id();
        let mut tx = self.kit.lane.begin(batch, &names).unwrap();
        tx.numbers(MOST, 0).unwrap();
        tx.pools(&pools).unwrap();
    }

    /// Does something in the other lane.
    fn meanwhile<T>(&mut self, work: impl FnOnce(&mut Kit) -> T) -> T {
        std::mem::swap(&mut self.kit.lane, &mut self.other);
        let done = work(&mut self.kit);
        std::mem::swap(&mut self.kit.lane, &mut self.other);
        done
    }

    fn create(&mut self, pool: &str, quantity: i64, key: Option<Idempotency>) -> Command {
        let create = self.kit.creation(self.listing.id, lines(&[(pool, quantity)]), "somebody");
        let mut command = Command::new(Actor::Public, Action::CreateBooking(Box::new(create)));
        command.idempotency = key;
        command
    }

    fn put(&mut self, pools: Value) {
        let id = self.listing.id;
        let change = PoolsChange::Pools(serde_json::from_value(pools).unwrap());
        self.meanwhile(|kit| kit.act(Action::PutPools { id, change }));
    }

    /// Decides and commits on what the lane knows.
    fn suppose(&mut self, commands: &[Command]) -> Result<(), CommitError> {
        let mut names = Names::default();
        commands.iter().for_each(|command| names.add(command));
        let batch = self.kit.id();
        let mut tx = self.kit.lane.begin_optimistic(batch, &names).expect("the lane knows enough");
        run(tx.as_mut(), &names, commands).map_err(CommitError::Aborted)?;
        tx.commit()
    }

    /// The same, which fails and leaves nothing behind.
    fn refused(&mut self, command: &Command, what: &str) {
        let before = self.everything();
        match self.suppose(std::slice::from_ref(command)) {
            Err(CommitError::Aborted(StoreError::Conflict(_))) => {}
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(self.everything(), before, "{what}");
    }

    /// All bookings, all pools, and the kinds of all events.
    fn everything(&self) -> (Vec<Booking>, Vec<i64>, Vec<EventKind>) {
        let read = look(&self.kit.store);
        let pools = read.pools(self.listing.no).unwrap();
        let counters = pools.iter().flat_map(|(_, pool)| [pool.capacity, pool.held, pool.confirmed]);
        let events = read.events(0, None, 1_000).unwrap();
        (
            read.all_bookings(BookingNo(0), 1_000).unwrap(),
            counters.collect(),
            events.iter().map(|event| event.kind).collect(),
        )
    }

    fn held(&self, pool: &str) -> i64 {
        self.kit.pool(&self.listing, pool).held
    }
}

fn run(tx: &mut dyn Tx, names: &Names, commands: &[Command]) -> Result<(), StoreError> {
    let mut world = World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(names.new_bookings, names.new_listings)?;
    for id in &names.listings {
        world.load_listing(tx.listing(*id)?.unwrap());
    }
    let mut wanted = Wanted::default();
    commands.iter().for_each(|command| wanted.add(&world, command));
    let pools: Vec<PoolRef> = wanted.pools.into_keys().collect();
    for (at, pool) in pools.iter().zip(tx.pools(&pools)?) {
        world.load_pool(*at, pool);
    }
    for (key, what) in tx.remembered(&names.idempotency)? {
        world.load_remembered(key, what);
    }
    for command in commands {
        decide(&mut world, command).unwrap();
    }
    tx.write(&world)
}

fn key(bytes: u8) -> Idempotency {
    Idempotency { key: IdempotencyKey([bytes; 16]), fingerprint: [bytes ^ 0xff; 16] }
}

/// A case of the suite.
pub fn what_fits_is_booked_on_numbers_that_are_out_of_date(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let id = two.listing.id;
    two.meanwhile(|kit| kit.book(id, "standard", 4));
    let commands = [two.create("standard", 3, Some(key(1))), two.create("vip", 2, None)];
    two.suppose(&commands).unwrap();
    assert_eq!((two.held("standard"), two.held("vip")), (8, 3), "units are added to what is there");
    let twice = [two.create("standard", 1, None), two.create("standard", 1, None)];
    two.suppose(&twice).unwrap();
    assert_eq!(two.held("standard"), 10);
}

/// A case of the suite.
pub fn what_is_booked_at_once_is_as_if_it_had_been_booked_with_locks(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let (mut supposed, mut locked) =
        (two.create("standard", 2, Some(key(1))), two.create("standard", 2, Some(key(2))));
    for command in [&mut supposed, &mut locked] {
        let Action::CreateBooking(create) = &mut command.action else { unreachable!() };
        create.note = Some("by the window".into());
    }
    two.suppose(std::slice::from_ref(&supposed)).unwrap();
    two.kit.run(&locked);
    let read = look(&two.kit.store);
    let bookings = read.all_bookings(BookingNo(0), 9).unwrap();
    let [.., first, second] = &bookings[..] else { panic!("{bookings:?}") };
    assert_eq!(&Booking { no: first.no, id: first.id, ..second.clone() }, first);
    assert!(second.no > first.no);
    let events = read.events(0, None, 100).unwrap();
    let [.., one, other] = &events[..] else { panic!("{events:?}") };
    assert!(one.place < other.place && one.no < other.no, "{one:?} {other:?}");
    assert_eq!(
        (one.kind, one.at, one.listing, one.seq, one.version),
        (other.kind, other.at, other.listing, 1, 1)
    );
    assert_eq!((one.booking, other.booking), (Some((first.no, first.id)), Some((second.no, second.id))));
    assert_eq!((&one.actor, &one.data), (&other.actor, &other.data));
    let holds = read.holds(two.listing.no).unwrap();
    let [_, of_first, of_second, _] = &holds[..] else { panic!("{holds:?}") };
    assert_eq!((of_first, of_first.quantity, Some(of_first.due_at)), (of_second, 2, first.deadline));
    let (due, version) = (read.next_due().unwrap(), read.inventory_version(two.listing.no).unwrap());
    assert_eq!(due, first.deadline);
    drop(read);
    two.learn();
    let keys = [key(1).key, key(2).key].into();
    let expected = [(key(1), first.no), (key(2), second.no)];
    let expected = expected.map(|(key, no)| {
        (key.key, Remembered { fingerprint: key.fingerprint, answer: Answer::Booking { no, version: 1 } })
    });
    assert_eq!(two.kit.ask(|tx| tx.remembered(&keys)), expected);
    let more = two.create("vip", 1, None);
    two.suppose(&[more]).unwrap();
    assert!(two.kit.read(|read| read.inventory_version(two.listing.no)) > version);
}

/// A case of the suite.
pub fn what_does_not_fit_any_more_is_not_booked(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let id = two.listing.id;
    two.meanwhile(|kit| kit.book(id, "standard", 8));
    let command = two.create("standard", 2, Some(key(1)));
    two.refused(&command, "one is left");
    let command = two.create("standard", 1, Some(key(1)));
    two.kit.run(&command);
    assert_eq!(two.held("standard"), 10);
    two.learn();
    let command = two.create("vip", 1, None);
    two.suppose(&[command]).unwrap();
    assert_eq!(two.held("vip"), 2);
}

/// A case of the suite.
pub fn nothing_is_booked_on_an_edition_that_is_not_in_force(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let id = two.listing.id;
    two.meanwhile(|kit| kit.patch(id, json!({"title": "Other words"})));
    let command = two.create("standard", 1, None);
    two.refused(&command, "another title");
    for (what, pools) in [
        ("another capacity", json!([{"key": "standard", "capacity": 20}])),
        ("another price", json!([{"key": "standard", "price": 90}])),
        ("another pool", json!([{"key": "late", "capacity": 1, "price": 1}])),
        ("some are blocked", json!([{"key": "vip", "blocked": 1}])),
    ] {
        // With locks the lane sees how it is now.
        two.learn();
        two.put(pools);
        let command = two.create("standard", 1, None);
        two.refused(&command, what);
    }
    let command = two.create("standard", 1, None);
    two.kit.run(&command);
    let last = two.kit.read(|read| read.all_bookings(BookingNo(0), 99)).pop().unwrap();
    assert_eq!(last.total, 90);
}

/// A case of the suite.
pub fn a_price_is_not_remembered_from_another_edition(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    two.put(json!([{"key": "standard", "price": 90}]));
    // The lane learns of the new edition with a batch that is not about this pool.
    let command = two.create("vip", 1, None);
    let locked = Names { new_bookings: 1, listings: [two.listing.id].into(), ..Names::default() };
    let batch = two.kit.id();
    let mut tx = two.kit.lane.begin(batch, &locked).unwrap();
    run(tx.as_mut(), &locked, &[command]).unwrap();
    tx.commit().unwrap();
    let command = two.create("standard", 1, None);
    match two.suppose(&[command]) {
        Err(CommitError::Aborted(StoreError::Conflict(_))) => {}
        Ok(()) => {
            let last = two.kit.read(|read| read.all_bookings(BookingNo(0), 99)).pop().unwrap();
            assert_eq!(last.total, 90);
        }
        other => panic!("{other:?}"),
    }
}

/// A case of the suite.
pub fn a_key_that_somebody_has_used_is_not_used_again(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let command = two.create("vip", 1, Some(key(7)));
    two.meanwhile(|kit| kit.run(&command));
    let command = two.create("standard", 1, Some(key(7)));
    two.refused(&command, "the key is used");
    let command = two.create("standard", 1, Some(key(8)));
    two.kit.run(&command);
    assert_eq!((two.held("standard"), two.held("vip")), (2, 2));
    let command = two.create("standard", 1, Some(key(8)));
    two.refused(&command, "its own key");
}

/// A case of the suite.
pub fn what_cannot_be_supposed_is_a_conflict(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let names = Names { listings: [two.listing.id].into(), new_bookings: 1, ..Names::default() };
    let at = PoolRef { listing: two.listing.no, pool: two.listing.find_pool("standard").unwrap() };
    let (batch, id) = (two.kit.id(), BookingId::from_bits(two.kit.id()));
    let address = (lastseat_core::id::ListingNo(0), "home".to_owned());
    let no = two.listing.no;
    let mut tx = two.kit.lane.begin_optimistic(batch, &names).unwrap();
    let asked = [
        ("a new listing's number", tx.numbers(1, 1).map(drop)),
        ("the last booking", tx.last_booking(no).map(drop)),
        ("a booking", tx.bookings(&[id].into()).map(drop)),
        ("a booking by number", tx.bookings_at(&[BookingNo(1)].into()).map(drop)),
        ("all pools", tx.whole(no).map(drop)),
        ("an address", tx.customers(std::slice::from_ref(&address)).map(drop)),
        ("a key that was not named", tx.remembered(&[key(9).key].into()).map(drop)),
        ("an import", tx.imported("old").map(drop)),
        ("an API key", tx.has_key(KeyId::from_bits(1)).map(drop)),
        ("what is overdue in a pool", tx.overdue_in(&[(at, 1)]).map(drop)),
        ("what is overdue of an address", tx.overdue_of(&[address]).map(drop)),
        ("what is due", tx.due(1).map(drop)),
        ("what is renewed", tx.renewing().map(drop)),
        ("the next release", tx.next_releases(&[at]).map(drop)),
    ];
    for (what, answer) in asked {
        assert!(matches!(answer, Err(StoreError::Conflict(_))), "{what}: {answer:?}");
    }
    drop(tx);
    // Whoever names more than new bookings of one listing gets none.
    for more in [
        Names { bookings: [id].into(), ..names.clone() },
        Names { addresses: ["home".to_owned()].into(), ..names.clone() },
        Names { edited: names.listings.clone(), ..names.clone() },
        Names { imported: ["old".to_owned()].into(), ..names.clone() },
        Names { due: 1, ..names.clone() },
        Names { renew: 1, ..names.clone() },
        Names { new_bookings: 0, ..names.clone() },
        Names { listings: [lastseat_core::id::ListingId::from_bits(1)].into(), ..names.clone() },
    ] {
        assert!(two.kit.lane.begin_optimistic(batch, &more).is_none(), "{more:?}");
    }
    // Nor is room supposed where there was none.
    two.kit.book(two.listing.id, "vip", 4);
    let full = PoolRef { pool: two.listing.find_pool("vip").unwrap(), ..at };
    let mut tx = two.kit.lane.begin_optimistic(batch, &names).unwrap();
    assert_eq!(tx.pools(&[at]).unwrap().len(), 1);
    assert!(matches!(tx.pools(&[full]), Err(StoreError::Conflict(_))));
}

/// A case of the suite.
pub fn nothing_is_booked_past_who_waits(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let listing = two.listing.clone();
    let waits = two.meanwhile(|kit| {
        let new = waitlists::entry(kit, &listing, Want::Any(1), "who waits");
        waitlists::join(kit, new)
    });
    let command = two.create("vip", 1, None);
    two.refused(&command, "somebody waits");
    two.meanwhile(|kit| waitlists::update(kit, &Entry { state: EntryState::Left, ..waits })).unwrap();
    two.learn();
    two.suppose(&[command]).unwrap();
    assert_eq!(two.held("vip"), 2);
}

/// A case of the suite.
pub fn a_booking_from_elsewhere_is_booked_whole_or_not_at_all(factory: Factory<'_>) {
    let Some(mut two) = Two::new(factory) else { return };
    let admin = Actor::Key { id: KeyId::from_bits(1), role: Role::Admin, name: "K".into() };
    for (paid, seconds, state) in
        [(0, 0, State::Held), (40, 0, State::Held), (0, 60, State::Confirmed), (500, 0, State::Cancelled)]
    {
        let created_at = Some(two.kit.clock.now().plus_seconds(-seconds));
        let import = ImportBooking {
            id: BookingId::from_bits(two.kit.id()),
            listing: two.listing.id,
            claim: lines(&[("standard", 1)]),
            customer: customer("somebody"),
            state,
            created_at,
            paid,
            external_id: None,
        };
        let id = import.id;
        let command = Command::new(admin.clone(), Action::ImportBooking(Box::new(import)));
        match two.suppose(std::slice::from_ref(&command)) {
            Ok(()) => {
                let row = two.kit.read(|read| read.booking(id)).unwrap();
                assert_eq!((row.paid, Some(row.created_at)), (paid, created_at));
                assert_eq!(row.details.payments.len(), usize::from(paid > 0));
            }
            Err(CommitError::Aborted(StoreError::Conflict(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    let report = crate::verify::verify_snapshot(look(&two.kit.store).as_ref()).unwrap();
    let broken: Vec<_> =
        report.checks.iter().filter(|check| !check.broken.is_empty()).map(|check| check.name).collect();
    assert_eq!(broken, [""; 0]);
}
