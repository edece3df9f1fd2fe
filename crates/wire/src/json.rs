//! Appending JSON to a byte buffer: the little that writing debits and events takes.
//!
//! Two lines are written for nearly every call, so this writes straight into the output buffer, without a tree and
//! without a serializer in between. Reading goes through serde.

use std::borrow::Cow;

use drawdown_rating::Number;
use drawdown_units::{Money, Price, Timestamp};

/// `,"name":` as one literal: every field but the first of an object.
macro_rules! key {
    ($name:literal) => {
        concat!(",\"", $name, "\":")
    };
}
pub(crate) use key;

/// Appends to a buffer. Keys are passed as they stand in the output, quotes, comma and colon included.
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Writer { out }
    }

    // What is inlined always is so that keys are copied as the constants they are: measured, a fifth of writing a debit.
    #[inline(always)]
    pub fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    #[inline(always)]
    pub fn text(&mut self, key: &str, value: &str) {
        self.raw(key);
        push_text(self.out, value);
    }

    /// Nothing at all where the value is absent.
    #[inline(always)]
    pub fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A text carried through from a record. `is_plain` says that what is borrowed from it needs no escaping, so that
    /// nobody has to look: a third of writing a debit, measured.
    #[inline(always)]
    #[allow(clippy::ptr_arg, reason = "whether the text is borrowed is the point")]
    pub fn carried(&mut self, key: &str, value: &Cow<'_, str>, is_plain: bool) {
        match value {
            Cow::Borrowed(value) if is_plain => self.plain(key, value),
            value => self.text(key, value),
        }
    }

    /// A value that needs no escaping by construction: names of ours, digits.
    #[inline(always)]
    pub fn plain(&mut self, key: &str, value: &str) {
        self.quoted(key, value.as_bytes());
    }

    #[inline(always)]
    pub fn money(&mut self, key: &str, value: Money) {
        self.placed(key, |place| value.write(place));
    }

    #[inline(always)]
    pub fn price(&mut self, key: &str, value: Price) {
        self.placed(key, |place| value.write(place));
    }

    #[inline(always)]
    pub fn number(&mut self, key: &str, value: Number) {
        self.placed(key, |place| value.write_digits(place).len());
    }

    #[inline(always)]
    pub fn time(&mut self, key: &str, value: Timestamp) {
        self.placed(key, |place| value.write(place));
    }

    /// A calendar month, by its first instant: `2026-03`.
    #[inline(always)]
    pub fn month(&mut self, key: &str, value: Timestamp) {
        self.quoted(key, &value.text().as_bytes()[..7]);
    }

    #[inline(always)]
    pub fn integer(&mut self, key: &str, value: impl itoa::Integer) {
        self.raw(key);
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline(always)]
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.raw(key);
        self.raw(if value { "true" } else { "false" });
    }

    #[inline(always)]
    fn quoted(&mut self, key: &str, value: &[u8]) {
        self.raw(key);
        self.out.push(b'"');
        self.out.extend_from_slice(value);
        self.out.push(b'"');
    }

    /// What `write` leaves of `N` bytes, written where it stays: copied from elsewhere, bytes just written one by one are
    /// waited for (each such text cost some 15 cycles, measured).
    #[inline(always)]
    fn placed<const N: usize>(&mut self, key: &str, write: impl FnOnce(&mut [u8; N]) -> usize) {
        self.raw(key);
        self.out.push(b'"');
        let start = self.out.len();
        self.out.extend_from_slice(&[b'0'; N]);
        let length = self.out.last_chunk_mut::<N>().map_or(0, write);
        self.out.truncate(start + length);
        self.out.push(b'"');
    }

    /// A list: `item` writes one element without its comma.
    pub fn list<T>(&mut self, key: &str, items: impl Iterator<Item = T>, mut item: impl FnMut(&mut Self, T)) {
        self.raw(key);
        self.raw("[");
        for (index, element) in items.enumerate() {
            if index > 0 {
                self.raw(",");
            }
            item(self, element);
        }
        self.raw("]");
    }
}

/// Appends `text` as a JSON string.
///
/// Looked at and copied in one pass, eight bytes at a time: nearly every text is clean, short, and must be looked at.
/// One that is not is taken back and escaped.
#[inline]
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let from = out.len();
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut dirty = 0;
    for word in words {
        dirty |= unclean(u64::from_le_bytes(*word));
        out.extend_from_slice(word);
    }
    let mut is_clean = dirty == 0;
    for &byte in rest {
        is_clean &= byte >= 0x20 && byte != b'"' && byte != b'\\';
        out.push(byte);
    }
    if !is_clean {
        out.truncate(from);
        push_escaped(out, text);
    }
    out.push(b'"');
}

/// Not 0 if one of eight bytes must be escaped.
#[inline]
fn unclean(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let equal = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, 0x20) | equal(word, b'"') | equal(word, b'\\')
}

#[cold]
fn push_escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_reads_back_as_itself(text in ".{0,40}", control in "[\\x00-\\x1f\"\\\\é]{0,9}") {
            for text in [format!("{text}{control}"), format!("{control}{text}"), text] {
                let mut out = Vec::new();
                push_text(&mut out, &text);
                let back: String = serde_json::from_slice(&out).unwrap();
                prop_assert_eq!(back, text);
            }
        }
    }
}
