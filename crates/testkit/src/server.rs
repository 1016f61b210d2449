//! The real `lastseat` binary, as a server under test.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use lastseat_scratch::{Process, free_port, wait_until};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::paths::{clean_command, lastseat_binary};

/// How long a server may take until it listens.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long a server may take to drain after SIGTERM.
const TERMINATE_DEADLINE: Duration = Duration::from_secs(60);

/// How the line starts by which the server says that it is ready.
const READY_LINE: &str = "listening on http://";

/// How a [`TestServer`] is to be started.
#[derive(Debug, Default)]
pub struct ServerBuilder {
    binary: Option<PathBuf>,
    data: Option<PathBuf>,
    database_url: Option<String>,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl ServerBuilder {
    /// Adds an argument after `serve --data DIR --listen ADDR`.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable. None of this process's `LASTSEAT_*` variables reach the server.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Uses this data directory, which stays, instead of a fresh temporary one.
    #[must_use]
    pub fn data_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.data = Some(dir.as_ref().to_owned());
        self
    }

    /// Keeps the bookings in this PostgreSQL database, instead of in the data directory. Servers with the same one are the
    /// nodes of one shop.
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.database_url = Some(url.into());
        self
    }

    /// Starts this program instead of the `lastseat` that was built.
    #[must_use]
    pub fn binary(mut self, path: impl AsRef<Path>) -> Self {
        self.binary = Some(path.as_ref().to_owned());
        self
    }

    /// Starts the server, and waits until it listens.
    ///
    /// # Errors
    /// When the binary is missing, or the server ends or takes too long; with what it said.
    pub fn start(self) -> anyhow::Result<TestServer> {
        let binary = self.binary.clone().map_or_else(lastseat_binary, Ok)?;
        let (data, temporary) = match &self.data {
            Some(dir) => (dir.clone(), None),
            None => {
                let dir = tempfile::Builder::new().prefix("lastseat-test-").tempdir()?;
                (dir.path().join("data"), Some(dir))
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let process = spawn(&self, &binary, &data, address)?;
        let mut server =
            TestServer { settings: self, binary, data, address, process, earlier: String::new(), temporary };
        server.wait_ready()?;
        Ok(server)
    }
}

/// A running `lastseat serve`. Dropping it kills it, and removes its data directory if that was a temporary one.
#[derive(Debug)]
pub struct TestServer {
    settings: ServerBuilder,
    binary: PathBuf,
    data: PathBuf,
    address: SocketAddr,
    process: Process,
    /// What the earlier processes on this data directory said.
    earlier: String,
    // After `process`, so that the directory goes when the server has.
    temporary: Option<TempDir>,
}

impl TestServer {
    /// Starts a server with nothing but the defaults, on a fresh data directory.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn start() -> anyhow::Result<Self> {
        Self::builder().start()
    }

    /// To start a server with settings.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// `http://127.0.0.1:PORT`, the same after a restart.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of `path`, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The id of the running process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The key that the server made at its first start.
    ///
    /// # Errors
    /// When there is no `admin.key` in the data directory.
    pub fn admin_key(&self) -> anyhow::Result<String> {
        let path = self.data.join("admin.key");
        let key =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(key.trim().to_owned())
    }

    /// Everything said on standard error so far, by earlier processes too.
    #[must_use]
    pub fn stderr(&self) -> String {
        format!("{}{}", self.earlier, self.process.stderr())
    }

    /// Everything the present process has said on standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.process.stdout()
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// A command line for the same binary and data: `lastseat VERB --data DIR`, or `lastseat VERB --database-url URL` if it
    /// has one.
    #[must_use]
    pub fn command(&self, verb: &str) -> Command {
        let mut command = clean_command(&self.binary);
        command.arg(verb);
        match &self.settings.database_url {
            Some(url) => command.arg("--database-url").arg(url),
            None => command.arg("--data").arg(&self.data),
        };
        command
    }

    /// Runs `lastseat verify --json` beside the server (or after it); gives the report if every invariant holds.
    ///
    /// # Errors
    /// When one does not, with the whole report, or when it cannot be checked.
    pub fn verify(&self) -> anyhow::Result<serde_json::Value> {
        let output = self.command("verify").arg("--json").output().context("cannot run lastseat verify")?;
        let (report, talk) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("lastseat verify ended with {}: {report}{talk}", output.status);
        }
        serde_json::from_str(&report).with_context(|| format!("lastseat verify printed no JSON: {report}"))
    }

    /// Kills it at once (SIGKILL); nothing of it runs any more when this returns.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().map(drop)
    }

    /// Stops it in its tracks (SIGSTOP): connections stay open, and nobody answers.
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::STOP)
    }

    /// Lets it go on after [`TestServer::pause`].
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Asks it to end (SIGTERM), waits, and gives its exit code.
    ///
    /// # Errors
    /// When it takes too long, or ended by a signal.
    pub fn terminate(&mut self) -> anyhow::Result<i32> {
        let status = self.process.terminate(TERMINATE_DEADLINE)?;
        status.code().with_context(|| format!("the server ended by a signal: {status}"))
    }

    /// Kills it if it still runs, and starts it again on the same data directory and address.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.process.is_running() {
            self.process.kill()?;
        }
        self.earlier = self.stderr();
        self.process = spawn(&self.settings, &self.binary, &self.data, self.address)?;
        self.wait_ready()
    }

    /// Waits until it ends by itself, and gives its exit code.
    ///
    /// # Errors
    /// When it has not ended within `limit`, or ended by a signal.
    pub fn wait_for_end(&mut self, limit: Duration) -> anyhow::Result<i32> {
        wait_until(limit, "the server to end", || (!self.process.is_running()).then_some(()))?;
        self.terminate()
    }

    /// Keeps a temporary data directory after the drop, and gives its path, for a look at what went wrong.
    pub fn keep_data(&mut self) -> PathBuf {
        if let Some(dir) = self.temporary.take() {
            let _ = dir.keep();
        }
        self.data.clone()
    }

    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let said = self.process.wait_ready(START_DEADLINE, |process| {
            let stdout = process.stdout();
            // Only a whole line: the address may still be on its way.
            let line = stdout
                .split_inclusive('\n')
                .find(|line| line.starts_with(READY_LINE) && line.ends_with('\n'));
            line.map(|line| line[READY_LINE.len()..].trim().to_owned())
        })?;
        self.address =
            said.trim_end_matches('/').parse().with_context(|| format!("not an address: {said}"))?;
        Ok(())
    }
}

fn spawn(
    settings: &ServerBuilder,
    binary: &Path,
    data: &Path,
    address: SocketAddr,
) -> anyhow::Result<Process> {
    let mut command = clean_command(binary);
    command.arg("serve").arg("--data").arg(data).arg("--listen").arg(address.to_string());
    if let Some(url) = &settings.database_url {
        command.arg("--database-url").arg(url);
    }
    command.args(&settings.args).envs(settings.env.iter().map(|(name, value)| (name, value)));
    Process::spawn("the server", command)
}
