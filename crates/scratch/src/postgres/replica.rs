//! Streaming replicas.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};

use super::programs::Programs;
use super::{DATABASE, DIR_PREFIX, Postgres, USER, data};
use crate::sentinel::ScratchDir;
use crate::wait_until;

/// How long a replica may take until it follows, and until it is promoted.
const FOLLOW_DEADLINE: Duration = Duration::from_secs(60);

/// How much of its log the primary keeps for replicas that fall behind or are stopped for a while.
const KEPT_LOG: &str = "1GB";

/// Whether the primary waits for a replica before it acknowledges a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// Commits wait until the replica has them on its disk.
    Synchronous,
    /// Commits do not wait: the last ones are lost when the primary is lost.
    Asynchronous,
}

impl Postgres {
    /// Starts a replica that follows this server by streaming, with the same settings, and waits until it does. Of
    /// several synchronous replicas the last one made is waited for.
    ///
    /// # Errors
    /// When the copy fails, or the replica does not follow in time.
    pub fn replica(&self, replication: Replication) -> anyhow::Result<Self> {
        self.change("wal_keep_size", KEPT_LOG)?;
        let dir = ScratchDir::new(DIR_PREFIX)?;
        self.programs.give(dir.path())?;
        let name = follower_name(&dir);
        let mut copy = self.programs.command("pg_basebackup");
        copy.arg("--pgdata").arg(data(&dir)).args(["--write-recovery-conf", "--wal-method=stream"]);
        copy.args(["--checkpoint=fast", "--no-sync", "--dbname"]);
        copy.arg(format!("host=127.0.0.1 port={} user={USER} application_name={name}", self.port));
        Programs::run(copy.env("PGPASSWORD", &self.password)).context("cannot copy the primary")?;
        // What it has been told as a primary is not for the replica, should it be promoted.
        let mut settings = OpenOptions::new()
            .append(true)
            .open(data(&dir).join("postgresql.auto.conf"))
            .context("no settings")?;
        settings.write_all(b"synchronous_standby_names = ''\n").context("cannot write settings")?;
        let replica = Self::start_in(self.programs.clone(), dir, self.password.clone())?;
        let state = match replication {
            Replication::Synchronous => {
                self.change("synchronous_standby_names", &name)?;
                "sync"
            }
            Replication::Asynchronous => "async",
        };
        let question = format!(
            "SELECT 1 FROM pg_stat_replication \
             WHERE application_name = '{name}' AND state = 'streaming' AND sync_state = '{state}'"
        );
        wait_until(FOLLOW_DEADLINE, "a replica to follow", || match self.sql(DATABASE, &question) {
            Ok(rows) => (!rows.is_empty()).then_some(Ok(())),
            Err(error) => Some(Err(error)),
        })??;
        Ok(replica)
    }

    /// Changes a parameter of the running server.
    fn change(&self, parameter: &str, value: &str) -> anyhow::Result<()> {
        self.sql(DATABASE, &format!("ALTER SYSTEM SET {parameter} = '{value}'"))?;
        self.sql(DATABASE, "SELECT pg_reload_conf()").map(drop)
    }

    /// Makes a replica a primary, and waits until it is.
    ///
    /// # Errors
    /// When it is no replica, or not promoted in time.
    pub fn promote(&self) -> anyhow::Result<()> {
        let limit = FOLLOW_DEADLINE.as_secs();
        let answer = self.sql(DATABASE, &format!("SELECT pg_promote(true, {limit})"))?;
        if answer != [[Some("t".to_owned())]] {
            bail!("the replica was not promoted within {limit} s");
        }
        Ok(())
    }

    /// The URL of a database on whichever of `servers` takes writes:
    /// `postgres://USER:PASSWORD@127.0.0.1:PORT,127.0.0.1:PORT/DATABASE?target_session_attrs=read-write`. They must be
    /// replicas of one another.
    #[must_use]
    pub fn url_of_any(servers: &[&Self], database: &str) -> String {
        let hosts: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
        let password = servers.first().map_or("", |server| &server.password);
        format!("postgres://{USER}:{password}@{}/{database}?target_session_attrs=read-write", hosts.join(","))
    }
}

/// The name by which the primary knows a replica: that of its directory, which no other has.
fn follower_name(dir: &ScratchDir) -> String {
    let name = dir.path().file_name().unwrap_or_default().to_string_lossy();
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_lowercase()
}
