//! From a backup to a directory. Nothing of it is trusted: names, sizes and digests are checked, and a file
//! that was cut off or changed is refused as a whole.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use lastseat_store_sqlite::FILE_NAME;

use super::{
    COPY_BYTES, Entry, FORMAT, Hashing, MANIFEST, MAX_MANIFEST_BYTES, Manifest, RECEIPTS, is_expected,
};

/// Unpacks the backup `from` into the empty directory `into`, durably.
///
/// # Errors
/// A sentence, if it is no backup, is cut off, damaged, or of a newer program.
pub(crate) fn unpack(from: &Path, into: &Path) -> anyhow::Result<Manifest> {
    let file = File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    let mut tar = tar::Archive::new(BufReader::with_capacity(COPY_BYTES, file));
    DirBuilder::new()
        .mode(0o700)
        .create(into.join(RECEIPTS))
        .context("cannot make the folder for receipts")?;
    let mut found = Vec::new();
    let mut manifest = None;
    let damaged = || format!("{} is no backup of lastseat, or it is damaged", from.display());
    for entry in tar.entries().with_context(damaged)? {
        let mut entry = entry.with_context(damaged)?;
        let name = String::from_utf8(entry.path_bytes().into_owned()).with_context(damaged)?;
        if manifest.is_some() || entry.header().entry_type() != tar::EntryType::Regular {
            bail!("{}: there is something in it that does not belong there: {name:?}", damaged());
        }
        if name == MANIFEST {
            manifest = Some(read_manifest(&mut entry).with_context(damaged)?);
        } else if is_expected(&name) {
            found.push(write(&name, &mut entry, into)?);
        } else {
            bail!("{}: there is something in it that does not belong there: {name:?}", damaged());
        }
    }
    let Some(manifest) = manifest else { bail!("{}: its end is missing", damaged()) };
    if manifest.format != FORMAT {
        bail!("{} was written by {}; use that program or a newer one", from.display(), manifest.program);
    }
    if manifest.files != found || !found.iter().any(|entry| entry.name == FILE_NAME) {
        bail!("{}: its content is not what its manifest says", damaged());
    }
    for folder in [into.join(RECEIPTS), into.to_owned()] {
        File::open(&folder).and_then(|folder| folder.sync_all()).context("cannot sync the directory")?;
    }
    Ok(manifest)
}

fn read_manifest(entry: &mut impl Read) -> anyhow::Result<Manifest> {
    let mut text = Vec::new();
    entry.take(MAX_MANIFEST_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// Writes one file; it must not be there.
fn write(name: &str, content: &mut impl Read, into: &Path) -> anyhow::Result<Entry> {
    let path = into.join(name);
    let cannot = || format!("cannot write {}", path.display());
    let file =
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path).with_context(cannot)?;
    let mut hashing = Hashing::new(file);
    io::copy(content, &mut hashing).with_context(cannot)?;
    hashing.inner.sync_all().with_context(cannot)?;
    Ok(hashing.entry(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_of(entries: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut tar = tar::Builder::new(file.reopen().unwrap());
        for (name, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Regular);
            header.set_mode(0o600);
            header.set_size(content.len() as u64);
            // Not `append_data`: it refuses names that lead out of the directory.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.finish().unwrap();
        file
    }

    fn refused(file: &Path) -> String {
        let into = tempfile::tempdir().unwrap();
        format!("{:#}", unpack(file, into.path()).unwrap_err())
    }

    fn manifest(sha256: &str) -> Vec<u8> {
        let files = [Entry { name: FILE_NAME.to_owned(), bytes: 2, sha256: sha256.to_owned() }];
        let text = serde_json::json!({"format": 1, "program": "lastseat 0", "at": "", "files": files});
        serde_json::to_vec(&text).unwrap()
    }

    #[test]
    fn what_is_no_whole_backup_is_refused() {
        let text = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(text.path(), "this is no tar file ".repeat(100)).unwrap();
        assert!(refused(text.path()).contains("no backup of lastseat"));
        assert!(refused(Path::new("/nonexistent")).contains("cannot read"));
        assert!(refused(tar_of(&[(FILE_NAME, b"db")]).path()).contains("its end is missing"));
        assert!(refused(tar_of(&[]).path()).contains("its end is missing"));
    }

    #[test]
    fn content_that_differs_from_its_digest_is_refused() {
        let good = tar_of(&[(FILE_NAME, b"db"), (MANIFEST, &manifest(&digest(b"db")))]);
        let into = tempfile::tempdir().unwrap();
        assert_eq!(unpack(good.path(), into.path()).unwrap().files.len(), 1);
        assert_eq!(std::fs::read(into.path().join(FILE_NAME)).unwrap(), b"db");
        let bad = tar_of(&[(FILE_NAME, b"dc"), (MANIFEST, &manifest(&digest(b"db")))]);
        assert!(refused(bad.path()).contains("not what its manifest says"));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../evil", "/tmp/evil", "receipts/../../evil", "admin.key"] {
            let file = tar_of(&[(name, b"x"), (MANIFEST, &manifest(""))]);
            assert!(refused(file.path()).contains("does not belong there"), "{name}");
        }
    }

    fn digest(content: &[u8]) -> String {
        let mut hashing = Hashing::new(Vec::new());
        std::io::Write::write_all(&mut hashing, content).unwrap();
        hashing.entry("").sha256
    }
}
