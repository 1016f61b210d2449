//! Files in a table, as the store for receipts uses them.

use futures_util::TryStreamExt;
use lastseat_store_postgres::{Clock, PgFiles};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use crate::servers::{empty_database, node};

fn files() -> PgFiles {
    let url = empty_database();
    drop(node(&url, Clock::Database));
    PgFiles::new(url.parse().unwrap())
}

fn create() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

#[tokio::test]
async fn a_file_is_kept_until_it_is_deleted_and_never_replaced_by_accident() {
    let files = files();
    let path = Path::from("a");
    let body: Vec<u8> = (0..3_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    files.put_opts(&path, body.clone().into(), create()).await.unwrap();
    let taken = files.put_opts(&path, "other".into(), create()).await;
    assert!(matches!(taken, Err(Error::AlreadyExists { .. })), "{taken:?}");
    assert_eq!(files.get(&path).await.unwrap().bytes().await.unwrap(), body);
    assert_eq!(files.head(&path).await.unwrap().size, 3_000_000);
    assert_eq!(files.get_range(&path, 256..300).await.unwrap(), body[256..300]);
    files.put(&path, "replaced".into()).await.unwrap();
    assert_eq!(files.get(&path).await.unwrap().bytes().await.unwrap(), "replaced");
    files.delete(&path).await.unwrap();
    assert!(matches!(files.get(&path).await, Err(Error::NotFound { .. })));
    assert!(matches!(files.delete(&path).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn files_are_listed_with_their_size_and_age() {
    let files = files();
    for key in ["b", "a", "folder/c"] {
        files.put(&Path::from(key), key.into()).await.unwrap();
    }
    let seen = |listed: Vec<object_store::ObjectMeta>| -> Vec<(String, u64)> {
        listed.into_iter().map(|meta| (meta.location.to_string(), meta.size)).collect()
    };
    let all: Vec<_> = files.list(None).try_collect().await.unwrap();
    assert!(all.iter().all(|meta| meta.last_modified.timestamp() > 1_700_000_000));
    assert_eq!(seen(all), [("a".to_owned(), 1), ("b".to_owned(), 1), ("folder/c".to_owned(), 8)]);
    let some: Vec<_> = files.list(Some(&Path::from("folder"))).try_collect().await.unwrap();
    assert_eq!(seen(some).len(), 1);
}
