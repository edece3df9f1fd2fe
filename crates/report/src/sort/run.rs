//! Sorted records: a chunk in memory, or a temporary file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;

const BUFFER_BYTES: usize = 64 << 10;

/// Records in memory, all in one buffer.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    start: usize,
    key_length: u32,
    value_length: u32,
}

impl Entry {
    fn key(&self) -> Range<usize> {
        self.start..self.start + self.key_length as usize
    }

    fn value(&self) -> Range<usize> {
        let start = self.key().end;
        start..start + self.value_length as usize
    }
}

impl Chunk {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How much memory it takes with one more record.
    pub fn bytes_with(&self, key: &[u8], value: &[u8]) -> usize {
        self.bytes.len() + key.len() + value.len() + (self.entries.len() + 1) * size_of::<Entry>()
    }

    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        let [key_length, value_length] =
            [key, value].map(|part| u32::try_from(part.len()).expect("invariant: a record is shorter than 4 GiB"));
        self.entries.push(Entry { start: self.bytes.len(), key_length, value_length });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        self.entries.sort_by(|a, b| bytes[a.key()].cmp(&bytes[b.key()]));
    }

    pub fn each(&self, mut put: impl FnMut(&[u8], &[u8]) -> io::Result<()>) -> io::Result<()> {
        self.entries.iter().try_for_each(|entry| put(&self.bytes[entry.key()], &self.bytes[entry.value()]))
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

/// Writes the records of a run.
pub(super) struct Writer(BufWriter<File>);

impl Writer {
    pub fn create(directory: &Path) -> io::Result<Self> {
        Ok(Writer(BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile_in(directory)?)))
    }

    pub fn put(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.0.write_all(&(key.len() as u32).to_le_bytes())?;
        self.0.write_all(&(value.len() as u32).to_le_bytes())?;
        self.0.write_all(key)?;
        self.0.write_all(value)
    }

    pub fn finish(self) -> io::Result<File> {
        let mut file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

/// Sorted records, being read.
#[derive(Debug)]
pub(super) enum Run {
    Memory { chunk: Chunk, next: usize },
    File(BufReader<File>),
}

impl Run {
    pub fn of_chunk(chunk: Chunk) -> Self {
        Run::Memory { chunk, next: 0 }
    }

    pub fn of_file(file: File) -> io::Result<Self> {
        Ok(Run::File(BufReader::with_capacity(BUFFER_BYTES, file)))
    }

    /// The next record, into buffers that are used again; `false` at the end.
    pub fn read(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> io::Result<bool> {
        key.clear();
        value.clear();
        match self {
            Run::Memory { chunk, next } => {
                let Some(entry) = chunk.entries.get(*next) else { return Ok(false) };
                *next += 1;
                key.extend_from_slice(&chunk.bytes[entry.key()]);
                value.extend_from_slice(&chunk.bytes[entry.value()]);
                Ok(true)
            }
            Run::File(reader) => read_record(reader, key, value),
        }
    }
}

fn read_record(reader: &mut BufReader<File>, key: &mut Vec<u8>, value: &mut Vec<u8>) -> io::Result<bool> {
    let mut lengths = [0; 8];
    match reader.read_exact(&mut lengths) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(error),
    }
    let [k0, k1, k2, k3, v0, v1, v2, v3] = lengths;
    key.resize(u32::from_le_bytes([k0, k1, k2, k3]) as usize, 0);
    value.resize(u32::from_le_bytes([v0, v1, v2, v3]) as usize, 0);
    reader.read_exact(key)?;
    reader.read_exact(value)?;
    Ok(true)
}
