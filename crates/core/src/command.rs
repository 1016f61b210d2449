//! Commands: everything that can be asked of the engine to change, as plain data, with who asks.

use std::sync::Arc;

use crate::booking::{Receipt, State};
use crate::customer::Customer;
use crate::id::{BookingId, KeyId, ListingId, WaitlistId};
use crate::listing::request::Claim;
use crate::listing::spec::ListingSpec;
use crate::time::Time;

/// What an API key may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Bookings, approvals, reading.
    Operator,
    /// Reads listings; creates bookings; reads, confirms, cancels and reschedules those it made.
    Integrator,
}

impl Role {
    /// The name as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Integrator => "integrator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Admin, Self::Operator, Self::Integrator].into_iter().find(|role| role.as_str() == name)
    }
}

/// Who asks. Adapters authenticate; the core decides what that permits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Anybody.
    Public,
    /// Who holds the booking's token.
    Owner,
    /// An API key.
    Key {
        /// Its id.
        id: KeyId,
        /// Its role.
        role: Role,
        /// Its name, by which decisions are signed.
        name: Arc<str>,
    },
    /// The engine itself.
    System,
}

impl Actor {
    /// Whether it may see and decide all bookings.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        matches!(self, Self::Key { role: Role::Admin | Role::Operator, .. } | Self::System)
    }

    /// Whether it may change listings and keys.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        matches!(self, Self::Key { role: Role::Admin, .. } | Self::System)
    }

    /// The key, if it is one.
    #[must_use]
    pub const fn key(&self) -> Option<KeyId> {
        match self {
            Self::Key { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// How events name it.
    #[must_use]
    pub fn event_name(&self) -> String {
        match self {
            Self::Public => "public".to_owned(),
            Self::Owner => "owner".to_owned(),
            Self::Key { id, .. } => id.to_string(),
            Self::System => "system".to_owned(),
        }
    }

    /// How decisions are signed, for people.
    #[must_use]
    pub fn signature(&self) -> String {
        match self {
            Self::Key { name, .. } => name.to_string(),
            other => other.event_name(),
        }
    }
}

/// An idempotency key as the engine keeps it: digests, so that rows are small and reveal nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct IdempotencyKey(pub [u8; 16]);

/// An idempotency key with the fingerprint of the request it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Idempotency {
    /// Digest of caller, method, route and key.
    pub key: IdempotencyKey,
    /// Digest of path, query and body.
    pub fingerprint: [u8; 16],
}

/// One thing to do, from one caller.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Who asks.
    pub actor: Actor,
    /// Under which key, if any.
    pub idempotency: Option<Idempotency>,
    /// The version that the caller has seen, if it cares.
    pub if_match: Option<u64>,
    /// What to do.
    pub action: Action,
}

impl Command {
    /// A command without idempotency key and version.
    #[must_use]
    pub const fn new(actor: Actor, action: Action) -> Self {
        Self { actor, idempotency: None, if_match: None, action }
    }
}

/// What can be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Book.
    CreateBooking(Box<CreateBooking>),
    /// Do something with a booking.
    Booking {
        /// Which.
        id: BookingId,
        /// What.
        change: BookingChange,
    },
    /// Take in a booking from elsewhere.
    ImportBooking(Box<ImportBooking>),
    /// Make a listing.
    CreateListing {
        /// The id that it gets.
        id: ListingId,
        /// What it says.
        spec: Box<ListingSpec>,
    },
    /// Edit a listing.
    PatchListing {
        /// Which.
        id: ListingId,
        /// A JSON merge patch (RFC 7396) of its form.
        patch: Box<serde_json::Value>,
    },
    /// Change capacities, blocked units and prices.
    PutPools {
        /// Of which listing.
        id: ListingId,
        /// What.
        change: PoolsChange,
    },
    /// Make an API key.
    CreateKey(Box<NewKey>),
    /// Take an API key away.
    RevokeKey {
        /// Which.
        id: KeyId,
    },
    /// Wait for what is sold out.
    JoinWaitlist(Box<JoinWaitlist>),
    /// Wait no more, or decline what was offered.
    LeaveWaitlist {
        /// Which entry.
        id: WaitlistId,
    },
    /// Do what is due: settle bookings whose `due_at` has come.
    SettleDue {
        /// At most so many.
        limit: u32,
    },
    /// Go on with renewing the `due_at` of bookings after a listing was edited.
    RenewDue {
        /// At most so many.
        limit: u32,
    },
}

/// A new booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateBooking {
    /// The id that it gets.
    pub id: BookingId,
    /// The listing.
    pub listing: ListingId,
    /// What is wanted.
    pub claim: Claim,
    /// The total that the customer saw, in minor units.
    pub expected_total: Option<i64>,
    /// Who it is for.
    pub customer: Customer,
    /// The address it comes from, as a keyed digest, where holds per address are limited.
    pub address: Option<String>,
    /// Most live holds of that address in all listings.
    pub max_open_holds_of_address: Option<i64>,
    /// What the customer wrote.
    pub note: Option<String>,
    /// A pass of the waiting room.
    pub pass: Option<String>,
}

/// A new entry of a waitlist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinWaitlist {
    /// The id that it gets.
    pub id: WaitlistId,
    /// The listing.
    pub listing: ListingId,
    /// What is waited for.
    pub want: WaitFor,
    /// Who waits.
    pub customer: Customer,
    /// The address it comes from, as a keyed digest, where holds per address are limited.
    pub address: Option<String>,
    /// Most live holds of that address in all listings.
    pub max_open_holds_of_address: Option<i64>,
    /// Until when; none: until the sale is over.
    pub until: Option<Time>,
}

/// What a customer waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WaitFor {
    /// Exactly this.
    Claim(Claim),
    /// So many units of whatever pools of the listing.
    Any(i64),
}

/// What can be done with a booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BookingChange {
    /// Hand in a receipt. Its time is set when it is decided.
    SubmitReceipt(Box<Receipt>),
    /// Money came in.
    Confirm(MoneyIn),
    /// Take up what was offered, where nothing has to be paid.
    Accept,
    /// The receipt is good.
    Approve,
    /// The receipt is not good.
    Reject {
        /// Why; the customer reads it.
        reason: String,
    },
    /// Call it off.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
    /// Move the hold's deadline.
    Extend {
        /// By so much.
        seconds: i64,
    },
    /// Claim something else instead.
    Reschedule {
        /// What.
        claim: Claim,
    },
    /// Money went back.
    Refund {
        /// How much, in minor units.
        amount: i64,
        /// Reference of the transfer; the same one twice is the same refund.
        reference: String,
    },
}

/// Money that came in.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MoneyIn {
    /// Minor units.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub amount: i64,
    /// ISO 4217 code; must be the booking's.
    pub currency: String,
    /// The payment's reference; the same one twice is the same payment.
    pub reference: String,
}

/// A booking from elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportBooking {
    /// The id that it gets.
    pub id: BookingId,
    /// The listing.
    pub listing: ListingId,
    /// What it claims.
    pub claim: Claim,
    /// Who it is for.
    pub customer: Customer,
    /// Where it stands.
    pub state: State,
    /// When it was made; default now.
    pub created_at: Option<Time>,
    /// Money that came in, in minor units.
    pub paid: i64,
    /// Its id there; a second one with the same is skipped.
    pub external_id: Option<String>,
}

/// A change of capacities, blocked units and prices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PoolsChange {
    /// Of these pools.
    Pools(Vec<PoolSpec>),
    /// Of one resource on a stretch of dates.
    Range(PoolRange),
}

/// New numbers for a pool; what is left out stays.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PoolSpec {
    /// Key of the pool. A new key adds a pool to listings of the kind `places`.
    pub key: String,
    /// Units that exist.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000))]
    pub capacity: Option<i64>,
    /// Units withheld from sale.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000))]
    pub blocked: Option<i64>,
    /// Price of a unit in minor units, for new bookings.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000_000_000_i64))]
    pub price: Option<i64>,
}

/// New numbers for a resource on a stretch of dates; what is left out stays.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PoolRange {
    /// Key of the resource.
    pub resource: String,
    /// First date.
    #[serde(with = "crate::calendar::date_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub from: jiff::civil::Date,
    /// The date after the last.
    #[serde(with = "crate::calendar::date_text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub until: jiff::civil::Date,
    /// Units that exist.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000))]
    pub capacity: Option<i64>,
    /// Units withheld from sale.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000))]
    pub blocked: Option<i64>,
    /// Price of a unit in minor units, for new bookings.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1_000_000_000_000_i64))]
    pub price: Option<i64>,
}

/// An API key that is about to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// What it may do.
    pub role: Role,
    /// What people call it; decisions are signed with it.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
}
