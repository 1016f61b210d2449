//! `lastseat backup` and `restore`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use lastseat_testkit::TestServer;
use serde_json::Value;
use sha2::Digest;

use crate::kit::{ask, book, command, create_listing, finish, on_data, places, server};

/// A place for a backup.
fn file() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("backup.tar");
    (dir, path)
}

fn backup(data: &Path, to: &Path) {
    on_data(data, &["backup", "--to", &to.to_string_lossy()]).ok();
}

fn restore(data: &Path, from: &Path, more: &[&str]) -> crate::kit::Said {
    let from = from.to_string_lossy();
    on_data(data, &[["restore", "--from", &from].as_slice(), more].concat())
}

fn cursor(server: &TestServer) -> Value {
    ask(server, "GET", "/v1/events", Some(&server.admin_key().unwrap()), None).1["next"].clone()
}

#[test]
fn a_backup_beside_a_running_server_gives_everything_back() {
    let first = server();
    let listing = create_listing(&first, &places(10));
    let booking = book(&first, &listing, "Aziza Sample");
    let receipt = first.data_dir().join("receipts").join("0".repeat(32));
    std::fs::write(&receipt, "what a receipt may hold").unwrap();
    let (_dir, file) = file();
    backup(first.data_dir(), &file);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    book(&first, &listing, "Too Late");
    let key = first.admin_key().unwrap();

    let target = tempfile::tempdir().unwrap();
    let data = target.path().join("restored");
    restore(&data, &file, &[]).ok().refused(0, "with 1 receipts");
    assert_eq!(
        std::fs::read_to_string(data.join("receipts").join("0".repeat(32))).unwrap(),
        "what a receipt may hold"
    );
    on_data(&data, &["verify"]).ok();
    let second = TestServer::builder().data_dir(&data).start().unwrap();
    let path = format!("/v1/bookings/{}", booking["id"].as_str().unwrap());
    let (status, found) = ask(&second, "GET", &path, Some(&key), None);
    assert_eq!((status, &found["reference"]), (200, &booking["reference"]));
    let (_, all) = ask(&second, "GET", "/v1/bookings", Some(&key), None);
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "what came after the backup is not in it");
}

#[test]
fn readers_of_the_event_log_are_told_to_begin_anew_after_a_restore() {
    let mut server = server();
    let listing = create_listing(&server, &places(10));
    let (_dir, file) = file();
    server.terminate().unwrap();
    backup(server.data_dir(), &file);
    server.restart().unwrap();
    book(&server, &listing, "Aziza Sample");
    let ahead = cursor(&server);
    server.terminate().unwrap();
    let key = server.admin_key().unwrap();
    restore(server.data_dir(), &file, &["--force"]).ok();
    server.restart().unwrap();
    let path = format!("/v1/events?after={}", ahead.as_str().unwrap());
    let (status, answer) = ask(&server, "GET", &path, Some(&key), None);
    assert!(
        (400..500).contains(&status),
        "a cursor of before must not be taken for one of now: {status} {answer}"
    );
}

#[test]
fn data_is_never_replaced_unless_it_is_asked_for_and_then_it_is_kept() {
    let mut server = server();
    create_listing(&server, &places(10));
    let (_dir, file) = file();
    backup(server.data_dir(), &file);
    restore(server.data_dir(), &file, &["--force"]).refused(3, "another server is running");
    server.terminate().unwrap();
    restore(server.data_dir(), &file, &[]).refused(2, "is not empty");
    let said = restore(server.data_dir(), &file, &["--force"]).ok();
    assert!(said.err.contains("before-restore-1"), "{said:?}");
    assert!(server.data_dir().join("before-restore-1/lastseat.db").exists());
    assert!(server.data_dir().join("before-restore-1/admin.key").exists());
    restore(server.data_dir(), &file, &["--force"]).ok().refused(0, "before-restore-2");
    on_data(server.data_dir(), &["verify"]).ok();
}

#[test]
fn a_backup_that_is_cut_off_or_changed_is_refused_and_leaves_nothing() {
    let server = server();
    create_listing(&server, &places(10));
    let (dir, file) = file();
    backup(server.data_dir(), &file);
    let whole = std::fs::read(&file).unwrap();
    let bad = dir.path().join("bad.tar");
    let data = dir.path().join("data");
    let mut changed = whole.clone();
    changed[10_000] ^= 1;
    for (bytes, words) in [
        (&whole[..whole.len() / 2], "damaged"),
        (&changed, "not what its manifest says"),
        (&whole[..512], "damaged"),
    ] {
        std::fs::write(&bad, bytes).unwrap();
        restore(&data, &bad, &[]).refused(3, words);
        assert!(!data.exists(), "a directory that was made for it is gone again");
    }
    restore(&data, &file, &[]).ok();
}

/// Turns around the first bytes of the page in which the events begin: as it happens on a disk that fails.
fn damage(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection.pragma_update(None, "journal_mode", "delete").unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'events'";
    let root: usize = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    drop(connection);
    let mut bytes = std::fs::read(database).unwrap();
    bytes[(root - 1) * 4096..][..8].iter_mut().for_each(|byte| *byte = !*byte);
    std::fs::write(database, bytes).unwrap();
}

#[test]
fn of_a_damaged_database_no_backup_is_made_and_doctor_says_what_is_damaged() {
    let mut server = server();
    create_listing(&server, &places(10));
    server.terminate().unwrap();
    on_data(server.data_dir(), &["doctor"]).ok();
    damage(&server.data_dir().join("lastseat.db"));
    let (dir, file) = file();
    let to = file.to_string_lossy().into_owned();
    let said = on_data(server.data_dir(), &["backup", "--to", &to]).refused(3, "no backup was made");
    assert!(said.err.contains("damaged (table events: "), "{said:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "neither a backup nor what it was made of");
    let said = on_data(server.data_dir(), &["doctor"]).refused(1, "");
    assert!(said.out.contains("damaged (table events: "), "{said:?}");
}

#[test]
fn a_backup_with_a_damaged_database_is_refused_before_anything_is_moved() {
    let mut server = server();
    create_listing(&server, &places(10));
    server.terminate().unwrap();
    let (dir, file) = file();
    backup(server.data_dir(), &file);
    // Made as programs did that did not check: its manifest says that all is well.
    let unpacked = dir.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    tar::Archive::new(std::fs::File::open(&file).unwrap()).unpack(&unpacked).unwrap();
    damage(&unpacked.join("lastseat.db"));
    let database = std::fs::read(unpacked.join("lastseat.db")).unwrap();
    let mut manifest: Value =
        serde_json::from_slice(&std::fs::read(unpacked.join("manifest.json")).unwrap()).unwrap();
    let sha256: String = sha2::Sha256::digest(&database).iter().map(|byte| format!("{byte:02x}")).collect();
    manifest["files"][0]["bytes"] = database.len().into();
    manifest["files"][0]["sha256"] = sha256.into();
    std::fs::write(unpacked.join("manifest.json"), manifest.to_string()).unwrap();
    let bad = dir.path().join("bad.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&bad).unwrap());
    for name in ["lastseat.db", "manifest.json"] {
        tar.append_path_with_name(unpacked.join(name), name).unwrap();
    }
    tar.finish().unwrap();

    let data = dir.path().join("data");
    let said = restore(&data, &bad, &[]).refused(3, "nothing was restored");
    assert!(said.err.contains("table events"), "{said:?}");
    assert!(!data.exists());
    restore(server.data_dir(), &bad, &["--force"]).refused(3, "nothing was restored");
    assert!(!server.data_dir().join("before-restore-1").exists());
    on_data(server.data_dir(), &["doctor"]).ok();
}

#[test]
fn a_backup_replaces_no_file_and_needs_data() {
    let server = server();
    let (dir, file) = file();
    std::fs::write(&file, "precious").unwrap();
    let to = file.to_string_lossy().into_owned();
    on_data(server.data_dir(), &["backup", "--to", &to]).refused(2, "is there already");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    on_data(server.data_dir(), &["backup", "--to", "/nonexistent/x.tar"]).refused(3, "/nonexistent");
    let other = dir.path().join("other.tar").to_string_lossy().into_owned();
    on_data(dir.path(), &["backup", "--to", &other]).refused(2, "there is no database in");
    finish(command().args(["restore", "--from", "/nonexistent"])).refused(2, "there is no file /nonexistent");
}

#[test]
fn the_manifest_can_be_had_as_json() {
    let server = server();
    let (_dir, file) = file();
    let manifest =
        on_data(server.data_dir(), &["backup", "--json", "--to", &file.to_string_lossy()]).ok().json();
    assert_eq!(manifest["files"][0]["name"], "lastseat.db");
    assert_eq!(manifest["files"][0]["sha256"].as_str().unwrap().len(), 64);
}
