//! Sorting more than fits into memory: chunks are sorted, written to temporary files, and merged.
//!
//! Records are a key and a value, both bytes; the order is that of the keys, equal keys in the order they were pushed.
//! Invariant: no more than `memory_bytes_max` of records are held, one that is larger than that by itself excepted.
//! The files have no name: they are gone when the process is, however it ends, and nobody else can open them.

mod merge;
mod run;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::PathBuf;

use merge::Merge;
use run::{Chunk, Run};

/// How many runs are merged at once, and thus how many files are open for each level.
const FAN_IN: usize = 64;

/// Takes records in any order.
#[derive(Debug)]
pub struct Sorter {
    directory: PathBuf,
    memory_bytes_max: usize,
    chunk: Chunk,
    /// Runs by how often they were merged: `FAN_IN` of a level become one of the next.
    levels: Vec<Vec<File>>,
}

/// Gives them back in order.
#[derive(Debug)]
pub struct Sorted {
    merge: Merge,
}

impl Sorter {
    /// What a sorter holds in memory, unless told otherwise: 64 MiB.
    pub const MEMORY_BYTES_MAX: usize = 64 << 20;

    /// A sorter whose files go to `directory`.
    pub fn new(directory: PathBuf, memory_bytes_max: usize) -> Self {
        Sorter { directory, memory_bytes_max, chunk: Chunk::default(), levels: Vec::new() }
    }

    /// Where its files go.
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// Takes a record.
    ///
    /// # Errors
    /// What writing a temporary file meets.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if !self.chunk.is_empty() && self.chunk.bytes_with(key, value) > self.memory_bytes_max {
            self.spill()?;
        }
        self.chunk.push(key, value);
        Ok(())
    }

    /// No more will come.
    ///
    /// # Errors
    /// What writing or reading a temporary file meets.
    pub fn finish(mut self) -> io::Result<Sorted> {
        self.chunk.sort();
        // The oldest first, so that equal keys keep their order.
        let mut runs = Vec::new();
        for file in self.levels.into_iter().rev().flatten() {
            runs.push(Run::of_file(file)?);
        }
        runs.push(Run::of_chunk(self.chunk));
        Ok(Sorted { merge: Merge::new(runs)? })
    }

    fn spill(&mut self) -> io::Result<()> {
        self.chunk.sort();
        let mut records = run::Writer::create(&self.directory)?;
        self.chunk.each(|key, value| records.put(key, value))?;
        self.chunk.clear();
        self.add(0, records.finish()?)
    }

    fn add(&mut self, level: usize, file: File) -> io::Result<()> {
        if level == self.levels.len() {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(file);
        if self.levels[level].len() < FAN_IN {
            return Ok(());
        }
        let runs = self.levels[level].drain(..).map(Run::of_file).collect::<io::Result<Vec<_>>>()?;
        let (mut merge, mut records) = (Merge::new(runs)?, run::Writer::create(&self.directory)?);
        while merge.advance()? {
            records.put(merge.key(), merge.value())?;
        }
        self.add(level + 1, records.finish()?)
    }
}

impl Sorted {
    /// Goes to the next record; `false` at the end.
    ///
    /// # Errors
    /// What reading a temporary file meets.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.merge.advance()
    }

    /// The key of the record.
    pub fn key(&self) -> &[u8] {
        self.merge.key()
    }

    /// The value of the record.
    pub fn value(&self) -> &[u8] {
        self.merge.value()
    }
}
