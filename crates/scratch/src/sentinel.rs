//! Temporary directories that go with the process, and the servers in them with the directory.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait_until;

/// Access for the owner only.
const OWNER_ONLY: u32 = 0o700;

/// How long killed processes may take to be gone.
const KILL_DEADLINE: Duration = Duration::from_secs(10);

/// Waits until nobody holds the other end of its input, which is when the process that started it has ended, however
/// that happened; then ends what works in the directory `$1`, and removes it. PostgreSQL takes QUIT for a hard stop,
/// before which it gives its shared memory back; CONT is for those that were paused.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r _
inside() { find /proc -maxdepth 2 -name cwd \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null | cut -d / -f 3; }
for signal in QUIT CONT KILL; do
  found=$(inside "$1")
  [ -z "$found" ] || kill -s "$signal" $found 2>/dev/null
  [ "$signal" != CONT ] || sleep 1
done
rm -rf "$1"
"#;

/// A temporary directory with a process that watches over it. Dropping it removes the directory; when this process is
/// killed instead, the sentinel kills the servers whose working directory is in it, and removes it.
#[derive(Debug)]
pub(crate) struct ScratchDir {
    /// Its standard input is the pipe that it waits at.
    sentinel: Child,
    dir: TempDir,
}

impl ScratchDir {
    /// Makes an empty directory whose name starts with `prefix`, and which only its owner may enter.
    ///
    /// # Errors
    /// When the temporary directory cannot be written, or there is no `sh`.
    pub(crate) fn new(prefix: &str) -> anyhow::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).permissions(Permissions::from_mode(OWNER_ONLY));
        let dir = builder.tempdir().context("cannot make a temporary directory")?;
        // Its working directory as the kernel will name it.
        let path = dir.path().canonicalize().context("cannot look at a temporary directory")?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "lastseat-sentinel"]).arg(path).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Whoever kills all of our process group shall not kill the one who cleans up after it.
        let sentinel = command.process_group(0).spawn().context("cannot start sh")?;
        Ok(Self { sentinel, dir })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Kills what works in it (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    /// When something cannot be killed.
    pub(crate) fn kill_all(&self) -> anyhow::Result<()> {
        wait_until(KILL_DEADLINE, "killed processes to be gone", || {
            let left = self.signal_all(Signal::KILL);
            (left == 0).then_some(())
        })
    }

    /// Sends `signal` to all processes that work in it; gives how many there are. Those that have ended, though nobody
    /// has asked for their exit status yet, do not count.
    pub(crate) fn signal_all(&self, signal: Signal) -> usize {
        let Ok(dir) = self.path().canonicalize() else { return 0 };
        let found = processes_in(&dir);
        for process in &found {
            // It may have ended by itself meanwhile.
            let _ = kill_process(*process, signal);
        }
        found.len()
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.sentinel.kill();
        let _ = self.sentinel.wait();
    }
}

/// The processes whose working directory is `dir` or below it.
fn processes_in(dir: &Path) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let works_there =
        |path: PathBuf| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
    let ids = entries.flatten().filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        works_there(entry.path()).then(|| Pid::from_raw(id)).flatten()
    });
    ids.collect()
}
