//! A child process whose output is collected, and which never outlives its value.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait_until;

/// A running child process; dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    /// Starts `command` with no input, and collects what it prints. `name` is what errors call it.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn spawn(name: &str, mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let readers = [
            child.stdout.take().map(|pipe| collect(pipe, Arc::clone(&stdout))),
            child.stderr.take().map(|pipe| collect(pipe, Arc::clone(&stderr))),
        ];
        Ok(Self {
            name: name.to_owned(),
            child,
            stdout,
            stderr,
            readers: readers.into_iter().flatten().collect(),
        })
    }

    /// What it has printed on its standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has printed on its standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `look` finds what it wants in the process's state.
    ///
    /// # Errors
    /// When the process ends before, or after `limit`; with what it has said.
    pub fn wait_ready<T>(
        &mut self,
        limit: Duration,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> anyhow::Result<T> {
        let what = format!("{} to be ready", self.name);
        let found = wait_until(limit, &what, || {
            let running = self.is_running();
            // What it printed last is worth a look even if it has ended since.
            look(self).map(Ok).or_else(|| (!running).then_some(Err(())))
        });
        match found {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(())) => {
                let status = self.reap()?;
                bail!("{} ended before it was ready ({status}); it said: {}", self.name, self.stderr())
            }
            Err(late) => bail!("{late}; it said: {}", self.stderr()),
        }
    }

    /// Kills it at once (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.reap()
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    ///
    /// # Errors
    /// When it takes longer than `limit`, or cannot be signalled.
    pub fn terminate(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        self.end_by(Signal::TERM, limit)
    }

    /// Sends it a signal that should end it, if it still runs, and waits until it has ended.
    ///
    /// # Errors
    /// As [`Process::terminate`].
    pub fn end_by(&mut self, signal: Signal, limit: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(signal)?;
        let what = format!("{} to end after signal {}", self.name, signal.as_raw());
        wait_until(limit, &what, || (!self.is_running()).then_some(()))?;
        self.reap()
    }

    /// Sends it a signal, if it still runs.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.is_running() {
            let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
            kill_process(id, signal).with_context(|| format!("cannot signal {}", self.name))?;
        }
        Ok(())
    }

    /// Waits for the end, and for the last of its output.
    fn reap(&mut self) -> anyhow::Result<ExitStatus> {
        let status = self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        // A grandchild may hold the pipes open for longer; its output is not ours to wait for.
        let _ = wait_until(Duration::from_millis(500), "the output's end", || {
            self.readers.iter().all(JoinHandle::is_finished).then_some(())
        });
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said on its standard error ---\n{}", self.name, self.stderr());
        }
    }
}

fn collect(pipe: impl Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            into.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}
