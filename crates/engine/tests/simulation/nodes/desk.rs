//! A node: a thread of its own that runs what it is given.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use lastseat_core::command::Command;
use lastseat_core::time::Time;
use lastseat_engine::batch::{self, Ran};
use lastseat_store::simulated::Node;
use lastseat_store::{Lane, Store, StoreError};

use crate::bugs::{Bug, BuggyLane};

/// Ids that one piece of work may use up.
pub(super) const IDS: u128 = 1_000;

/// What a node is to do.
pub(super) enum Work {
    /// To run a batch.
    Batch(Vec<Command>),
    /// To give events their places in the log.
    Order,
    /// To forget keys of before.
    Prune(Time),
}

/// A piece of work for one life of a node.
pub(super) struct Job {
    pub(super) node: Node,
    pub(super) work: Work,
    /// The first of the ids that its transactions take.
    pub(super) first_id: u128,
}

/// What became of it.
pub(super) enum Done {
    /// The batch, with the id of its last transaction.
    Ran(Box<Ran>, u128),
    /// Something else.
    Chore,
    /// It broke down.
    Panic(String),
}

/// Where work is put, and what became of it.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) job: Mutex<Option<Job>>,
    pub(super) done: Mutex<Option<Done>>,
}

/// Runs what is put on the desk, until the simulation is over.
pub(super) fn serve(first: &Node, desk: &Arc<Desk>, bug: Option<Bug>) {
    if !first.take_part() {
        return;
    }
    let mut connected: Option<(Node, Box<dyn Lane>)> = None;
    loop {
        let job = desk.job.lock().unwrap().take();
        match job {
            Some(job) => {
                let done = std::panic::catch_unwind(AssertUnwindSafe(|| run(job, &mut connected, bug)));
                let done = done.unwrap_or_else(|panic| Done::Panic(crate::words(&*panic)));
                *desk.done.lock().unwrap() = Some(done);
            }
            None if !first.rest() => return,
            None => {}
        }
    }
}

fn run(job: Job, connected: &mut Option<(Node, Box<dyn Lane>)>, bug: Option<Bug>) -> Done {
    let Job { node, work, first_id } = job;
    if connected.as_ref().is_none_or(|(of, _)| of.is_dead()) {
        let inner = node.lane().unwrap();
        *connected = Some((node.clone(), Box::new(BuggyLane::new(inner, bug))));
    }
    let (_, lane) = connected.as_mut().unwrap();
    let chore = |_: Result<(), StoreError>| Done::Chore;
    match work {
        Work::Order => chore(node.order_events()),
        Work::Prune(before) => chore(lane.prune(before)),
        Work::Batch(commands) => {
            let mut id = first_id;
            let mut fresh = || {
                id += 1;
                assert!(id < first_id + IDS, "a batch is not tried for ever");
                id
            };
            let ran = batch::run(lane.as_mut(), &commands, &mut fresh);
            Done::Ran(Box::new(ran), id)
        }
    }
}
