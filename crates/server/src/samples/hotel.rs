//! A hotel with three types of rooms, full on one weekend but for one room.

use lastseat_core::listing::request::{Claim, StaySpec};
use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, SampleBooking, Then};

const ZONE: &str = "Europe/Berlin";
/// Days from today on which the busy nights begin.
const BUSY: i32 = 10;

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "nights", "category": "hotel", "title": "Hotel am Kanal",
        "description": "A small house by the water, ten minutes from the centre. Breakfast is included.",
        "city": "Berlin", "venue": "Sample Quay 7", "timezone": ZONE, "currency": "EUR",
        "resources": [
            {"key": "double", "title": "Double room", "capacity": 6, "price": 12_900},
            {"key": "single", "title": "Single room", "capacity": 4, "price": 8_900},
            {"key": "suite", "title": "Suite with a view", "capacity": 1, "price": 24_900}
        ],
        "calendar": {"from": days.date(0), "until": days.date(180)},
        "check_in_time": "15:00", "check_out_time": "11:00", "min_nights": 1,
        "policy": {
            "payment": ["external"], "payment_instructions": "Pay at the front desk or by the link that we send.",
            "hold_seconds": 1_800, "max_quantity": 4, "cancel_until_seconds": 86_400
        }
    });
    let stay = |resource: &str, from: i32, nights: i32, quantity: i64, then| SampleBooking {
        claim: Claim::Stay(StaySpec {
            resource: resource.to_owned(),
            check_in: days.date(from),
            check_out: days.date(from + nights),
            quantity,
        }),
        then,
    };
    let mut bookings = vec![
        stay("double", BUSY, 3, 2, Then::IsPaid),
        stay("double", BUSY, 3, 2, Then::IsPaid),
        stay("double", BUSY, 3, 1, Then::IsPaid),
        stay("single", BUSY - 1, 4, 3, Then::IsPaid),
        stay("single", BUSY, 3, 1, Then::IsPaid),
        stay("suite", BUSY - 3, 9, 1, Then::IsPaid),
        stay("double", 30, 14, 1, Then::IsPaidAndCancelled),
        stay("suite", 2, 2, 1, Then::Stays),
    ];
    // An ordinary house around it: a stay begins every other day.
    for number in 0..14 {
        let from = 13 + number * 2;
        let resource = if number % 3 == 0 { "single" } else { "double" };
        bookings.push(stay(resource, from, 1 + number % 4, 1, Then::IsPaid));
    }
    Sample { name: "hotel", form, bookings }
}
