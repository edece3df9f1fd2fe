//! What stands behind the handle: topics, coordinators, and the things that happen in their own time.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use drawdown_units::Timestamp;

use super::faults::Call;
use super::group::Group;
use super::random::Random;
use super::stream::{Message, Writer};
use super::topics::{StreamId, Topic, Topics};
use super::transactions::Producers;
use super::{Committed, Settings, Traced};
use crate::log::{Input, Position};

/// Ids from here on are of producers upstream.
const UPSTREAM: Writer = 1 << 32;
/// How many calls are remembered, for whoever looks into a failure.
const TRACE_LENGTH_MAX: usize = 4_096;

pub(super) struct State {
    pub settings: Settings,
    pub random: Random,
    pub elapsed: Duration,
    pub now: Timestamp,
    pub topics: Topics,
    pub producers: Producers,
    pub group: Group,
    /// Positions that are valid.
    pub positions: BTreeMap<(Input, u32), u64>,
    pub history: Vec<Committed>,
    pub trace: VecDeque<Traced>,
    pub meanwhile: Option<Rc<dyn Fn()>>,
    schedule: BTreeMap<(Duration, u64), Event>,
    scheduled: u64,
    upstream: Writer,
}

/// What happens later.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    Decide { producer: Writer, number: u64, committed: bool },
    Mark { producer: Writer, stream: StreamId },
    MarkPositions { producer: Writer },
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("elapsed", &self.elapsed).finish_non_exhaustive()
    }
}

impl State {
    pub fn new(seed: u64, settings: Settings) -> Self {
        State {
            settings,
            random: Random::new(seed),
            elapsed: Duration::ZERO,
            now: Timestamp::MIN,
            topics: Topics::new(settings.partitions),
            producers: Producers::default(),
            group: Group::new(settings.partitions),
            positions: BTreeMap::new(),
            history: Vec::new(),
            trace: VecDeque::new(),
            meanwhile: None,
            schedule: BTreeMap::new(),
            scheduled: 0,
            upstream: UPSTREAM,
        }
    }

    pub fn schedule(&mut self, longest: Duration, event: Event) {
        let due = self.elapsed + self.random.duration(longest);
        self.scheduled += 1;
        self.schedule.insert((due, self.scheduled), event);
    }

    /// Lets time go on.
    pub fn advance(&mut self, by: Duration) {
        let to = self.elapsed + by;
        while let Some((&(due, order), &event)) = self.schedule.first_key_value()
            && due <= to
        {
            self.schedule.remove(&(due, order));
            self.elapsed = due.max(self.elapsed);
            self.happen(event);
        }
        self.elapsed = to;
        let Settings { session, rebalance, transaction, .. } = self.settings;
        self.group.run(to, session, rebalance);
        for producer in self.producers.overdue(to.saturating_sub(transaction)) {
            if producer >= UPSTREAM {
                // How long those take is up to the test.
                continue;
            }
            // Whoever began it is shut out: it must not add to what was aborted.
            self.producers.bump(producer);
            self.end(producer, None, false);
        }
    }

    /// Lets time go on to whatever happens next; false if nothing is going to.
    pub fn advance_to_next(&mut self) -> bool {
        let Some((&(due, _), _)) = self.schedule.first_key_value() else { return false };
        self.advance(due.saturating_sub(self.elapsed));
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Decide { producer, number, committed } => self.end(producer, Some(number), committed),
            Event::Mark { producer, stream } => {
                if let Some(committed) = self.producers.marked(producer, stream) {
                    self.topics.get_mut(stream).mark(producer, committed);
                }
            }
            Event::MarkPositions { producer } => {
                for Position { input, partition, next } in self.producers.positions_marked(producer) {
                    self.positions.insert((input, partition), next);
                }
            }
        }
    }

    /// Decides the open transaction of a producer; what it wrote learns of it later.
    pub fn end(&mut self, producer: Writer, number: Option<u64>, committed: bool) {
        let Some((positions, marks)) = self.producers.end(producer, number, committed) else { return };
        if committed {
            self.history.push(Committed { producer, positions });
        }
        let longest = self.settings.faults.marker_max;
        if marks.positions {
            self.schedule(longest, Event::MarkPositions { producer });
        }
        for stream in marks.streams {
            self.schedule(longest, Event::Mark { producer, stream });
        }
    }

    /// Waits until a producer has no transaction any more, as a client does that wants to begin the next.
    ///
    /// An open one has to be ended before.
    pub fn finish(&mut self, producer: Writer) {
        while self.producers.is_busy(producer) && self.advance_to_next() {}
        assert!(!self.producers.is_busy(producer), "invariant: a decided transaction is marked in time");
    }

    pub fn append(&mut self, writer: Option<Writer>, stream: StreamId, message: Message) {
        if let Some(writer) = writer {
            self.producers.touch(writer, stream);
        }
        self.topics.get_mut(stream).append(writer, message);
    }

    /// A producer of inputs, with a transaction open.
    pub fn open_upstream(&mut self) -> Writer {
        self.upstream += 1;
        self.producers.begin(self.upstream, self.elapsed);
        self.upstream
    }

    /// How many records of an input can be read from `from` on.
    pub fn readable_count(&self, input: Input, partition: u32, from: u64) -> u64 {
        self.topics.get(Topic::In(input), partition).readable(from).count() as u64
    }

    pub fn note(&mut self, process: u64, call: Call, outcome: &'static str) {
        if self.trace.len() == TRACE_LENGTH_MAX {
            self.trace.pop_front();
        }
        self.trace.push_back(Traced { elapsed: self.elapsed, process, call, outcome });
    }
}
