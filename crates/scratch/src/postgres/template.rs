//! Fresh clusters in a moment: `initdb` takes seconds, so it runs once per machine, user and version, and each server
//! gets a copy.

use std::fmt::Write;
use std::fs::{DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::USER;
use super::programs::Programs;
use crate::private_dir::shared_dir;
use crate::sentinel::ScratchDir;

/// Raised whenever clusters are made in another way.
const FORMAT: u32 = 1;

/// How many random bytes a password is made of.
const PASSWORD_BYTES: usize = 16;

/// The names of the files of a template: the cluster, its password, how many files it has.
const DATA: &str = "data";
const PASSWORD: &str = "password";
const COUNT: &str = "count";

/// Makes `data`, which must not exist, a fresh cluster whose superuser is [`USER`]; gives its password, which is the same
/// for all clusters of this user of the machine and known to nobody else.
///
/// # Errors
/// When `initdb` fails, or a directory cannot be written.
pub(super) fn fresh_cluster(programs: &Programs, data: &Path) -> anyhow::Result<String> {
    let version = Programs::run(programs.command("postgres").arg("--version"))?;
    let name: String = version.trim().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let shared = shared_dir("postgres")?;
    let template = shared.join(format!("{name}-{FORMAT}"));
    if let Some(password) = copy_of(programs, &template, data)? {
        return Ok(password);
    }
    // One of those who find none makes it; the others wait for it.
    let lock = File::create(shared.join("lock")).context("cannot make a lock file")?;
    lock.lock().context("cannot lock a file")?;
    if let Some(password) = copy_of(programs, &template, data)? {
        return Ok(password);
    }
    make(programs, &template)?;
    copy_of(programs, &template, data)?.context("a cluster that was made just now is incomplete")
}

/// Copies the template, and gives its password; `None` if there is none, or not all of it: systems clear their temporary
/// directories of old files.
fn copy_of(programs: &Programs, template: &Path, data: &Path) -> anyhow::Result<Option<String>> {
    let Ok(count) = std::fs::read_to_string(template.join(COUNT)) else { return Ok(None) };
    let password = std::fs::read_to_string(template.join(PASSWORD)).unwrap_or_default();
    let copied = copy(programs, &template.join(DATA), data).ok();
    if copied.map(|copied| copied.to_string()) == Some(count) && !password.is_empty() {
        return Ok(Some(password));
    }
    if data.exists() {
        std::fs::remove_dir_all(data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    Ok(None)
}

/// Copies a directory with all that is in it, and gives how many files and directories that were.
fn copy(programs: &Programs, from: &Path, to: &Path) -> anyhow::Result<usize> {
    // PostgreSQL wants its directories to be closed to others.
    DirBuilder::new().mode(0o700).create(to).with_context(|| format!("cannot make {}", to.display()))?;
    programs.give(to)?;
    let mut count = 1;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            count += copy(programs, &source, &target)?;
        } else {
            std::fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
            programs.give(&target)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Runs `initdb`, and puts the result in the place of `template`, whole or not at all.
fn make(programs: &Programs, template: &Path) -> anyhow::Result<()> {
    // The user that the programs run as cannot enter the shared directory, so it is made beside it and moved.
    let work = ScratchDir::new("lastseat-initdb-")?;
    programs.give(work.path())?;
    let new = work.path().join("new");
    std::fs::create_dir(&new).context("cannot make a directory")?;
    programs.give(&new)?;
    let password = random_password()?;
    let password_file = new.join(PASSWORD);
    std::fs::write(&password_file, &password).context("cannot write a password file")?;
    programs.give(&password_file)?;
    let data = new.join(DATA);
    let mut initdb = programs.command("initdb");
    initdb.args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username", USER]);
    initdb.arg("--pwfile").arg(&password_file).arg("--pgdata").arg(&data);
    Programs::run(&mut initdb)?;
    std::fs::write(new.join(COUNT), count(&data)?.to_string()).context("cannot write a file")?;
    if template.exists() {
        // Somebody may copy from it at this moment; they will find it incomplete, and wait for this one.
        std::fs::remove_dir_all(template).with_context(|| format!("cannot remove {}", template.display()))?;
    }
    std::fs::rename(&new, template).with_context(|| format!("cannot make {}", template.display()))
}

/// How many files and directories there are, this one included.
fn count(path: &Path) -> anyhow::Result<usize> {
    let mut count = 1;
    if path.is_dir() {
        let entries: Vec<PathBuf> = std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        for entry in entries {
            count += self::count(&entry)?;
        }
    }
    Ok(count)
}

fn random_password() -> anyhow::Result<String> {
    let mut bytes = [0; PASSWORD_BYTES];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("no randomness")?;
    if bytes == [0; PASSWORD_BYTES] {
        bail!("/dev/urandom gives zeros");
    }
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written");
        text
    }))
}
