//! A TCP proxy that makes a line longer, and breaks it.
//!
//! One thread serves all connections. It stamps what it reads, queues it, and writes it when it is due: the bandwidth
//! stays, the order stays, only time is added. It sleeps by `ppoll`, which counts nanoseconds, without the slack that
//! threads are usually given; for the last moment it does not sleep; and it takes into account how late it wakes.
//! Connecting itself is not delayed.
//!
//! - `pipe`: one direction of a connection.
//! - `line`: all connections, and what is done to them; the loop that serves them.
//! - `sleeper`: waiting for the next thing to do.

mod line;
mod pipe;
mod sleeper;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;

use self::line::Line;
pub use self::pipe::Flow;
use crate::free_port;

/// What happens to one connection when a request is seen on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server gets the request, but nothing that it sends from then on arrives.
    SwallowAnswers,
    /// The server gets all that came before the request; the request and all that follows it waits for
    /// [`Proxy::heal`], even if the client hangs up meanwhile.
    HoldRequests,
}

/// A running proxy. What its methods do is done when they return. Dropping it closes all of its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Mutex<Line>>,
    waker: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on 127.0.0.1, and forwards to `to`; each direction is delayed by half of `added_round_trip`.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub fn start(to: SocketAddr, added_round_trip: Duration) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let line = Arc::new(Mutex::new(Line::new(listen(address)?, to, added_round_trip / 2)));
        let (waker, woken) = UnixStream::pair().context("cannot make a pair of sockets")?;
        waker.set_nonblocking(true).context("cannot set up a socket")?;
        woken.set_nonblocking(true).context("cannot set up a socket")?;
        let thread = std::thread::Builder::new().name("delaying proxy".to_owned());
        let served = Arc::clone(&line);
        let thread = thread.spawn(move || line::serve(&served, &woken)).context("cannot start a thread")?;
        Ok(Self { address, line, waker, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Delays what is read from now on by half of this in each direction.
    pub fn set_added_round_trip(&self, added: Duration) {
        self.change(|line| line.delay = added / 2);
    }

    /// What becomes of what clients send, on all connections, from now on.
    pub fn requests(&self, flow: Flow) {
        self.change(|line| line.requests = flow);
    }

    /// What becomes of what the server sends, on all connections, from now on.
    pub fn answers(&self, flow: Flow) {
        self.change(|line| line.answers = flow);
    }

    /// Does this to the first connection on which a client sends these bytes. It strikes once; arming it again replaces
    /// what was armed before.
    pub fn arm(&self, request: &[u8], fault: Fault) {
        self.change(|line| line.arm(request, fault));
    }

    /// Whether the armed fault has struck.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        self.lock().has_struck()
    }

    /// Lets everything pass again, what was held first, and disarms.
    pub fn heal(&self) {
        self.change(Line::heal);
    }

    /// Cuts all connections: both sides are reset, and what was on its way is lost.
    pub fn cut(&self) {
        self.change(Line::cut);
    }

    /// Refuses new connections; those that are open stay.
    pub fn refuse(&self) {
        self.change(Line::refuse);
    }

    /// Takes new connections again.
    ///
    /// # Errors
    /// When somebody else has taken the port meanwhile.
    pub fn accept(&self) -> anyhow::Result<()> {
        let mut line = self.lock();
        if !line.is_listening() {
            line.listen(listen(self.address)?);
        }
        drop(line);
        self.wake();
        Ok(())
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock().len()
    }

    fn change(&self, change: impl FnOnce(&mut Line)) {
        change(&mut self.lock());
        self.wake();
    }

    fn wake(&self) {
        use std::io::Write;
        // When it cannot take more it has been woken already.
        let _ = (&self.waker).write(&[1]);
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.change(Line::end);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true).context("cannot set up a socket")?;
    Ok(listener)
}
