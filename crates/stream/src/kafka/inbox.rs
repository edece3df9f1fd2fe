//! Requests onto the topics: each message is answered when the brokers have it.

use std::sync::{Mutex, PoisonError};

use drawdown_engine::inbox::{Done, Inbox, Message, NotAccepted};
use drawdown_engine::log::Attributes;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, error::KafkaError};

use super::KafkaSettings;
use super::attributes::headers;
use super::publish::PublishError;
use super::settings::Role;

/// How long a message may wait for others, in milliseconds: somebody waits for it.
const LINGER_MS: &str = "2";
/// How long the brokers may take, in milliseconds, before it is said that it is not known.
const DELIVERY_MS: &str = "10000";

/// An inbox that produces to the topics.
pub struct KafkaInbox {
    settings: KafkaSettings,
    producer: ThreadedProducer<Answers>,
}

/// Tells whoever waits.
struct Answers;

/// A waiting request. In a lock only because it is handed over by reference.
type Waiting = Mutex<Option<Done>>;

impl ClientContext for Answers {}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Waiting>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Box<Waiting>) {
        let result = match result {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(NotAccepted(format!("the brokers did not take it: {error}"))),
        };
        answer(*waiting, result);
    }
}

fn answer(waiting: Waiting, result: Result<(), NotAccepted>) {
    if let Some(done) = waiting.into_inner().unwrap_or_else(PoisonError::into_inner) {
        done(result);
    }
}

impl KafkaInbox {
    /// Connects, without waiting for a broker.
    ///
    /// # Errors
    /// Settings that make no client.
    pub fn new(settings: &KafkaSettings) -> Result<Self, PublishError> {
        let mut config = settings.client(Role::Publisher, 0);
        config.set("linger.ms", LINGER_MS).set("message.timeout.ms", DELIVERY_MS);
        let producer = ThreadedProducer::from_config_and_context(&config, Answers)
            .map_err(|source| PublishError::Client { topic: settings.brokers.clone(), source })?;
        Ok(KafkaInbox { settings: settings.clone(), producer })
    }
}

impl Inbox for KafkaInbox {
    fn put(&self, message: Message, done: Done) {
        let topic = self.settings.topic(message.input.name());
        let waiting = Box::new(Mutex::new(Some(done)));
        let mut record = BaseRecord::<str, [u8], _>::with_opaque_to(&topic, waiting).payload(&message.value);
        if let Some(org) = &message.org {
            record = record.key(org);
        }
        let attributes = Attributes { source: message.source.as_deref(), ..Attributes::default() };
        if let Some(headers) = headers(&attributes, None) {
            record = record.headers(headers);
        }
        if let Err((error, record)) = self.producer.send(record) {
            let detail = match error {
                KafkaError::MessageProduction(code) => code.to_string(),
                other => other.to_string(),
            };
            answer(*record.delivery_opaque, Err(NotAccepted(detail)));
        }
    }
}
