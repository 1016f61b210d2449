//! What is left of the servers of a process that was killed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of tests are tests too, though clippy knows only the functions marked so"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lastseat_scratch::{Postgres, Process, Redis, wait_until};

/// Set in the process that is to be killed.
const VICTIM: &str = "LASTSEAT_TEST_VICTIM";

#[test]
fn a_killed_process_leaves_neither_servers_nor_directories() {
    if std::env::var_os(VICTIM).is_some() {
        be_killed();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_killed_process_leaves_neither_servers_nor_directories", "--nocapture"]);
    command.env(VICTIM, "yes");
    let mut victim = Process::spawn("the victim", command).unwrap();
    let said = victim
        .wait_ready(Duration::from_secs(60), |victim| {
            victim
                .stdout()
                .lines()
                .find_map(|line| line.split_once("started ")?.1.strip_suffix(" all").map(str::to_owned))
        })
        .unwrap();
    let (paths, ids): (Vec<&str>, Vec<&str>) = said.split(' ').partition(|word| word.starts_with('/'));
    assert_eq!((paths.len(), ids.len()), (2, 2));
    let there = |id: &&str| Path::new(&format!("/proc/{id}")).exists();
    assert!(paths.iter().all(|path| Path::new(path).exists()) && ids.iter().all(there));

    victim.kill().unwrap();
    wait_until(Duration::from_secs(20), "everything to be gone", || {
        let gone = !paths.iter().any(|path| Path::new(path).exists()) && !ids.iter().any(there);
        gone.then_some(())
    })
    .unwrap();
}

/// Starts servers, one of them paused, says where, and waits for the end.
fn be_killed() -> ! {
    let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
    postgres.pause().unwrap();
    let (data, socket) = (postgres.data_dir(), redis.socket());
    println!(
        "started {} {} {} {} all",
        data.parent().unwrap().display(),
        socket.parent().unwrap().display(),
        postgres.process_id(),
        redis.process_id()
    );
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}
