//! Decks and rate plans of an embedded log: files put into `spool/decks`, and in `decks` once they are in force.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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
    let (draft, path) = (spool.join(format!(".{name}.part")), spool.join(&name));
    let packed = bundle.pack().map_err(|source| DecksError::Bundle { path: path.clone(), source })?;
    let write = || {
        let mut written = File::create(&draft)?;
        written.write_all(&packed)?;
        written.sync_all()?;
        fs::rename(&draft, &path)
    };
    write().map_err(file(&path))?;
    Ok(path)
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
