//! A booking claims other pools instead: its own units are given back first, and all happens at once or not
//! at all.

use super::booking::{Subject, Transition, check_seen, wrong_state};
use super::cancel::check_in_time;
use super::create::check_total;
use crate::admission::{Admission, AdmissionKind, Own, Window, admit, price};
use crate::booking::State;
use crate::command::Command;
use crate::event::EventKind;
use crate::line::Lines;
use crate::listing::Listing;
use crate::listing::request::Claim;
use crate::pool::PoolNo;
use crate::refusal::Refusal;
use crate::world::World;

/// `422 invalid` for a claim that nobody could book.
pub(super) fn check(world: &World, subject: &Subject, claim: &Claim) -> Result<(), Refusal> {
    ask(world, &subject.listing, claim).map(|_| ())
}

/// What is asked, and what it costs.
fn ask(world: &World, listing: &Listing, claim: &Claim) -> Result<(Vec<(PoolNo, i64)>, Lines), Refusal> {
    let asked = claim.resolve(listing)?;
    let lines = price(world, listing, &asked, claim.field())?;
    check_total(&lines, claim.field())?;
    Ok((asked, lines))
}

pub(super) fn decide(
    world: &World,
    command: &Command,
    subject: &Subject,
    claim: &Claim,
) -> Result<Transition, Refusal> {
    let (old, listing) = (&subject.row, &subject.listing);
    let (asked, lines) = ask(world, listing, claim)?;
    if !matches!(old.state, State::Held | State::Confirmed) {
        return Err(wrong_state(old, "only a booking that is held or confirmed can be moved"));
    }
    let total = lines.total();
    let (paid_for, policy) = (old.applied(), listing.policy_of(old.policy));
    let sold_at = old.total.max(paid_for);
    if old.state == State::Confirmed && (paid_for > 0 || policy.payment_due(total)) && total > sold_at {
        let text =
            format!("costs {total}, {} more than it was sold at; book the difference anew", total - sold_at);
        return Err(Refusal::field(claim.field(), text));
    }
    check_in_time(command, subject, world.now)?;
    check_seen(command, subject)?;
    if quantities(&lines) == quantities(&old.lines) && total == old.total {
        return Ok(Transition::nothing(old.clone()));
    }
    let held = old.state == State::Held;
    admit(
        world,
        &Admission {
            listing,
            policy,
            asked: &asked,
            customer: &old.customer,
            address: None,
            own: Some(Own { lines: &old.lines }),
            kind: if held { AdmissionKind::Hold } else { AdmissionKind::Sale },
            window: Window::OnSale,
        },
    )?;
    let mut row = old.clone();
    row.lines = lines;
    row.total = total;
    let mut events = vec![EventKind::BookingRescheduled];
    if paid_for > total {
        row.refund_due += paid_for - total;
    }
    if held && (!policy.payment_due(total) || paid_for >= total) {
        // What is free now, or paid for already, need not be paid for.
        row.state = State::Confirmed;
        row.deadline = None;
        events.push(EventKind::BookingConfirmed);
    }
    Ok(Transition { row, events })
}

fn quantities(lines: &Lines) -> Vec<(PoolNo, i64)> {
    lines.iter().map(|line| (line.pool, line.quantity)).collect()
}
