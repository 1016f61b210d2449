//! Where receipts are, if not beside the database.

use lastseat_http::receipts::Bucket;

use super::Secret;
use crate::failure::Failure;

/// Where receipts are, if not beside the database.
#[derive(Debug, clap::Args)]
pub(crate) struct FilesOptions {
    /// Keep receipts in an S3-compatible store: <s3://bucket/prefix>; the rest comes from AWS_... variables
    #[arg(long, value_name = "URL")]
    files_url: Option<Secret>,
}

impl FilesOptions {
    /// The bucket; none if receipts are beside the database.
    ///
    /// # Errors
    /// `Usage`, without quoting the address: somebody may have put a password there.
    pub(crate) fn bucket(&self) -> Result<Option<Bucket>, Failure> {
        let parsed = self.files_url.as_ref().map(|url| url.0.parse());
        parsed.transpose().map_err(|error| Failure::usage(format_args!("--files-url: {error}")))
    }
}
