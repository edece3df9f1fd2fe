//! Messages of one output and transaction, in one piece.
//!
//! Each message is the lengths of its key and value (32 bits, least first), the key, the value. Stored, the whole is
//! one zstd frame with a checksum: a block that was damaged is found out, never read wrongly.

use std::io;
use std::ops::ControlFlow;

/// A new block is begun where one has grown to this, before compression.
pub const BLOCK_BYTES: usize = 16 << 20;
/// What a block may say that it takes; more is damage.
const BLOCK_BYTES_MAX: usize = 1 << 30;
/// Level 1: a quarter of the time of writing it, a seventh of the bytes.
const LEVEL: i32 = 1;
const LENGTHS: usize = 8;

/// Messages that are being put together.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    count: u32,
}

impl Block {
    /// Adds a message.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.count += 1;
    }

    /// How many messages.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Its size before compression.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }
}

/// A message of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Which of the block.
    pub index: u32,
    /// The organisation.
    pub key: &'a [u8],
    /// What was appended.
    pub value: &'a [u8],
}

/// Compresses blocks, one after the other.
pub struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
}

impl Packer {
    /// # Errors
    /// What the compressor says: there is no memory.
    pub fn new() -> io::Result<Self> {
        let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
        compressor.include_checksum(true)?;
        Ok(Packer { compressor, packed: Vec::new() })
    }

    /// The block as it is stored.
    ///
    /// # Errors
    /// What the compressor says: there is no memory.
    pub fn pack(&mut self, block: &Block) -> io::Result<&[u8]> {
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(block.bytes.len()));
        self.compressor.compress_to_buffer(&block.bytes, &mut self.packed)?;
        Ok(&self.packed)
    }
}

/// Takes stored blocks apart.
pub struct Unpacker {
    decompressor: zstd::bulk::Decompressor<'static>,
    bytes: Vec<u8>,
}

impl Unpacker {
    /// # Errors
    /// What the decompressor says: there is no memory.
    pub fn new() -> io::Result<Self> {
        Ok(Unpacker { decompressor: zstd::bulk::Decompressor::new()?, bytes: Vec::new() })
    }

    /// Shows `each` the messages of a stored block, from the one numbered `from` on. Says whether all were shown.
    ///
    /// # Errors
    /// The block is damaged.
    pub fn unpack(
        &mut self,
        packed: &[u8],
        size_bytes: usize,
        from: u32,
        each: &mut dyn FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        if size_bytes > BLOCK_BYTES_MAX {
            return Err(damaged());
        }
        self.bytes.clear();
        self.bytes.reserve(size_bytes);
        self.decompressor.decompress_to_buffer(packed, &mut self.bytes)?;
        let mut rest = &self.bytes[..];
        let mut index = 0;
        while !rest.is_empty() {
            let (key, value, after) = split(rest).ok_or_else(damaged)?;
            if index >= from && each(Message { index, key, value }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            rest = after;
            index += 1;
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The key and value of the first message, and what is after it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (lengths, rest) = bytes.split_first_chunk::<LENGTHS>()?;
    let [a, b, c, d, e, f, g, h] = *lengths;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes([a, b, c, d]) as usize)?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes([e, f, g, h]) as usize)?;
    Some((key, value, rest))
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a block of messages is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of a block as texts: number, key, value.
    fn all(packed: &[u8], size_bytes: usize, from: u32) -> io::Result<Vec<String>> {
        let mut messages = Vec::new();
        let flow = Unpacker::new()?.unpack(packed, size_bytes, from, &mut |message| {
            messages.push(format!("{message:?}"));
            ControlFlow::Continue(())
        })?;
        assert!(flow.is_continue());
        Ok(messages)
    }

    #[test]
    fn what_was_pushed_comes_back_from_any_message_on() {
        let mut block = Block::default();
        block.push(b"acme", b"{\"seq\":1}");
        block.push(b"", b"");
        block.push(b"\xFF", &[7; 5000]);
        let mut packer = Packer::new().unwrap();
        let packed = packer.pack(&block).unwrap().to_vec();
        let messages = all(&packed, block.size_bytes(), 0).unwrap();
        let first = Message { index: 0, key: b"acme", value: b"{\"seq\":1}" };
        let last = Message { index: 2, key: b"\xFF", value: &[7; 5000] };
        assert_eq!((&messages[0], &messages[2]), (&format!("{first:?}"), &format!("{last:?}")));
        assert_eq!(all(&packed, block.size_bytes(), 1).unwrap(), messages[1..]);
        assert!(all(&packed, block.size_bytes(), 3).unwrap().is_empty());
    }

    #[test]
    fn damage_is_found_wherever_it_is() {
        let mut block = Block::default();
        for index in 0..40u8 {
            block.push(b"org", &[index; 25]);
        }
        let packed = Packer::new().unwrap().pack(&block).unwrap().to_vec();
        for at in 0..packed.len() {
            let mut broken = packed.clone();
            broken[at] ^= 0x40;
            let read = all(&broken, block.size_bytes(), 0);
            assert!(read.is_err() || read.unwrap() == all(&packed, block.size_bytes(), 0).unwrap(), "byte {at}");
        }
        assert!(all(&packed[..packed.len() - 1], block.size_bytes(), 0).is_err());
        assert!(all(&packed, usize::MAX, 0).is_err());
    }
}
