//! Starting and stopping, and what is in the way of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lastseat_testkit::{TestServer, wait_until};
use serde_json::Value;

use crate::kit::{ask, command, create_listing, finish, lastseat, on_data, places, server};

#[test]
fn ready_is_one_line_on_standard_output_and_logs_are_elsewhere() {
    let server = server();
    assert_eq!(server.stdout(), format!("listening on {}\n", server.base_url()));
    assert_eq!(ask(&server, "GET", "/readyz", None, None).0, 200);
    assert!(server.stderr().contains("serving"), "{}", server.stderr());
}

#[test]
fn port_0_gives_a_port_that_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = command()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
    let connected = TcpStream::connect(&address);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(connected.is_ok() && !address.ends_with(":0"), "{address}");
}

#[test]
fn the_data_directory_is_made_for_its_owner_only() {
    let server = server();
    let mode = |path: &str| {
        let path = server.data_dir().join(path);
        std::fs::metadata(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("receipts"), 0o700);
    for file in ["admin.key", "lastseat.db", "lastseat.db-wal", "lastseat.db-shm", "lastseat.lock"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert!(!server.stderr().contains("WARN"), "{}", server.stderr());
}

#[test]
fn data_that_others_may_read_is_warned_of_once() {
    for path in ["", "lastseat.db"] {
        let mut server = server();
        server.terminate().unwrap();
        let open = server.data_dir().join(path);
        std::fs::set_permissions(&open, PermissionsExt::from_mode(0o744)).unwrap();
        server.restart().unwrap();
        let stderr = server.stderr();
        let warnings: Vec<&str> = stderr.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings.len(), 1, "{stderr}");
        assert!(warnings[0].contains("others on this machine may look at the data"), "{stderr}");
        let named = format!("paths=\"{}\"", open.display().to_string().trim_end_matches('/'));
        assert!(warnings[0].contains(&named), "{stderr}");
    }
}

#[test]
fn logs_can_be_json_and_as_quiet_as_wanted() {
    let mut server = TestServer::builder().args(["--log-format", "json"]).start().unwrap();
    server.terminate().unwrap();
    let stderr = server.stderr();
    let lines: Vec<Value> = stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.iter().any(|line| line["message"] == "stopped" && line["level"] == "INFO"), "{stderr}");
    let mut server = TestServer::builder().env("LASTSEAT_LOG_LEVEL", "error").start().unwrap();
    server.terminate().unwrap();
    assert!(!server.stderr().contains("INFO"), "{}", server.stderr());
}

/// A request to book whose body of `length` bytes is awaited by the server, and has not come yet.
fn begun(server: &TestServer, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST /v1/bookings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n\
         expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(go_on.as_slice(), b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Sends a signal by its name.
fn signal(server: &TestServer, name: &str) {
    let id = server.process_id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

/// Waits until the server takes no more connections.
fn wait_until_closing(server: &TestServer) {
    let closed = || TcpStream::connect(server.address()).is_err().then_some(());
    wait_until(Duration::from_secs(30), "the server to close its door", closed).unwrap();
}

#[test]
fn sigterm_finishes_what_was_begun_and_ends_with_0() {
    let mut server = server();
    let listing = create_listing(&server, &places(10));
    let body = serde_json::json!({
        "listing_id": listing, "lines": [{"pool": "standard", "quantity": 1}], "customer": {"name": "Jonas Sample"}
    })
    .to_string();
    let mut request = begun(&server, body.len());
    signal(&server, "TERM");
    wait_until_closing(&server);
    request.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    request.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(server.wait_for_end(Duration::from_secs(30)).unwrap(), 0);

    server.restart().unwrap();
    let (_, all) = ask(&server, "GET", "/v1/bookings", Some(&server.admin_key().unwrap()), None);
    assert_eq!(all["items"][0]["customer"]["name"], "Jonas Sample");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = server();
    let _request = begun(&server, 99);
    signal(&server, "INT");
    wait_until_closing(&server);
    assert!(server.is_running());
    signal(&server, "INT");
    assert_eq!(server.wait_for_end(Duration::from_secs(5)).unwrap(), 130);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let server = server();
    let said = on_data(server.data_dir(), &["serve", "--listen", "127.0.0.1:0"]);
    let said = said.refused(3, "another server is running on");
    assert!(said.err.contains("stop it first") && said.out.is_empty(), "{said:?}");
    assert_eq!(ask(&server, "GET", "/readyz", None, None).0, 200);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    on_data(dir.path(), &["serve", "--listen", &address]).refused(3, &format!("cannot listen on {address}"));
    lastseat(&["serve", "--listen", "127.0.0.1"]).refused(2, "ADDRESS:PORT");
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path().to_owned(), file.path().join("below")] {
        let said = on_data(&path, &["serve", "--listen", "127.0.0.1:0"]);
        said.refused(3, &file.path().to_string_lossy());
    }
}

#[test]
fn a_database_of_a_newer_program_or_of_another_one_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lastseat.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE other (x)").unwrap();
    drop(other);
    let serve = || on_data(dir.path(), &["serve", "--listen", "127.0.0.1:0"]);
    serve().refused(2, "is not Lastseat's");
    std::fs::remove_file(&path).unwrap();

    let mut server = TestServer::builder().data_dir(dir.path()).start().unwrap();
    server.terminate().unwrap();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 9_999).unwrap();
    drop(newer);
    serve().refused(3, "use the newer program");
    on_data(dir.path(), &["verify"]).refused(3, "use the newer program");
    on_data(dir.path(), &["migrate"]).refused(3, "use the newer program");
}

#[test]
fn a_broken_database_is_said_to_be_broken() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("lastseat.db"), "this is no database ".repeat(500)).unwrap();
    for verb in [["serve", "--listen", "127.0.0.1:0"].as_slice(), &["verify"], &["migrate"]] {
        on_data(dir.path(), verb).refused(3, "the database is damaged");
    }
}

#[test]
fn what_this_version_does_not_have_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for (flag, value) in [("--redis-url", "redis://localhost"), ("--grpc-listen", "127.0.0.1:0")] {
        on_data(&data, &["serve", flag, value])
            .refused(2, &format!("{flag}: this version of lastseat does not support"));
    }
    for (flag, value) in [
        ("--public-url", "book.example.org"),
        ("--trusted-proxy-header", "x forwarded"),
        ("--rate-per-address", "0"),
        ("--log-level", "lastseat=loud"),
    ] {
        on_data(&data, &["serve", flag, value]).refused(2, flag);
    }
    for (flag, value, words) in [
        ("--max-connections", "0", "give a whole number, at least 1"),
        ("--rate-per-address", "20:10", "cannot be fewer than may come in a second"),
        ("--rate-per-key", "20:10", "cannot be fewer than may come in a second"),
    ] {
        on_data(&data, &["serve", flag, value]).refused(2, words);
    }
    assert!(!data.exists());
}

#[test]
fn migrate_says_that_there_is_nothing_to_do_and_needs_a_database() {
    let mut server = server();
    server.terminate().unwrap();
    on_data(server.data_dir(), &["migrate"]).ok().refused(0, "the schema is current");
    let dir = tempfile::tempdir().unwrap();
    on_data(dir.path(), &["migrate"]).refused(2, "there is no database in");
    assert!(!finish(command().args(["migrate", "--data", "/nonexistent"])).err.is_empty());
}

#[test]
fn rates_that_are_set_are_kept() {
    let server = TestServer::builder().args(["--rate-per-address", "1:3"]).start().unwrap();
    let statuses: Vec<u16> = (0..5).map(|_| ask(&server, "GET", "/v1/listings", None, None).0).collect();
    assert_eq!(statuses[..3], [200; 3]);
    assert!(statuses.contains(&429), "{statuses:?}");
}
