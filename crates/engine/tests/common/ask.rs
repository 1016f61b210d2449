//! Commands in few words.

use std::sync::Arc;

use lastseat_core::booking::{Receipt, State};
use lastseat_core::command::{
    Action, Actor, BookingChange, Command, CreateBooking, Idempotency, IdempotencyKey, ImportBooking,
    JoinWaitlist, MoneyIn, PoolSpec, PoolsChange, Role, WaitFor,
};
use lastseat_core::customer::Customer;
use lastseat_core::id::{BookingId, WaitlistId};
use lastseat_core::listing::Listing;
use lastseat_core::listing::request::{Claim, LineSpec, SlotSpec, StaySpec};
use lastseat_core::time::Time;
use lastseat_engine::ids;
use serde_json::Value;

/// An operator of that name.
pub fn operator(name: &str) -> Actor {
    Actor::Key { id: ids::key_id(), role: Role::Operator, name: Arc::from(name) }
}

pub fn admin(action: Action) -> Command {
    Command::new(Actor::System, action)
}

pub fn lines(wanted: &[(&str, i64)]) -> Claim {
    let line = |(pool, quantity): &(&str, i64)| LineSpec { pool: (*pool).to_owned(), quantity: *quantity };
    Claim::Lines(wanted.iter().map(line).collect())
}

pub fn stay(resource: &str, check_in: &str, check_out: &str) -> Claim {
    Claim::Stay(StaySpec {
        resource: resource.to_owned(),
        check_in: check_in.parse().unwrap(),
        check_out: check_out.parse().unwrap(),
        quantity: 1,
    })
}

pub fn slot(resource: &str, starts_at: &str, slots: i64) -> Claim {
    Claim::Slot(SlotSpec { resource: resource.to_owned(), starts_at: starts_at.parse().unwrap(), slots })
}

/// A new booking of somebody without any identity.
pub fn create(listing: &Listing, claim: Claim) -> Command {
    create_for(listing, claim, Customer { name: "A guest".to_owned(), ..Customer::default() })
}

/// One place of the pool `standard`.
pub fn one(listing: &Listing) -> Command {
    create(listing, lines(&[("standard", 1)]))
}

pub fn create_for(listing: &Listing, claim: Claim, customer: Customer) -> Command {
    Command::new(Actor::Public, Action::CreateBooking(Box::new(creation(listing, claim, customer))))
}

pub fn creation(listing: &Listing, claim: Claim, customer: Customer) -> CreateBooking {
    CreateBooking {
        id: ids::booking_id(),
        listing: listing.id,
        claim,
        expected_total: None,
        customer,
        address: None,
        max_open_holds_of_address: None,
        note: None,
        pass: None,
    }
}

/// The same command under an idempotency key.
pub fn under_key(mut command: Command, key: u128) -> Command {
    command.idempotency = Some(Idempotency { key: IdempotencyKey(key.to_be_bytes()), fingerprint: [7; 16] });
    command
}

fn change(actor: Actor, id: BookingId, change: BookingChange) -> Command {
    Command::new(actor, Action::Booking { id, change })
}

pub fn receipt(id: BookingId) -> Command {
    let receipt = Receipt {
        file: "receipts/one".to_owned(),
        media_type: "image/png".to_owned(),
        size: 1,
        sha256: "00".repeat(32),
        at: Time::default(),
        note: None,
    };
    change(Actor::Owner, id, BookingChange::SubmitReceipt(Box::new(receipt)))
}

pub fn approve(by: &Actor, id: BookingId) -> Command {
    change(by.clone(), id, BookingChange::Approve)
}

pub fn reject(by: &Actor, id: BookingId) -> Command {
    change(by.clone(), id, BookingChange::Reject { reason: "not readable".to_owned() })
}

pub fn cancel(by: &Actor, id: BookingId) -> Command {
    change(by.clone(), id, BookingChange::Cancel { reason: None })
}

/// Money that came in.
pub fn pay(id: BookingId, amount: i64, reference: &str) -> Command {
    let money = MoneyIn { amount, currency: "EUR".to_owned(), reference: reference.to_owned() };
    change(operator("till"), id, BookingChange::Confirm(money))
}

pub fn reschedule(id: BookingId, claim: Claim) -> Command {
    change(Actor::Owner, id, BookingChange::Reschedule { claim })
}

pub fn patch(listing: &Listing, patch: Value) -> Command {
    admin(Action::PatchListing { id: listing.id, patch: Box::new(patch) })
}

/// A new capacity of the pool `standard`.
pub fn capacity(listing: &Listing, capacity: i64) -> Command {
    let pool = PoolSpec { key: "standard".to_owned(), capacity: Some(capacity), blocked: None, price: None };
    admin(Action::PutPools { id: listing.id, change: PoolsChange::Pools(vec![pool]) })
}

/// One place of the pool `standard` that was sold elsewhere.
pub fn import(listing: &Listing, external_id: &str) -> Command {
    admin(Action::ImportBooking(Box::new(ImportBooking {
        id: ids::booking_id(),
        listing: listing.id,
        claim: lines(&[("standard", 1)]),
        customer: Customer { name: "From elsewhere".to_owned(), ..Customer::default() },
        state: State::Confirmed,
        created_at: None,
        paid: 1_000,
        external_id: Some(external_id.to_owned()),
    })))
}

/// Somebody of this name, who can be told apart by it.
pub fn known(name: &str) -> Customer {
    let email = Some(format!("{}@example.org", name.to_lowercase().replace(' ', ".")));
    Customer { name: name.to_owned(), email, ..Customer::default() }
}

/// Somebody waits.
pub fn wait_for(listing: &Listing, want: WaitFor, customer: Customer) -> Command {
    let (id, listing) = (ids::waitlist_id(), listing.id);
    let join = JoinWaitlist {
        id,
        listing,
        want,
        customer,
        address: None,
        max_open_holds_of_address: None,
        until: None,
    };
    Command::new(Actor::Public, Action::JoinWaitlist(Box::new(join)))
}

/// Somebody waits for so many places of the pool `standard`.
pub fn wait(listing: &Listing, quantity: i64, name: &str) -> Command {
    wait_for(listing, WaitFor::Claim(lines(&[("standard", quantity)])), known(name))
}

/// Somebody waits no more.
pub fn leave(id: WaitlistId) -> Command {
    Command::new(Actor::Owner, Action::LeaveWaitlist { id })
}

/// What the due worker submits.
pub fn settle() -> Command {
    admin(Action::SettleDue { limit: 1_000 })
}
