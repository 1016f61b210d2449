//! Receipts in a bucket: whether it can be used, and is ours.

use std::fmt::Write as _;

use lastseat_engine::Engine;
use lastseat_http::receipts::{Bucket, ReceiptStore, ReceiptStoreError};

use crate::failure::Failure;
use crate::place::Place;

/// What the mark of a shop is derived for.
const PURPOSE: &[u8] = b"receipts-bucket\0";
/// The variables without which most stores let nobody in.
const CREDENTIALS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Finds the bucket.
///
/// # Errors
/// `Usage` for variables that cannot work, `Unable` if it cannot be reached or does not let us in.
pub(crate) async fn reach(bucket: &Bucket) -> Result<ReceiptStore, Failure> {
    let receipts = bucket.open(std::env::vars_os()).map_err(|error| match unset() {
        Some(unset) => Failure::usage(format_args!("--files-url: {error}; {unset}")),
        None => Failure::usage(format_args!("--files-url: {error}")),
    })?;
    receipts.reach().await.map_err(|error| failed(bucket, &error))?;
    Ok(receipts)
}

/// Marks the bucket as this shop's, and warns of receipts that are still beside the database.
///
/// # Errors
/// `Usage` if it is another shop's, `Unable` if it cannot be written.
pub(super) async fn claim(
    bucket: &Bucket,
    receipts: &ReceiptStore,
    engine: &Engine,
    place: &Place,
) -> Result<(), Failure> {
    let mut shop = String::new();
    for byte in engine.secret().mac(PURPOSE, b"") {
        let _ = write!(shop, "{byte:02x}");
    }
    if !receipts.claim(&shop).await.map_err(|error| failed(bucket, &error))? {
        return Err(Failure::usage(format_args!(
            "--files-url: {bucket} holds the receipts of another shop; give each shop a prefix of its own, or both would \
             remove each other's files"
        )));
    }
    match place.receipts()?.holds_any().await {
        Ok(false) => {}
        Ok(true) => tracing::warn!(
            bucket = %bucket,
            "there are receipts beside the database that are not looked for there any more: put them into the bucket"
        ),
        Err(error) => tracing::warn!(%error, "cannot look for receipts beside the database"),
    }
    Ok(())
}

/// The sentence, with what is most likely to help.
fn failed(bucket: &Bucket, error: &ReceiptStoreError) -> Failure {
    let hint = match unset() {
        Some(unset) => unset,
        None => "check the bucket's name, the rights of the key, AWS_ENDPOINT_URL and AWS_REGION".to_owned(),
    };
    Failure::unable(format_args!("cannot keep receipts in {bucket}: {error}; {hint}"))
}

/// Which credentials the environment does not hold. Some machines have others.
fn unset() -> Option<String> {
    let is_unset = |name: &&str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    let unset: Vec<&str> = CREDENTIALS.into_iter().filter(is_unset).collect();
    (!unset.is_empty()).then(|| format!("not set: {}", unset.join(" and ")))
}
