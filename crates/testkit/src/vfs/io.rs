//! The callbacks of one open file.
//!
//! SQLite calls them for one handle from one thread at a time (its connection's mutex sees to that), and each takes
//! the disk's lock for as long as it runs.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use rusqlite::ffi;

use super::Shared;
use super::locks::{Busy, HandleId, Level};
use super::node::{Change, SECTOR_BYTES};
use super::register::METHODS;
use super::shm::Shm;
use super::state::{Fault, NodeId, Scope};

/// What SQLite calls an open file: its own part first, then ours.
#[repr(C)]
pub(super) struct Handle {
    base: ffi::sqlite3_file,
    opened: *mut Opened,
}

/// Our part of an open file.
pub(super) struct Opened {
    pub(super) shared: Arc<Shared>,
    pub(super) node: NodeId,
    pub(super) id: HandleId,
    pub(super) generation: u64,
    /// What the next sync of this handle makes durable.
    pub(super) next_sync: Scope,
    /// The name to remove when the file is closed.
    pub(super) delete_on_close: Option<String>,
    pub(super) shm: Option<Arc<Shm>>,
}

impl Handle {
    /// Marks a file as not opened: SQLite then calls none of its methods, `xClose` included.
    ///
    /// # Safety
    /// `file` must point to memory for a [`Handle`].
    pub(super) unsafe fn clear(file: *mut ffi::sqlite3_file) {
        // SAFETY: as the caller promises; `write` does not read the uninitialized memory.
        unsafe {
            let base = ffi::sqlite3_file { pMethods: std::ptr::null() };
            file.cast::<Self>().write(Self { base, opened: std::ptr::null_mut() });
        }
    }

    /// Makes a file opened.
    ///
    /// # Safety
    /// `file` must point to memory for a [`Handle`].
    pub(super) unsafe fn fill(file: *mut ffi::sqlite3_file, opened: Opened) {
        // SAFETY: as the caller promises.
        unsafe {
            let base = ffi::sqlite3_file { pMethods: &raw const METHODS };
            file.cast::<Self>().write(Self { base, opened: Box::into_raw(Box::new(opened)) });
        }
    }
}

/// # Safety
/// `file` must have been filled by [`Handle::fill`] and not closed, and be used by nobody else during `'a`.
pub(super) unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Opened {
    // SAFETY: as the caller promises.
    unsafe { &mut *(*file.cast::<Handle>()).opened }
}

fn code(result: Result<(), Fault>, no_power: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Fault::NoPower) => no_power,
        Err(Fault::Full) => ffi::SQLITE_FULL,
    }
}

pub(super) fn busy_code(result: Result<(), Busy>) -> c_int {
    if result.is_ok() { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

pub(super) fn size(value: impl TryInto<usize>) -> usize {
    value.try_into().unwrap_or_else(|_| panic!("SQLite gave a negative size or offset"))
}

pub(super) unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once; the box came from `Handle::fill` and nothing uses it afterwards.
    let opened = unsafe { Box::from_raw((*file.cast::<Handle>()).opened) };
    let mut state = opened.shared.lock();
    if let Ok(node) = state.node(opened.node, opened.generation) {
        node.locks.unlock(opened.id, Level::None);
        if let Some(name) = &opened.delete_on_close {
            // Losing a temporary file's removal to a power failure is nothing the caller must hear of.
            let _ = state.delete(name, Scope::File);
        }
    }
    state.close(opened.node, opened.generation);
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    bytes: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives an open file and a buffer of `bytes` bytes, which is zeroed before a reference to it exists.
    let (opened, buffer) = unsafe {
        buffer.cast::<u8>().write_bytes(0, size(bytes));
        (opened(file), std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size(bytes)))
    };
    match opened.shared.lock().node(opened.node, opened.generation) {
        Ok(node) if node.read(size(offset), buffer) => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

pub(super) unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    buffer: *const c_void,
    bytes: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives an open file and a buffer of `bytes` initialized bytes.
    let (opened, buffer) =
        unsafe { (opened(file), std::slice::from_raw_parts(buffer.cast::<u8>(), size(bytes))) };
    let change = Change::Write { offset: size(offset), bytes: buffer.to_vec() };
    code(opened.shared.lock().change(opened.node, opened.generation, change), ffi::SQLITE_IOERR_WRITE)
}

pub(super) unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite gives an open file.
    let opened = unsafe { opened(file) };
    let change = Change::Truncate { len: size(len) };
    code(opened.shared.lock().change(opened.node, opened.generation, change), ffi::SQLITE_IOERR_TRUNCATE)
}

pub(super) unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let opened = unsafe { opened(file) };
    let result = opened.shared.lock().sync(opened.node, opened.generation, opened.next_sync);
    if result.is_ok() {
        opened.next_sync = Scope::File;
    }
    code(result, ffi::SQLITE_IOERR_FSYNC)
}

pub(super) unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    let (opened, out) = unsafe { (opened(file), &mut *out) };
    match opened.shared.lock().node(opened.node, opened.generation) {
        Ok(node) => {
            *out = node.content.len().try_into().unwrap_or(ffi::sqlite3_int64::MAX);
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

pub(super) unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let opened = unsafe { opened(file) };
    match opened.shared.lock().node(opened.node, opened.generation) {
        Ok(node) => busy_code(node.locks.lock(opened.id, level_of(level))),
        Err(_) => ffi::SQLITE_IOERR_LOCK,
    }
}

pub(super) unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite gives an open file.
    let opened = unsafe { opened(file) };
    if let Ok(node) = opened.shared.lock().node(opened.node, opened.generation) {
        node.locks.unlock(opened.id, level_of(level));
    }
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    let (opened, out) = unsafe { (opened(file), &mut *out) };
    match opened.shared.lock().node(opened.node, opened.generation) {
        Ok(node) => {
            *out = c_int::from(node.locks.is_reserved());
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    }
}

/// `SQLITE_LOCK_PENDING` is never asked for by name, so it counts as exclusive.
fn level_of(level: c_int) -> Level {
    match level {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        _ => Level::Exclusive,
    }
}

pub(super) unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

pub(super) unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_BYTES.try_into().expect("a small constant")
}

pub(super) unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
