//! Arrival instants of two files that are read side by side.
//!
//! Invariant: merging the two streams by their heads, commands first among equals (T4), gives back the order in which
//! the steps were made, out-of-order records included.

use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Commands,
    Cdrs,
}

/// The finest step of time that counts (T8).
pub const TICK: SignedDuration = SignedDuration::from_nanos(100);

#[derive(Clone, Debug)]
pub struct Timeline {
    /// The greatest arrival so far.
    pub now: Timestamp,
    last: Option<Stream>,
    /// The greatest arrival since the stream last changed.
    run_latest: Timestamp,
}

impl Timeline {
    pub fn new(start: Timestamp) -> Self {
        Self { now: start, last: None, run_latest: start }
    }

    /// Whether the next step of `stream` may lie before the one just made.
    pub fn may_step_back(&self, stream: Stream) -> bool {
        self.last == Some(stream)
    }

    /// The arrival of the next step of `stream`: `wish`, or the first instant after it that keeps the order.
    pub fn arrive(&mut self, stream: Stream, wish: Timestamp) -> Timestamp {
        let changes = self.last.is_some_and(|last| last != stream);
        let earliest = if stream == Stream::Commands { self.run_latest + TICK } else { self.run_latest };
        let arrival = if changes { wish.max(earliest) } else { wish };
        let goes_on = self.last == Some(stream);
        self.run_latest = if goes_on { self.run_latest.max(arrival) } else { arrival };
        self.last = Some(stream);
        self.now = self.now.max(arrival);
        arrival
    }
}
