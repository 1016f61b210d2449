//! What clients see: rows as JSON, exactly as the contract has them. Pools go by their keys, money in minor
//! units, instants in UTC.

pub mod availability;
pub mod booking;
pub mod event;
pub mod key;
pub mod listing;
pub mod waitlist;

pub use availability::{AvailabilityView, PoolView};
pub use booking::{BookingView, CustomerView, LineView};
pub use event::EventView;
pub use key::KeyView;
pub use listing::ListingView;
pub use waitlist::EntryView;
