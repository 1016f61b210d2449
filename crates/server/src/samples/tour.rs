//! A guided walk with two prices.

use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, SampleBooking, Then, times, units};

const ZONE: &str = "Asia/Samarkand";

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "places", "category": "tour", "title": "Registan at sunrise",
        "description": "A walk of two hours in a small group. Tea at the end.",
        "city": "Samarkand", "venue": "Registan Square, east gate", "timezone": ZONE, "currency": "UZS",
        "starts_at": days.at(5, 5, 30), "ends_at": days.at(5, 7, 30),
        "pools": [
            {"key": "adult", "title": "Adult", "capacity": 12, "price": 9_000_000},
            {"key": "child", "title": "Child up to 12", "capacity": 6, "price": 4_500_000}
        ],
        "policy": {
            "payment": ["external"], "payment_instructions": "Pay the guide in cash or by card.",
            "hold_seconds": 3_600, "max_quantity": 6
        }
    });
    let line = |pool: &str, quantity| LineSpec { pool: pool.to_owned(), quantity };
    let family = Claim::Lines(vec![line("adult", 2), line("child", 2)]);
    let bookings = times(2, &units("adult", 2), Then::IsPaid)
        .chain([SampleBooking { claim: family, then: Then::IsPaid }])
        .chain(times(1, &units("adult", 3), Then::Stays))
        .collect();
    Sample { name: "tour", form, bookings }
}
