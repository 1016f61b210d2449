//! A PostgreSQL: whether it can be served from, and whether it keeps what it acknowledges.

use lastseat_store_postgres::{Inspection, OpenError, SCHEMA_VERSION, Target, inspect};

use super::{Check, Status};

/// An exchange that takes longer makes a lone booking slow, in milliseconds.
const SLOW_EXCHANGE_MS: u128 = 5;
/// A commit that takes longer makes batches few, in milliseconds.
const SLOW_WRITE_MS: u128 = 50;
/// A commit that takes less did not reach a disk, in microseconds.
const TOO_FAST_US: u128 = 15;
/// A snapshot that is open for longer keeps dead rows from being removed, in seconds.
const OLD_SNAPSHOT_SECONDS: i64 = 300;
/// Connections of a node.
const NODE_CONNECTIONS: i64 = 12;

pub(super) fn check(target: &Target) -> Vec<Check> {
    match inspect(target) {
        Ok(found) => checks(&found),
        Err(error @ OpenError::Older { .. }) => {
            vec![Check::new("database", Status::Warning, error.to_string())]
        }
        Err(error) => vec![Check::new("database", Status::Failed, error.to_string())],
    }
}

fn checks(found: &Inspection) -> Vec<Check> {
    let mut checks = vec![Check::new("PostgreSQL", Status::Ok, format!("version {}", found.version))];
    let size = format!("{} MiB", found.bytes / (1024 * 1024));
    checks.push(match found.schema {
        None => {
            Check::new("database", Status::Warning, "there are no tables yet; `lastseat serve` makes them")
        }
        Some(version) if version < SCHEMA_VERSION => {
            let detail =
                format!("schema version {version}, {SCHEMA_VERSION} is needed: run `lastseat migrate`");
            Check::new("database", Status::Warning, detail)
        }
        Some(version) => Check::new("database", Status::Ok, format!("schema version {version}, {size}")),
    });
    checks.push(if found.standby {
        Check::new("primary", Status::Failed, "it is a standby, and cannot be written to; name the primary")
    } else {
        Check::new("primary", Status::Ok, "it can be written to")
    });
    checks.push(durability(found));
    let (most, now) = found.connections;
    checks.push(if most - now < NODE_CONNECTIONS {
        let detail =
            format!("{now} of {most} in use, and a node needs {NODE_CONNECTIONS}; raise max_connections");
        Check::new("connections", Status::Warning, detail)
    } else {
        Check::new("connections", Status::Ok, format!("{now} of {most} in use"))
    });
    checks.push(if found.oldest_snapshot_seconds > OLD_SNAPSHOT_SECONDS {
        let detail = format!(
            "a transaction has been open for {} s and keeps dead rows from being removed; see pg_stat_activity",
            found.oldest_snapshot_seconds
        );
        Check::new("snapshots", Status::Warning, detail)
    } else {
        Check::new("snapshots", Status::Ok, "none is old")
    });
    let exchange = format!("{:.2} ms", found.exchange.as_secs_f64() * 1_000.0);
    checks.push(if found.exchange.as_millis() >= SLOW_EXCHANGE_MS {
        let detail = format!("{exchange}; a lone booking takes two: bring node and database closer together");
        Check::new("exchange", Status::Warning, detail)
    } else {
        Check::new("exchange", Status::Ok, exchange)
    });
    if let Some(write) = found.synced_write {
        let text = format!("{:.2} ms", write.as_secs_f64() * 1_000.0);
        checks.push(if write.as_micros() < found.exchange.as_micros() + TOO_FAST_US {
            let detail =
                format!("{text}; no disk is that fast: what it acknowledges may not survive a power cut");
            Check::new("synced commit", Status::Warning, detail)
        } else if write.as_millis() >= SLOW_WRITE_MS {
            Check::new("synced commit", Status::Warning, format!("{text}; the disk is slow"))
        } else {
            Check::new("synced commit", Status::Ok, text)
        });
    }
    checks
}

fn durability(found: &Inspection) -> Check {
    const NAME: &str = "durability";
    if !found.fsync || !found.full_page_writes {
        let detail = "fsync or full_page_writes is off: a power cut destroys the database; set both to on";
        return Check::new(NAME, Status::Failed, detail);
    }
    if found.synchronous {
        return Check::new(NAME, Status::Ok, "commits are synced, and wait for a standby");
    }
    // Nodes ask for synchronous commits whatever the default is.
    let detail = match found.synchronous_commit.as_str() {
        "off" => {
            "commits are synced (the default `synchronous_commit = off` is not used); no standby is waited for"
        }
        _ => "commits are synced; no standby is waited for",
    };
    Check::new(NAME, Status::Ok, detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn good() -> Inspection {
        Inspection {
            version: "17.2".to_owned(),
            schema: Some(SCHEMA_VERSION),
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            connections: (100, 20),
            standby: false,
            synchronous: false,
            oldest_snapshot_seconds: 2,
            bytes: 1 << 30,
            clock_millis: 0,
            exchange: Duration::from_micros(200),
            synced_write: Some(Duration::from_millis(2)),
        }
    }

    fn status_of(found: &Inspection, name: &str) -> Status {
        checks(found).into_iter().find(|check| check.name == name).unwrap().status
    }

    #[test]
    fn a_good_server_passes_and_what_is_wrong_with_others_is_said() {
        assert!(checks(&good()).iter().all(|check| check.status == Status::Ok), "{:?}", checks(&good()));
        for (name, status, found) in [
            ("durability", Status::Failed, Inspection { fsync: false, ..good() }),
            ("durability", Status::Failed, Inspection { full_page_writes: false, ..good() }),
            ("primary", Status::Failed, Inspection { standby: true, synced_write: None, ..good() }),
            ("database", Status::Warning, Inspection { schema: None, ..good() }),
            ("connections", Status::Warning, Inspection { connections: (100, 95), ..good() }),
            ("snapshots", Status::Warning, Inspection { oldest_snapshot_seconds: 3_600, ..good() }),
            ("exchange", Status::Warning, Inspection { exchange: Duration::from_millis(9), ..good() }),
            (
                "synced commit",
                Status::Warning,
                Inspection { synced_write: Some(Duration::from_micros(205)), ..good() },
            ),
            (
                "synced commit",
                Status::Warning,
                Inspection { synced_write: Some(Duration::from_millis(90)), ..good() },
            ),
        ] {
            assert_eq!(status_of(&found, name), status, "{name}: {found:?}");
        }
    }
}
