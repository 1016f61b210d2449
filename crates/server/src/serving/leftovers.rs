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
                tracing::warn!(error = format!("{error:#}"), "cannot look for receipts that no booking names")
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
