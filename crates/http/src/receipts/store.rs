//! The durable home of receipts: a folder of the data directory, or any other object store.
//!
//! **Durability.** [`ReceiptStore::put`] answers after the file can survive a power cut, so a booking may name its
//! key at once. The folder is `object_store`'s `LocalFileSystem` with `with_fsync(true)` (it is off by default):
//! the bytes go to a temporary file beside the target, that file is synced, it is linked under its key, and the
//! directory is synced. Object stores that are reached over the network answer a PUT when it is durable.
//!
//! **Order.** Put, then the transaction that names the key; a file that no booking names a day later is garbage
//! ([`ReceiptStore::list_older_than`]). Deletions are not synced: a file that returns after a power cut is found
//! and removed again.
//!
//! **Time.** No operation on one file takes longer than [`ANSWER_LIMIT`]: a store that hangs is one that is away.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use jiff::Timestamp;
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use super::{MAX_RECEIPT_BYTES, Receipt, ReceiptKey, ReceiptStoreError};

/// The folder inside the data directory.
const FOLDER: &str = "receipts";
/// Only the server's own user may look into the folder.
const FOLDER_MODE: u32 = 0o700;
/// How long storing, fetching or removing one file may take before it counts as failed.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Where receipts are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReceiptStore {
    pub(super) objects: Arc<dyn ObjectStore>,
    /// The folder that must be there, if the store is one: `LocalFileSystem` would report every file of a folder
    /// that is gone (an unmounted disk) as missing, and would make the folder anew when it writes.
    folder: Option<PathBuf>,
}

impl ReceiptStore {
    /// Opens the folder `receipts/` of a data directory, and makes it, readable to its owner only, if need be.
    /// What unfinished uploads of a dead process left there is removed, so call this only from the one server
    /// that holds the data directory. Blocks for a moment; meant for the start.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`] if the folder cannot be made or read.
    pub fn open_folder(data_directory: &Path) -> Result<Self, ReceiptStoreError> {
        let folder = data_directory.join(FOLDER);
        prepare(&folder).map_err(ReceiptStoreError::unavailable)?;
        let files = LocalFileSystem::new_with_prefix(&folder).map_err(ReceiptStoreError::unavailable)?;
        Ok(Self { objects: Arc::new(files.with_fsync(true)), folder: Some(folder) })
    }

    /// Uses another object store. It must support [`PutMode::Create`] and be durable when a put returns, and
    /// must not be readable to the public.
    #[must_use]
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, folder: None }
    }

    /// Stores a receipt under the key of these fresh random bits, durably. An existing file is never replaced.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Taken`] or [`ReceiptStoreError::Unavailable`].
    pub async fn put(&self, receipt: &Receipt, fresh: u128) -> Result<ReceiptKey, ReceiptStoreError> {
        self.check_folder().await?;
        let key = ReceiptKey::from_fresh(fresh);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let path = key.path();
        let put = self.objects.put_opts(&path, receipt.bytes().clone().into(), options);
        match self.within(put).await? {
            Ok(_) => Ok(key),
            Err(object_store::Error::AlreadyExists { .. }) => Err(ReceiptStoreError::Taken(key)),
            Err(error) => Err(ReceiptStoreError::unavailable(error)),
        }
    }

    /// The content of a receipt, as it was stored.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Missing`], [`ReceiptStoreError::Oversized`] or [`ReceiptStoreError::Unavailable`].
    pub async fn get(&self, key: &ReceiptKey) -> Result<Bytes, ReceiptStoreError> {
        self.check_folder().await?;
        let about = |error| ReceiptStoreError::about(key, error);
        let fetched = async {
            let found = self.objects.get(&key.path()).await.map_err(about)?;
            if found.meta.size > MAX_RECEIPT_BYTES as u64 {
                return Err(ReceiptStoreError::Oversized { key: key.clone(), bytes: found.meta.size });
            }
            found.bytes().await.map_err(about)
        };
        self.within(fetched).await?
    }

    /// Removes a receipt. One that is already gone is fine.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`].
    pub async fn delete(&self, key: &ReceiptKey) -> Result<(), ReceiptStoreError> {
        self.check_folder().await?;
        let path = key.path();
        match self.within(self.objects.delete(&path)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(ReceiptStoreError::unavailable(error)),
        }
    }

    /// The keys of the receipts that were stored before `before`, by the clock of the store, in no order. Files
    /// with other names are passed over. Take the stream in chunks, ask the database which of them bookings name,
    /// and delete the rest; `before` must be a day back, so that no transaction that is still to name one is
    /// overtaken.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`], at once or as an item of the stream.
    pub async fn list_older_than(
        &self,
        before: Timestamp,
    ) -> Result<BoxStream<'static, Result<ReceiptKey, ReceiptStoreError>>, ReceiptStoreError> {
        self.check_folder().await?;
        let found = self.objects.list(None).filter_map(move |object| async move {
            match object {
                Ok(object) if object.last_modified.timestamp_millis() < before.as_millisecond() => {
                    object.location.as_ref().parse().ok().map(Ok)
                }
                Ok(_) => None,
                Err(error) => Some(Err(ReceiptStoreError::unavailable(error))),
            }
        });
        Ok(found.boxed())
    }

    /// What `work` gives, unless it takes too long.
    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, ReceiptStoreError> {
        let late = |_| format!("it did not answer within {} seconds", ANSWER_LIMIT.as_secs());
        tokio::time::timeout(ANSWER_LIMIT, work).await.map_err(late).map_err(ReceiptStoreError::unavailable)
    }

    pub(super) async fn check_folder(&self) -> Result<(), ReceiptStoreError> {
        if let Some(folder) = &self.folder {
            tokio::fs::metadata(folder).await.map_err(ReceiptStoreError::unavailable)?;
        }
        Ok(())
    }
}

/// Makes the folder with its mode, durably, and removes the temporary files of uploads that never finished.
fn prepare(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))?;
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_unfinished) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether this is how `LocalFileSystem` names a file that it has not finished: key, `#`, number.
fn is_unfinished(name: &str) -> bool {
    let numbered = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('#').is_some_and(|(key, number)| key.parse::<ReceiptKey>().is_ok() && numbered(number))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use futures_util::TryStreamExt;
    use object_store::memory::InMemory;
    use object_store::throttle::{ThrottleConfig, ThrottledStore};

    use super::super::{Outage, samples};
    use super::*;

    fn receipt() -> Receipt {
        Receipt::accept(&samples::pdf()).unwrap()
    }

    fn stores() -> (tempfile::TempDir, [ReceiptStore; 2]) {
        let data = tempfile::tempdir().unwrap();
        let folder = ReceiptStore::open_folder(data.path()).unwrap();
        (data, [folder, ReceiptStore::over(Arc::new(InMemory::new()))])
    }

    fn is_unreachable<T>(answer: &Result<T, ReceiptStoreError>) -> bool {
        matches!(answer, Err(ReceiptStoreError::Unavailable { outage: Outage::Unreachable, .. }))
    }

    #[tokio::test]
    async fn what_was_put_can_be_fetched_until_it_is_deleted() {
        let (_data, stores) = stores();
        for store in stores {
            let key = store.put(&receipt(), 0xABC).await.unwrap();
            assert_eq!(key, ReceiptKey::from_fresh(0xABC));
            assert_eq!(&store.get(&key).await.unwrap(), receipt().bytes());
            store.delete(&key).await.unwrap();
            assert!(
                matches!(store.get(&key).await, Err(ReceiptStoreError::Missing(missing)) if missing == key)
            );
            store.delete(&key).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_key_that_is_taken_keeps_its_file() {
        let (_data, stores) = stores();
        for store in stores {
            let key = store.put(&receipt(), 1).await.unwrap();
            let other = Receipt::accept(&samples::png()).unwrap();
            assert!(
                matches!(store.put(&other, 1).await, Err(ReceiptStoreError::Taken(taken)) if taken == key)
            );
            assert_eq!(&store.get(&key).await.unwrap(), receipt().bytes());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_hangs_is_not_waited_for() {
        let wait = Duration::from_secs(3_600);
        let config = ThrottleConfig {
            wait_put_per_call: wait,
            wait_get_per_call: wait,
            wait_delete_per_call: wait,
            ..ThrottleConfig::default()
        };
        let store = ReceiptStore::over(Arc::new(ThrottledStore::new(InMemory::new(), config)));
        let begun = tokio::time::Instant::now();
        let key = ReceiptKey::from_fresh(1);
        assert!(is_unreachable(&store.put(&receipt(), 1).await));
        assert!(is_unreachable(&store.get(&key).await));
        assert!(is_unreachable(&store.delete(&key).await));
        assert!(begun.elapsed() < 4 * ANSWER_LIMIT, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn files_are_still_there_when_the_folder_is_opened_again() {
        let data = tempfile::tempdir().unwrap();
        let key = ReceiptStore::open_folder(data.path()).unwrap().put(&receipt(), 5).await.unwrap();
        let again = ReceiptStore::open_folder(data.path()).unwrap();
        assert_eq!(&again.get(&key).await.unwrap(), receipt().bytes());
    }

    #[test]
    fn the_folder_is_private_also_when_it_was_not_before() {
        let data = tempfile::tempdir().unwrap();
        let mode = || fs::metadata(data.path().join(FOLDER)).unwrap().permissions().mode() & 0o777;
        ReceiptStore::open_folder(data.path()).unwrap();
        assert_eq!(mode(), FOLDER_MODE);
        fs::set_permissions(data.path().join(FOLDER), Permissions::from_mode(0o755)).unwrap();
        ReceiptStore::open_folder(data.path()).unwrap();
        assert_eq!(mode(), FOLDER_MODE);
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_unreachable_rather_than_empty() {
        let (data, [store, _]) = stores();
        let key = store.put(&receipt(), 1).await.unwrap();
        fs::rename(data.path().join(FOLDER), data.path().join("elsewhere")).unwrap();
        assert!(is_unreachable(&store.get(&key).await));
        assert!(is_unreachable(&store.delete(&key).await));
        assert!(is_unreachable(&store.list_older_than(Timestamp::MAX).await.map(drop)));
        assert!(is_unreachable(&store.put(&receipt(), 2).await));
        assert!(!data.path().join(FOLDER).exists());
    }

    #[test]
    fn a_data_directory_that_does_not_exist_is_unreachable() {
        let data = tempfile::tempdir().unwrap();
        assert!(is_unreachable(&ReceiptStore::open_folder(&data.path().join("missing")).map(drop)));
    }

    #[tokio::test]
    async fn a_foreign_file_of_any_size_is_not_read() {
        let (data, [store, _]) = stores();
        let key = ReceiptKey::from_fresh(3);
        let file = File::create(data.path().join(FOLDER).join(key.as_str())).unwrap();
        file.set_len(MAX_RECEIPT_BYTES as u64 + 1).unwrap();
        assert!(matches!(store.get(&key).await, Err(ReceiptStoreError::Oversized { .. })));
    }

    #[tokio::test]
    async fn only_receipts_from_before_the_instant_are_listed() {
        let (data, [store, _]) = stores();
        let folder = data.path().join(FOLDER);
        for (fresh, seconds) in [(1, 100), (2, 199), (3, 200), (4, 300)] {
            let key = store.put(&receipt(), fresh).await.unwrap();
            let file = File::options().write(true).open(folder.join(key.as_str())).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        fs::write(folder.join("notes.txt"), "not a receipt").unwrap();
        let before = Timestamp::from_second(200).unwrap();
        let mut keys: Vec<_> = store.list_older_than(before).await.unwrap().try_collect().await.unwrap();
        keys.sort();
        assert_eq!(keys, [1, 2].map(ReceiptKey::from_fresh));
    }

    #[tokio::test]
    async fn unfinished_uploads_of_a_dead_process_are_removed_at_the_start() {
        let (data, [store, _]) = stores();
        let key = store.put(&receipt(), 1).await.unwrap();
        let folder = data.path().join(FOLDER);
        let names = [format!("{key}#1"), format!("{key}#x"), "letter#1".to_owned()];
        names.iter().for_each(|name| fs::write(folder.join(name), "half a fi").unwrap());
        let store = ReceiptStore::open_folder(data.path()).unwrap();
        assert_eq!(names.map(|name| folder.join(name).exists()), [false, true, true]);
        assert_eq!(&store.get(&key).await.unwrap(), receipt().bytes());
    }
}
