//! From what a customer asks to quantities of pools.

use std::collections::BTreeMap;

use jiff::civil;
use serde::{Deserialize, Serialize};

use super::{Listing, Shape, night_position, slot_position};
use crate::calendar::nights_between;
use crate::line::MAX_LINES;
use crate::listing::policy::MAX_QUANTITY;
use crate::pool::PoolNo;
use crate::refusal::{FieldError, Refusal};
use crate::time::Time;

/// A quantity of one pool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LineSpec {
    /// Key of the pool.
    pub pool: String,
    /// Units, at least 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub quantity: i64,
}

/// A stay, `check_out` exclusive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StaySpec {
    /// Key of the room type.
    pub resource: String,
    /// First night.
    #[serde(with = "crate::calendar::date_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub check_in: civil::Date,
    /// The day of leaving.
    #[serde(with = "crate::calendar::date_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub check_out: civil::Date,
    /// Rooms; default 1.
    #[serde(default = "one")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub quantity: i64,
}

/// One or more slots in a row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SlotSpec {
    /// Key of the resource.
    pub resource: String,
    /// Start of the first slot.
    pub starts_at: Time,
    /// How many in a row; default 1.
    #[serde(default = "one")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub slots: i64,
}

const fn one() -> i64 {
    1
}

/// What a customer wants to book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// These pools.
    Lines(Vec<LineSpec>),
    /// These nights.
    Stay(StaySpec),
    /// These slots.
    Slot(SlotSpec),
}

impl Claim {
    /// The quantities that are asked, summed per pool and sorted. That the pools exist is for the store to
    /// say.
    ///
    /// # Errors
    /// `422 invalid` with every wrong field.
    pub fn resolve(&self, listing: &Listing) -> Result<Vec<(PoolNo, i64)>, Refusal> {
        let mut problems = Vec::new();
        let asked = match self {
            Self::Lines(lines) => resolve_lines(&mut problems, listing, lines),
            Self::Stay(stay) => resolve_stay(&mut problems, listing, stay),
            Self::Slot(slot) => resolve_slot(&mut problems, listing, slot),
        };
        if problems.is_empty() && asked.len() > MAX_LINES {
            problems.push(FieldError::new(self.field(), format!("must name at most {MAX_LINES} pools")));
        }
        if problems.is_empty() {
            let (most, units) = (listing.policy().max_quantity, listing.units(asked.iter().copied()));
            if units > most {
                problems.push(FieldError::new(
                    self.field(),
                    format!("asks for {units}; one booking may have at most {most}"),
                ));
            }
        }
        if problems.is_empty() { Ok(asked) } else { Err(Refusal::invalid(problems)) }
    }

    /// The field of a request in which it stands.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Lines(_) => "lines",
            Self::Stay(_) => "stay",
            Self::Slot(_) => "slot",
        }
    }
}

fn check_quantity(problems: &mut Vec<FieldError>, field: String, quantity: i64) {
    if !(1..=MAX_QUANTITY).contains(&quantity) {
        problems.push(FieldError::new(field, format!("must be 1 to {MAX_QUANTITY}")));
    }
}

fn resolve_lines(
    problems: &mut Vec<FieldError>,
    listing: &Listing,
    lines: &[LineSpec],
) -> Vec<(PoolNo, i64)> {
    if lines.is_empty() || lines.len() > MAX_LINES {
        problems.push(FieldError::new("lines", format!("must have 1 to {MAX_LINES} entries")));
        return Vec::new();
    }
    let mut asked: BTreeMap<PoolNo, i64> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        check_quantity(problems, format!("lines[{index}].quantity"), line.quantity);
        match listing.find_pool(&line.pool) {
            Some(pool) => *asked.entry(pool).or_default() += line.quantity.clamp(0, MAX_QUANTITY),
            None => problems
                .push(FieldError::new(format!("lines[{index}].pool"), "is not a pool of this listing")),
        }
    }
    if problems.is_empty() {
        check_nights(problems, listing, asked.keys().copied());
    }
    asked.into_iter().collect()
}

/// Nights that are named one by one are stays too: none may be shorter than the listing allows.
fn check_nights(problems: &mut Vec<FieldError>, listing: &Listing, nights: impl Iterator<Item = PoolNo>) {
    let Shape::Nights { min_nights, .. } = &listing.doc.shape else { return };
    let nights: Vec<PoolNo> = nights.collect();
    let follows = |a: &PoolNo, b: &PoolNo| a.group == b.group && a.position + 1 == b.position;
    if nights.chunk_by(follows).any(|stay| stay.len() < *min_nights as usize) {
        let text = format!("must have at least {min_nights} nights in a row of each resource");
        problems.push(FieldError::new("lines", text));
    }
}

fn group(problems: &mut Vec<FieldError>, listing: &Listing, field: &str, key: &str) -> Option<u32> {
    let group = listing.groups.find(key);
    if group.is_none() {
        problems.push(FieldError::new(field, "is not a resource of this listing"));
    }
    group
}

fn resolve_stay(problems: &mut Vec<FieldError>, listing: &Listing, stay: &StaySpec) -> Vec<(PoolNo, i64)> {
    let Shape::Nights { calendar, min_nights, .. } = &listing.doc.shape else {
        problems.push(FieldError::new("stay", "is for listings of the kind nights"));
        return Vec::new();
    };
    check_quantity(problems, "stay.quantity".to_owned(), stay.quantity);
    let group = group(problems, listing, "stay.resource", &stay.resource);
    if stay.check_out <= stay.check_in {
        problems.push(FieldError::new("stay.check_out", "must lie after check_in"));
        return Vec::new();
    }
    if stay.check_in < calendar.from || stay.check_out > calendar.until {
        let text = format!("must lie within the calendar, {} to {}", calendar.from, calendar.until);
        problems.push(FieldError::new("stay", text));
        return Vec::new();
    }
    let nights: Vec<u32> = nights_between(stay.check_in, stay.check_out).filter_map(night_position).collect();
    if nights.len() < *min_nights as usize {
        problems.push(FieldError::new("stay", format!("must have at least {min_nights} nights")));
    }
    let Some(group) = group else { return Vec::new() };
    nights.into_iter().map(|night| (PoolNo::new(group, night), stay.quantity)).collect()
}

fn resolve_slot(problems: &mut Vec<FieldError>, listing: &Listing, slot: &SlotSpec) -> Vec<(PoolNo, i64)> {
    let Shape::Slots { slot_minutes, buffer_minutes, .. } = &listing.doc.shape else {
        problems.push(FieldError::new("slot", "is for listings of the kind slots"));
        return Vec::new();
    };
    check_quantity(problems, "slot.slots".to_owned(), slot.slots);
    let group = group(problems, listing, "slot.resource", &slot.resource);
    let Some(first) = slot_position(slot.starts_at) else {
        problems.push(FieldError::new("slot.starts_at", "is not the start of a slot"));
        return Vec::new();
    };
    let (Some(group), true) = (group, problems.is_empty()) else { return Vec::new() };
    let step = slot_minutes + buffer_minutes;
    let count = u32::try_from(slot.slots).unwrap_or(0);
    (0..count).map(|n| (PoolNo::new(group, first.saturating_add(n * step)), 1)).collect()
}
