//! Identities already debited, and what a record with a known one is (D2–D5).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::command::Command;
use super::names::reason;
use super::record::{Content, Record};
use super::time;

/// What an identity says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// Takes back what is booked, and rates anew unless it is a void.
    Correction,
    /// Same content, or a stale revision: dropped and counted.
    Duplicate,
    Rejected(&'static str),
}

/// What an identity stands for.
#[derive(Clone, Debug)]
struct Booked {
    revision: u64,
    content: Content,
    /// The latest start of any of its revisions: until that leaves the window, the identity is known (D1).
    last_start: Timestamp,
    /// As it was put out; nothing after a void.
    debit: Option<Value>,
}

/// Only what was booked is remembered: rejected and quarantined records claim nothing (D3).
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Records by (source, id), whatever the organisation.
    records: BTreeMap<(String, String), Booked>,
    /// Commands by (organisation, id), with the day they were handled.
    commands: BTreeMap<(String, String), i64>,
}

impl Seen {
    pub fn judge(&self, source: &str, record: &Record) -> Verdict {
        let key = (source.to_owned(), record.id.clone());
        let Some(booked) = self.records.get(&key) else {
            return if record.content.void { Verdict::Rejected(reason::NOTHING_TO_VOID) } else { Verdict::New };
        };
        let (is_same_revision, is_void) = (record.revision == booked.revision, record.content.void);
        if record.revision < booked.revision || (is_same_revision && record.content == booked.content) {
            return Verdict::Duplicate;
        }
        if is_same_revision && !is_void {
            return Verdict::Rejected(reason::QUARANTINED);
        }
        // Once it is voided, a new record may be anyone's (D11).
        if booked.debit.is_some() && record.content.org != booked.content.org {
            return Verdict::Rejected(reason::ORG_MISMATCH);
        }
        // Voided already: there is nothing left to void.
        if is_void && booked.debit.is_none() { Verdict::Rejected(reason::NOTHING_TO_VOID) } else { Verdict::Correction }
    }

    /// The debit that a correction takes back.
    pub fn debit(&self, source: &str, record: &Record) -> Option<Value> {
        self.records.get(&(source.to_owned(), record.id.clone()))?.debit.clone()
    }

    /// Claims an identity, or lets it stand for its next revision.
    pub fn claim(&mut self, source: &str, record: &Record, debit: Option<Value>) {
        let key = (source.to_owned(), record.id.clone());
        let (revision, content) = (record.revision, record.content.clone());
        let last_start = self.records.get(&key).map_or(content.start, |booked| booked.last_start.max(content.start));
        self.records.insert(key, Booked { revision, content, last_start, debit });
    }

    pub fn holds_command(&self, command: &Command) -> bool {
        self.commands.contains_key(&(command.org.clone(), command.id.clone()))
    }

    pub fn claim_command(&mut self, command: &Command, day: i64) {
        self.commands.insert((command.org.clone(), command.id.clone()), day);
    }

    /// Forgets calls that started, and commands handled, before `day`.
    pub fn forget_before(&mut self, day: i64) {
        self.records.retain(|_, booked| time::day_of(booked.last_start) >= day);
        self.commands.retain(|_, handled| *handled >= day);
    }
}
