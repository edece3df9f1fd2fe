//! Identities already debited, and what a record with a known one is (D2–D5).

use std::collections::BTreeMap;

use super::command::Command;
use super::names::reason;
use super::record::{Content, Record};
use super::time;

/// What an identity says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    New,
    /// Same content, or a stale revision: dropped and counted.
    Duplicate,
    Rejected(&'static str),
}

/// Only what was booked is remembered: rejected and quarantined records claim nothing (D3).
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Records by (source, id), whatever the organisation.
    records: BTreeMap<(String, String), (u64, Content)>,
    /// Commands by (organisation, id), with the day they were handled.
    commands: BTreeMap<(String, String), i64>,
}

impl Seen {
    pub fn judge(&self, source: &str, record: &Record) -> Verdict {
        let key = (source.to_owned(), record.id.clone());
        let Some((revision, content)) = self.records.get(&key) else {
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
        self.records.insert((source.to_owned(), record.id.clone()), (record.revision, record.content.clone()));
    }

    pub fn holds_command(&self, command: &Command) -> bool {
        self.commands.contains_key(&(command.org.clone(), command.id.clone()))
    }

    pub fn claim_command(&mut self, command: &Command, day: i64) {
        self.commands.insert((command.org.clone(), command.id.clone()), day);
    }

    /// Forgets calls that started, and commands handled, before `day`.
    pub fn forget_before(&mut self, day: i64) {
        self.records.retain(|_, (_, content)| time::day_of(content.start) >= day);
        self.commands.retain(|_, handled| *handled >= day);
    }
}
