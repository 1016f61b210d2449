//! One key, one answer.

use super::prepare::{Prepared, same_content};
use crate::operation::{Answer, BookingView};
use crate::report::{Report, Rule};

const RULE: Rule = Rule::OneAnswerPerKey;

pub(crate) fn check(all: &Prepared<'_>, report: &mut Report) {
    for group in &all.keys {
        check_group(all, group, report);
    }
    for (index, op) in all.ops.iter().enumerate() {
        if matches!(op.answer, Answer::Booking { replayed: true, .. }) && all.same_key(index).is_empty() {
            let detail = format!("operation {} has no key, but was told an answer again", op.id);
            report.violate(RULE, [op.id], [], detail);
        }
    }
}

fn check_group(all: &Prepared<'_>, group: &[usize], report: &mut Report) {
    let told = |index: &usize| match &all.ops[*index].answer {
        Answer::Booking { booking, replayed } => Some((*index, booking, *replayed)),
        _ => None,
    };
    let told: Vec<(usize, &BookingView, bool)> = group.iter().filter_map(told).collect();
    let Some((first, view, _)) = told.iter().find(|(.., replayed)| !replayed).or(told.first()).copied()
    else {
        return;
    };
    report.count(RULE, told.len());
    let id = |index: usize| all.ops[index].id;
    let key = all.ops[first].key.as_deref().unwrap_or_default();
    for (index, other, replayed) in told.iter().copied().filter(|(index, ..)| *index != first) {
        let pair = [id(first), id(index)];
        if all.ops[index].ask != all.ops[first].ask {
            let detail = format!(
                "operations {} and {} ask for different things under the key {key:?}, and both were done",
                pair[0], pair[1]
            );
            report.violate(RULE, pair, [view.id.clone()], detail);
        } else if other.id != view.id {
            let detail = format!(
                "the key {key:?} made two bookings: {} was told to operation {}, {} to operation {}",
                view.id, pair[0], other.id, pair[1]
            );
            report.violate(RULE, pair, [view.id.clone(), other.id.clone()], detail);
        } else if !replayed {
            let detail = format!(
                "operations {} and {} were both told as new what the key {key:?} did",
                pair[0], pair[1]
            );
            report.violate(RULE, pair, [view.id.clone()], detail);
        } else if other.version != view.version || !same_content(other, view) {
            let detail = format!(
                "the key {key:?} was told version {} ({:?}) of {} to operation {}, and again version {} ({:?}) to operation {}",
                view.version, view.state, view.id, pair[0], other.version, other.state, pair[1]
            );
            report.violate(RULE, pair, [view.id.clone()], detail);
        }
    }
    // An answer can only be told again to whom comes after, or beside, one who asked before.
    for (index, other, _) in told.iter().filter(|(.., replayed)| *replayed) {
        let ends = all.ops[*index].ended_us.unwrap_or(i64::MAX);
        if !group.iter().any(|other| other != index && all.ops[*other].started_us <= ends) {
            let detail = format!(
                "operation {} was told an answer again that the key {key:?} cannot have had",
                id(*index)
            );
            report.violate(RULE, [id(*index)], [other.id.clone()], detail);
        }
    }
}
