//! Reading a partition back after a start: its accounts, then what its transactions claimed, a little at a time.

use std::ops::ControlFlow;

use drawdown_engine::log::{Output, Progress, Saved};
use rusqlite::types::Value;

use super::reader::{Cursor, Reader};
use super::store::StoreError;

/// The one partition there is.
pub const PARTITION: u32 = 0;
/// How many messages of `seen` are read at once: one holds thousands of identities.
const SEEN_AT_ONCE: u64 = 64;

/// How far restoring is.
#[derive(Debug)]
pub struct Restoring {
    step: Step,
    progress: Progress,
}

#[derive(Debug)]
enum Step {
    /// The organisation read last; null before the first.
    Accounts(Value),
    Seen(Cursor),
    Done,
}

impl Restoring {
    /// Begins.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn begin(reader: &Reader) -> Result<Self, StoreError> {
        let (accounts, blocks) = reader.counts(PARTITION, Output::Seen)?;
        let progress = Progress { read: 0, total: accounts + blocks, is_done: false };
        Ok(Restoring { step: Step::Accounts(Value::Null), progress })
    }

    /// Nothing is to be restored.
    pub fn nothing() -> Self {
        Restoring { step: Step::Done, progress: Progress { is_done: true, ..Progress::default() } }
    }

    /// Reads some more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn go_on(&mut self, reader: &mut Reader, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, StoreError> {
        self.step = match &self.step {
            Step::Accounts(after) => {
                let (count, last) = reader.accounts_after(PARTITION, after, &mut |key, value| {
                    each(Saved { output: Output::Accounts, partition: PARTITION, key, value });
                })?;
                self.progress.read += count;
                match last {
                    Value::Null => Step::Seen(Cursor::default()),
                    last => Step::Accounts(last),
                }
            }
            Step::Seen(cursor) => {
                let mut count = 0;
                let cursor = reader.messages(Output::Seen, *cursor, &mut |message| {
                    each(Saved { output: Output::Seen, partition: message.partition, key: &[], value: message.value });
                    count += 1;
                    if count < SEEN_AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })?;
                self.progress.read += count;
                if count < SEEN_AT_ONCE { Step::Done } else { Step::Seen(cursor) }
            }
            Step::Done => Step::Done,
        };
        self.progress.is_done = matches!(self.step, Step::Done);
        self.progress.total = self.progress.total.max(self.progress.read);
        Ok(self.progress)
    }

    /// Whether everything was read.
    pub fn is_done(&self) -> bool {
        self.progress.is_done
    }
}
