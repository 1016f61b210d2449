//! Money went back.

use super::booking::{Subject, Transition, check_seen};
use crate::booking::{MAX_PAYMENTS, Payment};
use crate::command::Command;
use crate::event::EventKind;
use crate::refusal::Refusal;
use crate::world::World;

pub(super) fn decide(
    world: &World,
    command: &Command,
    subject: &Subject,
    amount: i64,
    reference: &str,
) -> Result<Transition, Refusal> {
    let old = &subject.row;
    if let Some(known) = old.details.refunds.iter().find(|refund| refund.reference == reference) {
        if known.amount != amount {
            return Err(Refusal::field("reference", format!("is known with the amount {}", known.amount)));
        }
        return Ok(Transition::nothing(old.clone()));
    }
    if old.details.refunds.len() >= MAX_PAYMENTS {
        return Err(Refusal::field(
            "reference",
            format!("is one too many: a booking takes {MAX_PAYMENTS} refunds"),
        ));
    }
    if amount > old.refund_due {
        return Err(Refusal::field("amount", format!("must be at most {}, what is due", old.refund_due)));
    }
    check_seen(command, subject)?;
    let mut row = old.clone();
    row.refund_due -= amount;
    row.refunded += amount;
    row.details.refunds.push(Payment { reference: reference.to_owned(), amount, at: world.now });
    Ok(Transition::new(row, &[EventKind::BookingRefunded]))
}
