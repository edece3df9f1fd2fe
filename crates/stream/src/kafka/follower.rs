//! Following an output as a member of a group of one's own, from where the group left off.
//!
//! Invariant: only what is committed is given, and the group's positions move on [`Follower::commit`] alone; where a partition
//! goes to another member before, that one is given the rest again.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drawdown_engine::log::Output;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
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
struct Ears(Context);

impl ClientContext for Ears {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ConsumerContext for Ears {}

/// An output, followed by a group.
pub struct Follower {
    consumer: BaseConsumer<Ears>,
    topic: String,
    /// The offset after the last that was given, of partitions that it is not committed of.
    given: BTreeMap<i32, i64>,
    /// Partitions that were read to their end once.
    at_end: BTreeSet<i32>,
    /// When the last that was given was appended.
    logged_ms: Option<i64>,
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
        let consumer =
            BaseConsumer::from_config_and_context(&config, Ears(Context { heard })).map_err(|error| client(&error))?;
        consumer.subscribe(&[&topic]).map_err(|error| client(&error))?;
        Ok(Follower { consumer, topic, given: BTreeMap::new(), at_end: BTreeSet::new(), logged_ms: None })
    }

    /// The next message; `None` if none came within `wait`.
    ///
    /// # Errors
    /// What the client says, if it cannot go on.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, String> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.consumer.poll(left) {
                Some(Ok(message)) => {
                    let (partition, next) = (message.partition(), message.offset() + 1);
                    let value = message.payload().unwrap_or_default().to_vec();
                    self.given.insert(partition, next);
                    self.logged_ms = message.timestamp().to_millis();
                    return Ok(Some(value));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => drop(self.at_end.insert(partition)),
                Some(Err(error)) if is_passing(&error) => tracing::warn!("following {}: {error}", self.topic),
                Some(Err(error)) => return Err(format!("following {}: {error}", self.topic)),
                None if left.is_zero() => return Ok(None),
                None => {}
            }
        }
    }

    /// Whether every partition that this member has was read to its end once since it got it.
    pub fn is_caught_up(&mut self) -> bool {
        let owned = self.owned();
        self.at_end.retain(|partition| owned.contains(partition));
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
        let owned = self.owned();
        self.given.retain(|partition, _| owned.contains(partition));
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

    fn owned(&self) -> BTreeSet<i32> {
        let assigned = self.consumer.assignment();
        assigned.map_or_else(
            |_| BTreeSet::new(),
            |list| list.elements_for_topic(&self.topic).iter().map(|element| element.partition()).collect(),
        )
    }
}
