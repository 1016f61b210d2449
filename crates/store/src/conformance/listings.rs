//! Listings with their groups, plans and pools.

use lastseat_core::command::{Action, PoolsChange};
use lastseat_core::decide::names::Names;
use lastseat_core::id::{ListingId, ListingNo};
use lastseat_core::listing::Listing;
use lastseat_core::pool::{Pool, PoolRef};
use serde_json::{Value, json};

use super::Factory;
use super::kit::{Kit, nights, places};

fn seats() -> Value {
    let seat = |n: u32| json!({"seat_guid": format!("A-{n}"), "seat_number": n.to_string(), "position": {"x": n, "y": 0.5}, "category": "Stalls"});
    json!({
        "kind": "seats", "category": "cinema", "title": "Film \"Сталкер\"", "description": "A film.", "city": "Tashkent",
        "venue": "Hall 1", "timezone": "America/New_York", "currency": "USD", "starts_at": "2026-12-24T17:00:00Z",
        "seating": {"plan": {
            "name": "Hall", "size": {"width": 10, "height": 10}, "categories": [{"name": "Stalls", "color": "#ff0000"}],
            "zones": [{"name": "Main", "position": {"x": 0, "y": 0}, "rows": [
                {"row_number": "A", "position": {"x": 0, "y": 0}, "seats": [seat(1), seat(2), seat(3)]}]}],
        }, "prices": {"Stalls": 4500}},
        "pools": [{"key": "standing", "title": "Standing", "capacity": 30, "price": 1000}],
        "policy": {"payment": ["receipt", "external", "gift_card"], "payment_instructions": "Card 8600", "hold_seconds": 60,
            "hold_max_seconds": 120, "review_seconds": 7200, "max_quantity": 4, "max_per_customer": 6, "max_open_holds": 2,
            "cancel_until_seconds": 3600, "waitlist": false},
        "sale_opens_at": "2026-11-01T00:00:00Z", "sale_closes_at": "2026-12-24T12:00:00Z", "status": "draft",
    })
}

fn slots() -> Value {
    json!({
        "kind": "slots", "title": "Pitch", "timezone": "Asia/Kolkata", "currency": "INR",
        "resources": [{"key": "pitch-1", "capacity": 1, "price": 500}],
        "calendar": {"from": "2026-12-24", "until": "2026-12-27"},
        "opening_hours": [{"days": ["thu", "fri", "sat"], "from": "22:00", "until": "02:00"}],
        "slot_minutes": 60, "buffer_minutes": 30,
    })
}

/// Finds a listing by every way there is.
fn seen_everywhere(kit: &mut Kit, listing: &Listing) {
    let (no, id) = (listing.no, listing.id);
    assert_eq!(kit.ask(|tx| tx.listing(id)).as_deref(), Some(listing));
    assert_eq!(kit.ask(|tx| tx.listing_at(no)).as_deref(), Some(listing));
    let all = kit.read(|read| read.listings());
    assert!(all.contains(listing));
}

/// A case of the suite.
pub fn listings_of_every_kind_come_back_whole(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    for (form, pools) in [(places(), 2), (seats(), 4), (nights(), 80), (slots(), 9)] {
        let listing = kit.listing(form.clone());
        seen_everywhere(&mut kit, &listing);
        let found = kit.read(|read| read.pools(listing.no));
        assert_eq!(found.len(), pools);
        assert!(found.is_sorted_by_key(|(no, _)| *no));
        assert_eq!(kit.ask(|tx| tx.whole(listing.no)), found);
        for (no, pool) in &found {
            let group = listing.groups.get(no.group).unwrap();
            assert_eq!(*pool, Pool { capacity: group.capacity, price: group.price, ..Pool::default() });
        }
        let plan = kit.read(|read| read.plan(listing.no));
        let plan = plan.map(|plan| serde_json::from_str::<Value>(&plan).unwrap());
        assert_eq!(plan, form.pointer("/seating/plan").cloned());
    }
    let order: Vec<i64> = kit.read(|read| read.listings()).iter().map(|listing| listing.no.0).collect();
    assert_eq!(order, [1, 2, 3, 4]);
    let nobody = ListingId::from_bits(kit.id());
    assert_eq!(kit.ask(|tx| tx.listing(nobody)), None);
    assert_eq!(kit.ask(|tx| tx.listing_at(ListingNo(9))), None);
    assert_eq!(kit.read(|read| read.plan(ListingNo(9))), None);
    assert_eq!(kit.read(|read| read.pools(ListingNo(9))), []);
}

/// A case of the suite.
pub fn an_edit_changes_the_listing_and_its_pools(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let inn = kit.listing(nights());
    let key = inn.find_pool("double/2026-12-10").unwrap();
    let range = json!({"resource": "double", "from": "2026-12-10", "until": "2026-12-11", "capacity": 7, "blocked": 2, "price": 150});
    let change = PoolsChange::Range(serde_json::from_value(range).unwrap());
    kit.act(Action::PutPools { id: inn.id, change });
    let at = PoolRef { listing: inn.no, pool: key };
    let wanted = Pool { capacity: 7, blocked: 2, price: 150, ..Pool::default() };
    assert_eq!(kit.ask(|tx| tx.pools(&[at])), [Some(wanted)]);

    let resources = json!([{"key": "double", "title": "Double room", "capacity": 3, "price": 100}, {"key": "single", "capacity": 1, "price": 60},
        {"key": "suite", "capacity": 1, "price": 900}]);
    let edited = kit.patch(
        inn.id,
        json!({"title": "Inn by the lake", "resources": resources, "calendar": {"until": "2027-01-12"}}),
    );
    assert_eq!((edited.version, edited.groups.all().len()), (2, 3));
    seen_everywhere(&mut kit, &edited);
    let pools = kit.read(|read| read.pools(inn.no));
    assert_eq!(pools.len(), 3 * 42);
    assert!(pools.contains(&(key, wanted)), "what was there stays");
}

/// A case of the suite.
pub fn pools_of_two_listings_are_kept_apart(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (first, second) = (kit.listing(places()), kit.listing(places()));
    kit.book(first.id, "standard", 3);
    let pool = first.find_pool("standard").unwrap();
    let missing = PoolRef { listing: first.no, pool: lastseat_core::pool::PoolNo::new(9, 0) };
    let of = [PoolRef { listing: second.no, pool }, missing, PoolRef { listing: first.no, pool }];
    let held: Vec<Option<i64>> =
        kit.ask(|tx| tx.pools(&of)).into_iter().map(|pool| pool.map(|pool| pool.held)).collect();
    assert_eq!(held, [Some(0), None, Some(3)]);
    assert_eq!((kit.pool(&first, "standard").held, kit.pool(&second, "standard").held), (3, 0));
}

/// A case of the suite.
pub fn the_inventory_counts_changes_of_its_own_listing(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (first, second) = (kit.listing(places()), kit.listing(places()));
    let versions = |kit: &Kit| [first.no, second.no].map(|no| kit.read(|read| read.inventory_version(no)));
    let before = versions(&kit);
    let booking = kit.book(first.id, "standard", 1);
    let booked = versions(&kit);
    assert!(booked[0] > before[0]);
    assert_eq!(booked[1], before[1]);
    let actor = lastseat_core::command::Actor::System;
    kit.commit(|world| {
        // A change that touches no pool: the booking stays held.
        let mut row = world.booking_at(booking.no).cloned().unwrap();
        row.version += 1;
        row.details.extended = true;
        world.changes.pools.clear();
        world.update_booking(row, &[lastseat_core::event::EventKind::BookingExtended], &actor);
        world.changes.pools.clear();
    });
    assert_eq!(versions(&kit), booked);
}

/// A case of the suite.
pub fn an_edit_that_was_rolled_back_was_never_there(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let listing = kit.listing(places());
    seen_everywhere(&mut kit, &listing);
    let mut edited = Listing::clone(&listing);
    edited.version = 2;
    let fresh = ListingId::from_bits(kit.id());
    let names = Names { new_listings: 1, ..Names::default() };
    let mut tx = kit.begin(&names).unwrap();
    let mut world = lastseat_core::world::World::new(tx.now());
    (world.booking_numbers, world.listing_numbers) = tx.numbers(0, 1).unwrap();
    world.set_listing(std::sync::Arc::new(edited));
    let spec = serde_json::from_value(places()).unwrap();
    world.add_listing(fresh, lastseat_core::listing::build::build(&spec, tx.now()).unwrap());
    tx.write(&world).unwrap();
    assert_eq!(tx.listing_at(listing.no).unwrap().unwrap().version, 2);
    assert!(tx.listing(fresh).unwrap().is_some());
    drop(tx);
    seen_everywhere(&mut kit, &listing);
    assert_eq!(kit.ask(|tx| tx.listing(fresh)), None);
    assert_eq!(kit.ask(|tx| tx.listing_at(ListingNo(2))), None);
}
