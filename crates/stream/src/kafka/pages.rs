//! Pages of an output for whoever asks: committed messages of one partition, from somewhere on.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use drawdown_engine::log::{Input, Output};
use drawdown_units::Timestamp;
use rdkafka::Message as _;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::KafkaSettings;
use super::heard::{Context, Heard};
use super::partitioner::PartitionCount;
use super::settings::Role;
use super::tail::is_passing;

/// How many readers rest between two pages.
const RESTING_MAX: usize = 4;
/// How long one page may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With the oldest that is kept.
    Beginning,
    /// With the first that was appended at or after.
    Time(Timestamp),
    /// With the message of this offset, or the first after it.
    Offset(u64),
}

/// What a page shows of a message: the offset after it, its key, its value.
pub type Each<'e> = dyn FnMut(u64, &[u8], &[u8]) -> ControlFlow<()> + 'e;

/// Reads pages. Connections rest between them, instead of being made anew.
pub struct Pages {
    settings: KafkaSettings,
    /// All topics of the pipeline have as many as its commands.
    partitions: PartitionCount,
    resting: Mutex<Vec<BaseConsumer<Context>>>,
}

impl Pages {
    /// A reader of pages; connects when it is first asked.
    pub fn new(settings: &KafkaSettings) -> Self {
        let partitions = PartitionCount::of(settings.topic(Input::Commands.name()));
        Pages { settings: settings.clone(), partitions, resting: Mutex::default() }
    }

    /// Shows `each` the messages of the partition of an organisation, until it breaks off, the end is reached, or
    /// `looked_at_max` were shown. Says where to go on, and whether everything that was committed was shown.
    ///
    /// # Errors
    /// What the client says.
    pub fn read(
        &self,
        output: Output,
        org: &str,
        from: From,
        looked_at_max: usize,
        each: &mut Each<'_>,
    ) -> Result<(u64, bool), KafkaError> {
        let topic = self.settings.topic(output.name());
        self.with(|consumer| {
            let partition = self.partition(consumer, org)?;
            let from = self.offset(consumer, &topic, partition, from)?;
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(&topic, partition, Offset::Offset(from))?;
            consumer.assign(&list)?;
            let read = read(consumer, from, looked_at_max, each);
            consumer.unassign()?;
            read
        })
    }

    /// The offset behind everything that is committed now in the partition of an organisation.
    ///
    /// # Errors
    /// What the client says.
    pub fn end(&self, output: Output, org: &str) -> Result<u64, KafkaError> {
        let topic = self.settings.topic(output.name());
        self.with(|consumer| {
            let partition = self.partition(consumer, org)?;
            // Of a reader of committed messages: the last stable offset.
            let (_, high) = consumer.fetch_watermarks(&topic, partition, self.settings.connect_timeout)?;
            Ok(high.max(0).cast_unsigned())
        })
    }

    fn with<T>(&self, read: impl FnOnce(&BaseConsumer<Context>) -> Result<T, KafkaError>) -> Result<T, KafkaError> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let consumer = match resting {
            Some(consumer) => consumer,
            None => {
                let context = Context { heard: Arc::new(Heard::default()) };
                BaseConsumer::from_config_and_context(&self.settings.client(Role::Reader, u32::MAX), context)?
            }
        };
        let done = read(&consumer)?;
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() < RESTING_MAX {
            resting.push(consumer);
        }
        Ok(done)
    }

    fn partition(&self, consumer: &BaseConsumer<Context>, org: &str) -> Result<i32, KafkaError> {
        Ok(self.partitions.partition(consumer, org, self.settings.connect_timeout)? as i32)
    }

    fn offset(
        &self,
        consumer: &BaseConsumer<Context>,
        topic: &str,
        partition: i32,
        from: From,
    ) -> Result<i64, KafkaError> {
        let patience = self.settings.connect_timeout;
        let (low, high) = consumer.fetch_watermarks(topic, partition, patience)?;
        let wanted = match from {
            From::Beginning => low,
            From::Offset(offset) => i64::try_from(offset).unwrap_or(i64::MAX),
            From::Time(time) => {
                let mut list = TopicPartitionList::new();
                let ms = time.seconds().saturating_mul(1000).max(0);
                list.add_partition_offset(topic, partition, Offset::Offset(ms))?;
                let found = consumer.offsets_for_times(list, patience)?;
                let found = found.find_partition(topic, partition).and_then(|found| found.offset().to_raw());
                found.filter(|offset| *offset >= 0).unwrap_or(high)
            }
        };
        Ok(wanted.clamp(low, high.max(low)))
    }
}

fn read(
    consumer: &BaseConsumer<Context>,
    from: i64,
    looked_at_max: usize,
    each: &mut Each<'_>,
) -> Result<(u64, bool), KafkaError> {
    let until = Instant::now() + PATIENCE;
    let (mut next, mut looked_at) = (from, 0);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match consumer.poll(left) {
            Some(Ok(message)) => {
                next = message.offset() + 1;
                looked_at += 1;
                let (key, value) = (message.key().unwrap_or_default(), message.payload().unwrap_or_default());
                if each(next.cast_unsigned(), key, value).is_break() || looked_at >= looked_at_max {
                    return Ok((next.cast_unsigned(), false));
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => {
                // Behind markers, which are never shown.
                let position = consumer.position()?;
                let reached = position.elements().first().and_then(|it| it.offset().to_raw()).unwrap_or(next);
                return Ok((next.max(reached).cast_unsigned(), true));
            }
            Some(Err(error)) if is_passing(&error) => tracing::warn!("reading a page: {error}"),
            Some(Err(error)) => return Err(error),
            None => return Ok((next.cast_unsigned(), false)),
        }
    }
}
