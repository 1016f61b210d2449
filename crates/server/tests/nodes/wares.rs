//! What is sold: a hot listing that everybody wants, cold ones, a hotel. Small, so that they are fought for.

use lastseat_history::{Line, Listing, Measure, Pool};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::real::{Api, ask};
use crate::shop::ask_admin;
use crate::told::pools;

/// What one unit costs everywhere.
pub const PRICE: i64 = 1_000;

/// How long a hold lasts, in seconds.
pub const HOLD_SECONDS: i64 = 2;

/// How long an extended hold lasts at most, in seconds.
const HOLD_MAX_SECONDS: i64 = 5;

/// Cold listings.
const COLD: usize = 6;

/// The one of them that has more room, and no limits.
const WIDE: usize = 1;

/// Nights of the hotel.
const NIGHTS: i64 = 12;

/// The longest stay.
const LONGEST_STAY: u64 = 3;

/// A listing on sale.
#[derive(Clone, Debug)]
pub struct Ware {
    /// As the checker knows it.
    pub listing: Listing,
    /// Whether it is sold by nights.
    pub is_hotel: bool,
}

fn policy(more: &Value) -> Value {
    let mut policy = json!({
        "payment": ["external"], "hold_seconds": HOLD_SECONDS, "hold_max_seconds": HOLD_MAX_SECONDS,
    });
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy
}

fn form(kind: &str, title: &str, policy: &Value) -> Value {
    json!({ "kind": kind, "title": title, "timezone": "Asia/Tashkent", "currency": "UZS", "policy": policy })
}

/// Makes the listings; the first one is the hot one.
pub async fn stock(api: &Api) -> Vec<Ware> {
    let mut wares = Vec::new();
    for index in 0..=COLD {
        let (capacity, title) = match index {
            0 => (12, "hot"),
            WIDE => (30, "wide"),
            _ => (3, "cold"),
        };
        // Without limits and with room it is booked on what nodes know from before.
        let limited = index != WIDE;
        let limits = if limited { json!({ "max_per_customer": 4, "max_open_holds": 2 }) } else { json!({}) };
        let mut listing = form("places", title, &policy(&limits));
        listing["pools"] = json!([
            { "key": "floor", "capacity": capacity, "price": PRICE },
            { "key": "balcony", "capacity": capacity / 3, "price": PRICE },
        ]);
        let limits = (limited.then_some(4), limited.then_some(2), Measure::Sum);
        wares.push(ware(api, &listing, limits).await);
    }
    let mut hotel = form("nights", "hotel", &policy(&json!({ "max_per_customer": 2, "max_open_holds": 3 })));
    let today = ask(api.get(&format!("/v1/listings/{}/availability", wares[0].listing.id))).await.ok(200);
    let today: jiff::Timestamp = today.json["as_of"].as_str().unwrap().parse().unwrap();
    let from = today.to_zoned(jiff::tz::TimeZone::UTC).date() + jiff::Span::new().days(30);
    let until = from + jiff::Span::new().days(NIGHTS);
    hotel["resources"] = json!([{ "key": "double", "title": "Double", "capacity": 2, "price": PRICE }]);
    hotel["calendar"] = json!({ "from": from.to_string(), "until": until.to_string() });
    wares.push(ware(api, &hotel, (Some(2), Some(3), Measure::PerPosition)).await);
    wares
}

async fn ware(api: &Api, form: &Value, limits: (Option<i64>, Option<i64>, Measure)) -> Ware {
    let id = api.listing(form).await;
    let found = ask_admin(api, &format!("/v1/listings/{id}/availability")).await.ok(200);
    let pool = |pool: lastseat_history::PoolReading| Pool {
        key: pool.key,
        capacity: pool.capacity,
        blocked: pool.blocked,
    };
    let (max_per_customer, max_open_holds, measure) = limits;
    let listing = Listing {
        id,
        pools: pools(&found.json).into_iter().map(pool).collect(),
        max_per_customer,
        max_open_holds,
        measure,
        hold_seconds: Some(HOLD_SECONDS),
        hold_max_seconds: Some(HOLD_MAX_SECONDS),
    };
    Ware { listing, is_hotel: form["kind"] == "nights" }
}

impl Ware {
    /// What somebody may want of it: the field of a request, with the lines that it stands for.
    pub fn wish(&self, dice: &mut Dice) -> (&'static str, Value, Vec<Line>) {
        let pools = &self.listing.pools;
        if self.is_hotel {
            let nights = 1 + dice.below(LONGEST_STAY);
            let first = usize::try_from(dice.below(pools.len() as u64 - nights)).unwrap();
            let last = first + usize::try_from(nights).unwrap();
            let date = |index: usize| pools[index].key.split_once('/').unwrap().1;
            let stay = json!({
                "resource": "double", "check_in": date(first), "check_out": date(last), "quantity": 1
            });
            let lines = pools[first..last].iter().map(|pool| Line { pool: pool.key.clone(), quantity: 1 });
            return ("stay", stay, lines.collect());
        }
        let mut lines = vec![Line { pool: "floor".to_owned(), quantity: 1 }];
        match dice.below(10) {
            0 | 1 => lines[0].pool = "balcony".to_owned(),
            2 | 3 => lines[0].quantity = 2,
            4 => lines.push(Line { pool: "balcony".to_owned(), quantity: 1 }),
            _ => {}
        }
        ("lines", serde_json::to_value(&lines).unwrap(), lines)
    }
}
