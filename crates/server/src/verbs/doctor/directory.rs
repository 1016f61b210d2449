//! Who may look into the data directory, and how much room there is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Check, Status};
use crate::data_dir::{ADMIN_KEY_FILE, DIR_MODE, OTHERS};

/// Free room below which somebody should look, in bytes.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;
/// Free room below which writes will soon fail, in bytes.
const NO_ROOM: u64 = 64 * 1024 * 1024;

pub(super) fn check(data: &Path) -> Vec<Check> {
    let meta = match std::fs::metadata(data) {
        Ok(meta) if meta.is_dir() => meta,
        Ok(_) => return vec![failed(format!("{} is no directory", data.display()))],
        Err(error) => {
            return vec![failed(format!("{}: {error}; `lastseat serve --data` makes one", data.display()))];
        }
    };
    let mut checks = vec![mode("data directory", data, meta.permissions().mode(), DIR_MODE)];
    if let Ok(meta) = std::fs::metadata(data.join(ADMIN_KEY_FILE)) {
        checks.push(mode("admin key file", &data.join(ADMIN_KEY_FILE), meta.permissions().mode(), 0o600));
    }
    checks.push(room(data));
    checks
}

fn failed(detail: String) -> Check {
    Check::new("data directory", Status::Failed, detail)
}

/// Nobody but the owner should be able to look into it.
fn mode(name: &'static str, path: &Path, mode: u32, wanted: u32) -> Check {
    let (mode, path) = (mode & 0o777, path.display());
    if mode & OTHERS == 0 {
        Check::new(name, Status::Ok, format!("{path}, mode {mode:o}"))
    } else {
        let detail = format!("{path} has mode {mode:o}, others may look into it: `chmod {wanted:o} {path}`");
        Check::new(name, Status::Warning, detail)
    }
}

fn room(data: &Path) -> Check {
    const NAME: &str = "free disk space";
    match rustix::fs::statvfs(data) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            Check::new(NAME, of_room(free), format!("{} MiB", free / (1024 * 1024)))
        }
        Err(error) => Check::new(NAME, Status::Warning, format!("cannot be told: {error}")),
    }
}

fn of_room(free: u64) -> Status {
    match free {
        0..NO_ROOM => Status::Failed,
        NO_ROOM..LITTLE_ROOM => Status::Warning,
        _ => Status::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_runs_out_in_two_steps() {
        assert_eq!(of_room(0), Status::Failed);
        assert_eq!(of_room(NO_ROOM), Status::Warning);
        assert_eq!(of_room(LITTLE_ROOM), Status::Ok);
    }

    #[test]
    fn a_directory_that_others_may_look_into_is_warned_of() {
        let path = Path::new("/data");
        assert_eq!(mode("data directory", path, 0o40_700, DIR_MODE).status, Status::Ok);
        let open = mode("data directory", path, 0o40_750, DIR_MODE);
        assert_eq!(open.status, Status::Warning);
        assert!(open.detail.contains("chmod 700 /data"), "{}", open.detail);
    }
}
