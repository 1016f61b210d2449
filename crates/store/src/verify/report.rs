//! What is checked, and how it is told.

use serde::Serialize;

/// Most names of broken things that are listed for one rule.
pub const MAX_BROKEN: usize = 100;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal;)*) => {
        /// A rule that must never break.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            /// All rules, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)*];

            /// The name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }
        }
    };
}

rules! {
    /// For each pool `held + confirmed + blocked + kept <= capacity`, and none is negative.
    NoOversell = "no_oversell";
    /// A pool's `held` and `confirmed` are the sums of the lines of its bookings, and its listing has its group.
    CountersAreTrue = "counters_are_true";
    /// The rows by which overdue holds are found are those of the bookings that hold something.
    HoldsMatchBookings = "holds_match_bookings";
    /// What limits are checked against is what customers and addresses have.
    CustomersAreCounted = "customers_are_counted";
    /// Every booking that changes by itself says when, and that is what the one function computes. Who has waited for long
    /// enough is due.
    DueAtIsComputed = "due_at_is_computed";
    /// Money in = applied + to go back + gone back, each the sum of what was recorded; nothing is kept for a
    /// booking that was called off.
    MoneyIsConserved = "money_is_conserved";
    /// A booking's events are numbered without a gap, and folding them gives its row. Each event in the log is one
    /// of a booking that is there.
    LogFoldsToRows = "log_folds_to_rows";
    /// A booking is found by its id, and by no other number.
    BookingsAreUnique = "bookings_are_unique";
    /// An idempotency key stands for one answer, and for one that was given.
    KeysAreUnique = "idempotency_keys_are_unique";
    /// Nobody waits for what could be had now, or was passed over more often than that is allowed, or waits twice.
    WaitingIsFair = "waiting_is_fair";
    /// What is kept of a pool is kept for entries of the waitlist that wait.
    KeptForWhoWaits = "kept_for_who_waits";
    /// As many entries wait in a listing as are counted.
    WaitlistIsCounted = "waitlist_is_counted";
    /// What an entry was offered is a booking that says so.
    OffersMatchBookings = "offers_match_bookings";
}

/// What was found about one rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// The rule's name.
    pub name: &'static str,
    /// How many things were looked at.
    pub checked: u64,
    /// What breaks it: bookings and listings by their ids, pools as `lst_.../key`. At most [`MAX_BROKEN`].
    pub broken: Vec<String>,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is broken.
    pub ok: bool,
    /// One per rule.
    pub checks: Vec<Check>,
}

impl Default for Report {
    fn default() -> Self {
        let check = |rule: &Rule| Check { name: rule.name(), checked: 0, broken: Vec::new() };
        Self { ok: true, checks: Rule::ALL.iter().map(check).collect() }
    }
}

impl Report {
    /// What was found about a rule.
    #[must_use]
    pub fn of(&self, rule: Rule) -> &Check {
        &self.checks[rule as usize]
    }

    /// How many broken things are listed in all.
    #[must_use]
    pub fn violations(&self) -> usize {
        self.checks.iter().map(|check| check.broken.len()).sum()
    }

    /// Notes that one more thing was looked at.
    pub(super) fn saw(&mut self, rule: Rule) {
        self.checks[rule as usize].checked += 1;
    }

    /// Notes that something breaks a rule.
    pub(super) fn broken(&mut self, rule: Rule, name: String) {
        self.ok = false;
        let broken = &mut self.checks[rule as usize].broken;
        if broken.len() < MAX_BROKEN && !broken.contains(&name) {
            broken.push(name);
        }
    }

    /// Notes that so many things were looked at together.
    pub(super) fn saw_many(&mut self, rule: Rule, count: u64) {
        self.checks[rule as usize].checked += count;
    }

    /// Notes that one more thing was looked at, and whether it is in order. `name` is asked for if it is not.
    pub(super) fn check(&mut self, rule: Rule, in_order: bool, name: impl FnOnce() -> String) {
        self.saw(rule);
        if !in_order {
            self.broken(rule, name());
        }
    }
}
