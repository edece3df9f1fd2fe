//! The rejects stream: a record that was not debited, whole, with the reason and where it came from.

mod read;

use std::fmt::Write as _;

use drawdown_units::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::json::{Writer, key};
use crate::rejection::Rejection;

pub use read::{Rejected, Resent, read};

/// What kind of input was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A usage record.
    Cdr,
    /// A command.
    Command,
}

/// Where an input came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// A file.
    File {
        /// Its name, `-` for standard input.
        file: &'a str,
        /// 1-based.
        line: u64,
        /// Byte offset of the record in the (uncompressed) file.
        offset: u64,
    },
    /// A topic.
    Topic {
        /// Its name, without a prefix.
        topic: &'a str,
        /// The partition.
        partition: u32,
        /// The offset.
        offset: u64,
    },
}

/// What it takes to send an input again just as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resend<'a> {
    /// When it arrived.
    pub arrival: Timestamp,
    /// The message's key.
    pub key: Option<&'a str>,
    /// CloudEvents: the id.
    pub ce_id: Option<&'a str>,
    /// CloudEvents: the source.
    pub ce_source: Option<&'a str>,
    /// The source profile that reads it.
    pub profile: Option<&'a str>,
    /// The header line of its file.
    pub columns: Option<&'a str>,
    /// The organisation of records that name none.
    pub org: Option<&'a str>,
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
    /// How it can be sent again; `None` where the file can simply be rated again, or it is too long to be said.
    pub resend: Option<Resend<'a>>,
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
        match self.origin {
            Origin::File { file, line, offset } => {
                json.text(",\"origin\":{\"file\":", file);
                json.integer(key!("line"), line);
                json.integer(key!("offset"), offset);
            }
            Origin::Topic { topic, partition, offset } => {
                json.text(",\"origin\":{\"topic\":", topic);
                json.integer(key!("partition"), partition);
                json.integer(key!("offset"), offset);
            }
        }
        json.raw("}");
        if let Some(resend) = &self.resend {
            resend.write(&mut json);
        }
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

impl Resend<'_> {
    fn write(&self, json: &mut Writer<'_>) {
        json.time(",\"resend\":{\"arrival\":", self.arrival);
        json.optional(key!("key"), self.key);
        json.optional(key!("ceId"), self.ce_id);
        json.optional(key!("ceSource"), self.ce_source);
        json.optional(key!("profile"), self.profile);
        json.optional(key!("columns"), self.columns);
        json.optional(key!("orgId"), self.org);
        json.raw("}");
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("invariant: writing to a String works");
    }
    text
}
