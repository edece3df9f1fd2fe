//! Looks at brokers and topics from outside: whether they answer, how many partitions there are, and where those end,
//! committed or not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use drawdown_engine::log::LogError;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::topic_partition_list::Offset;

use super::ConnectError;
use super::heard::{Context, Heard};
use super::settings::{KafkaSettings, Role};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(1);

/// A client without a group. Reads uncommitted, so that an end is the true end.
pub(super) struct Probe {
    client: BaseConsumer<Context>,
    heard: Arc<Heard>,
}

impl Probe {
    /// Does not connect yet.
    pub fn new(settings: &KafkaSettings, thread: u32, heard: &Arc<Heard>) -> Result<Self, ConnectError> {
        let context = Context { heard: Arc::clone(heard) };
        let client = BaseConsumer::from_config_and_context(&settings.client(Role::Probe, thread), context)
            .map_err(|error| ConnectError::Client(error.to_string()))?;
        Ok(Probe { client, heard: Arc::clone(heard) })
    }

    /// Waits until a broker answers, and says what topics there are.
    pub fn metadata(&self, settings: &KafkaSettings) -> Result<Metadata, ConnectError> {
        let deadline = Instant::now() + settings.connect_timeout;
        loop {
            let answer = self.client.fetch_metadata(None, REQUEST);
            self.serve();
            if let Some(reason) = self.heard.refusal() {
                return Err(ConnectError::Refused { brokers: settings.brokers.clone(), reason });
            }
            match answer {
                Ok(metadata) => return Ok(metadata),
                Err(error) if Instant::now() > deadline => {
                    let words = self.heard.words();
                    let reason = if words.is_empty() { error.to_string() } else { words };
                    let waited_s = settings.connect_timeout.as_secs();
                    return Err(ConnectError::Unreachable { brokers: settings.brokers.clone(), waited_s, reason });
                }
                Err(_) => {}
            }
        }
    }

    /// Where a partition begins and ends. `None` if no answer came this time.
    pub fn watermarks(&self, topic: &str, partition: u32) -> Result<Option<(i64, i64)>, LogError> {
        let answer = self.client.fetch_watermarks(topic, partition as i32, REQUEST);
        let answer = tolerate(answer, &format!("cannot look at {topic}/{partition}"))?;
        if answer.is_none() {
            self.ask_for_leaders(topic);
        }
        Ok(answer)
    }

    /// A client that subscribes to nothing goes on asking the leader that it once heard of, be it long gone: librdkafka
    /// looks for another one when a broker says that it leads no more, and a dead broker says nothing.
    fn ask_for_leaders(&self, topic: &str) {
        if let Err(error) = self.client.fetch_metadata(Some(topic), REQUEST) {
            tracing::debug!(%error, "cannot ask who leads the partitions of {topic}");
        }
    }

    /// The offset of the first message at or after `timestamp_ms`. `None` if there is none such.
    pub fn offset_at(&self, topic: &str, partition: u32, timestamp_ms: i64) -> Result<Option<i64>, LogError> {
        let what = format!("cannot look for a time in {topic}/{partition}");
        let fatal = |error: KafkaError| LogError::Fatal(format!("{what}: {error}"));
        let deadline = Instant::now() + REQUEST * 30;
        loop {
            let mut list = TopicPartitionList::new();
            let at = Offset::Offset(timestamp_ms);
            list.add_partition_offset(topic, partition as i32, at).map_err(fatal)?;
            match tolerate(self.client.offsets_for_times(list, REQUEST), &what)? {
                Some(list) => {
                    let found = list.elements().first().map(|element| element.offset());
                    return Ok(
                        found.and_then(|offset| if let Offset::Offset(offset) = offset { Some(offset) } else { None })
                    );
                }
                None if Instant::now() > deadline => return Err(LogError::Fatal(format!("{what}: no answer"))),
                None => self.ask_for_leaders(topic),
            }
        }
    }

    /// What the client has to say goes to tracing.
    pub fn serve(&self) {
        for _ in 0..16 {
            let before = self.heard.count();
            drop(self.client.poll(Duration::ZERO));
            if self.heard.count() == before {
                return;
            }
        }
    }
}

/// A broker that does not answer may answer the next time. A partition that is being given another leader is "unknown" to
/// librdkafka meanwhile; one that is not there at all was found out when the topics were compared.
fn tolerate<T>(answer: Result<T, KafkaError>, what: &str) -> Result<Option<T>, LogError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::TopicAuthorizationFailed,
            ) => Err(LogError::Fatal(format!("{what}: {error}"))),
            _ => {
                tracing::debug!(%error, "{what}");
                Ok(None)
            }
        },
    }
}
