//! `lastseat doctor`.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::kit::{on_data, server};

/// How the check of that name came out.
fn status<'a>(report: &'a Value, name: &str) -> &'a str {
    let mut checks = report["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {report}"));
    check["status"].as_str().unwrap()
}

#[test]
fn a_healthy_server_passes_also_while_it_runs() {
    let server = server();
    let report = on_data(server.data_dir(), &["doctor", "--json"]).ok().json();
    assert_eq!(report["ok"], true);
    for name in ["data directory", "admin key file", "SQLite", "database", "database file", "clock"] {
        assert_eq!(status(&report, name), "ok", "{report}");
    }
    for name in ["free disk space", "synced writes", "open files"] {
        assert_ne!(status(&report, name), "failed", "{report}");
    }
    let table = on_data(server.data_dir(), &["doctor"]).ok().out;
    assert!(table.contains("schema version"), "{table}");
}

#[test]
fn what_others_may_read_is_warned_of() {
    let server = server();
    std::fs::set_permissions(server.data_dir(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(server.data_dir().join("admin.key"), PermissionsExt::from_mode(0o644)).unwrap();
    let report = on_data(server.data_dir(), &["doctor", "--json"]).ok().json();
    assert_eq!(status(&report, "data directory"), "warning");
    assert_eq!(status(&report, "admin key file"), "warning");
}

#[test]
fn a_clock_that_was_set_back_fails() {
    let mut server = server();
    crate::kit::create_listing(&server, &crate::kit::places(1));
    server.terminate().unwrap();
    let database = rusqlite::Connection::open(server.data_dir().join("lastseat.db")).unwrap();
    assert_eq!(database.execute("UPDATE events SET at = at + 3600000", []).unwrap(), 1);
    drop(database);
    let report = on_data(server.data_dir(), &["doctor", "--json"]).refused(1, "").json();
    assert_eq!((status(&report, "clock"), &report["ok"]), ("failed", &Value::Bool(false)));
}

#[test]
fn what_is_missing_or_broken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let report = on_data(dir.path(), &["doctor", "--json"]).ok().json();
    assert_eq!(status(&report, "database"), "warning");
    std::fs::write(dir.path().join("lastseat.db"), "nonsense ".repeat(1_000)).unwrap();
    let report = on_data(dir.path(), &["doctor", "--json"]).refused(1, "").json();
    assert_eq!(status(&report, "database"), "failed");
    let said = on_data(&dir.path().join("missing"), &["doctor"]).refused(1, "");
    assert!(said.out.contains("FAILED") && said.out.contains("missing"), "{said:?}");
}
