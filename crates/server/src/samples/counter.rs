//! Eight seats at a counter, by slots of ninety minutes, past midnight on weekends.

use lastseat_core::listing::request::{Claim, SlotSpec};
use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, SampleBooking, Then};

const ZONE: &str = "Asia/Tokyo";
const SEATS: i64 = 8;

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "slots", "category": "restaurant", "title": "Counter Example, eight seats",
        "description": "One menu, ninety minutes. The deposit is taken off the bill.",
        "city": "Tokyo", "venue": "Example Alley 3", "timezone": ZONE, "currency": "JPY",
        "resources": [{"key": "counter", "title": "Seat at the counter", "capacity": SEATS, "price": 2_000}],
        "calendar": {"from": days.date(0), "until": days.date(21)},
        "opening_hours": [
            {"days": ["tue", "wed", "thu"], "from": "17:00", "until": "23:00"},
            {"days": ["fri", "sat"], "from": "17:00", "until": "00:30"}
        ],
        "slot_minutes": 90,
        "policy": {
            "payment": ["external"], "payment_instructions": "Pay the deposit by the link that we send.",
            "hold_seconds": 1_200, "max_quantity": 4, "cancel_until_seconds": 86_400
        }
    });
    // Whether a day is a closed one is for the engine to say; those bookings are refused and left out.
    let seat = |day: i32, hour: i8, minute: i8| SampleBooking {
        claim: Claim::Slot(SlotSpec {
            resource: "counter".to_owned(),
            starts_at: days.at(day, hour, minute),
            slots: 1,
        }),
        then: Then::IsPaid,
    };
    let early = |day: i32| (0..SEATS - 1).map(move |_| (day, 18, 30));
    let late = |day: i32| (0..SEATS / 2).map(move |_| (day, 20, 0));
    let bookings = (1..8).flat_map(|day| early(day).chain(late(day)));
    Sample {
        name: "counter",
        form,
        bookings: bookings.map(|(day, hour, minute)| seat(day, hour, minute)).collect(),
    }
}
