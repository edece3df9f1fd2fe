//! The small text beside a file of the spool, `<name>.source`, that says how the file is read: a line with the source
//! profile as on the command line, a line `org=…`, either or both.

use std::io;
use std::path::{Path, PathBuf};

use super::row::Reading;

/// How its name ends.
pub const SUFFIX: &str = ".source";

/// The sidecar of a file.
pub fn path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(SUFFIX);
    PathBuf::from(name)
}

/// Reads the sidecar of a file; what it does not say is as in `default`.
pub fn read(file: &Path, default: &Reading) -> io::Result<Reading> {
    let mut reading = default.clone();
    let text = match std::fs::read_to_string(path(file)) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(reading),
        Err(error) => return Err(error),
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.strip_prefix("org=") {
            Some(org) => reading.org = Some(org.to_owned()),
            None => reading.source = Some(line.to_owned()),
        }
    }
    Ok(reading)
}

/// Whether it says that there is no sidecar: beside the longest names there is no room for one.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
}

/// The text that says it; `None` where nothing need be said.
pub fn text(reading: &Reading) -> Option<String> {
    let source = reading.source.iter().map(|source| format!("{source}\n"));
    let org = reading.org.iter().map(|org| format!("org={org}\n"));
    let text: String = source.chain(org).collect();
    (!text.is_empty()).then_some(text)
}
