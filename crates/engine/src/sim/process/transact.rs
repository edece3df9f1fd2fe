//! The transactions of a process: what it sends and when, and how they end.

use super::{SimLog, Transaction};
use crate::log::{Input, LogError, Output, Position};
use crate::sim::cluster::{Event, State};
use crate::sim::faults::{Fate, Truth};
use crate::sim::stream::Message;
use crate::sim::topics::{StreamId, Topic};
use crate::sim::transactions::Progress;

/// How many messages are sent with each that is appended, at most.
const SENT_COUNT_MAX: u64 = 3;

impl SimLog {
    pub(super) fn open(&mut self, state: &mut State) -> Result<(), LogError> {
        self.check_epoch(state)?;
        state.finish(self.process);
        // Time went on.
        self.check_epoch(state)?;
        state.producers.begin(self.process, state.elapsed);
        self.transaction = Transaction::Open;
        self.written.clear();
        self.roll_void(state)
    }

    pub(super) fn add(&mut self, state: &mut State, stream: StreamId, message: Message) -> Result<(), LogError> {
        self.roll_void(state)?;
        self.written.insert(stream.1);
        self.unsent.push_back((stream, message));
        let count = state.random.below(SENT_COUNT_MAX + 1) as usize;
        self.send(state, count)
    }

    pub(super) fn give_up(&mut self, state: &mut State) -> Result<(), LogError> {
        self.check_epoch(state)?;
        self.unsent.clear();
        state.end(self.process, None, false);
        self.transaction = Transaction::None;
        Ok(())
    }

    pub(super) fn commit_all(&mut self, state: &mut State, positions: &[Position]) -> Result<(), LogError> {
        let fate = state.settings.faults.fate(&mut state.random);
        self.check_epoch(state)?;
        let is_late = state.random.chance(state.settings.faults.late_per_mille);
        let count = if is_late { state.random.below(self.unsent.len() as u64 + 1) as usize } else { usize::MAX };
        self.send(state, count)?;
        if fate == (Fate::Void { after_positions: false }) {
            return Err(self.void("by chance, before the positions were sent"));
        }
        // Where something is written and nothing was read, the position of before is sent again: without any, the group
        // would not be asked, and who owns the partition next would not wait for what is still to come.
        let is_asked = !positions.is_empty() || !state.settings.fences_positions_only;
        if is_asked && state.settings.checks_generation && !state.group.admits(self.member, self.generation) {
            return Err(self.void("illegal generation"));
        }
        self.sent.clear();
        self.sent.extend_from_slice(positions);
        if is_asked && !state.settings.holds_what_was_read_only {
            self.repeat_positions();
        }
        state.producers.send_positions(self.process, &self.sent);
        if fate == (Fate::Void { after_positions: true }) {
            return Err(self.void("by chance, after the positions were sent"));
        }
        let number = state.producers.number(self.process);
        self.transaction = Transaction::InFlight { number, fate };
        if self.unsent.is_empty() {
            self.ask_for_end(state, number, fate);
        }
        if matches!(fate, Fate::Unknown { at_once: true, .. }) {
            return Err(LogError::Fatal("it is not known whether the commit was made".into()));
        }
        Ok(())
    }

    pub(super) fn await_outcome(&mut self, state: &mut State) -> Result<(), LogError> {
        let Transaction::InFlight { number, fate } = self.transaction else { return Ok(()) };
        if !self.unsent.is_empty() {
            self.send(state, usize::MAX)?;
            self.ask_for_end(state, number, fate);
        }
        match fate {
            Fate::Void { .. } | Fate::VoidLater => return Err(self.void("by chance, when it was to be settled")),
            Fate::Unknown { .. } => {
                return Err(LogError::Fatal("it is not known whether the commit was made".into()));
            }
            Fate::Fine => {}
        }
        loop {
            match state.producers.progress(self.process, number) {
                Progress::Ended { committed: true } => break,
                Progress::Ended { committed: false } => {
                    return Err(LogError::Fatal("the transaction timed out".into()));
                }
                Progress::Open => {
                    // A successor may have ended it, and others since.
                    self.check_epoch(state)?;
                    assert!(state.advance_to_next(), "invariant: a commit is decided in time");
                }
            }
        }
        self.transaction = Transaction::None;
        self.committed.extend(self.sent.iter().map(|position| ((position.input, position.partition), position.next)));
        Ok(())
    }

    /// Sends a position of each partition that is written to and was not read.
    fn repeat_positions(&mut self) {
        for partition in &self.written {
            if self.sent.iter().all(|position| position.partition != *partition) {
                let input = Input::Commands;
                let next = self.committed.get(&(input, *partition)).copied().unwrap_or(0);
                self.sent.push(Position { input, partition: *partition, next });
            }
        }
    }

    /// Everything is sent: the broker is asked to end the transaction, and does by and by.
    fn ask_for_end(&self, state: &mut State, number: u64, fate: Fate) {
        let committed = match fate {
            Fate::Fine | Fate::Unknown { truth: Truth::Committed, .. } => true,
            Fate::Unknown { truth: Truth::Aborted, .. } => false,
            Fate::Unknown { truth: Truth::Open, .. } | Fate::Void { .. } | Fate::VoidLater => return,
        };
        let longest = state.settings.faults.commit_max;
        state.schedule(longest, Event::Decide { producer: self.process, number, committed });
    }

    /// Waits until every debit appended so far is readable or aborted, but for those of the transaction in flight.
    pub(super) fn await_debits(&self, state: &mut State, partition: u32) -> Result<(), LogError> {
        let debits = (Topic::Out(Output::Debits), partition);
        let is_in_flight = matches!(self.transaction, Transaction::InFlight { .. });
        let stream = state.topics.get(debits.0, debits.1);
        let own = if is_in_flight { stream.first_open(self.process) } else { None };
        let end = own.unwrap_or_else(|| stream.high_watermark());
        while state.topics.get(debits.0, debits.1).last_stable() < end {
            if !state.advance_to_next() {
                return Err(LogError::Fatal("a transaction of someone else does not end".into()));
            }
        }
        Ok(())
    }

    fn check_epoch(&self, state: &State) -> Result<(), LogError> {
        if state.producers.is_current(self.process, self.epoch) {
            return Ok(());
        }
        Err(LogError::Fatal(format!("producer {} of epoch {} was shut out", self.process, self.epoch)))
    }

    fn void(&mut self, why: &str) -> LogError {
        self.transaction = Transaction::Void;
        LogError::Abort(why.to_owned())
    }

    fn roll_void(&mut self, state: &mut State) -> Result<(), LogError> {
        if state.random.chance(state.settings.faults.abort_per_mille) { Err(self.void("by chance")) } else { Ok(()) }
    }

    fn send(&mut self, state: &mut State, count: usize) -> Result<(), LogError> {
        for _ in 0..count.min(self.unsent.len()) {
            self.check_epoch(state)?;
            if let Some((stream, message)) = self.unsent.pop_front() {
                state.append(Some(self.process), stream, message);
            }
        }
        Ok(())
    }
}
