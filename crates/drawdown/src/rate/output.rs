//! The files a run writes. They appear under their names only when they are complete.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// One file in the making, `NAME.part` until it is finished.
pub struct OutputFile {
    writer: BufWriter<File>,
    path: PathBuf,
    length: u64,
}

/// The four files of a run.
pub struct Files {
    /// `debits.jsonl`.
    pub debits: OutputFile,
    /// `account-events.jsonl`.
    pub events: OutputFile,
    /// `rejects.jsonl`.
    pub rejects: OutputFile,
    /// `accounts.jsonl`.
    pub accounts: OutputFile,
}

const BUFFER_BYTES: usize = 1 << 20;

impl OutputFile {
    fn create(directory: &Path, name: &str) -> io::Result<Self> {
        let path = directory.join(name);
        let file = File::create(part_of(&path))?;
        Ok(OutputFile { writer: BufWriter::with_capacity(BUFFER_BYTES, file), path, length: 0 })
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.writer.write_all(bytes)
    }

    /// How many bytes were appended.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Everything appended can be read from the file now.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// The file, to be read while it is written.
    pub fn reader(&self) -> io::Result<File> {
        File::open(part_of(&self.path))
    }

    fn finish(mut self) -> io::Result<()> {
        self.writer.flush()?;
        std::fs::rename(part_of(&self.path), &self.path)
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

impl Files {
    /// Creates the directory, if it is not there, and the files in it.
    pub fn create(directory: &Path) -> Result<Self, Failure> {
        let create = || {
            std::fs::create_dir_all(directory)?;
            Ok(Files {
                debits: OutputFile::create(directory, "debits.jsonl")?,
                events: OutputFile::create(directory, "account-events.jsonl")?,
                rejects: OutputFile::create(directory, "rejects.jsonl")?,
                accounts: OutputFile::create(directory, "accounts.jsonl")?,
            })
        };
        create().map_err(|error: io::Error| {
            Failure::usage(format!("--out {}: cannot be written: {error}", directory.display()))
        })
    }

    /// Gives every file its name.
    pub fn finish(self) -> io::Result<()> {
        [self.debits, self.events, self.rejects, self.accounts].into_iter().try_for_each(OutputFile::finish)
    }
}
