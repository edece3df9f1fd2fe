//! Identities already debited, and what a record with a known one is (D2–D5).

use std::collections::BTreeMap;

use super::names::reason;
use super::record::{Content, Record};

/// What an identity says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// Same content, or a stale revision: dropped and counted.
    Duplicate,
    Rejected(&'static str),
}

/// By (source, id). Only debits are remembered: rejected and quarantined records claim nothing (D3).
#[derive(Clone, Debug, Default)]
pub struct Seen(BTreeMap<(String, String), (u64, Content)>);

impl Seen {
    pub fn judge(&self, source: &str, record: &Record) -> Verdict {
        let key = (source.to_owned(), record.id.clone());
        let Some((revision, content)) = self.0.get(&key) else {
            return if record.content.void { Verdict::Rejected(reason::NOTHING_TO_VOID) } else { Verdict::New };
        };
        if record.revision < *revision {
            return Verdict::Duplicate;
        }
        if record.revision > *revision || record.content.void {
            return Verdict::Rejected(reason::CORRECTION);
        }
        if record.content == *content { Verdict::Duplicate } else { Verdict::Rejected(reason::QUARANTINED) }
    }

    pub fn claim(&mut self, source: &str, record: &Record) {
        self.0.insert((source.to_owned(), record.id.clone()), (record.revision, record.content.clone()));
    }
}
