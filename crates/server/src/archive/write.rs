//! From a data directory to a backup, also while it is being served.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use lastseat_http::receipts::ReceiptKey;
use lastseat_store::Store;
use lastseat_store_sqlite::{FILE_NAME, SqliteStore};

use super::{COPY_BYTES, Entry, FORMAT, Hashing, MANIFEST, Manifest, RECEIPTS};

/// Mode of the entries: the owner may read and write.
const ENTRY_MODE: u32 = 0o600;

/// Writes a backup of `data` to the new file `to`, durably; it appears when it is complete, and is readable
/// to its owner only.
///
/// The database is copied first, as it is at one instant, and the copy is checked: a damaged one makes no
/// backup. A receipt is stored before the booking that names it and is never removed while one does, so the
/// folder has all that the copy names.
pub(crate) fn pack(store: &SqliteStore, data: &Path, to: &Path) -> anyhow::Result<Manifest> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let cannot = || format!("cannot write in {}", folder.display());
    let scratch =
        tempfile::Builder::new().prefix(".lastseat-backup-").tempdir_in(folder).with_context(cannot)?;
    let at = store.reader()?.now().to_string();
    let copy = scratch.path().join(FILE_NAME);
    store.copy_to(&copy).context("no backup was made")?;

    let unfinished = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    let mut tar = tar::Builder::new(BufWriter::with_capacity(COPY_BYTES, unfinished));
    let mut files = vec![append(&mut tar, FILE_NAME, &copy)?];
    for (name, path) in receipts(data)? {
        files.push(append(&mut tar, &name, &path)?);
    }
    let program = format!("lastseat {}", env!("CARGO_PKG_VERSION"));
    let manifest = Manifest { format: FORMAT, program, at, files };
    let text = serde_json::to_vec_pretty(&manifest)?;
    tar.append_data(&mut header(text.len() as u64), MANIFEST, text.as_slice()).with_context(cannot)?;
    let mut out = tar.into_inner().with_context(cannot)?;
    out.flush().with_context(cannot)?;
    let finished = out.into_inner().map_err(io::IntoInnerError::into_error).with_context(cannot)?;
    finished.as_file().sync_all().with_context(cannot)?;
    finished
        .persist_noclobber(to)
        .map_err(|error| error.error)
        .with_context(|| format!("cannot make {}", to.display()))?;
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    Ok(manifest)
}

/// The receipts of a data directory in the order of their names. Other files in the folder are passed over.
fn receipts(data: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let folder = data.join(RECEIPTS);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot list {}", folder.display()))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if let Some(key) = entry.file_name().to_str().and_then(|name| name.parse::<ReceiptKey>().ok()) {
            found.push((format!("{RECEIPTS}/{key}"), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

fn append(tar: &mut tar::Builder<impl Write>, name: &str, path: &Path) -> anyhow::Result<Entry> {
    let cannot = || format!("cannot copy {}", path.display());
    let file = File::open(path).with_context(cannot)?;
    let size = file.metadata().with_context(cannot)?.len();
    let mut hashing = Hashing::new(file);
    tar.append_data(&mut header(size), name, &mut hashing).with_context(cannot)?;
    let entry = hashing.entry(name);
    anyhow::ensure!(entry.bytes == size, "{} changed while it was copied", path.display());
    Ok(entry)
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(ENTRY_MODE);
    header.set_size(size);
    header
}
