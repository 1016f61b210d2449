//! How long a write takes until it is safe: every booking waits for one.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Check, Status};

/// Writes that are measured.
const WRITES: usize = 50;
/// Bytes of each.
const BYTES: usize = 4096;
/// A median above it makes an idle server feel slow.
const SLOW: Duration = Duration::from_millis(20);
/// No disk is as fast as that: what says so has not written yet.
const INCREDIBLE: Duration = Duration::from_micros(8);

pub(super) fn check(data: &Path) -> Check {
    const NAME: &str = "synced writes";
    match measure(data) {
        Ok(times) => {
            let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
            let detail = format!("median {:.2} ms, slowest {:.2} ms", millis(median), millis(slowest));
            let (status, why) = judge(median);
            Check::new(NAME, status, format!("{detail}{why}"))
        }
        Err(error) => {
            Check::new(NAME, Status::Failed, format!("cannot write in {}: {error}", data.display()))
        }
    }
}

/// The times of some synced writes, the shortest first.
fn measure(data: &Path) -> std::io::Result<Vec<Duration>> {
    let mut file = tempfile::Builder::new().prefix(".doctor-").tempfile_in(data)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let start = Instant::now();
        file.write_all(&[0x5a; BYTES])?;
        file.as_file().sync_data()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

fn judge(median: Duration) -> (Status, &'static str) {
    if median > SLOW {
        (Status::Warning, "; slow: each booking of a quiet server waits that long")
    } else if median < INCREDIBLE {
        (Status::Warning, "; faster than disks are: what is acknowledged may not survive a power cut")
    } else {
        (Status::Ok, "")
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_disks_and_incredible_ones_are_warned_of() {
        assert_eq!(judge(Duration::from_millis(1)).0, Status::Ok);
        assert_eq!(judge(Duration::from_millis(21)).0, Status::Warning);
        assert_eq!(judge(Duration::from_micros(2)).0, Status::Warning);
    }

    #[test]
    fn writes_are_measured_and_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let times = measure(dir.path()).unwrap();
        assert!(times.len() == WRITES && times.is_sorted());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
