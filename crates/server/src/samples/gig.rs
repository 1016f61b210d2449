//! A job that needs ten people: paid by receipt, nearly full.

use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, Then, times, units};

const ZONE: &str = "Asia/Tashkent";

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "places", "category": "gig", "title": "Warehouse night shift",
        "description": "Sorting and packing, eight hours with a paid break. The deposit is paid back with the wages.",
        "city": "Tashkent", "venue": "Depot 4", "timezone": ZONE, "currency": "UZS",
        "starts_at": days.at(3, 22, 0), "ends_at": days.at(4, 6, 0),
        "pools": [{"key": "standard", "title": "Worker", "capacity": 10, "price": 2_500_000}],
        "policy": {
            "payment": ["receipt"],
            "payment_instructions": "Transfer the deposit to card 8600 0000 0000 0000 (sample) and upload the receipt.",
            "hold_seconds": 900, "review_seconds": 86_400, "max_quantity": 1, "max_per_customer": 1,
            "max_open_holds": 1, "cancel_until_seconds": 43_200
        }
    });
    let place = units("standard", 1);
    let bookings = times(5, &place, Then::IsApproved)
        .chain(times(1, &place, Then::IsRejected))
        .chain(times(2, &place, Then::HandsInReceipt))
        .chain(times(1, &place, Then::Stays))
        .collect();
    Sample { name: "gig", form, bookings }
}
