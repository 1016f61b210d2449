//! Where the data is.

use std::path::PathBuf;

use crate::failure::Failure;

/// Where the data is.
#[derive(Debug, clap::Args)]
pub(crate) struct DataOptions {
    /// The data directory: the database, the receipts and the admin key
    #[arg(long, value_name = "DIR", default_value = "./lastseat-data")]
    pub(crate) data: PathBuf,
    /// A PostgreSQL database instead; this version does not support it yet
    #[arg(long, value_name = "URL", hide_short_help = true)]
    database_url: Option<String>,
}

impl DataOptions {
    /// Refuses what is not there yet, before anything is touched.
    ///
    /// # Errors
    /// `Usage`.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match self.database_url {
            Some(_) => Err(not_supported("database-url", "PostgreSQL", "use a data directory (--data)")),
            None => Ok(()),
        }
    }
}

/// The sentence for a setting that is planned and that this version does not have.
pub(crate) fn not_supported(flag: &str, what: &str, instead: &str) -> Failure {
    Failure::usage(format_args!("--{flag}: this version of lastseat does not support {what} yet; {instead}"))
}
