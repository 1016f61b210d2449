//! One direction of a connection: what was read, and when it is to be written.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Instant;

/// How much a direction holds, in bytes. When that is reached the sender has to wait, as on a full line.
const QUEUE_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// What becomes of the bytes of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// They arrive after the delay.
    Pass,
    /// They wait until they may pass again; nothing is lost, nothing overtakes. A sender that hangs up meanwhile does
    /// so, for the receiver, after all that it has sent.
    Hold,
    /// They are lost.
    Drop,
}

/// Whether something waits for [`Pipe::heal`], and all behind it too, whatever the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
}

/// Bytes, or, if there are none, the end.
#[derive(Debug)]
struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
    /// How many of them have been written.
    written: usize,
    held: Held,
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) from: Arc<TcpStream>,
    pub(super) to: Arc<TcpStream>,
    queue: VecDeque<Parcel>,
    queued_bytes: usize,
    /// The sender has not ended yet.
    reading: bool,
    /// The receiver still takes something.
    writing: bool,
    /// The receiver is slow: the line to it is full.
    full: bool,
    /// Everything is lost, whatever the flow.
    pub(super) swallows: bool,
}

impl Pipe {
    /// Between sockets that do not block.
    pub(super) fn new(from: Arc<TcpStream>, to: Arc<TcpStream>) -> Self {
        Self {
            from,
            to,
            queue: VecDeque::new(),
            queued_bytes: 0,
            reading: true,
            writing: true,
            full: false,
            swallows: false,
        }
    }

    /// Whether to look for something to read.
    pub(super) fn wants_to_read(&self) -> bool {
        self.reading && self.queued_bytes < QUEUE_LIMIT_BYTES
    }

    /// Whether to look for room to write.
    pub(super) fn wants_to_write(&self) -> bool {
        self.writing && self.full
    }

    /// When there is something to write, if it need not wait for anything but the time.
    pub(super) fn next_due(&self, flow: Flow) -> Option<Instant> {
        let first = self.queue.front()?;
        let waits = first.held == Held::Yes || self.full || self.flow(flow) == Flow::Hold;
        (!waits).then_some(first.due)
    }

    /// Whether nothing will ever pass again.
    pub(super) fn is_over(&self) -> bool {
        !self.reading && (self.queue.is_empty() || !self.writing)
    }

    /// Reads what there is: `None` if it is nothing, no bytes if it is the end.
    pub(super) fn receive<'a>(&mut self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        match (&*self.from).read(buffer) {
            Ok(0) => self.reading = false,
            Ok(read) => return Some(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return None;
            }
            Err(_) => self.reading = false,
        }
        Some(&[])
    }

    /// Queues bytes that were read, or the end, behind all that is queued already: even if what is before it is due later,
    /// as when a delay is made shorter.
    pub(super) fn queue(&mut self, bytes: &[u8], due: Instant, held: Held) {
        if self.writing {
            self.queued_bytes += bytes.len();
            self.queue.push_back(Parcel { due, bytes: bytes.to_vec(), written: 0, held });
        }
    }

    /// Lets pass what was held and swallowed by itself.
    pub(super) fn heal(&mut self) {
        self.swallows = false;
        for parcel in &mut self.queue {
            parcel.held = Held::No;
        }
    }

    /// The receiver may have room again.
    pub(super) fn has_room(&mut self) {
        self.full = false;
    }

    /// Writes what is due.
    pub(super) fn deliver(&mut self, now: Instant, flow: Flow) {
        let flow = self.flow(flow);
        while let Some(first) = self.queue.front_mut() {
            if self.full || first.held == Held::Yes || flow == Flow::Hold || first.due > now {
                return;
            }
            if first.bytes.is_empty() {
                // It fails when the receiver is gone.
                let _ = self.to.shutdown(Shutdown::Write);
                self.writing = false;
            } else if flow == Flow::Pass {
                match (&*self.to).write(&first.bytes[first.written..]) {
                    Ok(written) => first.written += written,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => self.full = true,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    // Nobody is there any more to take it.
                    Err(_) => self.writing = false,
                }
                if self.writing && first.written < first.bytes.len() {
                    continue;
                }
            }
            if self.writing {
                self.queued_bytes -= first.bytes.len();
                self.queue.pop_front();
            } else {
                self.queued_bytes = 0;
                self.queue.clear();
            }
        }
    }

    fn flow(&self, flow: Flow) -> Flow {
        if self.swallows { Flow::Drop } else { flow }
    }
}
