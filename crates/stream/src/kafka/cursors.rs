//! How far each input of each restored partition was read.

use std::ffi::{CStr, CString};

use drawdown_engine::log::{Batch, Input, LogError, Position, Record};
use drawdown_units::Timestamp;
use rdkafka::types::RDKafkaErrorCode;

use super::attributes::{self, Said};
use super::ffi::{Message, TopicHandle};

/// One input of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub input: Input,
    pub partition: u32,
    /// Up to where it is committed, or else where it begins.
    pub committed: u64,
    /// The offset of the next record to be polled, at least.
    pub next: u64,
    /// Nothing readable was left after the last record that was polled.
    pub is_at_end: bool,
}

/// Those of all restored partitions. A few dozen at most, and records of one come in runs.
#[derive(Debug)]
pub(super) struct Cursors {
    all: Vec<Cursor>,
    topics: [CString; 2],
    /// The stream of the last record, and its place in `all`.
    last: Option<(TopicHandle, i32, usize)>,
}

impl Cursors {
    /// `topics` in the order of [`Input::ALL`].
    pub fn new(topics: [CString; 2]) -> Self {
        Cursors { all: Vec::new(), topics, last: None }
    }

    pub fn topic(&self, input: Input) -> &CStr {
        let index = Input::ALL.iter().position(|other| *other == input).unwrap_or_default();
        &self.topics[index]
    }

    pub fn clear(&mut self) {
        self.all.clear();
        self.last = None;
    }

    pub fn insert(&mut self, cursor: Cursor) {
        self.all.push(cursor);
        self.last = None;
    }

    pub fn find(&mut self, input: Input, partition: u32) -> Option<&mut Cursor> {
        self.all.iter_mut().find(|cursor| cursor.input == input && cursor.partition == partition)
    }

    /// One of the inputs of a partition.
    pub fn of_partition(&self, partition: u32) -> Option<&Cursor> {
        self.all.iter().find(|cursor| cursor.partition == partition)
    }

    /// What was committed is not read again.
    pub fn commit(&mut self, positions: &[Position]) {
        for position in positions {
            if let Some(cursor) = self.find(position.input, position.partition) {
                cursor.committed = position.next;
            }
        }
    }

    /// Copies a message into the batch, unless it only tells that there is none.
    #[inline]
    pub fn take(&mut self, message: Message<'_>, batch: &mut Batch) -> Result<(), LogError> {
        let Some(cursor) = self.of(message)? else { return Ok(()) };
        match message.error() {
            None => {}
            Some(RDKafkaErrorCode::PartitionEOF) => {
                cursor.is_at_end = true;
                return Ok(());
            }
            Some(code) => return refuse(message, code),
        }
        let offset = message.offset() as u64;
        if offset < cursor.next {
            return Ok(());
        }
        cursor.next = offset + 1;
        cursor.is_at_end = false;
        let said = message.headers().map_or_else(Said::default, attributes::read);
        batch.push(&Record {
            input: cursor.input,
            partition: cursor.partition,
            offset,
            arrival: said.arrival.unwrap_or_else(|| sent(message)),
            key: message.key(),
            value: message.value(),
            attributes: said.attributes,
        });
        Ok(())
    }

    /// The cursor that a message moves. What is left of partitions that were given up moves none.
    #[inline]
    fn of(&mut self, message: Message<'_>) -> Result<Option<&mut Cursor>, LogError> {
        let (topic, partition) = (message.topic(), message.partition());
        let index = match self.last {
            Some((last_topic, last_partition, index)) if last_topic == topic && last_partition == partition => index,
            _ => match self.look_up(message) {
                Some(index) => index,
                None => match message.error() {
                    Some(code) if code != RDKafkaErrorCode::PartitionEOF => return refuse(message, code),
                    _ => return Ok(None),
                },
            },
        };
        self.last = Some((topic, partition, index));
        Ok(self.all.get_mut(index))
    }

    fn look_up(&self, message: Message<'_>) -> Option<usize> {
        let name = message.topic_name();
        let (_, input) = self.topics.iter().zip(Input::ALL).find(|(topic, _)| topic.as_c_str() == name)?;
        self.all
            .iter()
            .position(|cursor| cursor.input == input && i64::from(cursor.partition) == i64::from(message.partition()))
    }
}

/// When a record was sent. Only brokers before 0.10 do not say; a record of theirs has just arrived.
fn sent(message: Message<'_>) -> Timestamp {
    message.timestamp_ms().map_or_else(super::time::now, super::time::from_ms)
}

/// Errors that pass by themselves are not fatal: librdkafka tries again.
fn refuse<T: Default>(message: Message<'_>, code: RDKafkaErrorCode) -> Result<T, LogError> {
    let (topic, partition) = (message.topic_name().to_string_lossy(), message.partition());
    let text = format!("cannot read {topic}/{partition}: {}", message.error_text());
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::GroupAuthorizationFailed
        | RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition
        | RDKafkaErrorCode::BadMessage
        | RDKafkaErrorCode::BadCompression
        | RDKafkaErrorCode::AutoOffsetReset
        | RDKafkaErrorCode::Fatal => Err(LogError::Fatal(text)),
        _ => {
            tracing::warn!("{text}");
            Ok(T::default())
        }
    }
}
