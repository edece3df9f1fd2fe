//! Reading debits back for corrections: from the batch in flight, from what was read lately, else from the log.
//!
//! A read goes on for a while behind what it found: corrections tend to come in the order of what they correct, and the
//! next one is then answered from memory. Of several debits of one revision, which there are only where an identity was
//! forgotten in between, the latest counts.

use std::ops::ControlFlow;

use drawdown_units::Timestamp;
use drawdown_wire::debit::{Original, Sought};

use super::rated::Rated;
use crate::log::{Log, LogError};
use crate::partition::{Booked, Originals};

/// Debits read lately, of one partition.
#[derive(Debug, Default)]
pub(super) struct Recent {
    partition: u32,
    lines: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

/// How much is kept of what was read lately, in bytes.
const RECENT_BYTES_MAX: usize = 8 << 20;
/// How many more lines are read behind the one that was sought.
const LINES_BEHIND: usize = 4_096;

impl Recent {
    pub fn clear(&mut self) {
        self.lines.clear();
        self.ends.clear();
    }

    fn push(&mut self, line: &[u8]) {
        if self.lines.len() + line.len() > RECENT_BYTES_MAX {
            self.clear();
        }
        self.lines.extend_from_slice(line);
        self.ends.push(self.lines.len());
    }

    fn find(&self, sought: &Sought) -> Option<Box<Original>> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(from, to)| sought.look(&self.lines[from..*to]).ok().flatten()).last()
    }
}

/// Where the debits of one partition are found.
pub(super) struct ReadBack<'a, L> {
    pub log: &'a mut L,
    pub partition: u32,
    /// The batch that was appended, but is not known to be committed.
    pub in_flight: Option<&'a Rated>,
    pub recent: &'a mut Recent,
    /// Why reading back failed: then nothing of the batch counts.
    pub failure: Option<LogError>,
}

impl<L: Log> Originals for ReadBack<'_, L> {
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>> {
        if booked.is_in_progress {
            return booked.in_progress(sought);
        }
        if let Some(found) = self.in_flight.and_then(|rated| rated.find_debit(self.partition, sought)) {
            return Some(found);
        }
        if self.recent.partition == self.partition
            && let Some(found) = self.recent.find(sought)
        {
            return Some(found);
        }
        let from = booked.since.unwrap_or(Timestamp::MIN);
        let found = self.read(sought, from);
        match found {
            // By another clock than ours it may have been appended earlier: once more, from the beginning.
            None if self.failure.is_none() && booked.since.is_some() => self.read(sought, Timestamp::MIN),
            found => found,
        }
    }
}

impl<L: Log> ReadBack<'_, L> {
    fn read(&mut self, sought: &Sought, from: Timestamp) -> Option<Box<Original>> {
        let recent = &mut *self.recent;
        recent.partition = self.partition;
        recent.clear();
        let (mut found, mut behind) = (None, 0);
        let read = self.log.read_debits(self.partition, from, &mut |line| {
            recent.push(line);
            match sought.look(line) {
                Ok(Some(now)) => found = Some(now),
                Ok(None) | Err(_) => behind += usize::from(found.is_some()),
            }
            if behind < LINES_BEHIND { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        match read {
            Ok(()) => found,
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }
}
