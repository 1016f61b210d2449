//! Receipts that no booking names: uploads whose booking refused them, or whose server died in between.
//! A file comes before the transaction that names it, so only those that are a day old are looked at.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use lastseat_core::id::BookingNo;
use lastseat_core::time::Time;
use lastseat_http::receipts::{ReceiptKey, ReceiptStore};
use lastseat_store::{Store, StoreError};

use super::background::Background;
use crate::failure::Failure;

/// How long after its upload a file may still be named, in seconds.
const GRACE_SECONDS: i64 = 86_400;
/// How long after the start the first look is taken.
const FIRST: Duration = Duration::from_secs(600);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(6 * 3_600);
/// Bookings that are read at a time, so that no snapshot is held for long.
const PAGE: u32 = 1_000;

/// Looks for leftovers now and then, and removes them.
pub(super) fn start(store: Arc<dyn Store>, receipts: ReceiptStore) -> Result<Background, Failure> {
    let runtime = tokio::runtime::Handle::current();
    let mut named = HashSet::new();
    Background::start("leftovers", FIRST, PAUSE, move || {
        match runtime.block_on(remove(store.as_ref(), &receipts, &mut named)) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed receipts that no booking names"),
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "cannot look for receipts that no booking names"
                );
            }
        }
    })
}

/// Removes the leftovers; gives how many. `named` are keys that bookings are known to name: a booking never
/// forgets a receipt.
async fn remove(
    store: &dyn Store,
    receipts: &ReceiptStore,
    named: &mut HashSet<ReceiptKey>,
) -> anyhow::Result<usize> {
    let before = store.reader()?.now().plus_seconds(-GRACE_SECONDS);
    let mut old: HashSet<ReceiptKey> =
        receipts.list_older_than(Time::timestamp(before)).await?.try_collect().await?;
    old.retain(|key| !named.contains(key));
    if old.is_empty() {
        return Ok(0);
    }
    find_named(store, &mut old, named)?;
    let count = old.len();
    for key in old {
        receipts.delete(&key).await?;
    }
    Ok(count)
}

/// Moves those of `keys` that bookings name to `named`.
fn find_named(
    store: &dyn Store,
    keys: &mut HashSet<ReceiptKey>,
    named: &mut HashSet<ReceiptKey>,
) -> Result<(), StoreError> {
    let mut after = BookingNo(0);
    loop {
        let page = store.reader()?.all_bookings(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.no;
        for receipt in page.iter().flat_map(|booking| &booking.details.receipts) {
            if let Some(key) = receipt.file.parse().ok().and_then(|key| keys.take(&key)) {
                named.insert(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use lastseat_core::booking::Receipt;
    use lastseat_core::command::{Action, BookingChange};
    use lastseat_engine::{Engine, ids};
    use lastseat_http::receipts::{Bucket, Receipt as Upload};
    use lastseat_testkit::S3;

    use super::super::fixture;
    use super::*;

    #[tokio::test]
    async fn only_old_files_that_no_booking_names_are_removed_from_a_folder() {
        let (dir, store, engine) = fixture::engine();
        let receipts = ReceiptStore::open_folder(dir.path()).unwrap();
        only_old_files_that_no_booking_names_are_removed(
            &store,
            &engine,
            &receipts,
            &dir.path().join("receipts"),
        )
        .await;
        engine.drain().await;
    }

    #[tokio::test]
    async fn only_old_files_that_no_booking_names_are_removed_from_a_bucket_and_nothing_beside_them() {
        let (_dir, store, engine) = fixture::engine();
        let s3 = S3::start().unwrap();
        let bucket: Bucket = s3.url("shop").parse().unwrap();
        let variables = s3.variables_at(s3.address());
        let receipts = bucket.open(variables.map(|(name, value)| (name.into(), value.into()))).unwrap();
        assert!(receipts.claim("this shop").await.unwrap());
        // Of the same form, but another's.
        let others = [s3.dir_of("shop/below"), s3.dir_of("shop2")].map(|dir| {
            std::fs::create_dir_all(&dir).unwrap();
            dir.join(ReceiptKey::from_fresh(7).as_str())
        });
        let others = [&others[..], &[s3.dir_of("shop/notes.txt"), s3.dir_of("shop/lastseat-shop")]].concat();
        for other in &others {
            let file = std::fs::File::options().append(true).create(true).open(other).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        }
        only_old_files_that_no_booking_names_are_removed(&store, &engine, &receipts, &s3.dir_of("shop"))
            .await;
        for other in others {
            assert!(other.exists(), "{}", other.display());
        }
        engine.drain().await;
    }

    /// `folder` is where the files of `receipts` are.
    async fn only_old_files_that_no_booking_names_are_removed(
        store: &Arc<dyn Store>,
        engine: &Engine,
        receipts: &ReceiptStore,
        folder: &Path,
    ) {
        let upload = Upload::accept(include_bytes!("../../assets/sample-receipt.png")).unwrap();
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(receipts.put(&upload, ids::bits()).await.unwrap());
        }
        let [named, unnamed, fresh] = keys.as_slice() else { panic!() };
        for old in [named, unnamed] {
            let file = std::fs::File::options().write(true).open(folder.join(old.as_str())).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        }
        let booking = fixture::book(engine, "gig").await;
        let receipt = Receipt {
            file: named.to_string(),
            media_type: "image/png".to_owned(),
            size: 1,
            sha256: "0".repeat(64),
            at: Time::default(),
            note: None,
        };
        let change = BookingChange::SubmitReceipt(Box::new(receipt));
        fixture::submit(engine, Action::Booking { id: booking.id, change }).await;

        let mut known = HashSet::new();
        assert_eq!(remove(store.as_ref(), receipts, &mut known).await.unwrap(), 1);
        assert!(receipts.get(unnamed).await.is_err());
        assert!(receipts.get(named).await.is_ok() && receipts.get(fresh).await.is_ok());
        assert_eq!(known, HashSet::from([named.clone()]));
        assert_eq!(remove(store.as_ref(), receipts, &mut known).await.unwrap(), 0);
    }
}
