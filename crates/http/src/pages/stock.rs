//! How much of something is left, in words: "2 left, 3 held, the next hold lapses in 3:10".

use lastseat_core::listing::{Kind, Listing, Status, night_date};
use lastseat_core::time::Time;
use lastseat_engine::{Availability, PoolAvailability};

use super::dates::{self, Countdown, Instant};
use super::words::Tone;

/// More than so many are never few.
const FEW: i64 = 5;

/// Whether so many of so many are few: no more than half, and countable at a glance.
#[must_use]
pub(crate) const fn are_few(available: i64, capacity: i64) -> bool {
    available <= FEW && available * 2 <= capacity
}

/// What is left of one pool, or of several together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stock {
    /// Key of the pool, by which live changes find it; `*` for all.
    pub key: String,
    /// Units that exist.
    pub capacity: i64,
    /// Units to be had now.
    pub available: i64,
    /// Units in unpaid bookings, which may come back.
    pub held: i64,
    /// Units that nobody has and that are kept for those who wait.
    pub kept: i64,
    /// When the next hold lapses.
    pub next: Option<Countdown>,
}

impl Stock {
    /// Of one pool.
    #[must_use]
    pub(crate) fn of(pool: &PoolAvailability, now: Time) -> Self {
        let next = pool.next_release_at.map(|at| Countdown::new(at, now));
        Self {
            key: pool.key.clone(),
            capacity: pool.capacity,
            available: pool.available,
            held: pool.held,
            kept: pool.kept,
            next,
        }
    }

    /// Of all of these together.
    #[must_use]
    pub(crate) fn total(pools: &[PoolAvailability], now: Time) -> Self {
        Self {
            key: "*".to_owned(),
            capacity: pools.iter().map(|pool| pool.capacity).sum(),
            available: pools.iter().map(|pool| pool.available).sum(),
            held: pools.iter().map(|pool| pool.held).sum(),
            kept: pools.iter().map(|pool| pool.kept).sum(),
            next: pools
                .iter()
                .filter_map(|pool| pool.next_release_at)
                .min()
                .map(|at| Countdown::new(at, now)),
        }
    }

    /// `3 left`, or that there are none.
    #[must_use]
    pub(crate) fn left(&self) -> String {
        match (self.available, self.held + self.kept) {
            (1.., _) => format!("{} left", self.available),
            (_, 1..) => "None left right now".to_owned(),
            _ => "Sold out".to_owned(),
        }
    }

    /// How loud that is.
    #[must_use]
    pub(crate) const fn tone(&self) -> Tone {
        match self.available {
            ..=0 => "gone",
            available if are_few(available, self.capacity) => "few",
            _ => "many",
        }
    }
}

/// Whether something can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sale {
    /// The sale has not begun.
    NotYet(Instant, Countdown),
    /// It can be booked.
    Open,
    /// The sale is over.
    Over,
    /// The organiser has closed it.
    Closed,
    /// The organiser has called it off.
    Cancelled,
    /// Only operators see it.
    Draft,
}

impl Sale {
    /// Where the sale of a listing stands.
    #[must_use]
    pub(crate) fn of(listing: &Listing, availability: &Availability, now: Time) -> Self {
        match listing.doc.status {
            Status::Draft => return Self::Draft,
            Status::Closed => return Self::Closed,
            Status::Cancelled => return Self::Cancelled,
            Status::Published => {}
        }
        if let Some(opens) = listing.doc.sale_opens_at.filter(|opens| now < *opens) {
            return Self::NotYet(Instant::new(opens, listing.zone()), Countdown::new(opens, now));
        }
        let open = |pool: &PoolAvailability| listing.on_sale(pool.no, now);
        if availability.pools.iter().rev().any(open) { Self::Open } else { Self::Over }
    }

    /// Whether it can be booked now.
    #[must_use]
    pub(crate) fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

/// What a card says about what is left of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// `3 left`, `Sold out`, `Next free: Thu 24 Dec`.
    pub text: String,
    /// `many`, `few`, `gone`.
    pub tone: Tone,
    /// The lowest price of what can be had, else of all, in minor units.
    pub from: Option<i64>,
    /// Whether prices differ.
    pub varies: bool,
}

impl Summary {
    /// Of a listing.
    #[must_use]
    pub(crate) fn of(listing: &Listing, availability: &Availability, now: Time) -> Self {
        let pools = &availability.pools;
        let free = || pools.iter().filter(|pool| pool.available > 0);
        let cheapest = free().map(|pool| pool.price).min();
        let from = cheapest.or_else(|| pools.iter().map(|pool| pool.price).min());
        let varies = pools.iter().any(|pool| Some(pool.price) != from);
        let (text, tone) = match Sale::of(listing, availability, now) {
            Sale::NotYet(..) => {
                let opens = listing.doc.sale_opens_at.unwrap_or(now);
                let (day, clock) =
                    (dates::date_of(opens, listing.zone()), dates::clock(opens, listing.zone()));
                let today = dates::date_of(now, listing.zone());
                let day = match day {
                    day if day == today => "today".to_owned(),
                    day if day.year() == today.year() => dates::short_day(day),
                    day => dates::day(day),
                };
                (format!("On sale {day}, {clock}"), "info")
            }
            Sale::Over => ("Sale over".to_owned(), "gone"),
            Sale::Closed => ("Closed".to_owned(), "gone"),
            Sale::Cancelled => ("Called off".to_owned(), "gone"),
            Sale::Draft => ("Draft".to_owned(), "gone"),
            Sale::Open => open_words(listing, availability, now),
        };
        Self { text, tone, from, varies }
    }
}

fn open_words(listing: &Listing, availability: &Availability, now: Time) -> (String, Tone) {
    let pools = &availability.pools;
    match listing.kind() {
        Kind::Places | Kind::Seats => {
            let stock = Stock::total(pools, now);
            (stock.left(), stock.tone())
        }
        Kind::Nights => {
            let next = pools.iter().filter(|pool| pool.available > 0).min_by_key(|pool| pool.no.position);
            match next {
                Some(pool) => {
                    let night = night_date(pool.no);
                    let today = dates::date_of(now, listing.zone());
                    let text = if night == today {
                        "Free tonight".to_owned()
                    } else {
                        format!("Next free: {}", dates::short_day(night))
                    };
                    (text, "many")
                }
                None => ("Fully booked".to_owned(), "gone"),
            }
        }
        Kind::Slots => {
            let next = pools.iter().filter(|pool| pool.available > 0).min_by_key(|pool| pool.no.position);
            match next.and_then(|pool| pool.starts_at) {
                Some(start) => {
                    let (day, today) =
                        (dates::date_of(start, listing.zone()), dates::date_of(now, listing.zone()));
                    let clock = dates::clock(start, listing.zone());
                    let day = if day == today { "today".to_owned() } else { dates::short_day(day) };
                    (format!("Next free: {day}, {clock}"), "many")
                }
                None => ("Fully booked".to_owned(), "gone"),
            }
        }
    }
}
