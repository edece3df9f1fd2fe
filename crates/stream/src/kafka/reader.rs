//! Reads back what was committed to partitions of one topic or more, each up to a given offset.
//!
//! Invariant: the end of a partition counts only at or past that offset. Before, a transaction may still be open there
//! whose records become readable, or a marker may be on its way.

use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drawdown_engine::log::LogError;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode;

use super::ffi::{Message, Queue};
use super::heard::{Context, Heard};
use super::settings::{KafkaSettings, Role};

/// How many messages are taken at once.
const BATCH: usize = 4096;

/// What to read of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub topic: CString,
    pub partition: u32,
    pub from: i64,
    /// The offset after the last.
    pub to: i64,
}

/// A consumer without a group of its own, on its way through spans.
pub(super) struct Reader {
    queue: Queue<Context>,
    left: Vec<Span>,
}

impl Reader {
    pub fn open(settings: &KafkaSettings, thread: u32, heard: &Arc<Heard>, spans: Vec<Span>) -> Result<Self, LogError> {
        let fatal = |error: &dyn std::fmt::Display| LogError::Fatal(format!("cannot read back: {error}"));
        let context = Context { heard: Arc::clone(heard) };
        let config = settings.client(Role::Reader, thread);
        let consumer = BaseConsumer::from_config_and_context(&config, context).map_err(|error| fatal(&error))?;
        let mut reader = Reader { queue: Queue::new(Arc::new(consumer)), left: Vec::new() };
        reader.turn_to(spans)?;
        Ok(reader)
    }

    /// Reads these spans from now on, and nothing of others.
    pub fn turn_to(&mut self, spans: Vec<Span>) -> Result<(), LogError> {
        let fatal = |error: &dyn std::fmt::Display| LogError::Fatal(format!("cannot read back: {error}"));
        let mut list = TopicPartitionList::new();
        for span in &spans {
            if !self.queue.take_in(&span.topic, span.partition as i32) {
                return Err(fatal(&format_args!("{:?}/{} is not known", span.topic, span.partition)));
            }
            let topic = span.topic.to_string_lossy();
            let added = list.add_partition_offset(&topic, span.partition as i32, Offset::Offset(span.from));
            added.map_err(|error| fatal(&error))?;
        }
        self.queue.consumer().assign(&list).map_err(|error| fatal(&error))?;
        self.left = spans;
        Ok(())
    }

    /// Reads nothing until it is turned to something else. What was fetched already is thrown away: librdkafka tells it
    /// from what it fetches later, even of the same partition.
    pub fn rest(&mut self) -> Result<(), LogError> {
        self.left.clear();
        self.queue.consumer().unassign().map_err(|error| LogError::Fatal(format!("cannot stop reading back: {error}")))
    }

    /// Whether everything was read.
    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// Reads for about `slice`; says how many messages that were.
    pub fn read(&mut self, slice: Duration, each: &mut dyn FnMut(Message<'_>)) -> Result<u64, LogError> {
        let deadline = Instant::now() + slice;
        let mut read = 0;
        while !self.is_done() {
            let wait = deadline.saturating_duration_since(Instant::now());
            let count = self.queue.refill(wait, BATCH).map_err(|failure| LogError::Fatal(failure.to_string()))?;
            while let Some(message) = self.queue.next_message() {
                match message.error() {
                    None => {
                        each(message);
                        read += 1;
                    }
                    Some(RDKafkaErrorCode::PartitionEOF) => finish(&mut self.left, message),
                    Some(code) => refuse(message, code)?,
                }
            }
            if count < BATCH && Instant::now() >= deadline {
                break;
            }
        }
        self.serve()?;
        Ok(read)
    }

    /// What the client has to say goes to tracing.
    fn serve(&self) -> Result<(), LogError> {
        match self.queue.consumer().poll(Duration::ZERO) {
            Some(Ok(_)) => Err(LogError::Fatal("invariant: every partition is forwarded".to_owned())),
            _ => Ok(()),
        }
    }
}

fn finish(left: &mut Vec<Span>, end: Message<'_>) {
    let is_finished = |span: &Span| {
        i64::from(span.partition) == i64::from(end.partition())
            && span.topic.as_c_str() == end.topic_name()
            && span.to <= end.offset()
    };
    left.retain(|span| !is_finished(span));
}

/// Errors that pass by themselves are not fatal: librdkafka tries again.
fn refuse(message: Message<'_>, code: RDKafkaErrorCode) -> Result<(), LogError> {
    let text = format!("cannot read back {:?}: {}", message.topic_name(), message.error_text());
    if matches!(code, RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::NotLeaderForPartition) {
        tracing::warn!("{text}");
        return Ok(());
    }
    Err(LogError::Fatal(text))
}
