//! One seed, step by step.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastseat_core::Outcome;
use lastseat_core::booking::State;
use lastseat_core::command::{Action, Actor, Command};
use lastseat_core::decide::names::Names;
use lastseat_core::id::{BookingId, ListingId};
use lastseat_core::refusal::{Code, Refusal};
use lastseat_engine::batch::{self, Ran};
use lastseat_store::memory::{Dice, Failure, Fault, Faults, MemoryStore, Odds, TestClock, Watcher};
use lastseat_store::verify::verify_snapshot;
use lastseat_store::{Lane, Store};

use crate::bugs::{Bug, BuggyLane};
use crate::crowd;
use crate::model::{Model, all, check_limit, check_over, check_oversell, wanted_and_free};
use crate::requests::{self, Request, START, What};
use crate::waits::Waits;

/// How long a key is remembered at least.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Most commands of clients in one batch.
const MAX_BATCH: u64 = 7;
/// In how many seeds there is a crowd, in thousandths.
const CROWDS: u64 = 300;
/// Bookings that are settled or renewed at a time: few, so that it takes several batches.
const LIMIT: u32 = 3;

/// The first thing that was wrong with a commit.
type Wrong = Arc<Mutex<Option<String>>>;

pub(crate) struct World<'a> {
    dice: Dice,
    clock: TestClock,
    store: MemoryStore,
    lane: Box<dyn Lane>,
    bug: Option<Bug>,
    crowd: bool,
    ids: u128,
    listings: Vec<ListingId>,
    requests: Vec<Request>,
    model: Model,
    wrong: Wrong,
    steps: Option<&'a Mutex<Vec<String>>>,
}

impl<'a> World<'a> {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut dice = Dice::new(seed);
        let clock = TestClock::at(START);
        let odds = odds(&mut dice);
        let store = MemoryStore::new(clock.clone(), Faults::default());
        let wrong = Wrong::default();
        store.watch(watcher(&wrong));
        let lane = Box::new(BuggyLane::new(store.lane().unwrap(), bug));
        let crowd = dice.chance(CROWDS);
        let mut world = Self {
            dice,
            clock,
            store,
            lane,
            bug,
            crowd,
            ids: 0,
            listings: Vec::new(),
            requests: Vec::new(),
            model: Model::default(),
            wrong,
            steps: None,
        };
        for _ in 0..=world.dice.below(if crowd { 1 } else { 3 }) {
            world.list();
        }
        world.store.faults().reseed(world.dice.bits(), odds);
        world
    }

    /// Tells every step to `steps`.
    pub(crate) fn tell_to(&mut self, steps: &'a Mutex<Vec<String>>) {
        self.steps = Some(steps);
    }

    fn tell(&self, text: impl FnOnce() -> String) {
        if let Some(steps) = self.steps {
            steps.lock().unwrap().push(format!("{} {}", self.clock.now(), text()));
        }
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    fn list(&mut self) {
        let id = ListingId::from_bits(self.id());
        let mut form = requests::form(&mut self.dice);
        if self.crowd {
            while form["kind"] != "places" && self.dice.chance(500) {
                form = requests::form(&mut self.dice);
            }
            crowd::make_room(&mut self.dice, &mut form);
        }
        let spec = Box::new(serde_json::from_value(form).unwrap());
        let ran = self.batch(&[Command::new(Actor::System, Action::CreateListing { id, spec })]);
        ran.answers.into_iter().for_each(|answer| drop(answer.unwrap()));
        self.listings.push(id);
    }

    fn batch(&mut self, commands: &[Command]) -> Ran {
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            *ids
        };
        batch::run(self.lane.as_mut(), commands, &mut fresh)
    }

    /// The whole life of this world.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        for _ in 0..20 + self.dice.below(if self.crowd { 80 } else { 30 }) {
            self.time_passes();
            self.ask();
            self.send()?;
            self.trouble();
            if self.dice.chance(80) {
                self.check()?;
            }
        }
        self.end()
    }

    fn time_passes(&mut self) {
        let dice = &mut self.dice;
        if self.crowd && dice.chance(970) {
            self.clock.advance(crowd::time(dice, 4_000));
            return;
        }
        let seconds = match dice.below(100) {
            0..60 => dice.below(3),
            60..85 => 10 + dice.below(90),
            85..93 => 300 + dice.below(1_000),
            93..96 => dice.below(8 * 3600),
            _ => {
                let back = Duration::from_secs(dice.below(90));
                self.clock.rewind(back);
                self.tell(|| format!("the clock goes back by {back:?}"));
                return;
            }
        };
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// New requests come up.
    fn ask(&mut self) {
        for _ in 0..self.dice.below(if self.crowd { 6 } else { 4 }) {
            let no = self.requests.len();
            let id = *self.dice.pick(&self.listings);
            let read = self.store.reader().unwrap();
            let Some(request) = Request::new(&mut self.dice, read.as_ref(), id, no, self.crowd) else {
                continue;
            };
            drop(read);
            let key = request.key.map(|key| u128::from_be_bytes(key.key.0));
            self.tell(|| format!("request {no}: {:?}, key {key:?}", request.what));
            self.requests.push(request);
        }
    }

    /// Some of those who ask are taken together, in any order, some of them twice.
    fn send(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        let may_ask_again = |request: &Request| {
            request.key.is_some() && request.told_at.is_some_and(|at| now < at + REMEMBERED && at <= now)
        };
        let mut numbers = Vec::new();
        for request in &self.requests {
            // Who was answered asks again now and then, because the answer was lost.
            if (request.open && self.dice.chance(600)) || (may_ask_again(request) && self.dice.chance(50)) {
                numbers.push(request.no);
                if request.key.is_some() && self.dice.chance(150) {
                    numbers.push(request.no);
                }
            }
        }
        for index in (1..numbers.len()).rev() {
            numbers.swap(index, usize::try_from(self.dice.below(index as u64 + 1)).unwrap());
        }
        numbers.truncate(usize::try_from(1 + self.dice.below(MAX_BATCH)).unwrap());
        let mut commands = Vec::new();
        for no in &numbers {
            let id = self.id();
            if self.dice.chance(5) {
                self.store.faults().poison(BookingId::from_bits(id));
            }
            commands.push(self.requests[*no].command(id));
        }
        let own = self.dice.below(10);
        match own {
            0 | 1 => commands.push(Command::new(Actor::System, Action::SettleDue { limit: LIMIT })),
            2 => commands.push(Command::new(Actor::System, Action::RenewDue { limit: LIMIT })),
            _ => {}
        }
        let expected = if numbers.len() == 1 && own > 2 { self.free_before(numbers[0]) } else { None };
        let ran = self.batch(&commands);
        if ran.answers.len() != commands.len() {
            return Err(format!("{} answers to {} commands", ran.answers.len(), commands.len()));
        }
        for (no, answer) in numbers.iter().zip(&ran.answers) {
            self.tell(|| match answer {
                Ok(outcome) => format!("  request {no} ok: {}", brief(outcome)),
                Err(refusal) => format!("  request {no} refused: {refusal}"),
            });
            if let Some(free) = &expected {
                check_admission(*no, answer, free)?;
            }
            self.answered(*no, answer)?;
        }
        self.check_limits(&numbers, &ran)?;
        self.check_commits()
    }

    /// Whether every commit until now was as it should be.
    fn check_commits(&self) -> Result<(), String> {
        self.wrong.lock().unwrap().take().map_or(Ok(()), Err)
    }

    /// Nobody was given more than the terms of their booking allow, at the time when they got it: as far as that can
    /// be seen afterwards, when nothing but creations came after it in the batch.
    fn check_limits(&self, numbers: &[usize], ran: &Ran) -> Result<(), String> {
        let read = self.store.reader().unwrap();
        for (no, answer) in numbers.iter().zip(&ran.answers).rev() {
            if !matches!(self.requests[*no].what, What::Create { .. }) {
                break;
            }
            if let Ok(Outcome::Booking(row)) = answer {
                check_limit(read.as_ref(), row, ran.now)?;
            }
        }
        Ok(())
    }

    /// What a lone creation wants and could have, whoever has swept. None if that cannot be said.
    fn free_before(&mut self, no: usize) -> Option<Vec<(i64, i64)>> {
        // Whatever is in flight lands now.
        let batch = self.id();
        drop(self.lane.begin(batch, &Names::default()).ok()?);
        let read = self.store.reader().unwrap();
        wanted_and_free(read.as_ref(), &self.requests[no], self.clock.now())
    }

    fn answered(&mut self, no: usize, answer: &Result<Outcome, Refusal>) -> Result<(), String> {
        let now = self.clock.now();
        let request = &mut self.requests[no];
        match answer {
            Ok(outcome) => {
                let read = self.store.reader().unwrap();
                self.model.success(read.as_ref(), request, outcome)?;
            }
            Err(refusal) => self.model.refusal(request, refusal),
        }
        request.hear(&mut self.dice, answer, now);
        Ok(())
    }

    /// The disk fills up or is emptied; old keys are forgotten; the process may be killed between two batches.
    fn trouble(&mut self) {
        if self.dice.chance(15) {
            self.tell(|| "the disk is full".into());
            self.store.faults().always(Fault::Write(Failure::Full));
        } else if self.dice.chance(150) {
            self.store.faults().stop_lasting();
        }
        if self.dice.chance(20) {
            let before = self.clock.now().plus_seconds(-i64::try_from(REMEMBERED.as_secs()).unwrap());
            let _ = self.lane.prune(before);
        }
        if self.dice.chance(20) {
            self.tell(|| "the process is killed".into());
            self.store.crash();
        }
        // After a crash somebody starts it again.
        let batch = self.id();
        if self.lane.begin(batch, &Names::default()).is_err() && self.dice.chance(800) {
            self.reopen();
        }
    }

    fn reopen(&mut self) {
        self.tell(|| "the process is started".into());
        self.lane = Box::new(BuggyLane::new(self.store.lane().unwrap(), self.bug));
    }

    /// Checks what can be seen at any time.
    fn check(&mut self) -> Result<(), String> {
        self.check_commits()?;
        let read = self.store.reader().unwrap();
        check_oversell(read.as_ref())?;
        self.model.check(read.as_ref(), &self.requests)?;
        let report = verify_snapshot(read.as_ref()).map_err(|error| error.to_string())?;
        match report.checks.iter().find(|check| !check.broken.is_empty()) {
            Some(check) => Err(format!("{}: {:?}", check.name, check.broken)),
            None => Ok(()),
        }
    }

    /// Everything works again: who still asks is answered, what is due is done, and all is as it should be.
    fn end(&mut self) -> Result<(), String> {
        self.tell(|| "everything is healed".into());
        self.store.faults().heal();
        self.reopen();
        let open: Vec<usize> =
            self.requests.iter().filter(|request| request.open).map(|request| request.no).collect();
        for no in open {
            let id = self.id();
            let command = self.requests[no].command(id);
            let ran = self.batch(std::slice::from_ref(&command));
            let answer = &ran.answers[0];
            self.tell(|| format!("request {no}, for the last time: {:?}", answer.as_ref().map(brief)));
            if matches!(answer, Err(refusal) if refusal.code == Code::Unavailable) {
                return Err(format!("request {no} is not served by a healthy store"));
            }
            self.answered(no, answer)?;
            self.check_commits()?;
        }
        self.check()?;
        let limit = LIMIT;
        while self.batch(&[Command::new(Actor::System, Action::RenewDue { limit })]).more_renewals {}
        self.check()?;
        self.clock.advance(Duration::from_secs(400 * 86_400));
        while self.batch(&[Command::new(Actor::System, Action::SettleDue { limit })]).more_due {}
        self.check()?;
        let read = self.store.reader().unwrap();
        for booking in all(read.as_ref()) {
            if booking.state.holds() || booking.state == State::Confirmed {
                return Err(format!("time never comes for {booking:?}"));
            }
        }
        check_over(read.as_ref())
    }
}

/// Looks at every commit.
fn watcher(wrong: &Wrong) -> Watcher {
    let (wrong, mut waits) = (Arc::clone(wrong), Waits::default());
    Box::new(move |read, world| {
        if let Err(error) = waits.commit(read, world) {
            wrong.lock().unwrap().get_or_insert(error);
        }
    })
}

/// What was answered, in the same words each time.
pub(crate) fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Booking(row) => {
            format!("booking {} v{} {:?} {:?}", row.no.0, row.version, row.state, row.lines.runs())
        }
        Outcome::Listing(listing) => format!("listing {} v{}", listing.no.0, listing.version),
        other => format!("{other:?}"),
    }
}

/// Every seed has its own sorts of trouble.
fn odds(dice: &mut Dice) -> Odds {
    let mut some = |most: &[u64]| *dice.pick(most);
    Odds {
        begin: some(&[0, 0, 50]),
        read: some(&[0, 0, 3]),
        write: some(&[0, 0, 50, 200]),
        commit: some(&[0, 0, 50, 200]),
        unknown: some(&[0, 50, 200, 500]),
        crash: some(&[0, 0, 50, 150]),
        question: some(&[0, 300, 1000]),
    }
}

/// A creation alone in its batch is refused as sold out exactly if it wants more than there is.
pub(crate) fn check_admission(
    no: usize,
    answer: &Result<Outcome, Refusal>,
    free: &[(i64, i64)],
) -> Result<(), String> {
    let short = free.iter().any(|(wanted, free)| wanted > free);
    match answer {
        Ok(Outcome::Booking(_)) if short => {
            Err(format!("request {no} was admitted, with {free:?} wanted and free"))
        }
        Err(refusal) if refusal.code == Code::SoldOut && !short => {
            Err(format!("request {no} was refused, with {free:?} wanted and free: {refusal}"))
        }
        _ => Ok(()),
    }
}
