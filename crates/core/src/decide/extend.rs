//! A hold gets more time, once.

use super::booking::{Subject, Transition, check_seen, wrong_state};
use crate::booking::State;
use crate::command::Command;
use crate::event::EventKind;
use crate::refusal::{Code, Refusal, RefusalData};
use crate::world::World;

pub(super) fn decide(
    _world: &World,
    command: &Command,
    subject: &Subject,
    seconds: i64,
) -> Result<Transition, Refusal> {
    let old = &subject.row;
    let (State::Held, Some(deadline)) = (old.state, old.deadline) else {
        return Err(wrong_state(old, "only a hold can be extended"));
    };
    if old.details.extended {
        return Err(Refusal::with(
            Code::WrongState,
            "The hold was extended once already; pay before it lapses.",
            RefusalData::State { state: old.state, decided_by: None, decided_at: None },
        ));
    }
    let later = deadline.plus_seconds(seconds);
    let limit = old.created_at.plus_seconds(subject.listing.policy_of(old.policy).hold_max());
    if later > limit {
        let most = (limit.millis() - deadline.millis()).max(0) / 1000;
        let text = format!("would hold it beyond {limit}; at most {most} more seconds are possible");
        return Err(Refusal::field("seconds", text));
    }
    check_seen(command, subject)?;
    let mut row = old.clone();
    row.deadline = Some(later);
    row.details.extended = true;
    Ok(Transition::new(row, &[EventKind::BookingExtended]))
}
