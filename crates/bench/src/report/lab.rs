//! The laboratory: where data goes, how many rounds there are, and the runtimes that callers run on.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use lastseat_bench::disk::is_in_memory;
use lastseat_bench::load::closed::{self, Answered, Loop};
use lastseat_bench::load::{Address, Template};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Where data goes, beside the programs' directory.
const DATA_DIR: &str = "bench-data";
/// Rounds of everything that is compared, unless told otherwise.
pub(crate) const ROUNDS: u8 = 5;

/// The laboratory.
pub(crate) struct Lab {
    dir: TempDir,
    rounds: u8,
    quick: bool,
    runtime: Runtime,
}

impl Lab {
    pub(crate) fn new(dir: Option<&Path>, rounds: u8, quick: bool) -> anyhow::Result<Self> {
        let base = match dir {
            Some(dir) => dir.to_owned(),
            None => default_dir()?,
        };
        std::fs::create_dir_all(&base).with_context(|| format!("cannot make {}", base.display()))?;
        if is_in_memory(&base)? {
            bail!("{} is in memory; name a directory on a disk with --dir", base.display());
        }
        let dir = tempfile::Builder::new().prefix("run-").tempdir_in(base)?;
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        Ok(Self { dir, rounds, quick, runtime })
    }

    /// The directory that everything is in.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A fresh directory, gone when dropped.
    pub(crate) fn fresh(&self) -> anyhow::Result<TempDir> {
        Ok(tempfile::tempdir_in(&self.dir)?)
    }

    /// Whether this is a quick run.
    pub(crate) fn quick(&self) -> bool {
        self.quick
    }

    /// How many rounds.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 1 } else { self.rounds.into() }
    }

    /// A number of things to do, or a twentieth of it in a quick run, but not fewer than `least`.
    pub(crate) fn scaled(&self, count: u64, least: u64) -> u64 {
        if self.quick { (count / 20).max(least) } else { count }
    }

    /// Seconds of measuring, fewer in a quick run.
    pub(crate) fn seconds(&self, seconds: f64) -> std::time::Duration {
        std::time::Duration::from_secs_f64(if self.quick { seconds / 5.0 } else { seconds })
    }

    /// Runs on the runtime that the engine's callers share.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Loads a server from one thread, as redis-benchmark does.
    pub(crate) fn load(&self, address: &Address, template: &Template, how: Loop) -> anyhow::Result<Answered> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(closed::run(address, template, how))
    }
}

fn default_dir() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find this program's directory")?;
    let dir = program.parent().context("this program is in no directory")?;
    Ok(dir.with_file_name(DATA_DIR))
}
