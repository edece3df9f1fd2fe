//! Decks and rate plans of an embedded log: files put into `spool/decks`, and in `decks` once they are in force.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::spool::{DECKS, SPOOL};
use crate::bundle::{Bundle, BundleError};

/// Why a bundle could not be put where it belongs, or read.
#[derive(Debug, thiserror::Error)]
pub enum DecksError {
    /// The system says no.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds no bundle.
    #[error("{}: {source}", path.display())]
    Bundle {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: BundleError,
    },
}

/// A file that holds a bundle, or should.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub bundle: Result<Bundle, DecksError>,
}

const EXTENSION: &str = "deck";

/// So that two threads never write the same draft.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

fn file(path: &Path) -> impl FnOnce(io::Error) -> DecksError {
    let path = path.to_owned();
    |source| DecksError::File { path, source }
}

/// Puts a bundle into the spool of a log's directory, where it appears at once and whole.
///
/// # Errors
/// The directory cannot be written to.
pub fn place(directory: &Path, bundle: &Bundle) -> Result<PathBuf, DecksError> {
    let spool = directory.join(SPOOL).join(DECKS);
    fs::create_dir_all(&spool).map_err(file(&spool))?;
    let name = format!("{}.{EXTENSION}", bundle.key().replace(['/', '\\'], "-"));
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = spool.join(format!(".{}-{number}-{name}.part", std::process::id()));
    let path = spool.join(&name);
    let packed = bundle.pack().map_err(|source| DecksError::Bundle { path: path.clone(), source })?;
    let write = || {
        let mut written = File::create(&draft)?;
        written.write_all(&packed)?;
        written.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&spool)?.sync_all()
    };
    let written = write().map_err(file(&path));
    // It stands under its own name, or not at all.
    let _ = fs::remove_file(&draft);
    written.map(|()| path)
}

/// What was in force when the log was left: read before anything is priced.
pub fn in_force(directory: &Path) -> Result<Vec<Found>, DecksError> {
    list(&directory.join(DECKS))
}

/// What waits to be taken up.
pub fn waiting(directory: &Path) -> Result<Vec<Found>, DecksError> {
    list(&directory.join(SPOOL).join(DECKS))
}

/// A file that waited is in force: it is kept for the next start.
pub fn keep(directory: &Path, path: &Path) -> Result<(), DecksError> {
    shift(path, &directory.join(DECKS))
}

/// A file that waited was refused.
pub fn refuse(directory: &Path, path: &Path) -> Result<(), DecksError> {
    shift(path, &directory.join(SPOOL).join("failed"))
}

fn shift(path: &Path, to: &Path) -> Result<(), DecksError> {
    fs::create_dir_all(to).map_err(file(to))?;
    let name = path.file_name().unwrap_or_default();
    fs::rename(path, to.join(name)).map_err(file(path))?;
    File::open(to).and_then(|directory| directory.sync_all()).map_err(file(to))
}

fn list(directory: &Path) -> Result<Vec<Found>, DecksError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file(directory)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(file(directory))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(|path| Found { bundle: read(&path), path }).collect())
}

fn read(path: &Path) -> Result<Bundle, DecksError> {
    let bytes = fs::read(path).map_err(file(path))?;
    Bundle::unpack(&bytes).map_err(|source| DecksError::Bundle { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_publish_the_same_at_once_leave_one_of_both_whole() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let plan = |text: &str| Bundle::RatePlan {
            id: "gold".to_owned(),
            file_name: "gold.toml".to_owned(),
            text: text.repeat(100_000),
        };
        let plans = [plan("a"), plan("b")];
        std::thread::scope(|scope| {
            for plan in &plans {
                scope.spawn(move || (0..20).for_each(|_| drop(place(directory, plan).unwrap())));
            }
        });
        let found = waiting(directory).unwrap();
        assert!(matches!(&found[..], [Found { bundle: Ok(bundle), .. }] if plans.contains(bundle)), "{}", found.len());
        assert_eq!(fs::read_dir(directory.join(SPOOL).join(DECKS)).unwrap().count(), 1, "no draft is left");
    }
}
