//! A history: its setting, its operations, the last reading; as a value, and as JSON lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::operation::{Answer, Ask, BookingView, Operation};
use crate::setting::Setting;

/// What clients asked and were told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// What was true before.
    pub setting: Setting,
    /// The operations, in any order.
    pub operations: Vec<Operation>,
    /// What was there in the end, if somebody looked.
    pub last: Option<LastReading>,
}

/// The reading after the last operation: every booking one by one, or an export of the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastReading {
    /// When it began, in microseconds of the clients' clock.
    pub started_us: i64,
    /// When it ended.
    pub ended_us: i64,
    /// Whether it holds every booking that there is.
    pub coverage: Coverage,
    /// The bookings.
    pub bookings: Vec<BookingView>,
    /// The counters of pools, as the store has them or as availability shows them, read between begin and
    /// end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolCounters>,
    /// When holds were marked as lapsed, from their events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lapses: Vec<Lapse>,
}

/// Whether a reading holds all there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Every booking of the listings: one that is missing is lost.
    All,
    /// Those that were asked for: one that is missing was not looked at.
    Some,
}

/// The counters of a pool in the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolCounters {
    /// The listing.
    pub listing: String,
    /// Key of the pool.
    pub key: String,
    /// Units in holds.
    pub held: i64,
    /// Units that are sold.
    pub confirmed: i64,
}

/// The event of a hold that lapsed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lapse {
    /// The booking.
    pub booking: String,
    /// Its version after the lapse.
    pub version: u64,
    /// The event's instant, in milliseconds of the server's clock.
    pub at_ms: i64,
}

/// A line of a log.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LogLine {
    Setting(Setting),
    Operation(Box<Operation>),
    Last(LastReading),
}

/// Why a log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The reader or writer failed.
    #[error("the log cannot be read or written")]
    Io(#[from] std::io::Error),
    /// A line is not what a log is made of.
    #[error("line {line} of the log is not understood")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// There is no line with a setting.
    #[error("the log has no setting")]
    NoSetting,
    /// There are two lines of a kind of which there is one at most.
    #[error("line {line} of the log is a second {what}")]
    Twice {
        /// Which, from 1.
        line: usize,
        /// Of what.
        what: &'static str,
    },
}

impl History {
    /// A history in which nothing has happened.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        Self { setting, operations: Vec::new(), last: None }
    }

    /// Writes it as JSON lines: `{"setting": ...}`, then `{"operation": ...}` for each, then `{"last": ...}`.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_to(&self, mut to: impl Write) -> Result<(), LogError> {
        let mut line = |line: &LogLine| -> Result<(), LogError> {
            serde_json::to_writer(&mut to, line).map_err(std::io::Error::from)?;
            Ok(to.write_all(b"\n")?)
        };
        line(&LogLine::Setting(self.setting.clone()))?;
        for operation in &self.operations {
            line(&LogLine::Operation(Box::new(operation.clone())))?;
        }
        if let Some(last) = &self.last {
            line(&LogLine::Last(last.clone()))?;
        }
        Ok(to.flush()?)
    }

    /// Reads what [`History::write_to`] wrote. Empty lines are skipped.
    ///
    /// # Errors
    /// When the reader fails, a line is not understood, or there is not exactly one setting.
    pub fn read_from(from: impl Read) -> Result<Self, LogError> {
        let (mut setting, mut operations, mut last) = (None, Vec::new(), None);
        for (index, line) in BufReader::new(from).lines().enumerate() {
            let (line, number) = (line?, index + 1);
            if line.trim().is_empty() {
                continue;
            }
            let parsed =
                serde_json::from_str(&line).map_err(|source| LogError::Line { line: number, source })?;
            let twice = |what| Err(LogError::Twice { line: number, what });
            match parsed {
                LogLine::Setting(_) if setting.is_some() => return twice("setting"),
                LogLine::Setting(found) => setting = Some(found),
                LogLine::Operation(operation) => operations.push(*operation),
                LogLine::Last(_) if last.is_some() => return twice("last reading"),
                LogLine::Last(found) => last = Some(found),
            }
        }
        Ok(Self { setting: setting.ok_or(LogError::NoSetting)?, operations, last })
    }
}

/// Collects a history from many clients at once. It reads no clock: the clients say when, all by the same
/// monotonic one.
#[derive(Debug)]
pub struct Recorder {
    operations: Mutex<Vec<Operation>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { operations: Mutex::new(Vec::new()) }
    }

    /// Notes a request, right before it is sent. Until [`Recorder::end`] its outcome is unknown. Gives its
    /// number.
    pub fn begin(&self, started_us: i64, key: Option<&str>, ask: Ask) -> u64 {
        let mut operations = self.lock();
        let id = operations.len() as u64;
        let key = key.map(str::to_owned);
        operations.push(Operation { id, started_us, ended_us: None, key, ask, answer: Answer::Unknown });
        id
    }

    /// Notes the answer, right after it was read, or [`Answer::Unknown`] when the client gives up. A number
    /// that [`Recorder::begin`] did not give is ignored.
    pub fn end(&self, id: u64, ended_us: i64, answer: Answer) {
        let mut operations = self.lock();
        if let Some(operation) = usize::try_from(id).ok().and_then(|index| operations.get_mut(index)) {
            operation.ended_us = Some(ended_us);
            operation.answer = answer;
        }
    }

    /// What was recorded so far.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        self.lock().clone()
    }

    /// The whole.
    #[must_use]
    pub fn finish(self, setting: Setting, last: Option<LastReading>) -> History {
        let operations = self.operations.into_inner().unwrap_or_else(PoisonError::into_inner);
        History { setting, operations, last }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Operation>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Clock;

    #[test]
    fn a_log_that_is_read_back_is_the_same_history() {
        let recorder = Recorder::new();
        let id = recorder.begin(5, Some("k"), Ask::Read { booking: "bkg_1".into() });
        recorder.end(id, 9, Answer::Refused { code: "not_found".into(), pools: Vec::new(), state: None });
        recorder.begin(7, None, Ask::Cancel { booking: "bkg_1".into() });
        let last = LastReading {
            started_us: 10,
            ended_us: 20,
            coverage: Coverage::All,
            bookings: Vec::new(),
            pools: Vec::new(),
            lapses: Vec::new(),
        };
        let history = recorder.finish(Setting::new(Clock::SHARED, Vec::new()), Some(last));
        assert_eq!(history.operations[1].ended_us, None);
        let mut log = Vec::new();
        history.write_to(&mut log).unwrap();
        assert_eq!(log.iter().filter(|byte| **byte == b'\n').count(), 4);
        assert_eq!(History::read_from(log.as_slice()).unwrap(), history);
    }

    #[test]
    fn a_log_that_is_not_one_is_refused_with_its_line() {
        let error = |text: &str| History::read_from(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error(""), "the log has no setting");
        assert_eq!(error("\n{\"operatio"), "line 2 of the log is not understood");
        let setting =
            "{\"setting\":{\"listings\":[],\"clock\":{\"offset_low_ms\":0,\"offset_high_ms\":0}}}\n";
        assert_eq!(error(&setting.repeat(2)), "line 2 of the log is a second setting");
    }
}
