//! Refusals: every way in which the engine says no. One closed list of codes, in order of precedence; each
//! has one HTTP status, one title and one page in `docs/errors/`.

use serde::Serialize;

use crate::booking::State;
use crate::id::ListingId;
use crate::time::Time;
use crate::waitlist::Standing;

/// A wrong field of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Path of the field, `customer.name` for example.
    pub field: String,
    /// What is wrong with it, as a fragment that reads after the field's name.
    pub message: String,
}

impl FieldError {
    /// An error at `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A pool that could not give what was asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShortPool {
    /// Key of the pool.
    pub key: String,
    /// Units asked for (for a capacity change: units that the new capacity would leave to sell).
    pub requested: i64,
    /// Units that can be had.
    pub available: i64,
    /// Units in live holds; some of them may come back.
    pub held: i64,
    /// Units of confirmed and completed bookings.
    pub confirmed: i64,
    /// When the next live hold lapses.
    pub next_release_at: Option<Time>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// The stable code of a refusal. The order is the order of precedence: where several apply, the
        /// first is told. The last three may be told at any time.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// A short sentence for people, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is larger than allowed.
    TooLarge = "too_large", 413, "The request is too large";
    /// The body is of a type that the route does not take.
    UnsupportedMediaType = "unsupported_media_type", 415, "This type of content is not accepted here";
    /// The body or a parameter cannot be read at all.
    Malformed = "malformed", 400, "The request cannot be read";
    /// A credential is missing or wrong.
    Unauthenticated = "unauthenticated", 401, "A valid API key is needed";
    /// No such thing, or not for this caller.
    NotFound = "not_found", 404, "There is nothing here";
    /// The route does not know the method.
    MethodNotAllowed = "method_not_allowed", 405, "This method is not allowed here";
    /// The caller is known but may not do this.
    Forbidden = "forbidden", 403, "This key may not do that";
    /// Fields are wrong.
    Invalid = "invalid", 422, "Some of the request is not valid";
    /// The idempotency key belongs to another request.
    IdempotencyMismatch = "idempotency_mismatch", 422, "This idempotency key was used for another request";
    /// The booking is in a state that does not allow it.
    WrongState = "wrong_state", 409, "The state does not allow this";
    /// The hold has lapsed.
    HoldExpired = "hold_expired", 409, "The hold has lapsed";
    /// The version named in `If-Match` is not the current one.
    StaleVersion = "stale_version", 409, "This has changed in the meantime";
    /// The listing, or one of the pools, is not on sale now.
    NotOnSale = "not_on_sale", 409, "This is not on sale now";
    /// The listing has a waiting room, and the request no pass.
    PassRequired = "pass_required", 403, "A pass from the waiting room is needed";
    /// The pass is unknown, used or over.
    PassInvalid = "pass_invalid", 403, "The pass is not valid";
    /// The price differs from the one that was expected.
    PriceChanged = "price_changed", 409, "The price has changed";
    /// The customer has as much as one may have.
    CustomerLimit = "customer_limit", 409, "The limit for one customer is reached";
    /// Not enough left.
    SoldOut = "sold_out", 409, "Sold out";
    /// More is held and confirmed than the new capacity would allow.
    CapacityInUse = "capacity_in_use", 409, "The capacity is in use";
    /// The waiting room takes nobody in.
    QueueClosed = "queue_closed", 409, "The waiting room is closed";
    /// The gift card was refused.
    GiftCardRefused = "gift_card_refused", 422, "The gift card was refused";
    /// Too many requests from one place.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The engine has all it can do; nothing was begun.
    Overloaded = "overloaded", 503, "Too busy at the moment";
    /// The store cannot be reached or written.
    Unavailable = "unavailable", 503, "Not available at the moment";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a refusal tells beyond its code and its sentence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum RefusalData {
    /// Nothing.
    #[default]
    None,
    /// The wrong fields.
    Fields(Vec<FieldError>),
    /// The state in which the booking is, and who brought it there and when.
    State {
        /// The state.
        state: State,
        /// Who decided.
        decided_by: Option<String>,
        /// When.
        decided_at: Option<Time>,
    },
    /// Where an entry of a waitlist stands.
    Standing(Standing),
    /// The current version.
    Version(u64),
    /// The total that would be asked now, in minor units.
    Total(i64),
    /// The pools that are short; of who wants to wait for what can be had: those.
    Pools {
        /// The pools.
        pools: Vec<ShortPool>,
        /// The listing whose waitlist can be joined, where there is one.
        waitlist: Option<ListingId>,
    },
    /// When to come back, in seconds.
    RetryAfter(u32),
}

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What happened in this case and what the person can do: one or two sentences.
    pub detail: String,
    /// The facts behind it.
    pub data: RefusalData,
}

impl Refusal {
    /// A refusal with a sentence and no further facts.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), data: RefusalData::None }
    }

    /// A refusal with facts.
    #[must_use]
    pub fn with(code: Code, detail: impl Into<String>, data: RefusalData) -> Self {
        Self { code, detail: detail.into(), data }
    }

    /// `422 invalid` for these fields. The sentence names the first.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [] => "The request is not valid.".to_owned(),
            [one] => format!("{} {}.", one.field, one.message),
            [first, rest @ ..] => format!("{} {} (and {} more).", first.field, first.message, rest.len()),
        };
        Self::with(Code::Invalid, detail, RefusalData::Fields(errors))
    }

    /// `422 invalid` for one field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }

    /// `404 not_found` for a thing of this kind.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}, or it is not yours to see."))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_the_documented_order() {
        let order: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(
            order.join(" "),
            "too_large unsupported_media_type malformed unauthenticated not_found method_not_allowed \
             forbidden invalid idempotency_mismatch wrong_state hold_expired stale_version not_on_sale \
             pass_required pass_invalid price_changed customer_limit sold_out capacity_in_use \
             queue_closed gift_card_refused rate_limited overloaded unavailable"
        );
        assert!(Code::ALL.is_sorted());
    }
}
