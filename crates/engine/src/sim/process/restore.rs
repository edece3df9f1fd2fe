//! Reading back what was committed of partitions that were just assigned.
//!
//! First the positions, once no transaction holds any of them back; then the high watermarks; then everything below
//! them, which waits for every transaction that was open there. In any other order something that a predecessor
//! committed late could be missed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::SimLog;
use crate::log::{Input, Output, Progress};
use crate::sim::cluster::State;
use crate::sim::topics::Topic;

/// How many messages are read back in one call, at most.
const RUN_COUNT_MAX: u64 = 40;
/// How long one call waits for transactions to end, at most.
const WAIT_MAX: Duration = Duration::from_millis(200);

/// What was read back: of which output, which partition, by which key, the bytes.
pub(super) type Read = (Output, u32, Box<[u8]>, Box<[u8]>);

#[derive(Debug)]
pub(super) struct Restoring {
    partitions: Vec<u32>,
    /// Where the inputs will be read on; `None` until the positions are stable.
    positions: Option<BTreeMap<(Input, u32), u64>>,
    parts: Vec<Part>,
    read: u64,
}

/// One output of one partition.
#[derive(Debug)]
struct Part {
    output: Output,
    partition: u32,
    next: u64,
    until: u64,
}

impl Restoring {
    pub fn new(partitions: &[u32]) -> Self {
        Restoring { partitions: partitions.to_vec(), positions: None, parts: Vec::new(), read: 0 }
    }

    fn aim(&mut self, state: &State) {
        let valid = |input, partition| state.positions.get(&(input, partition)).copied().unwrap_or(0);
        let pairs = self.partitions.iter().flat_map(|partition| Input::ALL.map(|input| (input, *partition)));
        self.positions = Some(pairs.map(|(input, partition)| ((input, partition), valid(input, partition))).collect());
        let outputs = [Output::Accounts, Output::Seen];
        let parts = self.partitions.iter().flat_map(|partition| outputs.map(|output| (output, *partition)));
        let part = |(output, partition)| {
            let stream = state.topics.get(Topic::Out(output), partition);
            let is_lazy = state.settings.restores_to_last_stable;
            let until = if is_lazy { stream.last_stable() } else { stream.high_watermark() };
            Part { output, partition, next: 0, until }
        };
        self.parts = parts.map(part).collect();
    }

    fn progress(&self) -> Progress {
        let total = self.read + self.parts.iter().map(|part| part.until - part.next).sum::<u64>();
        let is_done = self.positions.is_some() && self.parts.iter().all(|part| part.next == part.until);
        Progress { read: self.read, total, is_done }
    }
}

impl SimLog {
    pub(super) fn restore_some(&mut self, state: &mut State, into: &mut Vec<Read>) -> Progress {
        let Some(restoring) = &mut self.restoring else {
            return Progress { is_done: true, ..Progress::default() };
        };
        if restoring.positions.is_none() {
            let is_held = state.producers.holds_positions_of(&restoring.partitions);
            if is_held && !state.settings.takes_unstable_positions {
                wait(state);
                return restoring.progress();
            }
            restoring.aim(state);
        }
        state.random.shuffle(&mut restoring.parts);
        let before = restoring.read;
        for part in &mut restoring.parts {
            let run = state.random.below(RUN_COUNT_MAX);
            restoring.read += part.read(state, run, into);
        }
        let progress = restoring.progress();
        if progress.is_done {
            let positions = restoring.positions.take().unwrap_or_default();
            self.committed.extend(&positions);
            self.reading.extend(positions);
            self.restoring = None;
        } else if progress.read == before {
            wait(state);
        }
        progress
    }
}

fn wait(state: &mut State) {
    let wait = state.random.duration(WAIT_MAX);
    state.advance(wait);
}

impl Part {
    /// Reads up to `run` messages, and returns how many.
    fn read(&mut self, state: &State, run: u64, into: &mut Vec<Read>) -> u64 {
        let stream = state.topics.get(Topic::Out(self.output), self.partition);
        let mut count = 0;
        for (offset, message) in stream.readable(self.next).take_while(|(offset, _)| *offset < self.until) {
            if count == run {
                return count;
            }
            into.push((self.output, self.partition, message.key.clone().unwrap_or_default(), message.value.clone()));
            self.next = offset + 1;
            count += 1;
        }
        self.next = self.next.max(stream.last_stable().min(self.until));
        count
    }
}
