//! What nodes tell, in the terms of the checker of histories.

use lastseat_history::{Answer as Told, BookingView, Line, PoolReading, ShortPool, State};
use serde_json::Value;

use crate::real::Answer;

/// Milliseconds since the epoch.
pub fn millis(at: &Value) -> Option<i64> {
    at.as_str().map(|text| text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn state(value: &Value) -> Option<State> {
    serde_json::from_value(value.clone()).ok()
}

/// A booking as it is told.
pub fn booking(json: &Value) -> BookingView {
    let money = |name: &str| json[name].as_i64().unwrap();
    let line = |line: &Value| Line {
        pool: line["pool"].as_str().unwrap().to_owned(),
        quantity: line["quantity"].as_i64().unwrap(),
    };
    BookingView {
        id: json["id"].as_str().unwrap().to_owned(),
        version: json["version"].as_u64().unwrap(),
        state: state(&json["state"]).unwrap_or_else(|| panic!("no state: {json}")),
        listing: json["listing_id"].as_str().unwrap().to_owned(),
        customer: json["customer"]["external_id"].as_str().map(str::to_owned),
        lines: json["lines"].as_array().unwrap().iter().map(line).collect(),
        total: money("total"),
        paid: money("paid"),
        refund_due: money("refund_due"),
        refunded: money("refunded"),
        created_at_ms: millis(&json["created_at"]).unwrap(),
        due_at_ms: millis(&json["due_at"]),
        decided_at_ms: millis(&json["decided_at"]),
    }
}

/// The pools of an availability.
pub fn pools(json: &Value) -> Vec<PoolReading> {
    let pool = |pool: &Value| {
        let number = |name: &str| pool[name].as_i64().unwrap();
        PoolReading {
            key: pool["key"].as_str().unwrap().to_owned(),
            capacity: number("capacity"),
            blocked: number("blocked"),
            held: number("held"),
            confirmed: number("confirmed"),
            available: number("available"),
        }
    };
    json["pools"].as_array().unwrap().iter().map(pool).collect()
}

/// What an answer says. No 5xx says anything.
pub fn told(answer: &Answer) -> Told {
    let json = &answer.json;
    match answer.status.as_u16() {
        500.. => Told::Unknown,
        200 | 201 if json["pools"].is_array() => Told::Availability {
            version: json["version"].as_u64().unwrap(),
            as_of_ms: millis(&json["as_of"]).unwrap(),
            pools: pools(json),
        },
        200 | 201 => Told::Booking {
            booking: booking(json),
            replayed: answer.header("idempotency-replayed") == "true",
        },
        _ => {
            let short = |pool: &Value| ShortPool {
                key: pool["key"].as_str().unwrap().to_owned(),
                requested: pool["requested"].as_i64().unwrap(),
                available: pool["available"].as_i64().unwrap(),
                held: pool["held"].as_i64().unwrap(),
            };
            let pools = json["pools"].as_array().map(|pools| pools.iter().map(short).collect());
            Told::Refused {
                code: answer.code().to_owned(),
                pools: pools.unwrap_or_default(),
                state: state(&json["state"]),
            }
        }
    }
}
