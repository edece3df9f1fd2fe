//! Records of one input in one buffer, ready to be decoded elsewhere.

use std::ops::Range;

/// How much of a record that is too large is kept.
pub const HEAD_BYTES: usize = 64 << 10;

/// One record of a [`Chunk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where its bytes are in the chunk.
    pub range: Range<usize>,
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its offset in the input, after decompression, from 0.
    pub offset: u64,
    /// Whether it is whole.
    pub kind: Kind,
}

/// Whether a frame holds a whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The whole record.
    Whole,
    /// The first [`HEAD_BYTES`] of a record above the limit.
    TooLarge {
        /// Its length in bytes.
        length: u64,
        /// The 64-bit XXH3 of all of it.
        hash: u64,
    },
}

/// Many records in one buffer that can be handed to another thread and used again.
#[derive(Debug, Default)]
pub struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Frame>,
}

impl Chunk {
    /// An empty chunk.
    pub fn new() -> Self {
        Self::default()
    }

    /// The frames, in the order of the input.
    pub fn frames(&self) -> &[Frame] {
        &self.records
    }

    /// The bytes of a frame of this chunk.
    pub fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.bytes[frame.range.clone()]
    }

    /// Each frame with its bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&Frame, &[u8])> {
        self.records.iter().map(|frame| (frame, self.bytes(frame)))
    }
}
