//! One of the two streams of a log: chunks read, their lines checked on all threads, entries handed out in order.

use std::io;
use std::path::Path;

use drawdown_rating::Deck;
use drawdown_wire::framing::{Chunk, Frame, Kind, Layout, Options, Reader};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::entry::{Entry, Read, read_debit, read_event};
use super::findings::{Findings, Flaw, Place, Stream};
use crate::exit::Failure;

/// Debits or account events, being read.
pub struct Log<'d> {
    stream: Stream,
    reader: Reader,
    chunk: Chunk,
    decoded: std::vec::IntoIter<(u64, Read)>,
    decks: &'d [Deck],
    /// Lines read.
    pub lines: u64,
}

/// The longest line: an account of very many lots, or the debit of a record that is as long as a record may be.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Opens a file of lines.
pub fn open(path: &Path) -> Result<Reader, Failure> {
    let options = Options { max_record_bytes: LINE_BYTES_MAX, ..Options::new(Layout::Lines { header_lines: 0 }) };
    Reader::open(path, options).map_err(Failure::usage)
}

impl<'d> Log<'d> {
    pub fn open(stream: Stream, path: &Path, decks: &'d [Deck]) -> Result<Self, Failure> {
        let (reader, decoded) = (open(path)?, Vec::new().into_iter());
        Ok(Log { stream, reader, chunk: Chunk::new(), decoded, decks, lines: 0 })
    }

    /// The next entry; lines that are none are findings.
    pub fn next(&mut self, findings: &mut Findings) -> io::Result<Option<Entry>> {
        loop {
            for (line, read) in self.decoded.by_ref() {
                let org = read.entry.as_ref().map_or(&read.org, |entry| &entry.org);
                let mut at = findings.at(Place { stream: self.stream, line }, org);
                for flaw in &read.flaws {
                    at.differs(&flaw.field, &flaw.expected, &flaw.found);
                }
                if read.entry.is_some() {
                    return Ok(read.entry);
                }
            }
            if !self.reader.next_chunk(&mut self.chunk)? {
                return Ok(None);
            }
            self.lines += self.chunk.frames().len() as u64;
            let (stream, chunk, decks) = (self.stream, &self.chunk, self.decks);
            let read = |frame: &Frame| (frame.line, read(stream, frame, chunk.bytes(frame), decks));
            let decoded: Vec<(u64, Read)> = chunk.frames().par_iter().map(read).collect();
            self.decoded = decoded.into_iter();
        }
    }
}

fn read(stream: Stream, frame: &Frame, bytes: &[u8], decks: &[Deck]) -> Read {
    match (frame.kind, stream) {
        (Kind::TooLarge { length, .. }, _) => {
            let found = format!("{length} bytes");
            Read { flaws: vec![Flaw::new("line", "a line of at most 64 MiB", found)], ..Read::default() }
        }
        (Kind::Whole, Stream::Debits) => read_debit(frame.line, bytes, decks),
        (Kind::Whole, Stream::Events | Stream::Accounts) => read_event(frame.line, bytes),
    }
}
