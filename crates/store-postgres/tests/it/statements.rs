//! What is opened, and what is refused to be opened.

use lastseat_store_postgres::{Clock, OpenError, OpenMode, PgStore};

use crate::servers::{empty_database, node, sql};

fn open(url: &str, mode: OpenMode) -> Result<PgStore, OpenError> {
    PgStore::open(url.parse().unwrap(), mode, 1)
}

#[test]
fn a_database_is_made_once_and_then_opened() {
    let url = empty_database();
    assert!(matches!(open(&url, OpenMode::Read), Err(OpenError::Missing(_))));
    drop(node(&url, Clock::Database));
    open(&url, OpenMode::Read).unwrap();
    drop(node(&url, Clock::Database));
    assert_eq!(sql(&url, "SELECT count(*) FROM meta")[0][0].as_deref(), Some("2"));
}

#[test]
fn two_nodes_that_start_at_once_migrate_once() {
    let url = empty_database();
    let nodes: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| node(&url, Clock::Database))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(nodes.len(), 4);
    assert_eq!(sql(&url, "SELECT count(*) FROM lastseat_schema")[0][0].as_deref(), Some("1"));
}

#[test]
fn what_is_not_ours_or_newer_is_refused_and_left_alone() {
    let url = empty_database();
    sql(&url, "CREATE TABLE customers (name text); INSERT INTO customers VALUES ('theirs')");
    for mode in [OpenMode::Serve, OpenMode::Read] {
        let error = open(&url, mode).unwrap_err();
        assert!(matches!(error, OpenError::Foreign(_)), "{error}");
    }
    assert_eq!(
        sql(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")[0][0].as_deref(),
        Some("1")
    );
    let url = empty_database();
    drop(node(&url, Clock::Database));
    sql(&url, "UPDATE lastseat_schema SET version = 99");
    assert!(matches!(open(&url, OpenMode::Serve), Err(OpenError::Newer { found: 99, .. })));
    sql(&url, "UPDATE lastseat_schema SET version = 0");
    assert!(matches!(open(&url, OpenMode::Read), Err(OpenError::Older { found: 0, .. })));
}

#[test]
fn who_is_not_let_in_is_told_so_without_the_password() {
    let url = empty_database();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (user, at) = rest.split_once(':').unwrap();
    let (_, host) = at.split_once('@').unwrap();
    let wrong = open(&format!("{scheme}://{user}:wr0ngsecret@{host}"), OpenMode::Serve).unwrap_err();
    assert!(matches!(wrong, OpenError::Refused { .. }), "{wrong:?}");
    assert!(!wrong.to_string().contains("wr0ngsecret"));
    let unknown = open(&format!("{url}_that_is_not_there"), OpenMode::Serve).unwrap_err();
    assert!(matches!(unknown, OpenError::Refused { .. }), "{unknown:?}");
    let port = lastseat_scratch::free_port().unwrap();
    let nobody =
        open(&format!("postgres://u:wr0ngsecret@127.0.0.1:{port}/shop"), OpenMode::Serve).unwrap_err();
    assert!(matches!(nobody, OpenError::Unreachable { .. }), "{nobody:?}");
    assert!(!nobody.to_string().contains("wr0ngsecret"));
}
