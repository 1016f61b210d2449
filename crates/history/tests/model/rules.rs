//! What the sequential model does with one request: the rules in their plainest form.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lastseat_history::{
    Answer, Ask, BookingView, Line, Listing, Measure, PoolNumbers, PoolReading, ShortPool, State,
};

/// Minor units per unit.
const PRICE: i64 = 100;

pub(crate) struct Booking {
    pub(crate) view: BookingView,
    pub(crate) extended: bool,
    pub(crate) references: HashSet<String>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) capacity: i64,
    pub(crate) held: i64,
    pub(crate) confirmed: i64,
}

impl Counters {
    pub(crate) fn free(&self) -> i64 {
        self.capacity - self.held - self.confirmed
    }
}

pub(crate) struct Model {
    pub(crate) listing: Listing,
    pub(crate) is_free: bool,
    pub(crate) pools: BTreeMap<String, Counters>,
    pub(crate) customers: HashMap<String, (i64, i64)>,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) by_id: HashMap<String, usize>,
    pub(crate) dues: BTreeSet<(i64, usize)>,
    pub(crate) changed: bool,
}

pub(crate) fn refused(code: &str) -> Answer {
    Answer::Refused { code: code.to_owned(), pools: Vec::new(), state: None }
}

fn wrong_state(state: State) -> Answer {
    let code = if state == State::Expired { "hold_expired" } else { "wrong_state" };
    Answer::Refused { code: code.to_owned(), pools: Vec::new(), state: Some(state) }
}

impl Model {
    pub(crate) fn new(listing: Listing, is_free: bool) -> Self {
        let pool = |pool: &lastseat_history::Pool| {
            (pool.key.clone(), Counters { capacity: pool.capacity, ..Counters::default() })
        };
        Self {
            is_free,
            pools: listing.pools.iter().map(pool).collect(),
            customers: HashMap::new(),
            bookings: Vec::new(),
            by_id: HashMap::new(),
            dues: BTreeSet::new(),
            changed: false,
            listing,
        }
    }

    pub(crate) fn units(&self, lines: &[Line]) -> i64 {
        match self.listing.measure {
            Measure::Sum => lines.iter().map(|line| line.quantity).sum(),
            Measure::PerPosition => {
                let mut at: HashMap<&str, i64> = HashMap::new();
                for line in lines {
                    *at.entry(line.pool.split_once('/').unwrap().1).or_default() += line.quantity;
                }
                at.into_values().max().unwrap_or(0)
            }
        }
    }

    pub(crate) fn price(&self, lines: &[Line]) -> i64 {
        if self.is_free { 0 } else { lines.iter().map(|line| line.quantity * PRICE).sum() }
    }

    fn count(&mut self, index: usize, sign: i64) {
        let view = self.bookings[index].view.clone();
        if let Some(due) = view.due_at_ms.filter(|_| view.state.holds()) {
            let _ = if sign > 0 { self.dues.insert((due, index)) } else { self.dues.remove(&(due, index)) };
        }
        if !view.state.holds() && !view.state.sells() {
            return;
        }
        let units = self.units(&view.lines);
        for line in &view.lines {
            let pool = self.pools.get_mut(&line.pool).unwrap();
            *(if view.state.holds() { &mut pool.held } else { &mut pool.confirmed }) += sign * line.quantity;
        }
        let has = self.customers.entry(view.customer.clone().unwrap()).or_default();
        has.0 += sign * units;
        has.1 += sign * i64::from(view.state.holds());
        self.changed = true;
    }

    fn put(&mut self, index: usize, change: impl FnOnce(&mut Booking)) -> Answer {
        self.count(index, -1);
        change(&mut self.bookings[index]);
        self.bookings[index].view.version += 1;
        self.count(index, 1);
        self.tell(index)
    }

    pub(crate) fn tell(&self, index: usize) -> Answer {
        Answer::Booking { booking: self.bookings[index].view.clone(), replayed: false }
    }

    /// What a reader sees at an instant.
    pub(crate) fn settled(&self, index: usize, now: i64) -> BookingView {
        let mut view = self.bookings[index].view.clone();
        if view.state.holds() && view.due_at_ms.unwrap() <= now {
            lapse(&mut view);
            view.version += 1;
        }
        view
    }

    pub(crate) fn readings(&self, now: i64) -> Vec<PoolReading> {
        let mut lapsed: HashMap<&str, i64> = HashMap::new();
        for (_, index) in self.dues.range(..=(now, usize::MAX)) {
            for line in &self.bookings[*index].view.lines {
                *lapsed.entry(&line.pool).or_default() += line.quantity;
            }
        }
        let reading = |(key, pool): (&String, &Counters)| {
            let held = pool.held - lapsed.get(key.as_str()).copied().unwrap_or(0);
            let available = pool.capacity - held - pool.confirmed;
            PoolReading {
                key: key.clone(),
                capacity: pool.capacity + 1,
                blocked: 1,
                held,
                confirmed: pool.confirmed,
                available,
            }
        };
        self.pools.iter().map(reading).collect()
    }

    /// Settles what is overdue. The bookings with their versions afterwards.
    pub(crate) fn sweep(&mut self, now: i64) -> Vec<(String, u64)> {
        let overdue: Vec<usize> = self.dues.range(..=(now, usize::MAX)).map(|(_, index)| *index).collect();
        for index in &overdue {
            self.put(*index, |booking| lapse(&mut booking.view));
        }
        overdue
            .into_iter()
            .map(|index| (self.bookings[index].view.id.clone(), self.bookings[index].view.version))
            .collect()
    }

    pub(crate) fn decide(&mut self, ask: &Ask, now: i64) -> Answer {
        match ask {
            Ask::Create { customer, lines, .. } => self.create(customer.clone().unwrap(), lines, now),
            Ask::Confirm { booking, reference, amount } => self.confirm(booking, reference, *amount, now),
            Ask::Cancel { booking } => self.cancel(booking, now),
            Ask::Extend { booking, seconds } => self.extend(booking, *seconds),
            Ask::Reschedule { booking, lines } => self.reschedule(booking, lines),
            Ask::SetPools { pools, .. } => self.set_pools(pools),
            Ask::Other { .. } | Ask::Read { .. } | Ask::Availability { .. } => unreachable!("not asked here"),
        }
    }

    /// Why it cannot be.
    fn admit(&self, customer: &str, lines: &[Line], own: Option<usize>, hold: bool) -> Option<Answer> {
        let own_view = own.map(|index| &self.bookings[index].view);
        let (has, holds) = self.customers.get(customer).copied().unwrap_or_default();
        let own_units = own_view.map_or(0, |view| self.units(&view.lines));
        let over =
            self.listing.max_per_customer.is_some_and(|most| has - own_units + self.units(lines) > most)
                || self.listing.max_open_holds.is_some_and(|most| hold && own.is_none() && holds + 1 > most);
        if over {
            return Some(refused("customer_limit"));
        }
        let mut short = Vec::new();
        for line in lines {
            let pool = self.pools[&line.pool];
            let own_lines = own_view.into_iter().flat_map(|view| &view.lines);
            let own: i64 = own_lines.filter(|own| own.pool == line.pool).map(|own| own.quantity).sum();
            let available = pool.free() + own;
            if line.quantity > available {
                let (key, requested) = (line.pool.clone(), line.quantity);
                short.push(ShortPool { key, requested, available: available.max(0), held: pool.held });
            }
        }
        (!short.is_empty()).then(|| Answer::Refused { code: "sold_out".into(), pools: short, state: None })
    }

    fn create(&mut self, customer: String, lines: &[Line], now: i64) -> Answer {
        let held = !self.is_free;
        if let Some(refusal) = self.admit(&customer, lines, None, held) {
            return refusal;
        }
        let index = self.bookings.len();
        let due = now + self.listing.hold_seconds.unwrap() * 1000;
        let view = BookingView {
            id: format!("bkg_{}_{index}", self.listing.id),
            version: 1,
            state: if held { State::Held } else { State::Confirmed },
            listing: self.listing.id.clone(),
            customer: Some(customer),
            lines: lines.to_vec(),
            total: self.price(lines),
            paid: 0,
            refund_due: 0,
            refunded: 0,
            created_at_ms: now,
            due_at_ms: held.then_some(due),
            decided_at_ms: None,
        };
        self.by_id.insert(view.id.clone(), index);
        self.bookings.push(Booking { view, extended: false, references: HashSet::new() });
        self.count(index, 1);
        self.tell(index)
    }

    fn confirm(&mut self, booking: &str, reference: &str, amount: i64, now: i64) -> Answer {
        let index = self.by_id[booking];
        if self.bookings[index].references.contains(reference) {
            return self.tell(index);
        }
        let view = &self.bookings[index].view;
        let (state, paid) = (view.state, view.paid);
        let open = state == State::Held || (state == State::Expired && paid == 0);
        if open && amount != view.total {
            return refused("invalid");
        }
        let (customer, lines) = (view.customer.clone().unwrap(), view.lines.clone());
        let fits = state == State::Held || (open && self.admit(&customer, &lines, None, false).is_none());
        self.put(index, |booking| {
            booking.references.insert(reference.to_owned());
            booking.view.paid += amount;
            if fits {
                booking.view.state = State::Confirmed;
                booking.view.due_at_ms = None;
                booking.view.decided_at_ms = Some(now);
            } else {
                booking.view.refund_due += amount;
            }
        })
    }

    fn cancel(&mut self, booking: &str, now: i64) -> Answer {
        let index = self.by_id[booking];
        let state = self.bookings[index].view.state;
        if !matches!(state, State::Held | State::Confirmed) {
            return wrong_state(state);
        }
        self.put(index, |booking| {
            let view = &mut booking.view;
            view.state = State::Cancelled;
            view.due_at_ms = None;
            view.refund_due = view.paid - view.refunded;
            view.decided_at_ms = Some(now);
        })
    }

    fn extend(&mut self, booking: &str, seconds: i64) -> Answer {
        let index = self.by_id[booking];
        let view = &self.bookings[index].view;
        if view.state != State::Held || self.bookings[index].extended {
            return wrong_state(view.state);
        }
        let later = view.due_at_ms.unwrap() + seconds * 1000;
        if later > view.created_at_ms + self.listing.hold_max_seconds.unwrap() * 1000 {
            return refused("invalid");
        }
        self.put(index, |booking| {
            booking.view.due_at_ms = Some(later);
            booking.extended = true;
        })
    }

    fn reschedule(&mut self, booking: &str, lines: &[Line]) -> Answer {
        let index = self.by_id[booking];
        let view = self.bookings[index].view.clone();
        if !matches!(view.state, State::Held | State::Confirmed) {
            return wrong_state(view.state);
        }
        let total = self.price(lines);
        if view.state == State::Confirmed && total > view.total {
            return refused("invalid");
        }
        if view.lines == lines {
            return self.tell(index);
        }
        let customer = view.customer.as_deref().unwrap();
        if let Some(refusal) = self.admit(customer, lines, Some(index), view.state == State::Held) {
            return refusal;
        }
        self.put(index, |booking| {
            let applied = booking.view.paid - booking.view.refund_due - booking.view.refunded;
            booking.view.refund_due += (applied - total).max(0);
            booking.view.lines = lines.to_vec();
            booking.view.total = total;
        })
    }

    fn set_pools(&mut self, numbers: &[PoolNumbers]) -> Answer {
        let short: Vec<ShortPool> = numbers
            .iter()
            .filter(|new| {
                new.capacity - new.blocked < self.pools[&new.key].held + self.pools[&new.key].confirmed
            })
            .map(|new| ShortPool {
                key: new.key.clone(),
                requested: new.capacity - new.blocked,
                available: 0,
                held: self.pools[&new.key].held,
            })
            .collect();
        if !short.is_empty() {
            return Answer::Refused { code: "capacity_in_use".into(), pools: short, state: None };
        }
        for new in numbers {
            self.pools.get_mut(&new.key).unwrap().capacity = new.capacity - new.blocked;
        }
        self.changed = true;
        Answer::Done
    }
}

fn lapse(view: &mut BookingView) {
    view.state = State::Expired;
    view.due_at_ms = None;
    view.refund_due = view.paid - view.refunded;
}
