//! Reading an output from outside the pipeline: committed messages only, from the beginning or as they come.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use drawdown_engine::log::{Input, Output};
use rdkafka::Message as _;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::heard::{Context, Heard};
use super::probe::Probe;
use super::settings::Role;
use super::{ConnectError, KafkaSettings};

/// A topic, read outside of any group.
pub struct Tail {
    consumer: BaseConsumer<Context>,
    topic: String,
    /// Partitions that were not read yet up to where they ended when the topic was opened.
    behind: Vec<(i32, i64)>,
}

/// A message of the topic.
#[derive(Debug, Clone, Copy)]
pub struct TailMessage<'a> {
    /// Which partition.
    pub partition: u32,
    /// Where in it.
    pub offset: u64,
    /// Its key.
    pub key: &'a [u8],
    /// What was appended.
    pub value: &'a [u8],
}

impl Tail {
    /// Opens an output, at its beginning or at its end.
    ///
    /// # Errors
    /// It is not there, or nobody answers.
    pub fn output(settings: &KafkaSettings, output: Output, from_beginning: bool) -> Result<Self, ConnectError> {
        Self::open(settings, settings.topic(output.name()), from_beginning)
    }

    /// Opens an input at its beginning.
    ///
    /// # Errors
    /// It is not there, or nobody answers.
    pub fn input(settings: &KafkaSettings, input: Input) -> Result<Self, ConnectError> {
        Self::open(settings, settings.topic(input.name()), true)
    }

    fn open(settings: &KafkaSettings, topic: String, from_beginning: bool) -> Result<Self, ConnectError> {
        let client = |error: &dyn std::fmt::Display| ConnectError::Client(format!("{topic}: {error}"));
        let heard = Arc::new(Heard::default());
        let metadata = Probe::new(settings, u32::MAX, &heard)?.metadata(settings)?;
        let context = Context { heard };
        let consumer = BaseConsumer::from_config_and_context(&settings.client(Role::Reader, u32::MAX), context)
            .map_err(|error| client(&error))?;
        let patience = settings.connect_timeout;
        let found = metadata.topics().iter().filter(|found| found.name() == topic);
        let partitions = found.flat_map(|found| found.partitions()).map(|partition| partition.id());
        let mut list = TopicPartitionList::new();
        let mut behind = Vec::new();
        for partition in partitions {
            let (low, high) = consumer.fetch_watermarks(&topic, partition, patience).map_err(|error| client(&error))?;
            if low < high && from_beginning {
                behind.push((partition, high));
            }
            let from = if from_beginning { Offset::Beginning } else { Offset::End };
            list.add_partition_offset(&topic, partition, from).map_err(|error| client(&error))?;
        }
        if list.count() == 0 {
            return Err(client(&"there is no such topic: `drawdown topics create` makes the topics that are missing"));
        }
        consumer.assign(&list).map_err(|error| client(&error))?;
        Ok(Tail { consumer, topic, behind })
    }

    /// Whether everything that was there when the topic was opened was read.
    pub fn is_caught_up(&self) -> bool {
        self.behind.is_empty()
    }

    /// Shows `each` what comes within `wait`, one message or none.
    ///
    /// # Errors
    /// What the client says, if it cannot go on.
    pub fn read(
        &mut self,
        wait: Duration,
        each: &mut dyn FnMut(TailMessage<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, String> {
        let mut flow = ControlFlow::Continue(());
        match self.consumer.poll(wait) {
            None => {}
            Some(Ok(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                flow = each(TailMessage {
                    partition: partition as u32,
                    offset: offset as u64,
                    key: message.key().unwrap_or_default(),
                    value: message.payload().unwrap_or_default(),
                });
                self.behind.retain(|(of, high)| *of != partition || offset + 1 < *high);
            }
            // The last offsets are often those of control markers, which are never shown.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                let position = self.consumer.position().ok();
                let reached = position
                    .and_then(|list| list.find_partition(&self.topic, partition).and_then(|it| it.offset().to_raw()));
                self.behind.retain(|(of, high)| *of != partition || reached.is_none_or(|reached| reached < *high));
            }
            Some(Err(error)) if is_passing(&error) => tracing::warn!("reading {}: {error}", self.topic),
            Some(Err(error)) => return Err(format!("reading {}: {error}", self.topic)),
        }
        Ok(flow)
    }
}

pub(super) fn is_passing(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    let passing =
        [Code::BrokerTransportFailure, Code::AllBrokersDown, Code::NotLeaderForPartition, Code::RequestTimedOut];
    error.rdkafka_error_code().is_some_and(|code| passing.contains(&code))
}
