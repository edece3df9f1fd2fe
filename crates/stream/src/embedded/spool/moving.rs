//! Moving files that were read up to their end, each once, however often the process is killed in between.
//!
//! Where a file goes is committed together with its last record. After a crash the move is done again: the target being
//! there says that it had been done; and what stands in the spool under the same name is moved only if it is the same
//! file, so that another one that was dropped meanwhile is neither lost nor passed over.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use drawdown_engine::log::Input;

use super::row::{FileRow, Identity};
use super::sidecar;

/// Where files go that were read whole.
pub const DONE: &str = "done";
/// Where files go that could be read in part, or not at all.
pub const FAILED: &str = "failed";

/// Which file it is.
pub fn identity(name: &str, metadata: &std::fs::Metadata) -> Identity {
    Identity {
        name: name.to_owned(),
        inode: metadata.ino(),
        size_bytes: metadata.len(),
        modified_ns: metadata.mtime().wrapping_mul(1_000_000_000).wrapping_add(metadata.mtime_nsec()),
    }
}

/// The directory of an input.
pub fn directory_of(spool: &Path, input: Input) -> PathBuf {
    spool.join(input.name())
}

/// Moves the file of a row to its target, unless that was done before or another file stands in its place. One without a
/// target is nobody's file, and goes.
pub fn move_once(spool: &Path, row: &FileRow) -> io::Result<()> {
    let name = &row.identity.name;
    let source = directory_of(spool, row.input).join(name);
    let Some(target) = row.target.as_ref().map(|target| spool.join(target)) else {
        if is_the_one(&source, &row.identity)? {
            remove_if_there(&sidecar::path(&source))?;
            remove_if_there(&source)?;
        }
        return Ok(());
    };
    if target.try_exists()? {
        return Ok(());
    }
    if !is_the_one(&source, &row.identity)? {
        tracing::warn!(file = name, "was read, and is not in the spool any more: it is not moved");
        return Ok(());
    }
    // First, so that it cannot stay behind and be taken for that of a later file.
    rename_if_there(&sidecar::path(&source), &sidecar::path(&target))?;
    rename_if_there(&source, &target)?;
    if target.try_exists()? && !is_the_one(&target, &row.identity)? {
        // Another file was put in its place in this very moment.
        tracing::warn!(file = name, "was replaced while it was read: the new file stays in the spool");
        std::fs::hard_link(&target, &source)?;
        std::fs::remove_file(&target)?;
    }
    Ok(())
}

/// Makes renamings in a directory last.
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn is_the_one(path: &Path, identity: &Identity) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(self::identity(&identity.name, &metadata) == *identity),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if !sidecar::is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if !sidecar::is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}
