//! Two football pitches by the hour: the evenings go first.

use lastseat_core::listing::request::{Claim, SlotSpec};
use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, SampleBooking, Then};

const ZONE: &str = "Asia/Kolkata";

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "slots", "category": "pitch", "title": "Five-a-side under floodlights",
        "description": "Artificial turf, bibs and balls are there. Please be ten minutes early.",
        "city": "Bengaluru", "venue": "Sample Sports Park", "timezone": ZONE, "currency": "INR",
        "resources": [
            {"key": "pitch-1", "title": "Pitch 1", "capacity": 1, "price": 120_000},
            {"key": "pitch-2", "title": "Pitch 2, covered", "capacity": 1, "price": 150_000}
        ],
        "calendar": {"from": days.date(0), "until": days.date(30)},
        "opening_hours": [
            {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "16:00", "until": "23:00"},
            {"days": ["sat", "sun"], "from": "06:00", "until": "23:00"}
        ],
        "slot_minutes": 60,
        "policy": {
            "payment": ["receipt"], "payment_instructions": "Pay by UPI to pitch@sample and upload the screenshot.",
            "hold_seconds": 900, "max_quantity": 3, "cancel_until_seconds": 14_400
        }
    });
    let slot = |pitch: &str, day: i32, hour: i8, slots: i64, then| SampleBooking {
        claim: Claim::Slot(SlotSpec { resource: pitch.to_owned(), starts_at: days.at(day, hour, 0), slots }),
        then,
    };
    let mut bookings = Vec::new();
    for day in 1..8 {
        let evening = if day % 2 == 0 { 18 } else { 19 };
        bookings.push(slot("pitch-1", day, evening, 2, Then::IsApproved));
        bookings.push(slot("pitch-2", day, 20, 1, Then::IsApproved));
        if day < 4 {
            bookings.push(slot("pitch-2", day, 18, 2, Then::IsApproved));
            bookings.push(slot("pitch-1", day, 21, 1, Then::IsApproved));
        }
    }
    bookings.push(slot("pitch-2", 2, 21, 1, Then::HandsInReceipt));
    bookings.push(slot("pitch-1", 3, 17, 1, Then::Stays));
    Sample { name: "pitch", form, bookings }
}
