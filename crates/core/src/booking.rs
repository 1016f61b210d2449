//! Bookings: the row, its states, and how a row is folded from its events.

use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::id::{BookingId, BookingNo, KeyId, ListingNo, WaitlistId};
use crate::line::Lines;
use crate::time::Time;

/// Most receipts that one booking may carry.
pub const MAX_RECEIPTS: usize = 10;
/// Most payments and refunds that one booking may carry, each.
pub const MAX_PAYMENTS: usize = 100;

/// The state of a booking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The capacity is taken until the deadline; payment is awaited.
    Held,
    /// A receipt was handed in; an operator decides before the review deadline.
    InReview,
    /// Sold.
    Confirmed,
    /// Sold, and its end has passed.
    Completed,
    /// The deadline passed; the capacity is free again.
    Expired,
    /// The receipt was refused; the capacity is free again.
    Rejected,
    /// Called off; the capacity is free again.
    Cancelled,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Held,
        Self::InReview,
        Self::Confirmed,
        Self::Completed,
        Self::Expired,
        Self::Rejected,
        Self::Cancelled,
    ];

    /// The name as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::InReview => "in_review",
            Self::Confirmed => "confirmed",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether its units count as `held` in the pools.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Held | Self::InReview)
    }

    /// Whether its units count as `confirmed` in the pools.
    #[must_use]
    pub const fn sells(self) -> bool {
        matches!(self, Self::Confirmed | Self::Completed)
    }
}

/// Money that came in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// The payer's or the payment provider's reference; the same one twice is the same payment.
    pub reference: String,
    /// Minor units, at least 1.
    pub amount: i64,
    /// When it was recorded.
    pub at: Time,
}

/// An uploaded receipt. The bytes are in the file store under `file`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Key in the file store.
    pub file: String,
    /// Media type by content.
    pub media_type: String,
    /// Bytes as stored.
    pub size: u64,
    /// SHA-256 of what was stored, in hex.
    pub sha256: String,
    /// When it was handed in.
    pub at: Time,
    /// What the customer wrote beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What most bookings do not have.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Details {
    /// Whether the hold was extended already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extended: bool,
    /// Money in, oldest first. Its sum is `paid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// Money out, oldest first. Its sum is `refunded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Payment>,
    /// Receipts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
    /// The id of the booking in the system from which it was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_as: Option<String>,
    /// The entry of the waitlist to which it was offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
}

/// What a booking that was offered to a waiting customer says of that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// The entry of the waitlist.
    pub entry: WaitlistId,
    /// Whether the customer has taken it up: paid, handed in a receipt, or accepted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken: bool,
}

impl Details {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A booking as a store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// Number in the store; the reference is made from it.
    pub no: BookingNo,
    /// Public id.
    pub id: BookingId,
    /// The listing.
    pub listing: ListingNo,
    /// Which of the listing's policies it was made under.
    pub policy: u32,
    /// Counts changes of the row, from 1.
    pub version: u32,
    /// How many events it has.
    pub events: u32,
    /// Where it stands.
    pub state: State,
    /// What it claims, or claimed.
    pub lines: Lines,
    /// Price in minor units.
    pub total: i64,
    /// All money that came in, ever. `paid - refund_due - refunded` is what is applied to the booking.
    pub paid: i64,
    /// Money that has to go back.
    pub refund_due: i64,
    /// Money that went back.
    pub refunded: i64,
    /// When the hold or the review lapses; none in the other states.
    pub deadline: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// Who it is for.
    pub customer: Customer,
    /// From which address it was made, as a keyed digest, where holds per address are limited.
    pub address: Option<String>,
    /// What the customer wrote.
    pub note: Option<String>,
    /// Why it is in its state, where that needs saying.
    pub reason: Option<String>,
    /// Who confirmed, approved, rejected or cancelled it.
    pub decided_by: Option<String>,
    /// When that was.
    pub decided_at: Option<Time>,
    /// The API key that made it.
    pub created_by: Option<KeyId>,
    /// The rest.
    pub details: Details,
}

impl Booking {
    /// Money that pays for the booking now.
    #[must_use]
    pub const fn applied(&self) -> i64 {
        self.paid - self.refund_due - self.refunded
    }
}

/// What an event says about a booking's row: the fields that it changed, with their new values. The first
/// event of a booking names them all; so folding the events of a booking, in order, gives its row.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Patch {
    /// See [`Booking::state`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// See [`Booking::lines`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Lines>,
    /// See [`Booking::total`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// See [`Booking::paid`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<i64>,
    /// See [`Booking::refund_due`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_due: Option<i64>,
    /// See [`Booking::refunded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded: Option<i64>,
    /// See [`Booking::deadline`]; `Some(None)` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double")]
    pub deadline: Option<Option<Time>>,
    /// See [`Booking::reason`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double")]
    pub reason: Option<Option<String>>,
    /// See [`Booking::decided_by`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double")]
    pub decided_by: Option<Option<String>>,
    /// See [`Booking::decided_at`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "double")]
    pub decided_at: Option<Option<Time>>,
    /// See [`Booking::details`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
    /// What never changes; in the first event only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Box<Created>>,
}

/// The fields of a booking that are set when it is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Created {
    /// See [`Booking::policy`].
    pub policy: u32,
    /// See [`Booking::created_at`].
    pub at: Time,
    /// See [`Booking::customer`].
    pub customer: Customer,
    /// See [`Booking::address`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// See [`Booking::note`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// See [`Booking::created_by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<KeyId>,
}

/// A nullable field inside an optional one: absent is "unchanged", `null` is "none now".
mod double {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::option_option, reason = "unchanged, none and some are three things")]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        v: &Option<Option<T>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        v.as_ref().and_then(Option::as_ref).serialize(s)
    }

    #[allow(clippy::option_option, reason = "unchanged, none and some are three things")]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(d).map(Some)
    }
}

fn changed<T: Clone + PartialEq>(old: &T, new: &T) -> Option<T> {
    (old != new).then(|| new.clone())
}

impl Patch {
    /// What a first event says: everything.
    #[must_use]
    pub fn first(new: &Booking) -> Self {
        Self {
            state: Some(new.state),
            lines: Some(new.lines.clone()),
            total: Some(new.total),
            paid: (new.paid != 0).then_some(new.paid),
            refund_due: (new.refund_due != 0).then_some(new.refund_due),
            refunded: (new.refunded != 0).then_some(new.refunded),
            deadline: new.deadline.map(Some),
            reason: new.reason.clone().map(Some),
            decided_by: new.decided_by.clone().map(Some),
            decided_at: new.decided_at.map(Some),
            details: (!new.details.is_empty()).then(|| new.details.clone()),
            created: Some(Box::new(Created {
                policy: new.policy,
                at: new.created_at,
                customer: new.customer.clone(),
                address: new.address.clone(),
                note: new.note.clone(),
                by: new.created_by,
            })),
        }
    }

    /// What changed from `old` to `new`.
    #[must_use]
    pub fn between(old: &Booking, new: &Booking) -> Self {
        Self {
            state: changed(&old.state, &new.state),
            lines: changed(&old.lines, &new.lines),
            total: changed(&old.total, &new.total),
            paid: changed(&old.paid, &new.paid),
            refund_due: changed(&old.refund_due, &new.refund_due),
            refunded: changed(&old.refunded, &new.refunded),
            deadline: changed(&old.deadline, &new.deadline),
            reason: changed(&old.reason, &new.reason),
            decided_by: changed(&old.decided_by, &new.decided_by),
            decided_at: changed(&old.decided_at, &new.decided_at),
            details: changed(&old.details, &new.details),
            created: None,
        }
    }

    /// Writes the changed fields into `row`.
    pub fn apply(&self, row: &mut Booking) {
        fn set<T: Clone>(field: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                *field = value.clone();
            }
        }
        set(&mut row.state, self.state.as_ref());
        set(&mut row.lines, self.lines.as_ref());
        set(&mut row.total, self.total.as_ref());
        set(&mut row.paid, self.paid.as_ref());
        set(&mut row.refund_due, self.refund_due.as_ref());
        set(&mut row.refunded, self.refunded.as_ref());
        set(&mut row.deadline, self.deadline.as_ref());
        set(&mut row.reason, self.reason.as_ref());
        set(&mut row.decided_by, self.decided_by.as_ref());
        set(&mut row.decided_at, self.decided_at.as_ref());
        set(&mut row.details, self.details.as_ref());
    }
}

/// One event of a booking, as far as folding needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Version of the row after the event's transition.
    pub version: u32,
    /// Number of the event within the booking, from 1.
    pub seq: u32,
    /// What changed.
    pub patch: Patch,
}

/// Folds the events of one booking, in order, to its row. With the events up to a version it gives the row
/// as it was then. `None` if there are none or the first does not say how the booking was made.
#[must_use]
pub fn fold<'a>(
    no: BookingNo,
    id: BookingId,
    listing: ListingNo,
    steps: impl IntoIterator<Item = &'a Step>,
) -> Option<Booking> {
    let mut steps = steps.into_iter();
    let first = steps.next()?;
    let created = first.patch.created.as_deref()?;
    let mut row = Booking {
        no,
        id,
        listing,
        policy: created.policy,
        version: first.version,
        events: first.seq,
        state: first.patch.state?,
        lines: first.patch.lines.clone()?,
        total: first.patch.total?,
        paid: 0,
        refund_due: 0,
        refunded: 0,
        deadline: None,
        created_at: created.at,
        customer: created.customer.clone(),
        address: created.address.clone(),
        note: created.note.clone(),
        reason: None,
        decided_by: None,
        decided_at: None,
        created_by: created.by,
        details: Details::default(),
    };
    first.patch.apply(&mut row);
    for step in steps {
        step.patch.apply(&mut row);
        row.version = step.version;
        row.events = step.seq;
    }
    Some(row)
}
