//! Histories of what clients asked and were told, and a checker that says whether any order of it explains
//! them.
//!
//! Clients of one or many nodes note each request with the instant before it was sent, and the answer with
//! the instant after it was read, all by one monotonic clock ([`Recorder`]). In the end somebody reads every
//! booking ([`LastReading`]). [`check()`] knows nothing of the engine but its promises, and says where what was
//! told contradicts them: which operations, which bookings, which numbers.
//!
//! # What is believed
//!
//! - Requests happen once, at an instant between their begin and their end; one with an
//!   [unknown](Answer::Unknown) outcome happens once or never, at any instant after its begin, also long
//!   after its client gave up. Requests of a kind with the same key together happen once.
//! - The server's instants (`created_at`, `decided_at`, `due_at`, `as_of`) are of one clock, and what touches
//!   a pool is decided in their order, but for [`Clock::slack_ms`]. They are related to the clients' clock by
//!   bounds, and every stamp is checked against the operations that asked for it and were told of it. All is
//!   computed in whole milliseconds, in which order within a millisecond is open.
//! - The listings were empty, on sale, and without waiters; nobody but the recorded clients changed them.
//!
//! # What is decided
//!
//! Whether bookings with open instants fit a capacity is NP-hard in general (it is scheduling with time
//! windows on a limited resource). But a booking's versions give the exact order of its own changes, and the stamps that of the
//! decisions; little is open. So each version of each booking gets bounds for its begin and its end
//! ([`check`](mod@check), `life.rs`), and each pool and customer gets, for every instant, the least and the
//! most that can have been held, sold and free (`tracks.rs`). Then:
//!
//! - oversold is a pool in which at some instant *certainly* more is taken than there *possibly* is;
//! - a refusal, and each pool of a reading, is false if at *no* instant between its begin and its end (for
//!   readings: the promised lag before the begin) all its numbers lie within the bounds.
//!
//! # Why it never accuses a correct engine
//!
//! Let a history come from a correct engine: there is an order of decisions, each with its stamp. By
//! induction over the versions of a booking its true begin and end lie within the bounds: each bound is a
//! stamp, the deadline, the begin of a request that must come first, or the end of one that must come later;
//! where a version was not seen, nothing is assumed. So the true numbers of a pool lie between least and most
//! at every instant; the instant at which a refusal was decided, or a reading was true, is one that the
//! search looks at; and what is certainly taken was truly taken at the end of that millisecond. All other
//! rules compare two answers that the induction orders. A reader that settles a hold at its deadline while a
//! change decided right before it is not committed yet is within the promise; such readings are set aside
//! (`prepare.rs`). `tests/correct.rs` asks thousands of made-up correct histories.
//!
//! # What is not decided
//!
//! Each pool, customer, booking and key is looked at alone: that no *joint* order exists of operations that
//! each alone have one is not seen, nor that two pools of one reading fit different instants only. Within the
//! bounds everything passes: where many answers are lost, or the clocks' offset is wide, less is certain.
//! Orders of who was served first, prices, texts and events (but for the instants of lapses) are not looked
//! at.
//!
//! An empty history contradicts nothing, so a report counts what every rule was applied to: ask
//! [`Report::lacks`] for the rules that were to be shown.
//!
//! # Layout
//!
//! - [`setting`], [`operation`], [`history`]: what is recorded, and its form as JSON lines
//! - [`report`]: the rules, and what was found
//! - [`mod@check`]: the checker, one file per rule
//!
//! The commonest change is a new rule: a name in [`Rule`], a file in `check/`, a history that breaks it in
//! `tests/wrong/`, and a mutation in `tests/mutations.rs`.

pub mod check;
pub mod history;
pub mod operation;
pub mod report;
pub mod setting;

pub use check::check;
pub use history::{Coverage, History, Lapse, LastReading, LogError, PoolCounters, Recorder};
pub use operation::{Answer, Ask, BookingView, Line, Operation, PoolNumbers, PoolReading, ShortPool, State};
pub use report::{Report, Rule, Seen, Violation};
pub use setting::{Clock, Listing, Measure, Pool, Setting};
