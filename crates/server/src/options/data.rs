//! Where the data is.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::place::{Place, open_failure};

/// Where the data is.
#[derive(Debug, clap::Args)]
pub(crate) struct DataOptions {
    /// The data directory: the database, the receipts and the admin key
    #[arg(long, value_name = "DIR", default_value = "./lastseat-data")]
    pub(crate) data: PathBuf,
    /// PostgreSQL instead of a file, for several nodes: <postgres://user:password@host/database>
    #[arg(long, value_name = "URL")]
    database_url: Option<Secret>,
}

/// A text that must not be shown: it may hold a password.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl DataOptions {
    /// Where the bookings are.
    ///
    /// # Errors
    /// `Usage`, if the database's URL makes no sense.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        match &self.database_url {
            None => Ok(Place::Directory(self.data.clone())),
            Some(url) => url.0.parse().map(Place::Database).map_err(open_failure),
        }
    }

    /// The data directory, for what there is in one only.
    ///
    /// # Errors
    /// `Usage`, with what to do `instead`, if there is a database.
    pub(crate) fn directory(&self, instead: &str) -> Result<&PathBuf, Failure> {
        match &self.database_url {
            None => Ok(&self.data),
            Some(_) => Err(Failure::usage(format_args!("--database-url: {instead}"))),
        }
    }
}

/// The sentence for a setting that is planned and that this version does not have.
pub(crate) fn not_supported(flag: &str, what: &str, instead: &str) -> Failure {
    Failure::usage(format_args!("--{flag}: this version of lastseat does not support {what} yet; {instead}"))
}
