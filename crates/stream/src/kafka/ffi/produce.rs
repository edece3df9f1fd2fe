//! A transactional producer: appending by topic handle, and the calls of a transaction with their errors kept whole.

use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::producer::{Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka_sys as sys;

use super::{Failure, GroupMetadata, milliseconds};

/// librdkafka's "as long as the transaction may last", which it recommends: other values may leave its state apart from
/// the broker's.
const REST_OF_TRANSACTION: i32 = -1;

/// A producer, and handles to the topics that it writes. Its thread serves reports of failed deliveries, for which
/// a commit waits.
pub struct Producer<C: ProducerContext + 'static> {
    topics: Vec<NonNull<sys::rd_kafka_topic_t>>,
    /// Destroyed after the topics: fields go after `drop`.
    client: ThreadedProducer<C>,
}

// SAFETY: librdkafka's handles may be used from any thread, and at the same time.
unsafe impl<C: ProducerContext + 'static> Send for Producer<C> {}
// SAFETY: as above.
unsafe impl<C: ProducerContext + 'static> Sync for Producer<C> {}

impl<C: ProducerContext + 'static> Producer<C> {
    /// Writes to `topics`, which are told by their place from then on.
    ///
    /// # Errors
    /// A topic has no proper name.
    pub fn new(client: ThreadedProducer<C>, topics: &[&CStr]) -> Result<Self, Failure> {
        let mut producer = Producer { topics: Vec::with_capacity(topics.len()), client };
        for topic in topics {
            // SAFETY: the client is alive, the name is copied, and without a configuration it takes the client's.
            let handle = unsafe {
                sys::rd_kafka_topic_new(producer.client.client().native_ptr(), topic.as_ptr(), ptr::null_mut())
            };
            let handle = NonNull::new(handle).ok_or_else(|| Failure::of_code(last_error()))?;
            producer.topics.push(handle);
        }
        Ok(producer)
    }

    /// The client.
    pub fn client(&self) -> &ThreadedProducer<C> {
        &self.client
    }

    /// Queues a message, copied. An empty key is none, and so is an empty value.
    ///
    /// # Errors
    /// `QueueFull` if it is to be tried again later; any other if not.
    #[inline]
    pub fn produce(&self, topic: usize, partition: i32, key: &[u8], value: &[u8]) -> Result<(), RDKafkaErrorCode> {
        let start = |bytes: &[u8]| if bytes.is_empty() { ptr::null() } else { bytes.as_ptr() };
        // SAFETY: the topic is alive; key and value are copied before the call returns, and only read.
        let result = unsafe {
            sys::rd_kafka_produce(
                self.topics[topic].as_ptr(),
                partition,
                sys::RD_KAFKA_MSG_F_COPY,
                start(value).cast_mut().cast(),
                value.len(),
                start(key).cast(),
                key.len(),
                ptr::null_mut(),
            )
        };
        if result == 0 { Ok(()) } else { Err(last_error()) }
    }

    /// Fences whoever had the transactional id before, and waits until what they left is over.
    ///
    /// # Errors
    /// Any severity.
    pub fn init(&self, wait: Duration) -> Result<(), Failure> {
        // SAFETY: the client is alive; the error is ours.
        unsafe { Failure::take(sys::rd_kafka_init_transactions(self.raw(), milliseconds(wait))) }
    }

    /// Opens a transaction.
    ///
    /// # Errors
    /// Any severity.
    pub fn begin(&self) -> Result<(), Failure> {
        // SAFETY: the client is alive; the error is ours.
        unsafe { Failure::take(sys::rd_kafka_begin_transaction(self.raw())) }
    }

    /// Adds the offsets to be read next to the transaction. Blocks at most as long as the transaction may last.
    ///
    /// # Errors
    /// Any severity.
    pub fn send_offsets(&self, offsets: &TopicPartitionList, group: &GroupMetadata) -> Result<(), Failure> {
        // SAFETY: client, offsets and group are alive and copied by the call; the error is ours.
        unsafe {
            Failure::take(sys::rd_kafka_send_offsets_to_transaction(
                self.raw(),
                offsets.ptr(),
                group.as_ptr(),
                REST_OF_TRANSACTION,
            ))
        }
    }

    /// Waits until all is delivered, and commits. Blocks at most as long as the transaction may last.
    ///
    /// # Errors
    /// Any severity; after a retriable one the same call goes on where it was.
    pub fn commit(&self) -> Result<(), Failure> {
        // SAFETY: the client is alive, and its thread serves the reports that this waits for; the error is ours.
        unsafe { Failure::take(sys::rd_kafka_commit_transaction(self.raw(), REST_OF_TRANSACTION)) }
    }

    /// Throws away what is not delivered (librdkafka purges it itself), and aborts. Without `wait`, blocks at most as long as the transaction may last.
    ///
    /// # Errors
    /// Any severity; after a retriable one the same call goes on where it was.
    pub fn abort(&self, wait: Option<Duration>) -> Result<(), Failure> {
        let wait_ms = wait.map_or(REST_OF_TRANSACTION, milliseconds);
        // SAFETY: the client is alive, and its thread serves the reports that this waits for; the error is ours.
        unsafe { Failure::take(sys::rd_kafka_abort_transaction(self.raw(), wait_ms)) }
    }

    fn raw(&self) -> *mut sys::rd_kafka_t {
        self.client.client().native_ptr()
    }
}

impl<C: ProducerContext + 'static> Drop for Producer<C> {
    fn drop(&mut self) {
        for topic in &self.topics {
            // SAFETY: it is ours, destroyed once, and the client is still there.
            unsafe { sys::rd_kafka_topic_destroy(topic.as_ptr()) }
        }
    }
}

fn last_error() -> RDKafkaErrorCode {
    // SAFETY: it reads a variable of this thread.
    unsafe { sys::rd_kafka_last_error() }.into()
}
