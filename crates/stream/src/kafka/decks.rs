//! The topic of decks and rate plans: one partition, read whole by every process and followed ever after.
//!
//! A bundle is one or several messages `<bundle>#<index>/<count>`, written in one transaction. The topic is compacted: a
//! bundle's pieces replace those of an earlier bundle of the same name and size; pieces that stay behind of another size
//! never make a bundle that its checksum accepts. Nor do those of two that were written at once: they wait for the pieces
//! that are to come.

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
use crate::bundle::{BYTES_MAX, Bundle, BundleError};

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
    assembly: Assembly,
}

/// The pieces of bundles that are not complete yet, by name.
#[derive(Default)]
struct Assembly(BTreeMap<String, Pieces>);

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
        Ok(Decks { consumer, topic, high, assembly: Assembly::default() })
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
                    let bundle = self.assembly.add(&key, payload);
                    let named = |error: BundleError| format!("{key} of {}: {error}", self.topic);
                    bundles.extend(bundle.map(|bundle| bundle.map_err(named)));
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
}

impl Assembly {
    /// Adds a piece; the bundle that it completes, or why it completes none.
    fn add(&mut self, key: &str, chunk: Vec<u8>) -> Option<Result<Bundle, BundleError>> {
        let (name, index, count) = read_key(key)?;
        if self.size_bytes() + chunk.len() > BYTES_MAX {
            self.0.clear();
        }
        let pieces = self.0.entry(name.to_owned()).or_default();
        if pieces.count != count {
            *pieces = Pieces { count, chunks: BTreeMap::new() };
        }
        pieces.chunks.insert(index, chunk);
        if pieces.chunks.len() < count {
            return None;
        }
        let whole = pieces.chunks.values().flatten().copied().collect::<Vec<_>>();
        let bundle = Bundle::unpack(&whole);
        if bundle.is_ok() {
            self.0.remove(name);
        }
        Some(bundle)
    }

    fn size_bytes(&self) -> usize {
        self.0.values().flat_map(|pieces| pieces.chunks.values()).map(Vec::len).sum()
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

    #[test]
    fn pieces_of_two_that_were_written_at_once_make_the_last_of_them() {
        let plan = |text: &str| {
            let bundle =
                Bundle::RatePlan { id: "gold".to_owned(), file_name: "gold.toml".to_owned(), text: text.to_owned() };
            (bundle.key(), bundle.pack().unwrap(), bundle)
        };
        let [(key, first, _), (_, second, bundle)] = [plan("a text"), plan("another text")];
        let pieces = |packed: &[u8]| [packed[..20].to_vec(), packed[20..].to_vec()];
        let [[a0, a1], [b0, b1]] = [pieces(&first), pieces(&second)];
        let mut assembly = Assembly::default();
        let mut add = |index, piece| assembly.add(&chunk_key(&key, index, 2), piece);
        assert!(add(0, a0).is_none() && add(0, b0).is_none());
        assert!(matches!(add(1, a1), Some(Err(BundleError::Damaged { .. }))));
        assert_eq!(add(1, b1).and_then(Result::ok), Some(bundle));
        assert!(assembly.0.is_empty());
    }
}
