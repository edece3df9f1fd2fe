//! Publishing from outside the pipeline: records and commands at full speed, decks one publisher at a time.
//!
//! The partition of a message follows from its key as Java's clients choose it, so that what other producers send of the
//! same organisation meets it there.

mod decks;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use drawdown_engine::log::{Attributes, Input};
use drawdown_units::Timestamp;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, config::FromClientConfigAndContext};

use super::attributes::headers;
use super::heard::Heard;
use super::probe::Probe;
use super::settings::Role;
use super::{ConnectError, KafkaSettings};
use crate::bundle::BundleError;

pub use decks::DeckPublisher;

/// How long a full queue, or the end, is waited for before it is said that nothing moves.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why something was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The client cannot be made, or cannot go on.
    #[error("cannot publish to {topic}: {source}")]
    Client {
        /// Where to.
        topic: String,
        /// What the client says.
        source: KafkaError,
    },
    /// Some messages were refused or timed out.
    #[error(
        "{count} messages were not delivered to {topic}: see the log; what was delivered is de-duplicated if it is sent again"
    )]
    Undelivered {
        /// Where to.
        topic: String,
        /// How many.
        count: u64,
    },
    /// Nobody to publish to.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The bundle cannot be packed.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// Somebody began to publish decks after we did.
    #[error("somebody else publishes decks at this moment; look what stands there then, and publish it again")]
    Overtaken,
}

/// Publishes messages.
pub struct Publisher {
    settings: KafkaSettings,
    producer: ThreadedProducer<Deliveries>,
    deliveries: Deliveries,
}

/// Counts what was not delivered.
#[derive(Debug, Clone, Default)]
struct Deliveries(Arc<AtomicU64>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result
            && self.0.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::error!("a message was not delivered: {error}");
        }
    }
}

impl Publisher {
    /// Connects.
    ///
    /// # Errors
    /// Settings that make no client; brokers that do not answer, or refuse us.
    pub fn new(settings: &KafkaSettings) -> Result<Self, PublishError> {
        Probe::new(settings, u32::MAX, &Arc::new(Heard::default()))?.metadata(settings)?;
        let deliveries = Deliveries::default();
        let config = settings.client(Role::Publisher, 0);
        let producer = ThreadedProducer::from_config_and_context(&config, deliveries.clone())
            .map_err(|source| PublishError::Client { topic: settings.brokers.clone(), source })?;
        Ok(Publisher { settings: settings.clone(), producer, deliveries })
    }

    /// Sends one record or command, waiting where the brokers cannot keep up. It counts as arrived at `arrival`, but not
    /// as so old to the broker, which would delete it for its age.
    ///
    /// # Errors
    /// What the client says.
    pub fn send(
        &self,
        input: Input,
        key: Option<&str>,
        arrival: Timestamp,
        value: &[u8],
        attributes: &Attributes<'_>,
    ) -> Result<(), PublishError> {
        let topic = self.settings.topic(input.name());
        let mut record = BaseRecord::<str, [u8]>::to(&topic).payload(value);
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(headers) = headers(attributes, Some(arrival)) {
            record = record.headers(headers);
        }
        self.queue(&topic, record)
    }

    fn queue(&self, topic: &str, record: BaseRecord<'_, str, [u8]>) -> Result<(), PublishError> {
        let mut record = record;
        let mut waited = Duration::ZERO;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if waited < PATIENCE => {
                    let pause = Duration::from_millis(2);
                    std::thread::sleep(pause);
                    waited += pause;
                    record = back;
                }
                Err((source, _)) => return Err(PublishError::Client { topic: topic.to_owned(), source }),
            }
        }
    }

    /// Waits until everything sent is safe.
    ///
    /// # Errors
    /// What was not delivered.
    pub fn flush(&self, input: Input) -> Result<(), PublishError> {
        let topic = self.settings.topic(input.name());
        self.producer.flush(PATIENCE).map_err(|source| PublishError::Client { topic: topic.clone(), source })?;
        match self.deliveries.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            count => Err(PublishError::Undelivered { topic, count }),
        }
    }
}
