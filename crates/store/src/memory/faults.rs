//! What shall go wrong: scripted, or drawn from a seed.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lastseat_core::id::BookingId;

use crate::error::StoreError;

/// How a step fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// [`StoreError::Unavailable`].
    Unavailable,
    /// [`StoreError::Full`].
    Full,
    /// [`StoreError::BadData`].
    BadData,
}

impl Failure {
    pub(super) fn error(self) -> StoreError {
        match self {
            Self::Unavailable => StoreError::Unavailable("a fault was injected".to_owned()),
            Self::Full => StoreError::Full,
            Self::BadData => StoreError::BadData("a fault was injected".to_owned()),
        }
    }
}

/// What has really become of a transaction whose outcome the client was not told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was committed; only the answer is lost.
    Landed,
    /// It was rolled back.
    Lost,
    /// It is still in flight, and is committed when somebody waits for it: the next transaction, the question
    /// whether it was committed, or a crash.
    LandsLater,
    /// It is still in flight, and is rolled back then.
    LostLater,
}

/// Something that goes wrong once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A transaction cannot begin.
    Begin,
    /// Something cannot be read in a transaction.
    Read,
    /// A snapshot cannot be had.
    Reader,
    /// What a batch changed cannot be written.
    Write(Failure),
    /// The commit fails, and leaves nothing behind.
    Commit(Failure),
    /// The connection dies around the commit.
    Unknown(Fate),
    /// Whether a transaction was committed cannot be found out at the moment.
    Question,
    /// The process dies around the commit.
    Crash(Fate),
}

/// A step at which something can go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Point {
    Begin,
    Read,
    Reader,
    Write,
    Commit,
    Question,
}

impl Fault {
    const fn point(self) -> Point {
        match self {
            Self::Begin => Point::Begin,
            Self::Read => Point::Read,
            Self::Reader => Point::Reader,
            Self::Write(_) => Point::Write,
            Self::Commit(_) | Self::Unknown(_) | Self::Crash(_) => Point::Commit,
            Self::Question => Point::Question,
        }
    }
}

/// How likely each fault is, in thousandths of the times its step is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Odds {
    /// Of [`Fault::Begin`].
    pub begin: u64,
    /// Of [`Fault::Read`].
    pub read: u64,
    /// Of [`Fault::Write`], whichever way.
    pub write: u64,
    /// Of [`Fault::Commit`], whichever way.
    pub commit: u64,
    /// Of [`Fault::Unknown`], whatever the fate.
    pub unknown: u64,
    /// Of [`Fault::Crash`], whatever the fate.
    pub crash: u64,
    /// Of [`Fault::Question`].
    pub question: u64,
}

/// A small generator of numbers that a seed determines (SplitMix64, <https://prng.di.unimi.it/splitmix64.c>).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias of the remainder does not matter for ends this small.
        self.bits() % end
    }

    /// Whether something happens that happens `thousandths` times in a thousand.
    pub fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    /// One of `items`, which are not empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.below(items.len() as u64);
        &items[usize::try_from(index).expect("an index")]
    }
}

#[derive(Debug)]
struct Plan {
    script: VecDeque<Fault>,
    lasting: Vec<Fault>,
    poison: BTreeSet<BookingId>,
    odds: Odds,
    dice: Dice,
}

/// The faults of one store. Clones are the same. Without any, nothing goes wrong.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Default for Faults {
    fn default() -> Self {
        Self::seeded(0, Odds::default())
    }
}

impl Faults {
    /// Faults that this seed draws with these odds.
    #[must_use]
    pub fn seeded(seed: u64, odds: Odds) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            script: VecDeque::new(),
            lasting: Vec::new(),
            poison: BTreeSet::new(),
            odds,
            dice: Dice::new(seed),
        })))
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `fault` happen once, the next time its step is reached. Of several for one step, the first comes
    /// first.
    pub fn once(&self, fault: Fault) {
        self.plan().script.push_back(fault);
    }

    /// Lets `fault` happen every time its step is reached, until [`Faults::heal`]: a full disk, say.
    pub fn always(&self, fault: Fault) {
        self.plan().lasting.push(fault);
    }

    /// Whatever batch writes this booking is refused as [`StoreError::BadData`], every time.
    pub fn poison(&self, booking: BookingId) {
        self.plan().poison.insert(booking);
    }

    /// Draws from this seed with these odds from now on.
    pub fn reseed(&self, seed: u64, odds: Odds) {
        let mut plan = self.plan();
        (plan.dice, plan.odds) = (Dice::new(seed), odds);
    }

    /// What was to happen [`Faults::always`] happens no more.
    pub fn stop_lasting(&self) {
        self.plan().lasting.clear();
    }

    /// Nothing goes wrong from now on.
    pub fn heal(&self) {
        let mut plan = self.plan();
        plan.script.clear();
        plan.lasting.clear();
        plan.poison.clear();
        plan.odds = Odds::default();
    }

    pub(super) fn is_poison(&self, booking: BookingId) -> bool {
        self.plan().poison.contains(&booking)
    }

    /// The fault that happens at this point, if one does.
    pub(super) fn at(&self, point: Point) -> Option<Fault> {
        let mut plan = self.plan();
        if let Some(index) = plan.script.iter().position(|fault| fault.point() == point) {
            return plan.script.remove(index);
        }
        plan.lasting.iter().find(|fault| fault.point() == point).copied().or_else(|| plan.draw(point))
    }

    /// Fails if a fault happens at this point.
    pub(super) fn check(&self, point: Point) -> Result<(), StoreError> {
        match self.at(point) {
            None => Ok(()),
            Some(Fault::Write(failure)) => Err(failure.error()),
            Some(_) => Err(Failure::Unavailable.error()),
        }
    }
}

impl Plan {
    fn draw(&mut self, point: Point) -> Option<Fault> {
        let Odds { begin, read, write, commit, unknown, crash, question } = self.odds;
        let dice = &mut self.dice;
        match point {
            Point::Begin => (begin > 0 && dice.chance(begin)).then_some(Fault::Begin),
            Point::Read => (read > 0 && dice.chance(read)).then_some(Fault::Read),
            Point::Reader => None,
            Point::Write => (write > 0 && dice.chance(write)).then(|| Fault::Write(failure(dice))),
            Point::Question => (question > 0 && dice.chance(question)).then_some(Fault::Question),
            Point::Commit => {
                let drawn = dice.below(1000);
                if drawn < commit {
                    Some(Fault::Commit(failure(dice)))
                } else if drawn < commit + unknown {
                    Some(Fault::Unknown(fate(dice)))
                } else if drawn < commit + unknown + crash {
                    Some(Fault::Crash(fate(dice)))
                } else {
                    None
                }
            }
        }
    }
}

fn failure(dice: &mut Dice) -> Failure {
    *dice.pick(&[Failure::Unavailable, Failure::Full, Failure::BadData])
}

fn fate(dice: &mut Dice) -> Fate {
    *dice.pick(&[Fate::Landed, Fate::Lost, Fate::LandsLater, Fate::LostLater])
}
