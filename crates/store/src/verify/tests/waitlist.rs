//! What is wrong with waitlists is found.

use lastseat_core::id::{EntryNo, EntryRef, WaitlistId};
use lastseat_core::waitlist::{Entry, EntryState, Want};

use super::*;
use crate::conformance::waitlists;

/// The same, with two who wait for all ten places of a pool of which five are taken, and one who was offered the first
/// booking.
fn waiting() -> (Stage, [WaitlistId; 3]) {
    let mut it = stage();
    let standard = it.at(&it.listing, "standard").pool;
    let ids = ["a", "b", "c"].map(|who| {
        let new = waitlists::entry(&mut it.kit, &it.listing, Want::lines(&[(standard, 10)]), who);
        waitlists::join(&mut it.kit, new).id
    });
    let offered = it.kit.read(|read| read.entry(ids[2])).unwrap();
    let first = BookingNo(1);
    it.memory.tamper(|rows| {
        edit(rows, 1, |row| {
            row.details.offer = Some(lastseat_core::booking::Offer { entry: offered.id, taken: false });
        });
        for event in &mut rows.events {
            if event.booking.is_some_and(|(no, _)| no == first) && event.seq == 1 {
                let mut data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
                data["details"] = json!({ "offer": { "entry": offered.id } });
                Arc::make_mut(event).data = data.to_string();
            }
        }
    });
    waitlists::update(&mut it.kit, &Entry { state: EntryState::Offered, booking: Some(first), ..offered })
        .unwrap();
    (it, ids)
}

fn change(rows: &mut Rows, listing: &Listing, no: i64, change: impl FnOnce(&mut Entry)) {
    let at = EntryRef { listing: listing.no, no: EntryNo(no) };
    change(Arc::make_mut(rows.entries.get_mut(&at).unwrap()));
}

#[test]
fn a_list_in_order_is_found_in_order() {
    let (it, _) = waiting();
    let report = it.verify();
    assert!(report.ok, "{report:?}");
    assert_eq!(
        (report.of(Rule::WaitingIsFair).checked, report.of(Rule::OffersMatchBookings).checked),
        (2, 3)
    );
}

#[test]
fn who_waits_for_what_could_be_had_is_found() {
    let (it, [first, second, _]) = waiting();
    let listing = Arc::clone(&it.listing);
    let fits = |rows: &mut Rows| {
        for no in [1, 2] {
            let standard = PoolRef { listing: listing.no, pool: listing.find_pool("standard").unwrap() };
            change(rows, &listing, no, |entry| entry.want = Want::lines(&[(standard.pool, 1)]));
        }
    };
    it.finds("two who would fit", fits, &[(Rule::WaitingIsFair, &[first.to_string(), second.to_string()])]);
}

#[test]
fn who_was_passed_over_too_often_is_found() {
    let (it, [first, ..]) = waiting();
    let listing = Arc::clone(&it.listing);
    let often = |rows: &mut Rows| change(rows, &listing, 1, |entry| entry.skipped = 11);
    it.finds("eleven times", often, &[(Rule::WaitingIsFair, &[first.to_string()])]);
}

#[test]
fn what_is_kept_for_nobody_or_not_at_all_is_found() {
    let name = |it: &Stage| [format!("{}/standard", it.listing.id)];
    let (it, _) = waiting();
    let at = it.at(&it.listing, "standard");
    let pool = |rows: &mut Rows| rows.pools.get_mut(&at).unwrap().kept = 2;
    let names = name(&it);
    it.finds("kept for nobody", pool, &[(Rule::KeptForWhoWaits, &names)]);
    let (it, _) = waiting();
    let listing = Arc::clone(&it.listing);
    let entry = |rows: &mut Rows| change(rows, &listing, 2, |entry| entry.kept = vec![(at.pool, 1)]);
    let names = name(&it);
    it.finds("not kept", entry, &[(Rule::KeptForWhoWaits, &names)]);
}

#[test]
fn an_offer_and_a_booking_that_do_not_name_each_other_are_found() {
    let (it, [.., third]) = waiting();
    let listing = Arc::clone(&it.listing);
    let other = |rows: &mut Rows| change(rows, &listing, 3, |entry| entry.booking = Some(BookingNo(2)));
    it.finds("another booking", other, &[(Rule::OffersMatchBookings, &[third.to_string()])]);
}
