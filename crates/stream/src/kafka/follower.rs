//! Following an output as a member of a group of one's own, from where the group left off.
//!
//! Invariant: only what is committed is given, and the group's positions move on [`Follower::commit`] alone; where a partition
//! goes to another member before, that one is given the rest again. Whoever is busy with one message for longer than the
//! group waits for a member says so by [`Follower::look`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use drawdown_engine::log::Output;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientContext, Message as _};

use super::ffi;
use super::heard::{Context, Heard};
use super::probe::Probe;
use super::settings::Role;
use super::tail::is_passing;
use super::{ConnectError, KafkaSettings};

/// What is read ahead, in KiB.
const READ_AHEAD_KIB: u32 = 2048;

/// Hears what the client says; its partitions come and go by themselves.
struct Ears {
    context: Context,
    /// Partitions that went since this was looked at, whether they are back or not.
    revoked: Mutex<Vec<i32>>,
}

impl ClientContext for Ears {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

impl ConsumerContext for Ears {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
            revoked.extend(partitions.elements().iter().map(|element| element.partition()));
        }
    }
}

/// An output, followed by a group.
pub struct Follower {
    consumer: BaseConsumer<Ears>,
    topic: String,
    /// The offset after the last that was given, of partitions that it is not committed of.
    given: BTreeMap<i32, i64>,
    /// Partitions that were read to their end once.
    at_end: BTreeSet<i32>,
    /// Partitions of which nothing is fetched.
    paused: BTreeSet<i32>,
    /// Came while nothing was asked for.
    kept: VecDeque<Message>,
    /// When the last that was given was appended.
    logged_ms: Option<i64>,
}

/// A message that was read.
struct Message {
    partition: i32,
    /// The offset after it.
    next: i64,
    logged_ms: Option<i64>,
    value: Vec<u8>,
}

/// What the client had.
enum Polled {
    Message(Message),
    /// Something to be noted, and nothing to be given.
    Noted,
    Nothing,
}

impl Follower {
    /// Joins `group`; reads from the beginning what the group never committed.
    ///
    /// # Errors
    /// Nobody answers, or the settings make no client.
    pub fn output(settings: &KafkaSettings, output: Output, group: &str) -> Result<Self, ConnectError> {
        let topic = settings.topic(output.name());
        let client = |error: &dyn std::fmt::Display| ConnectError::Client(format!("{topic}: {error}"));
        let heard = Arc::new(Heard::default());
        Probe::new(settings, u32::MAX, &heard)?.metadata(settings)?;
        let mut config = settings.client(Role::Reader, u32::MAX);
        settings.membership(&mut config, 0);
        config
            .set("group.id", group)
            .set("client.id", group)
            .set("fetch.wait.max.ms", "500")
            .set("queued.max.messages.kbytes", READ_AHEAD_KIB.to_string());
        let ears = Ears { context: Context { heard }, revoked: Mutex::default() };
        let consumer = BaseConsumer::from_config_and_context(&config, ears).map_err(|error| client(&error))?;
        consumer.subscribe(&[&topic]).map_err(|error| client(&error))?;
        let (given, at_end, paused) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Ok(Follower { consumer, topic, given, at_end, paused, kept: VecDeque::new(), logged_ms: None })
    }

    /// The next message; `None` if none came within `wait`.
    ///
    /// # Errors
    /// What the client says, if it cannot go on.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, String> {
        self.resume()?;
        let deadline = Instant::now() + wait;
        loop {
            if let Some(message) = self.kept.pop_front() {
                return Ok(Some(self.give(message)));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.poll(left)? {
                Polled::Message(message) => return Ok(Some(self.give(message))),
                Polled::Nothing if left.is_zero() => return Ok(None),
                Polled::Noted | Polled::Nothing => {}
            }
        }
    }

    /// Lets the group see that this member is there, while it is busy with what it was given: partitions come and go
    /// meanwhile, and nothing is fetched until the next message is asked for.
    pub fn look(&mut self) {
        if let Err(error) = self.stand_by() {
            tracing::warn!("{error}");
        }
    }

    /// Whether every partition that this member has was read to its end once since it got it.
    pub fn is_caught_up(&self) -> bool {
        let owned = self.owned();
        !owned.is_empty() && self.at_end.len() == owned.len()
    }

    /// When the message that was given last was appended, in milliseconds since 1970.
    pub fn logged_ms(&self) -> Option<i64> {
        self.logged_ms
    }

    /// How many messages come after those that were given, in the partitions that this member has: as far as its fetches
    /// told, and with the markers of transactions between them.
    pub fn waiting_count(&self) -> u64 {
        let Ok(positions) = self.consumer.position() else { return 0 };
        let Ok(topic) = CString::new(self.topic.as_str()) else { return 0 };
        let of_partition = |partition: i32, position: Option<i64>| {
            let (_, end) = ffi::known_watermarks(&self.consumer, &topic, partition)?;
            // Where nothing was read yet there is no position.
            u64::try_from(end.saturating_sub(position.filter(|position| *position >= 0)?)).ok()
        };
        let elements = positions.elements_for_topic(&self.topic);
        elements.iter().filter_map(|it| of_partition(it.partition(), it.offset().to_raw())).sum()
    }

    /// Lets go of everything that was given. Of partitions that went to another member nothing is said.
    ///
    /// # Errors
    /// The positions are not known to be kept.
    pub fn commit(&mut self) -> Result<(), String> {
        if self.given.is_empty() {
            return Ok(());
        }
        let fault = |error: KafkaError| format!("the positions of {} cannot be kept: {error}", self.topic);
        let mut positions = TopicPartitionList::new();
        for (partition, next) in &self.given {
            positions.add_partition_offset(&self.topic, *partition, Offset::Offset(*next)).map_err(fault)?;
        }
        self.consumer.commit(&positions, CommitMode::Sync).map_err(fault)?;
        self.given.clear();
        Ok(())
    }

    fn stand_by(&mut self) -> Result<(), String> {
        let owned = self.owned();
        self.consumer.pause(&self.list(&owned)).map_err(|error| self.fault(&error))?;
        self.paused.extend(owned);
        loop {
            match self.poll(Duration::ZERO)? {
                Polled::Message(message) => self.kept.push_back(message),
                Polled::Noted => {}
                Polled::Nothing => return Ok(()),
            }
        }
    }

    /// Fetches again: also what went and may come back, as the client remembers of a partition that it was paused.
    fn resume(&mut self) -> Result<(), String> {
        if !self.paused.is_empty() {
            self.consumer.resume(&self.list(&self.paused)).map_err(|error| self.fault(&error))?;
            self.paused.clear();
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration) -> Result<Polled, String> {
        let polled = match self.consumer.poll(wait) {
            Some(Ok(message)) => Polled::Message(Message {
                partition: message.partition(),
                next: message.offset() + 1,
                logged_ms: message.timestamp().to_millis(),
                value: message.payload().unwrap_or_default().to_vec(),
            }),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.at_end.insert(partition);
                Polled::Noted
            }
            Some(Err(error)) if is_passing(&error) => {
                tracing::warn!("{}", self.fault(&error));
                Polled::Noted
            }
            Some(Err(error)) => return Err(self.fault(&error)),
            None => Polled::Nothing,
        };
        // A rebalance is a poll that gives nothing, so this is of what was read before it.
        self.forget_revoked();
        Ok(polled)
    }

    fn give(&mut self, message: Message) -> Vec<u8> {
        self.given.insert(message.partition, message.next);
        self.logged_ms = message.logged_ms;
        message.value
    }

    /// Of what went to another member, or came anew, nothing counts that was read before.
    fn forget_revoked(&mut self) {
        let mut revoked = self.consumer.context().revoked.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in revoked.drain(..) {
            self.given.remove(&partition);
            self.at_end.remove(&partition);
            self.kept.retain(|message| message.partition != partition);
        }
    }

    fn fault(&self, error: &KafkaError) -> String {
        format!("following {}: {error}", self.topic)
    }

    fn list(&self, partitions: &BTreeSet<i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, *partition);
        }
        list
    }

    fn owned(&self) -> BTreeSet<i32> {
        let assigned = self.consumer.assignment();
        assigned.map_or_else(
            |_| BTreeSet::new(),
            |list| list.elements_for_topic(&self.topic).iter().map(|element| element.partition()).collect(),
        )
    }
}
