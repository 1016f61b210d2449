//! From the form a client wrote to a listing and its pools.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil;

use super::spec::{ListingSpec, ResourceSpec, SeatingSpec};
use super::{
    Calendar, Group, Groups, Kind, Listing, ListingDoc, Policy, Seat, Shape, night_position, policy,
    slot_position, zone,
};
use crate::calendar::{EpochDay, MAX_BUFFER_MINUTES, MAX_SLOT_MINUTES, nights_between, slots_up_to};
use crate::customer::{MAX_NOTE_CHARS, MAX_TEXT_CHARS, check_optional_text, check_text};
use crate::id::{ListingId, ListingNo};
use crate::pool::{Pool, PoolNo};
use crate::refusal::FieldError;
use crate::seating::SeatingPlan;
use crate::time::Time;

/// Highest price of one unit, in minor units.
pub const MAX_PRICE: i64 = 1_000_000_000_000;
/// Largest capacity of one pool.
pub const MAX_CAPACITY: i64 = 1_000_000;
/// Longest calendar, in days.
pub const MAX_CALENDAR_DAYS: i64 = 1_000;
/// Most room types, pitches or kinds of places of one listing.
pub const MAX_RESOURCES: usize = 1_000;
/// Most pools of one listing.
pub const MAX_POOLS: usize = 200_000;
/// Longest key of a resource, in bytes.
const MAX_KEY_BYTES: usize = 100;
/// Longest description, in characters.
const MAX_DESCRIPTION_CHARS: usize = 20_000;
/// Most opening hours entries.
const MAX_OPENING_HOURS: usize = 100;

/// A listing that is about to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct NewListing {
    /// The listing itself, version 1. Its number is given by whoever writes it.
    pub doc: ListingDoc,
    /// Its groups.
    pub groups: Groups,
    /// Its pools.
    pub pools: Vec<(PoolNo, Pool)>,
    /// The seating plan as it was sent, as JSON text.
    pub plan: Option<String>,
}

impl NewListing {
    /// The listing under the number and id that it gets.
    #[must_use]
    pub fn listing(&self, no: ListingNo, id: ListingId, now: Time) -> Listing {
        Listing::new(no, id, 1, now, self.doc.clone(), Arc::new(self.groups.clone()))
    }
}

/// Validates a form and makes the listing.
///
/// # Errors
/// Every wrong field, each with what is wrong.
pub fn build(spec: &ListingSpec, now: Time) -> Result<NewListing, Vec<FieldError>> {
    let mut problems = Vec::new();
    check_common(&mut problems, spec);
    check_kind_fields(&mut problems, spec);
    let plan = spec.seating.as_ref().and_then(|seating| check_plan(&mut problems, seating));
    let (Some(shape), true) = (shape(&mut problems, spec), problems.is_empty()) else {
        return Err(problems);
    };
    let groups = groups(&mut problems, spec, plan.as_ref());
    let doc = ListingDoc {
        shape,
        category: spec.category.clone(),
        title: spec.title.clone(),
        description: spec.description.clone(),
        city: spec.city.clone(),
        venue: spec.venue.clone(),
        timezone: spec.timezone.clone(),
        currency: spec.currency.clone(),
        status: spec.status,
        cancelled_at: (spec.status == super::Status::Cancelled).then_some(now),
        sale_opens_at: spec.sale_opens_at,
        sale_closes_at: spec.sale_closes_at,
        policies: vec![spec.policy.clone()],
        counts_customers: spec.policy.limits_customers(),
        renew_through: None,
        times_version: None,
        pools_version: None,
    };
    let pools = pools(&mut problems, &doc.shape, &doc.timezone, &groups);
    if !problems.is_empty() {
        return Err(problems);
    }
    let plan = spec.seating.as_ref().and_then(|seating| seating.plan.as_ref()).map(ToString::to_string);
    Ok(NewListing { doc, groups: Groups::new(groups), pools, plan })
}

/// What all kinds share.
pub(super) fn check_common(problems: &mut Vec<FieldError>, spec: &ListingSpec) {
    check_text(problems, "title", &spec.title, MAX_TEXT_CHARS);
    for (field, value, max) in [
        ("category", &spec.category, MAX_TEXT_CHARS),
        ("city", &spec.city, MAX_TEXT_CHARS),
        ("venue", &spec.venue, MAX_TEXT_CHARS),
        ("description", &spec.description, MAX_DESCRIPTION_CHARS),
    ] {
        if let Some(value) = value {
            check_optional_text(problems, field, value, max);
        }
    }
    if zone(&spec.timezone).is_none() {
        problems.push(FieldError::new("timezone", "is not a known IANA time zone"));
    }
    if iso_currency::Currency::from_code(&spec.currency).is_none() {
        problems.push(FieldError::new("currency", "is not an ISO 4217 code"));
    }
    if let (Some(opens), Some(closes)) = (spec.sale_opens_at, spec.sale_closes_at)
        && closes <= opens
    {
        problems.push(FieldError::new("sale_closes_at", "must lie after sale_opens_at"));
    }
    check_policy(problems, &spec.policy);
}

fn check_policy(problems: &mut Vec<FieldError>, p: &Policy) {
    let mut range = |field: &str, value: i64, min: i64, max: i64| {
        if !(min..=max).contains(&value) {
            problems.push(FieldError::new(format!("policy.{field}"), format!("must be {min} to {max}")));
        }
    };
    range("hold_seconds", p.hold_seconds, 1, policy::MAX_HOLD_SECONDS);
    range("hold_max_seconds", p.hold_max(), p.hold_seconds.max(1), policy::MAX_REVIEW_SECONDS);
    range("review_seconds", p.review_seconds, 1, policy::MAX_REVIEW_SECONDS);
    range("max_quantity", p.max_quantity, 1, policy::MAX_QUANTITY);
    range("max_per_customer", p.max_per_customer.unwrap_or(1), 1, MAX_CAPACITY);
    range("max_open_holds", p.max_open_holds.unwrap_or(1), 1, MAX_CAPACITY);
    range("cancel_until_seconds", p.cancel_until_seconds, 0, 10 * 366 * 86_400);
    let mut seen = HashSet::new();
    if !p.payment.iter().all(|method| seen.insert(*method)) {
        problems.push(FieldError::new("policy.payment", "names a way to pay twice"));
    }
    if let Some(text) = &p.payment_instructions {
        check_optional_text(problems, "policy.payment_instructions", text, MAX_NOTE_CHARS);
    }
}

/// The fields that only some kinds have, with these kinds.
const FIELDS_OF_KINDS: [(&str, &[Kind]); 12] = {
    use Kind::{Nights, Places, Seats, Slots};
    [
        ("starts_at", &[Places, Seats]),
        ("ends_at", &[Places, Seats]),
        ("pools", &[Places, Seats]),
        ("resources", &[Nights, Slots]),
        ("calendar", &[Nights, Slots]),
        ("check_in_time", &[Nights]),
        ("check_out_time", &[Nights]),
        ("min_nights", &[Nights]),
        ("opening_hours", &[Slots]),
        ("slot_minutes", &[Slots]),
        ("buffer_minutes", &[Slots]),
        ("seating", &[Seats]),
    ]
};

/// What is wrong with giving a field to a listing of that kind, where the field belongs to other kinds only.
#[must_use]
pub fn foreign(kind: Kind, field: &str) -> Option<FieldError> {
    let (_, kinds) = FIELDS_OF_KINDS.iter().find(|(name, _)| *name == field)?;
    let text = || format!("does not belong to the kind {}", kind.as_str());
    (!kinds.contains(&kind)).then(|| FieldError::new(field, text()))
}

/// Fields of another kind are refused, so that nothing is lost silently.
fn check_kind_fields(problems: &mut Vec<FieldError>, spec: &ListingSpec) {
    let given = [
        ("starts_at", spec.starts_at.is_some()),
        ("ends_at", spec.ends_at.is_some()),
        ("pools", !spec.pools.is_empty()),
        ("resources", !spec.resources.is_empty()),
        ("calendar", spec.calendar.is_some()),
        ("check_in_time", spec.check_in_time.is_some()),
        ("check_out_time", spec.check_out_time.is_some()),
        ("min_nights", spec.min_nights.is_some()),
        ("opening_hours", !spec.opening_hours.is_empty()),
        ("slot_minutes", spec.slot_minutes.is_some()),
        ("buffer_minutes", spec.buffer_minutes.is_some()),
        ("seating", spec.seating.is_some()),
    ];
    problems
        .extend(given.iter().filter(|(_, given)| *given).filter_map(|(field, _)| foreign(spec.kind, field)));
}

fn check_plan(problems: &mut Vec<FieldError>, seating: &SeatingSpec) -> Option<SeatingPlan> {
    let Some(plan) = &seating.plan else {
        problems.push(FieldError::new("seating.plan", "is needed"));
        return None;
    };
    match SeatingPlan::from_value(plan) {
        Ok(plan) => Some(plan),
        Err(error) => {
            problems.push(FieldError::new("seating.plan", error.to_string()));
            None
        }
    }
}

/// The part that is particular to the kind, with its defaults.
pub(super) fn shape(problems: &mut Vec<FieldError>, spec: &ListingSpec) -> Option<Shape> {
    let (starts_at, ends_at) = (spec.starts_at, spec.ends_at);
    match spec.kind {
        Kind::Places | Kind::Seats => {
            if let Some(end) = ends_at
                && starts_at.is_none_or(|start| end <= start)
            {
                problems.push(FieldError::new("ends_at", "must lie after starts_at"));
            }
            Some(if spec.kind == Kind::Places {
                Shape::Places { starts_at, ends_at }
            } else {
                let prices = spec.seating.as_ref().map(|s| s.prices.clone()).unwrap_or_default();
                for (category, price) in &prices {
                    check_price(problems, &format!("seating.prices.{category}"), *price);
                }
                if spec.seating.is_none() {
                    problems.push(FieldError::new("seating", "is needed for the kind seats"));
                }
                Shape::Seats { starts_at, ends_at, prices }
            })
        }
        Kind::Nights => {
            let calendar = calendar(problems, spec)?;
            let min_nights = spec.min_nights.unwrap_or(1);
            if !(1..=365).contains(&min_nights) {
                problems.push(FieldError::new("min_nights", "must be 1 to 365"));
            }
            Some(Shape::Nights {
                calendar,
                check_in_time: spec.check_in_time.unwrap_or(civil::time(15, 0, 0, 0)),
                check_out_time: spec.check_out_time.unwrap_or(civil::time(11, 0, 0, 0)),
                min_nights,
            })
        }
        Kind::Slots => {
            let calendar = calendar(problems, spec)?;
            let slot_minutes = spec.slot_minutes.unwrap_or(0);
            if !(1..=MAX_SLOT_MINUTES).contains(&slot_minutes) {
                problems.push(FieldError::new("slot_minutes", format!("must be 1 to {MAX_SLOT_MINUTES}")));
            }
            let buffer_minutes = spec.buffer_minutes.unwrap_or(0);
            if buffer_minutes > MAX_BUFFER_MINUTES {
                problems
                    .push(FieldError::new("buffer_minutes", format!("must be 0 to {MAX_BUFFER_MINUTES}")));
            }
            if spec.opening_hours.is_empty() || spec.opening_hours.len() > MAX_OPENING_HOURS {
                problems.push(FieldError::new(
                    "opening_hours",
                    format!("must have 1 to {MAX_OPENING_HOURS} entries"),
                ));
            }
            let opening_hours = spec.opening_hours.clone();
            Some(Shape::Slots { calendar, opening_hours, slot_minutes, buffer_minutes })
        }
    }
}

fn calendar(problems: &mut Vec<FieldError>, spec: &ListingSpec) -> Option<Calendar> {
    let Some(calendar) = spec.calendar else {
        problems.push(FieldError::new("calendar", format!("is needed for the kind {}", spec.kind.as_str())));
        return None;
    };
    let days =
        i64::from(EpochDay::from_date(calendar.until).0) - i64::from(EpochDay::from_date(calendar.from).0);
    let years = 1970..=9000;
    if !(1..=MAX_CALENDAR_DAYS).contains(&days) || !years.contains(&calendar.from.year()) {
        problems.push(FieldError::new(
            "calendar",
            format!("must hold 1 to {MAX_CALENDAR_DAYS} days from 1970 on, until exclusive"),
        ));
        return None;
    }
    Some(calendar)
}

fn check_price(problems: &mut Vec<FieldError>, field: &str, price: i64) {
    if !(0..=MAX_PRICE).contains(&price) {
        problems.push(FieldError::new(field, format!("must be 0 to {MAX_PRICE} minor units")));
    }
}

/// The groups of a new listing: pools or resources as written, then the seats of the plan.
fn groups(problems: &mut Vec<FieldError>, spec: &ListingSpec, plan: Option<&SeatingPlan>) -> Vec<Group> {
    let (field, resources) = match spec.kind {
        Kind::Places | Kind::Seats => ("pools", &spec.pools),
        Kind::Nights | Kind::Slots => ("resources", &spec.resources),
    };
    let few = usize::from(spec.kind != Kind::Seats);
    if !(few..=MAX_RESOURCES).contains(&resources.len()) {
        problems.push(FieldError::new(field, format!("must have {few} to {MAX_RESOURCES} entries")));
        return Vec::new();
    }
    let mut groups: Vec<Group> = resource_groups(problems, field, resources);
    if let (Some(plan), Some(seating)) = (plan, &spec.seating) {
        groups.extend(seat_groups(problems, plan, seating));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = groups.iter().find(|group| !seen.insert(group.key.as_str())) {
        problems.push(FieldError::new(field, format!("the key {} stands twice", twice.key)));
    }
    groups
}

/// Groups for resources, as written.
pub(super) fn resource_groups(
    problems: &mut Vec<FieldError>,
    field: &str,
    resources: &[ResourceSpec],
) -> Vec<Group> {
    let mut groups = Vec::with_capacity(resources.len());
    for (index, resource) in resources.iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        check_text(problems, &at("key"), &resource.key, MAX_KEY_BYTES);
        if resource.key.contains('/') || resource.key.trim() != resource.key {
            problems
                .push(FieldError::new(at("key"), "must not contain a slash or begin or end with a blank"));
        }
        if let Some(title) = &resource.title {
            check_text(problems, &at("title"), title, MAX_TEXT_CHARS);
        }
        if !(0..=MAX_CAPACITY).contains(&resource.capacity) {
            problems.push(FieldError::new(at("capacity"), format!("must be 0 to {MAX_CAPACITY}")));
        }
        check_price(problems, &at("price"), resource.price);
        groups.push(Group {
            key: resource.key.clone(),
            title: resource.title.clone().unwrap_or_else(|| resource.key.clone()),
            capacity: resource.capacity,
            price: resource.price,
            seat: None,
        });
    }
    groups
}

fn seat_groups(problems: &mut Vec<FieldError>, plan: &SeatingPlan, seating: &SeatingSpec) -> Vec<Group> {
    let mut unpriced = HashSet::new();
    let groups = plan.seats.iter().map(|seat| {
        let category = &plan.categories[seat.category].name;
        let price = seating.prices.get(category).copied().unwrap_or_else(|| {
            unpriced.insert(category.clone());
            0
        });
        Group {
            key: seat.guid.clone(),
            title: format!("{} {}-{}", seat.zone, seat.row, seat.number).trim().to_owned(),
            capacity: 1,
            price,
            seat: Some(Seat {
                zone: seat.zone.to_string(),
                row: seat.row.to_string(),
                number: seat.number.clone(),
                category: category.clone(),
                x: seat.x,
                y: seat.y,
            }),
        }
    });
    let groups = groups.collect();
    for category in unpriced {
        problems.push(FieldError::new("seating.prices", format!("has no price for the category {category}")));
    }
    groups
}

fn pools(
    problems: &mut Vec<FieldError>,
    shape: &Shape,
    timezone: &str,
    groups: &[Group],
) -> Vec<(PoolNo, Pool)> {
    let Some(zone) = zone(timezone) else { return Vec::new() };
    let most = MAX_POOLS / groups.len().max(1);
    let positions = positions(shape, &zone, most);
    if positions.len() > most {
        problems.push(too_many_pools());
        return Vec::new();
    }
    let mut pools = Vec::with_capacity(positions.len() * groups.len());
    for (number, group) in (0u32..).zip(groups) {
        let pool = Pool { capacity: group.capacity, price: group.price, ..Pool::default() };
        pools.extend(positions.iter().map(|&position| (PoolNo::new(number, position), pool)));
    }
    pools
}

/// What is wrong with a calendar that makes more pools than a listing may have.
pub(super) fn too_many_pools() -> FieldError {
    FieldError::new(
        "calendar",
        format!("would make more than {MAX_POOLS} pools, the most that a listing has"),
    )
}

/// The positions that each group of a listing of this shape has; where these are more than `most`, only so
/// many that it shows.
#[must_use]
pub fn positions(shape: &Shape, zone: &jiff::tz::TimeZone, most: usize) -> Vec<u32> {
    match shape {
        Shape::Places { .. } | Shape::Seats { .. } => vec![0],
        Shape::Nights { calendar, .. } => {
            nights_between(calendar.from, calendar.until).filter_map(night_position).collect()
        }
        Shape::Slots { calendar, opening_hours, slot_minutes, buffer_minutes } => {
            let Calendar { from, until } = *calendar;
            let slots = slots_up_to(most, from, until, opening_hours, *slot_minutes, *buffer_minutes, zone);
            let starts = slots.unwrap_or_default();
            starts.iter().filter_map(|slot| slot_position(Time::from_millis(slot.start_ms))).collect()
        }
    }
}
