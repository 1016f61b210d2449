//! Where the database is.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::open_error;
use crate::error::OpenError;
use crate::tls::{TlsSettings, trouble};

/// How long it may take until a connection stands, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long an idle connection is asked whether the other side still lives.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long what was sent may stay unacknowledged before the connection counts as lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// What connections are called in `pg_stat_activity`, unless the URL says otherwise.
const APPLICATION: &str = "lastseat";
/// How long a server may take to let somebody in, once it is reached. One that hangs must not keep others from being
/// tried.
const WELCOME_LIMIT: Duration = Duration::from_secs(5);

/// What a connection's bytes go through where TLS is spoken.
type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// A database by its URL, `postgres://user:password@host:port/database?parameter=value`; several hosts are separated
/// by commas. Shown without its password.
#[derive(Clone)]
pub struct Target {
    whole: Box<Config>,
    /// For each host alone, in their order.
    each: Vec<Config>,
    /// What speaks TLS, where it is spoken.
    tls: MakeRustlsConnect,
    /// Which of them was good last: one that hangs is not waited for each time.
    good: Arc<AtomicUsize>,
}

impl FromStr for Target {
    type Err = OpenError;

    fn from_str(url: &str) -> Result<Self, OpenError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(OpenError::Url("it does not begin with postgres://".to_owned()));
        }
        let (url, settings) = without_tls(url).map_err(OpenError::Url)?;
        let (mode, tls) = settings.connector().map_err(OpenError::Url)?;
        let config = parsed(&url, mode)?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Url("it names no host".to_owned()));
        }
        // What is shown of a URL begins with its hosts: no part of a password may be taken for one.
        if config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(name) if name.contains('@'))) {
            let why = "there is more than one `@`: write one in the password as %40";
            return Err(OpenError::Url(why.to_owned()));
        }
        if config.get_dbname().is_none() {
            return Err(OpenError::Url("it names no database".to_owned()));
        }
        let each = each_host(&url).iter().map(|url| parsed(url, mode)).collect::<Result<_, _>>()?;
        Ok(Self { whole: Box::new(config), each, tls, good: Arc::default() })
    }
}

/// A URL without what it says of TLS, and that.
fn without_tls(url: &str) -> Result<(String, TlsSettings), String> {
    let mut settings = TlsSettings::default();
    // Before that is the password, which may hold anything.
    let host = url.find('@').unwrap_or_default();
    let Some(at) = url[host..].find('?').map(|at| host + at) else { return Ok((url.to_owned(), settings)) };
    let mut others = Vec::new();
    for parameter in url[at + 1..].split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = percent_decode_str(value).decode_utf8().map_err(|_| format!("{name} is not UTF-8"))?;
        if !settings.take(name, &value)? {
            others.push(parameter);
        }
    }
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Ok((format!("{}{query}", &url[..at]), settings))
}

/// A URL with our defaults.
fn parsed(url: &str, mode: SslMode) -> Result<Config, OpenError> {
    let mut config = Config::from_str(url).map_err(|error| OpenError::Url(without_secrets(&error)))?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name(APPLICATION);
    }
    // What does not leave the machine is not encrypted, as PostgreSQL's own tools have it.
    let local = |host: &Host| matches!(host, Host::Unix(_));
    config.ssl_mode(if config.get_hosts().iter().all(local) { SslMode::Disable } else { mode });
    config.keepalives_idle(KEEPALIVE);
    config.tcp_user_timeout(UNACKNOWLEDGED);
    Ok(config)
}

/// The same URL for each of its hosts alone, in their order; only itself where they stand elsewhere, or in no order.
fn each_host(url: &str) -> Vec<String> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    let first = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    if url[end..].contains("load_balance_hosts") {
        return vec![url.to_owned()];
    }
    url[first..end].split(',').map(|host| format!("{}{host}{}", &url[..first], &url[end..])).collect()
}

impl Target {
    /// Connects to the host that was good last, else to the next one that lets us in, and is what
    /// `target_session_attrs` asks for.
    ///
    /// # Errors
    /// With what is in the way at the last host.
    pub(crate) async fn connect(&self) -> Result<(Client, Connection<Socket, TlsStream>), OpenError> {
        let mut failed = OpenError::Url("it names no host".to_owned());
        let begin = self.good.load(Ordering::Relaxed);
        for index in (0..self.each.len()).map(|step| (begin + step) % self.each.len()) {
            let config = &self.each[index];
            let reached = *config.get_connect_timeout().unwrap_or(&CONNECT_TIMEOUT);
            match tokio::time::timeout(reached + WELCOME_LIMIT, self.welcome(config)).await {
                Ok(Ok(connected)) => {
                    self.good.store(index, Ordering::Relaxed);
                    return Ok(connected);
                }
                Ok(Err(error)) => failed = open_error(self, &error),
                Err(_) => {
                    let why = "it does not answer".to_owned();
                    failed = OpenError::Unreachable { target: self.to_string(), why };
                }
            }
        }
        Err(failed)
    }

    /// Connects to one host; without TLS where it is only preferred, and does not come about.
    async fn welcome(
        &self,
        config: &Config,
    ) -> Result<(Client, Connection<Socket, TlsStream>), tokio_postgres::Error> {
        match config.connect(self.tls.clone()).await {
            Err(error) if config.get_ssl_mode() == SslMode::Prefer && trouble(&error).is_some() => {
                let mut plain = config.clone();
                plain.ssl_mode(SslMode::Disable).connect(self.tls.clone()).await
            }
            connected => connected,
        }
    }

    /// The same for who connects by himself.
    #[must_use]
    pub fn parts(&self) -> (Config, MakeRustlsConnect) {
        ((*self.whole).clone(), self.tls.clone())
    }
}

impl Target {
    /// The same, but for what its connections are called in `pg_stat_activity`.
    #[must_use]
    pub(crate) fn called(mut self, name: &str) -> Self {
        self.whole.application_name(name);
        for config in &mut self.each {
            config.application_name(name);
        }
        self
    }

    /// What its connections are called there.
    pub(crate) fn application(&self) -> &str {
        self.whole.get_application_name().unwrap_or(APPLICATION)
    }
}

/// What is wrong with a URL, without quoting it: it holds a password.
fn without_secrets(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.unwrap_or_else(|| error.to_string())
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.whole;
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
    fn each_host_of_a_url_can_be_tried_alone() {
        let each = |url| each_host(url).join(" ");
        assert_eq!(
            each("postgres://u:p%2C@a:1,b/s?x=1,2"),
            "postgres://u:p%2C@a:1/s?x=1,2 postgres://u:p%2C@b/s?x=1,2"
        );
        assert_eq!(each("postgres://a/s"), "postgres://a/s");
        assert_eq!(each("postgres:///s?host=a,b"), "postgres:///s?host=a,b");
        assert_eq!(
            each("postgres://a,b/s?load_balance_hosts=random"),
            "postgres://a,b/s?load_balance_hosts=random"
        );
    }

    #[test]
    fn what_a_url_says_of_tls_is_taken_out_of_it() {
        for (url, rest) in [
            ("postgres://u:a?sslmode=b@h/d", "postgres://u:a?sslmode=b@h/d"),
            ("postgres://u:p@h/d?sslmode=require", "postgres://u:p@h/d"),
            ("postgres://h/d?a=b&sslmode=disable&c=d%26", "postgres://h/d?a=b&c=d%26"),
        ] {
            assert_eq!(without_tls(url).map_err(drop).map(|(rest, _)| rest), Ok(rest.to_owned()));
        }
        let mode = |url: &str| url.parse::<Target>().unwrap().each[0].get_ssl_mode();
        assert_eq!(mode("postgres://h/d"), SslMode::Prefer);
        assert_eq!(mode("postgres://h/d?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://h,i/d?connect_timeout=3&sslmode=require"), SslMode::Require);
        assert_eq!(mode("postgres://%2Ftmp/d?sslmode=require"), SslMode::Disable);
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_secrets() {
        for (url, wanted) in [
            ("mysql://app:hunter2@db/shop", "postgres://"),
            ("postgres://app:hunter2@db/shop?colour=red", "colour"),
            ("postgres://app:hunter2@db:port/shop", "port"),
            ("postgres://app:hunter2@db", "database"),
            ("postgres:///shop", "host"),
            ("postgres://app:x@hunter2@db/shop", "%40"),
            ("postgres://app:hunter2@db/shop?sslmode=verify", "sslmode is one of"),
            (
                "postgres://app:hunter2@db/shop?sslmode=verify-full&sslrootcert=/nonexistent.pem",
                "/nonexistent.pem",
            ),
        ] {
            let error = url.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(wanted) && !error.contains("hunter2"), "{url}: {error}");
        }
    }
}
