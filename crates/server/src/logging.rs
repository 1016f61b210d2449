//! Logs, on standard error. Secrets and tokens are never logged; what is logged by whom is in each crate.

use std::io;

use tracing_subscriber::{EnvFilter, fmt};

use crate::options::{LogFormat, LogOptions};

/// Starts logging. To be called once.
pub(crate) fn start(options: &LogOptions) {
    // The level was checked when the command line was read.
    let filter = EnvFilter::try_new(&options.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match options.log_format {
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
        LogFormat::Human => logs.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
    };
    debug_assert!(started.is_ok(), "logging is started once");
}
