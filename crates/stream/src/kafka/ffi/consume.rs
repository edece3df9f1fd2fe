//! One queue for the records of many partitions, read in batches without a copy.

use std::ffi::CStr;
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka_sys as sys;

use super::{Failure, milliseconds};

/// Keeps what is fetched of a partition in a queue of its own, where nobody reads, until [`Queue::take_in`]. Called before
/// the partition is assigned. `false` if there is no such partition.
pub fn hold<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &CStr, partition: i32) -> bool {
    forward(consumer, topic, partition, ptr::null_mut())
}

/// `to` is null, or a queue of the same consumer that is alive.
fn forward<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &CStr,
    partition: i32,
    to: *mut sys::rd_kafka_queue_t,
) -> bool {
    // SAFETY: the client is alive while it is borrowed. The handle is a reference to the partition's queue: it is
    // destroyed at once, while the forwarding, which keeps references of its own, stays.
    unsafe {
        let from = sys::rd_kafka_queue_get_partition(consumer.client().native_ptr(), topic.as_ptr(), partition);
        if from.is_null() {
            return false;
        }
        sys::rd_kafka_queue_forward(from, to);
        sys::rd_kafka_queue_destroy(from);
    }
    true
}

/// Where a partition begins and ends, as its last fetch told.
pub fn known_watermarks<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &CStr,
    partition: i32,
) -> Option<(i64, i64)> {
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is alive while it is borrowed, and the two places are written to.
    let error = unsafe {
        sys::rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            topic.as_ptr(),
            partition,
            &mut low,
            &mut high,
        )
    };
    (error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some((low.max(0), high))
}

/// A queue, and the batch that was taken from it last.
pub struct Queue<C: ConsumerContext> {
    handle: NonNull<sys::rd_kafka_queue_t>,
    /// Each is ours until it is destroyed; those before `next` are, but for the one before it.
    messages: Vec<NonNull<sys::rd_kafka_message_t>>,
    next: usize,
    /// Destroyed after the handle and the messages: fields go after `drop`.
    consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka's handles may be used from any thread, and `&mut self` keeps it to one at a time.
unsafe impl<C: ConsumerContext> Send for Queue<C> {}

impl<C: ConsumerContext> Queue<C> {
    /// A queue that nothing is forwarded to yet.
    pub fn new(consumer: Arc<BaseConsumer<C>>) -> Self {
        // SAFETY: the client is alive, and stays so as long as `consumer` is held.
        let handle = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let handle = NonNull::new(handle).expect("invariant: librdkafka makes a queue or aborts");
        Queue { handle, messages: Vec::new(), next: 0, consumer }
    }

    /// The consumer whose records these are.
    pub fn consumer(&self) -> &BaseConsumer<C> {
        &self.consumer
    }

    /// From now on the records of a partition come here, those that were held first.
    pub fn take_in(&self, topic: &CStr, partition: i32) -> bool {
        forward(&self.consumer, topic, partition, self.handle.as_ptr())
    }

    /// Takes up to `count_max` messages; waits until there are so many or the time is over. Asked only when
    /// [`Queue::next_message`] has handed out all.
    ///
    /// # Errors
    /// What the client says.
    pub fn refill(&mut self, wait: Duration, count_max: usize) -> Result<usize, Failure> {
        assert!(self.next == self.messages.len(), "invariant: a batch is finished before the next");
        self.clear();
        self.messages.reserve(count_max);
        // SAFETY: there is room for `count_max` pointers, and `NonNull` is laid out as they are.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(
                self.handle.as_ptr(),
                milliseconds(wait),
                self.messages.as_mut_ptr().cast(),
                count_max,
            )
        };
        match usize::try_from(count) {
            // SAFETY: so many were written, none of them null.
            Ok(count) => unsafe { self.messages.set_len(count) },
            Err(_) => return Err(Failure::of_code(last_error())),
        }
        Ok(self.messages.len())
    }

    /// The next message of the batch.
    #[inline]
    pub fn next_message(&mut self) -> Option<Message<'_>> {
        let message = *self.messages.get(self.next)?;
        self.destroy_current();
        self.next += 1;
        // SAFETY: it is alive until `destroy_current` or `clear`, which take `&mut self`.
        Some(Message(unsafe { message.as_ref() }))
    }

    /// Throws the rest of the batch away.
    pub fn clear(&mut self) {
        self.destroy_current();
        for message in self.messages.drain(..).skip(self.next) {
            // SAFETY: it was not handed out, so it is alive and ours.
            unsafe { sys::rd_kafka_message_destroy(message.as_ptr()) }
        }
        self.next = 0;
    }

    /// The one that was handed out last goes when the next one is asked for.
    #[inline]
    fn destroy_current(&mut self) {
        let Some(current) = self.next.checked_sub(1) else { return };
        // SAFETY: it is alive and ours: each place is passed once, since every caller moves on or empties the batch.
        unsafe { sys::rd_kafka_message_destroy(self.messages[current].as_ptr()) }
    }
}

impl<C: ConsumerContext> Drop for Queue<C> {
    fn drop(&mut self) {
        self.clear();
        // SAFETY: it is ours, destroyed once, and the consumer is still there.
        unsafe { sys::rd_kafka_queue_destroy(self.handle.as_ptr()) }
    }
}

fn last_error() -> RDKafkaErrorCode {
    // SAFETY: it reads a variable of this thread.
    unsafe { sys::rd_kafka_last_error() }.into()
}

/// A topic as an opaque value: equal means the same topic, as long as the consumer lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicHandle(usize);

/// A message, or word that a partition has no more of them for now.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a>(&'a sys::rd_kafka_message_t);

impl<'a> Message<'a> {
    /// Why there is no message.
    #[inline]
    pub fn error(&self) -> Option<RDKafkaErrorCode> {
        match self.0.err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => None,
            error => Some(error.into()),
        }
    }

    /// The same in words.
    pub fn error_text(&self) -> String {
        // SAFETY: the message is alive, and so is the text, which is copied at once.
        let text = unsafe { sys::rd_kafka_message_errstr(self.0) };
        if text.is_null() {
            return String::new();
        }
        // SAFETY: as above.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    /// Its topic, to be compared.
    #[inline]
    pub fn topic(&self) -> TopicHandle {
        TopicHandle(self.0.rkt.addr())
    }

    /// Its topic's name; empty if it has none.
    pub fn topic_name(&self) -> &'a CStr {
        if self.0.rkt.is_null() {
            return c"";
        }
        // SAFETY: the topic is alive as long as the message, and so is its name.
        unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(self.0.rkt)) }
    }

    /// Its partition.
    #[inline]
    pub fn partition(&self) -> i32 {
        self.0.partition
    }

    /// Where it stands; of an end, where the next message will stand at the earliest.
    #[inline]
    pub fn offset(&self) -> i64 {
        self.0.offset
    }

    /// When it was produced or appended, as the topic has it, in ms since 1970.
    #[inline]
    pub fn timestamp_ms(&self) -> Option<i64> {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive, and `kind` is written to at most.
        let timestamp = unsafe { sys::rd_kafka_message_timestamp(self.0, &mut kind) };
        (kind != sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp >= 0)
            .then_some(timestamp)
    }

    /// Its key.
    #[inline]
    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: the message owns so many bytes there, and is alive and unchanged for `'a`.
        (!self.0.key.is_null()).then(|| unsafe { slice::from_raw_parts(self.0.key.cast(), self.0.key_len) })
    }

    /// Its value; of a tombstone, nothing.
    #[inline]
    pub fn value(&self) -> &'a [u8] {
        if self.0.payload.is_null() {
            return &[];
        }
        // SAFETY: the message owns so many bytes there, and is alive and unchanged for `'a`.
        unsafe { slice::from_raw_parts(self.0.payload.cast(), self.0.len) }
    }

    /// Its headers, if it has any.
    #[inline]
    pub fn headers(&self) -> Option<Headers<'a>> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive and keeps its headers; librdkafka parses them in place, but a message is seen by
        // one thread only, and nothing of ours points at that part of it.
        let error = unsafe { sys::rd_kafka_message_headers(self.0, &mut headers) };
        let has_headers = error == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && !headers.is_null();
        has_headers.then_some(Headers { headers, index: 0, _message: self.0 })
    }
}

/// Names and values, in order.
#[derive(Debug)]
pub struct Headers<'a> {
    headers: *mut sys::rd_kafka_headers_t,
    index: usize,
    _message: &'a sys::rd_kafka_message_t,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a CStr, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null::<c_void>(), 0);
        // SAFETY: the message keeps the headers alive; the three places are written to.
        let error = unsafe { sys::rd_kafka_header_get_all(self.headers, self.index, &mut name, &mut value, &mut size) };
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            return None;
        }
        self.index += 1;
        // SAFETY: name and value live as long as the message.
        unsafe {
            let value = if value.is_null() { &[] } else { slice::from_raw_parts(value.cast(), size) };
            Some((CStr::from_ptr(name), value))
        }
    }
}
