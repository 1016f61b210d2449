//! What must be true of every commit, of every answer, and of what a reader of the event log gets.

use std::sync::{Arc, Mutex};

use lastseat_core::Outcome;
use lastseat_core::command::{Action, Command};
use lastseat_core::refusal::{Code, Refusal};
use lastseat_core::settle::settle;
use lastseat_core::time::Time;
use lastseat_core::world::{Answer, World};
use lastseat_engine::batch;
use lastseat_store::simulated::{Seen, Watcher};
use lastseat_store::{Read, Store};

use crate::model::{all, check_oversell, wanted_and_free};
use crate::requests::{Request, What};
use crate::waits::Waits;
use crate::world::check_admission;

/// Open holds that an address may have.
const MOST_HOLDS_OF_ADDRESS: usize = 3;
/// How long before it is written a batch may have been decided, in milliseconds.
const MAX_AGE_MS: i64 = 100;

/// The first thing that was wrong.
pub(super) type Wrong = Arc<Mutex<Option<String>>>;

/// Looks at every commit.
pub(super) fn watcher(wrong: &Wrong) -> Watcher {
    let wrong = Arc::clone(wrong);
    let mut waits = Waits::default();
    Box::new(move |read, world| {
        let checked = check_oversell(read).and_then(|()| check_limits(read, world));
        if let Err(error) = checked.and_then(|()| waits.commit(read, world)) {
            wrong.lock().unwrap().get_or_insert(error);
        }
    })
}

/// Whoever was given a booking had no more than its terms allow when it was committed: as far as that can be seen, when
/// nothing but creations and what time did is in the batch.
fn check_limits(read: &dyn Read, world: &World) -> Result<(), String> {
    let changes = &world.changes.bookings;
    let grew = |(no, old): (&_, &Option<_>)| {
        let new = world.booking_at(*no).unwrap();
        old.is_some() && (new.state.holds() || new.state.sells()) || new.details.imported_as.is_some()
    };
    if changes.iter().any(grew) || !world.changes.listings.is_empty() {
        return Ok(());
    }
    let new = changes.iter().filter(|(_, old)| old.is_none()).filter_map(|(no, _)| world.booking_at(*no));
    let new: Vec<_> = new.filter(|row| row.state.holds() || row.state.sells()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let listings = read.listings().unwrap();
    let of = |no| listings.iter().find(|listing| listing.no == no).unwrap();
    let mut bookings = all(read);
    for booking in &mut bookings {
        settle(booking, of(booking.listing), world.now);
    }
    for row in new {
        let listing = of(row.listing);
        let who = row.customer.identity();
        let theirs = bookings.iter().filter(|booking| {
            booking.listing == row.listing
                && booking.customer.identity() == who
                && (booking.state.holds() || booking.state.sells())
        });
        let has: i64 = theirs.map(|booking| listing.units_of(&booking.lines)).sum();
        if let Some(most) = listing.policy_of(row.policy).max_per_customer
            && who.is_some()
            && has > most
        {
            return Err(format!("{who:?} has more than {most} with booking {}: {has}", row.no.0));
        }
        let at_address = |booking: &&_| {
            let booking: &lastseat_core::booking::Booking = booking;
            booking.address == row.address && booking.state.holds()
        };
        let holds = bookings.iter().filter(at_address).count();
        if row.address.is_some() && row.state.holds() && holds > MOST_HOLDS_OF_ADDRESS {
            return Err(format!("an address has more than it may have with booking {}: {holds}", row.no.0));
        }
    }
    Ok(())
}

/// A command alone in its batch was decided at the instant at which it had its locks, or little before, on what was known.
pub(super) fn check_time(seen: &Seen, request: &Request, now: Time) -> Result<(), String> {
    let age = seen.clock.millis() - now.millis();
    if now == seen.read.now() && (0..=MAX_AGE_MS).contains(&age) {
        return Ok(());
    }
    Err(format!("request {} was decided at {now}, when it was {}", request.no, seen.clock))
}

/// New bookings that were together in one batch, and nothing else, were answered as if nobody else had been there.
pub(super) fn check_batch(
    seen: &Seen,
    commands: &[Command],
    answers: &[Result<Outcome, Refusal>],
) -> Result<(), String> {
    let plain = |command: &Command| {
        let Action::CreateBooking(create) = &command.action else { return false };
        create.address.is_none()
    };
    // Keys lie outside of the listings: who finds one used has found it later.
    if commands.len() < 2 || !commands.iter().all(plain) || answers.iter().any(is_again) {
        return Ok(());
    }
    let expected = run_alone(&seen.alone, commands)?;
    match answers.iter().zip(&expected).find(|(answer, expected)| !same(answer, expected)) {
        None => Ok(()),
        Some((answer, expected)) => {
            Err(format!("one of a batch was answered {answer:?}, but alone it would have been {expected:?}"))
        }
    }
}

/// Whether an answer is not about what the command asks for.
fn is_again(answer: &Result<Outcome, Refusal>) -> bool {
    match answer {
        Ok(Outcome::Replay(_)) => true,
        Err(refusal) => matches!(refusal.code, Code::IdempotencyMismatch | Code::Unavailable),
        _ => false,
    }
}

fn run_alone(alone: &dyn Store, commands: &[Command]) -> Result<Vec<Result<Outcome, Refusal>>, String> {
    let mut lane = alone.lane().map_err(|error| error.to_string())?;
    let mut id = 0;
    let mut fresh = || {
        id += 1;
        id
    };
    Ok(batch::run(lane.as_mut(), commands, &mut fresh).answers)
}

/// A command alone in its batch was answered as if nobody else had been there, from what there was when it had its
/// locks.
pub(super) fn check_answer(
    seen: &dyn Read,
    alone: &dyn Store,
    request: &Request,
    command: &Command,
    answer: &Result<Outcome, Refusal>,
) -> Result<(), String> {
    let no = request.no;
    if let Some(free) = wanted_and_free(seen, request, seen.now()) {
        check_admission(no, answer, &free)?;
    }
    let there = match &request.what {
        What::Create { listing, .. }
        | What::Import { listing, .. }
        | What::Patch { listing, .. }
        | What::Pools { listing, .. } => seen.listings().unwrap().iter().any(|row| row.id == *listing),
        What::Change { of, .. } => seen.booking(*of).unwrap().is_some(),
        What::Join { listing, .. } => seen.listings().unwrap().iter().any(|row| row.id == *listing),
        What::Leave { entry } => seen.entry(*entry).unwrap().is_some(),
        What::List { .. } => false,
    };
    if there && matches!(answer, Err(refusal) if refusal.code == Code::NotFound) {
        return Err(format!("request {no} was refused, but it is there: {answer:?}"));
    }
    // What lies outside of the listing may have changed since.
    let outside = match &request.what {
        What::Create { address, .. } => *address,
        What::Import { .. } | What::List { .. } => true,
        What::Change { of, .. } => seen.booking(*of).unwrap().is_some_and(|row| row.address.is_some()),
        What::Patch { .. } | What::Pools { .. } | What::Join { .. } | What::Leave { .. } => false,
    };
    if outside || is_again(answer) {
        return Ok(());
    }
    let expected = &run_alone(alone, std::slice::from_ref(command))?[0];
    if same(answer, expected) {
        Ok(())
    } else {
        Err(format!("request {no} was answered {answer:?}, but alone it would have been {expected:?}"))
    }
}

/// Whether two answers are the same, but for numbers that are drawn.
fn same(answer: &Result<Outcome, Refusal>, other: &Result<Outcome, Refusal>) -> bool {
    match (answer, other) {
        (Ok(Outcome::Booking(a)), Ok(Outcome::Booking(b))) => {
            let mut b = b.clone();
            b.no = a.no;
            *a == b
        }
        (Ok(Outcome::Listing(a)), Ok(Outcome::Listing(b))) => {
            let mut b = b.as_ref().clone();
            if b.doc.renew_through.is_some() && a.doc.renew_through.is_some() {
                // An offer of the same batch may be the last booking.
                b.doc.renew_through = a.doc.renew_through;
            }
            a.as_ref() == &b
        }
        (Ok(Outcome::Replay(Answer::Booking { .. })), Ok(Outcome::Replay(_))) => true,
        (a, b) => a == b,
    }
}

/// Reads the event log with a cursor while it grows.
#[derive(Default)]
pub(super) struct Reader {
    cursor: i64,
    got: Vec<i64>,
}

impl Reader {
    /// Reads on, a few events.
    pub(super) fn read(&mut self, read: &dyn Read, limit: u32) -> Result<(), String> {
        for event in read.events(self.cursor, None, limit).unwrap() {
            if event.place <= self.cursor {
                return Err(format!(
                    "event {} comes at place {} after {}",
                    event.no, event.place, self.cursor
                ));
            }
            self.cursor = event.place;
            self.got.push(event.no);
        }
        Ok(())
    }

    /// Reads to the end, and compares with all events.
    pub(super) fn finish(mut self, read: &dyn Read) -> Result<(), String> {
        self.read(read, u32::MAX)?;
        let all: Vec<i64> = read.events(0, None, u32::MAX).unwrap().iter().map(|event| event.no).collect();
        if self.got == all {
            return Ok(());
        }
        let missed: Vec<&i64> = all.iter().filter(|no| !self.got.contains(no)).collect();
        Err(format!("a reader of the log has got other events than there are, without {missed:?}"))
    }
}
