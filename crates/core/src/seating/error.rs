//! Why a plan is refused, and where in it the reason is.

use std::fmt;

use thiserror::Error;

use super::{MAX_GUID_BYTES, MAX_SEATS};

/// Why a plan is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {fault}")]
pub struct PlanError {
    /// Where in the plan.
    pub place: PlanPlace,
    /// What is wrong there.
    pub fault: PlanFault,
}

/// What is wrong at a place of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanFault {
    /// The bytes are not JSON; the parser's message, with line and column.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// A field is missing that a plan cannot be read without.
    #[error("is missing")]
    Missing,
    /// A field has another type than the format says.
    #[error("must be {expected}")]
    WrongType {
        /// What the format says, with its article.
        expected: &'static str,
    },
    /// A guid has no characters.
    #[error("is empty")]
    GuidEmpty,
    /// A guid has more than [`MAX_GUID_BYTES`].
    #[error("has {bytes} bytes, more than {MAX_GUID_BYTES}")]
    GuidTooLong {
        /// The bytes it has.
        bytes: usize,
    },
    /// A guid has control characters.
    #[error("has control characters")]
    GuidHasControlCharacters,
    /// An earlier seat has the same guid.
    #[error("`{guid}` is already the guid of {first}")]
    GuidTaken {
        /// The guid.
        guid: String,
        /// The seat that has it.
        first: Box<PlanPlace>,
    },
    /// A seat names a category that the plan does not have.
    #[error("the plan has no category `{name}`")]
    UnknownCategory {
        /// The name, cut to a length that can be shown.
        name: String,
    },
    /// The plan has more than [`MAX_SEATS`]; the place is the first beyond.
    #[error("the plan has more than {MAX_SEATS} seats")]
    TooManySeats,
    /// The position of a seat, added to those of its row and zone, is not a finite number.
    #[error("is not a finite position")]
    NotFinite,
    /// A width or height is less than 0.
    #[error("must not be negative")]
    Negative,
}

/// A place in a plan, written as a path: `zones[0].rows[2].seats[3].seat_guid`. Indexes count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanPlace {
    /// Index of the category.
    pub category: Option<usize>,
    /// Index of the zone.
    pub zone: Option<usize>,
    /// Index of the row in its zone.
    pub row: Option<usize>,
    /// Index of the seat in its row.
    pub seat: Option<usize>,
    /// The field there, with that around it: `position.x`. Empty for the thing itself.
    pub field: &'static str,
}

impl fmt::Display for PlanPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indexes =
            [("categories", self.category), ("zones", self.zone), ("rows", self.row), ("seats", self.seat)];
        let mut dot = "";
        for (list, index) in indexes {
            if let Some(index) = index {
                write!(f, "{dot}{list}[{index}]")?;
                dot = ".";
            }
        }
        match (dot, self.field) {
            ("", "") => f.write_str("plan"),
            (_, "") => Ok(()),
            (dot, field) => write!(f, "{dot}{field}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_paths() {
        let seat = PlanPlace { zone: Some(0), row: Some(2), seat: Some(13), ..PlanPlace::default() };
        assert_eq!(seat.to_string(), "zones[0].rows[2].seats[13]");
        assert_eq!(
            PlanPlace { field: "position.x", ..seat }.to_string(),
            "zones[0].rows[2].seats[13].position.x"
        );
        assert_eq!(PlanPlace { field: "size.width", ..PlanPlace::default() }.to_string(), "size.width");
        assert_eq!(PlanPlace { category: Some(1), ..PlanPlace::default() }.to_string(), "categories[1]");
        assert_eq!(PlanPlace::default().to_string(), "plan");
    }

    #[test]
    fn errors_tell_the_place_and_what_is_wrong_there() {
        let place = PlanPlace {
            zone: Some(1),
            row: Some(0),
            seat: Some(4),
            field: "seat_guid",
            ..PlanPlace::default()
        };
        let first = PlanPlace { zone: Some(0), row: Some(0), seat: Some(0), ..PlanPlace::default() };
        let error = PlanError {
            place,
            fault: PlanFault::GuidTaken { guid: "A-1".to_owned(), first: Box::new(first) },
        };
        assert_eq!(
            error.to_string(),
            "zones[1].rows[0].seats[4].seat_guid: `A-1` is already the guid of zones[0].rows[0].seats[0]"
        );
    }
}
