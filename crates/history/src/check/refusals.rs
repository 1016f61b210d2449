//! Refusals that had to be: at some instant between request and answer it was so, with the numbers that were
//! told.

use super::life::Life;
use super::prepare::{Prepared, Window};
use super::track::{FREE, HELD, TAKEN, Wants};
use super::tracks::{Tracks, limited, units};
use crate::operation::{Answer, Ask, Operation, ShortPool, State};
use crate::report::{Report, Rule};

const RULE: Rule = Rule::JustRefusal;
/// No bound.
const ANY: i64 = i64::MAX;

struct Case<'a, 'h> {
    all: &'a Prepared<'h>,
    lives: &'a [Life<'h>],
    tracks: &'a Tracks<'h>,
    index: usize,
    op: &'h Operation,
    window: Window,
}

pub(crate) fn check<'h>(all: &Prepared<'h>, lives: &[Life<'h>], tracks: &Tracks<'h>, report: &mut Report) {
    for (index, op) in all.ops.iter().enumerate() {
        let Answer::Refused { code, pools, state } = &op.answer else { continue };
        let case = Case { all, lives, tracks, index, op, window: all.windows[index] };
        let why = match code.as_str() {
            "sold_out" => case.sold_out(pools),
            "capacity_in_use" => case.in_use(pools),
            "customer_limit" => case.customer_limit(),
            "hold_expired" => case.state(Some(State::Expired)),
            "wrong_state" => case.state(*state),
            "idempotency_mismatch" => case.mismatch(),
            _ => continue,
        };
        report.count(RULE, 1);
        if let Err(why) = why {
            let detail = format!(
                "operation {} ({}) was refused with {code} between {} and {}, {why}",
                op.id,
                op.ask.kind(),
                case.window.lo,
                case.window.hi
            );
            let booking = op.ask.booking().map(str::to_owned);
            report.violate(RULE, [op.id], booking, detail);
        }
    }
}

impl Case<'_, '_> {
    /// The listing, what was asked, and, where a booking moves, the most that it may have had of a pool
    /// itself.
    fn asked(&self) -> Option<(usize, Vec<(usize, i64)>)> {
        match &self.op.ask {
            Ask::Create { listing, lines, .. } => {
                Some((self.all.listing(listing)?, self.all.claim(listing, lines)?))
            }
            Ask::Reschedule { booking, lines } => {
                let listing = &self.life(booking)?.stages.first()?.view.listing;
                Some((self.all.listing(listing)?, self.all.claim(listing, lines)?))
            }
            _ => None,
        }
    }

    fn life(&self, booking: &str) -> Option<&Life<'_>> {
        self.all.booking_no(booking).map(|no| &self.lives[no])
    }

    fn own(&self, pool: usize) -> i64 {
        let life = self.op.ask.booking().and_then(|id| self.life(id));
        let claims = life.into_iter().flat_map(|life| {
            let seen = life.stages.iter().map(|stage| &stage.claim);
            seen.chain(life.gaps.iter().flat_map(|gap| &gap.claims))
        });
        claims.flatten().filter(|(of, _)| *of == pool).map(|(_, units)| *units).max().unwrap_or(0)
    }

    fn sold_out(&self, short: &[ShortPool]) -> Result<(), String> {
        let Some((listing, asked)) = self.asked() else { return Ok(()) };
        if short.is_empty() {
            let lacks = |(pool, units): &(usize, i64)| self.has(*pool, &[(FREE, i64::MIN, units - 1)]);
            return if asked.iter().any(lacks) {
                Ok(())
            } else {
                Err("but there was enough of every pool".to_owned())
            };
        }
        for named in short {
            let pool = self.all.pool(listing, &named.key);
            let found = pool.and_then(|pool| asked.iter().find(|(of, _)| *of == pool));
            let Some((pool, units)) = found else {
                return Err(format!("naming {}, which was not asked for", named.key));
            };
            if *units != named.requested || named.available >= named.requested {
                return Err(format!(
                    "but {units} of {} were asked for, and {named:?} is no reason",
                    named.key
                ));
            }
            let free = (named.available - self.own(*pool), named.available);
            if !self.has(*pool, &[(FREE, free.0, free.1), (HELD, named.held, named.held)]) {
                let ((f0, f1), (h0, h1)) = (self.extent(*pool, FREE), self.extent(*pool, HELD));
                return Err(format!(
                    "saying of {} that {} were asked for, {} available and {} held; but {f0} to {f1} were free and {h0} to {h1} held",
                    self.all.pool_name(*pool),
                    named.requested,
                    named.available,
                    named.held
                ));
            }
        }
        Ok(())
    }

    fn in_use(&self, short: &[ShortPool]) -> Result<(), String> {
        let Ask::SetPools { listing, pools } = &self.op.ask else { return Ok(()) };
        let Some(listing) = self.all.listing(listing) else { return Ok(()) };
        let mut justified = false;
        for numbers in pools {
            let Some(pool) = self.all.pool(listing, &numbers.key) else { continue };
            let room = numbers.capacity - numbers.blocked;
            let told = short.iter().find(|named| named.key == numbers.key);
            let mut wants = vec![(TAKEN, room + 1, ANY)];
            wants.extend(told.map(|named| (HELD, named.held, named.held)));
            let fits = self.has(pool, &wants);
            justified |= fits;
            if let (Some(named), false) = (told, fits) {
                let ((t0, t1), (h0, h1)) = (self.extent(pool, TAKEN), self.extent(pool, HELD));
                return Err(format!(
                    "saying of {} that {room} are too few with {} held; but {t0} to {t1} were taken and {h0} to {h1} held",
                    self.all.pool_name(pool),
                    named.held
                ));
            }
        }
        if justified { Ok(()) } else { Err("but every pool had room for what was taken".to_owned()) }
    }

    fn customer_limit(&self) -> Result<(), String> {
        let Some((listing, asked)) = self.asked() else { return Ok(()) };
        let customer = match &self.op.ask {
            Ask::Create { customer, .. } => customer.as_deref(),
            ask => {
                let life = ask.booking().and_then(|id| self.life(id));
                life.and_then(|life| life.stages.first()).and_then(|stage| stage.view.customer.as_deref())
            }
        };
        let limits = &self.all.listings[listing];
        let Some(of) = limited(self.all, &limits.id, customer) else {
            return Err("but no limit is set for that customer".to_owned());
        };
        let units = units(self.all, listing, &asked);
        let over_units = |most: i64| wants(&[(TAKEN, most - units + 1, ANY)]);
        let over_holds = |most: i64| wants(&[(HELD, most, ANY)]);
        let reasons = [limits.max_per_customer.map(over_units), limits.max_open_holds.map(over_holds)];
        let track = self.tracks.customers.get(&of);
        let alone = units > limits.max_per_customer.unwrap_or(ANY) || limits.max_open_holds == Some(0);
        if alone
            || reasons
                .iter()
                .flatten()
                .any(|reason| track.is_some_and(|track| track.has(self.window, reason)))
        {
            return Ok(());
        }
        let extent = |what| track.map_or((0, 0), |track| track.extent(self.window, what));
        let ((t0, t1), (h0, h1)) = (extent(TAKEN), extent(HELD));
        Err(format!(
            "but customer {} had {t0} to {t1} units and {h0} to {h1} live holds, and asked for {units}",
            of.1
        ))
    }

    fn state(&self, state: Option<State>) -> Result<(), String> {
        let (Some(state), Some(life)) = (state, self.op.ask.booking().and_then(|id| self.life(id))) else {
            return Ok(());
        };
        if life.stages.is_empty() || life.may_be(state, self.window.lo, self.window.hi) {
            return Ok(());
        }
        let seen = life.stages.iter().map(|stage| format!("{:?} from {}", stage.view.state, stage.born.0));
        Err(format!("but it was never {state:?} then: {}", seen.collect::<Vec<_>>().join(", ")))
    }

    fn mismatch(&self) -> Result<(), String> {
        let together = self.all.same_key(self.index);
        if together.iter().any(|other| self.all.ops[*other].ask != self.op.ask) {
            return Ok(());
        }
        Err("but nothing else was asked under its key".to_owned())
    }

    fn has(&self, pool: usize, wanted: &[(usize, i64, i64)]) -> bool {
        self.tracks.pools[pool].has(self.window, &wants(wanted))
    }

    fn extent(&self, pool: usize, quantity: usize) -> (i64, i64) {
        self.tracks.pools[pool].extent(self.window, quantity)
    }
}

fn wants(wanted: &[(usize, i64, i64)]) -> Wants {
    let mut wants = Wants::default();
    for (quantity, from, to) in wanted {
        wants[*quantity] = Some((*from, *to));
    }
    wants
}
