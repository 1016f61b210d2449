//! One seed, step by step: several nodes, and the driver who decides what happens to them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastseat_core::booking::State;
use lastseat_core::command::{Action, Actor, Command};
use lastseat_core::id::ListingId;
use lastseat_core::refusal::Code;
use lastseat_core::time::Time;
use lastseat_engine::batch::{self, Ran};
use lastseat_store::memory::{Dice, TestClock};
use lastseat_store::simulated::{Cluster, Driver, Node, Trouble};
use lastseat_store::verify::verify_snapshot;
use lastseat_store::{Lane, Read, Store};

use super::desk::{self, Desk, Done, Job, Work};
use super::watch::{self, Reader, Wrong};
use super::{Planted, rush};
use crate::bugs::BuggyLane;
use crate::crowd;
use crate::model::{Model, all, check_over};
use crate::requests::{self, Request, START};
use crate::world::brief;

/// How long a key is remembered.
const REMEMBERED: Duration = Duration::from_secs(48 * 3600);
/// How long its client asks again.
const ASKS_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// Most commands of clients in one batch.
const MAX_BATCH: u64 = 4;
/// In how many seeds all want to book at once, in thousandths.
const RUSHES: u64 = 450;
/// In how many of the others there is a crowd.
const CROWDS: u64 = 400;
/// Bookings that are settled or renewed at a time: few, so that it takes several batches.
const LIMIT: u32 = 3;
/// How many turns of the driver everything may take to come to rest.
const MAX_TURNS_TO_REST: usize = 20_000;

/// A node, as the driver sees it.
struct Place {
    desk: Arc<Desk>,
    node: Node,
    /// Whether it runs at all.
    up: bool,
    sent: Option<Sent>,
}

/// What a node is at.
struct Sent {
    node: Node,
    /// The requests, in the order of their commands.
    requests: Vec<usize>,
    commands: Vec<Command>,
    /// Whether the clock has leapt since.
    leapt: bool,
}

pub(super) struct Nodes {
    dice: Dice,
    clock: TestClock,
    cluster: Cluster,
    planted: Option<Planted>,
    rush: bool,
    crowd: bool,
    places: Vec<Place>,
    ids: u128,
    listings: Vec<ListingId>,
    requests: Vec<Request>,
    model: Model,
    reader: Reader,
    wrong: Wrong,
    steps: Option<Arc<Mutex<Vec<String>>>>,
}

impl Nodes {
    pub(super) fn new(seed: u64, planted: Option<Planted>, steps: Option<&Arc<Mutex<Vec<String>>>>) -> Self {
        let mut dice = Dice::new(seed);
        let clock = TestClock::at(START);
        let cluster = Cluster::with_flaw(clock.clone(), planted.and_then(Planted::flaw));
        let wrong = Wrong::default();
        cluster.watch(watch::watcher(&wrong));
        if let Some(steps) = steps {
            cluster.tell_to(steps);
        }
        let place = |_| Place { desk: Arc::default(), node: cluster.node(), up: true, sent: None };
        let places = (0..2 + dice.below(3)).map(place).collect();
        let rush = dice.chance(RUSHES);
        let crowd = !rush && dice.chance(CROWDS);
        let mut nodes = Self {
            dice,
            clock,
            cluster,
            planted,
            rush,
            crowd,
            places,
            ids: 0,
            listings: Vec::new(),
            requests: Vec::new(),
            model: Model::default(),
            reader: Reader::default(),
            wrong,
            steps: steps.cloned(),
        };
        let listings = if rush || crowd { 1 } else { 1 + nodes.dice.below(3) };
        for _ in 0..listings {
            let id = ListingId::from_bits(nodes.id());
            let mut form = requests::form(&mut nodes.dice);
            while (rush || crowd) && form["kind"] != "places" && nodes.dice.chance(700) {
                form = requests::form(&mut nodes.dice);
            }
            if rush {
                rush::make_room(&mut nodes.dice, &mut form);
            } else if crowd {
                crowd::make_room(&mut nodes.dice, &mut form);
            }
            let spec = Box::new(serde_json::from_value(form).unwrap());
            nodes.alone(&[Command::new(Actor::System, Action::CreateListing { id, spec })]);
            nodes.listings.push(id);
        }
        nodes
    }

    fn tell(&self, text: impl FnOnce() -> String) {
        if let Some(steps) = &self.steps {
            steps.lock().unwrap().push(format!("{} {}", self.clock.now(), text()));
        }
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    fn read(&self) -> Box<dyn Read + '_> {
        self.places[0].node.reader().unwrap()
    }

    /// Runs a batch while nobody else does anything.
    fn alone(&mut self, commands: &[Command]) -> Ran {
        let inner = self.places[0].node.lane().unwrap();
        let mut lane: Box<dyn Lane> = Box::new(BuggyLane::new(inner, self.planted.and_then(Planted::bug)));
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            *ids
        };
        batch::run(lane.as_mut(), commands, &mut fresh)
    }

    /// The whole life of this world.
    pub(super) fn run(mut self) -> Result<(), String> {
        let bug = self.planted.and_then(Planted::bug);
        std::thread::scope(|scope| {
            let trouble = trouble(&mut self.dice);
            let driver = self.cluster.drive(self.dice.bits(), trouble);
            for place in &self.places {
                let (node, desk) = (place.node.clone(), Arc::clone(&place.desk));
                scope.spawn(move || desk::serve(&node, &desk, bug));
            }
            for _ in 0..40 + self.dice.below(if self.crowd { 200 } else { 80 }) {
                self.time_passes();
                self.ask();
                self.hand_out(&driver);
                self.trouble(&driver);
                driver.pass();
                self.collect()?;
                self.look()?;
            }
            self.come_to_rest(&driver)
        })?;
        self.end()
    }

    fn time_passes(&mut self) {
        let dice = &mut self.dice;
        if self.rush && dice.chance(900) {
            self.clock.advance(Duration::from_millis(dice.below(20)));
            return;
        }
        if self.crowd && dice.chance(950) {
            self.clock.advance(crowd::time(dice, 600));
            return;
        }
        let millis = match dice.below(100) {
            0..50 => dice.below(50),
            50..80 => dice.below(3_000),
            80..93 => dice.below(90_000),
            93..96 => dice.below(1_300_000),
            96 => {
                // Nobody takes longer than a day: keys are remembered for longer than what is in flight.
                if self.places.iter().flat_map(|place| &place.sent).any(|sent| sent.leapt) {
                    return;
                }
                self.places.iter_mut().flat_map(|place| &mut place.sent).for_each(|sent| sent.leapt = true);
                dice.below(8 * 3_600_000)
            }
            _ => {
                let back = Duration::from_secs(dice.below(90));
                self.clock.rewind(back);
                self.tell(|| format!("the clock goes back by {back:?}"));
                return;
            }
        };
        self.clock.advance(Duration::from_millis(millis));
    }

    /// New requests come up.
    fn ask(&mut self) {
        for _ in 0..self.dice.below(if self.rush || self.crowd { 5 } else { 3 }) {
            let no = self.requests.len();
            let id = *self.dice.pick(&self.listings);
            let read = self.places[0].node.reader().unwrap();
            let request = Request::new(&mut self.dice, read.as_ref(), id, no, self.crowd);
            let Some(mut request) = request else { continue };
            drop(read);
            if self.rush && !rush::suits(&mut self.dice, &mut request) {
                continue;
            }
            let key = request.key.map(|key| u128::from_be_bytes(key.key.0));
            self.tell(|| format!("request {no}: {:?}, key {key:?}", request.what));
            self.requests.push(request);
        }
    }

    /// Whoever has nothing to do is given something.
    fn hand_out(&mut self, driver: &Driver) {
        for index in 0..self.places.len() {
            let place = &self.places[index];
            if !place.up || place.sent.is_some() || !driver.is_resting(index) || !self.dice.chance(700) {
                continue;
            }
            let ordering =
                self.places.iter().flat_map(|place| &place.sent).any(|sent| sent.commands.is_empty());
            let (work, requests, commands) = match self.dice.below(10) {
                0 | 1 => (Work::Order, Vec::new(), Vec::new()),
                2..9 if ordering => (Work::Order, Vec::new(), Vec::new()),
                2 if self.dice.chance(100) => {
                    (Work::Prune(before(self.clock.now(), REMEMBERED)), Vec::new(), Vec::new())
                }
                _ => {
                    let (requests, commands) = self.batch();
                    if commands.is_empty() {
                        continue;
                    }
                    (Work::Batch(commands.clone()), requests, commands)
                }
            };
            self.tell(|| format!("node {index} gets requests {requests:?} with {} commands", commands.len()));
            let (node, first_id) = (self.places[index].node.clone(), self.ids);
            self.ids += desk::IDS;
            self.places[index].sent = Some(Sent { node: node.clone(), requests, commands, leapt: false });
            *self.places[index].desk.job.lock().unwrap() = Some(Job { node, work, first_id });
            driver.wake(index);
        }
    }

    /// Some of those who ask, in any order; who has a key may ask on several nodes at once.
    fn batch(&mut self) -> (Vec<usize>, Vec<Command>) {
        let now = self.clock.now();
        let sent = self.places.iter().flat_map(|place| &place.sent).flat_map(|sent| &sent.requests);
        let flying: BTreeSet<usize> = sent.copied().collect();
        let keys: BTreeSet<_> = flying.iter().filter_map(|no| Some(self.requests[*no].key?.key)).collect();
        let mut numbers = Vec::new();
        for request in &mut self.requests {
            let lately = request.told_at.is_some_and(|at| at <= now && before(now, ASKS_AGAIN) < at);
            let again = request.key.is_some() && lately && self.dice.chance(20);
            let (twice, shared) =
                (flying.contains(&request.no), request.key.is_some_and(|used| keys.contains(&used.key)));
            let wanted = match (twice, shared) {
                (true, true) => self.dice.chance(300),
                (true, false) => false,
                // Another request takes the same key at the same time.
                (false, true) => self.dice.chance(900),
                (false, false) => self.dice.chance(500),
            };
            if (request.open && wanted) || (again && !twice) {
                numbers.push(request.no);
            }
        }
        for index in (1..numbers.len()).rev() {
            numbers.swap(index, usize::try_from(self.dice.below(index as u64 + 1)).unwrap());
        }
        numbers.sort_by_key(|no| self.requests[*no].key.is_none_or(|used| !keys.contains(&used.key)));
        let most = if self.dice.chance(500) { 1 } else { 1 + self.dice.below(MAX_BATCH) };
        numbers.truncate(usize::try_from(most).unwrap());
        let mut commands: Vec<Command> = Vec::new();
        for no in &numbers {
            let id = self.id();
            commands.push(self.requests[*no].command(id));
        }
        match self.dice.below(if self.rush { 20 } else { 8 }) {
            0 => commands.push(Command::new(Actor::System, Action::SettleDue { limit: LIMIT })),
            1 => commands.push(Command::new(Actor::System, Action::RenewDue { limit: LIMIT })),
            _ => {}
        }
        (numbers, commands)
    }

    /// Nodes die, stand still and go on; their clocks are wrong; the server ends what takes too long.
    fn trouble(&mut self, driver: &Driver) {
        for index in 0..self.places.len() {
            if driver.is_frozen(index) {
                if self.dice.chance(150) {
                    driver.end_idle(index);
                }
                if self.dice.chance(150) {
                    driver.thaw(index);
                }
            }
            if self.places[index].up && self.dice.chance(8) {
                self.tell(|| format!("node {index} is killed"));
                driver.kill(index);
                self.places[index].up = false;
            } else if !self.places[index].up && self.places[index].sent.is_none() && self.dice.chance(200) {
                self.tell(|| format!("node {index} is started"));
                self.places[index].node = driver.start(index);
                self.places[index].up = true;
            }
            if self.dice.chance(30) {
                let skew = i64::try_from(self.dice.below(240_000)).unwrap() - 120_000;
                driver.set_skew(index, skew);
            }
        }
        if self.dice.chance(300) {
            driver.go_on();
        }
        if self.dice.chance(20) {
            driver.time_out();
        }
    }

    /// Takes in what has become of the work.
    fn collect(&mut self) -> Result<(), String> {
        for index in 0..self.places.len() {
            let done = self.places[index].desk.done.lock().unwrap().take();
            let Some(done) = done else { continue };
            let sent = self.places[index].sent.take().unwrap();
            match done {
                Done::Panic(text) => return Err(format!("node {index} broke down: {text}")),
                Done::Ran(ran, last) if !sent.node.is_dead() => self.answered(index, &sent, &ran, last)?,
                Done::Ran(..) => sent.requests.iter().for_each(|no| self.requests[*no].hear_nothing()),
                Done::Chore => {}
            }
        }
        match self.wrong.lock().unwrap().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn answered(&mut self, index: usize, sent: &Sent, ran: &Ran, last: u128) -> Result<(), String> {
        let now = self.clock.now();
        if ran.answers.len() != sent.commands.len() {
            return Err(format!("{} answers to {} commands", ran.answers.len(), sent.commands.len()));
        }
        let seen = self.cluster.seen(last).filter(|_| ran.now != Time::default());
        if let Some(seen) = &seen {
            watch::check_batch(seen, &sent.commands, &ran.answers)?;
        }
        for (no, answer) in sent.requests.iter().zip(&ran.answers) {
            self.tell(|| match answer {
                Ok(outcome) => format!("  request {no} on node {index} ok: {}", brief(outcome)),
                Err(refusal) => format!("  request {no} on node {index} refused: {refusal}"),
            });
            let request = &self.requests[*no];
            if let Some(seen) = seen.as_ref().filter(|_| sent.commands.len() == 1) {
                watch::check_time(seen, request, ran.now)?;
                watch::check_answer(seen.read.as_ref(), &seen.alone, request, &sent.commands[0], answer)?;
            }
            match answer {
                Ok(outcome) => {
                    let read = self.places[0].node.reader().unwrap();
                    self.model.success(read.as_ref(), request, outcome)?;
                }
                Err(refusal) => self.model.refusal(request, refusal),
            }
            self.requests[*no].hear(&mut self.dice, answer, now);
        }
        Ok(())
    }

    /// Looks at what can be seen at any time.
    fn look(&mut self) -> Result<(), String> {
        if self.dice.chance(400) {
            let limit = u32::try_from(1 + self.dice.below(6)).unwrap();
            let read = self.places[0].node.reader().unwrap();
            self.reader.read(read.as_ref(), limit)?;
        }
        if self.dice.chance(15) { self.check() } else { Ok(()) }
    }

    fn check(&self) -> Result<(), String> {
        let read = self.read();
        self.model.check(read.as_ref(), &self.requests)?;
        let report = verify_snapshot(read.as_ref()).map_err(|error| error.to_string())?;
        match report.checks.iter().find(|check| !check.broken.is_empty()) {
            Some(check) => Err(format!("{}: {:?}", check.name, check.broken)),
            None if self.cluster.deadlocks() > 0 => {
                Err("transactions waited for each other in a circle".into())
            }
            None => Ok(()),
        }
    }

    /// Nothing goes wrong any more: everybody finishes what they are at.
    fn come_to_rest(&mut self, driver: &Driver) -> Result<(), String> {
        self.tell(|| "everything is healed".into());
        driver.set_trouble(Trouble::default());
        for _ in 0..MAX_TURNS_TO_REST {
            for index in 0..self.places.len() {
                if driver.is_frozen(index) {
                    driver.thaw(index);
                }
            }
            driver.go_on();
            driver.pass();
            self.collect()?;
            if self.places.iter().all(|place| place.sent.is_none()) {
                return Ok(());
            }
        }
        Err("the nodes never come to rest".into())
    }

    /// Everything works again: who still asks is answered, what is due is done, and all is as it should be.
    fn end(mut self) -> Result<(), String> {
        self.places[0].node = self.cluster.node();
        let open: Vec<usize> =
            self.requests.iter().filter(|request| request.open).map(|request| request.no).collect();
        for no in open {
            let id = self.id();
            let command = self.requests[no].command(id);
            let ran = self.alone(std::slice::from_ref(&command));
            let answer = &ran.answers[0];
            self.tell(|| format!("request {no}, for the last time: {:?}", answer.as_ref().map(brief)));
            match answer {
                Err(refusal) if refusal.code == Code::Unavailable => {
                    return Err(format!("request {no} is not served by a healthy store"));
                }
                Err(_) => {}
                Ok(outcome) => {
                    let read = self.places[0].node.reader().unwrap();
                    self.model.success(read.as_ref(), &self.requests[no], outcome)?;
                }
            }
        }
        self.check()?;
        let limit = LIMIT;
        while self.alone(&[Command::new(Actor::System, Action::RenewDue { limit })]).more_renewals {}
        self.check()?;
        self.clock.advance(Duration::from_secs(400 * 86_400));
        while self.alone(&[Command::new(Actor::System, Action::SettleDue { limit })]).more_due {}
        self.places[0].node.order_events().map_err(|error| error.to_string())?;
        self.check()?;
        for booking in all(self.read().as_ref()) {
            if booking.state.holds() || booking.state == State::Confirmed {
                return Err(format!("time never comes for {booking:?}"));
            }
        }
        check_over(self.read().as_ref())?;
        std::mem::take(&mut self.reader).finish(self.read().as_ref())?;
        match self.wrong.lock().unwrap().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

fn before(now: Time, by: Duration) -> Time {
    now.plus_seconds(-i64::try_from(by.as_secs()).unwrap())
}

/// Every seed has its own sorts of trouble.
fn trouble(dice: &mut Dice) -> Trouble {
    let mut some = |most: &[u64]| *dice.pick(most);
    Trouble {
        connect: some(&[0, 0, 50]),
        cut: some(&[0, 0, 5, 20]),
        full: some(&[0, 0, 0, 50]),
        unknown: some(&[0, 50, 200, 500]),
        question: some(&[0, 0, 300, 600]),
        freeze: some(&[0, 0, 5, 20]),
    }
}
