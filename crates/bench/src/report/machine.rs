//! What the figures were measured on.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use lastseat_bench::latency::{Percentiles, micros};

/// How often the disk is asked to sync.
const SYNCS: usize = 300;
/// What is written before each sync: a page.
const SYNC_BYTES: [u8; 4096] = [7; 4096];

/// Facts about the machine.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_gb: f64,
    sync: Percentiles,
}

impl Machine {
    /// Looks at the machine, and at the disk under `dir`.
    pub(crate) fn look(dir: &Path) -> anyhow::Result<Self> {
        let field = |path: &str, name: &str| -> Option<String> {
            let text = std::fs::read_to_string(path).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kilobytes = field("/proc/meminfo", "MemTotal")
            .and_then(|text| text.trim_end_matches(" kB").parse::<f64>().ok())
            .unwrap_or(f64::NAN);
        Ok(Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism()?.get(),
            memory_gb: kilobytes / 1e6,
            sync: sync_latency(dir)?,
        })
    }
}

/// How long the disk takes to make an appended page durable.
fn sync_latency(dir: &Path) -> anyhow::Result<Percentiles> {
    let mut file = File::create(dir.join("sync"))?;
    let mut latencies = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&SYNC_BYTES)?;
        file.sync_data()?;
        latencies.push(micros(begun.elapsed()));
    }
    std::fs::remove_file(dir.join("sync"))?;
    Ok(Percentiles::of(&latencies))
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "- processor: {}, {} cores; memory: {:.0} GB", self.cpu, self.cores, self.memory_gb)?;
        writeln!(
            f,
            "- making one appended page durable (fdatasync): {:.2} ms, 99 of 100 within {:.2} ms",
            self.sync.p50_ms, self.sync.p99_ms
        )?;
        write!(
            f,
            "- Lastseat {}, SQLite {} (WAL, synchronous=FULL)",
            env!("CARGO_PKG_VERSION"),
            rusqlite::version()
        )
    }
}
