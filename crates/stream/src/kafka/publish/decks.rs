//! Publishing decks and rate plans: one publisher at a time.
//!
//! Invariant: who publishes began before what stands there was read. The next who begins fences whoever began before, and
//! finds all that was published or nothing of it; so of two at once neither overlooks the other, and one is told.

use std::sync::Arc;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::{Deliveries, PATIENCE, PublishError};
use crate::bundle::Bundle;
use crate::kafka::heard::Heard;
use crate::kafka::probe::Probe;
use crate::kafka::settings::Role;
use crate::kafka::{KafkaSettings, decks};

/// What one message holds of a bundle.
const CHUNK_BYTES: usize = 512 << 10;

/// Publishes decks and rate plans for as long as nobody else begins to.
pub struct DeckPublisher {
    topic: String,
    producer: ThreadedProducer<Deliveries>,
}

impl DeckPublisher {
    /// Begins: whoever began before publishes no more. What stands on the topic is to be read after this.
    ///
    /// # Errors
    /// Settings that make no client; brokers that do not answer, or refuse us.
    pub fn begin(settings: &KafkaSettings) -> Result<Self, PublishError> {
        Probe::new(settings, u32::MAX, &Arc::new(Heard::default()))?.metadata(settings)?;
        let topic = settings.topic(decks::TOPIC);
        let client = |source| PublishError::Client { topic: topic.clone(), source };
        let config = settings.client(Role::DeckPublisher, 0);
        let producer = ThreadedProducer::from_config_and_context(&config, Deliveries::default()).map_err(client)?;
        producer.init_transactions(PATIENCE).map_err(client)?;
        Ok(DeckPublisher { topic, producer })
    }

    /// Publishes a deck or a rate plan: its pieces in one transaction, so that a reader sees all of it or nothing.
    ///
    /// # Errors
    /// Somebody else began, or what the client says.
    pub fn publish(&self, bundle: &Bundle) -> Result<(), PublishError> {
        let packed = bundle.pack()?;
        self.send(&bundle.key(), &packed).map_err(|source| self.fault(source))
    }

    fn send(&self, name: &str, packed: &[u8]) -> Result<(), KafkaError> {
        self.producer.begin_transaction()?;
        let chunks = packed.chunks(CHUNK_BYTES);
        let count = chunks.len();
        for (index, chunk) in chunks.enumerate() {
            let key = decks::chunk_key(name, index, count);
            let record = BaseRecord::<str, [u8]>::to(&self.topic).partition(0).key(&key).payload(chunk);
            self.producer.send(record).map_err(|(source, _)| source)?;
        }
        self.producer.commit_transaction(PATIENCE)
    }

    fn fault(&self, source: KafkaError) -> PublishError {
        use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
        // What a call says may be no more than that the client cannot go on.
        let fatal = self.producer.client().fatal_error().map(|(code, _)| code);
        match fatal.or(source.rdkafka_error_code()) {
            Some(Fenced | InvalidProducerEpoch | ProducerFenced) => PublishError::Overtaken,
            _ => PublishError::Client { topic: self.topic.clone(), source },
        }
    }
}
