//! Seats: a plan as a table of rows, section by section, and the standing areas beside it.
//!
//! Where the plan fits into one section, its seats belong to the form that books. Larger plans are looked at one
//! section at a time; then the form that only looks carries what was chosen from one section to the next.

mod sections;
mod table;

use std::collections::HashMap;

use askama::Template;
use lastseat_core::listing::Seat;
use lastseat_engine::PoolAvailability;

use super::places::{Offer, Sum, offer};
use super::take::{TAKE, Take};
use super::{BOOK, Ground, PICK};
use crate::pages::form::split;
use crate::pages::money;
use crate::pages::waitlist::ask::WAIT;
use sections::Section;
use table::Row;

/// Colours that the style sheet has for categories; further categories begin again.
const COLOURS: usize = 6;

/// A category of seats.
pub(crate) struct Category {
    /// Its name.
    pub name: String,
    /// The price of its seats, or from which on.
    pub price: String,
    /// The number of its colour.
    pub colour: usize,
}

/// A seat that was chosen.
pub(crate) struct Chosen {
    /// What it is called.
    pub title: String,
    /// Its price.
    pub price: String,
    /// Value of the field.
    pub value: String,
    /// Whether it is in another section than the one that is shown.
    pub elsewhere: bool,
}

/// A section to be looked at.
pub(crate) struct Place {
    /// What it is called.
    pub title: String,
    /// What is left in it.
    pub left: String,
    /// Whether it is the one that is shown.
    pub current: bool,
    /// Its number.
    pub number: usize,
}

/// A section of the plan, and the standing areas.
#[derive(Template)]
#[template(path = "choice/seats.html")]
pub(crate) struct View {
    /// The sections, if there is more than one.
    pub places: Vec<Place>,
    /// What the section that is shown is called.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Columns of seats and gaps.
    pub columns: usize,
    /// The categories of the plan.
    pub categories: Vec<Category>,
    /// The standing areas.
    pub offers: Vec<Offer>,
    /// The seats that were chosen and can be had.
    pub chosen: Vec<Chosen>,
    /// What they cost.
    pub total: String,
    /// The form to which the seats belong.
    pub form: &'static str,
    /// The name of the fields.
    pub name: &'static str,
    /// The form to which the standing areas belong.
    pub book: &'static str,
    /// The address of this page without its query.
    pub path: String,
    /// The fields of the query that come along.
    pub along: Vec<(String, String)>,
    /// The seats of this section that can be waited for, while others are left: keys of pools, and what they are called.
    pub taken: Vec<(String, String)>,
    /// The name of the field with the one that is waited for.
    pub wait: &'static str,
    /// Most seats of one booking.
    pub most: i64,
    sum: Sum,
}

/// What was chosen, inside the form that books.
#[derive(Template)]
#[template(path = "choice/seats_sum.html")]
pub(crate) struct Summary<'a> {
    /// The seats.
    pub view: &'a View,
}

/// A seat with its pool.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    seat: &'a Seat,
    title: &'a str,
    pool: &'a PoolAvailability,
    colour: usize,
}

impl View {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        let currency = &ground.listing.doc.currency;
        let pools: HashMap<u32, &PoolAvailability> =
            ground.availability.pools.iter().map(|pool| (pool.no.group, pool)).collect();
        let mut colours: HashMap<&str, usize> = HashMap::new();
        let mut spots = Vec::new();
        for (number, group) in (0u32..).zip(ground.listing.groups.all()) {
            if let (Some(seat), Some(pool)) = (&group.seat, pools.get(&number)) {
                let next = colours.len();
                let colour = *colours.entry(&seat.category).or_insert(next);
                spots.push(Spot { seat, title: &group.title, pool, colour });
            }
        }
        let sections = sections::of(&spots);
        let current = ground.typed.get("section").parse().unwrap_or(0).min(sections.len().saturating_sub(1));
        let form = if sections.len() > 1 { PICK } else { BOOK };
        let shown = sections.get(current).map_or(&[][..], |section| section.spots);
        let chosen = chosen(ground, &spots, shown);
        let total = chosen.iter().filter_map(|seat| Take::parse(&seat.value)).map(|take| take.price).sum();
        let (path, along) = split(ground.base);
        let rows = table::rows(shown, ground.typed, currency);
        Self {
            columns: table::columns(&rows),
            title: sections.get(current).map(|section| section.title.clone()).unwrap_or_default(),
            rows,
            categories: categories(&spots, currency),
            places: if sections.len() > 1 { places(&sections, current) } else { Vec::new() },
            offers: standing(ground, &pools),
            total: money::amount(total, currency),
            chosen,
            form,
            name: TAKE,
            book: BOOK,
            path,
            along,
            taken: taken(ground, shown),
            wait: WAIT,
            most: ground.listing.policy().max_quantity,
            sum: Sum::new(ground),
        }
    }

    /// The number of the section that is shown.
    pub(crate) fn section(&self) -> usize {
        self.places.iter().find(|place| place.current).map_or(0, |place| place.number)
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

fn standing(ground: &Ground<'_>, pools: &HashMap<u32, &PoolAvailability>) -> Vec<Offer> {
    let areas = (0u32..).zip(ground.listing.groups.all()).filter(|(_, group)| group.seat.is_none());
    areas.filter_map(|(number, _)| Some(offer(ground, pools.get(&number)?, false))).collect()
}

fn categories(spots: &[Spot<'_>], currency: &str) -> Vec<Category> {
    let mut found: Vec<(&str, i64, i64)> = Vec::new();
    for spot in spots {
        match found.get_mut(spot.colour) {
            Some((_, low, high)) => {
                (*low, *high) = ((*low).min(spot.pool.price), (*high).max(spot.pool.price));
            }
            None => found.push((&spot.seat.category, spot.pool.price, spot.pool.price)),
        }
    }
    let category = |(colour, (name, low, high)): (usize, (&str, i64, i64))| Category {
        name: name.to_owned(),
        price: format!("{}{}", if low == high { "" } else { "from " }, money::price(low, currency)),
        colour: colour % COLOURS,
    };
    found.into_iter().enumerate().map(category).collect()
}

fn places(sections: &[Section<'_>], current: usize) -> Vec<Place> {
    let place = |(number, section): (usize, &Section<'_>)| Place {
        title: section.title.clone(),
        left: match section.spots.iter().map(|spot| spot.pool.available).sum::<i64>() {
            0 => "none left".to_owned(),
            free => format!("{free} left"),
        },
        current: number == current,
        number,
    };
    sections.iter().enumerate().map(place).collect()
}

/// The seats that were chosen, in the order of the plan.
fn chosen(ground: &Ground<'_>, spots: &[Spot<'_>], shown: &[Spot<'_>]) -> Vec<Chosen> {
    let keys: std::collections::HashSet<&str> = ground
        .typed
        .all(TAKE)
        .filter_map(Take::parse)
        .filter(|take| take.quantity > 0)
        .map(|take| take.key)
        .collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let wanted = spots.iter().filter(|spot| keys.contains(spot.pool.key.as_str()) && spot.pool.available > 0);
    let here = |spot: &Spot<'_>| shown.iter().any(|other| other.pool.no == spot.pool.no);
    wanted
        .map(|spot| Chosen {
            title: spot.title.to_owned(),
            price: money::price(spot.pool.price, &ground.listing.doc.currency),
            value: Take { quantity: 1, price: spot.pool.price, key: &spot.pool.key }.value(),
            elsewhere: !here(spot),
        })
        .collect()
}

/// The seats among these that somebody has, and that can be waited for. None if nothing is left at all: then one waits for
/// any seats.
fn taken(ground: &Ground<'_>, shown: &[Spot<'_>]) -> Vec<(String, String)> {
    if !ground.waits || ground.availability.pools.iter().all(|pool| pool.available <= 0) {
        return Vec::new();
    }
    let gone = shown.iter().filter(|spot| !matches!(condition(spot.pool).0, "free" | "off"));
    gone.map(|spot| (spot.pool.key.clone(), format!("{}, {}", spot.title, condition(spot.pool).1))).collect()
}

/// What is left of a seat, as its class and in words.
fn condition(pool: &PoolAvailability) -> (&'static str, &'static str) {
    match (pool.available, pool.held, pool.kept, pool.confirmed) {
        (1.., ..) => ("free", ""),
        (_, 1.., ..) => ("held", "held by somebody"),
        (_, _, 1.., _) => ("held", "kept for the waitlist"),
        (.., 1..) => ("sold", "taken"),
        _ => ("off", "not for sale"),
    }
}
