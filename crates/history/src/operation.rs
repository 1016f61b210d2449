//! Operations: what a client asked, what it was told, and between which instants.

use serde::{Deserialize, Serialize};

/// One operation of one client.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its number in the history, unique.
    pub id: u64,
    /// Before the request was sent, in microseconds of the clock that all clients share.
    pub started_us: i64,
    /// After the answer was read, or after the client gave up; none if it never did either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_us: Option<i64>,
    /// The idempotency key, unique within caller and kind of request: where several callers may choose the
    /// same one, put the caller in front.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What was asked.
    pub ask: Ask,
    /// What was told.
    pub answer: Answer,
}

/// Units of one pool.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Key of the pool.
    pub pool: String,
    /// Units.
    pub quantity: i64,
}

/// What a client asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A new booking.
    Create {
        /// In which listing.
        listing: String,
        /// Who it counts against: the identity, not the name. None counts against nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// What it claims.
        lines: Vec<Line>,
    },
    /// Money came in.
    Confirm {
        /// For which booking.
        booking: String,
        /// The payment's reference.
        reference: String,
        /// Minor units.
        amount: i64,
    },
    /// A booking is called off.
    Cancel {
        /// Which.
        booking: String,
    },
    /// A hold gets more time.
    Extend {
        /// Which.
        booking: String,
        /// How many seconds more.
        seconds: i64,
    },
    /// A booking claims other units instead.
    Reschedule {
        /// Which.
        booking: String,
        /// What it claims now.
        lines: Vec<Line>,
    },
    /// Any other change of a booking: a receipt, an approval, a refund. What it may lead to is not judged.
    Other {
        /// Which.
        booking: String,
        /// What, for people.
        what: String,
    },
    /// A booking is read.
    Read {
        /// Which.
        booking: String,
    },
    /// Availability is read.
    Availability {
        /// Of which listing.
        listing: String,
    },
    /// Pools get new numbers, all or none.
    SetPools {
        /// In which listing.
        listing: String,
        /// The pools with both of their numbers.
        pools: Vec<PoolNumbers>,
    },
}

/// New numbers of a pool. Where a request leaves one out, the recorder writes the one that stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolNumbers {
    /// Key of the pool.
    pub key: String,
    /// Units that exist.
    pub capacity: i64,
    /// Units withheld from sale.
    #[serde(default)]
    pub blocked: i64,
}

/// What a client was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing that says whether it happened: a lost connection, a timeout, any 5xx. It may have happened or
    /// not, at any time after its start, also after the client gave up; at most once per idempotency key.
    Unknown,
    /// A success with the booking.
    Booking {
        /// As it was told.
        booking: BookingView,
        /// Whether it was marked as a repetition of an earlier answer.
        #[serde(default)]
        replayed: bool,
    },
    /// Availability of a listing.
    Availability {
        /// Its inventory's version.
        version: u64,
        /// When it was true, in milliseconds of the server's clock.
        as_of_ms: i64,
        /// The pools that were told.
        pools: Vec<PoolReading>,
    },
    /// A success that says nothing more, for [`Ask::SetPools`].
    Done,
    /// A refusal. The codes `overloaded` and `unavailable` are treated as [`Answer::Unknown`].
    Refused {
        /// Its stable code, `sold_out` for example.
        code: String,
        /// The pools that it names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pools: Vec<ShortPool>,
        /// The booking's state that it names.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<State>,
    },
}

/// A booking as a client sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookingView {
    /// Its id.
    pub id: String,
    /// Counts its changes, from 1.
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// Its listing.
    pub listing: String,
    /// Who it counts against, as in [`Ask::Create`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What it claims, or claimed.
    pub lines: Vec<Line>,
    /// Its price in minor units.
    #[serde(default)]
    pub total: i64,
    /// Money that came in.
    #[serde(default)]
    pub paid: i64,
    /// Money that has to go back.
    #[serde(default)]
    pub refund_due: i64,
    /// Money that went back.
    #[serde(default)]
    pub refunded: i64,
    /// When it was made, in milliseconds of the server's clock.
    pub created_at_ms: i64,
    /// When it next changes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at_ms: Option<i64>,
    /// When it was confirmed, approved, rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at_ms: Option<i64>,
}

/// The state of a booking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Taken until `due_at`; payment is awaited.
    Held,
    /// Taken until the review's deadline.
    InReview,
    /// Sold.
    Confirmed,
    /// Sold, and its end has passed.
    Completed,
    /// The deadline passed.
    Expired,
    /// The receipt was refused.
    Rejected,
    /// Called off.
    Cancelled,
}

impl State {
    /// Whether its units count as held.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Held | Self::InReview)
    }

    /// Whether its units count as confirmed.
    #[must_use]
    pub const fn sells(self) -> bool {
        matches!(self, Self::Confirmed | Self::Completed)
    }
}

/// A pool in an availability reading.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolReading {
    /// Key of the pool.
    pub key: String,
    /// Units that exist.
    pub capacity: i64,
    /// Units withheld from sale.
    #[serde(default)]
    pub blocked: i64,
    /// Units in live holds.
    pub held: i64,
    /// Units that are sold.
    pub confirmed: i64,
    /// Units that can be had.
    pub available: i64,
}

/// A pool that a refusal names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortPool {
    /// Key of the pool.
    pub key: String,
    /// Units asked for.
    pub requested: i64,
    /// Units that could be had.
    pub available: i64,
    /// Units in live holds.
    pub held: i64,
}

impl Ask {
    /// A word for people and for telling keys of different routes apart.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Confirm { .. } => "confirm",
            Self::Cancel { .. } => "cancel",
            Self::Extend { .. } => "extend",
            Self::Reschedule { .. } => "reschedule",
            Self::Other { .. } => "other",
            Self::Read { .. } => "read",
            Self::Availability { .. } => "availability",
            Self::SetPools { .. } => "set_pools",
        }
    }

    /// The booking that it names.
    #[must_use]
    pub fn booking(&self) -> Option<&str> {
        match self {
            Self::Confirm { booking, .. }
            | Self::Cancel { booking }
            | Self::Extend { booking, .. }
            | Self::Reschedule { booking, .. }
            | Self::Other { booking, .. }
            | Self::Read { booking } => Some(booking),
            Self::Create { .. } | Self::Availability { .. } | Self::SetPools { .. } => None,
        }
    }

    /// Whether it changes the booking that it names.
    #[must_use]
    pub const fn changes_booking(&self) -> bool {
        matches!(
            self,
            Self::Confirm { .. }
                | Self::Cancel { .. }
                | Self::Extend { .. }
                | Self::Reschedule { .. }
                | Self::Other { .. }
        )
    }
}

impl Answer {
    /// Whether nothing is known of its outcome.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Refused { code, .. } => code == "overloaded" || code == "unavailable",
            _ => false,
        }
    }

    /// Whether it certainly changed nothing.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. }) && !self.is_unknown()
    }
}
