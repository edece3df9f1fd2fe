//! Fills topics of a broker, as fast as it takes them.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const PATIENCE: Duration = Duration::from_secs(120);

/// Sends messages to one topic, each to the partition of its key.
pub struct Feed {
    producer: BaseProducer,
    topic: String,
    partitions: u32,
}

impl Feed {
    /// To `topic` on `brokers`; waits up to `linger_ms` for more to send at once.
    pub fn new(brokers: &str, topic: &str, partitions: u32, linger_ms: u32) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers).set("compression.type", "lz4").set("enable.idempotence", "true");
        config.set("linger.ms", linger_ms.to_string()).set("queue.buffering.max.messages", "200000");
        let producer = config.create().expect("a producer");
        Feed { producer, topic: topic.to_owned(), partitions }
    }

    /// Queues a message; waits while the broker does not keep up.
    pub fn send(&self, key: &[u8], value: &[u8]) {
        let hash = key.iter().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(*byte)));
        let mut record = BaseRecord::to(&self.topic).partition((hash % self.partitions) as i32).key(key).payload(value);
        while let Err((error, again)) = self.producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            self.producer.poll(Duration::from_millis(5));
            record = again;
        }
        self.producer.poll(Duration::ZERO);
    }

    /// Sends records or commands, each to the partition of its organisation.
    pub fn send_all<V: AsRef<[u8]>>(self, values: impl IntoIterator<Item = V>) {
        for value in values {
            self.send(org(value.as_ref()), value.as_ref());
        }
        self.producer.flush(PATIENCE).expect("everything is delivered");
    }
}

/// The organisation in a record of [`crate::Records`] or a command.
pub fn org(value: &[u8]) -> &[u8] {
    text(value, "orgId").expect("an organisation")
}

/// A text of a JSON object that is written without spaces.
pub fn text<'v>(value: &'v [u8], name: &str) -> Option<&'v [u8]> {
    let needle = format!("\"{name}\":\"");
    let start = value.windows(needle.len()).position(|window| window == needle.as_bytes())? + needle.len();
    let length = value[start..].iter().position(|byte| *byte == b'"')?;
    Some(&value[start..start + length])
}
