//! What a check found, and how much it looked at.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Most violations of one rule that a report names; the others are counted.
pub const MAX_NAMED_PER_RULE: usize = 100;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// What must hold.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule { $($(#[$doc])* $name,)* }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The rule in words.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

rules! {
    /// The history itself makes sense: known listings and pools, ends after begins. Nothing else is to be
    /// believed where this is broken.
    Recording = "the record makes sense";
    /// At no instant is more certainly taken of a pool than it certainly can have.
    NoOversell = "no pool is oversold";
    /// At no instant has a customer certainly more units or live holds than the listing allows.
    CustomerLimit = "no customer is over the limit";
    /// `sold_out`, `capacity_in_use`, `customer_limit`, `hold_expired`, `wrong_state` and
    /// `idempotency_mismatch` could be true, with their numbers, at some instant between request and answer.
    JustRefusal = "no refusal without need";
    /// What was acknowledged is there afterwards.
    NothingLost = "nothing acknowledged is lost";
    /// Every booking is explained by one request to create it, and one request by one booking at most.
    NothingUnasked = "no booking without a request of its own";
    /// One idempotency key: one effect, and always the same answer.
    OneAnswerPerKey = "one key, one answer";
    /// Later operations never see an earlier version of a booking.
    VersionsGrow = "versions of a booking never go back";
    /// A version of a booking has one content.
    OneContentPerVersion = "one content per version";
    /// From version to version there are only steps that the table of states has, each asked for by somebody
    /// or made by time.
    PossibleSteps = "every change is a possible one, and asked for";
    /// Nothing is seen or changed as a hold after its deadline, nothing lapses before, and deadlines are as
    /// promised.
    Deadlines = "holds lapse at their deadline";
    /// The answer fits the request.
    AnswerFits = "answers fit their requests";
    /// Instants that the server tells lie between request and answer.
    Stamps = "the server's instants lie between request and answer";
    /// Each payment counts once; money is applied, due back, or back; nothing is both sold and given back.
    Money = "money is conserved";
    /// Availability could be true, with its numbers, not longer ago than promised.
    Availability = "availability was true not long ago";
    /// Availability's versions never go back, and one version has one content.
    AvailabilityVersions = "versions of an inventory are in order";
    /// The counters of the pools in the end are the sums of the bookings.
    Counters = "counters are the sums of the bookings";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something that no order of the operations explains.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Rule,
    /// Numbers of the operations that contradict each other.
    pub operations: Vec<u64>,
    /// Ids of the bookings.
    pub bookings: Vec<String>,
    /// What contradicts what, for people, with the numbers.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.detail)?;
        if !self.operations.is_empty() {
            write!(f, " [operations {:?}]", self.operations)?;
        }
        if !self.bookings.is_empty() {
            write!(f, " [bookings {}]", self.bookings.join(", "))?;
        }
        Ok(())
    }
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// What is wrong, at most [`MAX_NAMED_PER_RULE`] of each rule.
    pub violations: Vec<Violation>,
    /// How many are wrong, by rule; rules that hold are missing.
    pub broken: BTreeMap<Rule, u64>,
    /// How often each rule was applied; rules that had nothing to apply to are missing, and prove nothing.
    pub checked: BTreeMap<Rule, u64>,
    /// What the history was made of.
    pub seen: Seen,
}

/// What a history was made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Seen {
    /// Operations.
    pub operations: u64,
    /// Those that succeeded with a booking for the first time.
    pub acknowledged: u64,
    /// Those that were told an earlier answer again.
    pub replayed: u64,
    /// Those that were refused.
    pub refused: u64,
    /// Those whose outcome nobody knows.
    pub unknown: u64,
    /// Bookings that anybody saw.
    pub bookings: u64,
    /// Bookings that the last reading shows.
    pub bookings_at_last: u64,
    /// Availability readings.
    pub availability: u64,
}

impl Report {
    /// Whether nothing contradicts the rules. Says nothing about how much was looked at: see
    /// [`Report::lacks`].
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    /// Those of `rules` that were never applied: a history that has nothing to say about a rule does not show
    /// that it holds.
    #[must_use]
    pub fn lacks(&self, rules: &[Rule]) -> Vec<Rule> {
        rules.iter().copied().filter(|rule| self.times(*rule) == 0).collect()
    }

    /// How often a rule was applied.
    #[must_use]
    pub fn times(&self, rule: Rule) -> u64 {
        self.checked.get(&rule).copied().unwrap_or(0)
    }

    /// Whether a rule is broken.
    #[must_use]
    pub fn breaks(&self, rule: Rule) -> bool {
        self.broken.contains_key(&rule)
    }

    pub(crate) fn count(&mut self, rule: Rule, times: usize) {
        if times > 0 {
            *self.checked.entry(rule).or_default() += times as u64;
        }
    }

    pub(crate) fn violate(
        &mut self,
        rule: Rule,
        operations: impl IntoIterator<Item = u64>,
        bookings: impl IntoIterator<Item = String>,
        detail: String,
    ) {
        let broken = self.broken.entry(rule).or_default();
        *broken += 1;
        if *broken <= MAX_NAMED_PER_RULE as u64 {
            let mut operations: Vec<u64> = operations.into_iter().collect();
            operations.sort_unstable();
            operations.dedup();
            let bookings = bookings.into_iter().collect();
            self.violations.push(Violation { rule, operations, bookings, detail });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = &self.seen;
        writeln!(
            f,
            "{} operations ({} acknowledged, {} replayed, {} refused, {} unknown, {} availability readings), {} bookings ({} at last)",
            s.operations,
            s.acknowledged,
            s.replayed,
            s.refused,
            s.unknown,
            s.availability,
            s.bookings,
            s.bookings_at_last
        )?;
        for rule in Rule::ALL {
            let (times, broken) = (self.times(*rule), self.broken.get(rule).copied().unwrap_or(0));
            let verdict = match (times, broken) {
                (0, 0) => "nothing to look at".to_owned(),
                (_, 0) => format!("holds, looked at {times} times"),
                _ => format!("BROKEN {broken} times in {times}"),
            };
            writeln!(f, "  {rule}: {verdict}")?;
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "{violation}"))
    }
}
