//! Sample listings of all four kinds, with bookings in several states, for the demo and as forms to start
//! from. One per file; dates are relative to the moment at which they are made.
//!
//! The commonest change is another sample: a file, and its line in [`all`].

mod cinema;
mod class;
mod concert;
mod counter;
mod day;
mod gig;
mod hotel;
mod people;
mod pitch;
mod tour;
mod workshop;

use lastseat_core::listing::request::{Claim, LineSpec};
use lastseat_core::time::Time;
use serde_json::Value;

pub(crate) use day::Days;
pub(crate) use people::customer;

/// A listing with what was booked of it.
pub(crate) struct Sample {
    /// What it is called in examples.
    pub(crate) name: &'static str,
    /// The form, as a client would send it.
    pub(crate) form: Value,
    /// Bookings in the order in which they are made.
    pub(crate) bookings: Vec<SampleBooking>,
}

/// One booking.
pub(crate) struct SampleBooking {
    /// What it claims.
    pub(crate) claim: Claim,
    /// What becomes of it.
    pub(crate) then: Then,
}

/// What becomes of a sample booking after it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    /// Nothing: it is held, or confirmed where nothing is to be paid.
    Stays,
    /// The customer hands in a receipt.
    HandsInReceipt,
    /// The customer hands in a receipt, and it is approved.
    IsApproved,
    /// The customer hands in a receipt, and it is rejected.
    IsRejected,
    /// An operator has the money and confirms.
    IsPaid,
    /// As before, and then the customer cancels: the money is to go back.
    IsPaidAndCancelled,
}

/// All samples, as of `now`.
pub(crate) fn all(now: Time) -> Vec<Sample> {
    vec![
        gig::sample(now),
        hotel::sample(now),
        cinema::sample(now),
        pitch::sample(now),
        concert::sample(now),
        tour::sample(now),
        counter::sample(now),
        class::sample(now),
        workshop::sample(now),
    ]
}

/// The sample that shows a kind best.
pub(crate) fn of_kind(kind: lastseat_core::listing::Kind, now: Time) -> Sample {
    use lastseat_core::listing::Kind;
    match kind {
        Kind::Places => gig::sample(now),
        Kind::Nights => hotel::sample(now),
        Kind::Seats => cinema::sample(now),
        Kind::Slots => pitch::sample(now),
    }
}

/// `quantity` units of one pool.
fn units(pool: &str, quantity: i64) -> Claim {
    Claim::Lines(vec![LineSpec { pool: pool.to_owned(), quantity }])
}

/// The same thing for so many customers.
fn times(count: usize, claim: &Claim, then: Then) -> impl Iterator<Item = SampleBooking> {
    std::iter::repeat_n(claim.clone(), count).map(move |claim| SampleBooking { claim, then })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lastseat_core::listing::build::build;
    use lastseat_core::listing::spec::ListingSpec;

    use super::*;

    /// Instants that are awkward somewhere: a leap day, clock changes, the last minute of a year.
    const INSTANTS: [&str; 5] = [
        "2028-02-29T00:00:00Z",
        "2026-03-29T00:59:00Z",
        "2026-10-25T00:30:00Z",
        "2026-12-31T23:59:59Z",
        "2026-06-21T12:00:00Z",
    ];

    #[test]
    fn every_sample_is_a_listing_at_any_time() {
        for now in INSTANTS.map(|now| now.parse::<Time>().unwrap()) {
            for sample in all(now) {
                let spec: ListingSpec = serde_json::from_value(sample.form).unwrap();
                if let Err(problems) = build(&spec, now) {
                    panic!("{} at {now}: {problems:?}", sample.name);
                }
            }
        }
    }

    #[test]
    fn samples_are_of_all_kinds_in_many_cities_and_currencies() {
        let all = all(INSTANTS[4].parse().unwrap());
        let distinct = |field: &str| -> usize {
            all.iter().map(|sample| sample.form[field].to_string()).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(distinct("kind"), 4);
        assert!(distinct("city") >= 5 && distinct("currency") >= 5);
        assert_eq!(all.iter().map(|sample| sample.name).collect::<BTreeSet<_>>().len(), all.len());
    }
}
