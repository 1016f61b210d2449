//! The server around the routes: connections with limits of number and time, and an orderly end.
//!
//! Connections are HTTP/1.1; a proxy in front speaks TLS and HTTP/2. Handlers limit the time of bodies; here
//! is what comes before them: who may connect, and how long a head may take. An idle connection costs a task
//! and two small buffers, and is closed after [`HEAD_TIME`].

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service as HyperService;
use hyper_util::rt::{TokioIo, TokioTimer};
use lastseat_core::refusal::Code;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use crate::address::Peer;
use crate::app::app;
use crate::problem::{PROBLEM_JSON, Problem};
use crate::state::AppState;

/// Longest time for the head of a request, counted from the end of the one before: so long may a connection
/// be idle.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// Largest head of a request, in bytes; also the most that is buffered of what a client sends.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 100;
/// How long requests in flight may take after the server was told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// Pause after a connection could not be taken, for want of file descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections beyond the limit that are told so at a time; further ones are closed without a word.
const MAX_REFUSALS: usize = 256;
/// How long one of them may take to listen.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// Serves until `state.closing` is cancelled and the requests in flight are answered, at most [`GRACE`] later.
/// Live streams end at once. The engine is left running: drain it afterwards.
///
/// # Errors
/// If the listener's own address cannot be told.
pub async fn serve(listener: TcpListener, state: AppState) -> io::Result<()> {
    let address = listener.local_addr()?;
    let seats = Arc::new(Semaphore::new(state.config.max_connections));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let closing = state.closing.clone();
    let connections = TaskTracker::new();
    let app = app(state);
    tracing::info!(%address, "serving HTTP");
    loop {
        let accepted = tokio::select! {
            biased;
            () = closing.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            // Each looks at a token of its own: all looking at the one would wait for one another.
            let connection = connection(stream, peer, app.clone(), closing.child_token());
            connections.spawn(async move {
                connection.await;
                drop(seat);
            });
        } else if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
            connections.spawn(async move {
                // Who does not listen in time is closed without it.
                let _ = tokio::time::timeout(REFUSAL_TIME, refuse(stream)).await;
                drop(permit);
            });
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "leaving connections that did not end by themselves");
    }
    Ok(())
}

async fn connection(stream: TcpStream, peer: SocketAddr, app: Router, closing: CancellationToken) {
    // Answers are small and whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let service = Routes { app, peer: Peer(peer.ip()) };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .half_close(true)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// The routes as hyper wants them, with the peer's address in each request.
struct Routes {
    app: Router,
    peer: Peer,
}

impl HyperService<Request<Incoming>> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<axum::routing::future::RouteFuture<Infallible>>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        Box::pin(self.app.clone().call(request.map(Body::new)))
    }
}

/// Tells a connection beyond the limit to come back, and closes it.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let problem = Problem::new(
        Code::Overloaded,
        "There are as many connections as can be served. Try again in a moment.",
    );
    let body = problem.to_json();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {PROBLEM_JSON}\r\ncontent-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // What the client has sent is taken in first: closing with it unread would take the answer away again.
    let mut ignored = [0; 4096];
    let _ = stream.read(&mut ignored).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}
