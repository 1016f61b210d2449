//! Listings: what can be booked. The four kinds are thin: they name pools, price them, and say when a pool
//! begins and ends. Everything else is the same for all of them.
//!
//! - `mod.rs`: the listing as the engine uses it
//! - [`spec`]: the form in which clients write one, and its validation
//! - [`build`]: from a valid form to a listing and its pools
//! - [`change`]: edits, and what they do to the pools
//! - [`policy`]: what a sale is subject to
//! - `position`: which date or slot a pool's position stands for
//! - [`request`]: from "double room, 24 to 27 December" to quantities of pools

pub mod build;
pub mod change;
pub mod policy;
mod position;
pub mod request;
pub mod spec;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jiff::civil;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::calendar::{OpeningHours, check_in_instant, check_out_instant, end_of_day, parse_date};
use crate::id::{ListingId, ListingNo};
use crate::line::Lines;
use crate::pool::PoolNo;
use crate::time::Time;
pub use policy::{PaymentMethod, Policy};
pub use position::{night_date, night_position, slot_position, slot_start};

/// How long a listing of places or seats lasts if nobody says.
const DEFAULT_DURATION_SECONDS: i64 = 3600;

/// The shape of what is scarce.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// N equal places.
    Places,
    /// Rooms of a type per night.
    Nights,
    /// Named seats of a plan.
    Seats,
    /// A resource per time slot.
    Slots,
}

impl Kind {
    /// The name as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Nights => "nights",
            Self::Seats => "seats",
            Self::Slots => "slots",
        }
    }

    /// Whether it has a pool per date: a night, a time slot.
    #[must_use]
    pub const fn is_dated(self) -> bool {
        matches!(self, Self::Nights | Self::Slots)
    }
}

/// Whether a listing can be seen and booked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not public yet.
    Draft,
    /// On sale, within its sale window.
    #[default]
    Published,
    /// To be seen, not to be booked.
    Closed,
    /// Called off, and its bookings with it.
    Cancelled,
}

impl Status {
    /// The name as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A stretch of dates, `until` exclusive, in the listing's time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// First date.
    #[serde(with = "crate::calendar::date_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub from: civil::Date,
    /// The date after the last.
    #[serde(with = "crate::calendar::date_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub until: civil::Date,
}

/// What is particular to a kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shape {
    /// Equal places at one time, or at none.
    Places {
        /// The start; none means always.
        starts_at: Option<Time>,
        /// The end.
        ends_at: Option<Time>,
    },
    /// Seats of a plan, and standing areas, at one time.
    Seats {
        /// The start.
        starts_at: Option<Time>,
        /// The end.
        ends_at: Option<Time>,
        /// Price of a seat of each category, in minor units.
        prices: std::collections::BTreeMap<String, i64>,
    },
    /// Rooms by the night.
    Nights {
        /// The nights that exist.
        calendar: Calendar,
        /// From when a guest may come.
        check_in_time: civil::Time,
        /// When a guest has to be gone.
        check_out_time: civil::Time,
        /// Shortest stay.
        min_nights: u32,
    },
    /// Resources by the slot.
    Slots {
        /// The dates on which opening hours apply.
        calendar: Calendar,
        /// When it is open.
        opening_hours: Vec<OpeningHours>,
        /// Length of a slot.
        slot_minutes: u32,
        /// Pause after each slot.
        buffer_minutes: u32,
    },
}

/// A kind of place, a resource, a seat or a standing area: the part of a pool's name before the date.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Key, unique in the listing.
    pub key: String,
    /// What people call it.
    pub title: String,
    /// Capacity of its pools when they are made.
    pub capacity: i64,
    /// Price of a unit when its pools are made, in minor units.
    pub price: i64,
    /// Where the seat is, for seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<Seat>,
}

/// Where a seat is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// Zone of the plan.
    pub zone: String,
    /// Row.
    pub row: String,
    /// Number in the row.
    pub number: String,
    /// Category, which gives the price.
    pub category: String,
    /// Position in the plan, in its units.
    pub x: f64,
    /// Position in the plan, in its units.
    pub y: f64,
}

/// The groups of a listing, by number and by key. A group keeps its number for ever.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Groups {
    list: Vec<Group>,
    by_key: HashMap<String, u32>,
}

impl Groups {
    /// Groups in the order of their numbers. Of two with one key the later is found by it.
    #[must_use]
    pub fn new(list: Vec<Group>) -> Self {
        let number = |index: usize| u32::try_from(index).expect("limits keep groups below 2^31");
        let by_key =
            list.iter().enumerate().map(|(index, group)| (group.key.clone(), number(index))).collect();
        Self { list, by_key }
    }

    /// All of them, in the order of their numbers.
    #[must_use]
    pub fn all(&self) -> &[Group] {
        &self.list
    }

    /// The group of that number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Group> {
        self.list.get(number as usize)
    }

    /// The number of the group with that key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<u32> {
        self.by_key.get(key).copied()
    }
}

/// What a store keeps of a listing in one document; groups and pools have rows of their own.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ListingDoc {
    /// What is particular to the kind.
    pub shape: Shape,
    /// Free text for people.
    pub category: Option<String>,
    /// Name.
    pub title: String,
    /// Longer text.
    pub description: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Venue.
    pub venue: Option<String>,
    /// IANA name of the time zone.
    pub timezone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether it can be seen and booked.
    pub status: Status,
    /// When it was called off.
    pub cancelled_at: Option<Time>,
    /// Start of the sale; none means at once.
    pub sale_opens_at: Option<Time>,
    /// End of the sale; none means each pool's start.
    pub sale_closes_at: Option<Time>,
    /// Every policy it ever had; the last is in force, bookings name theirs by index.
    pub policies: Vec<Policy>,
    /// Whether units and holds are counted per customer: from the first policy with such a limit on.
    pub counts_customers: bool,
    /// Bookings up to this number may carry a `due_at` of before the last edit; a worker renews them.
    pub renew_through: Option<crate::id::BookingNo>,
    /// The version of the edit that last moved what bookings' starts and ends are made of; none if none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times_version: Option<u64>,
    /// How often the capacities and prices that its groups show were changed; none if never. That is no edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pools_version: Option<u64>,
}

/// A listing as the engine uses it.
#[derive(Clone, PartialEq, Debug)]
pub struct Listing {
    /// Number in the store.
    pub no: ListingNo,
    /// Public id.
    pub id: ListingId,
    /// Counts edits, from 1.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// What it says.
    pub doc: ListingDoc,
    /// What it has.
    pub groups: Arc<Groups>,
    zone: TimeZone,
}

/// The time zones that are compiled in: the same everywhere, whatever the machine has installed.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The time zone of that IANA name.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    ZONES.get(name).ok()
}

impl Listing {
    /// A listing from what a store keeps. A zone that is not known (a newer program wrote it) counts as UTC.
    #[must_use]
    pub fn new(
        no: ListingNo,
        id: ListingId,
        version: u64,
        created_at: Time,
        doc: ListingDoc,
        groups: Arc<Groups>,
    ) -> Self {
        let zone = zone(&doc.timezone).unwrap_or(TimeZone::UTC);
        Self { no, id, version, created_at, doc, groups, zone }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.doc.shape {
            Shape::Places { .. } => Kind::Places,
            Shape::Seats { .. } => Kind::Seats,
            Shape::Nights { .. } => Kind::Nights,
            Shape::Slots { .. } => Kind::Slots,
        }
    }

    /// The time zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The policy in force, for new bookings.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.doc.policies.last().expect("a listing is made with a policy")
    }

    /// The index of the policy in force.
    #[must_use]
    pub fn policy_no(&self) -> u32 {
        u32::try_from(self.doc.policies.len() - 1).expect("few policies")
    }

    /// The policy under which a booking was made.
    #[must_use]
    pub fn policy_of(&self, policy: u32) -> &Policy {
        self.doc.policies.get(policy as usize).unwrap_or_else(|| self.policy())
    }

    /// The key of a pool: `standard`, `double/2026-12-24`, `pitch-1/2026-12-24T17:00Z`.
    #[must_use]
    pub fn pool_key(&self, pool: PoolNo) -> String {
        let group = self.groups.get(pool.group).map_or("?", |group| group.key.as_str());
        match self.doc.shape {
            Shape::Places { .. } | Shape::Seats { .. } => group.to_owned(),
            Shape::Nights { .. } => format!("{group}/{}", night_date(pool)),
            Shape::Slots { .. } => {
                let start = slot_start(pool).timestamp().to_zoned(TimeZone::UTC).datetime();
                format!("{group}/{}T{:02}:{:02}Z", start.date(), start.hour(), start.minute())
            }
        }
    }

    /// The pool that a key names, if its form is right and its group exists. Whether there is such a pool
    /// the store knows.
    #[must_use]
    pub fn find_pool(&self, key: &str) -> Option<PoolNo> {
        match self.doc.shape {
            Shape::Places { .. } | Shape::Seats { .. } => Some(PoolNo::new(self.groups.find(key)?, 0)),
            Shape::Nights { .. } => {
                let (group, date) = key.rsplit_once('/')?;
                let position = night_position(parse_date(date).ok()?)?;
                Some(PoolNo::new(self.groups.find(group)?, position))
            }
            Shape::Slots { .. } => {
                let (group, start) = key.rsplit_once('/')?;
                let start: Time = start.parse().ok()?;
                Some(PoolNo::new(self.groups.find(group)?, slot_position(start)?))
            }
        }
    }

    /// When what a pool stands for begins.
    #[must_use]
    pub fn pool_starts_at(&self, pool: PoolNo) -> Option<Time> {
        match &self.doc.shape {
            Shape::Places { starts_at, .. } | Shape::Seats { starts_at, .. } => *starts_at,
            Shape::Nights { check_in_time, .. } => {
                let date = night_date(pool);
                Some(Time::from_millis(check_in_instant(date, *check_in_time, &self.zone)))
            }
            Shape::Slots { .. } => Some(slot_start(pool)),
        }
    }

    /// When what a pool stands for ends.
    #[must_use]
    pub fn pool_ends_at(&self, pool: PoolNo) -> Option<Time> {
        match &self.doc.shape {
            Shape::Places { starts_at, ends_at } | Shape::Seats { starts_at, ends_at, .. } => {
                ends_at.or(starts_at.map(|start| start.plus_seconds(DEFAULT_DURATION_SECONDS)))
            }
            Shape::Nights { check_out_time, .. } => {
                let night = night_date(pool);
                Some(Time::from_millis(check_out_instant(night, *check_out_time, &self.zone)))
            }
            Shape::Slots { slot_minutes, .. } => {
                Some(slot_start(pool).plus_seconds(i64::from(*slot_minutes) * 60))
            }
        }
    }

    /// When the sale of a pool ends: `sale_closes_at`, else its start; for nights the end of its check-in day.
    /// Never after what it stands for has ended.
    #[must_use]
    pub fn sale_ends_at(&self, pool: PoolNo) -> Option<Time> {
        if let Some(closes) = self.doc.sale_closes_at {
            return Some(self.pool_ends_at(pool).map_or(closes, |ends| ends.min(closes)));
        }
        match &self.doc.shape {
            Shape::Nights { .. } => {
                let date = night_date(pool);
                Some(Time::from_millis(end_of_day(date, &self.zone)))
            }
            _ => self.pool_starts_at(pool),
        }
    }

    /// Whether a pool can be booked at `now`.
    #[must_use]
    pub fn on_sale(&self, pool: PoolNo, now: Time) -> bool {
        self.doc.status == Status::Published
            && self.doc.sale_opens_at.is_none_or(|opens| opens <= now)
            && !self.sale_is_over(pool, now)
    }

    /// Whether the sale of a pool has ended by `now`.
    #[must_use]
    pub fn sale_is_over(&self, pool: PoolNo, now: Time) -> bool {
        self.sale_ends_at(pool).is_some_and(|ends| ends <= now)
    }

    /// When a booking begins: the start of its first pool.
    #[must_use]
    pub fn starts_at(&self, lines: &Lines) -> Option<Time> {
        self.edge(lines, Self::pool_starts_at).min()
    }

    /// When a booking ends: the end of its last pool.
    #[must_use]
    pub fn ends_at(&self, lines: &Lines) -> Option<Time> {
        self.edge(lines, Self::pool_ends_at).max()
    }

    /// The instants of the first and last position in each group: those between cannot be outermost.
    fn edge<'a>(
        &'a self,
        lines: &'a Lines,
        of: impl Fn(&Self, PoolNo) -> Option<Time> + 'a,
    ) -> impl Iterator<Item = Time> + 'a {
        let dated = matches!(self.doc.shape, Shape::Nights { .. } | Shape::Slots { .. });
        let pools: Vec<PoolNo> = lines.iter().map(|line| line.pool).collect();
        let mut picked = Vec::new();
        for (index, pool) in pools.iter().enumerate() {
            let first = index == 0 || pools[index - 1].group != pool.group;
            let last = index + 1 == pools.len() || pools[index + 1].group != pool.group;
            if (dated && (first || last)) || index == 0 {
                picked.push(*pool);
            }
        }
        picked.into_iter().filter_map(move |pool| of(self, pool))
    }

    /// A number that grows whenever a booking does, or the times that it has from the listing.
    #[must_use]
    pub fn sequence_of(&self, booking_version: u32) -> u64 {
        u64::from(booking_version) + self.doc.times_version.unwrap_or(0)
    }

    /// How many units a booking counts as, for the limits: places and seats in all; rooms per night and
    /// resources per slot, the most at any one position.
    #[must_use]
    pub fn units(&self, quantities: impl IntoIterator<Item = (PoolNo, i64)>) -> i64 {
        match self.doc.shape {
            Shape::Places { .. } | Shape::Seats { .. } => {
                quantities.into_iter().map(|(_, quantity)| quantity).sum()
            }
            Shape::Nights { .. } | Shape::Slots { .. } => {
                let mut at: HashMap<u32, i64> = HashMap::new();
                for (pool, quantity) in quantities {
                    *at.entry(pool.position).or_default() += quantity;
                }
                at.into_values().max().unwrap_or(0)
            }
        }
    }

    /// The units of a booking's lines.
    #[must_use]
    pub fn units_of(&self, lines: &Lines) -> i64 {
        self.units(lines.iter().map(|line| (line.pool, line.quantity)))
    }
}
