//! A PostgreSQL server in a directory of its own.
//!
//! - `programs`: where PostgreSQL is installed, and whom it runs as.
//! - `template`: `initdb` once, a copy for each server.
//! - `replica`: streaming replicas, and URLs of several hosts.
//! - `sql`: a few statements without a client.

mod programs;
mod replica;
mod sql;
mod template;

use std::fs::OpenOptions;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::Signal;

pub use self::replica::Replication;
pub use self::sql::Row;

use self::programs::Programs;
use crate::process::Process;
use crate::sentinel::ScratchDir;
use crate::{Proxy, free_port};

/// The superuser of every cluster.
const USER: &str = "lastseat";

/// The database that is there from the start.
const DATABASE: &str = "postgres";

/// How the name of a server's directory begins.
const DIR_PREFIX: &str = "lastseat-postgres-";

/// How long PostgreSQL may take until it answers, a recovery included.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long it may take to end.
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// The longest name of a database, in bytes (PostgreSQL's `NAMEDATALEN` less one).
const NAME_LIMIT_BYTES: usize = 63;

/// How a [`Postgres`] is to be started. Unless set otherwise it has PostgreSQL's defaults, and syncs every commit.
#[derive(Debug, Default, Clone)]
pub struct PostgresBuilder {
    settings: Vec<(String, String)>,
    files: Vec<(String, String)>,
}

impl PostgresBuilder {
    /// Sets one of PostgreSQL's parameters, such as `max_connections` to `300`; the last one counts.
    #[must_use]
    pub fn set(mut self, parameter: &str, value: &str) -> Self {
        self.settings.push((parameter.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file into the directory of the cluster, such as `pg_hba.conf` or a certificate, readable to the server only.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Starts PostgreSQL on a fresh cluster, and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, ends, or takes too long; with what it said.
    pub fn start(self) -> anyhow::Result<Postgres> {
        let programs = Programs::find()?;
        let dir = ScratchDir::new(DIR_PREFIX)?;
        programs.give(dir.path())?;
        let password = template::fresh_cluster(&programs, &data(&dir))?;
        self.write_to(&data(&dir).join("postgresql.conf"))?;
        for (name, text) in &self.files {
            let path = data(&dir).join(name);
            let cannot = || format!("cannot write {}", path.display());
            // Anew, with a mode that PostgreSQL accepts for a private key.
            let _ = std::fs::remove_file(&path);
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(cannot)?;
            programs.give(&path)?;
        }
        Postgres::start_in(programs, dir, password)
    }

    /// Adds the settings to a configuration file. On the command line they would stand against the file's at each
    /// reload.
    fn write_to(&self, path: &Path) -> anyhow::Result<()> {
        let lines: String = self
            .settings
            .iter()
            .map(|(parameter, value)| format!("{parameter} = '{}'\n", value.replace('\'', "''")))
            .collect();
        let file = OpenOptions::new().append(true).open(path);
        file.and_then(|mut file| file.write_all(lines.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A running PostgreSQL on 127.0.0.1 and a unix socket. Dropping it stops it at once and removes its data.
#[derive(Debug)]
pub struct Postgres {
    programs: Programs,
    password: String,
    port: u16,
    process: Process,
    /// What the earlier processes on this cluster said.
    earlier: String,
    // After `process`, so that the directory goes when the server has.
    dir: ScratchDir,
}

impl Postgres {
    /// Starts PostgreSQL with its defaults.
    ///
    /// # Errors
    /// As [`PostgresBuilder::start`].
    pub fn start() -> anyhow::Result<Self> {
        Self::builder().start()
    }

    /// To start PostgreSQL with settings.
    #[must_use]
    pub fn builder() -> PostgresBuilder {
        PostgresBuilder::default()
    }

    /// `postgres://USER:PASSWORD@127.0.0.1:PORT/postgres`, the same after a restart. The user is a superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// The URL of another database of this server.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        self.url_at(self.address(), database)
    }

    /// The URL of a database through a proxy that forwards to [`Postgres::address`].
    #[must_use]
    pub fn url_through(&self, proxy: &Proxy, database: &str) -> String {
        self.url_at(proxy.address(), database)
    }

    fn url_at(&self, address: SocketAddr, database: &str) -> String {
        format!("postgres://{USER}:{}@{address}/{database}", self.password)
    }

    /// The URL of a database through the unix socket.
    #[must_use]
    pub fn socket_url_of(&self, database: &str) -> String {
        let dir = self.dir.path().to_string_lossy().replace('%', "%25").replace('/', "%2F");
        format!("postgres://{USER}:{}@{dir}:{}/{database}", self.password, self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of the server's first process, the one that starts the others.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The directory of the cluster.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        data(&self.dir)
    }

    /// Everything that it has logged so far, before restarts too.
    #[must_use]
    pub fn log(&self) -> String {
        format!("{}{}", self.earlier, self.process.stderr())
    }

    /// Makes an empty database, and gives its URL.
    ///
    /// # Errors
    /// When the name is not made of lowercase letters, digits and underscores, is taken, or the server is down.
    pub fn create_database(&self, name: &str) -> anyhow::Result<String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > NAME_LIMIT_BYTES || !name.chars().all(plain) {
            bail!(
                "{name:?} is no name for a database: 1 to {NAME_LIMIT_BYTES} lowercase letters, digits and underscores"
            );
        }
        self.sql(DATABASE, &format!("CREATE DATABASE \"{name}\""))?;
        Ok(self.url_of(name))
    }

    /// Runs the statements of `text` in a database, on a connection of its own, and gives the rows of all of them.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses; with what it said.
    pub fn sql(&self, database: &str, text: &str) -> anyhow::Result<Vec<Row>> {
        sql::run(&self.url_of(database), text)
    }

    /// Stops it as a power cut would (`pg_ctl stop -m immediate`): connections are cut, nothing is written any more.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_immediate(&mut self) -> anyhow::Result<()> {
        self.process.end_by(Signal::QUIT, STOP_DEADLINE).map(drop)
    }

    /// Stops it in order (`pg_ctl stop -m fast`): transactions are rolled back, everything is written.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_fast(&mut self) -> anyhow::Result<()> {
        self.process.end_by(Signal::INT, STOP_DEADLINE).map(drop)
    }

    /// Kills all of its processes at once (SIGKILL).
    ///
    /// # Errors
    /// When one cannot be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.dir.kill_all()
    }

    /// Stops all of its processes in their tracks (SIGSTOP): connections stay open, and nobody answers.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.dir.signal_all(Signal::STOP);
        // Again, for those that were being started meanwhile.
        if self.dir.signal_all(Signal::STOP) == 0 {
            bail!("PostgreSQL does not run");
        }
        Ok(())
    }

    /// Lets it go on after [`Postgres::pause`].
    pub fn resume(&self) {
        self.dir.signal_all(Signal::CONT);
    }

    /// Starts it again on its data and port, after a stop or kill.
    ///
    /// # Errors
    /// When it still runs, and as [`PostgresBuilder::start`].
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        if self.process.is_running() {
            bail!("PostgreSQL still runs: stop it first");
        }
        let process = spawn(&self.programs, &self.dir, self.port)?;
        self.earlier = self.log();
        self.process = process;
        self.wait_ready()
    }

    /// Starts it on the cluster that lies in `dir`.
    fn start_in(programs: Programs, dir: ScratchDir, password: String) -> anyhow::Result<Self> {
        let port = free_port()?;
        let process = spawn(&programs, &dir, port)?;
        let mut server = Self { programs, password, port, process, earlier: String::new(), dir };
        server.wait_ready()?;
        Ok(server)
    }

    /// Waits until it says in `postmaster.pid` that it takes connections, as `pg_ctl` does.
    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let path = self.data_dir().join("postmaster.pid");
        self.process.wait_ready(START_DEADLINE, |process| {
            let text = std::fs::read_to_string(&path).ok()?;
            let mut lines = text.lines();
            // A killed one leaves its file behind.
            let ours = lines.next()? == process.id().to_string();
            (ours && lines.nth(6)?.trim() == "ready").then_some(())
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.resume();
        // Without the data nothing is lost by stopping hard; what is left is killed.
        let _ = self.stop_immediate();
        let _ = self.process.kill();
        let _ = self.dir.kill_all();
    }
}

/// Where in its directory a server has its cluster.
fn data(dir: &ScratchDir) -> PathBuf {
    dir.path().join("data")
}

fn spawn(programs: &Programs, dir: &ScratchDir, port: u16) -> anyhow::Result<Process> {
    let mut command = programs.command("postgres");
    command.arg("-D").arg(data(dir)).args(["-p", &port.to_string()]);
    command.args(["-c", "listen_addresses=127.0.0.1", "-c"]);
    command.arg(format!("unix_socket_directories={}", dir.path().display()));
    Process::spawn("PostgreSQL", command)
}
