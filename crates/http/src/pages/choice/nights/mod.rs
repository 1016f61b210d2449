//! Stays: a room type, the day of coming, the day of leaving, on a calendar of what each night costs.

mod calendar;
mod summary;

use jiff::civil::Date;
use lastseat_core::calendar::parse_date;
use lastseat_core::listing::request::{Claim, StaySpec};
use lastseat_core::listing::{Group, Listing, Shape, night_date};
use lastseat_core::refusal::FieldError;
use lastseat_engine::PoolAvailability;

use super::Ground;
use super::take::Wanted;
use crate::pages::form::Form;
pub(super) use calendar::View;
pub(super) use summary::Summary;

/// The name of the field with the key of the room type.
const ROOM: &str = "room";
/// The name of the field with the number of rooms.
const ROOMS: &str = "rooms";
/// The name of the field with the price of one room for the stay, as the page showed it.
const SHOWN: &str = "shown";
/// Most rooms that the list of numbers offers.
const MAX_ROOMS: i64 = 20;

/// What was chosen so far.
pub(crate) struct Stay<'a> {
    room: &'a Group,
    check_in: Date,
    check_out: Option<Date>,
    nights: Vec<&'a PoolAvailability>,
    complete: bool,
    rooms: i64,
}

impl<'a> Stay<'a> {
    /// The stay that the query or the form names; none without a day of coming.
    pub(super) fn of(ground: &Ground<'a>) -> Option<Self> {
        let (group, room) = room(ground.listing, ground.typed)?;
        let date = |name: &str| parse_date(ground.typed.get(name)).ok();
        let check_in = date("check_in")?;
        let check_out = date("check_out").filter(|date| *date > check_in);
        let pools = ground.availability.pools.iter().filter(|pool| pool.no.group == group);
        let within = |pool: &&PoolAvailability| {
            let night = night_date(pool.no);
            night >= check_in && check_out.is_some_and(|out| night < out)
        };
        let nights: Vec<_> = pools.filter(within).collect();
        let length = check_out.map_or(0, |out| out.duration_since(check_in).as_hours() / 24);
        let rooms = ground.typed.get(ROOMS).parse().unwrap_or(1).clamp(1, MAX_ROOMS);
        let complete = length > 0 && i64::try_from(nights.len()) == Ok(length);
        Some(Self { room, check_in, check_out, nights, complete, rooms })
    }

    /// Whether all nights can be had.
    pub(super) fn is_free(&self) -> bool {
        self.complete && self.nights.iter().all(|night| night.available >= 1)
    }

    /// The stay as it can be waited for: it is full, and long enough.
    pub(super) fn to_wait_for(&self, ground: &Ground<'_>) -> Option<StaySpec> {
        let check_out = self.check_out.filter(|_| self.complete)?;
        let least = match &ground.listing.doc.shape {
            Shape::Nights { min_nights, .. } => *min_nights as usize,
            _ => 1,
        };
        let on_sale = self.nights.iter().all(|night| ground.listing.on_sale(night.no, ground.now));
        let waits = ground.waits && !self.is_free() && self.nights.len() >= least && on_sale;
        waits.then(|| StaySpec {
            resource: self.room.key.clone(),
            check_in: self.check_in,
            check_out,
            quantity: self.rooms.min(self.most(ground)).max(1),
        })
    }

    /// How many rooms there are in all nights, of which one booking may have some.
    fn most(&self, ground: &Ground<'_>) -> i64 {
        let there = self.nights.iter().map(|night| night.capacity).min().unwrap_or(0);
        there.min(ground.listing.policy().max_quantity).min(MAX_ROOMS)
    }

    /// How many rooms can be had in all nights.
    fn free(&self) -> i64 {
        self.nights.iter().map(|night| night.available).min().unwrap_or(0)
    }
}

fn room<'a>(listing: &'a Listing, form: &Form) -> Option<(u32, &'a Group)> {
    let number = listing.groups.find(form.get(ROOM)).unwrap_or(0);
    Some((number, listing.groups.get(number)?))
}

/// What the form asks for.
pub(super) fn wanted(form: &Form) -> Result<Wanted, Vec<FieldError>> {
    let date = |name: &str, what: &str| {
        parse_date(form.get(name))
            .map_err(|_| FieldError::new("choice", format!("Choose the day you {what}.")))
    };
    let (check_in, check_out) = match (date("check_in", "come"), date("check_out", "leave")) {
        (Ok(check_in), Ok(check_out)) => (check_in, check_out),
        (check_in, check_out) => {
            return Err([check_in.err(), check_out.err()].into_iter().flatten().collect());
        }
    };
    let quantity = match form.get(ROOMS) {
        "" => 1,
        text => text.parse().map_err(|_| {
            vec![FieldError::new("choice", "The number of rooms cannot be read. Choose again.")]
        })?,
    };
    let total = form.get(SHOWN).parse::<i64>().ok().and_then(|shown| shown.checked_mul(quantity));
    let resource = form.get(ROOM).to_owned();
    Ok(Wanted { claim: Claim::Stay(StaySpec { resource, check_in, check_out, quantity }), total })
}
