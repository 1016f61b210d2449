//! Receipts and other files in a table, for who has no store for files beside the database.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Mutex;
use tokio_postgres::{Client, Row};

use crate::error::{OpenError, text};
use crate::target::Target;

/// What its errors call it.
const STORE: &str = "PostgreSQL";

const INSERT: &str = "INSERT INTO files (key, created_at, body) \
    VALUES ($1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, $2) ON CONFLICT (key) DO NOTHING";
const REPLACE: &str = "INSERT INTO files (key, created_at, body) \
    VALUES ($1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, $2) \
    ON CONFLICT (key) DO UPDATE SET created_at = excluded.created_at, body = excluded.body";
const GET: &str = "SELECT key, created_at, length(body)::bigint, body FROM files WHERE key = $1";
const HEAD: &str = "SELECT key, created_at, length(body)::bigint FROM files WHERE key = $1";
const DELETE: &str = "DELETE FROM files WHERE key = $1";
const LIST: &str =
    "SELECT key, created_at, length(body)::bigint FROM files WHERE starts_with(key, $1) ORDER BY key";

/// The table `files`. Clones share a connection, which is made when it is first needed, and made anew when it is lost.
/// To be used within a Tokio runtime.
#[derive(Clone)]
pub struct PgFiles {
    target: Target,
    client: Arc<Mutex<Option<Arc<Client>>>>,
}

impl fmt::Debug for PgFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgFiles").field("target", &self.target).finish_non_exhaustive()
    }
}

impl fmt::Display for PgFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table files of {}", self.target)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is used in map_err")]
fn failed(error: tokio_postgres::Error) -> Error {
    Error::Generic { store: STORE, source: text(&error).into() }
}

fn not_found(path: &Path) -> Error {
    Error::NotFound { path: path.to_string(), source: "there is no such file".into() }
}

fn not_offered(operation: &str) -> Error {
    Error::NotImplemented { operation: operation.to_owned(), implementer: STORE.to_owned() }
}

impl PgFiles {
    /// The files of a database.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self { target, client: Arc::default() }
    }

    async fn client(&self) -> Result<Arc<Client>> {
        let mut client = self.client.lock().await;
        if let Some(open) = client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(open));
        }
        let unreachable =
            |error: OpenError| Error::Generic { store: STORE, source: error.to_string().into() };
        let (fresh, connection) = self.target.connect().await.map_err(unreachable)?;
        tokio::spawn(connection);
        let fresh = Arc::new(fresh);
        *client = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    async fn delete(&self, path: Path) -> Result<Path> {
        let gone = self.client().await?.execute(DELETE, &[&path.as_ref()]).await.map_err(failed)?;
        if gone == 0 { Err(not_found(&path)) } else { Ok(path) }
    }
}

/// Reads the first three columns.
fn meta(row: &Row) -> Result<ObjectMeta> {
    let key: &str = row.try_get(0).map_err(failed)?;
    let (created_at, size): (i64, i64) = (row.try_get(1).map_err(failed)?, row.try_get(2).map_err(failed)?);
    Ok(ObjectMeta {
        location: Path::parse(key)?,
        last_modified: DateTime::from_timestamp_millis(created_at).unwrap_or_default(),
        size: size.unsigned_abs(),
        e_tag: None,
        version: None,
    })
}

#[async_trait]
impl ObjectStore for PgFiles {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let sql = match options.mode {
            PutMode::Create => INSERT,
            PutMode::Overwrite => REPLACE,
            PutMode::Update(_) => return Err(not_offered("put_opts with an update")),
        };
        let body = Bytes::from(payload);
        let put = self.client().await?.execute(sql, &[&location.as_ref(), &body.as_ref()]).await;
        if put.map_err(failed)? == 0 {
            let source = "there is such a file already".into();
            return Err(Error::AlreadyExists { path: location.to_string(), source });
        }
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(not_offered("put_multipart_opts"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let sql = if options.head { HEAD } else { GET };
        let found = self.client().await?.query_opt(sql, &[&location.as_ref()]).await.map_err(failed)?;
        let row = found.ok_or_else(|| not_found(location))?;
        let meta = meta(&row)?;
        options.check_preconditions(&meta)?;
        let body = if options.head { Vec::new() } else { row.try_get::<_, Vec<u8>>(3).map_err(failed)? };
        let mut range: Range<u64> = 0..meta.size;
        let mut body = Bytes::from(body);
        if let Some(wanted) = options.range {
            let wanted = wanted
                .as_range(meta.size)
                .map_err(|error| Error::Generic { store: STORE, source: error.to_string().into() })?;
            if !options.head {
                let index = |at: u64| usize::try_from(at).expect("it is in memory");
                body = body.slice(index(wanted.start)..index(wanted.end));
            }
            range = wanted;
        }
        let payload = GetResultPayload::Stream(stream::once(async move { Ok(body) }).boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::new(), extensions: Default::default() })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let files = self.clone();
        locations
            .and_then(move |path| {
                let files = files.clone();
                async move { files.delete(path).await }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let files = self.clone();
        let listed = async move {
            let rows = files.client().await?.query(LIST, &[&prefix]).await.map_err(failed)?;
            Ok::<_, Error>(stream::iter(rows.iter().map(meta).collect::<Vec<_>>()))
        };
        stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let objects = self.list(prefix).try_collect().await?;
        Ok(ListResult { common_prefixes: Vec::new(), objects, extensions: Default::default() })
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(not_offered("copy_opts"))
    }
}
