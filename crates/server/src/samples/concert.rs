//! A standing concert, sold out.

use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, Then, times, units};

const ZONE: &str = "America/Sao_Paulo";

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let form = json!({
        "kind": "places", "category": "concert", "title": "Samba no pátio",
        "description": "Open air, standing. It takes place in any weather.",
        "city": "São Paulo", "venue": "Pátio Exemplo", "timezone": ZONE, "currency": "BRL",
        "starts_at": days.at(8, 20, 0), "ends_at": days.at(8, 23, 30),
        "pools": [
            {"key": "floor", "title": "Floor", "capacity": 30, "price": 9_000},
            {"key": "terrace", "title": "Terrace", "capacity": 8, "price": 16_000}
        ],
        "policy": {
            "payment": ["external"], "payment_instructions": "Pay by Pix; the code comes by e-mail.",
            "hold_seconds": 1_200, "max_quantity": 4
        }
    });
    let bookings = times(7, &units("floor", 4), Then::IsPaid)
        .chain(times(1, &units("floor", 2), Then::Stays))
        .chain(times(4, &units("terrace", 2), Then::IsPaid))
        .collect();
    Sample { name: "concert", form, bookings }
}
