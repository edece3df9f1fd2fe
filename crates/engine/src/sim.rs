//! A log in memory, for tests: Kafka's rules without Kafka, deterministic from a seed.
//!
//! [`SimCluster`] keeps topics, coordinators and a clock of its own; [`SimLog`] is one process on it. It knows last
//! stable offsets and aborted records, markers that reach each partition in their own time, generations and the
//! fencing by them, epochs of producers, transactions that time out, rebalances, processes that die at any call or
//! stand still while others go on, commits that fail, are slow, or end nobody knows how.
//!
//! Invariants: the same seed and the same calls give the same trace; nothing happens but within a call; no thread, no
//! wall clock. The time of day ([`SimCluster::set_now`]) is the test's; the time that passes is the cluster's.
//!
//! It does not model brokers that fail, replication, or the loss of what was acknowledged.

mod cluster;
mod faults;
mod group;
mod process;
mod random;
mod stream;
mod topics;
mod transactions;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use drawdown_units::Timestamp;

pub use faults::{Call, Faults};
pub use process::SimLog;
pub use random::Random;

use crate::log::{Input, Output, Position};
use cluster::State;
use stream::Message;
use topics::Topic;

/// What a cluster is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Partitions of every topic.
    pub partitions: u32,
    /// How long a member may be silent.
    pub session: Duration,
    /// How long the others wait for a member that does not join.
    pub rebalance: Duration,
    /// How long a transaction may be open.
    pub transaction: Duration,
    /// What goes wrong.
    pub faults: Faults,
    /// Whether positions of a stale generation are refused. Without it the cluster is broken, and tests must notice.
    pub checks_generation: bool,
    /// Whether a transaction without positions is not fenced: what a client does by itself, since it has nothing to send
    /// to the group. With it time alone could write twice, and tests must notice.
    pub fences_positions_only: bool,
    /// Whether a transaction carries positions of what was read only, not of every partition that it writes to. With it
    /// who owns such a partition next does not wait for what is still to come, and tests must notice.
    pub holds_what_was_read_only: bool,
    /// Whether restoring ends at the last stable offset instead of the high watermark. With it the log is broken, and
    /// tests must notice.
    pub restores_to_last_stable: bool,
    /// Whether restoring takes the positions that are valid at once, instead of waiting for transactions that hold
    /// some back. With it the log is broken, and tests must notice.
    pub takes_unstable_positions: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            partitions: 1,
            session: Duration::from_secs(1),
            rebalance: Duration::from_secs(2),
            transaction: Duration::from_secs(3),
            faults: Faults::default(),
            checks_generation: true,
            fences_positions_only: false,
            holds_what_was_read_only: false,
            restores_to_last_stable: false,
            takes_unstable_positions: false,
        }
    }
}

/// A transaction that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The ordinal of the process.
    pub producer: u64,
    /// Up to where it read.
    pub positions: Vec<Position>,
}

/// One call, as it was traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traced {
    /// When it ended.
    pub elapsed: Duration,
    /// The ordinal of the process.
    pub process: u64,
    /// Which.
    pub call: Call,
    /// Empty, if all went well.
    pub outcome: &'static str,
}

/// What is produced upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Produced<'a> {
    /// When it arrives.
    pub arrival: Timestamp,
    /// The message's key.
    pub key: Option<&'a [u8]>,
    /// Its bytes.
    pub value: &'a [u8],
}

/// A record of an input, as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it stands.
    pub offset: u64,
    /// When it arrived.
    pub arrival: Timestamp,
    /// The message's key.
    pub key: Option<Vec<u8>>,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// A transaction of a producer upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream(u64);

/// A simulated cluster. Clones are the same one.
#[derive(Debug, Clone)]
pub struct SimCluster {
    state: Rc<RefCell<State>>,
}

impl SimCluster {
    /// A cluster without records or members.
    pub fn new(seed: u64, settings: Settings) -> Self {
        SimCluster { state: Rc::new(RefCell::new(State::new(seed, settings))) }
    }

    fn with<T>(&self, effect: impl FnOnce(&mut State) -> T) -> T {
        effect(&mut self.state.borrow_mut())
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.with(|state| state.settings.faults = faults);
    }

    /// Sets the time of day, which does not go on by itself.
    pub fn set_now(&self, now: Timestamp) {
        self.with(|state| state.now = now);
    }

    /// Lets time pass: what is due happens, silent members are dropped, old transactions aborted.
    pub fn advance(&self, by: Duration) {
        self.with(|state| state.advance(by));
    }

    /// What goes on while a process stands still or waits for a commit: called within its calls, to run the others.
    pub fn set_meanwhile(&self, meanwhile: Rc<dyn Fn()>) {
        self.with(|state| state.meanwhile = Some(meanwhile));
    }

    /// Lets time pass for everybody but the process in whose call this is.
    fn pass(&self, length: Duration) {
        if length.is_zero() {
            return;
        }
        let meanwhile = self.with(|state| state.meanwhile.clone());
        // In parts, so that the others see it pass.
        for _ in 0..PASSING_PARTS {
            self.advance(length / PASSING_PARTS);
            if let Some(meanwhile) = &meanwhile {
                meanwhile();
            }
        }
    }

    /// Appends a record to an input; upstream may do so twice.
    pub fn produce(&self, input: Input, partition: u32, message: &Produced<'_>) {
        self.with(|state| {
            let is_doubled = state.random.chance(state.settings.faults.duplicate_per_mille);
            for _ in 0..1 + u32::from(is_doubled) {
                state.append(None, (Topic::In(input), partition), message.to_message());
            }
        });
    }

    /// Opens a transaction of a producer upstream. Until it is ended, nothing from its first record on can be read.
    pub fn open_upstream(&self) -> Upstream {
        Upstream(self.with(State::open_upstream))
    }

    /// Appends a record to an input within a transaction.
    pub fn produce_within(&self, upstream: Upstream, input: Input, partition: u32, message: &Produced<'_>) {
        self.with(|state| state.append(Some(upstream.0), (Topic::In(input), partition), message.to_message()));
    }

    /// Ends a transaction upstream, at once and everywhere.
    pub fn end_upstream(&self, upstream: Upstream, committed: bool) {
        self.with(|state| {
            state.end(upstream.0, None, committed);
            state.finish(upstream.0);
        });
    }

    /// The records of an input that can be read.
    pub fn input(&self, input: Input, partition: u32) -> Vec<Kept> {
        self.kept(Topic::In(input), partition)
    }

    /// What a reader of committed messages sees of an output.
    pub fn output(&self, output: Output, partition: u32) -> Vec<Kept> {
        self.kept(Topic::Out(output), partition)
    }

    fn kept(&self, topic: Topic, partition: u32) -> Vec<Kept> {
        let kept = |(offset, message): (u64, &Message)| Kept {
            offset,
            arrival: message.arrival,
            key: message.key.as_deref().map(Into::into),
            value: message.value.to_vec(),
        };
        self.with(|state| state.topics.get(topic, partition).readable(0).map(kept).collect())
    }

    /// Whether these bytes were committed to an output, be they readable already or not.
    pub fn is_committed(&self, output: Output, partition: u32, value: &[u8]) -> bool {
        self.with(|state| {
            let is_committing = |writer| state.producers.is_committing(writer);
            state.topics.get(Topic::Out(output), partition).holds(value, is_committing)
        })
    }

    /// Up to where an input was read by what was committed.
    pub fn position(&self, input: Input, partition: u32) -> u64 {
        self.with(|state| state.positions.get(&(input, partition)).copied().unwrap_or(0))
    }

    /// Whether everything that can be read was read, by what was committed, and no transaction is under way.
    pub fn is_done(&self) -> bool {
        self.with(|state| {
            let partitions: Vec<u32> = (0..state.settings.partitions).collect();
            let from = |input, partition| state.positions.get(&(input, partition)).copied().unwrap_or(0);
            let is_read = |input, partition| state.readable_count(input, partition, from(input, partition)) == 0;
            let is_all_read = partitions.iter().all(|it| Input::ALL.into_iter().all(|input| is_read(input, *it)));
            is_all_read && state.producers.are_idle()
        })
    }

    /// Whether some transaction is open, or not marked everywhere.
    pub fn is_busy(&self) -> bool {
        self.with(|state| !state.producers.are_idle())
    }

    /// Every transaction that was committed, in the order in which they were decided.
    pub fn history(&self) -> Vec<Committed> {
        self.with(|state| state.history.clone())
    }

    /// The latest calls.
    pub fn trace(&self) -> Vec<Traced> {
        self.with(|state| state.trace.iter().copied().collect())
    }

    /// Compacts [`Output::Accounts`].
    pub fn compact(&self) {
        self.with(|state| {
            for partition in 0..state.settings.partitions {
                state.topics.get_mut((Topic::Out(Output::Accounts), partition)).compact();
            }
        });
    }

    /// Time since the cluster began.
    pub fn elapsed(&self) -> Duration {
        self.with(|state| state.elapsed)
    }
}

/// Into how many parts the time that passes within a call is divided.
const PASSING_PARTS: u32 = 6;

impl Produced<'_> {
    fn to_message(self) -> Message {
        Message { arrival: self.arrival, key: self.key.map(Into::into), value: self.value.into() }
    }
}

#[cfg(test)]
mod tests;
