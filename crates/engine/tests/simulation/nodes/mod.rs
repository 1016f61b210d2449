//! Several nodes on one database. Each runs its batches on a thread of its own; their transactions interleave statement
//! by statement, as a seed decides: row locks, lost connections, transactions that are committed long after their client
//! has gone, nodes that die or stand still in the middle, clocks that are wrong. Every commit is looked at, and every
//! answer is compared with what it would have been alone.
//!
//! - `world`: one seed, step by step
//! - `desk`: a node, which runs what it is given
//! - `rush`: what is asked for when all want to book at once
//! - `watch`: what must be true of every commit and every answer
//! - `found`: what it has found so far

mod desk;
mod found;
mod rush;
mod watch;
mod world;

use std::sync::{Arc, Mutex};

use lastseat_store::simulated::Flaw;

use crate::bugs::Bug;
use crate::{first_failure, guarded, try_seeds};
use world::Nodes;

/// Seeds that are tried unless the environment says otherwise.
const SEEDS: u64 = 2_000;
/// Seeds within which a planted bug has to show.
const BUG_SEEDS: u64 = 1_000;

/// Seeds that have to come to everything.
const REACH_SEEDS: u64 = 100;

/// Something that is wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Planted {
    /// In the stores.
    Flaw(Flaw),
    /// In the lanes.
    Bug(Bug),
}

impl Planted {
    fn flaw(self) -> Option<Flaw> {
        if let Self::Flaw(flaw) = self { Some(flaw) } else { None }
    }

    fn bug(self) -> Option<Bug> {
        if let Self::Bug(bug) = self { Some(bug) } else { None }
    }
}

fn run(seed: u64, planted: Option<Planted>) -> Result<(), String> {
    guarded(|| Nodes::new(seed, planted, None).run())
}

fn steps(seed: u64) -> Vec<String> {
    let steps = Arc::<Mutex<Vec<String>>>::default();
    drop(guarded(|| Nodes::new(seed, None, Some(&steps)).run()));
    let steps = steps.lock().unwrap();
    steps.clone()
}

#[test]
fn a_simulation_of_several_nodes_keeps_every_promise() {
    try_seeds(SEEDS, |seed| run(seed, None), steps);
}

#[test]
fn a_seed_of_the_simulation_of_several_nodes_gives_the_same_steps_again() {
    for seed in 0..10 {
        let first = steps(seed);
        assert!(first.len() > 50);
        assert_eq!(first, steps(seed));
    }
}

#[test]
fn the_simulation_of_several_nodes_comes_to_whatever_it_is_for() {
    let steps: Vec<String> = (0..REACH_SEEDS).flat_map(steps).collect();
    let mut missed = Vec::new();
    for (what, least) in [
        ("waits for Listing", 200),
        ("waits for Customer", 1),
        ("waits for Batch", 2),
        ("duplicate key: idempotency", 2),
        ("is not locked", 1),
        ("has waited too long", 10),
        ("was idle for too long", 10),
        ("dies in tx", 20),
        ("is lost", 50),
        ("is found to be committed", 50),
        ("is found to be gone", 50),
        ("which nobody knows of any more, is committed", 50),
        ("get their places", 100),
        ("the clock goes back", 50),
        ("on what it knows", 500),
        ("books as batch", 150),
        ("was decided well", 70),
        ("the listing was edited since", 3),
        ("not the time that was supposed", 15),
        ("ok: Waits(", 150),
        ("ok: WaitsNoMore(", 10),
        ("on what is not so: another transaction came between: somebody waits", 1),
        ("on what is not so: the store refused the data: pool", 2),
        ("on what is not so: another transaction came between: duplicate key: idempotency", 5),
    ] {
        let found = steps.iter().filter(|step| step.contains(what)).count();
        println!("{found} times: {what}");
        missed.extend((found < least).then(|| format!("{what:?}: {found} times only")));
    }
    assert_eq!(missed, [""; 0]);
}

#[test]
fn every_flaw_that_is_planted_in_the_simulation_of_several_nodes_is_found() {
    let bugs = [
        Bug::AnswersBeforeTheCommit,
        Bug::TakesUnknownForCommitted,
        Bug::TakesUnknownForAborted,
        Bug::TrustsWhatItKnew,
    ];
    let planted = Flaw::ALL.map(Planted::Flaw).into_iter().chain(bugs.map(Planted::Bug));
    for planted in planted {
        let Some((seed, error)) = first_failure(0..BUG_SEEDS, |seed| run(seed, Some(planted))) else {
            panic!("{planted:?} was not found in {BUG_SEEDS} seeds");
        };
        println!("{planted:?}: seed {seed}: {error}");
        assert!(run(seed, None).is_ok(), "seed {seed} fails without {planted:?} as well");
    }
}
