//! Who waits, and what is kept for them.

use std::borrow::Borrow;
use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::command::{Actor, Idempotency, IdempotencyKey};
use lastseat_core::customer::Customer;
use lastseat_core::event::EventKind;
use lastseat_core::id::{EntryNo, EntryRef, KeyId, ListingNo, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::pool::PoolNo;
use lastseat_core::time::Time;
use lastseat_core::waitlist::list::ListNumbers;
use lastseat_core::waitlist::serve::Ask;
use lastseat_core::waitlist::{Ended, Entry, EntryState, Reach, Want};
use lastseat_core::world::{Answer, World};

use super::Factory;
use super::kit::{Kit, customer, nights, places};
use crate::error::StoreError;
use crate::read::Which;

/// An entry of somebody who waits for this.
pub(crate) fn entry(kit: &mut Kit, listing: &Listing, want: Want, who: &str) -> Entry {
    Entry {
        listing: listing.no,
        no: EntryNo(0),
        id: WaitlistId::from_bits(kit.id()),
        state: EntryState::Waiting,
        want,
        customer: customer(who),
        address: None,
        created_at: kit.clock.now(),
        created_by: None,
        until: None,
        due_at: None,
        joined_behind: 0,
        skipped: 0,
        kept: Vec::new(),
        booking: None,
        ended: None,
    }
}

/// So many units of these pools of a listing.
fn want(listing: &Listing, pools: &[(&str, i64)]) -> Want {
    let asked = pools.iter().map(|(key, quantity)| (listing.find_pool(key).unwrap(), *quantity));
    Want::lines(&asked.collect::<Vec<_>>())
}

pub(crate) fn join(kit: &mut Kit, entry: Entry) -> Entry {
    kit.commit(|world| {
        let at = world.insert_entry(entry, &Actor::Public);
        world.entry_at(at).unwrap().clone()
    })
}

pub(crate) fn update(kit: &mut Kit, new: &Entry) -> Result<(), StoreError> {
    let old = kit.read(|read| read.entry(new.id)).unwrap();
    kit.try_commit(|world| {
        world.load_entry(Arc::new(old));
        world.update_entry(new.clone());
    })
}

fn nos(entries: &[impl Borrow<Entry>]) -> Vec<i64> {
    entries.iter().map(|entry| entry.borrow().no.0).collect()
}

/// A case of the suite.
pub fn an_entry_comes_back_with_every_field(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, inn) = (kit.listing(places()), kit.listing(nights()));
    let stay = [("double/2026-12-24", 1), ("double/2026-12-25", 1), ("double/2026-12-27", 2)];
    let wants = [
        (&listing, want(&listing, &[("vip", 3)])),
        (&listing, want(&listing, &[("standard", 1), ("vip", 2)])),
        (&listing, Want::Any(7)),
        (&inn, want(&inn, &stay)),
    ];
    for (number, (listing, want)) in (1..).zip(wants) {
        let mut plain = entry(&mut kit, listing, want, &format!("customer {number}"));
        plain = join(&mut kit, plain);
        let mut full = plain.clone();
        full.id = WaitlistId::from_bits(kit.id());
        full.customer = Customer {
            name: "Ольга; DROP TABLE waitlist; --".to_owned(),
            email: Some(format!("O{number}@example.org")),
            phone: Some("+998 90 000 00 00".to_owned()),
            telegram_id: Some(-number),
            external_id: Some(format!("'\"\u{1F3AB} {number}")),
        };
        full.created_by = Some(KeyId::from_bits(u128::MAX >> 1));
        full.until = Some(Time::from_millis(9_000_000_000_000));
        full.due_at = Some(kit.clock.now());
        full.address = Some(format!("a1b2-{number}"));
        let full = join(&mut kit, full);
        for joined in [plain, full] {
            assert_eq!(kit.read(|read| read.entry(joined.id)), Some(joined.clone()));
            let ids = [joined.id].into();
            let names =
                lastseat_core::decide::names::Names { entries: [joined.id].into(), ..Default::default() };
            let found = kit.begin(&names).unwrap().entries(&ids).unwrap();
            assert_eq!(found, [Arc::new(joined)]);
        }
    }
    let of = |no: ListingNo| kit.read(|read| read.entries(no, Which::All, EntryNo(0), 100));
    assert_eq!((nos(&of(listing.no)), nos(&of(inn.no))), (vec![1, 2, 3, 4, 5, 6], vec![1, 2]));
    assert_eq!(nos(&kit.read(|read| read.entries(listing.no, Which::All, EntryNo(2), 3))), [3, 4, 5]);
    assert_eq!(kit.read(|read| read.entry(WaitlistId::from_bits(1))), None);
    let kinds = kit.read(|read| read.events(0, Some(inn.no), 10));
    let kinds: Vec<EventKind> = kinds.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[1..], [EventKind::WaitlistJoined; 2]);
}

/// A case of the suite.
pub fn every_change_of_an_entry_is_kept(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let booking = kit.book(listing.id, "standard", 1);
    let numbers = |kit: &Kit| kit.read(|read| read.list_numbers(listing.no));
    assert_eq!(numbers(&kit), ListNumbers { waiting: 0, last: 0 });
    let all: Vec<Entry> = (0..4)
        .map(|number| {
            let new = entry(&mut kit, &listing, want(&listing, &[("vip", 1)]), &format!("c {number}"));
            join(&mut kit, new)
        })
        .collect();
    assert_eq!(numbers(&kit), ListNumbers { waiting: 4, last: 4 });
    let vip = listing.find_pool("vip").unwrap();
    let changed = [
        Entry { skipped: 10, kept: vec![(vip, 2)], due_at: Some(kit.clock.now()), ..all[0].clone() },
        Entry { state: EntryState::Offered, booking: Some(booking.no), ..all[1].clone() },
        Entry { state: EntryState::Left, due_at: None, ..all[2].clone() },
        Entry { state: EntryState::Closed, ended: Some(Ended::SaleOver), ..all[3].clone() },
    ];
    for new in &changed {
        update(&mut kit, new).unwrap();
        assert_eq!(kit.read(|read| read.entry(new.id)).as_ref(), Some(new));
    }
    assert_eq!(numbers(&kit), ListNumbers { waiting: 1, last: 4 });
    let waiting = kit.read(|read| read.entries(listing.no, Which::Waiting, EntryNo(0), 100));
    assert_eq!(waiting, changed[..1]);
    // What is not committed leaves no trace.
    let lost = entry(&mut kit, &listing, Want::Any(1), "lost");
    let listings = [listing.id].into();
    let batch = kit.id();
    let names = lastseat_core::decide::names::Names { listings, joins: true, ..Default::default() };
    let mut tx = kit.lane.begin(batch, &names).unwrap();
    let mut world = World::new(tx.now());
    world.load_listing(tx.listing(listing.id).unwrap().unwrap());
    world.load_list(listing.no, tx.list_numbers(listing.no).unwrap());
    assert_eq!(world.list_numbers(listing.no), ListNumbers { waiting: 1, last: 4 });
    world.insert_entry(lost.clone(), &Actor::Public);
    tx.write(&world).unwrap();
    assert_eq!(tx.list_numbers(listing.no).unwrap(), ListNumbers { waiting: 2, last: 5 });
    drop(tx);
    assert_eq!((numbers(&kit).last, kit.read(|read| read.entry(lost.id))), (4, None));
}

/// A case of the suite.
pub fn who_waits_is_found_in_order_by_the_pools_that_are_wanted(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, inn) = (kit.listing(places()), kit.listing(nights()));
    let at = |listing: &Listing, key: &str| listing.find_pool(key).unwrap();
    let wants = [
        want(&listing, &[("standard", 2)]),
        want(&listing, &[("vip", 1)]),
        Want::Any(3),
        want(&listing, &[("standard", 1)]),
        want(&listing, &[("standard", 4), ("vip", 3)]),
        want(&listing, &[("standard", 3)]),
    ];
    for (number, wanted) in wants.into_iter().enumerate() {
        let new = entry(&mut kit, &listing, wanted, &format!("c {number}"));
        join(&mut kit, new);
    }
    for (from, until) in [("2026-12-24", "2026-12-27"), ("2026-12-26", "2026-12-28")] {
        let nights = [from, until].map(|date| at(&inn, &format!("double/{date}")));
        let asked: Vec<_> =
            (nights[0].position..nights[1].position).map(|day| (PoolNo::new(0, day), 1)).collect();
        let new = entry(&mut kit, &inn, Want::lines(&asked), from);
        join(&mut kit, new);
    }
    let mut ask = |of: &Listing, keys: &[&str], after: i64, most: Option<i64>, limit: u32| {
        let pools = keys.iter().map(|key| at(of, key)).collect();
        let ask = Ask { pools, after: EntryNo(after), most, limit, then: 0 };
        nos(&kit.ask(|tx| tx.waiting(of.no, &ask)))
    };
    assert_eq!(ask(&listing, &["standard"], 0, None, 100), [1, 3, 4, 5, 6]);
    assert_eq!(ask(&listing, &["vip"], 0, None, 100), [2, 3, 5]);
    assert_eq!(ask(&listing, &["standard", "vip"], 0, None, 100), [1, 2, 3, 4, 5, 6]);
    assert_eq!(ask(&listing, &["standard", "vip"], 2, None, 2), [3, 4]);
    // By what one pool has to have at least.
    assert_eq!(ask(&listing, &["standard"], 0, Some(1), 100), [3, 4]);
    assert_eq!(ask(&listing, &["standard"], 3, Some(2), 100), [4]);
    assert_eq!(ask(&inn, &["double/2026-12-24"], 0, None, 100), [1]);
    assert_eq!(ask(&inn, &["double/2026-12-26"], 0, None, 100), [1, 2]);
    assert_eq!(ask(&inn, &["double/2026-12-27"], 0, None, 100), [2]);
    assert_eq!(ask(&inn, &["double/2026-12-28", "single/2026-12-26"], 0, None, 100), Vec::<i64>::new());
    // In portions, where the next one may be under way already, and another one is asked for.
    let begins =
        Ask { pools: [at(&listing, "standard")].into(), after: EntryNo(0), most: None, limit: 2, then: 9 };
    let found = kit.ask(|tx| {
        let first = tx.waiting(listing.no, &begins)?;
        let next = begins.next(first[1].no).expect("there are more");
        let second = tx.waiting(listing.no, &next)?;
        let again = tx.waiting(listing.no, &begins)?;
        let other = tx.waiting(listing.no, &Ask { pools: [at(&listing, "vip")].into(), ..next })?;
        Ok([first, second, again, other].map(|found| nos(&found)))
    });
    assert_eq!(found, [vec![1, 3], vec![4, 5, 6], vec![1, 3], vec![5]]);
    // Who waits no more is not found.
    let second = kit.read(|read| read.entries(listing.no, Which::All, EntryNo(1), 1)).remove(0);
    let very_many = (0..100).map(|position| PoolNo::new(7, position));
    let ask = Ask {
        pools: very_many.chain([at(&listing, "vip")]).collect(),
        after: EntryNo(0),
        most: None,
        limit: 9,
        then: 0,
    };
    let found = nos(&kit.ask(|tx| tx.waiting(listing.no, &ask)));
    assert!([2, 3, 5].iter().all(|no| found.contains(no)) && found.is_sorted(), "{found:?}");
    update(&mut kit, &Entry { state: EntryState::Left, ..second }).unwrap();
    let ask = Ask { pools: [at(&listing, "vip")].into(), after: EntryNo(0), most: None, limit: 9, then: 0 };
    assert_eq!(nos(&kit.ask(|tx| tx.waiting(listing.no, &ask))), [3, 5]);
}

/// A case of the suite.
pub fn who_is_ahead_is_counted_by_what_is_wanted(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, other) = (kit.listing(places()), kit.listing(places()));
    let wants = [
        want(&listing, &[("standard", 1)]),
        want(&listing, &[("vip", 1)]),
        Want::Any(1),
        want(&listing, &[("standard", 1), ("vip", 1)]),
        want(&listing, &[("standard", 2)]),
    ];
    let mut all = Vec::new();
    for (number, wanted) in wants.into_iter().enumerate() {
        let new = entry(&mut kit, &listing, wanted, &format!("c {number}"));
        all.push(join(&mut kit, new));
    }
    let group = |group: u32| Reach::Group { group, first: 0, last: 0 };
    let mut counted = Vec::new();
    for reach in [group(0), group(1), group(2), Reach::Everything] {
        counted.push(kit.ask(|tx| tx.ahead(listing.no, reach)));
    }
    assert_eq!(counted, [4, 3, 2, 5]);
    assert_eq!(kit.ask(|tx| tx.ahead(other.no, Reach::Everything)), 0);
    let before = |kit: &Kit, all: &[Entry]| -> Vec<i64> {
        let ahead = |entry: &Entry| kit.read(|read| read.ahead(listing.no, entry.want.reach(), entry.no));
        all.iter().map(ahead).collect()
    };
    assert_eq!(before(&kit, &all), [0, 0, 2, 3, 3]);
    update(&mut kit, &Entry { state: EntryState::Closed, ..all[0].clone() }).unwrap();
    assert_eq!(before(&kit, &all), [0, 0, 1, 2, 2]);
}

/// A case of the suite.
pub fn entries_are_due_when_they_say_so_and_after_an_edit_all_of_them_are(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let now = kit.clock.now();
    for (number, seconds) in [30, 10, 20].into_iter().enumerate() {
        let mut new = entry(&mut kit, &listing, Want::Any(1), &format!("c {number}"));
        new.due_at = Some(now.plus_seconds(seconds));
        join(&mut kit, new);
    }
    let never = entry(&mut kit, &listing, Want::Any(1), "never");
    join(&mut kit, never);
    assert_eq!(kit.read(|read| read.next_due()), Some(now.plus_seconds(10)));
    let due = |kit: &mut Kit, limit: u32| nos(&kit.ask(|tx| tx.due_entries(limit)));
    assert_eq!(due(&mut kit, 10), Vec::<i64>::new());
    kit.pass(20);
    assert_eq!((due(&mut kit, 10), due(&mut kit, 1)), (vec![2, 3], vec![2]));
    kit.commit(|world| world.changes.recheck.insert(listing.no));
    assert_eq!(due(&mut kit, 10), [2, 1, 3, 4]);
    assert_eq!(kit.read(|read| read.next_due()), Some(now.plus_seconds(10)));
}

/// A case of the suite.
pub fn live_entries_and_those_for_which_something_is_kept_are_found(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, other) = (kit.listing(places()), kit.listing(places()));
    let booking = kit.book(listing.id, "standard", 1);
    let mut all = Vec::new();
    for who in ["a", "b", "c"] {
        let new = entry(&mut kit, &listing, Want::Any(1), who);
        all.push(join(&mut kit, new));
    }
    update(&mut kit, &Entry { state: EntryState::Offered, booking: Some(booking.no), ..all[0].clone() })
        .unwrap();
    update(&mut kit, &Entry { state: EntryState::Left, ..all[1].clone() }).unwrap();
    update(&mut kit, &Entry { kept: vec![(PoolNo::new(0, 0), 1)], ..all[2].clone() }).unwrap();
    let live = |kit: &mut Kit, who: &[&str]| {
        let of: Vec<_> = who.iter().map(|who| (listing.no, format!("x:{who}"))).collect();
        nos(&kit.ask(|tx| tx.live_entries(&of)))
    };
    assert_eq!(live(&mut kit, &["c", "b", "a", "nobody"]), [3, 1]);
    // Of an offer that lapsed and a new entry the new one.
    let again = entry(&mut kit, &listing, Want::Any(1), "a");
    join(&mut kit, again);
    assert_eq!(live(&mut kit, &["a"]), [4]);
    assert_eq!(kit.ask(|tx| tx.live_entries(&[(other.no, "x:a".to_owned())])), []);
    assert_eq!(nos(&kit.ask(|tx| tx.keepers(listing.no))), [3]);
    assert_eq!(kit.ask(|tx| tx.keepers(other.no)), []);
}

/// A case of the suite.
pub fn an_entry_that_cannot_be_is_refused_as_bad_data(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let booking = kit.row(&listing, State::Held);
    let first = entry(&mut kit, &listing, Want::Any(1), "a");
    let first = join(&mut kit, first);
    for (what, wrong) in [
        ("an offer without a booking", Entry { state: EntryState::Offered, ..first.clone() }),
        ("a booking without an offer", Entry { booking: Some(booking.no), ..first.clone() }),
        (
            "something kept for who left",
            Entry { state: EntryState::Left, kept: vec![(PoolNo::new(0, 0), 1)], ..first.clone() },
        ),
    ] {
        match update(&mut kit, &wrong) {
            Err(StoreError::BadData(_)) => {}
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(kit.read(|read| read.entry(first.id)).as_ref(), Some(&first), "{what}");
    }
    // The same number.
    let other = entry(&mut kit, &listing, Want::Any(1), "b");
    let same: Result<EntryRef, StoreError> = kit.try_commit(|world| {
        world.load_list(listing.no, ListNumbers::default());
        world.insert_entry(other, &Actor::Public)
    });
    assert!(matches!(same, Err(StoreError::BadData(_))), "{same:?}");
    assert_eq!(kit.read(|read| read.list_numbers(listing.no)), ListNumbers { waiting: 1, last: 1 });
}

/// A case of the suite.
pub fn joining_is_remembered(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    let new = entry(&mut kit, &listing, Want::Any(1), "a");
    let idempotency = Idempotency { key: IdempotencyKey([5; 16]), fingerprint: [6; 16] };
    let id = new.id;
    kit.commit(|world| {
        world.insert_entry(new, &Actor::Public);
        world.remember(Some(idempotency), Answer::Entry(id));
    });
    let again = Idempotency { key: IdempotencyKey([7; 16]), fingerprint: [8; 16] };
    kit.commit(|world| world.remember(Some(again), Answer::EntryThere(id)));
    for (given, answer) in [(idempotency, Answer::Entry(id)), (again, Answer::EntryThere(id))] {
        let found = kit.ask(|tx| tx.remembered(&[given.key].into()));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].1.fingerprint, &found[0].1.answer), (given.fingerprint, &answer));
    }
    assert_eq!(kit.read(|read| read.broken_keys(10)), (2, Vec::new()));
}
