//! Answers fit their requests: the booking that was asked for, with the lines, customer and state that the
//! request leads to.

use super::prepare::{Effect, Prepared};
use crate::operation::{Answer, Ask, BookingView, State};
use crate::report::{Report, Rule};

pub(crate) fn check(all: &Prepared<'_>, report: &mut Report) {
    for (index, op) in all.ops.iter().enumerate() {
        let fits = match (&op.ask, &op.answer) {
            (_, Answer::Unknown | Answer::Refused { .. })
            | (Ask::Availability { .. }, Answer::Availability { .. })
            | (Ask::SetPools { .. }, Answer::Done) => Ok(()),
            (Ask::Availability { .. } | Ask::SetPools { .. }, _)
            | (_, Answer::Availability { .. } | Answer::Done) => {
                Err("was answered with something else".to_owned())
            }
            (ask, Answer::Booking { booking, .. }) => fits(all, ask, booking),
        };
        if all.effects[index] != Effect::Nothing {
            report.count(Rule::AnswerFits, 1);
        }
        if let Err(why) = fits {
            let of = if let Answer::Booking { booking, .. } = &op.answer {
                Some(booking.id.clone())
            } else {
                None
            };
            report.violate(
                Rule::AnswerFits,
                [op.id],
                of,
                format!("operation {} ({}) {why}", op.id, op.ask.kind()),
            );
        }
    }
}

fn fits(all: &Prepared<'_>, ask: &Ask, view: &BookingView) -> Result<(), String> {
    if ask.booking().is_some_and(|id| id != view.id) {
        return Err(format!("asked about {} and was told of {}", ask.booking().unwrap_or_default(), view.id));
    }
    let state = |allowed: &[State]| {
        if allowed.contains(&view.state) {
            Ok(())
        } else {
            Err(format!("was told that {} is {:?}", view.id, view.state))
        }
    };
    let lines = |listing: &str, lines| {
        let (asked, told) = (all.claim(listing, lines), all.claim(&view.listing, &view.lines));
        if asked == told { Ok(()) } else { Err(format!("asked for {lines:?} and was told {:?}", view.lines)) }
    };
    match ask {
        Ask::Create { listing, customer, lines: asked } => {
            if (listing, customer) != (&view.listing, &view.customer) {
                return Err(format!(
                    "asked for {customer:?} in {listing} and was told of {:?} in {}",
                    view.customer, view.listing
                ));
            }
            if view.version != 1 {
                return Err(format!("was told version {} of a new booking", view.version));
            }
            lines(listing, asked)?;
            state(&[State::Held, State::Confirmed])
        }
        Ask::Cancel { .. } => state(&[State::Cancelled]),
        Ask::Extend { .. } => state(&[State::Held]),
        Ask::Reschedule { lines: asked, .. } => {
            lines(&view.listing, asked)?;
            state(&[State::Held, State::Confirmed, State::Completed])
        }
        // Money is taken in every state, and then is due back. Only of a payment that was known before is
        // nothing to be seen.
        Ask::Confirm { .. } if view.paid == 0 => {
            Err(format!("was told that nothing was paid for {}", view.id))
        }
        _ => Ok(()),
    }
}
