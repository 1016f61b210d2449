//! What is sold: little, so that people have to wait. And what can be wished of it.

use std::collections::BTreeMap;

use lastseat_store::memory::Dice;
use serde_json::{Value, json};

use crate::real::Api;

/// How long a hold and an offer last, in seconds.
pub const HOLD_SECONDS: i64 = 2;

/// What one unit costs where it is not free.
const PRICE: i64 = 1_000;

/// Units by the keys of their pools.
pub type Units = BTreeMap<String, i64>;

/// A listing on sale, with two pools.
#[derive(Clone, Debug)]
pub struct Ware {
    pub id: String,
    pub title: &'static str,
    pub capacity: Units,
    pub price: i64,
}

impl Ware {
    /// Whether people want much more of it than there is.
    pub fn is_hot(&self) -> bool {
        self.capacity["floor"] < 10
    }
}

/// Makes the listings: a free one and one that is paid for, in which somebody waits all the time, and one with more room,
/// in which it begins and ends again.
pub async fn stock(api: &Api) -> Vec<Ware> {
    let mut wares = Vec::new();
    for (title, floor, balcony, price) in [("free", 4, 2, 0), ("paid", 4, 2, PRICE), ("roomy", 12, 3, 0)] {
        let form = json!({
            "kind": "places", "title": title, "timezone": "Asia/Tashkent", "currency": "UZS",
            "pools": [
                { "key": "floor", "capacity": floor, "price": price },
                { "key": "balcony", "capacity": balcony, "price": price },
            ],
            "policy": { "payment": ["external"], "hold_seconds": HOLD_SECONDS },
        });
        let capacity = [("floor", floor), ("balcony", balcony)];
        let capacity = capacity.map(|(pool, units)| (pool.to_owned(), units)).into();
        wares.push(Ware { id: api.listing(&form).await, title, capacity, price });
    }
    wares
}

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Exactly these units.
    Lines(Units),
    /// So many of whatever pools.
    Any(i64),
}

impl Wish {
    /// What somebody may want: one place mostly.
    pub fn random(dice: &mut Dice) -> Self {
        let lines = |lines: &[(&str, i64)]| {
            Self::Lines(lines.iter().map(|(pool, units)| ((*pool).to_owned(), *units)).collect())
        };
        let few = 2 + i64::try_from(dice.below(3)).unwrap();
        match dice.below(20) {
            0..10 => lines(&[("floor", 1)]),
            10..13 => lines(&[("balcony", 1)]),
            13 | 14 => lines(&[("floor", few)]),
            15 => lines(&[("floor", 1), ("balcony", 1)]),
            16 | 17 => Self::Any(1),
            _ => Self::Any(few),
        }
    }

    /// What an entry of a waitlist waits for.
    pub fn of(entry: &Value) -> Self {
        match entry["any"]["quantity"].as_i64() {
            Some(quantity) => Self::Any(quantity),
            None => Self::Lines(units(&entry["lines"])),
        }
    }

    /// The field of a request, and what stands there.
    pub fn field(&self) -> (&'static str, Value) {
        match self {
            Self::Lines(units) => {
                let line = |(pool, quantity)| json!({ "pool": pool, "quantity": quantity });
                ("lines", units.iter().map(line).collect())
            }
            Self::Any(quantity) => ("any", json!({ "quantity": quantity })),
        }
    }

    /// Whether these units, or some of them, would do.
    pub fn is_met_by(&self, offered: &Units) -> bool {
        match self {
            Self::Lines(wanted) => {
                wanted.iter().all(|(pool, units)| offered.get(pool).is_some_and(|has| has >= units))
            }
            Self::Any(quantity) => offered.values().filter(|units| **units > 0).sum::<i64>() >= *quantity,
        }
    }

    /// Whether some of these units are of what is wanted.
    pub fn is_about(&self, units: &Units) -> bool {
        match self {
            Self::Lines(wanted) => wanted.keys().any(|pool| units.contains_key(pool)),
            Self::Any(_) => true,
        }
    }

    /// Whether less than is wanted is left of what somebody else has got.
    pub fn lacks(&self, gained: &Units, left: &Units) -> bool {
        match self {
            Self::Lines(wanted) => {
                gained.keys().any(|pool| wanted.get(pool).is_some_and(|units| left[pool] < *units))
            }
            Self::Any(_) => true,
        }
    }

    /// Takes out of what is free what is kept where that does not do.
    pub fn keeps(&self, free: &mut Units) {
        for (pool, units) in free {
            let most = match self {
                Self::Lines(wanted) => wanted.get(pool).copied().unwrap_or_default(),
                // All of it together does not do.
                Self::Any(_) => *units,
            };
            *units -= most.min(*units);
        }
    }

    /// Whether two may want the same units.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lines(lines), other) | (other, Self::Lines(lines)) => other.is_about(lines),
            (Self::Any(_), Self::Any(_)) => true,
        }
    }
}

/// Units in lines.
pub fn units(lines: &Value) -> Units {
    let line = |line: &Value| (line["pool"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap());
    lines.as_array().unwrap().iter().map(line).collect()
}
