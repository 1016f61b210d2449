//! Nights across clock changes, leap days and months' ends: from the listing to the completed stay.

use std::sync::Arc;

use lastseat_core::booking::State;
use lastseat_core::listing::Listing;
use lastseat_core::time::Time;
use serde_json::json;

use crate::common::{House, ask, at};

/// A stay, and the instants that it must have. Local times are written with the offset that holds then.
struct Stay {
    zone: &'static str,
    check_in_time: &'static str,
    check_out_time: &'static str,
    check_in: &'static str,
    check_out: &'static str,
    nights: &'static [&'static str],
    starts_at: &'static str,
    ends_at: &'static str,
}

async fn hotel(house: &House, stay: &Stay) -> Arc<Listing> {
    house
        .listing(json!({
            "kind": "nights", "timezone": stay.zone,
            "check_in_time": stay.check_in_time, "check_out_time": stay.check_out_time,
            "resources": [{ "key": "double", "capacity": 1, "price": 9_900 }],
            "calendar": { "from": "2027-01-01", "until": "2028-04-01" },
            "policy": { "payment": ["external"] }
        }))
        .await
}

fn just_before(time: Time) -> Time {
    Time::from_millis(time.millis() - 1)
}

/// Books the stay, and follows it to its end.
async fn follow(stay: Stay) {
    let house = House::open();
    let listing = hotel(&house, &stay).await;
    let (starts_at, ends_at) = (at(stay.starts_at), at(stay.ends_at));
    let claim = || ask::stay("double", stay.check_in, stay.check_out);
    let booking = house.paid(ask::create(&listing, claim())).await;

    let keys: Vec<String> = booking.lines.iter().map(|line| listing.pool_key(line.pool)).collect();
    let wanted: Vec<String> = stay.nights.iter().map(|night| format!("double/{night}")).collect();
    assert_eq!(keys, wanted);
    assert_eq!(booking.total, 9_900 * i64::try_from(wanted.len()).unwrap());
    assert_eq!(listing.starts_at(&booking.lines), Some(starts_at));
    assert_eq!(listing.ends_at(&booking.lines), Some(ends_at));
    assert_eq!(house.engine.due_at(&booking), Some(ends_at));
    let pools = &house.availability(&listing).await.pools;
    let first = pools.iter().find(|pool| pool.key == wanted[0]).unwrap();
    let last = pools.iter().find(|pool| pool.key == wanted[wanted.len() - 1]).unwrap();
    assert_eq!((first.starts_at, last.ends_at), (Some(starts_at), Some(ends_at)));
    assert!(pools.iter().filter(|pool| wanted.contains(&pool.key)).all(|pool| pool.available == 0));
    let taken = house.try_book(ask::create(&listing, claim())).await.unwrap_err();
    assert_eq!(taken.code.as_str(), "sold_out");
    house.audit();

    house.set(just_before(ends_at));
    house.settle().await;
    assert_eq!(house.read(booking.id).await.state, State::Confirmed);
    house.set(ends_at);
    assert_eq!(house.read(booking.id).await.state, State::Completed);
    house.settle().await;
    let events = house.engine.booking_events(booking.no).await.unwrap();
    let last = events.last().unwrap();
    assert_eq!((last.kind.as_str(), last.at), ("booking.completed", ends_at));
    house.audit();
}

/// A stay with the usual times: 15:00 to 11:00.
fn usual(
    zone: &'static str,
    nights: &'static [&'static str],
    check_out: &'static str,
    starts_at: &'static str,
    ends_at: &'static str,
) -> Stay {
    Stay {
        zone,
        check_in_time: "15:00",
        check_out_time: "11:00",
        check_in: nights[0],
        check_out,
        nights,
        starts_at,
        ends_at,
    }
}

#[tokio::test]
async fn a_night_in_berlin_that_loses_an_hour_ends_at_eleven_all_the_same() {
    follow(usual(
        "Europe/Berlin",
        &["2027-03-27"],
        "2027-03-28",
        "2027-03-27T15:00:00+01:00",
        "2027-03-28T11:00:00+02:00",
    ))
    .await;
}

#[tokio::test]
async fn a_night_in_berlin_that_gains_an_hour_ends_at_eleven_all_the_same() {
    follow(usual(
        "Europe/Berlin",
        &["2027-10-30"],
        "2027-10-31",
        "2027-10-30T15:00:00+02:00",
        "2027-10-31T11:00:00+01:00",
    ))
    .await;
}

#[tokio::test]
async fn a_check_out_in_berlin_at_a_time_that_is_skipped_is_after_the_gap() {
    let usual = usual(
        "Europe/Berlin",
        &["2027-03-27"],
        "2027-03-28",
        "2027-03-27T15:00:00+01:00",
        "2027-03-28T03:30:00+02:00",
    );
    follow(Stay { check_out_time: "02:30", ..usual }).await;
}

#[tokio::test]
async fn a_check_out_in_berlin_at_a_time_that_comes_twice_is_the_first() {
    let usual = usual(
        "Europe/Berlin",
        &["2027-10-30"],
        "2027-10-31",
        "2027-10-30T15:00:00+02:00",
        "2027-10-31T02:30:00+02:00",
    );
    follow(Stay { check_out_time: "02:30", ..usual }).await;
}

#[tokio::test]
async fn a_check_in_in_berlin_at_a_time_that_is_skipped_is_after_the_gap() {
    let usual = usual(
        "Europe/Berlin",
        &["2027-03-28"],
        "2027-03-29",
        "2027-03-28T03:30:00+02:00",
        "2027-03-29T11:00:00+02:00",
    );
    follow(Stay { check_in_time: "02:30", ..usual }).await;
}

#[tokio::test]
async fn a_week_in_new_york_across_the_gap_of_march() {
    follow(usual(
        "America/New_York",
        &["2027-03-11", "2027-03-12", "2027-03-13", "2027-03-14", "2027-03-15"],
        "2027-03-16",
        "2027-03-11T15:00:00-05:00",
        "2027-03-16T11:00:00-04:00",
    ))
    .await;
}

#[tokio::test]
async fn a_weekend_in_new_york_across_the_fold_of_november() {
    let usual = usual(
        "America/New_York",
        &["2027-11-05", "2027-11-06"],
        "2027-11-07",
        "2027-11-05T15:00:00-04:00",
        "2027-11-07T01:30:00-04:00",
    );
    follow(Stay { check_out_time: "01:30", ..usual }).await;
}

#[tokio::test]
async fn a_night_on_lord_howe_whose_clocks_go_back_half_an_hour() {
    let usual = usual(
        "Australia/Lord_Howe",
        &["2027-04-03"],
        "2027-04-04",
        "2027-04-03T15:00:00+11:00",
        "2027-04-04T11:00:00+10:30",
    );
    follow(usual).await;
}

#[tokio::test]
async fn a_check_out_on_lord_howe_within_the_half_hour_that_is_skipped() {
    let usual = usual(
        "Australia/Lord_Howe",
        &["2027-10-02"],
        "2027-10-03",
        "2027-10-02T15:00:00+10:30",
        "2027-10-03T02:45:00+11:00",
    );
    follow(Stay { check_out_time: "02:15", ..usual }).await;
}

#[tokio::test]
async fn a_stay_over_the_leap_day_has_it_as_a_night() {
    follow(usual(
        "Europe/Berlin",
        &["2028-02-28", "2028-02-29"],
        "2028-03-01",
        "2028-02-28T15:00:00+01:00",
        "2028-03-01T11:00:00+01:00",
    ))
    .await;
}

#[tokio::test]
async fn a_stay_over_a_months_end_has_no_thirty_second() {
    follow(usual(
        "Asia/Kolkata",
        &["2027-01-30", "2027-01-31", "2027-02-01"],
        "2027-02-02",
        "2027-01-30T15:00:00+05:30",
        "2027-02-02T11:00:00+05:30",
    ))
    .await;
}

#[tokio::test]
async fn a_stay_over_the_years_end_in_kolkata() {
    follow(usual(
        "Asia/Kolkata",
        &["2027-12-31"],
        "2028-01-01",
        "2027-12-31T09:30:00Z",
        "2028-01-01T05:30:00Z",
    ))
    .await;
}

/// A night is sold until its check-in day is over, by the clocks of the place.
#[tokio::test]
async fn a_night_is_on_sale_until_midnight_of_the_place() {
    for (zone, night, next, midnight) in [
        ("Europe/Berlin", "2027-03-28", "2027-03-29", "2027-03-29T00:00:00+02:00"),
        ("America/New_York", "2027-11-07", "2027-11-08", "2027-11-08T00:00:00-05:00"),
        ("Australia/Lord_Howe", "2027-04-04", "2027-04-05", "2027-04-05T00:00:00+10:30"),
        ("Asia/Kolkata", "2028-02-29", "2028-03-01", "2028-03-01T00:00:00+05:30"),
    ] {
        let house = House::open();
        let listing = hotel(&house, &usual(zone, &[""], next, "", "")).await;
        let key = format!("double/{night}");
        house.set(just_before(at(midnight)));
        assert_eq!(house.stock(&listing, &key).await.0, 1);
        house.set(at(midnight));
        assert_eq!(house.stock(&listing, &key).await.0, 0);
        let late = house.try_book(ask::create(&listing, ask::stay("double", night, next))).await.unwrap_err();
        assert_eq!(late.code.as_str(), "not_on_sale", "{zone}");
        house.set(just_before(at(midnight)));
        house.book(ask::create(&listing, ask::stay("double", night, next))).await;
        house.audit();
    }
}

#[tokio::test]
async fn a_day_that_there_is_not_is_no_night() {
    let house = House::open();
    let listing = hotel(&house, &usual("Europe/Berlin", &[""], "", "", "")).await;
    for night in ["2027-02-29", "2027-02-30", "2027-04-31"] {
        let claim = ask::lines(&[(&format!("double/{night}"), 1)]);
        let refusal = house.try_book(ask::create(&listing, claim)).await.unwrap_err();
        assert_eq!(refusal.code.as_str(), "invalid", "{night}");
    }
}
