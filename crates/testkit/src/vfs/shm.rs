//! The memory that WAL connections share (the WAL index): regions on the heap that never move.
//!
//! SQLite reads and writes it through raw pointers from several threads, in step with its own locks and barriers,
//! so this module never makes a reference to its content.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::io::{busy_code, opened, size};
use super::locks::{SHM_SLOTS, ShmLocks};

/// The alignment of a region in bytes; SQLite stores 8-byte values in it.
const REGION_ALIGN_BYTES: usize = 8;

/// One database's WAL index. Freed when the last handle that maps it lets go.
#[derive(Debug, Default)]
pub(super) struct Shm {
    inner: Mutex<Inner>,
}

/// The regions and the locks of one WAL index.
#[derive(Debug, Default)]
pub(super) struct Inner {
    regions: Vec<Region>,
    pub(super) locks: ShmLocks,
}

impl Shm {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The start of region `index`, made of zeros if it is new and `extend` allows it; `None` if there is none.
    pub(super) fn region(&mut self, index: usize, bytes: usize, extend: bool) -> Option<NonNull<u8>> {
        while extend && self.regions.len() <= index {
            self.regions.push(Region::zeroed(bytes)?);
        }
        self.regions.get(index).map(|region| region.start)
    }
}

#[derive(Debug)]
struct Region {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: a region owns its allocation; the pointer is handed to SQLite only, which orders its accesses itself, and
// no reference to the content exists on the Rust side.
unsafe impl Send for Region {}

impl Region {
    fn zeroed(bytes: usize) -> Option<Self> {
        let layout = Layout::from_size_align(bytes.max(1), REGION_ALIGN_BYTES).ok()?;
        // SAFETY: the layout's size is at least 1.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { start, layout })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with the same layout, and freed once. Every handle that mapped the region held
        // an `Arc` of its `Shm`, so no connection uses it any more.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

pub(super) unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    region_bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite gives an open file and a place for the answer.
    let (opened, out) = unsafe { (opened(file), &mut *out) };
    *out = std::ptr::null_mut();
    let mut state = opened.shared.lock();
    let Ok(node) = state.node(opened.node, opened.generation) else { return ffi::SQLITE_IOERR_SHMMAP };
    let shm = opened.shm.get_or_insert_with(|| {
        node.shm.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(Shm::default());
            node.shm = Arc::downgrade(&fresh);
            fresh
        })
    });
    if let Some(start) = shm.lock().region(size(region), size(region_bytes), extend != 0) {
        *out = start.as_ptr().cast::<c_void>();
    } else if extend != 0 {
        return ffi::SQLITE_NOMEM;
    }
    ffi::SQLITE_OK
}

pub(super) unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: SQLite gives an open file.
    let opened = unsafe { opened(file) };
    let slots: Range<usize> = size(offset)..size(offset) + size(count);
    let Some(shm) = &opened.shm else { return ffi::SQLITE_IOERR_SHMLOCK };
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        shm.lock().locks.release(opened.id, slots);
        return ffi::SQLITE_OK;
    }
    if opened.shared.lock().node(opened.node, opened.generation).is_err() {
        return ffi::SQLITE_IOERR_SHMLOCK;
    }
    let mut inner = shm.lock();
    busy_code(if flags & ffi::SQLITE_SHM_SHARED == 0 {
        inner.locks.exclude(opened.id, slots)
    } else {
        inner.locks.share(opened.id, slots)
    })
}

pub(super) unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

pub(super) unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite gives an open file and uses none of its regions afterwards. The index
    // goes away with the last handle that maps it, whether or not SQLite asks for its deletion.
    let opened = unsafe { opened(file) };
    if let Some(shm) = opened.shm.take() {
        shm.lock().locks.release(opened.id, 0..SHM_SLOTS);
    }
    ffi::SQLITE_OK
}
