//! Times: a day, then the free slots of each resource on it.

use askama::Template;
use jiff::ToSpan;
use jiff::civil::Date;
use lastseat_core::calendar::parse_date;
use lastseat_core::listing::Shape;
use lastseat_core::time::Time;
use lastseat_engine::PoolAvailability;

use super::places::{Quantity, Sum, wait_at};
use super::take::{EACH, TAKE, Take, chosen};
use super::{BOOK, Ground};
use crate::pages::form::address;
use crate::pages::stock::Stock;
use crate::pages::{dates, money, words};

/// Days that are shown side by side.
const DAYS: i32 = 7;

/// A day to be looked at.
pub(crate) struct Day {
    /// `Thu 24 Dec`.
    pub text: String,
    /// `Thu`.
    pub weekday: String,
    /// `24 Dec`.
    pub date: String,
    /// Where it is shown; none for a day without a slot.
    pub href: Option<String>,
    /// How many slots are free.
    pub free: i64,
    /// Whether it is the one that is shown.
    pub current: bool,
}

/// A slot.
pub(crate) struct Slot {
    /// `17:00`.
    pub text: String,
    /// `17:00 to 18:00, Pitch 1, 20 EUR`.
    pub label: String,
    /// What is left.
    pub stock: Stock,
    /// Its price.
    pub price: String,
    /// Value of the field.
    pub value: String,
    /// Whether it was chosen.
    pub chosen: bool,
    /// Whether it can be booked.
    pub free: bool,
    /// Whether more than one can be had.
    pub many: bool,
    /// Where one waits for it when it is taken.
    pub wait: Option<String>,
}

/// A resource with its slots of a day.
pub(crate) struct Resource {
    /// What it is called.
    pub title: String,
    /// Its slots.
    pub slots: Vec<Slot>,
}

/// The slots of a day.
#[derive(Template)]
#[template(path = "choice/slots.html")]
pub(crate) struct View {
    /// The week.
    pub days: Vec<Day>,
    /// The week before.
    pub earlier: Option<String>,
    /// The week after.
    pub later: Option<String>,
    /// The day that is shown.
    pub day: String,
    /// The zone of all times.
    pub zone: String,
    /// How long a slot is.
    pub length: String,
    /// The resources.
    pub resources: Vec<Resource>,
    /// How many of each slot.
    pub each: Vec<Quantity>,
    /// The name of the fields.
    pub name: &'static str,
    /// The name of the field for how many.
    pub each_name: &'static str,
    /// The form they belong to.
    pub form: &'static str,
    sum: Sum,
}

/// What was chosen, counted by the script.
#[derive(Template)]
#[template(path = "choice/slots_sum.html")]
pub(crate) struct Summary<'a> {
    /// The slots.
    pub view: &'a View,
}

impl View {
    /// The day that was asked for, else the first with something free.
    pub(crate) fn new(ground: &Ground<'_>) -> Self {
        let (zone, pools) = (ground.listing.zone(), &ground.availability.pools);
        let today = dates::date_of(ground.now, zone);
        let on = |pool: &PoolAvailability| pool.starts_at.map(|start| dates::date_of(start, zone));
        let mut free_on = std::collections::BTreeMap::<Date, i64>::new();
        for pool in pools {
            if let Some(date) = on(pool).filter(|date| *date >= today) {
                *free_on.entry(date).or_default() += i64::from(pool.available > 0);
            }
        }
        let chosen_day = ground.typed.all(TAKE).filter_map(Take::parse).find_map(|take| {
            let start: Time = take.key.rsplit_once('/')?.1.parse().ok()?;
            Some(dates::date_of(start, zone))
        });
        let asked = parse_date(ground.typed.get("day")).ok().or(chosen_day);
        let first_free = free_on.iter().find_map(|(date, free)| (*free > 0).then_some(*date));
        let day = asked.or(first_free).or_else(|| free_on.keys().next().copied()).unwrap_or(today);
        // What has begun cannot be booked, and only takes up room.
        let to_come = |pool: &PoolAvailability| pool.starts_at.is_some_and(|start| ground.now < start);
        let resources = resources(ground, |pool| on(pool) == Some(day) && to_come(pool));
        let (days, earlier, later) = week(ground, day, &free_on, today);
        let minutes = match &ground.listing.doc.shape {
            Shape::Slots { slot_minutes, .. } => *slot_minutes,
            _ => 0,
        };
        let start = pools.iter().find(|pool| on(pool) == Some(day)).and_then(|pool| pool.starts_at);
        Self {
            days,
            earlier,
            later,
            day: dates::day(day),
            zone: dates::zone_name(&ground.listing.doc.timezone, zone, start.unwrap_or(ground.now)),
            length: dates::duration(i64::from(minutes) * 60),
            resources,
            each: each(ground),
            name: TAKE,
            each_name: EACH,
            form: BOOK,
            sum: Sum::new(ground),
        }
    }

    /// The currency.
    pub(crate) fn currency(&self) -> &str {
        &self.sum.currency
    }

    /// Its digits after the point.
    pub(crate) fn exponent(&self) -> u32 {
        self.sum.exponent
    }
}

type Week = (Vec<Day>, Option<String>, Option<String>);

fn week(
    ground: &Ground<'_>,
    day: Date,
    free_on: &std::collections::BTreeMap<Date, i64>,
    today: Date,
) -> Week {
    let at = |date: Date| format!("{}#choose", address(ground.base, [("day", date.to_string().as_str())]));
    // Weeks begin today, so that the first days are never over.
    let behind = (day.duration_since(today).as_hours() / 24).rem_euclid(i64::from(DAYS));
    let first = day.checked_sub(behind.days()).unwrap_or(day);
    let shift = |date: Date, days: i32| date.checked_add(days.days()).unwrap_or(date);
    let days = (0..DAYS).map(|offset| {
        let date = shift(first, offset);
        let free = free_on.get(&date).copied();
        Day {
            text: dates::short_day(date),
            weekday: date.strftime("%a").to_string(),
            date: date.strftime("%-d %b").to_string(),
            href: free.map(|_| at(date)),
            free: free.unwrap_or(0),
            current: date == day,
        }
    });
    let days = days.collect();
    let earlier = free_on.range(..first).next_back().map(|_| at(shift(first, -DAYS).max(today)));
    let later = free_on.range(shift(first, DAYS)..).next().map(|_| at(shift(first, DAYS)));
    (days, earlier, later)
}

fn resources(ground: &Ground<'_>, on_day: impl Fn(&PoolAvailability) -> bool) -> Vec<Resource> {
    let (listing, zone) = (ground.listing, ground.listing.zone());
    let currency = &listing.doc.currency;
    let mut resources: Vec<(u32, Resource)> = Vec::new();
    for pool in ground.availability.pools.iter().filter(|pool| on_day(pool)) {
        let (Some(start), Some(end)) = (pool.starts_at, pool.ends_at) else { continue };
        let title = listing.groups.get(pool.no.group).map_or(pool.key.as_str(), |group| group.title.as_str());
        let price = money::price(pool.price, currency);
        let day = dates::date_of(start, zone).to_string();
        let slot = Slot {
            text: dates::clock(start, zone),
            label: format!("{} to {}, {title}, {price}", dates::clock(start, zone), dates::clock(end, zone)),
            stock: Stock::of(pool, ground.now),
            value: Take { quantity: 1, price: pool.price, key: &pool.key }.value(),
            chosen: chosen(ground.typed, &pool.key) > 0,
            free: pool.available > 0,
            many: pool.capacity > 1,
            wait: wait_at(ground, pool, &[("day", day.as_str())]),
            price,
        };
        match resources.last_mut() {
            Some((group, resource)) if *group == pool.no.group => resource.slots.push(slot),
            _ => resources.push((pool.no.group, Resource { title: title.to_owned(), slots: vec![slot] })),
        }
    }
    resources.into_iter().map(|(_, resource)| resource).collect()
}

/// How many of each slot can be chosen; empty if only one can.
fn each(ground: &Ground<'_>) -> Vec<Quantity> {
    let largest = ground.availability.pools.iter().map(|pool| pool.capacity).max().unwrap_or(0);
    let most = ground.listing.policy().max_quantity.min(largest).min(20);
    if most < 2 {
        return Vec::new();
    }
    let quantity = |number: i64| Quantity {
        value: number.to_string(),
        text: words::count(number, "of each time", "of each time"),
        chosen: ground.typed.get(EACH) == number.to_string(),
    };
    (1..=most).map(quantity).collect()
}
