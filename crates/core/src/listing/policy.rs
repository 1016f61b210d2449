//! Policies: what a sale is subject to. A change is for new bookings; each booking keeps the one it was
//! made under.

use serde::{Deserialize, Serialize};

/// Longest hold, in seconds.
pub const MAX_HOLD_SECONDS: i64 = 86_400;
/// Longest review, and longest absolute limit of a hold, in seconds: 90 days.
pub const MAX_REVIEW_SECONDS: i64 = 90 * 86_400;
/// Most units of one booking.
pub const MAX_QUANTITY: i64 = 1_000;
/// Most policies that a listing may have had.
pub const MAX_POLICIES: usize = 1_000;

/// A way to pay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// The customer uploads a receipt and an operator approves it.
    Receipt,
    /// An integrator or operator took the money and confirms.
    External,
    /// Gift cards.
    GiftCard,
}

/// The terms of a sale. In JSON every field may be left out and has its default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Accepted ways to pay. Empty: no payment is due, a booking is confirmed at once.
    pub payment: Vec<PaymentMethod>,
    /// How to pay, in words for the customer.
    pub payment_instructions: Option<String>,
    /// How long a hold lasts; 1 to 86,400.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 86400))]
    pub hold_seconds: i64,
    /// How long a hold may last with its extension, from its creation; default the larger of 1,800 and
    /// `hold_seconds`.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 7_776_000))]
    pub hold_max_seconds: Option<i64>,
    /// How long an operator has to decide on a receipt.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 7_776_000))]
    pub review_seconds: i64,
    /// Most units of one booking; 1 to 1,000.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000))]
    pub max_quantity: i64,
    /// Most units of one customer in this listing.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub max_per_customer: Option<i64>,
    /// Most live holds of one customer in this listing.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub max_open_holds: Option<i64>,
    /// Until how long before the start a customer may cancel; later only operators.
    #[cfg_attr(feature = "openapi", schema(minimum = 0))]
    pub cancel_until_seconds: i64,
    /// Whether those who find it sold out may wait.
    pub waitlist: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            payment: Vec::new(),
            payment_instructions: None,
            hold_seconds: 600,
            hold_max_seconds: None,
            review_seconds: 86_400,
            max_quantity: 10,
            max_per_customer: None,
            max_open_holds: None,
            cancel_until_seconds: 0,
            waitlist: true,
        }
    }
}

impl Policy {
    /// The longest time from creation that a hold may last, in seconds.
    #[must_use]
    pub fn hold_max(&self) -> i64 {
        self.hold_max_seconds.unwrap_or_else(|| self.hold_seconds.max(1800))
    }

    /// Whether a booking of this price has to be paid before it is confirmed.
    #[must_use]
    pub fn payment_due(&self, total: i64) -> bool {
        total > 0 && !self.payment.is_empty()
    }

    /// Whether it limits what one customer may have.
    #[must_use]
    pub const fn limits_customers(&self) -> bool {
        self.max_per_customer.is_some() || self.max_open_holds.is_some()
    }
}
