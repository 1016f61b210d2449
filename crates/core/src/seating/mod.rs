//! Seating plans: which seats a hall has, where they are and what they are called.
//!
//! Plans come in the JSON format of the pretix seating plan editor: [`SeatingPlan::parse`] reads them,
//! [`sample_plan`] writes one. A plan is read as a whole or refused with a [`PlanError`] that names the
//! place.

mod error;
mod pretix;
mod sample;
mod walk;

use std::sync::Arc;

use serde::Serialize;

pub use error::{PlanError, PlanFault, PlanPlace};
pub use sample::{SAMPLE_CATEGORIES, sample_plan};

/// The most seats of a plan.
pub const MAX_SEATS: usize = 60_000;
/// The longest guid of a seat, in bytes.
pub const MAX_GUID_BYTES: usize = 200;
/// The colour of a category that names none, or none that a page can show.
pub const DEFAULT_COLOR: &str = "#7f7f7f";

/// A seating plan. Lengths are in the pixels of the plan, x to the right, y down.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeatingPlan {
    /// The name of the plan; may be empty.
    pub name: String,
    /// The size of the whole drawing.
    pub size: Size,
    /// The categories in the order of the plan, each name once.
    pub categories: Vec<Category>,
    /// The seats in the order of the plan: zone by zone, row by row. At most [`MAX_SEATS`].
    pub seats: Vec<Seat>,
}

/// Width and height in pixels; both greater than 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Size {
    /// From the left edge to the right one.
    pub width: f64,
    /// From the upper edge to the lower one.
    pub height: f64,
}

/// A category of seats, for which a listing names a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    /// The name, unique in its plan.
    pub name: String,
    /// A CSS colour that is safe to put into a page; [`DEFAULT_COLOR`] where the plan has none.
    pub color: String,
}

/// One seat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seat {
    /// What names the seat: unique in its plan, 1 to [`MAX_GUID_BYTES`] bytes, without control characters.
    pub guid: String,
    /// The name of the zone, shared by its seats; may be empty.
    pub zone: Arc<str>,
    /// The number or letter of the row, shared by its seats; may be empty.
    pub row: Arc<str>,
    /// The number of the seat in its row; may be empty.
    pub number: String,
    /// Index into [`SeatingPlan::categories`].
    pub category: usize,
    /// The middle of the seat, from the left edge of the plan. Finite.
    pub x: f64,
    /// The middle of the seat, from the upper edge of the plan. Finite.
    pub y: f64,
}
