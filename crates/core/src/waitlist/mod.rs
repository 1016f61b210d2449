//! The waitlist: who found a listing sold out may wait, and gets what comes free, in the order of joining.
//!
//! - `mod.rs`: an entry, what it wants, and what time alone does to it
//! - [`fit`]: whether what is free is enough for an entry, and which units it would get
//! - [`list`]: what a batch knows of the lists, and how it changes them
//! - [`serve`]: the release function: what came free goes to those who wait, before anybody else looks
//!
//! **In one sentence.** Wherever units come free, in the same transaction, the first entries that fit get them as holds
//! with a deadline of their own; so after each commit nobody waits who would fit into what is free.
//!
//! **Groups.** Who needs more than is free is passed over by those who came later and need less, at most
//! [`MAX_SKIPS`] times; after that, whatever comes free of its pools is kept for it ([`Entry::kept`], and in
//! [`crate::pool::Pool::kept`] for everybody to see) until it fits or leaves.

pub mod fit;
pub mod list;
pub mod serve;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::booking::{Booking, State};
use crate::command::Actor;
use crate::customer::Customer;
use crate::id::{BookingNo, EntryNo, EntryRef, KeyId, ListingNo, WaitlistId};
use crate::line::{Line, Lines};
use crate::listing::{Kind, Listing, Status};
use crate::pool::PoolNo;
use crate::settle::{REASON_LISTING_CANCELLED, SYSTEM};
use crate::time::Time;

/// How often an entry is passed over before what comes free is kept for it.
pub const MAX_SKIPS: u32 = 10;
/// The reason of a booking that was given up by leaving the waitlist.
pub const REASON_DECLINED: &str = "declined";
/// Most entries of one listing that wait.
pub const MAX_WAITING: i64 = 1_000_000;

/// What an entry waits for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// Exactly these units; their prices are those at the offer.
    Lines(Lines),
    /// So many units of whatever pools of the listing.
    Any(i64),
}

/// Which pools an entry has to do with, as far as an index can tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reach {
    /// Pools of several groups, or any of the listing.
    Everything,
    /// Pools of one group.
    Group {
        /// Which.
        group: u32,
        /// The first of them.
        first: u32,
        /// The last of them.
        last: u32,
    },
}

impl Reach {
    /// The group, where there is one.
    #[must_use]
    pub const fn group(self) -> Option<u32> {
        match self {
            Self::Everything => None,
            Self::Group { group, .. } => Some(group),
        }
    }

    /// Whether it reaches all pools of its group: that of listings without dates, whose groups are single pools.
    #[must_use]
    pub const fn is_whole_group(self) -> bool {
        matches!(self, Self::Group { first: 0, last: 0, .. })
    }

    /// Whether a pool may be among them.
    #[must_use]
    pub fn covers(self, pool: PoolNo) -> bool {
        match self {
            Self::Everything => true,
            Self::Group { group, first, last } => {
                pool.group == group && (first..=last).contains(&pool.position)
            }
        }
    }

    /// Whether one of these pools may be among them.
    #[must_use]
    pub fn covers_any(self, pools: &BTreeSet<PoolNo>) -> bool {
        match self {
            Self::Everything => !pools.is_empty(),
            Self::Group { group, first, last } => {
                pools.range(PoolNo::new(group, first)..=PoolNo::new(group, last)).next().is_some()
            }
        }
    }

    /// Whether two entries may want the same pool. What wants everything has to do with all.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => true,
            (Self::Group { group: a, first, last }, Self::Group { group: b, first: from, last: to }) => {
                a == b && first <= to && from <= last
            }
        }
    }
}

impl Want {
    /// Exactly these quantities, each pool once.
    #[must_use]
    pub fn lines(asked: &[(PoolNo, i64)]) -> Self {
        let line = |&(pool, quantity): &(PoolNo, i64)| Line { pool, quantity, unit_price: 0 };
        Self::Lines(Lines::new(asked.iter().map(line).collect()))
    }

    /// Which pools it has to do with.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let Self::Lines(lines) = self else { return Reach::Everything };
        let mut pools = lines.iter().map(|line| line.pool);
        let (Some(first), last) = (pools.next(), pools.next_back()) else { return Reach::Everything };
        let last = last.unwrap_or(first);
        if first.group != last.group {
            return Reach::Everything;
        }
        Reach::Group { group: first.group, first: first.position, last: last.position }
    }

    /// What has to be free of one pool at least: where less is, it does not fit.
    #[must_use]
    pub fn least(&self) -> i64 {
        match self {
            Self::Lines(lines) => lines.iter().map(|line| line.quantity).min().unwrap_or(1),
            Self::Any(_) => 1,
        }
    }

    /// Units in all, for sentences.
    #[must_use]
    pub fn units(&self, listing: &Listing) -> i64 {
        match self {
            Self::Lines(lines) => listing.units_of(lines),
            Self::Any(quantity) => *quantity,
        }
    }
}

/// Where an entry stands, as its row says. What became of an offer its booking says: see [`Entry::shown`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// It waits.
    Waiting,
    /// It has got an offer.
    Offered,
    /// It waits no more, by its own will.
    Left,
    /// Waiting came to its end.
    Closed,
}

impl EntryState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Offered, Self::Left, Self::Closed];

    /// The name in rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Left => "left",
            Self::Closed => "closed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// Where an entry stands, as people see it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits.
    Waiting,
    /// A booking is held for it.
    Offered,
    /// The offer was taken up.
    Taken,
    /// The offer was not taken up in time.
    Lapsed,
    /// The customer has left the list, or declined the offer.
    Left,
    /// Waiting came to its end.
    Closed,
}

impl Standing {
    /// The name as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Taken => "taken",
            Self::Lapsed => "lapsed",
            Self::Left => "left",
            Self::Closed => "closed",
        }
    }

    /// Whether it may still lead to a booking: a customer has one such entry in a listing.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Offered)
    }
}

/// Why waiting came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The customer wanted to wait until then.
    Until,
    /// The sale of what it waited for is over.
    SaleOver,
    /// The listing was closed.
    ListingClosed,
    /// The listing was called off.
    ListingCancelled,
    /// When its turn came, the customer had as much as one may have.
    CustomerLimit,
    /// What was offered was cancelled, and not by the customer.
    OfferCancelled,
}

impl Ended {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Until,
        Self::SaleOver,
        Self::ListingClosed,
        Self::ListingCancelled,
        Self::CustomerLimit,
        Self::OfferCancelled,
    ];

    /// The name in rows and events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Until => "until",
            Self::SaleOver => "sale_over",
            Self::ListingClosed => "listing_closed",
            Self::ListingCancelled => "listing_cancelled",
            Self::CustomerLimit => "customer_limit",
            Self::OfferCancelled => "offer_cancelled",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// An entry of a waitlist as a store keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The listing.
    pub listing: ListingNo,
    /// Its number in the list.
    pub no: EntryNo,
    /// Public id.
    pub id: WaitlistId,
    /// Where it stands.
    pub state: EntryState,
    /// What it waits for.
    pub want: Want,
    /// Who waits.
    pub customer: Customer,
    /// The address that it came from, as a keyed digest, where holds per address are limited: a place in line counts as a
    /// hold, as that which is offered for it will.
    pub address: Option<String>,
    /// When the customer joined.
    pub created_at: Time,
    /// The API key that did it.
    pub created_by: Option<KeyId>,
    /// Until when the customer wants to wait.
    pub until: Option<Time>,
    /// When it has to be looked at: at its end by [`ends_at`], or at once where there is more to be given.
    pub due_at: Option<Time>,
    /// How many were ahead when it joined.
    pub joined_behind: i64,
    /// How often it was passed over.
    pub skipped: u32,
    /// Units that are kept for it, or for those behind it: pools with quantities.
    pub kept: Vec<(PoolNo, i64)>,
    /// The booking that it was offered.
    pub booking: Option<BookingNo>,
    /// Why waiting came to its end.
    pub ended: Option<Ended>,
}

impl Entry {
    /// Where it stands: listing and number.
    #[must_use]
    pub const fn at(&self) -> EntryRef {
        EntryRef { listing: self.listing, no: self.no }
    }

    /// Whether it waits, as its row says.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.state == EntryState::Waiting
    }

    /// Whether it has changed since it was this. Who waits for what never does.
    pub(crate) fn differs(&self, old: &Self) -> bool {
        let changing = |entry: &Self| (entry.state, entry.due_at, entry.skipped, entry.booking, entry.ended);
        changing(self) != changing(old) || self.kept != old.kept
    }

    /// Whether it may still lead to a booking, as its row says: what became of an offer its booking says.
    #[must_use]
    pub fn may_be_live(&self) -> bool {
        matches!(self.state, EntryState::Waiting | EntryState::Offered)
    }

    /// Where it stands for people: with its offer, settled, and what time has done by `now`.
    #[must_use]
    pub fn shown(&self, listing: &Listing, offer: Option<&Booking>, now: Time) -> Standing {
        match (self.state, offer) {
            (EntryState::Waiting, _) if ended(self, listing, now).is_some() => Standing::Closed,
            (EntryState::Waiting, _) => Standing::Waiting,
            (EntryState::Offered, Some(booking)) => standing_of(booking),
            // A booking is never taken away; without it there is nothing to be had.
            (EntryState::Offered, None) | (EntryState::Closed, _) => Standing::Closed,
            (EntryState::Left, _) => Standing::Left,
        }
    }

    /// Why waiting came to its end, where it did, for people: with its offer, settled, and what time has done by `now`.
    #[must_use]
    pub fn why_ended(&self, listing: &Listing, offer: Option<&Booking>, now: Time) -> Option<Ended> {
        match (self.state, offer) {
            (EntryState::Waiting, _) => ended(self, listing, now),
            (EntryState::Offered, Some(booking)) => why_closed(booking),
            _ => self.ended,
        }
    }
}

/// Notes in a booking that was offered that it is taken up, once it is.
pub(crate) fn note_taken(booking: &mut Booking) {
    if let Some(offer) = &mut booking.details.offer {
        offer.taken |= matches!(booking.state, State::InReview | State::Confirmed);
    }
}

/// What became of an offer.
#[must_use]
pub fn standing_of(offer: &Booking) -> Standing {
    if offer.details.offer.is_some_and(|offer| offer.taken) {
        return Standing::Taken;
    }
    match offer.state {
        State::Held => Standing::Offered,
        State::Expired => Standing::Lapsed,
        State::Cancelled if why_closed(offer).is_some() => Standing::Closed,
        State::Cancelled => Standing::Left,
        State::InReview | State::Confirmed | State::Completed | State::Rejected => Standing::Taken,
    }
}

/// Why an offer was cancelled, where neither the customer did it nor who took the customer off the list.
fn why_closed(offer: &Booking) -> Option<Ended> {
    if offer.state != State::Cancelled || offer.details.offer.is_some_and(|offer| offer.taken) {
        return None;
    }
    let (reason, by) = (offer.reason.as_deref(), offer.decided_by.as_deref());
    match reason {
        // Anybody may write anything as the reason of a cancellation.
        Some(REASON_LISTING_CANCELLED) if by == Some(SYSTEM) => Some(Ended::ListingCancelled),
        Some(REASON_DECLINED) => None,
        _ => (by != Some(&*Actor::Owner.signature())).then_some(Ended::OfferCancelled),
    }
}

/// When waiting comes to its end by itself, at the latest: at `until`, when the sale of one of the pools is over that it
/// needs (or of all, if any would do), and at once if the listing is closed or called off. None if never.
#[must_use]
pub fn ends_at(entry: &Entry, listing: &Listing) -> Option<Time> {
    end_of_sale(entry, listing).into_iter().chain(entry.until).min()
}

fn end_of_sale(entry: &Entry, listing: &Listing) -> Option<Time> {
    if matches!(listing.doc.status, Status::Closed | Status::Cancelled) {
        return Some(entry.created_at);
    }
    match &entry.want {
        Want::Lines(lines) => lines.iter().filter_map(|line| listing.sale_ends_at(line.pool)).min(),
        Want::Any(_) => end_of_all_sales(listing),
    }
}

/// When the sale of every pool is over, as far as the listing alone can tell; of slots without a date until which they
/// are sold it cannot.
fn end_of_all_sales(listing: &Listing) -> Option<Time> {
    match listing.kind() {
        Kind::Places | Kind::Seats => listing.sale_ends_at(PoolNo::new(0, 0)),
        Kind::Nights | Kind::Slots => listing.doc.sale_closes_at,
    }
}

/// Why waiting has come to its end by `now`, if it has.
#[must_use]
pub fn ended(entry: &Entry, listing: &Listing, now: Time) -> Option<Ended> {
    if ends_at(entry, listing).is_none_or(|end| end > now) {
        return None;
    }
    Some(match listing.doc.status {
        Status::Cancelled => Ended::ListingCancelled,
        Status::Closed => Ended::ListingClosed,
        _ if end_of_sale(entry, listing).is_some_and(|end| end <= now) => Ended::SaleOver,
        _ => Ended::Until,
    })
}
