//! A cinema with a seating plan, two thirds sold.

use std::collections::BTreeMap;

use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::seating::{SAMPLE_CATEGORIES, sample_plan};
use lastseat_core::time::Time;
use serde_json::json;

use super::{Days, Sample, SampleBooking, Then};

const ZONE: &str = "America/New_York";
const ROWS: usize = 8;
const SEATS: usize = 14;
/// Prices of the plan's categories, in cents.
const PRICES: [i64; 3] = [1_400, 1_800, 2_200];

pub(super) fn sample(now: Time) -> Sample {
    let days = Days::around(now, ZONE);
    let prices: BTreeMap<&str, i64> = SAMPLE_CATEGORIES.iter().map(|(name, _)| *name).zip(PRICES).collect();
    let form = json!({
        "kind": "seats", "category": "cinema", "title": "The Long Intermission, premiere",
        "description": "In the original version. Doors open half an hour before.",
        "city": "New York", "venue": "Sample Palace, screen 1", "timezone": ZONE, "currency": "USD",
        "starts_at": days.at(2, 19, 30), "ends_at": days.at(2, 21, 45),
        "seating": {"plan": sample_plan(ROWS, SEATS), "prices": prices},
        "policy": {
            "payment": ["external"], "payment_instructions": "Pay at the box office; we keep the seats for half an hour.",
            "hold_seconds": 1_800, "max_quantity": 6
        }
    });
    Sample { name: "cinema", form, bookings: bookings() }
}

/// Groups of two and three from the middle of each row outwards; the front row stays nearly empty.
fn bookings() -> Vec<SampleBooking> {
    let mut bookings = Vec::new();
    for (row, letter) in ('A'..).take(ROWS).enumerate().skip(1) {
        let sold = if row < 3 { 6 } else { 12 };
        let first = (SEATS - sold) / 2 + 1 + row % 2;
        let mut seat = first;
        while seat < first + sold {
            let group = (2 + (seat + row) % 2).min(first + sold - seat);
            let line = |seat: usize| LineSpec { pool: format!("{letter}-{seat}"), quantity: 1 };
            let claim = Claim::Lines((seat..seat + group).map(line).collect());
            let then = if bookings.len() % 7 == 3 { Then::Stays } else { Then::IsPaid };
            bookings.push(SampleBooking { claim, then });
            seat += group;
        }
    }
    bookings
}
