//! Which partition a key belongs to, as Java's clients have it (murmur2): asked by whoever must find an organisation
//! without sending it something.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use super::heard::Context;

/// How many partitions a topic has: asked once, for that does not change while the pipeline runs.
pub(super) struct PartitionCount {
    topic: String,
    /// 0 until it is known.
    count: AtomicU32,
}

impl PartitionCount {
    pub fn of(topic: String) -> Self {
        PartitionCount { topic, count: AtomicU32::new(0) }
    }

    /// The partition of an organisation, if it is known how many there are.
    pub fn known(&self, org: &str) -> Option<u32> {
        let count = self.count.load(Ordering::Relaxed);
        (count > 0).then(|| partition_of(org.as_bytes(), count))
    }

    /// The partition of an organisation; asks how many there are, if that is not known.
    pub fn partition(
        &self,
        consumer: &BaseConsumer<Context>,
        org: &str,
        patience: Duration,
    ) -> Result<u32, KafkaError> {
        if self.count.load(Ordering::Relaxed) == 0 {
            let metadata = consumer.fetch_metadata(Some(&self.topic), patience)?;
            let found = metadata.topics().iter().find(|found| found.name() == self.topic);
            let count = found.map_or(0, |found| found.partitions().len()) as u32;
            self.count.store(count, Ordering::Relaxed);
        }
        Ok(self.known(org).unwrap_or(0))
    }
}

/// The partition of `key` among `count`.
///
/// # Panics
/// Where there is no partition.
pub fn partition_of(key: &[u8], count: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % count
}

fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of Kafka's own test (`UtilsTest.testMurmur2`).
    #[test]
    fn keys_are_hashed_as_kafka_does() {
        for (text, expected) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), expected, "{text}");
        }
    }
}
