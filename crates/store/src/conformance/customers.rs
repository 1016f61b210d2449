//! What customers and addresses have.

use lastseat_core::command::{Action, BookingChange, CreateBooking};
use lastseat_core::id::ListingNo;
use lastseat_core::world::{CustomerRef, CustomerUse};
use serde_json::{Value, json};

use super::Factory;
use super::kit::{Kit, lines, places};

/// Addresses are counted in all listings, under this number.
const ADDRESSES: ListingNo = ListingNo(0);

fn limited() -> Value {
    let mut form = places();
    form["policy"]["max_per_customer"] = json!(9);
    form
}

fn has(units: i64, open_holds: i64) -> CustomerUse {
    CustomerUse { units, open_holds }
}

fn from(address: &str, create: CreateBooking) -> CreateBooking {
    CreateBooking { address: Some(address.to_owned()), max_open_holds_of_address: Some(5), ..create }
}

fn use_of(kit: &mut Kit, of: &[CustomerRef]) -> Vec<CustomerUse> {
    kit.ask(|tx| tx.customers(of))
}

/// A case of the suite.
pub fn what_a_customer_has_is_counted_where_limits_are_set(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (counts, ignores) = (kit.listing(limited()), kit.listing(places()));
    let mut last = None;
    for (listing, who, quantity) in
        [(&counts, "a", 2), (&counts, "b", 1), (&ignores, "a", 1), (&counts, "a", 3)]
    {
        let create = kit.creation(listing.id, lines(&[("standard", quantity)]), who);
        last = Some(kit.create(from("home", create), None));
    }
    let of = |listing: ListingNo, who: &str| (listing, who.to_owned());
    let asked = [
        of(counts.no, "x:a"),
        of(counts.no, "x:nobody"),
        of(ignores.no, "x:a"),
        of(ADDRESSES, "home"),
        of(counts.no, "x:b"),
        of(ADDRESSES, "elsewhere"),
    ];
    let wanted = [has(5, 2), has(0, 0), has(0, 0), has(0, 4), has(1, 1), has(0, 0)];
    assert_eq!(use_of(&mut kit, &asked), wanted);
    kit.change(last.unwrap().id, BookingChange::Cancel { reason: None });
    assert_eq!(use_of(&mut kit, &asked[..1]), [has(2, 1)]);
    assert_eq!(use_of(&mut kit, &asked[3..4]), [has(0, 3)]);
    let all = kit.read(|read| read.customers(counts.no));
    assert_eq!(all, [("x:a".to_owned(), has(2, 1)), ("x:b".to_owned(), has(1, 1))]);
    assert_eq!(kit.read(|read| read.customers(ADDRESSES)), [("home".to_owned(), has(0, 3))]);
    assert_eq!(kit.read(|read| read.customers(ignores.no)), []);
}

/// A case of the suite.
pub fn overdue_holds_of_a_customer_and_of_an_address_are_found(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (counts, ignores) = (kit.listing(limited()), kit.listing(places()));
    for (listing, who, address) in
        [(&counts, "a", "home"), (&ignores, "a", "home"), (&counts, "b", "home"), (&counts, "a", "work")]
    {
        let create = kit.creation(listing.id, lines(&[("standard", 1)]), who);
        let booking = kit.create(from(address, create), None);
        if who == "b" {
            kit.change(booking.id, BookingChange::Extend { seconds: 100 });
        }
        kit.pass(1);
    }
    let overdue = |kit: &mut Kit, listing: ListingNo, who: &str| -> Vec<i64> {
        let of = (listing, who.to_owned());
        kit.ask(|tx| tx.overdue_of(std::slice::from_ref(&of))).into_iter().map(|no| no.0).collect()
    };
    assert!(overdue(&mut kit, counts.no, "x:a").is_empty());
    kit.pass(598);
    assert_eq!(overdue(&mut kit, counts.no, "x:a"), [1]);
    assert_eq!(overdue(&mut kit, ADDRESSES, "home"), [1, 2]);
    kit.pass(1);
    assert_eq!(overdue(&mut kit, counts.no, "x:a"), [1, 4]);
    assert!(overdue(&mut kit, ignores.no, "x:a").is_empty(), "nothing is counted there");
    assert!(overdue(&mut kit, counts.no, "x:b").is_empty());
    kit.pass(100);
    assert_eq!(overdue(&mut kit, ADDRESSES, "home"), [1, 2, 3]);
    assert_eq!(overdue(&mut kit, ADDRESSES, "work"), [4]);
    kit.act(Action::SettleDue { limit: 9 });
    assert!(overdue(&mut kit, ADDRESSES, "home").is_empty());
    assert!(overdue(&mut kit, counts.no, "x:a").is_empty());
}

/// A case of the suite.
pub fn a_first_limit_has_everybody_counted_anew(factory: Factory<'_>) {
    let mut kit = Kit::new(factory);
    let (listing, other) = (kit.listing(places()), kit.listing(places()));
    for (listing, who) in [(&listing, "a"), (&listing, "a"), (&listing, "b"), (&other, "a"), (&listing, "c")]
    {
        let create = kit.creation(listing.id, lines(&[("standard", 2)]), who);
        let booking = kit.create(from("home", create), None);
        if who == "c" {
            kit.change(booking.id, BookingChange::Cancel { reason: None });
        }
    }
    kit.patch(listing.id, json!({"policy": {"max_open_holds": 3}}));
    let mut all = kit.read(|read| read.customers(listing.no));
    all.retain(|(_, use_of)| *use_of != has(0, 0));
    assert_eq!(all, [("x:a".to_owned(), has(4, 2)), ("x:b".to_owned(), has(2, 1))]);
    assert_eq!(kit.read(|read| read.customers(ADDRESSES)), [("home".to_owned(), has(0, 4))]);
    kit.pass(600);
    let of = (listing.no, "x:a".to_owned());
    let overdue = kit.ask(|tx| tx.overdue_of(std::slice::from_ref(&of)));
    assert_eq!(overdue.into_iter().map(|no| no.0).collect::<Vec<_>>(), [1, 2]);
}
