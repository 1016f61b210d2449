//! The flags of a server: where it listens, what it logs, how much of what it allows.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::ValueEnum;
use lastseat_engine::{DueWorker, EngineConfig};
use lastseat_http::HttpConfig;
use tracing_subscriber::EnvFilter;

use super::{RateArg, count, listen_address};
use crate::failure::Failure;

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Switch {
    /// Do it.
    On,
    /// Do not.
    Off,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Where to listen.
#[derive(Debug, clap::Args)]
pub(crate) struct ListenOptions {
    /// Address and port for HTTP; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    pub(crate) listen: SocketAddr,
}

/// Logs, on standard error.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
pub(crate) struct LogOptions {
    /// How log lines look
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) log_format: LogFormat,
    /// What is logged: error, warn, info, debug, trace, or directives like info,lastseat_engine=debug
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = log_level)]
    pub(crate) log_level: String,
}

fn log_level(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        Ok(_) => Err("give a level like info".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The HTTP side.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct HttpOptions {
    /// Where people reach this server, for links in calendar files: <https://book.example.org>
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Requests per second of one address; 10:50 lets fifty come at once [default: no limit]
    #[arg(long, value_name = "RATE")]
    rate_per_address: Option<RateArg>,
    /// Requests per second of one API key [default: no limit]
    #[arg(long, value_name = "RATE")]
    rate_per_key: Option<RateArg>,
    /// Unpaid bookings and places on waitlists that one address may have at a time [default: no limit]
    #[arg(long, value_name = "N")]
    max_open_holds_per_address: Option<NonZeroU32>,
    /// Header in which the proxy in front names the client, like x-forwarded-for
    #[arg(long, value_name = "HEADER")]
    trusted_proxy_header: Option<String>,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value_t = lastseat_http::config::DEFAULT_MAX_CONNECTIONS, value_parser = count)]
    max_connections: usize,
}

impl HttpOptions {
    /// The same for the HTTP side.
    ///
    /// # Errors
    /// `Usage` for a public address that is none, and a header that cannot be one.
    pub(crate) fn config(&self) -> Result<HttpConfig, Failure> {
        let public_url = self.public_url.as_deref().map(public_url).transpose()?;
        let trusted_proxy_header = match &self.trusted_proxy_header {
            None => None,
            Some(name) => Some(name.parse().map_err(|_| {
                Failure::usage(format_args!("--trusted-proxy-header: `{name}` is no name of a header"))
            })?),
        };
        Ok(HttpConfig {
            public_url,
            rate_per_address: self.rate_per_address.map(|rate| rate.0),
            rate_per_key: self.rate_per_key.map(|rate| rate.0),
            max_open_holds_per_address: self.max_open_holds_per_address.map(|most| i64::from(most.get())),
            trusted_proxy_header,
            max_connections: self.max_connections,
        })
    }
}

fn public_url(text: &str) -> Result<String, Failure> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(Failure::usage(format_args!(
            "--public-url: `{text}` is no address; give it like https://book.example.org"
        ))),
    }
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// The engine. The defaults fit; they are there to be measured and tested.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineOptions {
    /// Commands that are decided together at most
    #[arg(long, value_name = "N", default_value_t = at_least_one(EngineConfig::default().batch_limit), hide_short_help = true)]
    batch_limit: NonZeroUsize,
    /// Commands that may wait; more are told 503
    #[arg(long, value_name = "N", default_value_t = at_least_one(EngineConfig::default().queue_limit), hide_short_help = true)]
    queue_limit: NonZeroUsize,
    /// Whether bookings expire and complete by themselves, or only when somebody looks
    #[arg(long, value_name = "ON|OFF", default_value = "on", hide_short_help = true)]
    due_worker: Switch,
    /// Seconds between checks of a sample of the invariants; 0 for none
    #[arg(long, value_name = "N", default_value_t = 60, hide_short_help = true)]
    audit_seconds: u32,
}

impl EngineOptions {
    /// The same for the engine.
    pub(crate) fn config(&self) -> EngineConfig {
        EngineConfig {
            batch_limit: self.batch_limit.get(),
            queue_limit: self.queue_limit.get(),
            due_worker: match self.due_worker {
                Switch::On => DueWorker::On,
                Switch::Off => DueWorker::Off,
            },
        }
    }

    /// The pause between two checks of the auditor; none if it is not to run.
    pub(crate) fn audit_every(&self) -> Option<Duration> {
        (self.audit_seconds > 0).then(|| Duration::from_secs(self.audit_seconds.into()))
    }
}
