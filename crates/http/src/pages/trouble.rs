//! A refusal beside the form that it is about: what happened, what is still to be had, when to look again.

use lastseat_core::listing::Listing;
use lastseat_core::refusal::{Code, FieldError, Refusal, RefusalData, ShortPool};
use lastseat_core::time::Time;

use super::dates::Countdown;
use super::field::sentence;
use super::{choice, money, words};

/// What is told above a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What happened.
    pub title: String,
    /// What to do.
    pub text: String,
    /// The details, one by one.
    pub points: Vec<Point>,
    /// Errors of fields, to be shown beside them.
    pub fields: Vec<FieldError>,
    /// The status of the answer.
    pub status: u16,
}

/// A detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// In words.
    pub text: String,
    /// When that may change.
    pub next: Option<Countdown>,
}

impl Trouble {
    /// A trouble with words of its own.
    pub(crate) fn new(status: u16, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { title: title.into(), text: text.into(), status, ..Self::default() }
    }

    /// Errors of fields. Those about what was chosen are told above the form.
    #[must_use]
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let (about_choice, fields): (Vec<_>, Vec<_>) =
            errors.into_iter().partition(|error| choice::is_about_the_choice(&error.field));
        let point =
            |error: &FieldError| Point { text: sentence("What you chose", &error.message), next: None };
        let text = if fields.is_empty() { "" } else { "What is marked below needs a change." };
        Self {
            title: "That could not be booked yet".to_owned(),
            text: text.to_owned(),
            points: about_choice.iter().map(point).collect(),
            fields,
            status: Code::Invalid.status(),
        }
    }

    /// What a refused booking tells the customer.
    #[must_use]
    pub(crate) fn of(refusal: Refusal, listing: &Listing, now: Time) -> Self {
        let status = refusal.code.status();
        let currency = &listing.doc.currency;
        match (refusal.code, refusal.data) {
            (_, RefusalData::Fields(errors)) => Self::fields(errors),
            (Code::SoldOut, RefusalData::Pools { pools, .. }) => Self {
                title: "Somebody was faster".to_owned(),
                text: "Nothing was booked and nothing is owed. Here is how it stands now:".to_owned(),
                points: pools.iter().map(|pool| short(pool, listing, now)).collect(),
                fields: Vec::new(),
                status,
            },
            (Code::PriceChanged, RefusalData::Total(total)) => Self::new(
                status,
                "The price has changed",
                format!(
                    "It is {} now. Nothing was booked: look at it again, and book if you agree.",
                    money::amount(total, currency)
                ),
            ),
            (Code::NotOnSale, _) => Self::new(
                status,
                "This cannot be booked right now",
                format!("{} Nothing was booked.", refusal.detail),
            ),
            (Code::CustomerLimit, _) => {
                Self::new(status, "That is more than one customer may have", refusal.detail)
            }
            (Code::Overloaded | Code::Unavailable | Code::RateLimited, _) => Self::new(
                status,
                refusal.code.title(),
                "Nothing was booked. What you filled in is still here: wait a moment and send it again.",
            ),
            _ => Self::new(status, refusal.code.title(), refusal.detail),
        }
    }
}

/// `Worker: you asked for 2, 1 is left, 3 are held; the next hold lapses in 3:10`
fn short(pool: &ShortPool, listing: &Listing, now: Time) -> Point {
    let name = listing.find_pool(&pool.key).map_or_else(|| pool.key.clone(), |no| name(listing, no));
    let left = match pool.available {
        ..=0 if pool.requested == 1 => "it is gone".to_owned(),
        ..=0 => "none is left".to_owned(),
        1 => format!("you asked for {}, 1 is left", pool.requested),
        left => format!("you asked for {}, {left} are left", pool.requested),
    };
    let held = match pool.held {
        0 => String::new(),
        held => format!(", {} and may come back", words::count(held, "is held", "are held")),
    };
    Point {
        text: format!("{name}: {left}{held}."),
        next: pool.next_release_at.map(|at| Countdown::new(at, now)),
    }
}

/// What people call a pool: `Double room, Thu 24 Dec`.
#[must_use]
pub(crate) fn name(listing: &Listing, pool: lastseat_core::pool::PoolNo) -> String {
    use lastseat_core::listing::{Kind, night_date, slot_start};
    let title =
        listing.groups.get(pool.group).map_or_else(|| listing.pool_key(pool), |group| group.title.clone());
    match listing.kind() {
        Kind::Places | Kind::Seats => title,
        Kind::Nights => format!("{title}, {}", super::dates::short_day(night_date(pool))),
        Kind::Slots => format!("{title}, {}", super::dates::moment(slot_start(pool), listing.zone())),
    }
}
