//! Receipts in an S3-compatible store: where it is, and whether it can be used.
//!
//! The address is `s3://bucket/prefix`; credentials, region and endpoint come from the variables that all S3 tools
//! read (`AWS_ACCESS_KEY_ID` and so on), or from the machine itself where its provider gives them.
//!
//! **Whose it is.** Receipts that no booking names are removed after a day, so two shops under one prefix would remove
//! each other's. The first start leaves a mark ([`ReceiptStore::claim`]); who finds another's does not start.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStoreExt, PutMode, PutOptions, RetryConfig};

use super::outage::cause;
use super::{ReceiptStore, ReceiptStoreError};

/// How long a connection to the store may take to stand.
const CONNECT_LIMIT: &str = "3 seconds";
/// How long one request may take with all of its bytes. A receipt of 10 MiB fits through 10 Mbit/s.
const REQUEST_LIMIT: &str = "9 seconds";
/// How often a request is sent again that the store did not take, and until when.
const RETRIES: usize = 3;
const RETRY_LIMIT: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LAST_BACKOFF: Duration = Duration::from_secs(1);
/// How the variables begin that are read.
const VARIABLES: &str = "AWS_";
/// The object that says whose the prefix is.
const MARK: &str = "lastseat-shop";

/// A place in an S3-compatible store, `s3://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    name: String,
    prefix: ObjectPath,
}

/// Why a bucket cannot even be looked for. The texts quote no value that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// The address makes no sense.
    #[error("{0}; give it like s3://bucket/prefix")]
    Url(&'static str),
    /// A variable makes no sense, or one is missing.
    #[error("{0}")]
    Variables(String),
}

impl FromStr for Bucket {
    type Err = BucketError;

    fn from_str(url: &str) -> Result<Self, BucketError> {
        let wrong = |what| Err(BucketError::Url(what));
        let Some(rest) = url.strip_prefix("s3://") else {
            return wrong("it does not begin with s3://");
        };
        if rest.contains(['@', ':']) {
            return wrong(
                "it must hold no credentials and no address: these come from AWS_ACCESS_KEY_ID, \
                 AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL",
            );
        }
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if name.is_empty() {
            return wrong("it names no bucket");
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let dots = |part: &str| matches!(part, "" | "." | "..");
        let parts = || prefix.split('/').filter(|_| !prefix.is_empty());
        if !plain(name) || dots(name) || parts().any(|part| !plain(part) || dots(part)) {
            return wrong(
                "bucket and prefix are made of letters, digits, `.`, `-` and `_`, with single slashes",
            );
        }
        Ok(Self { name: name.to_owned(), prefix: ObjectPath::from(prefix) })
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.name)?;
        if self.prefix.as_ref().is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

impl Bucket {
    /// The store, by what the environment's `variables` say of it. Nothing is sent yet.
    ///
    /// # Errors
    /// [`BucketError::Variables`].
    pub fn open(
        &self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<ReceiptStore, BucketError> {
        let mut settings = AmazonS3Builder::new();
        for (name, value) in variables {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if !name.starts_with(VARIABLES) || value.is_empty() {
                continue;
            }
            // Others are for other tools.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                settings = settings.with_config(key, value);
            }
        }
        check_endpoint(&settings)?;
        let backoff = BackoffConfig {
            init_backoff: FIRST_BACKOFF,
            max_backoff: LAST_BACKOFF,
            ..BackoffConfig::default()
        };
        let settings = settings
            .with_bucket_name(&self.name)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_LIMIT)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_LIMIT)
            .with_retry(RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_LIMIT });
        let store = settings.build().map_err(|error| BucketError::Variables(cause(&error)))?;
        Ok(ReceiptStore::over(Arc::new(PrefixStore::new(store, self.prefix.clone()))))
    }
}

/// Says what is wrong with the store's address before the first request does so in the words of a library.
fn check_endpoint(settings: &AmazonS3Builder) -> Result<(), BucketError> {
    let wrong = |what: &str| Err(BucketError::Variables(format!("AWS_ENDPOINT_URL {what}")));
    let of = |key| settings.get_config_value(&key);
    let Some(url) = of(AmazonS3ConfigKey::S3Endpoint).or_else(|| of(AmazonS3ConfigKey::Endpoint)) else {
        return Ok(());
    };
    if url.contains('@') {
        return wrong(
            "must hold no credentials: these come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        );
    }
    if url.starts_with("http://") {
        let allowed = of(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
        if allowed.as_deref() != Some("true") {
            return wrong(
                "is not encrypted; give an https:// address, or set AWS_ALLOW_HTTP=true in a private network",
            );
        }
    } else if !url.starts_with("https://") {
        return wrong("is no address; give it like https://s3.example.org");
    }
    Ok(())
}

impl ReceiptStore {
    /// Asks the store for its first files: whether it is there, and lets us in.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`].
    pub async fn reach(&self) -> Result<(), ReceiptStoreError> {
        let first = async { self.objects.list(None).next().await.transpose() };
        self.within(first).await?.map(drop).map_err(ReceiptStoreError::unavailable)
    }

    /// Leaves the mark of a shop, unless there is one; gives whether the store is this shop's.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`], also if the store may be read and not written.
    pub async fn claim(&self, shop: &str) -> Result<bool, ReceiptStoreError> {
        let mark = ObjectPath::from(MARK);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.objects.put_opts(&mark, shop.to_owned().into(), options);
        match self.within(put).await? {
            Ok(_) => return Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(ReceiptStoreError::unavailable(error)),
        }
        let found = async { self.objects.get(&mark).await?.bytes().await };
        let found = self.within(found).await?.map_err(ReceiptStoreError::unavailable)?;
        Ok(found == shop.as_bytes())
    }

    /// Whether there is any receipt.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`].
    pub async fn holds_any(&self) -> Result<bool, ReceiptStoreError> {
        let mut listed = self.list_older_than(jiff::Timestamp::MAX).await?;
        self.within(async { listed.next().await.transpose() }).await?.map(|found| found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn open(variables: &[(&str, &str)]) -> Result<ReceiptStore, String> {
        let bucket: Bucket = "s3://shop/receipts".parse().unwrap();
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        bucket.open(variables).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_a_bucket_and_perhaps_a_prefix() {
        for (url, shown) in [
            ("s3://shop", "s3://shop"),
            ("s3://shop/", "s3://shop"),
            ("s3://my.shop-1/a/b_2/", "s3://my.shop-1/a/b_2"),
        ] {
            assert_eq!(url.parse::<Bucket>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn other_addresses_are_refused_without_being_quoted() {
        for (url, words) in [
            ("https://s3.example.org/hunter2", "does not begin with s3://"),
            ("hunter2", "does not begin with s3://"),
            ("s3://", "names no bucket"),
            ("s3:///hunter2", "names no bucket"),
            ("s3://key:hunter2@shop", "AWS_SECRET_ACCESS_KEY"),
            ("s3://hunter2@shop", "AWS_SECRET_ACCESS_KEY"),
            ("s3://shop:9000/hunter2", "AWS_ENDPOINT_URL"),
            ("s3://shop?secret=hunter2", "made of letters"),
            ("s3://shop/a//hunter2", "made of letters"),
            ("s3://shop/../hunter2", "made of letters"),
        ] {
            let error = url.parse::<Bucket>().unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn variables_that_cannot_work_are_named_and_secrets_are_not() {
        let key = [("AWS_ACCESS_KEY_ID", "someone"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        for (more, words) in [
            (("AWS_ENDPOINT_URL", "http://127.0.0.1:9000"), "AWS_ALLOW_HTTP"),
            (("AWS_ENDPOINT_URL", "minio.internal:9000"), "is no address"),
            (("AWS_ENDPOINT_URL_S3", "https://a:hunter2@s3.example.org"), "no credentials"),
        ] {
            let error = open(&[&key[..], &[more]].concat()).unwrap_err();
            assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
        }
        let error = open(&key[..1]).unwrap_err();
        assert!(error.to_lowercase().contains("secret"), "{error}");
        for good in [
            vec![("AWS_ENDPOINT_URL", "https://s3.example.org"), ("AWS_SESSION_TOKEN", ""), ("OTHER", "x")],
            vec![("AWS_ENDPOINT_URL", "http://127.0.0.1:1"), ("AWS_ALLOW_HTTP", "true"), ("AWS_PAGER", "x")],
            vec![],
        ] {
            open(&[&key[..], &good].concat()).unwrap();
        }
    }

    #[tokio::test]
    async fn a_store_is_the_shops_that_marked_it_first() {
        let store = ReceiptStore::over(Arc::new(InMemory::new()));
        store.reach().await.unwrap();
        assert!(store.claim("one").await.unwrap());
        assert!(store.claim("one").await.unwrap());
        assert!(!store.claim("other").await.unwrap());
        assert!(!store.holds_any().await.unwrap());
    }
}
