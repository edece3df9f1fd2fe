//! The rejects stream: a record that was not debited, whole, with the reason and where it came from.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use crate::json::{Writer, key};
use crate::rejection::Rejection;

/// What kind of input was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A usage record.
    Cdr,
    /// A command.
    Command,
}

/// Where an input came from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The file's name, `-` for standard input.
    pub file: &'a str,
    /// 1-based.
    pub line: u64,
    /// Byte offset of the record in the (uncompressed) file.
    pub offset: u64,
}

/// One line of the rejects stream.
#[derive(Debug)]
pub struct Reject<'a> {
    /// What was rejected.
    pub kind: Kind,
    /// Whether it counts as rejected: not so for the copy of an unrated debit (boundaries.md U16).
    pub counted: bool,
    /// Why.
    pub rejection: &'a Rejection,
    /// Whose it is, as far as that could be read.
    pub org: Option<&'a str>,
    /// Its identity, as far as that could be read.
    pub identity: Option<(&'a str, &'a str)>,
    /// Where it came from.
    pub origin: Origin<'a>,
    /// The bytes, whole, or the beginning of a record larger than a record may be.
    pub record: &'a [u8],
    /// How many bytes there were in all, and their hash, where `record` is not all of them.
    pub cut_from: Option<(u64, u64)>,
}

impl Reject<'_> {
    /// Appends the reject as one line of JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut json = Writer::new(out);
        json.plain(
            "{\"schemaVersion\":1,\"type\":\"reject\",\"kind\":",
            match self.kind {
                Kind::Cdr => "cdr",
                Kind::Command => "command",
            },
        );
        json.boolean(key!("counted"), self.counted);
        json.plain(key!("reason"), self.rejection.reason.name());
        json.optional(key!("field"), self.rejection.field.as_deref());
        json.text(key!("detail"), &self.rejection.detail);
        json.optional(key!("orgId"), self.org);
        json.optional(key!("source"), self.identity.map(|(source, _)| source));
        json.optional(key!("id"), self.identity.map(|(_, id)| id));
        json.text(",\"origin\":{\"file\":", self.origin.file);
        json.integer(key!("line"), self.origin.line);
        json.integer(key!("offset"), self.origin.offset);
        json.raw("}");
        let (length, hash) = self.cut_from.unwrap_or_else(|| (self.record.len() as u64, xxh3_64(self.record)));
        json.integer(key!("length"), length);
        json.plain(key!("hash"), &format!("xxh3:{hash:016x}"));
        match std::str::from_utf8(self.record) {
            Ok(text) => json.text(key!("record"), text),
            Err(_) => json.plain(key!("recordHex"), &hex(self.record)),
        }
        json.raw("}\n");
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("invariant: writing to a String works");
    }
    text
}
