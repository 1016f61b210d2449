//! The binary `lastseat`: a booking engine that sells the last seat exactly once.
//!
//! - [`cli`]: the verbs, as clap sees them; [`verbs`]: what each does, one per file
//! - [`options`]: flags that several verbs share; [`config`]: flags, environment and file as one
//! - [`serving`]: a data directory, an engine and a listener, from the start to the end
//! - [`client`]: how the verbs that talk to a running server do it
//! - [`output`], [`failure`]: data on stdout, talk on stderr, exit codes by kind
//!
//! The commonest change is a new verb: a file in `verbs/`, and a line in `cli.rs`.

mod archive;
mod cli;
mod client;
mod config;
mod data_dir;
mod ends;
mod failure;
mod logging;
mod money;
mod options;
mod output;
mod place;
mod samples;
mod serving;
mod table;
mod verbs;

use std::process::ExitCode;

use clap::CommandFactory;

use config::Stop;
use failure::Failure;

/// Batches are many small allocations on few threads: mimalloc is markedly faster there than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(unix)]
    data_dir::keep_private();
    let args: Vec<_> = std::env::args_os().collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Clap(error)) => error.exit(),
        Err(Stop::Failure(failure)) => {
            let text = failure.to_string();
            if !text.is_empty() {
                output::say(&format!("lastseat: {text}"));
            }
            failure.code()
        }
    }
}

fn run(args: &[std::ffi::OsString]) -> Result<(), Stop> {
    let parsed = config::read(cli::Cli::command(), args, std::env::vars_os())?;
    for warning in &parsed.warnings {
        output::say(&format!("lastseat: warning: {warning}"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unable(format_args!("cannot start the program's threads: {error}")))?;
    runtime.block_on(Box::pin(verbs::run(parsed)))?;
    Ok(())
}
