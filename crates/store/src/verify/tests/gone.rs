//! What names something that is gone, or was never there, is found.

use lastseat_core::command::IdempotencyKey;
use lastseat_core::id::{KeyId, ListingId};
use lastseat_core::pool::{Pool, PoolNo};
use lastseat_core::world::{Answer, Remembered};

use super::*;

/// What a booking is called whose row is gone.
fn gone(it: &Stage, no: i64) -> String {
    let reference = it.kit.read(|read| read.secret()).reference(BookingNo(no));
    format!("booking {no} (reference {reference}), which is gone")
}

fn lose(rows: &mut Rows, no: i64) {
    let row = rows.bookings.remove(&BookingNo(no)).unwrap();
    rows.booking_nos.remove(&row.booking.id);
}

#[test]
fn a_booking_that_is_gone_is_found_by_its_events() {
    let it = stage();
    let name = [gone(&it, 3)];
    it.finds("a refund that nobody would make", |rows| lose(rows, 3), &[(Rule::LogFoldsToRows, &name)]);

    let it = stage();
    let (name, counted) = ([gone(&it, 8)], ["addresses".to_owned()]);
    let (vip, of) = ([format!("{}/vip", it.listing.id)], [it.listing.id.to_string()]);
    let wanted: [(Rule, &[String]); 4] = [
        (Rule::LogFoldsToRows, &name),
        (Rule::CountersAreTrue, &vip),
        (Rule::HoldsMatchBookings, &vip),
        (Rule::CustomersAreCounted, &[of, counted].concat()),
    ];
    it.finds("the newest one", |rows| lose(rows, 8), &wanted);
}

#[test]
fn an_event_that_its_booking_does_not_have_is_found() {
    let it = stage();
    let name = [it.id(3).to_string()];
    let stray = |rows: &mut Rows| {
        let mut event = rows.events.last().unwrap().as_ref().clone();
        let booking = rows.bookings[&BookingNo(3)].booking.id;
        (event.no, event.booking, event.seq) = (event.no + 1, Some((BookingNo(3), booking)), 4);
        rows.events.push(Arc::new(event));
    };
    it.finds("a stray event", stray, &[(Rule::LogFoldsToRows, &name)]);
    for place in [1, 2, 50] {
        let mut walk = Walk::begin(stage().memory.reader().unwrap().as_ref()).unwrap();
        let it = stage();
        it.memory.tamper(|rows| lose(rows, 3));
        let read = it.memory.reader().unwrap();
        while walk.log(read.as_ref(), place).unwrap() {}
        let found = walk.finish(read.as_ref()).unwrap().of(Rule::LogFoldsToRows).broken.clone();
        assert_eq!(found, [gone(&it, 3)], "{place} places at a time");
    }
}

#[test]
fn keys_for_answers_that_were_never_given_are_found() {
    let key = IdempotencyKey([0xab; 16]);
    let with = |answer: Answer| {
        move |rows: &mut Rows| {
            let what = Remembered { fingerprint: [0; 16], answer };
            rows.remembered.insert(key, (START, what));
        }
    };
    let booking = |no, version| Answer::Booking { no: BookingNo(no), version };
    for answer in [
        booking(9, 1),
        booking(3, 5),
        booking(3, 0),
        Answer::Listing(ListingId::from_bits(7)),
        Answer::Key(KeyId::from_bits(7)),
    ] {
        let what = format!("{answer:?}");
        stage().finds(&what, with(answer), &[(Rule::KeysAreUnique, &["AB".repeat(16)])]);
    }
    let it = stage();
    let version = it.kit.read(|read| read.booking_at(BookingNo(3))).unwrap().version;
    it.memory.tamper(with(booking(3, version)));
    let report = it.verify();
    assert_eq!((report.ok, report.of(Rule::KeysAreUnique).checked), (true, 1));
}

#[test]
fn pools_of_a_group_that_the_listing_does_not_have_are_found() {
    for (held, limit) in [(0, 100), (1, 3)] {
        let it = stage();
        let name = [format!("{}/7.2", it.listing.id)];
        let at = PoolRef { listing: it.listing.no, pool: PoolNo::new(7, 2) };
        let like = it.at(&it.listing, "vip");
        it.memory.tamper(|rows| {
            let pool = rows.pools[&like];
            rows.pools.insert(at, Pool { held, confirmed: 0, ..pool });
        });
        let sample = verify_sample(it.memory.reader().unwrap().as_ref(), BookingNo(0), limit).unwrap();
        assert_eq!(sample.report.of(Rule::CountersAreTrue).broken, name);
        it.finds("a pool of nothing", |_| (), &[(Rule::CountersAreTrue, &name)]);
    }
}
