//! A record above the limit, while its end is looked for: its head, length and hash, not its bytes.

use xxhash_rust::xxh3::Xxh3;

use super::chunk::{Frame, HEAD_BYTES, Kind};

/// What is known of it so far.
pub(super) struct Oversize {
    pub(super) head: Vec<u8>,
    length: u64,
    hash: Box<Xxh3>,
    line: u64,
    offset: u64,
}

impl Oversize {
    pub(super) fn begin(bytes: &[u8], line: u64, offset: u64) -> Self {
        let mut oversize = Oversize {
            head: bytes[..HEAD_BYTES.min(bytes.len())].to_vec(),
            length: 0,
            hash: Box::default(),
            line,
            offset,
        };
        oversize.add(bytes);
        oversize
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.hash.update(bytes);
    }

    /// Its range is set when the head has its place.
    pub(super) fn frame(&self) -> Frame {
        let kind = Kind::TooLarge { length: self.length, hash: self.hash.digest() };
        Frame { range: 0..0, line: self.line, offset: self.offset, kind }
    }
}
