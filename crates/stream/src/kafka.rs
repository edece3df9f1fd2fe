//! The log on Kafka: one member of the consumer group, one transactional producer, the partitions that it owns.
//!
//! Invariants: offsets and outputs are committed in one transaction, fenced by the generation in which the partitions
//! were assigned; a commit that a broker would not check is not sent. Ownership changes in [`Log::turn`] only, where no
//! transaction is open: a partition that is given up has nothing left to be committed, and one that is lost was refused
//! its last commit. Nothing of a partition is polled before it is restored. Knows nothing of what the messages mean.

mod attributes;
mod cursors;
pub mod decks;
#[doc(hidden)]
pub mod ffi;
pub mod follower;
mod heard;
mod inbox;
pub mod owners;
mod ownership;
pub mod pages;
mod partitioner;
mod probe;
pub mod publish;
mod reader;
mod restore;
mod settings;
pub mod tail;
mod time;
pub mod topics;
mod transaction;

use std::collections::BTreeSet;
use std::ffi::CString;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drawdown_engine::log::{Batch, Change, Input, Log, LogError, Output, Position, Progress, Room, Saved};
use drawdown_units::Timestamp;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::ThreadedProducer;
use rdkafka::topic_partition_list::Offset;

pub use attributes::headers;
pub use inbox::KafkaInbox;
pub use partitioner::partition_of;
pub use settings::KafkaSettings;

use cursors::Cursors;
use ffi::{GroupMetadata, Queue};
use heard::{Context, Heard};
use probe::Probe;
use reader::{Reader, Span};
use restore::{Restore, Source};
use settings::Role;
use transaction::Transactions;

/// Why there is no log to work on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The settings do not make clients.
    #[error("the Kafka settings are wrong: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// Nobody answers.
    #[error("no broker of {brokers} answered within {waited_s} s: {reason}; check addresses and `security.protocol`")]
    Unreachable {
        /// Who was asked.
        brokers: String,
        /// How long.
        waited_s: u64,
        /// What the client says.
        reason: String,
    },
    /// They answer, but not to us.
    #[error("{brokers} refused the connection: {reason}; check user, password and certificates")]
    Refused {
        /// Who was asked.
        brokers: String,
        /// What the client says.
        reason: String,
    },
    /// Topics are missing or do not fit together.
    #[error("the topics are not as they must be: {}", .0.join("; "))]
    Topics(Vec<String>),
    /// Anything else.
    #[error("cannot make a Kafka client: {0}")]
    Client(String),
}

/// A read of debits that hears nothing for so long goes on with another client.
const STANDSTILL: Duration = Duration::from_secs(1);

/// A log on Kafka.
pub struct KafkaLog {
    settings: KafkaSettings,
    thread: u32,
    heard: Arc<Heard>,
    transactions: Transactions,
    cursors: Cursors,
    owned: BTreeSet<u32>,
    /// Restored partitions whose usage records are held until the commands that wait were read.
    awaiting_commands: Vec<u32>,
    /// In which the owned partitions were assigned.
    generation: i32,
    /// The group refused a commit, and has not said yet who owns what instead.
    awaits_turnover: bool,
    /// What the commit in flight commits.
    in_flight: Vec<Position>,
    restore: Option<Restore>,
    /// Kept between two reads of debits: to open one takes as long as to read, and to close one takes longer.
    debit_reader: Option<Reader>,
    probe: Probe,
    queue: Queue<Context>,
    started: Instant,
}

/// It is made where its settings are, and moves to the thread that works on it.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<KafkaLog>();
};

impl KafkaLog {
    /// Connects worker `thread`, and fences what was left of it. Partitions are assigned by [`Log::turn`].
    ///
    /// # Errors
    /// What is wrong with the settings, the connection or the topics.
    pub fn connect(settings: &KafkaSettings, thread: u32) -> Result<Self, ConnectError> {
        let faults = settings.faults();
        if !faults.is_empty() {
            return Err(ConnectError::Settings(faults));
        }
        let heard = Arc::new(Heard::default());
        let probe = Probe::new(settings, thread, &heard)?;
        let partitions = topics::partitions(settings, &probe.metadata(settings)?)?;
        let client = |error: &dyn std::fmt::Display| ConnectError::Client(format!("{error}; {}", heard.words()));
        let context = Context { heard: Arc::clone(&heard) };
        let producer =
            ThreadedProducer::from_config_and_context(&settings.client(Role::Producer, thread), context.clone())
                .map_err(|error| client(&error))?;
        let outputs = Output::ALL.map(|output| topic_name(settings, output.name())).to_vec();
        let patience = settings.transaction_timeout * 2;
        let transactions = Transactions::new(producer, Arc::clone(&heard), outputs, partitions, patience)
            .map_err(|error| client(&error))?;
        let member = BaseConsumer::from_config_and_context(&settings.client(Role::Member, thread), context)
            .map_err(|error| client(&error))?;
        let inputs = Input::ALL.map(|input| settings.topic(input.name()));
        member.subscribe(&inputs.each_ref().map(String::as_str)).map_err(|error| client(&error))?;
        Ok(KafkaLog {
            settings: settings.clone(),
            thread,
            heard,
            transactions,
            cursors: Cursors::new(Input::ALL.map(|input| topic_name(settings, input.name()))),
            owned: BTreeSet::new(),
            awaiting_commands: Vec::new(),
            generation: -1,
            awaits_turnover: false,
            in_flight: Vec::new(),
            restore: None,
            debit_reader: None,
            probe,
            queue: Queue::new(Arc::new(member)),
            started: Instant::now(),
        })
    }

    /// The membership that a commit is fenced by, as it is now.
    fn membership(&mut self) -> Result<GroupMetadata, LogError> {
        match GroupMetadata::now(self.queue.consumer()) {
            Some(group) if group.is_fencing() && group.generation() == self.generation => Ok(group),
            _ => Err(self.transactions.fence("this worker is not a member of its group any more".to_owned())),
        }
    }

    /// What to commit: positions, and of every partition that is written to and was not read the one of before. The offsets
    /// are what the broker checks the membership by, and what whoever owns the partition next waits for: a message may reach
    /// the broker after them.
    fn offsets(&self, positions: &[Position]) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::new();
        let mut add = |input: Input, partition: u32, next: u64| {
            let topic = self.settings.topic(input.name());
            let added = list.add_partition_offset(&topic, partition as i32, Offset::Offset(next as i64));
            added.map_err(|error| {
                LogError::Fatal(format!("cannot commit offset {next} of {topic}/{partition}: {error}"))
            })
        };
        for position in positions {
            add(position.input, position.partition, position.next)?;
        }
        for partition in self.transactions.touched() {
            if positions.iter().all(|position| position.partition != partition) {
                let again = self
                    .cursors
                    .of_partition(partition)
                    .expect("invariant: only the owner of a partition writes to it");
                add(again.input, again.partition, again.committed)?;
            }
        }
        Ok(list)
    }

    fn open_reader(&self, spans: Vec<Span>) -> Result<Reader, LogError> {
        Reader::open(&self.settings, self.thread, &self.heard, spans)
    }

    /// What is to be read of the debits since `from`, and whether it must be read to its very end.
    fn debits_since(&mut self, partition: u32, from: Timestamp) -> Result<Option<Span>, LogError> {
        let place = Output::ALL.iter().position(|output| *output == Output::Debits).unwrap_or_default();
        let is_all_committed = self.transactions.is_all_committed(place, partition)?;
        let topic = self.settings.topic(Output::Debits.name());
        let Some(from) = self.probe.offset_at(&topic, partition, time::to_ms(from))? else { return Ok(None) };
        let deadline = Instant::now() + self.settings.transaction_timeout;
        let end = loop {
            if let Some((_, end)) = self.probe.watermarks(&topic, partition)? {
                break end;
            }
            if Instant::now() > deadline {
                return Err(LogError::Fatal(format!("no broker says where {topic}/{partition} ends")));
            }
        };
        let to = if is_all_committed { end } else { from };
        Ok(Some(Span { topic: topic_name(&self.settings, Output::Debits.name()), partition, from, to }))
    }
}

fn topic_name(settings: &KafkaSettings, name: &str) -> CString {
    // A prefix with a NUL names no topic that exists, which `connect` found out before.
    CString::new(settings.topic(name)).unwrap_or_default()
}

impl Log for KafkaLog {
    fn turn(&mut self, changes: &mut Vec<Change>) -> Result<(), LogError> {
        self.take_turn(changes)
    }

    fn poll(&mut self, batch: &mut Batch, room: Room) -> Result<(), LogError> {
        let deadline = Instant::now() + room.wait;
        loop {
            while batch.count() < room.records_max && (batch.is_empty() || batch.size_bytes() < room.bytes_max) {
                let Some(message) = self.queue.next_message() else { break };
                self.cursors.take(message, batch)?;
            }
            self.let_usage_in()?;
            let left = room.records_max.saturating_sub(batch.count());
            if left == 0 || batch.size_bytes() >= room.bytes_max {
                return Ok(());
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            let taken = self.queue.refill(wait, left).map_err(|failure| LogError::Fatal(failure.to_string()))?;
            if taken == 0 {
                return Ok(());
            }
        }
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.transactions.begin()
    }

    #[inline]
    fn append(&mut self, output: Output, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        self.transactions.append(place(output), partition, key, value)
    }

    fn commit(&mut self, positions: &[Position]) -> Result<(), LogError> {
        let group = self.membership()?;
        let offsets = self.offsets(positions)?;
        self.transactions.commit(offsets, group)?;
        self.in_flight.clear();
        self.in_flight.extend_from_slice(positions);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), LogError> {
        let outcome = self.transactions.settle();
        self.awaits_turnover |= self.transactions.was_fenced();
        if outcome.is_ok() {
            self.cursors.commit(&self.in_flight);
        }
        outcome
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.awaits_turnover |= self.transactions.was_fenced();
        self.transactions.abort()
    }

    fn begin_restore(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.restore = Some(Restore::new(partitions));
        Ok(())
    }

    fn restore(&mut self, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, LogError> {
        let Some(mut restore) = self.restore.take() else {
            return Ok(Progress { is_done: true, ..Progress::default() });
        };
        let source = Source {
            member: self.queue.consumer(),
            probe: &self.probe,
            topic: &|name| self.settings.topic(name),
            open: &|spans| self.open_reader(spans),
        };
        let progress = restore.step(&source, each)?;
        if progress.is_done {
            self.go_on_from(restore)?;
        } else {
            self.restore = Some(restore);
        }
        Ok(progress)
    }

    fn read_debits(
        &mut self,
        partition: u32,
        from: Timestamp,
        each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let Some(mut span) = self.debits_since(partition, from)? else { return Ok(()) };
        let mut reader = match self.debit_reader.take() {
            Some(mut reader) => {
                reader.turn_to(vec![span.clone()])?;
                reader
            }
            None => self.open_reader(vec![span.clone()])?,
        };
        let (mut heard, mut standstill) = (Instant::now(), STANDSTILL);
        let deadline = Instant::now() + self.settings.transaction_timeout * 2;
        let mut flow = ControlFlow::Continue(());
        while !reader.is_done() && flow.is_continue() {
            let read = reader.read(Duration::from_millis(20), &mut |message| {
                if flow.is_continue() {
                    span.from = message.offset() + 1;
                    flow = each(message.value());
                }
            })?;
            if read > 0 {
                heard = Instant::now();
            } else if heard.elapsed() > standstill {
                // A client that was turned back and forth sometimes fetches no more: another one goes on from here. The next
                // is given more time, since it may be the broker that is slow.
                reader = self.open_reader(vec![span.clone()])?;
                (heard, standstill) = (Instant::now(), standstill * 2);
            }
            if Instant::now() > deadline {
                return Err(LogError::Fatal(format!("the debits of partition {partition} could not be read in time")));
            }
        }
        reader.rest()?;
        self.debit_reader = Some(reader);
        Ok(())
    }

    fn lag(&mut self, partition: u32) -> u64 {
        let mut lag = 0;
        for input in Input::ALL {
            let Some(cursor) = self.cursors.find(input, partition).copied() else { return 1 };
            if cursor.is_at_end {
                continue;
            }
            let known = ffi::known_watermarks(self.queue.consumer(), self.cursors.topic(input), partition as i32);
            let left = known.map_or(0, |(low, high)| (high as u64).saturating_sub(cursor.next.max(low as u64)));
            lag += left.max(1);
        }
        lag
    }

    fn now(&self) -> Timestamp {
        time::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Where a topic stands among those of the producer, which has them in the order of [`Output::ALL`].
#[inline]
fn place(output: Output) -> usize {
    output as usize
}
