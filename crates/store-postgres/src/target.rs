//! Where the database is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::OpenError;

/// How long it may take until a connection stands, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long an idle connection is asked whether the other side still lives.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long what was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// What connections are called in `pg_stat_activity`, unless the URL says otherwise.
const APPLICATION: &str = "lastseat";

/// A database by its URL, `postgres://user:password@host:port/database?parameter=value`; several hosts are separated
/// by commas. Shown without its password.
#[derive(Clone)]
pub struct Target(pub(crate) Box<Config>);

impl FromStr for Target {
    type Err = OpenError;

    fn from_str(url: &str) -> Result<Self, OpenError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(OpenError::Url("it does not begin with postgres://".to_owned()));
        }
        let mut config = Config::from_str(url).map_err(|error| OpenError::Url(without_secrets(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Url("it names no host".to_owned()));
        }
        if config.get_dbname().is_none() {
            return Err(OpenError::Url("it names no database".to_owned()));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION);
        }
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Disable);
        }
        config.keepalives_idle(KEEPALIVE);
        config.tcp_user_timeout(UNACKNOWLEDGED);
        Ok(Self(Box::new(config)))
    }
}

impl Target {
    /// The same, but for what its connections are called in `pg_stat_activity`.
    #[must_use]
    pub(crate) fn called(mut self, name: &str) -> Self {
        self.0.application_name(name);
        self
    }

    /// What its connections are called there.
    pub(crate) fn application(&self) -> &str {
        self.0.get_application_name().unwrap_or(APPLICATION)
    }
}

/// What is wrong with a URL, without quoting it: it holds a password.
fn without_secrets(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.unwrap_or_else(|| error.to_string())
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.0;
        for (index, host) in config.get_hosts().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            let ports = config.get_ports();
            if let Some(port) = ports.get(index).or(ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let target: Target =
            "postgres://app:hunter2@db1:5433,db2/shop?target_session_attrs=read-write".parse().unwrap();
        assert_eq!(target.to_string(), "db1:5433,db2:5432/shop");
        assert!(!format!("{target:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_secrets() {
        for (url, wanted) in [
            ("mysql://app:hunter2@db/shop", "postgres://"),
            ("postgres://app:hunter2@db/shop?colour=red", "colour"),
            ("postgres://app:hunter2@db:port/shop", "port"),
            ("postgres://app:hunter2@db", "database"),
            ("postgres:///shop", "host"),
        ] {
            let error = url.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(wanted) && !error.contains("hunter2"), "{url}: {error}");
        }
    }
}
