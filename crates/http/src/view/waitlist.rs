//! An entry of a waitlist as JSON.

use lastseat_core::booking::State;
use lastseat_core::command::Actor;
use lastseat_core::id::{BookingId, ListingId, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::time::Time;
use lastseat_core::waitlist::{Ended, Entry, Standing, Want};
use lastseat_engine::{Engine, WaitlistEntry};
use serde::Serialize;

use super::CustomerView;

/// Somebody who waits, or waited, for what is sold out.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WaitlistEntry)]
pub struct EntryView<'a> {
    /// Id.
    #[schema(value_type = String, pattern = "^wtl_[0-7][0-9a-hjkmnp-tv-z]{25}$")]
    pub id: WaitlistId,
    /// What lets its bearer act on the entry; in the answer to the joining and its replays only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
    /// Where it stands.
    pub state: Standing,
    /// How many joined before and wait for the same.
    pub ahead: i64,
    /// How often somebody who needed less was served before it; after 10 times what comes free is kept for it.
    pub skipped: u32,
    /// The booking that is held for it.
    #[schema(value_type = Option<String>)]
    pub booking_id: Option<BookingId>,
    /// What lets its bearer act on that booking; for who waits only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub booking_token: Option<String>,
    /// Until when it is held.
    pub due_at: Option<Time>,
    /// When the customer joined.
    pub created_at: Time,
    /// The listing.
    #[schema(value_type = String)]
    pub listing_id: ListingId,
    /// What is waited for, where that is exact.
    #[schema(inline = false)]
    pub lines: Option<Vec<WantedLine>>,
    /// How many units are waited for, where any will do.
    pub any: Option<WantedAny>,
    /// Until when the customer wants to wait.
    pub until: Option<Time>,
    /// Who waits; not for who joins in the name of somebody who waits already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer: Option<CustomerView<'a>>,
    /// Why waiting came to its end, where it did: `until`, `sale_over`, `listing_closed`, `listing_cancelled`,
    /// `customer_limit`, `offer_cancelled`.
    pub reason: Option<&'static str>,
}

/// A quantity of one pool.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WantedLine {
    /// Key of the pool.
    pub pool: String,
    /// Units.
    pub quantity: i64,
}

/// A quantity of whatever pools.
#[derive(Serialize, utoipa::ToSchema)]
pub struct WantedAny {
    /// Units.
    pub quantity: i64,
}

impl<'a> EntryView<'a> {
    /// An entry as it was when its customer joined.
    #[must_use]
    pub fn joined(listing: &Listing, entry: &'a Entry) -> Self {
        let (lines, any) = match &entry.want {
            Want::Lines(lines) => {
                let line = |line: &lastseat_core::line::Line| WantedLine {
                    pool: listing.pool_key(line.pool),
                    quantity: line.quantity,
                };
                (Some(lines.iter().map(line).collect()), None)
            }
            Want::Any(quantity) => (None, Some(WantedAny { quantity: *quantity })),
        };
        Self {
            id: entry.id,
            token: None,
            state: Standing::Waiting,
            ahead: entry.joined_behind,
            skipped: 0,
            booking_id: None,
            booking_token: None,
            due_at: None,
            created_at: entry.created_at,
            listing_id: listing.id,
            lines,
            any,
            until: entry.until,
            customer: Some((&entry.customer).into()),
            reason: None,
        }
    }

    /// An entry as it is now, for this caller: who waits gets the token of the booking too.
    #[must_use]
    pub fn now(engine: &Engine, seen: &'a WaitlistEntry, caller: &Actor) -> Self {
        let WaitlistEntry { entry, listing, standing, ahead, offer, .. } = seen;
        let held = offer.as_ref().filter(|booking| booking.state == State::Held);
        let opens = |id: BookingId| (*caller == Actor::Owner).then(|| engine.secret().booking_token(id));
        Self {
            state: *standing,
            ahead: *ahead,
            skipped: entry.skipped,
            booking_id: offer.as_ref().map(|booking| booking.id),
            booking_token: offer.as_ref().and_then(|booking| opens(booking.id)),
            due_at: held.and_then(|booking| booking.deadline),
            reason: seen.ended.map(Ended::as_str),
            ..Self::joined(listing, entry)
        }
    }

    /// The same for who only knows how the customer can be reached: where it stands, and nothing of who waits for what.
    #[must_use]
    pub fn for_strangers(self) -> Self {
        Self { customer: None, lines: None, any: None, until: None, booking_id: None, reason: None, ..self }
    }

    /// The same with the token that opens it.
    #[must_use]
    pub fn with_token(self, engine: &Engine) -> Self {
        Self { token: Some(engine.secret().waitlist_token(self.id)), ..self }
    }
}
