//! Where things are: the build directory, the binary under test, the tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Cargo's target directory, found from the running test's own executable.
///
/// # Errors
/// When the test does not run from a target directory.
pub fn target_dir() -> anyhow::Result<PathBuf> {
    let profile = profile_dir()?;
    Ok(profile.parent().context("the build profile's directory has no parent")?.to_owned())
}

/// The directory of the build profile, such as `target/debug`: the parent of the test executable's `deps`.
fn profile_dir() -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe().context("cannot find the running executable")?;
    let profile =
        exe.parent().and_then(Path::parent).context("the test executable is in no target directory")?;
    Ok(profile.to_owned())
}

/// The binary under test: `LASTSEAT_BIN` if set, else the one that was built beside the running test.
pub(crate) fn lastseat_binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("LASTSEAT_BIN") {
        return Ok(path.into());
    }
    let path = profile_dir()?.join("lastseat");
    if !path.is_file() {
        bail!(
            "there is no {}: build it with `cargo build -p lastseat-server`, or name one in LASTSEAT_BIN",
            path.display()
        );
    }
    Ok(path)
}

/// A command line for the `lastseat` binary under test, without any of this process's `LASTSEAT_*` and `AWS_*` settings.
///
/// # Errors
/// When the binary has not been built.
pub fn lastseat_command() -> anyhow::Result<Command> {
    Ok(clean_command(&lastseat_binary()?))
}

/// A program of the Python environment that `cargo xtask setup` makes, such as `schemathesis`.
///
/// # Errors
/// When it is not there.
pub fn python_tool(name: &str) -> anyhow::Result<PathBuf> {
    let path = target_dir()?.join("venv").join("bin").join(name);
    if !path.is_file() {
        bail!("there is no {}: `cargo xtask setup` installs it", path.display());
    }
    Ok(path)
}

/// A command without any of this process's `LASTSEAT_*` and `AWS_*` settings.
pub(crate) fn clean_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("LASTSEAT_") || text.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
}
