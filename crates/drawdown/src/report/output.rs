//! Where a report goes: standard output, or a file that appears under its name only when it is complete.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::Failure;

/// A file in the making; removed unless it is finished.
pub struct Output {
    writer: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    is_finished: bool,
}

impl Output {
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part)
            .map_err(|error| Failure::usage(format!("{}: cannot be written: {error}", part.display())))?;
        Ok(Output { writer: BufWriter::with_capacity(1 << 18, file), part, path: path.to_owned(), is_finished: false })
    }

    pub fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush()?;
        let renamed = std::fs::rename(&self.part, &self.path);
        renamed.with_context(|| format!("{}: cannot be put in place", self.path.display()))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.is_finished {
            // What is left of a run that failed already; that it failed is what is said.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}
