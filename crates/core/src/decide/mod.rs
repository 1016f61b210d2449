//! Deciding: `(world, command) -> outcome or refusal`, pure and total. One command after the other, each on
//! the world as the ones before left it. Every refusal that can be expected is decided here, so that the
//! database never has to say no.
//!
//! The commonest change is a new command: add it to [`Action`], write its file here with the checks in the
//! order of [`crate::refusal::Code`], and name in [`names`] what it needs loaded.

mod booking;
mod cancel;
mod confirm;
mod create;
mod extend;
mod import;
mod keys;
mod listing;
pub mod names;
mod pools;
mod readmit;
mod receipt;
mod refund;
mod reschedule;
mod review;
mod waitlist;

use std::sync::Arc;

use crate::booking::Booking;
use crate::command::{Action, Actor, Command, Idempotency};
use crate::id::{BookingId, KeyId, ListingId, WaitlistId};
use crate::listing::Listing;
use crate::refusal::{Code, Refusal};
use crate::waitlist::Entry;
use crate::world::{Answer, World};

pub(crate) use create::check_total;

/// What became of a command that was carried out.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The booking as it is now.
    Booking(Box<Booking>),
    /// A success that was given before under the same idempotency key.
    Replay(Answer),
    /// A booking from elsewhere was taken in.
    Imported(BookingId),
    /// A booking from elsewhere was here already.
    Skipped(BookingId),
    /// The listing as it is now.
    Listing(Arc<Listing>),
    /// An API key was made or taken away.
    Key(KeyId),
    /// A customer waits.
    Waits(Box<Entry>),
    /// A customer who waits wanted to join once more: this is the entry.
    WaitsAlready(WaitlistId),
    /// A customer waits no more.
    WaitsNoMore(WaitlistId),
    /// So many bookings were settled or renewed, and whether there may be more.
    Settled {
        /// How many changed.
        changed: u32,
        /// Whether the limit was reached.
        more: bool,
    },
}

/// Decides one command. On a refusal the world is as before, but for what time alone has done to its booking.
///
/// # Errors
/// The refusal that comes first in the order of precedence.
pub fn decide(world: &mut World, command: &Command) -> Result<Outcome, Refusal> {
    match &command.action {
        Action::CreateBooking(create) => create::decide(world, command, create),
        Action::Booking { id, change } => booking::decide(world, command, *id, change),
        Action::ImportBooking(import) => import::decide(world, command, import),
        Action::CreateListing { id, spec } => listing::create(world, command, *id, spec),
        Action::PatchListing { id, patch } => listing::patch(world, command, *id, patch),
        Action::PutPools { id, change } => pools::put(world, command, *id, change),
        Action::CreateKey(key) => keys::create(world, command, key),
        Action::RevokeKey { id } => keys::revoke(world, command, *id),
        Action::JoinWaitlist(join) => waitlist::join(world, command, join),
        Action::LeaveWaitlist { id } => waitlist::leave(world, command, *id),
        // What was due was settled when it was loaded; here is only the count.
        Action::SettleDue { .. } | Action::RenewDue { .. } => {
            Ok(Outcome::Settled { changed: 0, more: false })
        }
    }
}

/// The answer given before to the same request under the same key, if there is one. It comes before the request
/// is looked at again: what was right then need not be right now, when limits and pools may have changed.
fn given_before(world: &World, idempotency: Option<Idempotency>) -> Option<Outcome> {
    let Idempotency { key, fingerprint } = idempotency?;
    let found = world.remembered(key).filter(|found| found.fingerprint == fingerprint)?;
    Some(Outcome::Replay(found.answer.clone()))
}

/// `422 idempotency_mismatch` if the key was used for another request. Comes after that request was found valid.
fn check_key(world: &World, idempotency: Option<Idempotency>) -> Result<(), Refusal> {
    let Some(Idempotency { key, fingerprint }) = idempotency else { return Ok(()) };
    match world.remembered(key) {
        Some(found) if found.fingerprint != fingerprint => Err(Refusal::new(
            Code::IdempotencyMismatch,
            "This Idempotency-Key was used for another request in the last 24 hours. Use a new key for a new request.",
        )),
        _ => Ok(()),
    }
}

/// `409 stale_version` if the caller has seen another version.
fn check_version(if_match: Option<u64>, current: u64) -> Result<(), Refusal> {
    match if_match {
        Some(seen) if seen != current => Err(Refusal::with(
            Code::StaleVersion,
            format!(
                "You have seen version {seen}; it is at version {current} now. Read it again and decide anew."
            ),
            crate::refusal::RefusalData::Version(current),
        )),
        _ => Ok(()),
    }
}

/// `401 unauthenticated` for who has no API key where one is needed. Comes before anything is looked up.
fn need_key(actor: &Actor) -> Result<(), Refusal> {
    match actor {
        Actor::Key { .. } | Actor::System => Ok(()),
        Actor::Public | Actor::Owner => {
            let text = "An admin's API key is needed: Authorization: Bearer <key>.";
            Err(Refusal::new(Code::Unauthenticated, text))
        }
    }
}

/// `403 forbidden` unless the actor may change listings and keys. Comes after what is to change was found.
fn need_admin(actor: &Actor) -> Result<(), Refusal> {
    need_key(actor)?;
    if actor.is_admin() {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "Only keys with the role admin may do this."))
}

/// The listing, if the actor may see it: drafts are for keys only.
fn visible_listing(world: &World, actor: &Actor, id: ListingId) -> Result<Arc<Listing>, Refusal> {
    let draft = crate::listing::Status::Draft;
    match world.listing(id) {
        Some(listing)
            if listing.doc.status != draft || matches!(actor, Actor::Key { .. } | Actor::System) =>
        {
            Ok(Arc::clone(listing))
        }
        _ => Err(Refusal::not_found("listing")),
    }
}
