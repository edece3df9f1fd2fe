//! What the clients of one log say of their own accord: changes of ownership, failures, and words for the operator.
//!
//! Words go to tracing as they come; those that explain why nothing goes on are kept, a few of them, so that an error can
//! give its reason.

use std::collections::VecDeque;
use std::ffi::CString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{DeliveryResult, NoCustomPartitioner, ProducerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode;

use super::ffi::{self, GroupMetadata};

/// Words are kept up to this count.
const WORDS_MAX: usize = 4;

/// One change of what a member owns, topic by topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turnover {
    /// To be owned in this generation.
    Assigned { partitions: Vec<(String, i32)>, generation: i32 },
    /// To be given up; the member is in this generation still, or in none.
    Revoked { is_lost: bool, generation: i32 },
    /// The group says no.
    Refused(String),
}

/// A message that will never be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undelivered {
    pub topic: String,
    pub size_bytes: usize,
    pub code: RDKafkaErrorCode,
}

#[derive(Debug, Default)]
struct Inner {
    turnovers: Vec<Turnover>,
    words: VecDeque<String>,
    /// Why no connection will ever come about.
    refusal: Option<String>,
    fatal: Option<String>,
    undelivered: Option<Undelivered>,
    /// How much was heard in all.
    count: u64,
}

/// What was heard, shared by the clients of one log.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Inner>);

impl Heard {
    /// A panic elsewhere leaves nothing half done here.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn count(&self) -> u64 {
        self.inner().count
    }

    pub fn take_turnovers(&self) -> Vec<Turnover> {
        std::mem::take(&mut self.inner().turnovers)
    }

    pub fn take_undelivered(&self) -> Option<Undelivered> {
        self.inner().undelivered.take()
    }

    pub fn fatal(&self) -> Option<String> {
        self.inner().fatal.clone()
    }

    /// The broker's refusal of who we are, in words.
    pub fn refusal(&self) -> Option<String> {
        self.inner().refusal.clone()
    }

    /// The last words, for the end of an error.
    pub fn words(&self) -> String {
        self.inner().words.iter().map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    fn note(&self, turnover: Turnover) {
        let mut inner = self.inner();
        inner.count += 1;
        inner.turnovers.push(turnover);
    }

    fn error(&self, code: Option<RDKafkaErrorCode>, text: String) {
        let mut inner = self.inner();
        inner.count += 1;
        match code {
            Some(RDKafkaErrorCode::Fatal) => drop(inner.fatal.get_or_insert_with(|| text.clone())),
            Some(
                RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::SSL
                | RDKafkaErrorCode::UnsupportedSASLMechanism,
            ) => drop(inner.refusal.get_or_insert_with(|| text.clone())),
            _ => {}
        }
        // That all brokers are down follows from what is said of each.
        if code != Some(RDKafkaErrorCode::AllBrokersDown) {
            inner.keep(text);
        }
    }
}

impl Inner {
    fn keep(&mut self, text: String) {
        if self.words.contains(&text) {
            return;
        }
        self.words.push_back(text);
        if self.words.len() > WORDS_MAX {
            self.words.pop_front();
        }
    }
}

/// The ears of one client.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub heard: Arc<Heard>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let mut inner = self.heard.inner();
        inner.count += 1;
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                inner.keep(message.to_owned());
                tracing::warn!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        // Told as an event to whoever reads, too.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        tracing::warn!(target: "librdkafka", %error, "{reason}");
        self.heard.error(error.rdkafka_error_code(), reason.to_owned());
    }
}

impl ConsumerContext for Context {
    /// Runs inside the member's poll, before the assignment takes effect: nothing of it may be fetched to a place where
    /// it would be read before the partition is restored.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let turnover = match rebalance {
            Rebalance::Assign(list) => assigned(consumer, list),
            Rebalance::Revoke(_) => {
                Turnover::Revoked { is_lost: consumer.assignment_lost(), generation: generation(consumer) }
            }
            Rebalance::Error(error) => Turnover::Refused(error.to_string()),
        };
        self.heard.note(turnover);
    }
}

fn assigned(consumer: &BaseConsumer<Context>, list: &TopicPartitionList) -> Turnover {
    let partitions: Vec<_> =
        list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect();
    for (topic, partition) in &partitions {
        let is_held = CString::new(topic.as_str()).is_ok_and(|topic| ffi::hold(consumer, &topic, *partition));
        if !is_held {
            return Turnover::Refused(format!("{topic}/{partition} was assigned but is not known"));
        }
    }
    Turnover::Assigned { partitions, generation: generation(consumer) }
}

/// −1 outside the group: librdkafka may go on showing the generation of a member that is none any more.
fn generation(consumer: &BaseConsumer<Context>) -> i32 {
    GroupMetadata::now(consumer).filter(GroupMetadata::is_fencing).map_or(-1, |group| group.generation())
}

impl ProducerContext<NoCustomPartitioner> for Context {
    type DeliveryOpaque = ();

    /// Only failures are reported. The transaction cannot be committed any more; what is kept is the reason.
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        let Some(code) = error.rdkafka_error_code() else { return };
        if matches!(code, RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight) {
            return;
        }
        let size_bytes = message.payload_len() + message.key_len();
        let mut inner = self.heard.inner();
        inner.undelivered.get_or_insert_with(|| Undelivered { topic: message.topic().to_owned(), size_bytes, code });
    }
}
