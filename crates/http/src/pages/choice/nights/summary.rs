//! What a stay costs, night by night, and what is wrong with it: inside the form that books.

use askama::Template;
use lastseat_core::listing::{Shape, night_date};
use lastseat_engine::PoolAvailability;

use super::{MAX_ROOMS, ROOM, SHOWN, Stay};
use crate::pages::choice::Ground;
use crate::pages::choice::places::Quantity;
use crate::pages::{dates, money, words};

/// Most nights that are listed one by one.
const MAX_LISTED_NIGHTS: usize = 31;

/// One night of a summary.
pub(crate) struct Night {
    /// `Thu 24 Dec`.
    pub day: String,
    /// Its price.
    pub price: String,
    /// Whether it can be had.
    pub free: bool,
}

/// What was chosen, inside the form that books.
#[derive(Template)]
#[template(path = "choice/nights_sum.html")]
pub(crate) struct Summary {
    /// Whether a day of coming was chosen.
    pub begun: bool,
    /// Whether both days were chosen.
    pub complete: bool,
    /// Whether all nights can be had.
    pub free: bool,
    /// Whether they cannot, but can be waited for.
    pub waits: bool,
    /// `Thu 24 Dec 2026 – Sun 27 Dec 2026`.
    pub dates: String,
    /// `3 nights`.
    pub length: String,
    /// The nights, if they are few enough to be listed.
    pub nights: Vec<Night>,
    /// What is wrong with the stay.
    pub trouble: Option<String>,
    /// The room type.
    pub title: String,
    /// How many rooms can be chosen.
    pub rooms: Vec<Quantity>,
    /// The total of one room.
    pub total: String,
    /// The fields of the form.
    pub fields: Vec<(&'static str, String)>,
    /// The currency.
    pub currency: String,
    /// Its digits after the point.
    pub exponent: u32,
    /// The total of one room in minor units.
    pub unit: i64,
}

impl Summary {
    pub(in crate::pages::choice) fn new(ground: &Ground<'_>, stay: Option<&Stay<'_>>) -> Self {
        let currency = ground.listing.doc.currency.clone();
        let mut summary = Self {
            begun: stay.is_some(),
            complete: false,
            free: false,
            waits: false,
            dates: String::new(),
            length: String::new(),
            nights: Vec::new(),
            trouble: None,
            title: String::new(),
            rooms: Vec::new(),
            total: String::new(),
            fields: Vec::new(),
            exponent: money::exponent(&currency),
            currency,
            unit: 0,
        };
        let Some(stay) = stay else { return summary };
        summary.title.clone_from(&stay.room.title);
        summary.dates = dates::day(stay.check_in);
        let Some(check_out) = stay.check_out else { return summary };
        summary.complete = true;
        summary.dates = format!("{} – {}", dates::day(stay.check_in), dates::day(check_out));
        summary.free = stay.is_free();
        summary.waits = stay.to_wait_for(ground).is_some();
        summary.trouble = trouble(ground, stay, summary.waits);
        let length = check_out.duration_since(stay.check_in).as_hours() / 24;
        summary.length = words::count(length, "night", "nights");
        summary.unit = stay.nights.iter().map(|night| night.price).sum();
        summary.total = money::amount(summary.unit.saturating_mul(stay.rooms), &summary.currency);
        if stay.nights.len() <= MAX_LISTED_NIGHTS {
            summary.nights = stay.nights.iter().map(|pool| night(pool, &summary.currency)).collect();
        }
        let free = stay.free().min(ground.listing.policy().max_quantity).min(MAX_ROOMS);
        let most = if summary.waits { stay.most(ground) } else { free };
        summary.rooms = (1..=most)
            .map(|number| Quantity {
                value: number.to_string(),
                text: words::count(number, "room", "rooms"),
                chosen: number == stay.rooms,
            })
            .collect();
        summary.fields = vec![
            (ROOM, stay.room.key.clone()),
            ("check_in", stay.check_in.to_string()),
            ("check_out", check_out.to_string()),
            (SHOWN, summary.unit.to_string()),
        ];
        summary
    }
}

fn night(pool: &PoolAvailability, currency: &str) -> Night {
    Night {
        day: dates::short_day(night_date(pool.no)),
        price: money::price(pool.price, currency),
        free: pool.available > 0,
    }
}

fn trouble(ground: &Ground<'_>, stay: &Stay<'_>, waits: bool) -> Option<String> {
    if !stay.complete {
        return Some("Not all of these nights can be booked here. Choose other days.".to_owned());
    }
    let full: Vec<_> = stay.nights.iter().filter(|night| night.available <= 0).collect();
    if let Some(first) = full.first() {
        let day = dates::short_day(night_date(first.no));
        let more = if full.len() > 1 { format!(" and {} more", full.len() - 1) } else { String::new() };
        if waits {
            return Some(format!(
                "No room is left on {day}{more}. Choose other days or another room, or wait for this stay."
            ));
        }
        let back = full.iter().filter_map(|night| night.next_release_at).min();
        let back = back.map_or(String::new(), |at| {
            let clock = dates::clock(at, ground.listing.zone());
            format!(" A hold on it lapses at {clock}; look again then.")
        });
        return Some(format!("No room is left on {day}{more}. Choose other days or another room.{back}"));
    }
    let least = match &ground.listing.doc.shape {
        Shape::Nights { min_nights, .. } => i64::from(*min_nights),
        _ => 1,
    };
    let length = i64::try_from(stay.nights.len()).unwrap_or(i64::MAX);
    (length < least).then(|| format!("The shortest stay here is {}.", words::count(least, "night", "nights")))
}
