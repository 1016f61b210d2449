//! Somebody waits for what is sold out, or waits no more.

use super::{Outcome, booking, check_key, given_before, visible_listing};
use crate::admission::{Admission, AdmissionKind, Window, admit};
use crate::command::{Actor, BookingChange, Command, JoinWaitlist, Role, WaitFor};
use crate::id::{EntryNo, WaitlistId};
use crate::listing::{Listing, Shape};
use crate::pool::{PoolNo, PoolRef};
use crate::refusal::{Code, FieldError, Refusal, RefusalData, ShortPool};
use crate::waitlist::fit::{exists, fit, needed};
use crate::waitlist::{Entry, EntryState, MAX_WAITING, REASON_DECLINED, Standing, Want, ends_at};
use crate::world::{Answer, World};

pub(super) fn join(world: &mut World, command: &Command, join: &JoinWaitlist) -> Result<Outcome, Refusal> {
    let listing = visible_listing(world, &command.actor, join.listing)?;
    if let Some(answer) = given_before(world, command.idempotency) {
        return Ok(answer);
    }
    let want = check(world, &listing, join)?;
    check_key(world, command.idempotency)?;
    if !listing.policy().waitlist {
        let text = match world.list_numbers(listing.no).waiting {
            0 => "This listing has no waitlist. Look again later: what comes free is on sale at once.",
            _ => "Nobody joins this waitlist any more. What comes free goes to those who wait, then on sale.",
        };
        return Err(Refusal::new(Code::WrongState, text));
    }
    let identity = join.customer.identity();
    if let Some(entry) = identity.and_then(|identity| world.live_entry(&(listing.no, identity))) {
        let id = entry.id;
        world.remember(command.idempotency, Answer::EntryThere(id));
        return Ok(Outcome::WaitsAlready(id));
    }
    check_sold_out(world, &listing, &want, join)?;
    let numbers = world.list_numbers(listing.no);
    if numbers.waiting >= MAX_WAITING {
        let text = format!("{MAX_WAITING} wait here already; no more are taken in.");
        return Err(Refusal::new(Code::WrongState, text));
    }
    let mut entry = Entry {
        listing: listing.no,
        no: EntryNo(0),
        id: join.id,
        state: EntryState::Waiting,
        want,
        customer: join.customer.clone(),
        address: join.address.clone(),
        created_at: world.now,
        created_by: command.actor.key(),
        until: join.until,
        due_at: None,
        joined_behind: 0,
        skipped: 0,
        kept: Vec::new(),
        booking: None,
        ended: None,
    };
    entry.due_at = ends_at(&entry, &listing);
    let at = world.insert_entry(entry, &command.actor);
    world.remember(command.idempotency, Answer::Entry(join.id));
    Ok(Outcome::Waits(Box::new(world.entry_at(at).cloned().expect("just inserted"))))
}

/// `422 invalid` for what nobody could ever get.
fn check(world: &World, listing: &Listing, join: &JoinWaitlist) -> Result<Want, Refusal> {
    let mut problems = join.customer.problems();
    if join.until.is_some_and(|until| until <= world.now) {
        problems.push(FieldError::new("until", "must lie in the future"));
    }
    let (field, want) = match &join.want {
        WaitFor::Claim(claim) => match claim.resolve(listing) {
            Ok(asked) => (claim.field(), Some(Want::lines(&asked))),
            Err(Refusal { data: RefusalData::Fields(fields), .. }) => {
                problems.extend(fields);
                (claim.field(), None)
            }
            Err(refusal) => return Err(refusal),
        },
        WaitFor::Any(quantity) => ("any.quantity", any(&mut problems, listing, *quantity)),
    };
    match want {
        Some(want) if problems.is_empty() => {
            if !exists(world, listing, &want, |pool| pool.capacity) {
                let text = "is more than there is of it in all, so it could never be had";
                return Err(Refusal::field(field, text));
            }
            Ok(want)
        }
        _ => Err(Refusal::invalid(problems)),
    }
}

fn any(problems: &mut Vec<FieldError>, listing: &Listing, quantity: i64) -> Option<Want> {
    let most = listing.policy().max_quantity;
    if !(1..=most).contains(&quantity) {
        problems.push(FieldError::new("any.quantity", format!("must be 1 to {most}")));
        return None;
    }
    if let Shape::Nights { min_nights, .. } = listing.doc.shape
        && min_nights > 1
    {
        let text =
            format!("cannot be waited for: the shortest stay is {min_nights} nights; say which, as stay");
        problems.push(FieldError::new("any", text));
        return None;
    }
    Some(Want::Any(quantity))
}

/// `409 wrong_state` where nobody has to wait; and what would refuse the booking for another reason.
fn check_sold_out(world: &World, listing: &Listing, want: &Want, join: &JoinWaitlist) -> Result<(), Refusal> {
    let would_get = fit(world, listing, want);
    let asked = would_get.clone().unwrap_or_else(|| needed(world, listing, want));
    let admitted = admit(
        world,
        &Admission {
            listing,
            policy: listing.policy(),
            asked: &asked,
            customer: &join.customer,
            address: join.address.as_deref().zip(join.max_open_holds_of_address),
            own: None,
            kind: AdmissionKind::Hold,
            window: Window::OnSale,
        },
    );
    match admitted {
        Err(refusal) if refusal.code == Code::SoldOut => Ok(()),
        // What will be given out in a moment goes to who waits.
        Err(refusal) if refusal.code == Code::Overloaded && would_get.is_none() => Ok(()),
        Err(refusal) => Err(refusal),
        Ok(()) if would_get.is_none() => Ok(()),
        Ok(()) => {
            let pools: Vec<ShortPool> = asked.iter().map(|asked| available(world, listing, *asked)).collect();
            let first = pools.first().map_or_else(String::new, |pool| {
                format!("Of {} {} can be had now", pool.key, pool.available)
            });
            let text = format!("{first}: nobody has to wait. Book it.");
            Err(Refusal::with(Code::WrongState, text, RefusalData::Pools { pools, waitlist: None }))
        }
    }
}

fn available(world: &World, listing: &Listing, (no, requested): (PoolNo, i64)) -> ShortPool {
    let pool = world.pool(PoolRef { listing: listing.no, pool: no }).unwrap_or_default();
    ShortPool {
        key: listing.pool_key(no),
        requested,
        available: pool.available().max(0),
        held: pool.held,
        confirmed: pool.confirmed,
        next_release_at: None,
    }
}

pub(super) fn leave(world: &mut World, command: &Command, id: WaitlistId) -> Result<Outcome, Refusal> {
    if command.actor == Actor::Public {
        return Err(Refusal::new(
            Code::Unauthenticated,
            "Send the entry's token (header Waitlist-Token) or an API key (Authorization: Bearer <key>).",
        ));
    }
    let missing = || Refusal::not_found("waitlist entry");
    let entry = world.entry(id).ok_or_else(missing)?.clone();
    if let Actor::Key { role: Role::Integrator, id, .. } = &command.actor
        && entry.created_by != Some(*id)
    {
        return Err(missing());
    }
    if let Some(no) = entry.booking {
        world.settle(no);
    }
    match world.standing(&entry) {
        Standing::Waiting => {
            world.end_entry(entry.at(), EntryState::Left, None, &command.actor);
            Ok(Outcome::WaitsNoMore(id))
        }
        Standing::Offered => {
            let offer = entry.booking.and_then(|no| world.booking_at(no)).expect("an offer is loaded").id;
            let change = BookingChange::Cancel { reason: Some(REASON_DECLINED.to_owned()) };
            booking::decide(world, command, offer, &change)?;
            Ok(Outcome::WaitsNoMore(id))
        }
        Standing::Left => Ok(Outcome::WaitsNoMore(id)),
        standing @ (Standing::Taken | Standing::Lapsed | Standing::Closed) => {
            let text = match standing {
                Standing::Taken => "The offer was taken up; cancel the booking instead.",
                Standing::Lapsed => "The offer was not taken up in time; nobody waits here any more.",
                _ => "Waiting has come to its end already.",
            };
            Err(Refusal::with(Code::WrongState, text, RefusalData::Standing(standing)))
        }
    }
}
