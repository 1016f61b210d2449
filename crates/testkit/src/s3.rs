//! An S3 server in this process, on a temporary directory: it checks signatures and conditions as real ones do.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The only key that is let in.
const KEY: (&str, &str) = ("lastseat-test-key", "lastseat-test-secret");
/// The one bucket.
const BUCKET: &str = "receipts";

/// A running S3 server with one empty bucket. Dropping it stops it and removes what it holds.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    dir: TempDir,
    _alive: oneshot::Sender<()>,
}

impl S3 {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no port, no thread or no temporary directory for it.
    pub fn start() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("lastseat-s3-").tempdir()?;
        std::fs::create_dir(dir.path().join(BUCKET)).context("cannot make a bucket")?;
        let files =
            FileSystem::new(dir.path()).map_err(|error| anyhow::anyhow!("cannot serve: {error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY.0, KEY.1));
        let service = service.build();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (alive, ended) = oneshot::channel();
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    served = serve(listener, service) => served,
                    _ = ended => Ok(()),
                }
            })
        };
        std::thread::Builder::new().name("s3".to_owned()).spawn(serve).context("cannot start a thread")?;
        Ok(Self { address, dir, _alive: alive })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a prefix in its bucket.
    #[must_use]
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// The directory of a prefix, with a file for each object.
    #[must_use]
    pub fn dir_of(&self, prefix: &str) -> PathBuf {
        self.dir.path().join(BUCKET).join(prefix)
    }

    /// The variables with which it is reached at `address`: its own, or a proxy's before it.
    #[must_use]
    pub fn variables_at(&self, address: SocketAddr) -> [(&'static str, String); 4] {
        [
            ("AWS_ACCESS_KEY_ID", KEY.0.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", KEY.1.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
    }
}

async fn serve(listener: std::net::TcpListener, service: S3Service) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
        // A client that hangs up is none of the test's business.
        tokio::spawn(async move { drop(connection.await) });
    }
}
