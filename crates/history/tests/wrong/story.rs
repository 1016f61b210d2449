//! Short histories written by hand. Instants are in milliseconds, the same for clients and server.

use lastseat_history::{
    Answer, Ask, BookingView, Clock, Coverage, History, LastReading, Line, Listing, Operation, Pool,
    PoolCounters, PoolReading, Rule, Setting, ShortPool, State, check,
};

pub(crate) const LISTING: &str = "lst_1";
/// How long holds live.
pub(crate) const HOLD_MS: i64 = 10_000;
/// What a unit costs.
pub(crate) const PRICE: i64 = 100;

/// The history that is wrong, and the one that differs from it in nothing but that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Twin {
    Right,
    Wrong,
}

impl Twin {
    pub(crate) fn pick<T>(self, right: T, wrong: T) -> T {
        if self == Self::Right { right } else { wrong }
    }
}

/// The right twin passes, and not for want of a look; the wrong one breaks this rule and no other, and the
/// violation says all of `words`.
#[track_caller]
pub(crate) fn twins(rule: Rule, words: &[&str], tell: impl Fn(Twin) -> Story) {
    let right = check(&tell(Twin::Right).history);
    assert!(right.holds(), "the right one: {right}");
    assert!(right.times(rule) > 0, "the right one was not looked at: {right}");
    let wrong = check(&tell(Twin::Wrong).history);
    assert_eq!(wrong.broken.keys().copied().collect::<Vec<_>>(), [rule], "the wrong one: {wrong}");
    for word in words {
        let found = wrong.violations.iter().any(|violation| violation.to_string().contains(word));
        assert!(found, "{word:?} is not in {wrong}");
    }
}

pub(crate) struct Story {
    pub(crate) history: History,
}

impl Story {
    /// One listing with one pool of `capacity`.
    pub(crate) fn new(capacity: i64) -> Self {
        let pools = vec![Pool { key: "standard".into(), capacity, blocked: 0 }];
        let listing =
            Listing { id: LISTING.into(), pools, hold_seconds: Some(HOLD_MS / 1000), ..Listing::default() };
        Self { history: History::new(Setting::new(Clock::SHARED, vec![listing])) }
    }

    pub(crate) fn listing(&mut self) -> &mut Listing {
        &mut self.history.setting.listings[0]
    }

    pub(crate) fn tell(&mut self, (from, to): (i64, i64), key: Option<&str>, ask: Ask, answer: Answer) {
        let id = self.history.operations.len() as u64;
        let (started_us, ended_us) = (from * 1000, Some(to * 1000));
        let key = key.map(str::to_owned);
        self.history.operations.push(Operation { id, started_us, ended_us, key, ask, answer });
    }

    /// A hold that is asked for and told.
    pub(crate) fn hold(&mut self, at: (i64, i64), id: &str, customer: &str, quantity: i64) -> BookingView {
        let view = held(id, customer, quantity, at.0 + 1);
        self.tell(at, None, create(customer, quantity), told(&view));
        view
    }

    /// A confirmation.
    pub(crate) fn confirm(&mut self, at: (i64, i64), view: &BookingView) -> BookingView {
        let new = confirmed(view, at.0 + 1);
        let ask = Ask::Confirm { booking: view.id.clone(), reference: "p1".into(), amount: view.total };
        self.tell(at, None, ask, told(&new));
        new
    }

    pub(crate) fn cancel(&mut self, at: (i64, i64), view: &BookingView) -> BookingView {
        let new = cancelled(view, at.0 + 1);
        self.tell(at, None, Ask::Cancel { booking: view.id.clone() }, told(&new));
        new
    }

    pub(crate) fn read(&mut self, at: (i64, i64), view: &BookingView) {
        self.tell(at, None, Ask::Read { booking: view.id.clone() }, told(view));
    }

    pub(crate) fn sold_out(&mut self, at: (i64, i64), customer: &str, quantity: i64, held: i64) {
        let short = ShortPool { key: "standard".into(), requested: quantity, available: 0, held };
        self.tell(at, None, create(customer, quantity), refused("sold_out", vec![short]));
    }

    /// Availability of the pool: version, held, confirmed, of a capacity.
    pub(crate) fn availability(
        &mut self,
        at: (i64, i64),
        version: u64,
        (held, confirmed, capacity): (i64, i64, i64),
    ) {
        let available = capacity - held - confirmed;
        let pools =
            vec![PoolReading { key: "standard".into(), capacity, blocked: 0, held, confirmed, available }];
        let answer = Answer::Availability { version, as_of_ms: at.0, pools };
        self.tell(at, None, Ask::Availability { listing: LISTING.into() }, answer);
    }

    /// Everything that there is in the end.
    pub(crate) fn ends(&mut self, at: (i64, i64), bookings: &[&BookingView]) {
        self.history.last = Some(LastReading {
            started_us: at.0 * 1000,
            ended_us: at.1 * 1000,
            coverage: Coverage::All,
            bookings: bookings.iter().map(|view| (*view).clone()).collect(),
            pools: Vec::new(),
            lapses: Vec::new(),
        });
    }

    pub(crate) fn counters(&mut self, held: i64, confirmed: i64) {
        let counters = PoolCounters { listing: LISTING.into(), key: "standard".into(), held, confirmed };
        self.history.last.as_mut().unwrap().pools.push(counters);
    }
}

pub(crate) fn lines(quantity: i64) -> Vec<Line> {
    vec![Line { pool: "standard".into(), quantity }]
}

pub(crate) fn create(customer: &str, quantity: i64) -> Ask {
    Ask::Create { listing: LISTING.into(), customer: Some(customer.into()), lines: lines(quantity) }
}

pub(crate) fn told(view: &BookingView) -> Answer {
    Answer::Booking { booking: view.clone(), replayed: false }
}

pub(crate) fn again(view: &BookingView) -> Answer {
    Answer::Booking { booking: view.clone(), replayed: true }
}

pub(crate) fn refused(code: &str, pools: Vec<ShortPool>) -> Answer {
    Answer::Refused { code: code.into(), pools, state: None }
}

pub(crate) fn held(id: &str, customer: &str, quantity: i64, created: i64) -> BookingView {
    BookingView {
        id: id.into(),
        version: 1,
        state: State::Held,
        listing: LISTING.into(),
        customer: Some(customer.into()),
        lines: lines(quantity),
        total: quantity * PRICE,
        paid: 0,
        refund_due: 0,
        refunded: 0,
        created_at_ms: created,
        due_at_ms: Some(created + HOLD_MS),
        decided_at_ms: None,
    }
}

fn next(view: &BookingView, state: State) -> BookingView {
    BookingView { version: view.version + 1, state, due_at_ms: None, ..view.clone() }
}

pub(crate) fn confirmed(view: &BookingView, at: i64) -> BookingView {
    BookingView { paid: view.total, decided_at_ms: Some(at), ..next(view, State::Confirmed) }
}

pub(crate) fn cancelled(view: &BookingView, at: i64) -> BookingView {
    BookingView { refund_due: view.paid, decided_at_ms: Some(at), ..next(view, State::Cancelled) }
}

pub(crate) fn expired(view: &BookingView) -> BookingView {
    next(view, State::Expired)
}
