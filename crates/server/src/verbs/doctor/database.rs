//! The database: whether it opens and is whole, which schema and SQLite, and whether the clock agrees with what was written.

use std::path::Path;

use lastseat_core::time::Time;
use lastseat_store::Store;
use lastseat_store_sqlite::{FILE_NAME, OpenError, OpenMode, SCHEMA_VERSION, SqliteStore, check_file};

use super::{Check, Status};

/// A log of commits that is larger than this is not being taken over into the file, in bytes.
const MUCH_LOG: u64 = 1024 * 1024 * 1024;
/// How far the clock may be behind the newest event, in milliseconds.
const MAX_BEHIND_MS: i64 = 1_000;
/// A clock that shows an earlier instant was never set: 2026-01-01T00:00:00Z.
const EARLIEST: Time = Time::from_millis(1_767_225_600_000);

pub(super) fn check(data: &Path) -> Vec<Check> {
    let version = SqliteStore::sqlite_version();
    let mut checks = vec![Check::new("SQLite", Status::Ok, format!("version {version}, compiled in"))];
    const NAME: &str = "database";
    const WHOLE: &str = "database file";
    let store = match SqliteStore::open(data, OpenMode::Read) {
        Ok(store) => store,
        Err(OpenError::Missing(_)) => {
            let detail = "there is none yet; `lastseat serve` makes it";
            checks.push(Check::new(NAME, Status::Warning, detail));
            return checks;
        }
        Err(error @ OpenError::Older { .. }) => {
            checks.push(Check::new(NAME, Status::Warning, error.to_string()));
            return checks;
        }
        Err(error) => {
            checks.push(Check::new(NAME, Status::Failed, error.to_string()));
            return checks;
        }
    };
    let size = |name: &str| std::fs::metadata(data.join(name)).map_or(0, |meta| meta.len());
    let (file, log) = (size(FILE_NAME), size(&format!("{FILE_NAME}-wal")));
    let mib = 1024 * 1024;
    let detail = format!("schema version {SCHEMA_VERSION}, {} MiB, log {} MiB", file / mib, log / mib);
    checks.push(if log > MUCH_LOG {
        let why = "; something holds it open for long, a backup or another program?";
        Check::new(NAME, Status::Warning, format!("{detail}{why}"))
    } else {
        Check::new(NAME, Status::Ok, detail)
    });
    checks.push(match check_file(store.path()) {
        Ok(()) => Check::new(WHOLE, Status::Ok, "every page, index and reference is in order"),
        Err(error) => Check::new(WHOLE, Status::Failed, error.to_string()),
    });
    checks.push(match newest(&store) {
        Ok((now, newest)) => clock(now, newest),
        Err(error) => Check::new("clock", Status::Failed, format!("the events cannot be read: {error}")),
    });
    checks
}

/// The store's clock, and the instant of the newest event.
fn newest(store: &SqliteStore) -> Result<(Time, Option<Time>), lastseat_store::StoreError> {
    let read = store.reader()?;
    let last = read.last_event()?;
    let newest = read.events(last - 1, None, 1)?.first().map(|event| event.at);
    Ok((read.now(), newest))
}

fn clock(now: Time, newest: Option<Time>) -> Check {
    const NAME: &str = "clock";
    if now < EARLIEST {
        return Check::new(NAME, Status::Failed, format!("it shows {now}; set it, and keep it set with NTP"));
    }
    match newest {
        Some(newest) if newest.millis() - now.millis() > MAX_BEHIND_MS => {
            let detail =
                format!("it shows {now}, and the newest event is of {newest}: it was set back; use NTP");
            Check::new(NAME, Status::Failed, detail)
        }
        _ => Check::new(NAME, Status::Ok, now.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_what_was_written_fails() {
        let now = EARLIEST.plus_seconds(1_000);
        assert_eq!(clock(now, None).status, Status::Ok);
        assert_eq!(clock(now, Some(now.plus_seconds(-1))).status, Status::Ok);
        assert_eq!(clock(now, Some(now.plus_seconds(2))).status, Status::Failed);
        assert_eq!(clock(EARLIEST.plus_seconds(-1), None).status, Status::Failed);
    }
}
