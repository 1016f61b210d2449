//! The form in which clients write a listing, the same for creating, showing and editing.

use std::collections::BTreeMap;

use jiff::civil;
use serde::{Deserialize, Serialize};

use super::{Calendar, Kind, Policy, Status};
use crate::calendar::OpeningHours;
use crate::time::Time;

/// A listing as JSON. Which fields belong to which kind is checked by [`super::build`]; what does not
/// belong is refused rather than passed over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ListingSpec {
    /// What is scarce.
    pub kind: Kind,
    /// Free text for people, `gig` or `hotel` for example.
    #[serde(default)]
    pub category: Option<String>,
    /// Name, 1 to 200 characters.
    pub title: String,
    /// Longer text.
    #[serde(default)]
    pub description: Option<String>,
    /// City.
    #[serde(default)]
    pub city: Option<String>,
    /// Venue.
    #[serde(default)]
    pub venue: Option<String>,
    /// IANA time zone, `Asia/Tashkent` for example.
    pub timezone: String,
    /// ISO 4217 code of all its prices.
    pub currency: String,
    /// Start (`places`, `seats`). Without one, `places` have no end either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// End (`places`, `seats`); default one hour after the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// Kinds of places (`places`), or standing areas (`seats`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<ResourceSpec>,
    /// Room types (`nights`) or resources (`slots`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
    /// The dates (`nights`, `slots`), `until` exclusive, at most 1,000 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
    /// From when a guest may come (`nights`); default 15:00.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "clock_time")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub check_in_time: Option<civil::Time>,
    /// When a guest has to be gone (`nights`); default 11:00.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "clock_time")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub check_out_time: Option<civil::Time>,
    /// Shortest stay (`nights`); default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_nights: Option<u32>,
    /// When it is open (`slots`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub opening_hours: Vec<OpeningHours>,
    /// Length of a slot (`slots`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_minutes: Option<u32>,
    /// Pause after each slot (`slots`); default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_minutes: Option<u32>,
    /// The plan and its prices (`seats`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seating: Option<SeatingSpec>,
    /// The terms of sale.
    #[serde(default)]
    pub policy: Policy,
    /// Start of the sale; null means at once.
    #[serde(default)]
    pub sale_opens_at: Option<Time>,
    /// End of the sale; null means the start of each pool (nights: the end of its check-in day).
    #[serde(default)]
    pub sale_closes_at: Option<Time>,
    /// Whether it can be seen and booked.
    #[serde(default)]
    pub status: Status,
}

impl ListingSpec {
    /// A form in which nothing is filled in but its kind.
    #[must_use]
    pub fn empty(kind: Kind) -> Self {
        Self {
            kind,
            category: None,
            title: String::new(),
            description: None,
            city: None,
            venue: None,
            timezone: String::new(),
            currency: String::new(),
            starts_at: None,
            ends_at: None,
            pools: Vec::new(),
            resources: Vec::new(),
            calendar: None,
            check_in_time: None,
            check_out_time: None,
            min_nights: None,
            opening_hours: Vec::new(),
            slot_minutes: None,
            buffer_minutes: None,
            seating: None,
            policy: Policy::default(),
            sale_opens_at: None,
            sale_closes_at: None,
            status: Status::default(),
        }
    }
}

/// A kind of place, a standing area, a room type, a pitch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResourceSpec {
    /// Key, unique in the listing: 1 to 100 characters, no `/`.
    pub key: String,
    /// What people call it; default the key.
    #[serde(default)]
    pub title: Option<String>,
    /// Units that exist (per night, per slot).
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000))]
    pub capacity: i64,
    /// Price of a unit in minor units; default 0.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000_000_000_i64))]
    pub price: i64,
}

/// A seating plan with the price of each category.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SeatingSpec {
    /// The plan in pretix's JSON format. Needed to create; shown by `/v1/listings/{id}/seating`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub plan: Option<serde_json::Value>,
    /// Price of a seat of each category, in minor units.
    #[serde(default)]
    pub prices: BTreeMap<String, i64>,
}

/// Times of the day as `15:00`.
mod clock_time {
    use jiff::civil::Time;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(time: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => s.collect_str(&format_args!("{:02}:{:02}", time.hour(), time.minute())),
            None => s.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Time>, D::Error> {
        let Some(text) = Option::<String>::deserialize(d)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| de::Error::custom("must be a time of the day like 15:00"))
    }

    fn parse(text: &str) -> Option<Time> {
        let (hour, minute) = text.split_once(':')?;
        if hour.len() != 2 || minute.len() != 2 {
            return None;
        }
        Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
    }
}
