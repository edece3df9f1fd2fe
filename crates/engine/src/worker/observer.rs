//! Who watches a worker: views of committed state, metrics. Told once a batch, never once a record.

use std::time::Duration;

use drawdown_units::Timestamp;

use super::messages::Messages;
use super::rated::Written;
use crate::log::{Change, Output, Progress};
use crate::partition::{CommandOutcome, Partition};
use crate::tally::Tally;

/// Watches a worker. Nothing it does may fail or wait.
pub trait Observer {
    /// A transaction is final.
    fn committed(&mut self, committed: &Committed<'_>);

    /// A transaction was aborted; its records are rated again.
    fn aborted(&mut self, why: &str);

    /// Ownership changed.
    fn changed(&mut self, change: &Change);

    /// All partitions are ours no more, or not yet again: what was published of them is forgotten.
    fn dropped(&mut self, partitions: &[u32]);

    /// The committed state of an account or of a user, read back, with its key in `accounts`.
    fn saved(&mut self, partition: u32, key: &[u8], state: &[u8]);

    /// Whether there is anything to be kept beside the accounts: then a transaction is made, if need be for that alone.
    fn has_unkept(&self) -> bool {
        false
    }

    /// Adds to `states` what is to be kept beside the accounts of a partition with the next transaction: nothing, where
    /// a state of before is to be taken out. Keys and states are those of running calls.
    fn keep(&mut self, _partition: u32, _states: &mut Messages) {}

    /// What was to be kept by this key was not: its transaction was aborted, or never begun.
    fn not_kept(&mut self, _partition: u32, _key: &[u8]) {}

    /// What was kept beside the accounts of a partition, read back, by its key; nothing, where it was taken out.
    fn kept(&mut self, _partition: u32, _key: &[u8], _state: &[u8]) {}

    /// How far restoring is.
    fn restoring(&mut self, progress: Progress);

    /// All partitions are restored.
    fn restored<'p>(&mut self, partitions: impl Iterator<Item = (u32, &'p Partition)>);
}

/// What a transaction made final.
#[derive(Debug)]
pub struct Committed<'a> {
    /// What was counted.
    pub tally: &'a Tally,
    /// The account events, of all partitions.
    pub events: &'a Messages,
    /// For each partition: its number, and the states of the accounts it touched, in their binary form, by organisation.
    pub states: &'a [(u32, Messages)],
    /// For each partition: its number, and the states of the users it touched, in their binary form, by their keys.
    pub users: &'a [(u32, Messages)],
    /// The debits, of all partitions.
    pub debits: Debits<'a>,
    /// What became of each command.
    pub commands: &'a [Answer],
    /// How many records and commands were taken.
    pub records: usize,
    /// What was read, in bytes.
    pub bytes_in: usize,
    /// What was appended to each output, in bytes, in the order of [`Output::ALL`].
    pub written: [usize; Output::ALL.len()],
    /// From the first message appended to the commit's outcome.
    pub took: Duration,
    /// For each partition the greatest arrival among its records.
    pub arrivals: &'a [(u32, Timestamp)],
    /// For each partition how many records wait to be polled.
    pub lags: &'a [(u32, u64)],
    /// How many accounts the worker holds.
    pub account_count: usize,
    /// The memory that identities take, in bytes.
    pub dedup_size_bytes: usize,
}

/// The debits of a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Debits<'a>(pub(super) &'a [Written]);

impl<'a> Debits<'a> {
    /// Organisation and line of each, those of a partition in their order.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.0.iter().flat_map(|written| written.debits.iter())
    }
}

/// What became of a command that could be read.
#[derive(Debug)]
pub struct Answer {
    /// Whose account.
    pub org: Box<str>,
    /// The command's id.
    pub command_id: Box<str>,
    /// What became of it.
    pub outcome: CommandOutcome,
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn committed(&mut self, _: &Committed<'_>) {}

    fn aborted(&mut self, _: &str) {}

    fn changed(&mut self, _: &Change) {}

    fn dropped(&mut self, _: &[u32]) {}

    fn saved(&mut self, _: u32, _: &[u8], _: &[u8]) {}

    fn restoring(&mut self, _: Progress) {}

    fn restored<'p>(&mut self, _: impl Iterator<Item = (u32, &'p Partition)>) {}
}
