//! The real binary on a disk without room: a small one of its own, in a mount namespace.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lastseat_testkit::{TestServer, lastseat_command};

use crate::clients::{Memory, Told, again, assert_kept, book};
use crate::real::{Api, ask, booking, pdf, places, receipt, try_ask};

/// Size of the disk, in MiB.
const DISK_MIB: u32 = 6;
/// The key of its admin: the file with it is out of reach.
const KEY: &str = "lsk_of-a-test-on-a-small-disk";

/// A script that stands for the binary: it gets a disk of its own below the data directory, and is the server
/// then. None where users may not have namespaces.
fn on_a_small_disk(dir: &Path) -> Option<PathBuf> {
    if !Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let program = lastseat_command().unwrap().get_program().to_owned();
    let script = dir.join("lastseat-on-a-small-disk");
    let mount = format!("mount -t tmpfs -o size={DISK_MIB}m,mode=0700 none {}", dir.join("disk").display());
    let text = format!(
        "#!/bin/sh\nexec unshare -rm sh -c '{mount} && exec \"$0\" \"$@\"' '{}' \"$@\"\n",
        program.display()
    );
    std::fs::create_dir(dir.join("disk")).unwrap();
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    Some(script)
}

/// The disk as the server sees it.
fn disk(server: &TestServer, dir: &Path) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", server.process_id()));
    root.join(dir.join("disk").strip_prefix("/").unwrap())
}

/// Takes all the room that is left.
fn fill(disk: &Path) {
    use std::io::Write as _;
    let mut ballast = std::fs::File::create(disk.join("ballast")).unwrap();
    let chunk = [0u8; 4096];
    while ballast.write_all(&chunk).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_free_on_a_full_disk_writes_are_refused_reads_go_on_and_room_heals_it() {
    let dir = tempfile::tempdir().unwrap();
    let Some(script) = on_a_small_disk(dir.path()) else {
        eprintln!("no mount namespaces here: the engine's own test of a full disk must do");
        return;
    };
    let server = TestServer::builder()
        .binary(script)
        .data_dir(dir.path().join("disk").join("data"))
        .env("LASTSEAT_ADMIN_KEY", KEY)
        .start()
        .unwrap();
    let api = Api { admin: KEY.to_owned(), ..Api::of(&server) };
    let listing = api.listing(&places(900_000)).await;
    let mut memory = Memory::default();
    let held = api.book(&booking(&listing, "with a receipt")).await;
    fill(&disk(&server, dir.path()));

    // What room the log has left is soon used up.
    let mut refused = 0;
    for key in 0..2_000 {
        let answer = ask(book(&api, &listing, key)).await;
        if answer.status == 201 {
            let told = Told { id: answer.id(), state: "held".into(), open: false, receipt: false };
            memory.told.insert(key, told);
        } else {
            answer.problem("a booking on a full disk", 503, "unavailable");
            memory.unanswered.push(key);
            refused += 1;
        }
        if refused >= 30 {
            break;
        }
    }
    assert!(refused >= 30, "there is still room");
    let form = receipt(pdf(&"x".repeat(200_000)), "receipt.pdf", "application/pdf");
    let upload = api.request(reqwest::Method::POST, &format!("/v1/bookings/{}/payment", held.id()));
    let upload = upload.multipart(form).header("booking-token", held.token());
    ask(upload).await.problem("a receipt on a full disk", 503, "unavailable");

    // Reading needs no room.
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        ask(api.get(path)).await.ok(200);
    }
    let (available, _, _) = api.stock(&listing).await;
    assert!(available > 0);
    for told in memory.told.values() {
        let row = ask(api.get(&format!("/v1/bookings/{}", told.id)).bearer_auth(KEY)).await.ok(200).json;
        assert_kept(told, &row);
    }
    let count = api.bookings(&listing).await.len();
    assert_eq!(count, memory.told.len() + 1, "what was refused is not there");

    // Room again: it goes on by itself, and what was refused can be asked for again.
    std::fs::remove_file(disk(&server, dir.path()).join("ballast")).unwrap();
    let heals = lastseat_testkit::wait_until_async(Duration::from_secs(10), "a booking", async || {
        let answer = try_ask(book(&api, &listing, 1_000_000)).await.ok()?;
        (answer.status == 201).then_some(())
    });
    heals.await.unwrap();
    for key in &memory.unanswered {
        again(&api, &listing, *key).await;
    }
    let rows = api.bookings(&listing).await;
    assert_eq!(rows.len(), memory.told.len() + memory.unanswered.len() + 2);
    let metrics = ask(api.get("/metrics")).await.text;
    let violations = metrics.lines().find(|line| line.starts_with("lastseat_invariant_violations"));
    assert!(violations.is_none_or(|line| line.ends_with(" 0")), "{violations:?}");
}
