//! Histories of what clients asked and were told, and a checker that says whether any order of it explains them.

pub mod check;
pub mod history;
pub mod operation;
pub mod report;
pub mod setting;

pub use check::check;
pub use history::{Coverage, History, Lapse, LastReading, LogError, PoolCounters, Recorder};
pub use operation::{Answer, Ask, BookingView, Line, Operation, PoolNumbers, PoolReading, ShortPool, State};
pub use report::{Report, Rule, Violation};
pub use setting::{Clock, Listing, Measure, Pool, Setting};
