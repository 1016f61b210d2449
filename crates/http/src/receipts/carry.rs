//! All receipts, from one store to another.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt};

use super::{ReceiptKey, ReceiptStore, ReceiptStoreError};

/// Files that are on their way at the same time, each in memory as a whole.
const AT_ONCE: usize = 4;

/// What was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Files that are in both stores now.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl ReceiptStore {
    /// Puts every receipt that is here into `to`, under the same key, durably. What is there with the same size stays
    /// as it is, so this can be done again after it was interrupted. In the end all sizes are compared.
    ///
    /// # Errors
    /// [`ReceiptStoreError::Unavailable`] if either store fails, or does not hold what was put into it.
    pub async fn carry_to(&self, to: &Self) -> Result<Carried, ReceiptStoreError> {
        let (wanted, there) = (self.sizes().await?, to.sizes().await?);
        let missing = wanted.iter().filter(|(key, size)| there.get(key) != Some(size));
        stream::iter(missing.map(|(key, _)| self.carry(to, key.clone())).collect::<Vec<_>>())
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        let there = to.sizes().await?;
        if let Some((key, _)) = wanted.iter().find(|(key, size)| there.get(key) != Some(size)) {
            return Err(ReceiptStoreError::unavailable(format!("receipt {key} is not what was copied")));
        }
        Ok(Carried { files: wanted.len() as u64, bytes: wanted.values().sum() })
    }

    async fn carry(&self, to: &Self, key: ReceiptKey) -> Result<(), ReceiptStoreError> {
        let about = |error| ReceiptStoreError::about(&key, error);
        let bytes = self.objects.get(&key.path()).await.map_err(about)?.bytes().await.map_err(about)?;
        to.objects.put(&key.path(), bytes.into()).await.map_err(about)?;
        Ok(())
    }

    /// The size of each receipt. Files with other names are passed over.
    async fn sizes(&self) -> Result<BTreeMap<ReceiptKey, u64>, ReceiptStoreError> {
        self.check_folder().await?;
        let named = self.objects.list(None).try_filter_map(async |file| {
            Ok(file.location.as_ref().parse::<ReceiptKey>().ok().map(|key| (key, file.size)))
        });
        named.try_collect().await.map_err(ReceiptStoreError::unavailable)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::super::{Receipt, samples};
    use super::*;

    #[tokio::test]
    async fn receipts_are_carried_once_and_what_was_cut_off_is_carried_again() {
        let data = tempfile::tempdir().unwrap();
        let folder = ReceiptStore::open_folder(data.path()).unwrap();
        let pdf = Receipt::accept(&samples::pdf()).unwrap();
        let keys = [folder.put(&pdf, 1).await.unwrap(), folder.put(&pdf, 2).await.unwrap()];
        std::fs::write(data.path().join("receipts/notes.txt"), "not a receipt").unwrap();
        let other = ReceiptStore::over(Arc::new(InMemory::new()));
        other.objects.put(&keys[1].path(), "cut off".into()).await.unwrap();
        for _ in 0..2 {
            let carried = folder.carry_to(&other).await.unwrap();
            assert_eq!(carried, Carried { files: 2, bytes: 2 * pdf.bytes().len() as u64 });
        }
        for key in &keys {
            assert_eq!(&other.get(key).await.unwrap(), pdf.bytes());
        }
        assert_eq!(other.sizes().await.unwrap().len(), 2);
    }
}
