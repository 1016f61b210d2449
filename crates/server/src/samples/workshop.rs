//! A workshop whose sale has not begun.

use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample};

const ZONE: &str = "Africa/Nairobi";

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "places", "category": "workshop", "title": "Repair your own bicycle",
        "description": "Brakes, gears and tyres in one afternoon. Tools are there; bring the bicycle.",
        "city": "Nairobi", "venue": "Sample Yard", "timezone": ZONE, "currency": "KES",
        "starts_at": days.at(16, 14, 0), "ends_at": days.at(16, 18, 0),
        "sale_opens_at": days.at(2, 10, 0),
        "pools": [{"key": "seat", "title": "Participant", "capacity": 12, "price": 150_000}],
        "policy": {"payment": ["external"], "payment_instructions": "Pay by M-Pesa on arrival.", "max_quantity": 2}
    });
    Sample { name: "workshop", form, bookings: Vec::new() }
}
