//! The counters of the pools in the end are the sums of the bookings. A hold that lapsed shortly before, or
//! lapses meanwhile, may count or not; so may a booking with a change whose outcome nobody knows.

use super::life::{Life, deadline};
use super::prepare::Prepared;
use crate::operation::State;
use crate::report::{Report, Rule};
use crate::setting::LAPSE_LATENESS_MS;

pub(crate) fn check(all: &Prepared<'_>, lives: &[Life<'_>], report: &mut Report) {
    let Some(last) = all.last else { return };
    if !all.is_complete() || last.pools.is_empty() {
        return;
    }
    let window = all.window(last.started_us, Some(last.ended_us));
    // Per pool: held from, held to, confirmed from, confirmed to.
    let mut sums = vec![[0_i64; 4]; all.pools.len()];
    for view in &last.bookings {
        let Some(no) = all.booking_no(&view.id) else { continue };
        let mut lapsed_at = lives[no].stages.iter().filter_map(|stage| deadline(stage.view));
        let counts = match view.state {
            _ if lives[no].is_open => [0, 1, 0, 1],
            state if state.holds() => {
                let alive = deadline(view).is_none_or(|due| due > window.hi);
                [i64::from(alive), 1, 0, 0]
            }
            state if state.sells() => [0, 0, 1, 1],
            // The deadline may not have been seen.
            State::Expired
                if lapsed_at.next_back().is_none_or(|due| due + LAPSE_LATENESS_MS >= window.lo) =>
            {
                [0, 1, 0, 0]
            }
            _ => [0; 4],
        };
        for (pool, units) in all.claim(&view.listing, &view.lines).unwrap_or_default() {
            for (sum, count) in sums[pool].iter_mut().zip(counts) {
                *sum += count * units;
            }
        }
    }
    for counters in &last.pools {
        let pool = all.listing(&counters.listing).and_then(|listing| all.pool(listing, &counters.key));
        let Some(pool) = pool else { continue };
        report.count(Rule::Counters, 1);
        let [held_from, held_to, sold_from, sold_to] = sums[pool];
        if !(held_from..=held_to).contains(&counters.held)
            || !(sold_from..=sold_to).contains(&counters.confirmed)
        {
            let detail = format!(
                "in the end {} counts {} held and {} confirmed, but its bookings have {held_from} to {held_to} held and {sold_from} to {sold_to} confirmed",
                all.pool_name(pool),
                counters.held,
                counters.confirmed
            );
            report.violate(Rule::Counters, [], [], detail);
        }
    }
}
