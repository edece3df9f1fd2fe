//! Putting a file into the spool, whole or not at all: what `drawdown import` does, and whoever else can call it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use drawdown_engine::log::Input;

use super::moving::{directory_of, sync};
use super::row::Reading;
use super::{SPOOL, sidecar};

/// How many files of the same name may wait.
const NAMES_MAX: u32 = 10_000;

/// So that two threads never write the same draft.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// Why a file was not put into the spool.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}: {source}", path.display())]
pub struct PlaceError {
    path: PathBuf,
    what: &'static str,
    source: io::Error,
}

/// Copies a file into the spool of a log's directory, where it appears at once and whole, and says under which name.
///
/// A copy, not a link: what is done to the original later must not change what is rated. A name that is taken is put
/// after a number. `source` and `org` say how the file is read, if it differs from the settings of the log.
///
/// # Errors
/// The file cannot be read, or the spool cannot be written to. Nothing has appeared there then.
pub fn place(
    directory: &Path,
    input: Input,
    file: &Path,
    source: Option<&str>,
    org: Option<&str>,
) -> Result<PathBuf, PlaceError> {
    let mut original = File::open(file).map_err(|source| {
        let path = file.to_owned();
        PlaceError { path, what: "cannot be opened", source }
    })?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "records".to_owned());
    let reading = Reading { source: source.map(str::to_owned), org: org.map(str::to_owned) };
    put(directory, input, &name, &reading, &mut original)
}

/// Puts what `content` gives into the spool, as a file of a name.
///
/// # Errors
/// As [`place`].
pub(crate) fn put(
    directory: &Path,
    input: Input,
    name: &str,
    reading: &Reading,
    content: &mut impl io::Read,
) -> Result<PathBuf, PlaceError> {
    super::Spool::create(directory).map_err(|(path, source)| PlaceError { path, what: "cannot be made", source })?;
    let spool = directory_of(&directory.join(SPOOL), input);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = spool.join(format!(".{}-{number}-{name}.part", std::process::id()));
    let mut write = || -> io::Result<PathBuf> {
        let mut copy = File::create(&draft)?;
        io::copy(content, &mut copy)?;
        // Files are taken in the order of this time; the system's own is too coarse for that.
        copy.set_modified(SystemTime::now())?;
        copy.sync_all()?;
        publish(&spool, &draft, name, reading)
    };
    let placed = write().map_err(|source| PlaceError { path: spool.clone(), what: "cannot be written to", source });
    // It stands under its own name, or not at all.
    let _ = std::fs::remove_file(&draft);
    placed
}

/// Gives a draft the first name that is free, its sidecar first.
fn publish(spool: &Path, draft: &Path, name: &str, reading: &Reading) -> io::Result<PathBuf> {
    // A name that the spool passes over, or takes for a sidecar, is no name there.
    let name = if super::is_taken_up(name) { name.to_owned() } else { format!("records-{}", name.replace('.', "_")) };
    for number in 1..NAMES_MAX {
        let path = spool.join(if number == 1 { name.clone() } else { format!("{number}-{name}") });
        let beside = sidecar::path(&path);
        if path.try_exists()? || beside.try_exists()? {
            continue;
        }
        if let Some(text) = sidecar::text(reading) {
            match File::create_new(&beside) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes())?;
                    file.sync_all()?;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
        // Unlike a renaming, a link never puts itself in the place of another file.
        match std::fs::hard_link(draft, &path) {
            Ok(()) => {
                std::fs::remove_file(draft)?;
                sync(spool)?;
                return Ok(path);
            }
            Err(error) => {
                let _ = std::fs::remove_file(&beside);
                if error.kind() != io::ErrorKind::AlreadyExists {
                    return Err(error);
                }
            }
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("too many files named {name} wait there")))
}
