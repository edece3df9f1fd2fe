//! The log that a worker runs on: what it must be able to do, and nothing of how.
//!
//! Invariants that every engine keeps: what is appended becomes readable together with the positions it was derived
//! from, or never; a partition has one writer, and one that lost it cannot commit any more; ownership changes in
//! [`Log::turn`] and nowhere else, so that between two turns a worker may rely on what it owns.

mod batch;

use std::ops::ControlFlow;
use std::time::Duration;

use drawdown_units::Timestamp;

pub use batch::{Attributes, Batch, Place, Record};

/// What a partition reads. In this order at the same instant (boundaries.md T4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Commands.
    Commands,
    /// Usage records.
    Cdrs,
}

/// What a partition writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// One message for each debited call.
    Debits,
    /// Account events.
    Events,
    /// What was not debited, whole.
    Rejects,
    /// The state of each account that the transaction touched, by organisation, and what is kept beside it; the latest
    /// counts. An empty value takes out what its key stood for.
    Accounts,
    /// The identities that the transaction claimed.
    Seen,
}

impl Input {
    /// Both.
    pub const ALL: [Input; 2] = [Input::Commands, Input::Cdrs];

    /// The name of its topic, without a prefix.
    pub fn name(self) -> &'static str {
        match self {
            Input::Commands => "commands",
            Input::Cdrs => "cdrs",
        }
    }
}

impl Output {
    /// All of them.
    pub const ALL: [Output; 5] = [Output::Debits, Output::Events, Output::Rejects, Output::Accounts, Output::Seen];

    /// The name of its topic, without a prefix.
    pub fn name(self) -> &'static str {
        match self {
            Output::Debits => "debits",
            Output::Events => "account-events",
            Output::Rejects => "rejects",
            Output::Accounts => "accounts",
            Output::Seen => "seen",
        }
    }
}

/// Up to where an input was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Which input.
    pub input: Input,
    /// Which partition of it.
    pub partition: u32,
    /// The offset of the record to be read next.
    pub next: u64,
}

/// A change in who owns what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These are ours from now on: restore them, then read on from what was committed last.
    Assigned(Vec<u32>),
    /// These are given up, in good order.
    Revoked(Vec<u32>),
    /// These were taken away: someone else may own them already.
    Lost(Vec<u32>),
}

/// How much a poll may return, and how long it may wait for that much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Records that the batch may hold in all.
    pub records_max: usize,
    /// Bytes that the batch may hold in all, but for the last record.
    pub bytes_max: usize,
    /// How long to wait.
    pub wait: Duration,
}

/// What is read back when a partition is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved<'a> {
    /// [`Output::Accounts`] or [`Output::Seen`].
    pub output: Output,
    /// Whose partition.
    pub partition: u32,
    /// Its key; of [`Output::Seen`], none.
    pub key: &'a [u8],
    /// What was appended; nothing where what the key stood for was taken out.
    pub value: &'a [u8],
}

/// How far restoring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Messages read.
    pub read: u64,
    /// Messages to be read in all, as far as that is known.
    pub total: u64,
    /// Everything was read.
    pub is_done: bool,
}

/// Why a log does not go on as it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Nothing of the open transaction will ever be readable: abort it, roll memory back, and do it again.
    #[error("the transaction is void: {0}")]
    Abort(String),
    /// Only a new log can go on, from what was committed last. Whether the transaction in flight was, is not known.
    #[error("{0}")]
    Fatal(String),
}

/// A log: inputs, outputs, and transactions that tie them together. All calls come from one thread.
pub trait Log {
    /// Lets ownership change, and says how it did. Called often, and only while no transaction is open.
    ///
    /// # Errors
    /// [`LogError::Fatal`].
    fn turn(&mut self, changes: &mut Vec<Change>) -> Result<(), LogError>;

    /// Appends records of owned, restored partitions to `batch`; each input of a partition in order of offset. Only
    /// committed records are seen. May be called while a commit is in flight.
    ///
    /// # Errors
    /// [`LogError::Fatal`].
    fn poll(&mut self, batch: &mut Batch, room: Room) -> Result<(), LogError>;

    /// Opens a transaction.
    ///
    /// # Errors
    /// Either kind.
    fn begin(&mut self) -> Result<(), LogError>;

    /// Adds one message to the open transaction. Waits where the log cannot keep up: nothing is queued without bound.
    ///
    /// # Errors
    /// Either kind.
    fn append(&mut self, output: Output, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError>;

    /// Ends the open transaction together with `positions`, without waiting for the outcome.
    ///
    /// # Errors
    /// Either kind.
    fn commit(&mut self, positions: &[Position]) -> Result<(), LogError>;

    /// Waits for the outcome of [`Log::commit`]: `Ok` says that it is final and safe.
    ///
    /// # Errors
    /// Either kind.
    fn settle(&mut self) -> Result<(), LogError>;

    /// Aborts what is open or in flight, after [`LogError::Abort`].
    ///
    /// # Errors
    /// [`LogError::Fatal`].
    fn abort(&mut self) -> Result<(), LogError>;

    /// Begins to read back what was committed of `partitions`, which were just assigned. Nothing of them is polled
    /// until restoring is done. Asked again, it begins anew with the partitions given now.
    ///
    /// # Errors
    /// [`LogError::Fatal`].
    fn begin_restore(&mut self, partitions: &[u32]) -> Result<(), LogError>;

    /// Reads back some more; `each` gets [`Output::Accounts`] (of one organisation the latest comes last) and
    /// [`Output::Seen`] (in the order of the transactions). Returns soon, so that [`Log::turn`] is called meanwhile.
    ///
    /// # Errors
    /// [`LogError::Fatal`].
    fn restore(&mut self, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, LogError>;

    /// Reads back the debits of a partition that were appended at or after `from` (some earlier ones may come first),
    /// oldest first, until `each` breaks off.
    ///
    /// # Errors
    /// [`LogError::Fatal`].
    fn read_debits(
        &mut self,
        partition: u32,
        from: Timestamp,
        each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError>;

    /// How many readable records of a partition were not polled yet, as far as that is known: 0 lets time alone go on.
    fn lag(&mut self, partition: u32) -> u64;

    /// The time of day: what a tick tells.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, for intervals.
    fn elapsed(&self) -> Duration;
}
