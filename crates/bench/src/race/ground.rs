//! The databases that are raced on: those that were named, or servers of our own in temporary directories.

use std::fmt;

use lastseat_scratch::{Postgres, Redis};
use lastseat_store_postgres::{OpenError, Target};
use thiserror::Error;

use super::Strategy;
use super::schema::Line;

/// What our own PostgreSQL allows, as much as a web application's operators would set.
const OWN_MAX_CONNECTIONS: &str = "300";

/// Why there is nothing to race on.
#[derive(Debug, Error)]
pub enum GroundError {
    /// The URL of the database cannot be understood.
    #[error(
        "--database-url cannot be understood ({why}); it looks like postgres://USER:PASSWORD@HOST:5432/DATABASE"
    )]
    DatabaseUrl {
        /// What is wrong with it, without any part of it.
        why: String,
    },
    /// The URL of Redis cannot be understood.
    #[error("--redis-url cannot be understood ({why}); it looks like redis://HOST:6379")]
    RedisUrl {
        /// What is wrong with it, without any part of it.
        why: String,
    },
    /// No database was named, and none of our own could be started.
    #[error(
        "this race needs a {what}: name one with {option}, or install Debian's package {package} ({why:#})"
    )]
    NoServer {
        /// What is needed.
        what: &'static str,
        /// The option that names one.
        option: &'static str,
        /// The package with the program.
        package: &'static str,
        /// Why there is none.
        why: anyhow::Error,
    },
}

/// A database.
#[derive(Clone)]
pub(super) struct Database {
    /// Its URL, with the password.
    url: String,
    /// Where it is, without secrets.
    target: Target,
    /// How the classical strategies connect to it.
    pub(super) line: Line,
}

/// Without the URL, which holds a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.target.to_string()).finish()
    }
}

impl Database {
    /// The URL for connections that work in a schema.
    pub(super) fn url_in(&self, schema: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{schema}", self.url)
    }
}

/// The databases at hand. Servers of our own end when it is dropped.
#[derive(Debug, Default)]
pub struct Ground {
    database: Option<Database>,
    redis: Option<redis::Client>,
    own_postgres: Option<Postgres>,
    /// Kept running.
    _own_redis: Option<Redis>,
}

impl Ground {
    /// Prepares what these strategies need. Servers are started where no URL is given; that takes seconds, and blocks.
    ///
    /// # Errors
    /// If a URL is wrong, or a server is needed and cannot be started.
    pub fn prepare(
        strategies: &[Strategy],
        database_url: Option<&str>,
        redis_url: Option<&str>,
    ) -> Result<Self, GroundError> {
        // Wrong URLs are told before anything is started.
        let database = database_url.map(read_database_url).transpose()?;
        let redis = redis_url.map(read_redis_url).transpose()?;
        let mut ground = Self { database, redis, ..Self::default() };
        if ground.database.is_none() && strategies.iter().any(|strategy| strategy.needs_postgres()) {
            let postgres = start_postgres()?;
            ground.database = Some(read_database_url(&postgres.url())?);
            ground.own_postgres = Some(postgres);
        }
        if ground.redis.is_none() && strategies.contains(&Strategy::RedisLock) {
            let redis = start_redis()?;
            ground.redis = Some(read_redis_url(&redis.url())?);
            ground._own_redis = Some(redis);
        }
        Ok(ground)
    }

    /// Whether the database is one of our own.
    pub(super) fn is_ours(&self) -> bool {
        self.own_postgres.is_some()
    }

    /// The database, if there is one.
    pub(super) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Redis.
    pub(super) fn redis(&self) -> &redis::Client {
        self.redis.as_ref().expect("prepared for a strategy that needs one")
    }
}

/// Where people race, without secrets.
impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.database, &self.own_postgres) {
            (None, _) => f.write_str("a SQLite file of our own"),
            (Some(_), Some(_)) => f.write_str("a PostgreSQL of our own"),
            (Some(database), None) => write!(f, "the PostgreSQL at {}", database.target),
        }?;
        match (&self.redis, &self._own_redis) {
            (None, _) => Ok(()),
            (Some(_), Some(_)) => f.write_str(" and a Redis of our own"),
            (Some(redis), None) => write!(f, " and the Redis at {}", redis.get_connection_info().addr()),
        }
    }
}

fn start_postgres() -> Result<Postgres, GroundError> {
    Postgres::builder().set("max_connections", OWN_MAX_CONNECTIONS).start().map_err(|why| {
        let package = "postgresql";
        GroundError::NoServer { what: "PostgreSQL", option: "--database-url", package, why }
    })
}

/// A Redis that keeps nothing, as one for locks does.
fn start_redis() -> Result<Redis, GroundError> {
    Redis::builder().set("appendonly", "no").start().map_err(|why| {
        let package = "redis-server";
        GroundError::NoServer { what: "Redis", option: "--redis-url", package, why }
    })
}

fn read_database_url(url: &str) -> Result<Database, GroundError> {
    let wrong = |why: String| GroundError::DatabaseUrl { why };
    // As a server reads it.
    let target: Target = url.parse().map_err(|error| match error {
        OpenError::Url(why) => wrong(why),
        other => wrong(other.to_string()),
    })?;
    let (config, tls) = target.parts();
    Ok(Database { url: url.to_owned(), target, line: Line { config, tls } })
}

fn read_redis_url(url: &str) -> Result<redis::Client, GroundError> {
    redis::Client::open(url).map_err(|error| GroundError::RedisUrl { why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_urls_are_told_without_their_password() {
        let all = [Strategy::RedisLock];
        for url in [
            "mysql://u:secret@h/d",
            "postgres://u:secret@h:port/d",
            "postgres://u:secret@h/d?sslmod=off",
            "postgres://u:secret@h/d?sslmode=verify",
        ] {
            let error = Ground::prepare(&all, Some(url), None).unwrap_err();
            assert!(matches!(error, GroundError::DatabaseUrl { .. }), "{error:?}");
            assert!(error.to_string().contains("--database-url"), "{error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
        for url in ["http://u:secret@h", "redis://u:secret@h:port"] {
            let error = Ground::prepare(&all, Some("postgres://u@h/d"), Some(url)).unwrap_err();
            assert!(matches!(error, GroundError::RedisUrl { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn connections_are_told_their_schema_and_what_the_url_says_besides_stays() {
        for (url, user) in
            [("postgres://u:secret@h/d", None), ("postgres://u:secret@h/d?application_name=x", Some("x"))]
        {
            let database = read_database_url(url).unwrap();
            assert!(!format!("{database:?}").contains("secret"), "{database:?}");
            let config: tokio_postgres::Config = database.url_in("s1").parse().unwrap();
            assert_eq!(
                (config.get_options(), config.get_application_name()),
                (Some("-c search_path=s1"), user)
            );
        }
    }

    #[test]
    fn it_says_where_it_is_without_secrets() {
        let (database, redis) = ("postgres://u:secret@h:77/d", "redis://u:secret@r:88");
        let ground = Ground::prepare(&[Strategy::RedisLock], Some(database), Some(redis)).unwrap();
        assert_eq!(ground.to_string(), "the PostgreSQL at h:77/d and the Redis at r:88");
        assert_eq!(Ground::default().to_string(), "a SQLite file of our own");
    }

    #[test]
    fn who_needs_no_database_gets_none() {
        let ground = Ground::prepare(&[Strategy::Lastseat], None, None).unwrap();
        assert!(ground.database.is_none() && ground.redis.is_none());
    }

    #[test]
    fn a_server_that_cannot_be_had_is_named_with_its_option_and_package() {
        let why = anyhow::anyhow!("initdb is not installed");
        let (what, option, package) = ("PostgreSQL", "--database-url", "postgresql");
        let text = GroundError::NoServer { what, option, package, why }.to_string();
        assert!(text.contains("--database-url") && text.contains("package postgresql"), "{text}");
    }
}
