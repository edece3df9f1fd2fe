//! A file or a pipe of any size, cut into records: byte slices with their line and offset, in bounded memory.
//!
//! Lines are for CSV and JSON Lines; documents for a JSON array, pretty-printed objects, or pages that keep their
//! items under a named key. Which of the two a JSON input is, is seen from its beginning. gzip and zstd are recognised
//! by their first bytes. A record larger than the limit is passed on as its head, length and hash, and the rest skipped.
//!
//! Nothing here knows what a record means, and no byte sequence is an error but a UTF-16 mark: a broken record comes out
//! as a record, and the next one is found again.

mod chunk;
mod documents;
mod input;
mod lines;
mod oversize;

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

pub use chunk::{Chunk, Frame, HEAD_BYTES, Kind};

use documents::Documents;
use oversize::Oversize;

/// How records lie in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// One record a line; the first `header_lines` lines that are not blank are put aside.
    Lines {
        /// How many header lines there are.
        header_lines: usize,
    },
    /// JSON in any of its forms.
    Json {
        /// Keys under which a page object keeps its records, such as `value`.
        items: Vec<String>,
    },
}

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// How records lie in the input.
    pub layout: Layout,
    /// A longer record is framed as [`Kind::TooLarge`].
    pub max_record_bytes: usize,
    /// How much is read for one chunk.
    pub chunk_bytes: usize,
    /// The most records in one chunk.
    pub chunk_records: usize,
}

impl Options {
    /// One MiB for a record and for a chunk.
    pub fn new(layout: Layout) -> Self {
        Options { layout, max_record_bytes: 1 << 20, chunk_bytes: 1 << 20, chunk_records: 1 << 16 }
    }
}

/// Reads one input, chunk by chunk.
pub struct Reader {
    input: Box<dyn Read + Send>,
    name: String,
    options: Options,
    /// A pipe is answered as soon as there is a record; a file fills its chunks.
    is_live: bool,
    at_end: bool,
    splitter: Option<Splitter>,
    /// The beginning of a record whose end has not been read.
    tail: Vec<u8>,
    /// How much of `tail` has been looked at.
    scanned: usize,
    /// Whether a record has begun at the start of `tail`.
    is_pending: bool,
    oversize: Option<Oversize>,
    /// What reading met after bytes that are looked at first.
    fault: Option<io::Error>,
    /// Its head, from when its end is found until there is a place for it in the chunk.
    finished_head: Option<Vec<u8>>,
    /// Offset in the input of the first byte of `tail`.
    offset: u64,
    /// The line of that byte.
    line: u64,
    header: Vec<Vec<u8>>,
}

enum Splitter {
    Lines,
    Documents(Documents),
}

/// What a splitter found from a position on.
pub(crate) enum Step {
    /// A record. Scanning goes on at `next`.
    Record { range: Range<usize>, next: usize },
    /// No end of a record in sight; the record begun, if any, starts at `start`.
    More { start: Option<usize> },
}

impl Reader {
    /// Opens a file, or standard input for `-`.
    ///
    /// # Errors
    /// What the system says, with the name of the file.
    pub fn open(path: &Path, options: Options) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            let mut reader = Self::new(io::stdin(), "standard input", options)?;
            reader.is_live = true;
            return Ok(reader);
        }
        let name = path.display().to_string();
        let file = std::fs::File::open(path).map_err(|error| input::named(error, &name, 0))?;
        Self::new(file, &name, options)
    }

    /// Reads from anything; `name` is for messages.
    ///
    /// # Errors
    /// What reading the first bytes may meet.
    pub fn new(input: impl Read + Send + 'static, name: &str, options: Options) -> io::Result<Self> {
        let input = input::decompressed(input).map_err(|error| input::named(error, name, 0))?;
        Ok(Reader {
            input,
            name: name.to_owned(),
            options,
            is_live: false,
            at_end: false,
            splitter: None,
            tail: Vec::new(),
            scanned: 0,
            is_pending: false,
            oversize: None,
            fault: None,
            finished_head: None,
            offset: 0,
            line: 1,
            header: Vec::new(),
        })
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header lines. Complete after the first call of [`Reader::next_chunk`], unless the input ends before.
    pub fn header(&self) -> &[Vec<u8>] {
        &self.header
    }

    /// Fills `chunk` with the next records; its old content is dropped, its memory used again. `false` at the end.
    ///
    /// # Errors
    /// What reading or decompressing meets, and a UTF-16 mark, with the name of the input and the offset.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> io::Result<bool> {
        chunk.records.clear();
        loop {
            chunk.bytes.clear();
            chunk.bytes.append(&mut self.tail);
            self.fill(&mut chunk.bytes)?;
            self.split(chunk);
            self.take_header(chunk)?;
            if !chunk.records.is_empty() {
                return Ok(true);
            }
            if self.at_end && self.tail.is_empty() && self.oversize.is_none() {
                return Ok(false);
            }
        }
    }

    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let from = bytes.len();
        // What an earlier chunk left over for want of room in `records` is dealt with first.
        if self.at_end || self.scanned < from {
            return Ok(());
        }
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        // The first chunk shows the byte order mark and the layout.
        let wanted = from + self.options.chunk_bytes.max(if self.splitter.is_none() { 4 } else { 1 });
        bytes.resize(wanted, 0);
        let mut filled = from;
        while filled < wanted {
            match self.input.read(&mut bytes[filled..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // The records before it are whole, and come first.
                    self.fault = Some(input::named(error, &self.name, self.offset + filled as u64));
                    break;
                }
            }
            if self.is_live && self.has_enough(&bytes[..filled], from) {
                break;
            }
        }
        bytes.truncate(filled);
        if filled == from
            && let Some(fault) = self.fault.take()
        {
            return Err(fault);
        }
        if self.splitter.is_none() {
            self.begin(bytes)?;
        }
        Ok(())
    }

    /// Whether a pipe has given a record, or at least its layout: it may be long before it gives more.
    fn has_enough(&self, bytes: &[u8], from: usize) -> bool {
        let since = if self.splitter.is_some() { &bytes[from..] } else { bytes.trim_ascii_start() };
        memchr::memchr(b'\n', since).is_some()
    }

    /// Looks at the beginning of the input.
    fn begin(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mark = input::byte_order_mark(bytes).map_err(|error| input::named(error, &self.name, 0))?;
        self.scanned = mark;
        self.splitter = Some(match &self.options.layout {
            Layout::Lines { .. } => Splitter::Lines,
            Layout::Json { items } if Documents::are_in(&bytes[mark..], items) => {
                Splitter::Documents(Documents::new(items.clone()))
            }
            Layout::Json { .. } => Splitter::Lines,
        });
        Ok(())
    }

    /// Frames every record that ends in `chunk.bytes`, and keeps the rest for the next time.
    fn split(&mut self, chunk: &mut Chunk) {
        let mut position = self.scanned;
        let mut counted = 0;
        let mut start = self.is_pending.then_some(0);
        while chunk.records.len() < self.options.chunk_records {
            let splitter = self.splitter.as_mut().expect("invariant: set by fill before anything is split");
            let step = match splitter {
                Splitter::Lines => lines::step(&chunk.bytes, position, start, self.at_end),
                Splitter::Documents(documents) => documents.step(&chunk.bytes, position, start, self.at_end),
            };
            match step {
                Step::Record { range, next } => {
                    self.line += newlines(&chunk.bytes[counted..range.start]);
                    counted = range.start;
                    self.frame(chunk, range);
                    (position, start) = (next, None);
                }
                Step::More { start: begun } => {
                    (position, start) = (chunk.bytes.len(), begun);
                    break;
                }
            }
        }
        let keep_from = match start {
            Some(_) if self.oversize.is_some() => position,
            Some(start) => start,
            None => position,
        };
        self.line += newlines(&chunk.bytes[counted..keep_from]);
        self.keep(chunk, keep_from, position, start.is_some());
    }

    /// Frames one record that has ended.
    fn frame(&mut self, chunk: &mut Chunk, range: Range<usize>) {
        let bytes = &chunk.bytes[range.clone()];
        if let Some(mut oversize) = self.oversize.take() {
            oversize.add(bytes);
            chunk.records.push(oversize.frame());
            self.finished_head = Some(oversize.head);
            return;
        }
        let (line, offset) = (self.line, self.offset + range.start as u64);
        let frame = if bytes.len() > self.options.max_record_bytes {
            let kind = Kind::TooLarge { length: bytes.len() as u64, hash: xxhash_rust::xxh3::xxh3_64(bytes) };
            Frame { range: range.start..range.start + HEAD_BYTES.min(bytes.len()), line, offset, kind }
        } else {
            Frame { range, line, offset, kind: Kind::Whole }
        };
        chunk.records.push(frame);
    }

    /// Takes what has not been framed out of the chunk: the beginning of a record, or what there was no room for.
    fn keep(&mut self, chunk: &mut Chunk, keep_from: usize, position: usize, is_pending: bool) {
        let rest = &chunk.bytes[keep_from..];
        self.scanned = position - keep_from;
        self.is_pending = is_pending;
        if is_pending && let Some(oversize) = &mut self.oversize {
            oversize.add(&chunk.bytes);
        } else if is_pending && rest.len() > self.options.max_record_bytes && position == chunk.bytes.len() {
            self.oversize = Some(Oversize::begin(rest, self.line, self.offset + keep_from as u64));
            if let Some(Splitter::Documents(documents)) = &mut self.splitter {
                documents.forget_key();
            }
            self.line += newlines(rest);
            self.offset += rest.len() as u64;
            self.scanned = 0;
        } else {
            self.tail.extend_from_slice(rest);
        }
        self.offset += keep_from as u64;
        chunk.bytes.truncate(keep_from);
        if let Some(head) = self.finished_head.take() {
            // Only the first record of a chunk can have begun in an earlier one.
            chunk.records[0].range = chunk.bytes.len()..chunk.bytes.len() + head.len();
            chunk.bytes.extend_from_slice(&head);
        }
    }

    fn take_header(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let Layout::Lines { header_lines } = self.options.layout else { return Ok(()) };
        let missing = (header_lines - self.header.len()).min(chunk.records.len());
        for frame in chunk.records.drain(..missing) {
            if frame.kind != Kind::Whole {
                let error = io::Error::new(io::ErrorKind::InvalidData, "the header line is too long to be one");
                return Err(input::named(error, &self.name, frame.offset));
            }
            self.header.push(chunk.bytes[frame.range].to_vec());
        }
        Ok(())
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
