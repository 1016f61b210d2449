//! All connections of a proxy, and the loop that serves them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU64;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, connect, shutdown, socket_with};

use super::Fault;
use super::pipe::{Flow, Held, Pipe};
use super::sleeper::{Sleeper, Watched};

/// Most that is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// How late the kernel may wake the thread beyond what waking takes, in nanoseconds.
const TIMER_SLACK_NANOS: NonZeroU64 = NonZeroU64::MIN;

/// All connections, and what is done to them.
#[derive(Debug)]
pub(super) struct Line {
    to: SocketAddr,
    listener: Option<Arc<TcpListener>>,
    connections: BTreeMap<u64, Connection>,
    /// The number of the next connection.
    next: u64,
    /// How long each direction takes.
    pub(super) delay: Duration,
    pub(super) requests: Flow,
    pub(super) answers: Flow,
    armed: Option<(Vec<u8>, Fault)>,
    struck: bool,
    ended: bool,
}

#[derive(Debug)]
struct Connection {
    requests: Pipe,
    answers: Pipe,
    /// The last of what the client has sent, in which an armed request may have begun.
    tail: Vec<u8>,
}

impl Line {
    pub(super) fn new(listener: TcpListener, to: SocketAddr, delay: Duration) -> Self {
        Self {
            to,
            listener: Some(Arc::new(listener)),
            connections: BTreeMap::new(),
            next: 0,
            delay,
            requests: Flow::Pass,
            answers: Flow::Pass,
            armed: None,
            struck: false,
            ended: false,
        }
    }

    pub(super) fn arm(&mut self, request: &[u8], fault: Fault) {
        self.armed = (!request.is_empty()).then(|| (request.to_vec(), fault));
        self.struck = false;
        for connection in self.connections.values_mut() {
            connection.tail.clear();
        }
    }

    pub(super) fn has_struck(&self) -> bool {
        self.struck
    }

    pub(super) fn heal(&mut self) {
        (self.requests, self.answers, self.armed) = (Flow::Pass, Flow::Pass, None);
        for connection in self.connections.values_mut() {
            connection.requests.heal();
            connection.answers.heal();
        }
    }

    pub(super) fn cut(&mut self) {
        for connection in std::mem::take(&mut self.connections).into_values() {
            for socket in [&connection.requests.from, &connection.requests.to] {
                // Closing then resets; it fails when the connection is gone.
                let _ = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
            }
        }
    }

    pub(super) fn refuse(&mut self) {
        if let Some(listener) = self.listener.take() {
            // At once, for the loop may hold it a moment longer.
            let _ = shutdown(&listener, Shutdown::Both);
        }
    }

    pub(super) fn is_listening(&self) -> bool {
        self.listener.is_some()
    }

    pub(super) fn listen(&mut self, listener: TcpListener) {
        self.listener = Some(Arc::new(listener));
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// What to wait for, and until when.
    fn watched(&self) -> (Vec<Watched<Who>>, Option<Instant>) {
        let mut watched = Vec::with_capacity(2 * self.connections.len() + 1);
        if let Some(listener) = &self.listener {
            watched.push(Watched {
                socket: Arc::<TcpListener>::clone(listener),
                who: Who::Listener,
                events: PollFlags::IN,
            });
        }
        let mut next = None;
        for (no, Connection { requests, answers, .. }) in &self.connections {
            for (reads, writes, who) in
                [(requests, answers, Who::Client(*no)), (answers, requests, Who::Server(*no))]
            {
                let mut events = PollFlags::empty();
                events.set(PollFlags::IN, reads.wants_to_read());
                events.set(PollFlags::OUT, writes.wants_to_write());
                if !events.is_empty() {
                    watched.push(Watched { socket: Arc::<TcpStream>::clone(&reads.from), who, events });
                }
            }
            let due = [requests.next_due(self.requests), answers.next_due(self.answers)];
            next = due.into_iter().flatten().chain(next).min();
        }
        (watched, next)
    }

    /// Takes the clients that wait, and connects each to the server.
    fn accept_all(&mut self) {
        while let Some(Ok((client, _))) = self.listener.as_ref().map(|listener| listener.accept()) {
            // Nothing but a lack of files stands against it; the client then finds itself hung up on.
            if let Ok(connection) = connection(client, self.to) {
                self.connections.insert(self.next, connection);
                self.next += 1;
            }
        }
    }

    /// Sees to a socket at which something happened.
    fn attend(&mut self, who: Who, events: PollFlags, arrived: Instant, buffer: &mut [u8]) {
        // Hanging up and errors show when one reads or writes.
        let (readable, writable) =
            (!(events - PollFlags::OUT).is_empty(), !(events - PollFlags::IN).is_empty());
        let (Who::Client(no) | Who::Server(no)) = who else {
            return self.accept_all();
        };
        let Some(Connection { requests, answers, .. }) = self.connections.get_mut(&no) else { return };
        let (reads, writes) = match who {
            Who::Server(_) => (answers, requests),
            _ => (requests, answers),
        };
        if writable {
            writes.has_room();
        }
        if readable && reads.wants_to_read() {
            match who {
                Who::Server(_) => self.answer(no, arrived, buffer),
                _ => self.request(no, arrived, buffer),
            }
        }
    }

    /// Reads what a client has sent.
    fn request(&mut self, no: u64, arrived: Instant, buffer: &mut [u8]) {
        let Some(Connection { requests, answers, tail }) = self.connections.get_mut(&no) else { return };
        let Some(bytes) = requests.receive(buffer) else { return };
        let due = arrived + self.delay;
        let seen = self.armed.as_ref().and_then(|(request, fault)| {
            let start = find_across(tail, bytes, request)?;
            Some((start, *fault))
        });
        match seen {
            Some((start, Fault::HoldRequests)) => {
                if start > 0 {
                    requests.queue(&bytes[..start], due, Held::No);
                }
                requests.queue(&bytes[start..], due, Held::Yes);
            }
            Some((_, Fault::SwallowAnswers)) => {
                answers.swallows = true;
                requests.queue(bytes, due, Held::No);
            }
            None => requests.queue(bytes, due, Held::No),
        }
        if seen.is_some() {
            (self.armed, self.struck) = (None, true);
        }
    }

    /// Reads what the server has sent.
    fn answer(&mut self, no: u64, arrived: Instant, buffer: &mut [u8]) {
        let Some(Connection { answers, .. }) = self.connections.get_mut(&no) else { return };
        if let Some(bytes) = answers.receive(buffer) {
            answers.queue(bytes, arrived + self.delay, Held::No);
        }
    }

    /// Writes what is due.
    fn deliver(&mut self) {
        let now = Instant::now();
        for Connection { requests, answers, .. } in self.connections.values_mut() {
            requests.deliver(now, self.requests);
            answers.deliver(now, self.answers);
        }
        self.connections
            .retain(|_, connection| !(connection.requests.is_over() && connection.answers.is_over()));
    }
}

/// Whose a socket is.
#[derive(Clone, Copy)]
enum Who {
    Listener,
    /// The client of the connection of this number.
    Client(u64),
    /// The server of the connection of this number.
    Server(u64),
}

/// Serves the connections until the end. Something arrives at `woken` when they have been changed elsewhere.
pub(super) fn serve(line: &Mutex<Line>, woken: &UnixStream) {
    // Without it everything comes a little later.
    let _ = rustix::thread::set_current_timer_slack(Some(TIMER_SLACK_NANOS));
    let lock = || line.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut sleeper, mut buffer) = (Sleeper::default(), vec![0; READ_BYTES]);
    loop {
        let (watched, next) = lock().watched();
        let (ready, arrived) = sleeper.sleep(woken, &watched, next);
        let mut line = lock();
        if line.ended {
            line.cut();
            return;
        }
        for (Watched { who, .. }, events) in watched.iter().zip(ready) {
            line.attend(*who, events, arrived, &mut buffer);
        }
        line.deliver();
    }
}

/// A client with a connection to the server, which may still be under way: until then nothing can be written to it.
fn connection(client: TcpStream, to: SocketAddr) -> std::io::Result<Connection> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let server = socket_with(family, SocketType::STREAM, flags, None)?;
    match connect(&server, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let (client, server) = (Arc::new(client), Arc::new(TcpStream::from(server)));
    client.set_nonblocking(true)?;
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
    }
    let requests = Pipe::new(Arc::clone(&client), Arc::clone(&server));
    Ok(Connection { requests, answers: Pipe::new(server, client), tail: Vec::new() })
}

/// Where in `bytes` the first `wanted` starts, which may have begun in the bytes before, whose last are in `tail`: then it
/// is at 0. Afterwards `tail` has the last of `bytes`.
fn find_across(tail: &mut Vec<u8>, bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let before = tail.len();
    tail.extend_from_slice(bytes);
    let found = tail.windows(wanted.len()).position(|window| window == wanted);
    let kept = wanted.len().saturating_sub(1).min(tail.len());
    tail.drain(..tail.len() - kept);
    found.map(|start| start.saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_found_though_it_comes_in_pieces() {
        let mut tail = Vec::new();
        assert_eq!(find_across(&mut tail, b"BEGIN; COM", b"COMMIT"), None);
        assert_eq!(find_across(&mut tail, b"M", b"COMMIT"), None);
        assert_eq!(find_across(&mut tail, b"IT;", b"COMMIT"), Some(0));
        assert_eq!(find_across(&mut tail, b"; COMMIT", b"COMMIT"), Some(2));
        assert_eq!(find_across(&mut tail, b"", b"COMMIT"), None);
    }
}
