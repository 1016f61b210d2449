//! A class that costs nothing: bookings are confirmed at once. One place is left.

use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, Then, times, units};

const ZONE: &str = "Europe/Lisbon";
const PLACES: usize = 15;

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "places", "category": "class", "title": "Yoga in the park",
        "description": "For everybody. Bring a mat, or a towel.",
        "city": "Lisbon", "venue": "Jardim Exemplo, by the pond", "timezone": ZONE, "currency": "EUR",
        "starts_at": days.at(1, 9, 0), "ends_at": days.at(1, 10, 15),
        "pools": [{"key": "place", "title": "Place", "capacity": PLACES, "price": 0}],
        "policy": {"max_quantity": 2, "max_per_customer": 2}
    });
    Sample { name: "class", form, bookings: times(PLACES - 1, &units("place", 1), Then::Stays).collect() }
}
