//! Limits of the process.

use rustix::process::{Resource, getrlimit};

use super::{Check, Status};

/// Open files that a busy server should be allowed.
const ENOUGH_FILES: u64 = 4_096;

pub(super) fn check() -> Check {
    const NAME: &str = "open files";
    match getrlimit(Resource::Nofile).maximum {
        Some(most) if most < ENOUGH_FILES => {
            let detail =
                format!("{most} at most, each connection is one; raise the limit (LimitNOFILE, ulimit -Hn)");
            Check::new(NAME, Status::Warning, detail)
        }
        Some(most) => Check::new(NAME, Status::Ok, format!("{most} at most")),
        None => Check::new(NAME, Status::Ok, "no limit"),
    }
}
