//! How to reach Kafka and under which names, and what the clients made of it are set to.
//!
//! Invariant: what exactly-once rests on cannot be set by hand; a property that would is refused by name. Secrets are
//! never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::owners::MARK;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// Kafka, as the operator describes it.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `bootstrap.servers`.
    pub brokers: String,
    /// Before the name of every topic.
    pub prefix: String,
    /// Topics that have a whole name of their own, by the name they would have without a prefix.
    pub names: BTreeMap<String, String>,
    /// The consumer group of all workers.
    pub group: String,
    /// The transactional id of a worker is `<transactional_prefix>-<ordinal>-<thread>`.
    pub transactional_prefix: String,
    /// Tells processes of one group apart; the same after a restart, so that the restarted one fences what it left.
    pub ordinal: u32,
    /// A worker keeps its partitions over a restart quicker than [`KafkaSettings::session_timeout`].
    pub is_member_static: bool,
    /// A member that is not heard of for so long loses its partitions.
    pub session_timeout: Duration,
    /// A worker that takes no turn for so long loses its partitions.
    pub turn_interval_max: Duration,
    /// How long a transaction may last, and so how long a broker may be gone before one is aborted.
    pub transaction_timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How much is read ahead, in KiB.
    pub read_ahead_kib: u32,
    /// Where this process is reached over HTTP, for the others to know.
    pub advertised: Option<String>,
    /// Any property of librdkafka, for all clients, or with `consumer.` or `producer.` before its name for one kind.
    pub properties: BTreeMap<String, String>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        KafkaSettings {
            brokers: "127.0.0.1:9092".to_owned(),
            prefix: String::new(),
            names: BTreeMap::new(),
            group: "drawdown".to_owned(),
            transactional_prefix: "drawdown".to_owned(),
            ordinal: 0,
            is_member_static: false,
            session_timeout: Duration::from_secs(10),
            turn_interval_max: Duration::from_secs(60),
            transaction_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(30),
            read_ahead_kib: 32 * 1024,
            advertised: None,
            properties: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.properties.iter().map(|(name, value)| (name, if is_secret(name) { "…" } else { value }));
        out.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("prefix", &self.prefix)
            .field("group", &self.group)
            .field("transactional_prefix", &self.transactional_prefix)
            .field("ordinal", &self.ordinal)
            .field("properties", &shown.collect::<BTreeMap<_, _>>())
            .finish_non_exhaustive()
    }
}

fn is_secret(property: &str) -> bool {
    ["password", "secret", "token", "key.pem", "jaas", "oauthbearer.config", "ssl.key"]
        .iter()
        .any(|word| property.contains(word))
}

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Reads the inputs as a member of the group.
    Member,
    /// Reads back committed state.
    Reader,
    /// Looks at topics and at where they end, committed or not.
    Probe,
    /// Writes transactions.
    Producer,
    /// Sends records from outside the pipeline.
    Publisher,
    /// Sends decks, in transactions of its own.
    DeckPublisher,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Reader => "reader",
            Role::Probe => "probe",
            Role::Producer => "producer",
            Role::Publisher => "publisher",
            Role::DeckPublisher => "deck-publisher",
        }
    }

    fn is_consumer(self) -> bool {
        matches!(self, Role::Member | Role::Reader | Role::Probe)
    }
}

/// Messages of this size pass, in bytes: a reject may hold its record escaped, at six times its size.
pub(super) const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What correctness rests on, and which field says it instead, if there is one.
const RESERVED: [(&str, &str); 21] = [
    ("bootstrap.servers", "`brokers`"),
    ("metadata.broker.list", "`brokers`"),
    ("group.id", "`group`"),
    ("group.instance.id", "`is_member_static`"),
    ("group.protocol", ""),
    ("transactional.id", "`transactional_prefix`"),
    ("transaction.timeout.ms", "`transaction_timeout`"),
    ("session.timeout.ms", "`session_timeout`"),
    ("max.poll.interval.ms", "`turn_interval_max`"),
    ("isolation.level", ""),
    ("enable.auto.commit", ""),
    ("enable.auto.offset.store", ""),
    ("enable.idempotence", ""),
    ("enable.gapless.guarantee", ""),
    ("enable.partition.eof", ""),
    ("auto.offset.reset", ""),
    ("partition.assignment.strategy", ""),
    ("delivery.report.only.error", ""),
    ("acks", ""),
    ("request.required.acks", ""),
    // Commands of an organisation must reach the partition that its calls are in.
    ("partitioner", ""),
];

impl KafkaSettings {
    /// What is wrong with the properties, each by name.
    pub fn faults(&self) -> Vec<String> {
        let reserved = self.properties.keys().filter_map(|name| {
            let (_, instead) = RESERVED.iter().find(|(reserved, _)| *reserved == bare(name))?;
            Some(match *instead {
                "" => format!("property {name}: exactly-once rests on it, so it cannot be set"),
                instead => format!("property {name}: set {instead} instead"),
            })
        });
        let mut faults: Vec<_> = reserved.collect();
        for role in [Role::Member, Role::Producer] {
            if let Err(error) = self.client(role, 0).create_native_config() {
                faults.push(error.to_string());
            }
        }
        faults
    }

    /// The configuration of a client of worker `thread`.
    pub(super) fn client(&self, role: Role, thread: u32) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        config.set("bootstrap.servers", &self.brokers);
        let address = self.advertised.iter().filter(|_| role == Role::Member);
        let address: String = address.map(|address| format!("{MARK}{address}")).collect();
        config.set("client.id", format!("drawdown-{}-{thread}-{}{address}", self.ordinal, role.name()));
        // librdkafka counts a little more than key and value.
        config.set("message.max.bytes", (MESSAGE_BYTES_MAX + 32 * 1024).to_string());
        config.set("receive.message.max.bytes", (64 * 1024 * 1024).to_string());
        match role {
            Role::Member => self.member(&mut config, thread),
            Role::Reader => {
                self.reader(&mut config);
                // How long a broker holds back that there is no more: the last thing that a reader waits for.
                config.set("fetch.wait.max.ms", "10");
            }
            Role::Probe => drop(config.set("isolation.level", "read_uncommitted")),
            Role::Producer => self.producer(&mut config, thread),
            Role::Publisher => publisher(&mut config),
            Role::DeckPublisher => {
                publisher(&mut config);
                // The same for all, so that whoever begins fences the one before.
                config.set("transactional.id", format!("{}-decks", self.group));
            }
        }
        let own = if role.is_consumer() { "consumer." } else { "producer." };
        for (name, value) in &self.properties {
            if name.starts_with(own) || bare(name) == name {
                config.set(bare(name), value);
            }
        }
        config
    }

    fn member(&self, config: &mut ClientConfig, thread: u32) {
        self.reader(config);
        self.membership(config, thread);
        config
            .set("max.poll.interval.ms", self.turn_interval_max.max(self.session_timeout).as_millis().to_string())
            // Keeps the partitions of the two inputs together; sticky strategies do not.
            .set("partition.assignment.strategy", "range");
    }

    /// How soon a group notes that a member died, and whether the member gets back what it had if it is there before.
    pub(super) fn membership(&self, config: &mut ClientConfig, thread: u32) {
        config
            .set("session.timeout.ms", self.session_timeout.as_millis().to_string())
            .set("heartbeat.interval.ms", (self.session_timeout.as_millis() / 10).clamp(100, 3000).to_string());
        if self.is_member_static {
            config.set("group.instance.id", format!("{}-{}-{thread}", self.transactional_prefix, self.ordinal));
        }
    }

    fn reader(&self, config: &mut ClientConfig) {
        config
            // A reader commits nothing, but librdkafka assigns nothing without a group.
            .set("group.id", &self.group)
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Tells when a partition was read to its end.
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "50")
            // How long fetching rests once enough is queued. At the default of 1000 ms a backlog is read at a third of the
            // speed: the queue is empty long before.
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.min.messages", "50000")
            .set("queued.max.messages.kbytes", self.read_ahead_kib.to_string());
    }

    fn producer(&self, config: &mut ClientConfig, thread: u32) {
        config
            .set("transactional.id", self.transactional_id(thread))
            .set("transaction.timeout.ms", self.transaction_timeout.as_millis().to_string())
            .set("enable.idempotence", "true")
            .set("delivery.report.only.error", "true")
            // At the default of 100 ms the transaction after a short one waits that long.
            .set("retry.backoff.ms", "5")
            .set("retry.backoff.max.ms", "250")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("batch.num.messages", "100000")
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", (64 * 1024).to_string());
    }

    pub(super) fn transactional_id(&self, thread: u32) -> String {
        format!("{}-{}-{thread}", self.transactional_prefix, self.ordinal)
    }

    /// The configurations of a worker's member and producer, for benchmarks that do without the rest.
    #[doc(hidden)]
    pub fn clients(&self, thread: u32) -> (ClientConfig, ClientConfig) {
        (self.client(Role::Member, thread), self.client(Role::Producer, thread))
    }

    /// A topic's full name.
    pub fn topic(&self, name: &str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| format!("{}{name}", self.prefix))
    }
}

fn publisher(config: &mut ClientConfig) {
    config
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("batch.num.messages", "100000")
        .set("queue.buffering.max.messages", "200000")
        // As Java's clients choose the partition of a key.
        .set("partitioner", "murmur2_random");
}

/// Without the kind of client.
fn bare(property: &str) -> &str {
    property.strip_prefix("consumer.").or_else(|| property.strip_prefix("producer.")).unwrap_or(property)
}

#[cfg(test)]
mod tests;
