//! Transactional producers, and the one transaction that each may have open.
//!
//! Invariant: a transaction ends once, one way; what it wrote, positions included, is marked with that end, one
//! partition at a time; its producer begins no other before the last of them is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::stream::Writer;
use super::topics::StreamId;
use crate::log::Position;

#[derive(Debug, Default)]
pub(super) struct Producers {
    by_id: BTreeMap<Writer, Producer>,
}

#[derive(Debug, Default)]
struct Producer {
    epoch: u32,
    /// How many transactions it began.
    count: u64,
    transaction: Option<Transaction>,
    /// How its latest transaction ended, by number.
    latest_end: Option<(u64, bool)>,
}

#[derive(Debug)]
struct Transaction {
    number: u64,
    began: Duration,
    streams: BTreeSet<StreamId>,
    positions: Vec<Position>,
    /// What still has to be marked; `None` while it is open.
    ending: Option<Ending>,
}

#[derive(Debug)]
struct Ending {
    committed: bool,
    streams: BTreeSet<StreamId>,
    positions: bool,
}

/// What must be marked once a transaction is decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub streams: Vec<StreamId>,
    pub positions: bool,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    Ended { committed: bool },
}

impl Producers {
    fn of(&mut self, id: Writer) -> &mut Producer {
        self.by_id.entry(id).or_default()
    }

    /// Shuts out whoever used this id before, and returns the epoch of who does now.
    pub fn bump(&mut self, id: Writer) -> u32 {
        let producer = self.of(id);
        producer.epoch += 1;
        producer.epoch
    }

    pub fn is_current(&self, id: Writer, epoch: u32) -> bool {
        self.by_id.get(&id).is_some_and(|producer| producer.epoch == epoch)
    }

    /// Opens a transaction, and returns its number.
    pub fn begin(&mut self, id: Writer, now: Duration) -> u64 {
        let producer = self.of(id);
        assert!(producer.transaction.is_none(), "invariant: a producer has one transaction at a time");
        producer.count += 1;
        let number = producer.count;
        let (streams, positions) = (BTreeSet::new(), Vec::new());
        producer.transaction = Some(Transaction { number, began: now, streams, positions, ending: None });
        number
    }

    /// The open transaction gets something on `stream`.
    pub fn touch(&mut self, id: Writer, stream: StreamId) {
        if let Some(open) = self.open_mut(id) {
            open.streams.insert(stream);
        }
    }

    /// The open transaction gets positions, to become valid with it.
    pub fn send_positions(&mut self, id: Writer, positions: &[Position]) {
        if let Some(open) = self.open_mut(id) {
            open.positions.extend_from_slice(positions);
        }
    }

    fn open_mut(&mut self, id: Writer) -> Option<&mut Transaction> {
        self.of(id).transaction.as_mut().filter(|transaction| transaction.ending.is_none())
    }

    /// The number of the latest transaction that it began.
    pub fn number(&self, id: Writer) -> u64 {
        self.by_id.get(&id).map_or(0, |producer| producer.count)
    }

    /// Whether the transaction that it has was decided to be committed.
    pub fn is_committing(&self, id: Writer) -> bool {
        let ending = |it: &Producer| it.transaction.as_ref()?.ending.as_ref().map(|ending| ending.committed);
        self.by_id.get(&id).and_then(ending).unwrap_or(false)
    }

    /// Whether no producer has a transaction.
    pub fn are_idle(&self) -> bool {
        self.by_id.values().all(|producer| producer.transaction.is_none())
    }

    /// Whether it has a transaction, be it open or only not marked everywhere.
    pub fn is_busy(&self, id: Writer) -> bool {
        self.by_id.get(&id).is_some_and(|producer| producer.transaction.is_some())
    }

    /// How far transaction `number` is.
    pub fn progress(&self, id: Writer, number: u64) -> Progress {
        match self.by_id.get(&id).and_then(|producer| producer.latest_end) {
            Some((ended, committed)) if ended == number => Progress::Ended { committed },
            _ => Progress::Open,
        }
    }

    /// Decides the open transaction, if it is `number` (or whichever it is), and returns its positions if it was
    /// committed, and what must be marked.
    pub fn end(&mut self, id: Writer, number: Option<u64>, committed: bool) -> Option<(Vec<Position>, Marks)> {
        let producer = self.of(id);
        let open = producer.transaction.as_mut()?;
        if open.ending.is_some() || number.is_some_and(|number| number != open.number) {
            return None;
        }
        producer.latest_end = Some((open.number, committed));
        let positions = !open.positions.is_empty();
        let marks = Marks { streams: open.streams.iter().copied().collect(), positions };
        open.ending = Some(Ending { committed, streams: open.streams.clone(), positions });
        let sent = if committed { open.positions.clone() } else { Vec::new() };
        self.forget_if_done(id);
        Some((sent, marks))
    }

    /// A partition was marked; returns with what.
    pub fn marked(&mut self, id: Writer, stream: StreamId) -> Option<bool> {
        let ending = self.of(id).transaction.as_mut()?.ending.as_mut()?;
        let committed = ending.committed;
        let was_due = ending.streams.remove(&stream);
        self.forget_if_done(id);
        was_due.then_some(committed)
    }

    /// The positions were marked; returns them if they are valid now.
    pub fn positions_marked(&mut self, id: Writer) -> Vec<Position> {
        let Some(transaction) = self.of(id).transaction.as_mut() else { return Vec::new() };
        let Some(ending) = transaction.ending.as_mut() else { return Vec::new() };
        ending.positions = false;
        let valid = if ending.committed { transaction.positions.clone() } else { Vec::new() };
        self.forget_if_done(id);
        valid
    }

    fn forget_if_done(&mut self, id: Writer) {
        let producer = self.of(id);
        let ending = producer.transaction.as_ref().and_then(|transaction| transaction.ending.as_ref());
        if ending.is_some_and(|ending| ending.streams.is_empty() && !ending.positions) {
            producer.transaction = None;
        }
    }

    /// Whether positions of any of `partitions` are part of a transaction whose end they were not marked with yet.
    pub fn holds_positions_of(&self, partitions: &[u32]) -> bool {
        self.by_id.values().filter_map(|producer| producer.transaction.as_ref()).any(|transaction| {
            let is_marked = transaction.ending.as_ref().is_some_and(|ending| !ending.positions);
            !is_marked && transaction.positions.iter().any(|position| partitions.contains(&position.partition))
        })
    }

    /// Producers whose transaction is open since before `began`.
    pub fn overdue(&self, began: Duration) -> Vec<Writer> {
        let is_overdue = |it: &Transaction| it.ending.is_none() && it.began < began;
        let overdue = self.by_id.iter().filter(|(_, producer)| producer.transaction.as_ref().is_some_and(is_overdue));
        overdue.map(|(id, _)| *id).collect()
    }
}
