//! The pipeline as the configuration describes it: what commands that run or reach it have in common.

use std::net::SocketAddr;
use std::sync::Arc;

use drawdown_engine::log::{Input, Output};
use drawdown_engine::worker::{AHEAD_MAX_S, Profiles, Settings, Sources, TimeSource};
use drawdown_stream::embedded::{EmbeddedSettings, Retention};
use drawdown_stream::kafka::KafkaSettings;

use crate::config::{Config, Embedded, Kafka, TimeSource as Source};
use crate::exit::Failure;
use crate::files::read_profile;

/// Days beyond the de-duplication window for which identities are kept: a backlog is handled by its own time.
const SEEN_GRACE_DAYS: u32 = 2;

/// How to reach Kafka.
pub fn kafka_settings(kafka: &Kafka) -> KafkaSettings {
    let mut settings = KafkaSettings {
        group: kafka.group.clone(),
        // With the group, so that one prefix of an ACL covers all processes.
        transactional_prefix: format!("{}-{}", kafka.group, kafka.instance),
        transaction_timeout: kafka.transaction_timeout,
        is_member_static: true,
        ..KafkaSettings::default()
    };
    for (name, value) in &kafka.client {
        match name.as_str() {
            "bootstrap.servers" => value.expose().clone_into(&mut settings.brokers),
            _ => {
                settings.properties.insert(name.clone(), value.expose().to_owned());
            }
        }
    }
    let topics = &kafka.topics;
    let inputs = Input::ALL.map(|input| (input.name(), topics.input(input)));
    let outputs = Output::ALL.map(|output| (output.name(), topics.output(output)));
    let decks = (drawdown_stream::kafka::decks::TOPIC, topics.decks.as_str());
    let names = inputs.into_iter().chain(outputs).chain([decks]);
    settings.names = names.map(|(name, topic)| (name.to_owned(), topic.to_owned())).collect();
    settings
}

/// The same for a member of the group that listens at `address`, and says so to the others.
pub fn member_settings(config: &Config, kafka: &Kafka, address: SocketAddr) -> KafkaSettings {
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    let advertised = config.http.advertise.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    KafkaSettings { advertised: Some(advertised), ..kafka_settings(kafka) }
}

/// Where the embedded log is, and how its files are read.
pub fn embedded_settings(config: &Config, embedded: &Embedded) -> EmbeddedSettings {
    let window_days = u32::from(config.rating.limits.window_days);
    EmbeddedSettings {
        retention: Retention { seen_days: window_days + SEEN_GRACE_DAYS, messages_days: None },
        source: embedded.spool.source.clone(),
        org: embedded.spool.org.clone(),
        ..EmbeddedSettings::new(&embedded.directory)
    }
}

/// The figures of the worker's loop.
pub fn worker_settings(config: &Config) -> Settings {
    let is_history = config.time.source == Source::Records;
    Settings {
        ahead_max_s: (!is_history).then_some(AHEAD_MAX_S),
        records_max: config.commit.records_max,
        bytes_max: config.commit.bytes_max,
        interval: config.commit.interval,
        time: match config.time.source {
            Source::Clock => TimeSource::Clock {
                delay_s: i64::try_from(config.time.tick_delay.as_secs()).unwrap_or(i64::MAX),
                interval: config.time.tick_interval,
            },
            Source::Records => TimeSource::Records,
        },
    }
}

/// What reads records.
///
/// # Errors
/// Faults of the default source profile.
pub fn sources(config: &Config) -> Result<Sources, Failure> {
    Ok(Sources::new(Arc::new(read_profile(&config.rating.source)?), Profiles::default()))
}
