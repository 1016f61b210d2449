//! A Redis server in a directory of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::Process;
use crate::sentinel::ScratchDir;
use crate::{free_port, tool};

/// How long Redis may take until it answers.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How the name of its directory begins.
const DIR_PREFIX: &str = "lastseat-redis-";

/// How long one answer to a `PING` may take.
const PING_DEADLINE: Duration = Duration::from_secs(1);

/// How a [`Redis`] is to be started. Unless set otherwise it syncs every write before it answers.
#[derive(Debug, Default)]
pub struct RedisBuilder {
    settings: Vec<(String, String)>,
}

impl RedisBuilder {
    /// Sets one of Redis' configuration directives, such as `appendfsync` to `everysec`; the last one counts.
    #[must_use]
    pub fn set(mut self, directive: &str, value: &str) -> Self {
        self.settings.push((directive.to_owned(), value.to_owned()));
        self
    }

    /// Starts Redis, and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, ends, or takes too long; with what it said.
    pub fn start(self) -> anyhow::Result<Redis> {
        let dir = ScratchDir::new(DIR_PREFIX)?;
        let port = free_port()?;
        let process = spawn(&self, &dir, port)?;
        let mut redis = Redis { settings: self, port, process, dir };
        redis.wait_ready()?;
        Ok(redis)
    }
}

/// A running Redis on 127.0.0.1 and a unix socket. Dropping it kills it and removes its data.
#[derive(Debug)]
pub struct Redis {
    settings: RedisBuilder,
    port: u16,
    process: Process,
    // After `process`, so that the directory goes when the server has.
    dir: ScratchDir,
}

impl Redis {
    /// Starts Redis with an append-only file that is synced before every answer (`appendfsync always`).
    ///
    /// # Errors
    /// As [`RedisBuilder::start`].
    pub fn start() -> anyhow::Result<Self> {
        Self::builder().start()
    }

    /// To start Redis with settings.
    #[must_use]
    pub fn builder() -> RedisBuilder {
        RedisBuilder::default()
    }

    /// `redis://127.0.0.1:PORT`, the same after a restart.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
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

    /// The id of its process.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(&self.dir)
    }

    /// Kills it at once (SIGKILL).
    ///
    /// # Errors
    /// When the process cannot be signalled.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().map(drop)
    }

    /// Kills it if it still runs, and starts it again on what it has written, at the same port.
    ///
    /// # Errors
    /// As [`RedisBuilder::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        if self.process.is_running() {
            self.process.kill()?;
        }
        self.process = spawn(&self.settings, &self.dir, self.port)?;
        self.wait_ready()
    }

    /// Kills it if it still runs, throws its data away, and starts it empty at the same port.
    ///
    /// # Errors
    /// As [`RedisBuilder::start`].
    pub fn restart_empty(&mut self) -> anyhow::Result<()> {
        if self.process.is_running() {
            self.process.kill()?;
        }
        self.dir = ScratchDir::new(DIR_PREFIX)?;
        self.restart()
    }

    fn wait_ready(&mut self) -> anyhow::Result<()> {
        let port = self.port;
        self.process.wait_ready(START_DEADLINE, |_| answers(port).then_some(()))
    }
}

fn socket(dir: &ScratchDir) -> PathBuf {
    dir.path().join("redis.sock")
}

fn spawn(settings: &RedisBuilder, dir: &ScratchDir, port: u16) -> anyhow::Result<Process> {
    let mut command = Command::new(tool("LASTSEAT_TEST_REDIS", &["redis-server"], "redis-server")?);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
    command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(dir.path());
    command.arg("--unixsocket").arg(socket(dir));
    for (directive, value) in &settings.settings {
        command.arg(format!("--{directive}")).arg(value);
    }
    // Ctrl-C is for the program that started it, which then stops it.
    command.process_group(0);
    Process::spawn("Redis", command)
}

/// Whether Redis answers, and has finished loading.
fn answers(port: u16) -> bool {
    let mut answer = [0; 7];
    let mut asked = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PING_DEADLINE))?;
        stream.write_all(b"PING\r\n")?;
        stream.read_exact(&mut answer)
    };
    asked().is_ok() && answer == *b"+PONG\r\n"
}
