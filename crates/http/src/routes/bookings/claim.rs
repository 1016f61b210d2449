//! What a request wants to book: exactly one of `lines`, `stay`, `slot` and `best_available`.

use lastseat_core::listing::request::{Claim, LineSpec, SlotSpec, StaySpec};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// So many seats, side by side if possible.
#[derive(Deserialize, Serialize, utoipa::ToSchema, Debug)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read to be checked; not offered yet")]
pub(crate) struct BestAvailable {
    /// Seats.
    #[schema(minimum = 1, maximum = 1000)]
    quantity: i64,
    /// What matters.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    preferences: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The one claim among what was given.
///
/// # Errors
/// `422 invalid` for none or several, and for what is not offered.
pub(crate) fn one_claim(
    lines: Option<Vec<LineSpec>>,
    stay: Option<StaySpec>,
    slot: Option<SlotSpec>,
    best_available: Option<&BestAvailable>,
) -> Result<Claim, Problem> {
    if best_available.is_some() {
        let text = "is not offered by this server; name the seats in lines";
        return Err(Problem::field("best_available", text));
    }
    match (lines, stay, slot) {
        (Some(lines), None, None) => Ok(Claim::Lines(lines)),
        (None, Some(stay), None) => Ok(Claim::Stay(stay)),
        (None, None, Some(slot)) => Ok(Claim::Slot(slot)),
        (None, None, None) => {
            Err(Problem::field("lines", "is missing; say what to book in lines, stay or slot"))
        }
        _ => Err(Problem::field("lines", "must stand alone: only one of lines, stay and slot can be booked")),
    }
}
