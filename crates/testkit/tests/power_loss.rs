//! The power-loss disk, tried on SQLite itself: what SQLite promises holds on it, and what it does not promise breaks.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use lastseat_testkit::vfs::{PowerDisk, Survival};
use rusqlite::Connection;

const DB: &str = "test.db";

fn open(disk: &PowerDisk, synchronous: &str) -> rusqlite::Result<Connection> {
    let db = disk.open(DB)?;
    db.execute_batch(&format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};"))?;
    Ok(db)
}

/// A database with one empty table, all of it durable. With a rollback journal a commit is its deletion, and only
/// EXTRA syncs the directory after it.
fn prepared(disk: &PowerDisk, journal_mode: &str) {
    let db = disk.open(DB).unwrap();
    db.execute_batch(&format!("PRAGMA journal_mode = {journal_mode}; PRAGMA synchronous = EXTRA; CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB);"))
        .unwrap();
}

fn insert(db: &Connection, id: i64) -> rusqlite::Result<usize> {
    db.execute("INSERT INTO t (id, filler) VALUES (?1, zeroblob(700))", [id])
}

/// The ids in the table, after a look at the file's integrity.
fn ids(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(verdict, "ok");
    db.prepare("SELECT id FROM t ORDER BY id")?.query_map([], |row| row.get(0))?.collect()
}

#[test]
fn with_synchronous_full_no_commit_is_lost() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let db = open(&disk, "FULL").unwrap();
    for id in 1..=100 {
        insert(&db, id).unwrap();
    }
    let loss = disk.power_cycle(Survival::SyncedOnly);
    assert_eq!(loss.lost_changes, 0);
    assert_eq!(ids(&open(&disk, "FULL").unwrap()).unwrap(), (1..=100).collect::<Vec<_>>());
}

#[test]
fn with_synchronous_off_commits_are_lost_so_the_disk_proves_something() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let db = open(&disk, "OFF").unwrap();
    for id in 1..=100 {
        insert(&db, id).unwrap();
    }
    let loss = disk.power_cycle(Survival::SyncedOnly);
    assert!(loss.lost_changes > 0);
    assert_eq!(ids(&open(&disk, "OFF").unwrap()).unwrap(), Vec::<i64>::new());
}

#[test]
fn with_synchronous_off_a_killed_process_loses_nothing() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let db = open(&disk, "OFF").unwrap();
    insert(&db, 1).unwrap();
    disk.power_cycle(Survival::Everything);
    assert_eq!(ids(&open(&disk, "OFF").unwrap()).unwrap(), [1]);
}

/// Inserts until the power fails, and gives the ids that were acknowledged.
fn insert_until_the_power_fails(disk: &PowerDisk, synchronous: &str, last: i64) -> Vec<i64> {
    let mut acknowledged = Vec::new();
    let Ok(db) = open(disk, synchronous) else { return acknowledged };
    // Small enough that checkpoints happen, and WAL frames are overwritten, within the run.
    let _ = db.execute_batch("PRAGMA wal_autocheckpoint = 6");
    for id in 1..=last {
        if insert(&db, id).is_err() {
            break;
        }
        acknowledged.push(id);
    }
    acknowledged
}

/// Lets the power fail at every single operation of a run, and looks at what is left under several seeds.
fn attack_every_operation(journal_mode: &str) {
    const COMMITS: i64 = 12;
    let run = |fail_after: Option<u64>, survival: Survival| {
        let disk = PowerDisk::new();
        prepared(&disk, journal_mode);
        let before = disk.operations();
        if let Some(operations) = fail_after {
            disk.fail_power_after(operations);
        }
        let acknowledged = if journal_mode == "WAL" {
            insert_until_the_power_fails(&disk, "FULL", COMMITS)
        } else {
            let db = disk.open(DB).unwrap();
            let _ = db.execute_batch("PRAGMA synchronous = EXTRA");
            (1..=COMMITS).take_while(|id| insert(&db, *id).is_ok()).collect()
        };
        let operations = disk.operations() - before;
        disk.power_cycle(survival);
        let left = ids(&disk.open(DB).unwrap()).unwrap();
        let whole: Vec<i64> = (1..=i64::try_from(left.len()).unwrap()).collect();
        assert_eq!(left, whole, "the commits that survive are a prefix");
        assert!(
            left.len() >= acknowledged.len(),
            "{survival:?}, {fail_after:?}: {acknowledged:?} became {left:?}"
        );
        operations
    };
    let operations = run(None, Survival::SyncedOnly);
    assert!(operations > 50, "the run is long enough to mean something: {operations}");
    for at in 1..=operations {
        run(Some(at), Survival::SyncedOnly);
        run(Some(at), Survival::Everything);
        for seed in 0..4 {
            run(Some(at), Survival::Random { seed: at * 1_000 + seed });
        }
    }
}

#[test]
fn a_power_cut_at_any_operation_loses_no_acknowledged_commit_in_wal_mode() {
    attack_every_operation("WAL");
}

#[test]
fn a_power_cut_at_any_operation_loses_no_acknowledged_commit_with_a_rollback_journal() {
    attack_every_operation("DELETE");
}

#[test]
fn with_synchronous_normal_the_last_commits_may_go_but_the_file_stays_whole() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = PowerDisk::new();
        prepared(&disk, "WAL");
        disk.fail_power_after(20 + seed);
        let acknowledged = insert_until_the_power_fails(&disk, "NORMAL", 100);
        disk.power_cycle(Survival::Random { seed });
        let left = ids(&disk.open(DB).unwrap()).unwrap();
        assert_eq!(left, (1..=i64::try_from(left.len()).unwrap()).collect::<Vec<_>>());
        lost += acknowledged.len().saturating_sub(left.len());
    }
    assert!(lost > 0);
}

#[test]
fn a_connection_from_before_the_cut_can_neither_read_nor_write() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let old = open(&disk, "FULL").unwrap();
    insert(&old, 1).unwrap();
    disk.power_cycle(Survival::SyncedOnly);
    let new = open(&disk, "FULL").unwrap();
    assert!(insert(&old, 2).is_err());
    assert!(ids(&old).is_err());
    drop(old);
    insert(&new, 3).unwrap();
    assert_eq!(ids(&new).unwrap(), [1, 3]);
}

#[test]
fn readers_and_a_writer_on_several_threads_see_whole_commits() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let writer = open(&disk, "FULL").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = open(&disk, "FULL").unwrap();
                let mut seen = 0;
                while seen < 400 {
                    let now: i64 = reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
                    assert!(now >= seen && now % 2 == 0, "{seen} then {now}");
                    seen = now;
                }
            });
        }
        for pair in 0..200 {
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
            insert(&writer, 2 * pair).unwrap();
            insert(&writer, 2 * pair + 1).unwrap();
            writer.execute_batch("COMMIT").unwrap();
        }
    });
    assert_eq!(ids(&writer).unwrap().len(), 400);
}

#[test]
fn a_second_writer_is_told_to_wait() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let (first, second) = (open(&disk, "FULL").unwrap(), open(&disk, "FULL").unwrap());
    second.busy_timeout(std::time::Duration::ZERO).unwrap();
    first.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = second.execute_batch("BEGIN IMMEDIATE").unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    first.execute_batch("COMMIT").unwrap();
    second.execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
}

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_recovers() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let db = open(&disk, "FULL").unwrap();
    insert(&db, 1).unwrap();
    disk.limit_bytes(Some(disk.used_bytes()));
    let refused = (2..100).find_map(|id| insert(&db, id).err()).expect("the disk is full");
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    let before = ids(&db).unwrap();
    disk.limit_bytes(None);
    insert(&db, 1_000).unwrap();
    assert_eq!(ids(&db).unwrap().len(), before.len() + 1);
}

#[test]
fn an_exported_copy_opens_as_an_ordinary_file() {
    let disk = PowerDisk::new();
    prepared(&disk, "WAL");
    let db = open(&disk, "FULL").unwrap();
    insert(&db, 7).unwrap();
    let dir = tempfile::tempdir().unwrap();
    disk.export_to(dir.path()).unwrap();
    assert_eq!(ids(&Connection::open(dir.path().join(DB)).unwrap()).unwrap(), [7]);
}

#[test]
fn a_rollback_journal_without_extra_can_lose_a_commit_which_the_disk_shows() {
    let disk = PowerDisk::new();
    prepared(&disk, "DELETE");
    let db = disk.open(DB).unwrap();
    db.execute_batch("PRAGMA synchronous = FULL").unwrap();
    insert(&db, 1).unwrap();
    disk.power_cycle(Survival::SyncedOnly);
    assert_eq!(ids(&disk.open(DB).unwrap()).unwrap(), Vec::<i64>::new());
}
