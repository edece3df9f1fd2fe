//! Changing a key file: an entry added or taken out, everything else as it was, comments too.
//!
//! Invariants: the file is replaced as a whole by one that was read through first, and a new one is its owner's alone; one
//! at a time changes it.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::{Entry, file};

/// Adds an entry to a key file, which is made if it is not there.
///
/// # Errors
/// The file cannot be read or written, or something is wrong with it, or the entry does not fit it.
pub fn append(path: &Path, entry: &Entry) -> Result<(), Vec<String>> {
    let _lock = lock(path)?;
    let mut text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(vec![format!("{}: cannot be read: {error}", path.display())]),
    };
    if !text.is_empty() {
        text += if text.ends_with('\n') { "\n" } else { "\n\n" };
    }
    text += &entry.toml();
    replace(path, &text)
}

/// Takes the key with this id out of a key file, and returns what it said.
///
/// # Errors
/// There is none; or the file cannot be read or written, or is not laid out so that an entry can be told from the next.
pub fn revoke(path: &Path, id: &str) -> Result<Entry, Vec<String>> {
    let shown = path.display();
    let _lock = lock(path)?;
    let mut entries = super::read(path)?;
    let Some(at) = entries.iter().position(|entry| entry.id == id) else {
        return Err(vec![format!("{shown}: there is no key {id}; see `drawdown key list`")]);
    };
    let text = fs::read_to_string(path).map_err(|error| vec![format!("{shown}: cannot be read: {error}")])?;
    let rest = without(&text, at, entries.len())
        .ok_or_else(|| vec![format!("{shown}: not every entry begins with [[keys]]; take the key {id} out by hand")])?;
    let entry = entries.remove(at);
    if file::parse(&shown.to_string(), &rest)? != entries {
        return Err(vec![format!("{shown}: the key {id} cannot be told from the others; take it out by hand")]);
    }
    replace(path, &rest)?;
    Ok(entry)
}

/// The text without the entry `at` of `count`; `None` if its lines cannot be told.
fn without(text: &str, at: usize, count: usize) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_begin = |line: &str| line.split('#').next().is_some_and(|begin| begin.trim() == "[[keys]]");
    let begins: Vec<usize> = (0..lines.len()).filter(|line| is_begin(lines[*line])).collect();
    if begins.len() != count {
        return None;
    }
    let end = begins.get(at + 1).map_or(lines.len(), |next| {
        // Comments right above the next entry belong to it.
        next - lines[..*next].iter().rev().take_while(|line| line.trim_start().starts_with('#')).count()
    });
    Some(lines[..begins[at]].iter().chain(&lines[end..]).copied().collect())
}

/// The lock of a key file, given up when it is dropped: held from before it is read until it is replaced, for of two who
/// change it at once the first would lose what it wrote. A file beside it, which stays: one that is removed can be held
/// twice.
fn lock(path: &Path) -> Result<File, Vec<String>> {
    let mut name = target(path).into_os_string();
    name.push(".lock");
    let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(&name);
    let locked = opened.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| vec![format!("{}: cannot be locked: {error}", Path::new(&name).display())])
}

/// What is replaced: what a link points to.
fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn replace(path: &Path, text: &str) -> Result<(), Vec<String>> {
    let shown = path.display().to_string();
    file::parse(&shown, text)?;
    write(&target(path), text).map_err(|error| vec![format!("{shown}: cannot be written: {error}")])
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let mode = fs::metadata(path).map_or(0o600, |meta| meta.permissions().mode() & 0o777);
    let _ = fs::remove_file(&beside);
    let result = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result
}
