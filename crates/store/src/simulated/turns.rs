//! Who goes on. Every node runs on a thread of its own, and only one of them at a time: at each step it passes the
//! baton, and a seed decides who takes it. So the same seed gives the same order of everything.

use std::cell::Cell;
use std::sync::MutexGuard;
use std::thread::Thread;

use super::locks::TxNo;
use super::{Shared, State};
use crate::memory::Dice;

/// The task of whoever drives the simulation. Nodes come after it.
const DRIVER: usize = 0;
/// How often a node goes on with its next step, in thousandths.
const STAYS: u64 = 350;
/// How often it is the driver's turn, in thousandths of the other times.
const DRIVES: u64 = 120;

thread_local! {
    /// The task of this thread, while it takes part in a simulation.
    static ME: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The task of this thread. None if it goes on as it likes: nobody else is there.
pub(super) fn me() -> Option<usize> {
    ME.get()
}

pub(super) fn set_me(task: Option<usize>) {
    ME.set(task);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    /// It goes on when it is its turn.
    Runs,
    /// It has nothing to do.
    Rests,
    /// Its transaction waits for a lock.
    Waits(TxNo),
}

#[derive(Debug)]
struct Task {
    doing: Doing,
    frozen: bool,
    /// Its thread, once it takes part.
    thread: Option<Thread>,
}

#[derive(Debug, Default)]
pub(super) struct Turns {
    tasks: Vec<Task>,
    current: usize,
    over: bool,
}

impl Turns {
    /// A driver and so many nodes, which have nothing to do yet.
    pub(super) fn new(nodes: usize) -> Self {
        let task = |doing| Task { doing, frozen: false, thread: None };
        let mut tasks: Vec<Task> = (0..=nodes).map(|_| task(Doing::Rests)).collect();
        tasks[DRIVER].doing = Doing::Runs;
        Self { tasks, current: DRIVER, over: false }
    }

    /// Whether the simulation is over: nobody waits any longer.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn end(&mut self) {
        self.over = true;
        self.tasks.iter().flat_map(|task| &task.thread).for_each(Thread::unpark);
    }

    pub(super) fn set(&mut self, task: usize, doing: Doing) {
        self.tasks[task].doing = doing;
    }

    pub(super) fn is_resting(&self, task: usize) -> bool {
        self.tasks[task].doing == Doing::Rests
    }

    pub(super) fn freeze(&mut self, task: usize) {
        if task != DRIVER {
            self.tasks[task].frozen = true;
        }
    }

    pub(super) fn thaw(&mut self, task: usize) {
        self.tasks[task].frozen = false;
    }

    pub(super) fn is_frozen(&self, task: usize) -> bool {
        self.tasks[task].frozen
    }

    /// The next whose turn it is, among those who can go on.
    fn next(&self, dice: &mut Dice, stuck: impl Fn(TxNo) -> bool) -> usize {
        let can = |task: &Task| {
            !task.frozen
                && match task.doing {
                    Doing::Runs => true,
                    Doing::Rests => false,
                    Doing::Waits(tx) => !stuck(tx),
                }
        };
        if self.current != DRIVER && can(&self.tasks[self.current]) && dice.chance(STAYS) {
            return self.current;
        }
        let nodes: Vec<usize> = (1..self.tasks.len()).filter(|task| can(&self.tasks[*task])).collect();
        if nodes.is_empty() || dice.chance(DRIVES) { DRIVER } else { *dice.pick(&nodes) }
    }
}

/// Passes the baton, and waits until it comes back.
pub(super) fn pass<'a>(
    shared: &'a Shared,
    mut state: MutexGuard<'a, State>,
    me: usize,
) -> MutexGuard<'a, State> {
    if state.turns.over {
        return state;
    }
    let State { turns, dice, server, .. } = &mut *state;
    let next = turns.next(dice, |tx| server.is_stuck(tx));
    if next == me {
        return state;
    }
    turns.current = next;
    let next = turns.tasks[next].thread.clone();
    turns.tasks[me].thread.get_or_insert_with(std::thread::current);
    drop(state);
    // Who takes part later sees by itself that it is its turn.
    if let Some(next) = next {
        next.unpark();
    }
    await_turn(shared, me)
}

/// Waits until it is this task's turn.
pub(super) fn await_turn(shared: &Shared, me: usize) -> MutexGuard<'_, State> {
    loop {
        let mut state = shared.state();
        let turns = &mut state.turns;
        if turns.current == me || turns.over {
            return state;
        }
        turns.tasks[me].thread.get_or_insert_with(std::thread::current);
        drop(state);
        std::thread::park();
    }
}
