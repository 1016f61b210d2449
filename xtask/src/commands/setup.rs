//! `cargo xtask setup`: what the tests need and Cargo does not bring.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::run::{Workspace, capture, is_installed, run as run_program, succeeds};

/// What must be there, and the Debian package that brings it.
const PACKAGES: &[(Need, &str)] = &[
    (Need::Program("chromium"), "chromium"),
    (Need::Program("chromedriver"), "chromium-driver"),
    (Need::Program("redis-server"), "redis-server"),
    (Need::Program("redis-benchmark"), "redis-tools"),
    (Need::PostgreSql, "postgresql"),
    (Need::PythonVenv, "python3-venv"),
];

/// What Debian starts as services once they are installed.
const SERVICES: &[&str] = &["redis-server", "postgresql"];

/// Where Debian keeps the versions of PostgreSQL.
const DEBIAN_POSTGRESQL: &str = "/usr/lib/postgresql";

enum Need {
    /// An executable of this name.
    Program(&'static str),
    /// PostgreSQL's server, whose programs Debian keeps off the search path.
    PostgreSql,
    /// A Python 3 that can make virtual environments.
    PythonVenv,
}

impl Need {
    fn is_met(&self) -> bool {
        match self {
            Self::Program(name) => is_installed(name),
            Self::PostgreSql => is_installed("initdb") || has_debian_postgresql(),
            Self::PythonVenv => succeeds("python3", &["-c", "import venv, ensurepip"]),
        }
    }
}

/// Whether some version is at `VERSION/bin` where Debian keeps them.
fn has_debian_postgresql() -> bool {
    let versions = std::fs::read_dir(DEBIAN_POSTGRESQL).into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/postgres")).any(|program| program.is_file())
}

/// A Cargo subcommand that the tests use.
struct CargoTool {
    verb: &'static str,
    package: &'static str,
    version: &'static str,
    args: &'static [&'static str],
}

const CARGO_TOOLS: &[CargoTool] = &[
    CargoTool {
        verb: "nextest",
        package: "cargo-nextest",
        version: "0.9.143",
        // Without its self-updater, which is a good part of its build.
        args: &["--no-default-features", "--features", "default-no-update"],
    },
    CargoTool { verb: "deny", package: "cargo-deny", version: "0.20.2", args: &[] },
];

/// The Python packages, relative to the workspace's root.
const REQUIREMENTS: &str = "xtask/requirements.txt";

/// Install what the tests need, as far as it is missing: Debian packages, Cargo tools, a Python environment.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(workspace: &Workspace, _args: &Args) -> anyhow::Result<()> {
    install_packages()?;
    for tool in CARGO_TOOLS {
        install_cargo_tool(workspace, tool)?;
    }
    install_python(workspace)
}

fn install_packages() -> anyhow::Result<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(need, _)| !need.is_met()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        println!("Debian packages: all there");
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_installed("apt-get") {
        bail!(
            "the tests need these Debian packages, or what they hold: {list}. This machine has no apt-get, so please \
             install them in its own way and run this again"
        );
    }
    println!("installing Debian packages: {list}");
    for service in SERVICES.iter().filter(|service| missing.contains(service)) {
        println!(
            "(Debian starts {service} as a service; the tests use servers of their own, you may disable it)"
        );
    }
    run_program(&mut as_root(["apt-get", "update"])?)?;
    let install =
        ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends"];
    run_program(as_root(install)?.args(&missing))?;
    if let Some((_, package)) = PACKAGES.iter().find(|(need, _)| !need.is_met()) {
        bail!("{package} was installed, but what the tests need of it is still not there");
    }
    Ok(())
}

/// A command line that runs as root: with `sudo`, unless we are.
fn as_root<const N: usize>(words: [&str; N]) -> anyhow::Result<Command> {
    let user = capture(Command::new("id").arg("-u"))?;
    let mut command = if String::from_utf8_lossy(&user.stdout).trim() == "0" {
        Command::new(words[0])
    } else if is_installed("sudo") {
        let mut command = Command::new("sudo");
        command.arg(words[0]);
        command
    } else {
        bail!("installing packages needs root: run `{}` as root, or install sudo", words.join(" "));
    };
    command.args(&words[1..]);
    Ok(command)
}

fn install_cargo_tool(workspace: &Workspace, tool: &CargoTool) -> anyhow::Result<()> {
    if capture(&mut workspace.cargo([tool.verb, "--version"])).is_ok() {
        println!("{}: there", tool.package);
        return Ok(());
    }
    println!(
        "installing {} {} from source into Cargo's own directory; this takes minutes",
        tool.package, tool.version
    );
    let mut command = workspace.cargo(["install", "--locked", "--version", tool.version]);
    command.args(tool.args).arg(tool.package);
    // It runs for seconds only: a quick build is worth more than a quick program.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
    command.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    // Its build must not get between ours.
    command.env_remove("CARGO_TARGET_DIR");
    run_program(&mut command)
}

fn install_python(workspace: &Workspace) -> anyhow::Result<()> {
    let venv = workspace.target.join("venv");
    let wanted = std::fs::read_to_string(workspace.root.join(REQUIREMENTS))
        .with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    // Written last, so that an installation that was cut short is begun again.
    let marker: PathBuf = venv.join("installed-requirements.txt");
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        println!("Python packages: all there");
        return Ok(());
    }
    println!("installing the Python packages of {REQUIREMENTS} into the build directory's venv");
    run_program(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin").join("python"));
    pip.current_dir(&workspace.root);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        REQUIREMENTS,
    ]);
    run_program(&mut pip)?;
    std::fs::write(&marker, wanted).with_context(|| format!("cannot write {}", marker.display()))
}
