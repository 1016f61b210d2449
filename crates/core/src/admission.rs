//! The one admission function. Whatever takes capacity goes through [`admit`]: a new hold, a late payment
//! that comes back, a reschedule, an import, an offer to who waits. There is no other way to a unit.

use crate::customer::Customer;
use crate::id::ListingNo;
use crate::line::{Line, Lines};
use crate::listing::{Listing, Policy};
use crate::pool::{Pool, PoolNo, PoolRef};
use crate::refusal::{Code, FieldError, Refusal, RefusalData, ShortPool};
use crate::world::{CustomerUse, World};

/// What is being admitted.
#[derive(Debug)]
pub struct Admission<'a> {
    /// The listing.
    pub listing: &'a Listing,
    /// The terms that limit the customer.
    pub policy: &'a Policy,
    /// Quantities per pool, each pool once.
    pub asked: &'a [(PoolNo, i64)],
    /// Who it is for.
    pub customer: &'a Customer,
    /// The address that it comes from, with the most live holds it may have.
    pub address: Option<(&'a str, i64)>,
    /// What the booking itself has already, which it would give back: none for a new one.
    pub own: Option<Own<'a>>,
    /// Whether it will be a live hold, or be sold at once.
    pub kind: AdmissionKind,
    /// Whether the sale window matters.
    pub window: Window,
}

/// What a booking that is being moved has already.
#[derive(Debug)]
pub struct Own<'a> {
    /// Its lines.
    pub lines: &'a Lines,
}

/// What an admission leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdmissionKind {
    /// A live hold.
    Hold,
    /// A sale.
    Sale,
}

/// Whether the sale window matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    /// Only what is on sale.
    OnSale,
    /// What is on sale or will be: those who wait have joined while it was.
    Waiting,
    /// Whatever the window, if the listing is not closed or called off: late payments.
    Late,
    /// Whatever the window and status: what was sold elsewhere before it came here.
    Any,
}

/// Looks up the price of each pool that is asked.
///
/// # Errors
/// `422 invalid` for pools that do not exist.
pub fn price(
    world: &World,
    listing: &Listing,
    asked: &[(PoolNo, i64)],
    field: &str,
) -> Result<Lines, Refusal> {
    let mut lines = Vec::with_capacity(asked.len());
    let mut problems = Vec::new();
    for &(pool, quantity) in asked {
        match world.pool(PoolRef { listing: listing.no, pool }) {
            Some(found) => lines.push(Line { pool, quantity, unit_price: found.price }),
            None => {
                let text =
                    format!("asks for {}, which is not a pool of this listing", listing.pool_key(pool));
                problems.push(FieldError::new(field, text));
            }
        }
    }
    if problems.is_empty() { Ok(Lines::new(lines)) } else { Err(Refusal::invalid(problems)) }
}

/// `409 not_on_sale` unless every pool that is asked can be booked now.
///
/// # Errors
/// The refusal, with the reason.
pub fn check_sale(
    world: &World,
    listing: &Listing,
    asked: &[(PoolNo, i64)],
    window: Window,
) -> Result<(), Refusal> {
    use crate::listing::Status;
    let refuse = |text: String| Err(Refusal::new(Code::NotOnSale, text));
    let status = listing.doc.status;
    match (window, status) {
        (Window::Any, _) => return Ok(()),
        (_, Status::Cancelled) => return refuse("This listing was cancelled.".to_owned()),
        (_, Status::Closed) => return refuse("This listing is closed; nothing more is sold.".to_owned()),
        (Window::Late, Status::Draft | Status::Published) => return Ok(()),
        (Window::OnSale | Window::Waiting, Status::Draft) => {
            return refuse("This listing is a draft; publish it first.".to_owned());
        }
        (Window::OnSale | Window::Waiting, Status::Published) => {}
    }
    let opens = listing.doc.sale_opens_at.filter(|opens| *opens > world.now);
    if let Some(opens) = opens.filter(|_| window == Window::OnSale) {
        return refuse(format!("The sale opens at {opens}."));
    }
    match asked.iter().find(|(pool, _)| listing.sale_is_over(*pool, world.now)) {
        None => Ok(()),
        Some((pool, _)) => {
            let ended = listing.sale_ends_at(*pool).map_or_else(String::new, |at| format!(" at {at}"));
            refuse(format!("The sale of {} ended{ended}.", listing.pool_key(*pool)))
        }
    }
}

/// Decides whether the capacity and the customer's limits allow it. Takes nothing: whoever asked writes the
/// booking, which moves the counters.
///
/// Overdue holds do not count: they were settled before, when the world was loaded.
///
/// # Errors
/// `409 customer_limit`, then `409 sold_out` with every pool that is short.
pub fn admit(world: &World, what: &Admission<'_>) -> Result<(), Refusal> {
    check_sale(world, what.listing, what.asked, what.window)?;
    check_limits(world, what)?;
    check_capacity(world, what)
}

fn own_quantity(own: Option<&Own<'_>>, pool: PoolNo) -> i64 {
    own.map_or(0, |own| own.lines.iter().filter(|line| line.pool == pool).map(|line| line.quantity).sum())
}

fn check_limits(world: &World, what: &Admission<'_>) -> Result<(), Refusal> {
    let hold = i64::from(what.kind == AdmissionKind::Hold);
    let own_units = what.own.as_ref().map_or(0, |own| what.listing.units_of(own.lines));
    let own_hold = i64::from(what.own.is_some()) * hold;
    if let Some((address, most)) = what.address {
        let has = world.customer(&(ListingNo(0), address.to_owned()));
        if hold == 1 && has.open_holds - own_hold + hold > most {
            return Err(Refusal::new(
                Code::CustomerLimit,
                format!(
                    "There are {most} unpaid bookings and places in line from this address already; pay or give up one first."
                ),
            ));
        }
    }
    if !what.policy.limits_customers() {
        return Ok(());
    }
    let Some(identity) = what.customer.identity() else { return Ok(()) };
    let CustomerUse { units, open_holds } = world.customer(&(what.listing.no, identity));
    if let Some(most) = what.policy.max_per_customer {
        let asked = what.listing.units(what.asked.iter().copied());
        if units - own_units + asked > most {
            let has = units - own_units;
            return Err(Refusal::new(
                Code::CustomerLimit,
                format!("One customer may have {most} here; this one has {has} and asks for {asked}."),
            ));
        }
    }
    if let Some(most) = what.policy.max_open_holds
        && hold == 1
        && open_holds - own_hold + hold > most
    {
        return Err(Refusal::new(
            Code::CustomerLimit,
            format!("One customer may have {most} unpaid bookings here at a time; pay or cancel one first."),
        ));
    }
    Ok(())
}

/// For who asks where [`World::gives_more_soon`]: nobody is told that there is nothing, nor gets late money back.
pub(crate) fn ask_again() -> Refusal {
    let detail = "More places have come free than can be given out at once. Nothing was changed; try again in a second.";
    Refusal::with(Code::Overloaded, detail, RefusalData::RetryAfter(1))
}

fn check_capacity(world: &World, what: &Admission<'_>) -> Result<(), Refusal> {
    if world.leaves_overdue(what.listing.no) && what.window != Window::Waiting {
        // Somebody who waits may fit into what was not looked at.
        return Err(ask_again());
    }
    let mut short = Vec::new();
    for &(pool, requested) in what.asked {
        let found: Pool = world.pool(PoolRef { listing: what.listing.no, pool }).unwrap_or_default();
        let available = found.available() + own_quantity(what.own.as_ref(), pool);
        if requested > available {
            short.push(ShortPool {
                key: what.listing.pool_key(pool),
                requested,
                available: available.max(0),
                held: found.held,
                confirmed: found.confirmed,
                next_release_at: None,
            });
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    if world.gives_more_soon(what.listing.no) {
        return Err(ask_again());
    }
    let detail = match short.as_slice() {
        [one] if one.available == 0 => format!("{} is sold out.", one.key),
        [one] => {
            format!("Of {} only {} can be had, {} were asked for.", one.key, one.available, one.requested)
        }
        [first, rest @ ..] => {
            format!("{} and {} more cannot be had in this quantity.", first.key, rest.len())
        }
        [] => String::new(),
    };
    let waitlist = what.listing.policy().waitlist.then_some(what.listing.id);
    Err(Refusal::with(Code::SoldOut, detail, RefusalData::Pools { pools: short, waitlist }))
}
