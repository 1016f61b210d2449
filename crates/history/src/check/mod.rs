//! The checker. First the history is put in order ([`prepare`]), then each booking's life is told from the
//! versions that were seen ([`life`]), then the lives are added up per pool and customer ([`tracks`],
//! [`track`]). The rules, one file each, look at one of these three.

mod answers;
mod availability;
mod counters;
mod existence;
mod keys;
mod life;
mod limits;
mod money;
mod prepare;
mod refusals;
mod steps;
mod track;
mod tracks;
mod versions;

use crate::history::History;
use crate::report::Report;
use life::Life;
use prepare::Prepared;
use tracks::Tracks;

/// Decides whether the history can be explained; see the head of the crate for what that means and what is
/// decided.
///
/// O(n log n) in operations and lines, and quadratic in the changes of any one booking; the search for an
/// instant that fits a refusal or a reading is O(log n) as a rule and O(n) at worst, each. 200,000 operations
/// take about 2 s.
#[must_use]
pub fn check(history: &History) -> Report {
    let mut report = Report::default();
    let all = Prepared::new(history, &mut report);
    keys::check(&all, &mut report);
    existence::check(&all, &mut report);
    answers::check(&all, &mut report);
    versions::check(&all, &mut report);
    money::check(&all, &mut report);
    let lives: Vec<Life<'_>> = all.bookings.iter().map(|booked| Life::of(&all, booked)).collect();
    steps::check(&all, &lives, &mut report);
    counters::check(&all, &lives, &mut report);
    let tracks = Tracks::new(&all, &lives);
    limits::check(&all, &lives, &tracks, &mut report);
    refusals::check(&all, &lives, &tracks, &mut report);
    availability::check(&all, &tracks, &mut report);
    report
}

/// `operation 7`, or `the last reading`, for people.
fn name(all: &Prepared<'_>, op: Option<usize>) -> String {
    op.map_or_else(|| "the last reading".to_owned(), |op| format!("operation {}", all.ops[op].id))
}
