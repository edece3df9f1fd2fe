//! How to reach Kafka, and as whom.
//!
//! Invariant: what exactly-once rests on cannot be set by a property.

use std::collections::BTreeMap;
use std::time::Duration;

use drawdown_engine::log::{Input, Output};

use super::reader::Reader;
use super::{Commit, Secret, keys, secret};

/// The cluster and our place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// What every client is made with: the brokers, security, and the properties of the configuration, by librdkafka's
    /// names.
    pub client: Vec<(String, Secret)>,
    pub topics: Topics,
    /// The consumer group.
    pub group: String,
    /// This process among those of the group: stable, and its alone.
    pub instance: String,
    pub transaction_timeout: Duration,
}

/// The whole name of each topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    pub commands: String,
    pub cdrs: String,
    pub debits: String,
    pub events: String,
    pub rejects: String,
    pub accounts: String,
    pub seen: String,
    pub decks: String,
}

impl Topics {
    /// The topic of an input.
    pub fn input(&self, input: Input) -> &str {
        match input {
            Input::Commands => &self.commands,
            Input::Cdrs => &self.cdrs,
        }
    }

    /// The topic of an output.
    pub fn output(&self, output: Output) -> &str {
        match output {
            Output::Debits => &self.debits,
            Output::Events => &self.events,
            Output::Rejects => &self.rejects,
            Output::Accounts => &self.accounts,
            Output::Seen => &self.seen,
        }
    }
}

/// Properties that drawdown sets itself, and the key to use instead, if there is one.
const RESERVED: &[(&str, &str)] = &[
    ("bootstrap.servers", "kafka.brokers"),
    ("metadata.broker.list", "kafka.brokers"),
    ("group.id", "kafka.group"),
    ("group.instance.id", "kafka.instance"),
    ("transactional.id", "kafka.instance"),
    ("transaction.timeout.ms", "kafka.transaction_timeout_s"),
    ("security.protocol", "kafka.security_protocol"),
    ("sasl.mechanism", "kafka.sasl_mechanism"),
    ("sasl.mechanisms", "kafka.sasl_mechanism"),
    ("sasl.username", "kafka.username"),
    ("sasl.password", "kafka.password"),
    ("ssl.ca.location", "kafka.ca_file"),
    ("isolation.level", ""),
    ("enable.auto.commit", ""),
    ("enable.auto.offset.store", ""),
    ("enable.idempotence", ""),
    ("enable.partition.eof", ""),
    ("auto.offset.reset", ""),
    ("partition.assignment.strategy", ""),
    ("group.protocol", ""),
    ("delivery.report.only.error", ""),
    ("partitioner", ""),
];

/// Reads the section.
pub(super) fn read(reader: &mut Reader, commit: &Commit) -> Kafka {
    let transaction_timeout = Duration::from_secs(reader.whole("kafka.transaction_timeout_s"));
    if commit.interval * 2 > transaction_timeout {
        let what = "leaves a transaction less than half of kafka.transaction_timeout_s to end in";
        reader.fault("commit.interval_ms", what, "lower it, or raise that");
    }
    let mut client = vec![("bootstrap.servers".to_owned(), Secret::new(brokers(reader)))];
    security(reader, &mut client);
    client.extend(properties(reader));
    Kafka {
        client,
        topics: topics(reader),
        group: named(reader, "kafka.group"),
        instance: instance(reader),
        transaction_timeout,
    }
}

fn brokers(reader: &mut Reader) -> String {
    const PATH: &str = "kafka.brokers";
    let brokers = reader.texts(PATH);
    for broker in &brokers {
        let port = broker.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(1..))) {
            reader.fault(PATH, format!("{broker:?} is no broker"), "write host:port, such as broker-1:9092");
        }
    }
    if reader.has(PATH) && brokers.is_empty() {
        reader.fault(PATH, "is an empty list", "name a broker, or leave the key out");
    }
    brokers.join(",")
}

fn security(reader: &mut Reader, client: &mut Vec<(String, Secret)>) {
    let protocols = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"].map(|name| (name, name));
    let mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"].map(|name| (name, name));
    let protocol = reader.choice("kafka.security_protocol", &protocols).unwrap_or("plaintext");
    let mechanism = reader.choice("kafka.sasl_mechanism", &mechanisms);
    let username = reader.text_if_given("kafka.username");
    let password = secret::read(reader, "kafka.password", "kafka.password_file");
    let ca_file = reader.text_if_given("kafka.ca_file");
    let (is_sasl, is_ssl) = (protocol.starts_with("sasl"), protocol.ends_with("ssl"));

    if !is_sasl {
        for path in ["kafka.sasl_mechanism", "kafka.username", "kafka.password", "kafka.password_file"] {
            if reader.has(path) {
                let what = format!("is of no use with kafka.security_protocol {protocol}");
                reader.fault(path, what, "set kafka.security_protocol to sasl_ssl, or leave this out");
            }
        }
    } else if mechanism.is_none() {
        let what = format!("{protocol} needs kafka.sasl_mechanism");
        reader.fault("kafka.security_protocol", what, "name it, such as SCRAM-SHA-512");
    } else if mechanism != Some("OAUTHBEARER") {
        for (path, is_missing) in [("kafka.username", username.is_none()), ("kafka.password", password.is_none())] {
            let is_unread = path == "kafka.password" && reader.has("kafka.password_file");
            if is_missing && !is_unread {
                let what = "is missing: kafka.sasl_mechanism needs it".to_owned();
                reader.fault(path, what, format!("set it, in the file or as {}", keys::variable_of(path)));
            }
        }
    }
    if let Some(path) = &ca_file {
        if !is_ssl {
            let what = format!("is of no use with kafka.security_protocol {protocol}");
            reader.fault("kafka.ca_file", what, "set kafka.security_protocol to ssl or sasl_ssl, or leave this out");
        } else if let Err(error) = std::fs::File::open(path) {
            reader.fault(
                "kafka.ca_file",
                format!("{path} cannot be read: {error}"),
                "name a PEM file that drawdown may read",
            );
        }
    }
    let text = |text: &str| Some(Secret::new(text.to_owned()));
    let settings = [
        ("security.protocol", text(protocol)),
        ("sasl.mechanism", mechanism.and_then(text)),
        ("sasl.username", username.map(Secret::new)),
        ("sasl.password", password),
        ("ssl.ca.location", ca_file.map(Secret::new)),
    ];
    client.extend(settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
}

fn properties(reader: &mut Reader) -> Vec<(String, Secret)> {
    let properties = reader.properties();
    for (name, _) in &properties {
        let bare = name.strip_prefix("consumer.").or_else(|| name.strip_prefix("producer.")).unwrap_or(name);
        let Some((_, instead)) = RESERVED.iter().find(|(reserved, _)| *reserved == bare) else { continue };
        let mend = if instead.is_empty() {
            "leave it out: records would be lost or doubled".to_owned()
        } else {
            format!("use {instead}")
        };
        reader.fault(&format!("{}{name}", super::PROPERTIES), "is set by drawdown itself", mend);
    }
    properties
}

fn topics(reader: &mut Reader) -> Topics {
    let prefix = reader.text("kafka.prefix");
    let mut paths: BTreeMap<String, &str> = BTreeMap::new();
    let mut topic = |path: &'static str| {
        let given = reader.text_if_given(path);
        let usual = path.rsplit('.').next().unwrap_or(path);
        let at_fault = if given.is_some() { path } else { "kafka.prefix" };
        let name = given.unwrap_or_else(|| format!("{prefix}{usual}"));
        if !is_legal(&name) {
            reader.fault(at_fault, format!("{name:?} is no name of a topic"), NAME_MEND);
        }
        if let Some(other) = paths.insert(name.clone(), path) {
            let what = format!("{name:?} is the topic of {} too", other.rsplit('.').next().unwrap_or(other));
            reader.fault(at_fault, what, "give each its own");
        }
        name
    };
    Topics {
        commands: topic("kafka.topics.commands"),
        cdrs: topic("kafka.topics.cdrs"),
        debits: topic("kafka.topics.debits"),
        events: topic("kafka.topics.account-events"),
        rejects: topic("kafka.topics.rejects"),
        accounts: topic("kafka.topics.accounts"),
        seen: topic("kafka.topics.seen"),
        decks: topic("kafka.topics.decks"),
    }
}

const NAME_MEND: &str = "use 1 to 200 of the letters a–z, digits, '-', '_' and '.'";

/// What Kafka takes for a name, with room for what is put before and behind it.
fn is_legal(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=200).contains(&name.len()) && name.chars().all(is_plain) && name != "." && name != ".."
}

fn named(reader: &mut Reader, path: &'static str) -> String {
    let name = reader.text(path);
    if !is_legal(&name) {
        reader.fault(path, format!("{name:?} is no name"), NAME_MEND);
    }
    name
}

/// The instance that was named, or the host's name.
fn instance(reader: &mut Reader) -> String {
    const PATH: &str = "kafka.instance";
    let given = reader.text_if_given(PATH);
    let name = given.or_else(|| Some(std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned()));
    let name = name.unwrap_or_default();
    if !is_legal(&name) && (reader.has(PATH) || reader.has("kafka.brokers")) {
        let what = format!("{name:?} is no name of a process");
        reader.fault(PATH, what, format!("name this process among those of the group; {NAME_MEND}"));
    }
    name
}
