//! Letters in files: one JSON object a line, appended and synced, several files deep.
//!
//! Invariant: whoever changes a file holds the lock beside it, so a command line that sends letters again may run beside
//! the connector. Lines that are no letters stay where they are; a line that was torn off by a crash costs no other.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{DeadLetter, DeadLetterError, DeadLetters};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A file that is longer is put aside, and another begun.
    pub bytes_max: u64,
    /// How many are kept in all; beyond that the oldest is dropped, and the log says so.
    pub files_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes_max: 64 << 20, files_max: 10 }
    }
}

/// The files as they were at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(Vec<Option<(u64, SystemTime)>>);

/// Letters in `path`, and older ones in `path.1`, `path.2` and so on.
#[derive(Debug)]
pub struct FileDeadLetters {
    path: PathBuf,
    limits: Limits,
}

impl FileDeadLetters {
    /// Letters in this file, whose directory is made if need be.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn open(path: impl Into<PathBuf>, limits: Limits) -> Result<Self, DeadLetterError> {
        let letters = FileDeadLetters { path: path.into(), limits };
        fs::create_dir_all(letters.directory()).map_err(|error| letters.fault("create the directory of", &error))?;
        letters.lock()?;
        Ok(letters)
    }

    /// Lengths and times of the files: where they are what they were, no letter came or went.
    pub fn mark(&self) -> Mark {
        let file = |age| {
            let file = fs::metadata(self.file(age)).ok()?;
            Some((file.len(), file.modified().ok()?))
        };
        Mark((0..self.limits.files_max.max(1)).map(file).collect())
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
    }

    /// The file itself is 0.
    fn file(&self, age: u32) -> PathBuf {
        if age == 0 { self.path.clone() } else { self.beside(&format!(".{age}")) }
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    fn fault(&self, what: &str, error: &std::io::Error) -> DeadLetterError {
        DeadLetterError(format!("cannot {what} {}: {error}", self.path.display()))
    }

    /// Held until it is dropped.
    fn lock(&self) -> Result<File, DeadLetterError> {
        let open = || {
            let file = OpenOptions::new().create(true).append(true).open(self.beside(".lock"))?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(|error| self.fault("lock", &error))
    }

    fn append(&self, line: &[u8]) -> std::io::Result<()> {
        let is_new = !self.path.exists();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&self.path)?;
        let mut bytes = Vec::with_capacity(line.len() + 1);
        if is_torn(&mut file)? {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line);
        file.write_all(&bytes)?;
        file.sync_data()?;
        if is_new { self.sync_directory() } else { Ok(()) }
    }

    fn sync_directory(&self) -> std::io::Result<()> {
        File::open(self.directory())?.sync_all()
    }

    fn rotate(&self, next: usize) -> std::io::Result<()> {
        let length = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if length == 0 || length.saturating_add(next as u64) <= self.limits.bytes_max {
            return Ok(());
        }
        let last = self.limits.files_max.saturating_sub(1);
        if self.file(last).exists() {
            tracing::error!(file = %self.file(last).display(), "too many dead letters: the oldest are dropped");
            fs::remove_file(self.file(last))?;
        }
        for age in (0..last).rev().filter(|age| self.file(*age).exists()) {
            fs::rename(self.file(age), self.file(age + 1))?;
        }
        self.sync_directory()
    }

    /// Lines of a file, with their ends; none if there is no such file.
    fn lines(&self, age: u32) -> Result<Vec<String>, DeadLetterError> {
        match fs::read(self.file(age)) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).split_inclusive('\n').map(str::to_owned).collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.fault("read", &error)),
        }
    }

    fn replace(&self, age: u32, lines: &[String]) -> std::io::Result<()> {
        if lines.is_empty() {
            fs::remove_file(self.file(age))?;
            return self.sync_directory();
        }
        let partial = self.beside(".partial");
        let mut file = File::create(&partial)?;
        file.write_all(lines.concat().as_bytes())?;
        file.sync_data()?;
        fs::rename(&partial, self.file(age))?;
        self.sync_directory()
    }
}

impl DeadLetters for FileDeadLetters {
    fn put(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let mut line = serde_json::to_vec(letter).map_err(|error| DeadLetterError(error.to_string()))?;
        line.push(b'\n');
        let _lock = self.lock()?;
        self.rotate(line.len()).map_err(|error| self.fault("put aside", &error))?;
        self.append(&line).map_err(|error| self.fault("write", &error))
    }

    fn all(&self) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let _lock = self.lock()?;
        let mut letters: Vec<DeadLetter> = Vec::new();
        for age in (0..self.limits.files_max.max(1)).rev() {
            letters.extend(self.lines(age)?.iter().filter_map(|line| serde_json::from_str(line).ok()));
        }
        let mut seen = HashSet::new();
        let first: Vec<bool> =
            letters.iter().map(|letter| seen.insert((letter.channel, letter.to.clone(), letter.id.clone()))).collect();
        let mut first = first.into_iter();
        letters.retain(|_| first.next().unwrap_or(true));
        Ok(letters)
    }

    fn remove(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError> {
        let keys: HashSet<_> = letters.iter().map(DeadLetter::key).collect();
        let is_kept = |line: &String| {
            serde_json::from_str::<DeadLetter>(line).map_or(true, |letter| !keys.contains(&letter.key()))
        };
        let _lock = self.lock()?;
        for age in 0..self.limits.files_max.max(1) {
            let lines = self.lines(age)?;
            let kept: Vec<String> = lines.iter().filter(|line| is_kept(line)).cloned().collect();
            if kept.len() < lines.len() {
                self.replace(age, &kept).map_err(|error| self.fault("rewrite", &error))?;
            }
        }
        Ok(())
    }
}

fn is_torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests;
