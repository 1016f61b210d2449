//! The VFS as SQLite sees it: registration, and the callbacks that concern names rather than open files.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::ffi;

use super::Shared;
use super::io::{self, Handle, Opened};
use super::shm;
use super::state::{Fault, Scope, State};

/// The longest name of a file in bytes, its terminating zero included.
const PATH_LIMIT_BYTES: usize = 4096;

/// The kinds of files whose first sync also syncs their directory, as in SQLite's own VFS.
const JOURNAL_TYPES: c_int =
    ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;

/// Connections that name no VFS go on opening on the real disk.
const NOT_THE_DEFAULT: c_int = 0;

/// What `pAppData` points to.
struct App {
    shared: Arc<Shared>,
    /// The VFS that was the default before; time, sleep and randomness come from it.
    host: *mut ffi::sqlite3_vfs,
}

/// Makes an empty disk and registers it. The VFS is never freed: connections may use it until the process ends.
pub(super) fn register() -> Arc<Shared> {
    static DISKS: AtomicU64 = AtomicU64::new(0);
    let vfs_name = format!("lastseat-power-{}", DISKS.fetch_add(1, Ordering::Relaxed));
    let c_name = CString::new(vfs_name.clone()).expect("a name without a zero byte");
    let shared = Arc::new(Shared { vfs_name, state: Mutex::new(State::default()) });
    // SAFETY: a null name asks for the default VFS; SQLite initializes itself on the call.
    let host = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
    assert!(!host.is_null(), "SQLite was built without a VFS of its own");
    let app = Box::leak(Box::new(App { shared: Arc::clone(&shared), host }));
    let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<Handle>().try_into().expect("a few words"),
        mxPathname: PATH_LIMIT_BYTES.try_into().expect("a small constant"),
        pNext: std::ptr::null_mut(),
        zName: c_name.into_raw(),
        pAppData: std::ptr::from_mut(app).cast::<c_void>(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: `vfs`, its name and its data were leaked above, so they live and stay in place for ever.
    let code = unsafe { ffi::sqlite3_vfs_register(vfs, NOT_THE_DEFAULT) };
    assert_eq!(code, ffi::SQLITE_OK, "SQLite refused to register the VFS");
    shared
}

/// # Safety
/// `vfs` must be one that [`register`] made.
unsafe fn app<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a App {
    // SAFETY: `register` set `pAppData` to an `App` that is never freed and never written again.
    unsafe { &*(*vfs).pAppData.cast::<App>() }
}

/// # Safety
/// `name` must be null or a C string that outlives the call.
unsafe fn text(name: *const c_char) -> Option<String> {
    // SAFETY: as the caller promises, and the copy ends the borrow.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives `szOsFile` bytes at `file`, that is a `Handle`, the VFS it was registered with, and either
    // a null name or a C string; `out_flags` may be null.
    unsafe {
        Handle::clear(file);
        let shared = &app(vfs).shared;
        let name = text(name);
        let mut state = shared.lock();
        if !state.is_powered() {
            return ffi::SQLITE_CANTOPEN;
        }
        let exists = name.as_deref().is_some_and(|name| state.content(name).is_some());
        if exists && flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0 {
            return ffi::SQLITE_CANTOPEN;
        }
        let create = name.is_none() || flags & ffi::SQLITE_OPEN_CREATE != 0;
        let Some(node) = state.open(name.as_deref(), create) else { return ffi::SQLITE_CANTOPEN };
        let id = state.next_id();
        let opened = Opened {
            shared: Arc::clone(shared),
            node,
            id,
            generation: state.generation(),
            next_sync: if create && flags & JOURNAL_TYPES != 0 {
                Scope::FileAndDirectory
            } else {
                Scope::File
            },
            delete_on_close: if flags & ffi::SQLITE_OPEN_DELETEONCLOSE == 0 { None } else { name },
            shm: None,
        };
        Handle::fill(file, opened);
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite gives the VFS it was registered with and a C string.
    let (app, name) = unsafe { (app(vfs), text(name).unwrap_or_default()) };
    let scope = if sync_directory == 0 { Scope::File } else { Scope::FileAndDirectory };
    match app.shared.lock().delete(&name, scope) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(Fault::NoPower | Fault::Full) => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: as in `delete`; `out` is a valid place for the answer.
    unsafe {
        let name = text(name).unwrap_or_default();
        let state = app(vfs).shared.lock();
        if !state.is_powered() {
            return ffi::SQLITE_IOERR_ACCESS;
        }
        // SQLite's own VFS says of an empty file that it does not exist: an empty journal is none.
        let size = state.content(&name).map(<[u8]>::len);
        let yes = if flags == ffi::SQLITE_ACCESS_EXISTS { size > Some(0) } else { size.is_some() };
        *out = c_int::from(yes);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    out_bytes: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: `name` is a C string and `out` has room for `out_bytes` bytes; the length is checked before the copy.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if usize::try_from(out_bytes).is_ok_and(|room| name.len() <= room) {
            std::ptr::copy_nonoverlapping(name.as_ptr().cast::<c_char>(), out, name.len());
            return ffi::SQLITE_OK;
        }
    }
    ffi::SQLITE_CANTOPEN
}

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, bytes: c_int, out: *mut c_char) -> c_int {
    // SAFETY: the host's callback with its own VFS, and the arguments SQLite gave for it.
    unsafe {
        let host = app(vfs).host;
        (*host).xRandomness.map_or(0, |callback| callback(host, bytes, out))
    }
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let host = app(vfs).host;
        (*host).xSleep.map_or(0, |callback| callback(host, microseconds))
    }
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let host = app(vfs).host;
        (*host).xCurrentTime.map_or(ffi::SQLITE_ERROR, |callback| callback(host, out))
    }
}

unsafe extern "C" fn current_time_int64(vfs: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let host = app(vfs).host;
        (*host).xCurrentTimeInt64.map_or(ffi::SQLITE_ERROR, |callback| callback(host, out))
    }
}

/// The callbacks of every open file.
pub(super) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(io::close),
    xRead: Some(io::read),
    xWrite: Some(io::write),
    xTruncate: Some(io::truncate),
    xSync: Some(io::sync),
    xFileSize: Some(io::file_size),
    xLock: Some(io::lock),
    xUnlock: Some(io::unlock),
    xCheckReservedLock: Some(io::check_reserved_lock),
    xFileControl: Some(io::file_control),
    xSectorSize: Some(io::sector_size),
    xDeviceCharacteristics: Some(io::device_characteristics),
    xShmMap: Some(shm::shm_map),
    xShmLock: Some(shm::shm_lock),
    xShmBarrier: Some(shm::shm_barrier),
    xShmUnmap: Some(shm::shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
