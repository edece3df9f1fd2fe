//! The topic of decks and rate plans: one partition, read whole by every process and followed ever after.
//!
//! A bundle is one or several messages `<bundle>#<index>/<count>`, written in one transaction. The topic is compacted: a
//! bundle's pieces replace those of an earlier bundle of the same name and size; pieces that stay behind of another size
//! never make a bundle that its checksum accepts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::heard::{Context, Heard};
use super::probe::Probe;
use super::settings::Role;
use super::{ConnectError, KafkaSettings};
use crate::bundle::{BYTES_MAX, Bundle};

/// Its name, without a prefix.
pub const TOPIC: &str = "decks";

pub(super) fn chunk_key(bundle: &str, index: usize, count: usize) -> String {
    format!("{bundle}#{index}/{count}")
}

fn read_key(key: &str) -> Option<(&str, usize, usize)> {
    let (bundle, rest) = key.rsplit_once('#')?;
    let (index, count) = rest.split_once('/')?;
    let (index, count) = (index.parse().ok()?, count.parse().ok()?);
    (index < count).then_some((bundle, index, count))
}

/// Reads the topic from its beginning, then follows it.
pub struct Decks {
    consumer: BaseConsumer<Context>,
    topic: String,
    /// What was read up to when it was opened: whoever prices must have read as far.
    high: i64,
    /// The pieces of a bundle that is not complete yet.
    pieces: BTreeMap<String, Pieces>,
    size_bytes: usize,
}

#[derive(Default)]
struct Pieces {
    count: usize,
    chunks: BTreeMap<usize, Vec<u8>>,
}

/// What reading some more brought.
pub struct News {
    /// Bundles that are complete, or why one is not taken up.
    pub bundles: Vec<Result<Bundle, String>>,
    /// Everything that stood there when the topic was opened was read.
    pub is_caught_up: bool,
}

impl Decks {
    /// Opens the topic.
    ///
    /// # Errors
    /// It is not there, or nobody answers.
    pub fn open(settings: &KafkaSettings) -> Result<Self, ConnectError> {
        let client = |error: &dyn std::fmt::Display| ConnectError::Client(error.to_string());
        let heard = Arc::new(Heard::default());
        // Says at once what is wrong with us or the brokers.
        Probe::new(settings, u32::MAX, &heard)?.metadata(settings)?;
        let context = Context { heard };
        let consumer = BaseConsumer::from_config_and_context(&settings.client(Role::Reader, u32::MAX), context)
            .map_err(|error| client(&error))?;
        let topic = settings.topic(TOPIC);
        let (_, high) = consumer.fetch_watermarks(&topic, 0, settings.connect_timeout).map_err(|error| {
            client(&format_args!("{topic}: {error}; `drawdown topics create` makes the topics that are missing"))
        })?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, 0, Offset::Beginning).map_err(|error| client(&error))?;
        consumer.assign(&list).map_err(|error| client(&error))?;
        Ok(Decks { consumer, topic, high, pieces: BTreeMap::new(), size_bytes: 0 })
    }

    /// Reads on for up to `wait`.
    ///
    /// # Errors
    /// What the client says, if it cannot go on.
    pub fn read(&mut self, wait: Duration) -> Result<News, String> {
        let mut bundles = Vec::new();
        match self.consumer.poll(wait) {
            None => {}
            Some(Ok(message)) => {
                let key = message.key().and_then(|key| std::str::from_utf8(key).ok()).map(str::to_owned);
                let payload = message.payload().map(<[u8]>::to_vec);
                if let (Some(key), Some(payload)) = (key, payload) {
                    bundles.extend(self.piece(&key, payload));
                }
            }
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => {}
            Some(Err(error)) => tracing::warn!("reading {}: {error}", self.topic),
        }
        let position = self
            .consumer
            .position()
            .ok()
            .and_then(|list| list.find_partition(&self.topic, 0).and_then(|found| found.offset().to_raw()));
        let is_caught_up = self.high == 0 || position.is_some_and(|position| position >= self.high);
        Ok(News { bundles, is_caught_up })
    }

    fn piece(&mut self, key: &str, chunk: Vec<u8>) -> Option<Result<Bundle, String>> {
        let (name, index, count) = read_key(key)?;
        self.size_bytes += chunk.len();
        if self.size_bytes > BYTES_MAX {
            self.pieces.clear();
            self.size_bytes = chunk.len();
        }
        let pieces = self.pieces.entry(name.to_owned()).or_default();
        if pieces.count != count {
            *pieces = Pieces { count, chunks: BTreeMap::new() };
        }
        pieces.chunks.insert(index, chunk);
        if pieces.chunks.len() < count {
            return None;
        }
        let whole = self.pieces.remove(name)?.chunks.into_values().flatten().collect::<Vec<_>>();
        self.size_bytes = self.size_bytes.saturating_sub(whole.len());
        Some(Bundle::unpack(&whole).map_err(|error| format!("{name} of {}: {error}", self.topic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_says_whose_it_is() {
        assert_eq!(read_key(&chunk_key("deck/a#b/3", 1, 4)), Some(("deck/a#b/3", 1, 4)));
        for key in ["deck/a/3", "deck/a/3#4/4", "deck/a/3#x/1", ""] {
            assert_eq!(read_key(key), None, "{key}");
        }
    }
}
