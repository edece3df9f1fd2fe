//! Records of one poll, or a few, in one buffer: kept until their transaction is final, so that they can be rated
//! again without being read again.

use std::fmt;
use std::ops::Range;

use drawdown_units::Timestamp;

use super::{Input, Position};

/// One record of an input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Which input.
    pub input: Input,
    /// Which partition of it.
    pub partition: u32,
    /// Where it stands there.
    pub offset: u64,
    /// When it arrived, as the medium says (boundaries.md T5).
    pub arrival: Timestamp,
    /// The message's key.
    pub key: Option<&'a [u8]>,
    /// Its bytes.
    pub value: &'a [u8],
    /// What else is known of it.
    pub attributes: Attributes<'a>,
}

impl fmt::Debug for Record<'_> {
    /// Without its bytes: they hold telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("input", &self.input)
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .field("arrival", &self.arrival)
            .field("value_bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// What is known of a record besides its bytes; nearly always nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    /// CloudEvents: the id.
    pub ce_id: Option<&'a str>,
    /// CloudEvents: the source.
    pub ce_source: Option<&'a str>,
    /// The source profile that reads it, as on the command line (`asterisk-csv,zone=Europe/Berlin,region=DE`).
    pub source: Option<&'a str>,
    /// The header line or lines of the file that it came from.
    pub columns: Option<&'a str>,
    /// The organisation of records that name none.
    pub org: Option<&'a str>,
    /// Where it stood, if it came from a file.
    pub place: Option<Place<'a>>,
    /// Length and hash of the whole record, where `value` is only its beginning.
    pub cut_from: Option<(u64, u64)>,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file's name.
    pub file: &'a str,
    /// 1-based.
    pub line: u64,
    /// In bytes, after decompression.
    pub offset: u64,
}

/// Records in one buffer.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    records: Vec<Held>,
    notes: Vec<Note>,
    positions: Vec<Position>,
}

#[derive(Clone)]
struct Held {
    arrival: Timestamp,
    offset: u64,
    partition: u32,
    input: Input,
    /// `None` is no key; an empty one is a key.
    key_length: Option<u32>,
    /// The key comes right before the value.
    value: Range<usize>,
    /// In `notes`.
    note: Option<u32>,
}

/// [`Attributes`], as places in the buffer.
#[derive(Clone, Default)]
struct Note {
    texts: [Option<Range<usize>>; TEXTS],
    line: u64,
    offset: u64,
    cut_from: Option<(u64, u64)>,
}

const TEXTS: usize = 6;

fn texts_of<'a>(attributes: &Attributes<'a>) -> [Option<&'a str>; TEXTS] {
    let file = attributes.place.map(|place| place.file);
    [attributes.ce_id, attributes.ce_source, attributes.source, attributes.columns, attributes.org, file]
}

impl fmt::Debug for Batch {
    /// Without its bytes: they hold telephone numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("count", &self.count())
            .field("size_bytes", &self.size_bytes())
            .field("positions", &self.positions)
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// Copies a record in.
    pub fn push(&mut self, record: &Record<'_>) {
        let note = (record.attributes != Attributes::default()).then(|| self.note(&record.attributes));
        self.bytes.extend_from_slice(record.key.unwrap_or_default());
        let from = self.bytes.len();
        self.bytes.extend_from_slice(record.value);
        self.records.push(Held {
            arrival: record.arrival,
            offset: record.offset,
            partition: record.partition,
            input: record.input,
            key_length: record.key.map(|key| key.len() as u32),
            value: from..self.bytes.len(),
            note,
        });
        self.advance(Position { input: record.input, partition: record.partition, next: record.offset + 1 });
    }

    /// Notes that an input was read up to `position`: beyond the last record, where nothing more was of use.
    #[inline]
    pub fn advance(&mut self, position: Position) {
        let is_same = |held: &Position| held.input == position.input && held.partition == position.partition;
        match self.positions.iter_mut().rev().find(|held| is_same(held)) {
            Some(held) => held.next = position.next,
            None => self.positions.push(position),
        }
    }

    /// A text that the note before had too, as columns and file names are, is not copied again.
    fn note(&mut self, attributes: &Attributes<'_>) -> u32 {
        let before = self.notes.last().cloned().unwrap_or_default();
        let (line, offset) = attributes.place.map_or((0, 0), |place| (place.line, place.offset));
        let mut note = Note { line, offset, cut_from: attributes.cut_from, ..Note::default() };
        for ((held, text), earlier) in note.texts.iter_mut().zip(texts_of(attributes)).zip(before.texts) {
            *held = text.map(|text| match earlier {
                Some(range) if self.bytes[range.clone()] == *text.as_bytes() => range,
                _ => {
                    let from = self.bytes.len();
                    self.bytes.extend_from_slice(text.as_bytes());
                    from..self.bytes.len()
                }
            });
        }
        self.notes.push(note);
        (self.notes.len() - 1) as u32
    }

    /// One of its records.
    #[inline]
    pub fn record(&self, index: usize) -> Record<'_> {
        let held = &self.records[index];
        let key = held.key_length.map(|length| &self.bytes[held.value.start - length as usize..held.value.start]);
        Record {
            input: held.input,
            partition: held.partition,
            offset: held.offset,
            arrival: held.arrival,
            key,
            value: &self.bytes[held.value.clone()],
            attributes: held.note.map_or_else(Attributes::default, |note| self.attributes(&self.notes[note as usize])),
        }
    }

    fn attributes(&self, note: &Note) -> Attributes<'_> {
        let [ce_id, ce_source, source, columns, org, file] = note.texts.each_ref().map(|range| {
            let bytes = &self.bytes[range.clone()?];
            Some(std::str::from_utf8(bytes).expect("invariant: a text was copied in"))
        });
        let place = file.map(|file| Place { file, line: note.line, offset: note.offset });
        Attributes { ce_id, ce_source, source, columns, org, place, cut_from: note.cut_from }
    }

    /// Which partition and input a record is of, without the rest.
    #[inline]
    pub fn stream(&self, index: usize) -> (u32, Input) {
        (self.records[index].partition, self.records[index].input)
    }

    /// How many records.
    pub fn count(&self) -> usize {
        self.records.len()
    }

    /// Whether it has no records.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How much it holds, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Up to where each input is read once the batch is.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        self.notes.clear();
        self.positions.clear();
    }
}
