//! PostgreSQL's programs, and the user they run as.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::tool::{find, missing};

/// The environment variable that names the directory of PostgreSQL's programs.
const VARIABLE: &str = "LASTSEAT_TEST_POSTGRES";

/// Where Debian puts each version's programs: `VERSION/bin` below this.
const DEBIAN_DIR: &str = "/usr/lib/postgresql";

/// Whom to run as instead of root, for whom PostgreSQL does not run: the first of these that there is.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// One installed version of PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    dir: PathBuf,
    /// User and group id to run as; ourselves if `None`.
    owner: Option<(u32, u32)>,
}

impl Programs {
    /// Looks in `LASTSEAT_TEST_POSTGRES`, on the search path, and where Debian puts them: there the newest counts.
    ///
    /// # Errors
    /// When none is installed, or root finds no other user to run it.
    pub(super) fn find() -> anyhow::Result<Self> {
        let named = std::env::var_os(VARIABLE).map(PathBuf::from);
        let dir = named.or_else(on_search_path).or_else(newest_of_debian);
        let dir = dir.with_context(|| missing("PostgreSQL", "postgresql", VARIABLE))?;
        let owner = if rustix::process::geteuid().is_root() { Some(other_user()?) } else { None };
        Ok(Self { dir, owner })
    }

    /// A command line for one of the programs, without this process's `PG*` settings.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.dir.join(program));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // A directory that its user may enter. Ctrl-C is for the program that started it, which then stops it.
        command.env("LC_ALL", "C").current_dir("/").process_group(0);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs one of the programs to its end, and gives what it printed.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub(super) fn run(command: &mut Command) -> anyhow::Result<String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.output().with_context(|| format!("cannot run {program}"))?;
        if !output.status.success() {
            bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Gives a file or directory to the user that the programs run as.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn give(&self, path: &Path) -> anyhow::Result<()> {
        if let Some((user, group)) = self.owner {
            std::os::unix::fs::lchown(path, Some(user), Some(group))
                .with_context(|| format!("cannot change the owner of {}", path.display()))?;
        }
        Ok(())
    }
}

/// The directory of the `initdb` on the search path, through its symbolic links, when the server lies beside it.
fn on_search_path() -> Option<PathBuf> {
    let dir = find(&["initdb"])?.canonicalize().ok()?.parent()?.to_owned();
    dir.join("postgres").is_file().then_some(dir)
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN_DIR).ok()?.flatten();
    let found = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let dir = entry.path().join("bin");
        dir.join("postgres").is_file().then_some((version, dir))
    });
    found.max().map(|(_, dir)| dir)
}

fn other_user() -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let found = USERS.iter().find_map(|user| ids_of(user, &users));
    found.with_context(|| {
        format!("PostgreSQL does not run as root, and there is no user {} to run it", USERS.join(" or "))
    })
}

/// The user and group id of `user` in the text of `/etc/passwd` (passwd(5): name, password, user id, group id).
fn ids_of(user: &str, passwd: &str) -> Option<(u32, u32)> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
    let mut fields = line.split(':').skip(2).map(str::parse);
    Some((fields.next()?.ok()?, fields.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_ids_are_read_from_passwd() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/:/bin/sh\n";
        assert_eq!(ids_of("postgres", passwd), Some((101, 104)));
        assert_eq!(ids_of("nobody", passwd), None);
    }
}
