//! One partition of a topic: records and the markers that end transactions, by offset.
//!
//! Invariant: the last stable offset never goes back; below it the fate of every record is known for good.

use std::collections::{BTreeMap, HashSet};

use drawdown_units::Timestamp;

/// Who appended, if within a transaction: a producer has one transaction at a time.
pub(super) type Writer = u64;

#[derive(Debug, Default)]
pub(super) struct Stream {
    entries: Vec<Entry>,
    /// Where each open transaction begins.
    open: BTreeMap<Writer, u64>,
    aborted: Vec<Aborted>,
}

#[derive(Debug)]
enum Entry {
    Record(Option<Writer>, Message),
    Marker,
    /// Compacted away; kept for audits.
    Gap(Message),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub arrival: Timestamp,
    pub key: Option<Box<[u8]>>,
    pub value: Box<[u8]>,
}

#[derive(Debug)]
struct Aborted {
    writer: Writer,
    first: u64,
    marker: u64,
}

impl Stream {
    pub fn append(&mut self, writer: Option<Writer>, message: Message) {
        let offset = self.high_watermark();
        if let Some(writer) = writer {
            self.open.entry(writer).or_insert(offset);
        }
        self.entries.push(Entry::Record(writer, message));
    }

    /// Ends the transaction of `writer` here. Without a record of it there is nothing to end.
    pub fn mark(&mut self, writer: Writer, committed: bool) {
        let Some(first) = self.open.remove(&writer) else { return };
        if !committed {
            self.aborted.push(Aborted { writer, first, marker: self.high_watermark() });
        }
        self.entries.push(Entry::Marker);
    }

    /// The offset of what is appended next.
    pub fn high_watermark(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The first offset of any open transaction.
    pub fn last_stable(&self) -> u64 {
        self.open.values().copied().min().unwrap_or_else(|| self.high_watermark())
    }

    /// Where the transaction of `writer` begins, if it has one that is not marked.
    pub fn first_open(&self, writer: Writer) -> Option<u64> {
        self.open.get(&writer).copied()
    }

    /// What a read-committed reader sees from `from` on.
    pub fn readable(&self, from: u64) -> impl Iterator<Item = (u64, &Message)> {
        let range = from.min(self.last_stable())..self.last_stable();
        range.filter_map(|offset| match &self.entries[offset as usize] {
            Entry::Record(Some(writer), _) if self.is_aborted(*writer, offset) => None,
            Entry::Record(_, message) => Some((offset, message)),
            Entry::Marker | Entry::Gap(_) => None,
        })
    }

    /// Whether a message of these bytes is committed, be it readable already or not: `is_committing` tells of the
    /// transactions that were not marked here yet.
    pub fn holds(&self, value: &[u8], is_committing: impl Fn(Writer) -> bool) -> bool {
        self.entries.iter().enumerate().rev().any(|(offset, entry)| match entry {
            Entry::Record(_, message) | Entry::Gap(message) if *message.value != *value => false,
            Entry::Record(Some(writer), _) if self.open.get(writer).is_some_and(|first| *first <= offset as u64) => {
                is_committing(*writer)
            }
            Entry::Record(Some(writer), _) => !self.is_aborted(*writer, offset as u64),
            Entry::Record(None, _) | Entry::Gap(_) => true,
            Entry::Marker => false,
        })
    }

    fn is_aborted(&self, writer: Writer, offset: u64) -> bool {
        self.aborted.iter().any(|it| it.writer == writer && it.first <= offset && offset < it.marker)
    }

    /// Takes out what a later record of the same key stands for, as far as it is committed.
    pub fn compact(&mut self) {
        let mut keys = HashSet::new();
        let readable: Vec<u64> = self.readable(0).map(|(offset, _)| offset).collect();
        for offset in readable.into_iter().rev() {
            let entry = &mut self.entries[offset as usize];
            let Entry::Record(_, message) = entry else { continue };
            if message.key.as_ref().is_some_and(|key| !keys.insert(key.clone())) {
                *entry = Entry::Gap(message.clone());
            }
        }
    }
}
