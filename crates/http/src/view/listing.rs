//! A listing as JSON: its form, with what the server knows about it.

use std::collections::BTreeMap;

use lastseat_core::calendar::OpeningHours;
use lastseat_core::id::ListingId;
use lastseat_core::listing::change::form;
use lastseat_core::listing::spec::ResourceSpec;
use lastseat_core::listing::{Calendar, Kind, Listing, Policy, Status};
use lastseat_core::time::Time;
use serde::Serialize;

/// A listing. What does not belong to its kind is left out.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Listing)]
pub struct ListingView {
    /// Id.
    #[schema(value_type = String, pattern = "^lst_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub id: ListingId,
    /// Counts edits; the ETag.
    #[schema(minimum = 1)]
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// What is scarce.
    pub kind: Kind,
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
    /// IANA time zone.
    pub timezone: String,
    /// ISO 4217 code of all its prices.
    pub currency: String,
    /// Start (`places`, `seats`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    pub starts_at: Option<Option<Time>>,
    /// End (`places`, `seats`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>)]
    pub ends_at: Option<Option<Time>>,
    /// Kinds of places (`places`), or standing areas (`seats`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pools: Option<Vec<ResourceSpec>>,
    /// Room types (`nights`) or resources (`slots`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resources: Option<Vec<ResourceSpec>>,
    /// The dates (`nights`, `slots`), `until` exclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub calendar: Option<Calendar>,
    /// From when a guest may come (`nights`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub check_in_time: Option<String>,
    /// When a guest has to be gone (`nights`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub check_out_time: Option<String>,
    /// Shortest stay (`nights`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min_nights: Option<u32>,
    /// When it is open (`slots`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<Object>>)]
    pub opening_hours: Option<Vec<OpeningHours>>,
    /// Length of a slot (`slots`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub slot_minutes: Option<u32>,
    /// Pause after each slot (`slots`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub buffer_minutes: Option<u32>,
    /// Prices of the categories (`seats`). The plan is at `/v1/listings/{id}/seating`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seating: Option<PricesView>,
    /// The terms of sale for new bookings.
    pub policy: Policy,
    /// Start of the sale; null means at once.
    pub sale_opens_at: Option<Time>,
    /// End of the sale; null means the start of each pool.
    pub sale_closes_at: Option<Time>,
    /// Whether it can be seen and booked.
    pub status: Status,
}

/// Prices of the seats of a plan.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SeatPrices)]
pub struct PricesView {
    /// Price of a seat of each category, in minor units.
    pub prices: BTreeMap<String, i64>,
}

impl ListingView {
    /// A listing.
    #[must_use]
    pub fn new(listing: &Listing) -> Self {
        let form = form(listing);
        let kind = form.kind;
        let at_once = matches!(kind, Kind::Places | Kind::Seats);
        let clock = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
        Self {
            id: listing.id,
            version: listing.version,
            created_at: listing.created_at,
            kind,
            category: form.category,
            title: form.title,
            description: form.description,
            city: form.city,
            venue: form.venue,
            timezone: form.timezone,
            currency: form.currency,
            starts_at: at_once.then_some(form.starts_at),
            ends_at: at_once.then_some(form.ends_at),
            pools: at_once.then_some(form.pools),
            resources: (!at_once).then_some(form.resources),
            calendar: form.calendar,
            check_in_time: form.check_in_time.map(clock),
            check_out_time: form.check_out_time.map(clock),
            min_nights: form.min_nights,
            opening_hours: (kind == Kind::Slots).then_some(form.opening_hours),
            slot_minutes: form.slot_minutes,
            buffer_minutes: form.buffer_minutes,
            seating: form.seating.map(|seating| PricesView { prices: seating.prices }),
            policy: form.policy,
            sale_opens_at: form.sale_opens_at,
            sale_closes_at: form.sale_closes_at,
            status: form.status,
        }
    }
}
