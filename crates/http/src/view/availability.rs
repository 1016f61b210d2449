//! Availability as JSON.

use lastseat_core::id::ListingId;
use lastseat_core::time::Time;
use lastseat_engine::{Availability, PoolAvailability};
use serde::Serialize;

/// What can be had of a listing.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Availability)]
pub struct AvailabilityView<'a> {
    /// The listing.
    #[schema(value_type = String)]
    pub listing_id: ListingId,
    /// Counts changes of its inventory.
    pub version: u64,
    /// When this was true.
    pub as_of: Time,
    /// How many wait for what is sold out.
    pub waiting: i64,
    /// In live streams: whether these are all pools, or only those that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub full: Option<bool>,
    /// The pools, in order.
    pub pools: Vec<PoolView<'a>>,
}

/// What can be had of a pool.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PoolAvailability)]
pub struct PoolView<'a> {
    /// Key.
    pub key: &'a str,
    /// Units that exist.
    pub capacity: i64,
    /// Units that can be had now: 0 when the sale is over.
    pub available: i64,
    /// Units in live holds and reviews.
    pub held: i64,
    /// Units of confirmed and completed bookings.
    pub confirmed: i64,
    /// Units withheld from sale.
    pub blocked: i64,
    /// Units that nobody has and that are kept for those who wait.
    pub kept: i64,
    /// Price of a unit in minor units.
    pub price: i64,
    /// When it begins.
    pub starts_at: Option<Time>,
    /// When it ends.
    pub ends_at: Option<Time>,
    /// When the next live hold lapses.
    pub next_release_at: Option<Time>,
}

impl<'a> From<&'a PoolAvailability> for PoolView<'a> {
    fn from(pool: &'a PoolAvailability) -> Self {
        Self {
            key: &pool.key,
            capacity: pool.capacity,
            available: pool.available,
            held: pool.held,
            confirmed: pool.confirmed,
            blocked: pool.blocked,
            kept: pool.kept,
            price: pool.price,
            starts_at: pool.starts_at,
            ends_at: pool.ends_at,
            next_release_at: pool.next_release_at,
        }
    }
}

impl<'a> AvailabilityView<'a> {
    /// What can be had of these pools.
    pub fn new(of: &'a Availability, pools: impl IntoIterator<Item = &'a PoolAvailability>) -> Self {
        Self {
            listing_id: of.listing.id,
            version: of.version,
            as_of: of.as_of,
            waiting: of.waiting,
            full: None,
            pools: pools.into_iter().map(PoolView::from).collect(),
        }
    }
}
