//! A database that has no more of something: connections, time, room, the right to write.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lastseat_testkit::{Postgres, lastseat_command, wait_until_async};
use tokio_postgres::{Client, NoTls};

use crate::real::{Api, ask, booking, places, try_ask};
use crate::shop::{DATABASE, KEY, api, node, nodes, postgres};

/// How soon a node serves again when there is what was missing.
const RECOVERY: Duration = Duration::from_secs(8);

/// Size of the small disk, in MiB.
const DISK_MIB: u32 = 24;

async fn serves_again(api: &Api, listing: &str, name: &str) {
    let served = async || {
        let answer = try_ask(api.post("/v1/bookings", &booking(listing, name))).await.ok()?;
        (answer.status == 201).then_some(())
    };
    wait_until_async(RECOVERY, "a booking", served).await.unwrap();
    ask(api.get("/readyz")).await.ok(200);
}

/// Takes connections until there are no more.
async fn take_all(url: &str) -> Vec<Client> {
    let mut taken = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(url, NoTls).await {
        tokio::spawn(connection);
        taken.push(client);
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn without_free_connections_nodes_say_so_and_recover_by_themselves() {
    let postgres = Postgres::builder().set("max_connections", "24").start().unwrap();
    let url = postgres.create_database(DATABASE).unwrap();
    let mut nodes = nodes(&url, 1);
    let api = api(&nodes[0]);
    let listing = api.listing(&places(1_000)).await;
    let mut taken = take_all(&url).await;
    assert!(taken.len() > 3, "{} connections", taken.len());
    // What a node has, it keeps.
    api.book(&booking(&listing, "with what there is")).await;
    // A new one cannot start.
    let mut command = lastseat_command().unwrap();
    let dir = tempfile::tempdir().unwrap();
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url]).current_dir(dir.path());
    let output = command.env("LASTSEAT_ADMIN_KEY", KEY).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("too many clients") && !said.contains("panicked"), "{said}");
    // The node loses what it has, and others are quicker to take it.
    let own = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lastseat'";
    taken[0].batch_execute(own).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    taken.extend(take_all(&url).await);
    let mut refused = 0;
    for guest in 0..20 {
        let answer = ask(api.post("/v1/bookings", &booking(&listing, &format!("guest {guest}")))).await;
        if answer.status != 201 {
            answer.problem("a booking without connections", 503, "unavailable");
            refused += 1;
        }
        let answer = ask(api.get("/readyz")).await;
        assert!([200, 503].contains(&answer.status.as_u16()), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        taken.extend(take_all(&url).await);
    }
    eprintln!("{refused} of 20 bookings were refused while others had all {} connections", taken.len());
    assert!(refused > 0, "the node got its connections nevertheless");
    drop(taken);
    serves_again(&api, &listing, "when there is room again").await;
    assert!(nodes[0].is_running());
    nodes[0].verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn time_limits_of_the_database_do_not_hinder_nodes() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let limits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
    for limit in limits {
        // Less than the tables take to be made, and enough for a connection to say that it knows better.
        postgres.sql("postgres", &format!("ALTER DATABASE {DATABASE} SET {limit} = '20ms'")).unwrap();
    }
    postgres
        .sql("postgres", &format!("ALTER DATABASE {DATABASE} SET default_transaction_read_only = on"))
        .unwrap();
    postgres
        .sql(
            "postgres",
            &format!("ALTER DATABASE {DATABASE} SET default_transaction_isolation = 'serializable'"),
        )
        .unwrap();
    let nodes = nodes(&url, 2);
    let apis = [api(&nodes[0]), api(&nodes[1])];
    let listing = apis[0].listing(&places(100)).await;
    for guest in 0..20 {
        apis[guest % 2].book(&booking(&listing, &format!("guest {guest}"))).await;
    }
    for api in &apis {
        assert_eq!(api.stock(&listing).await.1, 20);
    }
    nodes[0].verify().unwrap();
}

/// A small disk of its own for a directory. It goes when this is dropped, or when this process is killed.
struct SmallDisk(Child);

impl SmallDisk {
    /// None where that may not be done.
    fn on(dir: &Path) -> Option<Self> {
        let script = format!(
            "mount -t tmpfs -o size={DISK_MIB}m,mode=0700 none \"$0\" && mountpoint -q \"$0\" && echo there && \
             read -r _; umount -l \"$0\""
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut said).unwrap();
        (said == "there\n").then_some(Self(child))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Takes all the room that is left on a disk.
fn fill(dir: &Path) {
    let mut ballast = std::fs::File::create(dir.join("ballast")).unwrap();
    let chunk = [0u8; 4096];
    while ballast.write_all(&chunk).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_writes_are_refused_reads_go_on_and_room_heals_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let Some(_small) = SmallDisk::on(&disk) else {
        eprintln!("no disk can be mounted here: how a full one is told is shown by the engine's own test");
        return;
    };
    let postgres = postgres();
    let owner = std::fs::metadata(postgres.data_dir()).unwrap();
    let space = disk.join("space");
    std::fs::create_dir(&space).unwrap();
    for path in [&disk, &space] {
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    postgres.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", space.display())).unwrap();
    postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE} TABLESPACE small")).unwrap();
    let url = postgres.url_of(DATABASE);
    let nodes = nodes(&url, 2);
    let apis = [api(&nodes[0]), api(&nodes[1])];
    let listing = apis[0].listing(&places(900_000)).await;
    let first = apis[0].book(&booking(&listing, "first")).await;
    fill(&disk);

    let (mut made, mut refused) = (1, 0);
    for guest in 0..5_000 {
        let api = &apis[guest % 2];
        let answer = ask(api.post("/v1/bookings", &booking(&listing, &format!("guest {guest}")))).await;
        if answer.status == 201 {
            made += 1;
            assert!(refused < 5 || made < 5_000, "there is still room");
            continue;
        }
        let answer = answer.problem("a booking on a full disk", 503, "unavailable");
        assert!(answer.json["detail"].as_str().unwrap().contains("no room"), "{}", answer.text);
        refused += 1;
        if refused >= 20 {
            break;
        }
    }
    eprintln!("{made} bookings were made, then {refused} refused");
    assert!(refused >= 20, "there is still room");
    // Reading needs no room.
    for api in &apis {
        let path = format!("/v1/bookings/{}", first.id());
        ask(api.get(&path).header("booking-token", first.token())).await.ok(200);
        ask(api.get(&format!("/v1/listings/{listing}/availability"))).await.ok(200);
        ask(api.get("/readyz")).await.ok(200);
    }
    std::fs::remove_file(disk.join("ballast")).unwrap();
    for api in &apis {
        serves_again(api, &listing, "when there is room again").await;
    }
    assert_eq!(apis[1].bookings(&listing).await.len(), made + 2, "what was refused is not there");
    nodes[1].verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_primary_has_become_a_standby_says_so_and_goes_on_when_it_may_write_again() {
    let postgres = postgres();
    let url = postgres.create_database(DATABASE).unwrap();
    let node = node(&url).start().unwrap();
    let api = api(&node);
    let listing = api.listing(&places(100)).await;
    let mut postgres = postgres;
    // The same cluster comes back as a standby, as after a failover by somebody else.
    tokio::task::block_in_place(|| {
        postgres.stop_fast().unwrap();
        let signal = postgres.data_dir().join("standby.signal");
        std::fs::write(&signal, "").unwrap();
        let owner = std::fs::metadata(postgres.data_dir()).unwrap();
        chown(&signal, Some(owner.uid()), Some(owner.gid())).unwrap();
        postgres.start_again().unwrap();
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    for guest in 0..3 {
        let answer = ask(api.post("/v1/bookings", &booking(&listing, &format!("nobody {guest}")))).await;
        answer.problem("a booking on a standby", 503, "unavailable");
    }
    tokio::task::block_in_place(|| postgres.promote()).unwrap();
    serves_again(&api, &listing, "when it may be written").await;
    node.verify().unwrap();
}
