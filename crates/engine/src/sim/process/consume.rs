//! Polling: any mixture of the inputs, each in order.

use std::time::Duration;

use super::SimLog;
use crate::log::{Attributes, Batch, Input, Position, Record, Room};
use crate::sim::cluster::State;
use crate::sim::topics::Topic;

/// How many records a short poll returns at most.
const SHORT_COUNT_MAX: u64 = 3;
/// How many records of one input come in one go, at most.
const RUN_COUNT_MAX: u64 = 20;

impl SimLog {
    pub(super) fn consume(&mut self, state: &mut State, batch: &mut Batch, room: Room) {
        let is_short = state.random.chance(state.settings.faults.short_poll_per_mille);
        let mut left = if is_short { state.random.below(SHORT_COUNT_MAX + 1) } else { u64::MAX };
        let before = batch.count();
        let mut streams: Vec<(Input, u32)> = self.reading.keys().copied().collect();
        // Rounds over the inputs in any order, until there is nothing more, or no room.
        while !streams.is_empty() && left > 0 {
            state.random.shuffle(&mut streams);
            streams.retain(|stream| {
                let run = state.random.below(RUN_COUNT_MAX).min(left) + 1;
                let run = run.min(left);
                let count = self.take(state, batch, room, *stream, run);
                left -= count;
                count == run && left > 0
            });
            if batch.count() >= room.records_max || batch.size_bytes() >= room.bytes_max {
                break;
            }
        }
        // It waits for more where nothing came, and often where little did.
        let is_full = batch.count() >= room.records_max || batch.size_bytes() >= room.bytes_max;
        let waits = batch.count() == before || (!is_full && state.random.chance(500));
        let wait = if waits { state.random.duration(room.wait) } else { Duration::ZERO };
        state.advance(wait);
    }

    /// Takes up to `run` records of one input, and returns how many it took.
    fn take(
        &mut self,
        state: &mut State,
        batch: &mut Batch,
        room: Room,
        (input, partition): (Input, u32),
        run: u64,
    ) -> u64 {
        let Some(next) = self.reading.get_mut(&(input, partition)) else { return 0 };
        let stream = state.topics.get(Topic::In(input), partition);
        let mut count = 0;
        for (offset, message) in stream.readable(*next) {
            if count == run || batch.count() >= room.records_max || batch.size_bytes() >= room.bytes_max {
                return count;
            }
            batch.push(&Record {
                input,
                partition,
                offset,
                arrival: message.arrival,
                key: message.key.as_deref(),
                value: &message.value,
                attributes: Attributes::default(),
            });
            *next = offset + 1;
            count += 1;
        }
        // What follows the last record, markers and what was aborted, may be passed as well, or not.
        if *next < stream.last_stable() && state.random.chance(500) {
            *next = stream.last_stable();
            batch.advance(Position { input, partition, next: *next });
        }
        count
    }
}
