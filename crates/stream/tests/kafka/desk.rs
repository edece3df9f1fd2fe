//! What the tests share: the broker, topics of their own, and plain clients to look from outside.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use drawdown_engine::log::{Batch, Change, Log, LogError, Output, Progress, Room};
use drawdown_stream::kafka::topics::{self, TopicPlan};
use drawdown_stream::kafka::{KafkaLog, KafkaSettings};
use drawdown_testkit::kafka::{self, Broker};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// The broker of all tests; `None` where there is none.
pub static BROKER: LazyLock<Option<Broker>> = LazyLock::new(|| {
    let start = if std::env::var_os("DRAWDOWN_TEST_BROKERS").is_some() { Broker::single } else { Broker::secure };
    kafka::runs_here().then(|| start().expect("a broker"))
});

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Settings for a test, with names unlike those of any other.
pub fn settings(test: &str) -> Option<KafkaSettings> {
    Some(settings_on(BROKER.as_ref()?.brokers(), test))
}

/// The same on other brokers.
pub fn settings_on(brokers: &str, test: &str) -> KafkaSettings {
    let prefix = kafka::topic_prefix(test);
    KafkaSettings {
        brokers: brokers.to_owned(),
        group: format!("{prefix}group"),
        transactional_prefix: format!("{prefix}tx"),
        prefix,
        session_timeout: Duration::from_secs(6),
        turn_interval_max: Duration::from_secs(30),
        ..KafkaSettings::default()
    }
}

/// The same, and topics with so many partitions.
pub fn with_topics(test: &str, partitions: u32) -> Option<KafkaSettings> {
    let settings = settings(test)?;
    topics::create(&settings, &plan(partitions)).expect("topics are created");
    Some(settings)
}

pub fn plan(partitions: u32) -> TopicPlan {
    TopicPlan { partitions, replication: 1, ..TopicPlan::default() }
}

pub fn connect(settings: &KafkaSettings, thread: u32) -> KafkaLog {
    KafkaLog::connect(settings, thread).expect("a log")
}

/// Takes turns until partitions are assigned.
pub fn await_assignment(log: &mut KafkaLog) -> Vec<u32> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "nothing was assigned");
        let mut changes = Vec::new();
        log.turn(&mut changes).expect("a turn");
        if let Some(Change::Assigned(partitions)) = changes.pop() {
            return partitions;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A message of a state topic: which, of which partition, its bytes.
pub type SavedMessage = (Output, u32, Vec<u8>);

/// Restores partitions; what came back, in order.
pub fn restore(log: &mut KafkaLog, partitions: &[u32]) -> (Vec<SavedMessage>, Progress) {
    let deadline = Instant::now() + PATIENCE;
    let mut saved = Vec::new();
    log.begin_restore(partitions).expect("a restore");
    loop {
        let step = log.restore(&mut |message| saved.push((message.output, message.partition, message.value.to_vec())));
        let progress = step.expect("it goes on");
        if progress.is_done {
            return (saved, progress);
        }
        assert!(Instant::now() < deadline, "it is not restored: {progress:?}");
        log.turn(&mut Vec::new()).expect("a turn");
    }
}

/// A log that owns and restored all partitions.
pub fn open(settings: &KafkaSettings, thread: u32) -> (KafkaLog, Vec<SavedMessage>) {
    let mut log = connect(settings, thread);
    let partitions = await_assignment(&mut log);
    let (saved, _) = restore(&mut log, &partitions);
    (log, saved)
}

pub const ROOM: Room = Room { records_max: 10_000, bytes_max: 1 << 24, wait: Duration::from_millis(20) };

/// Polls until there are so many records.
pub fn poll(log: &mut KafkaLog, count: usize) -> Batch {
    let deadline = Instant::now() + PATIENCE;
    let mut batch = Batch::default();
    while batch.count() < count {
        assert!(Instant::now() < deadline, "{} records of {count} came", batch.count());
        log.poll(&mut batch, ROOM).expect("a poll");
    }
    assert_eq!(batch.count(), count);
    batch
}

/// Appends a debit for each record, its value the record's, and commits.
pub fn pass_on(log: &mut KafkaLog, batch: &Batch) -> Result<(), LogError> {
    log.begin()?;
    append_debits(log, batch)?;
    log.commit(batch.positions())?;
    log.settle()
}

pub fn append_debits(log: &mut KafkaLog, batch: &Batch) -> Result<(), LogError> {
    (0..batch.count()).try_for_each(|index| {
        let record = batch.record(index);
        log.append(Output::Debits, record.partition, record.key.unwrap_or_default(), record.value)
    })
}

fn client(settings: &KafkaSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers);
    config
}

/// One record for an input.
#[derive(Debug, Clone)]
pub struct Fed {
    pub topic: &'static str,
    pub partition: i32,
    pub value: String,
    pub headers: Option<OwnedHeaders>,
    pub timestamp_ms: Option<i64>,
}

impl Fed {
    pub fn new(topic: &'static str, partition: i32, value: impl Into<String>) -> Self {
        Fed { topic, partition, value: value.into(), headers: None, timestamp_ms: None }
    }
}

/// Appends records, each with key `org`, outside any transaction.
pub fn feed(settings: &KafkaSettings, records: impl IntoIterator<Item = Fed>) {
    // Without idempotence what is sent again may overtake what is not.
    let mut config = client(settings);
    config.set("linger.ms", "5").set("enable.idempotence", "true");
    let producer: BaseProducer = config.create().expect("a producer");
    send(&producer, settings, records);
    producer.flush(PATIENCE).expect("everything is delivered");
}

pub fn send(producer: &BaseProducer, settings: &KafkaSettings, records: impl IntoIterator<Item = Fed>) {
    for record in records {
        let topic = settings.topic(record.topic);
        let mut message = BaseRecord::to(&topic).partition(record.partition).key("org").payload(&record.value);
        message.headers = record.headers;
        message.timestamp = record.timestamp_ms;
        while let Err((error, again)) = producer.send(message) {
            assert!(
                matches!(error, KafkaError::MessageProduction(code) if code.to_string().contains("full")),
                "{error}"
            );
            producer.poll(Duration::from_millis(10));
            message = again;
        }
    }
}

/// A producer with a transactional id of its own and an open transaction.
pub fn open_transaction(settings: &KafkaSettings, name: &str) -> BaseProducer {
    let id = format!("{}{name}", settings.prefix);
    let producer: BaseProducer = client(settings).set("transactional.id", id).create().expect("a producer");
    producer.init_transactions(PATIENCE).expect("it is alone");
    producer.begin_transaction().expect("a transaction");
    producer
}

/// What a reader of committed messages finds in a topic, by partition, each in order.
pub fn committed(settings: &KafkaSettings, name: &str) -> BTreeMap<i32, Vec<String>> {
    let mut config = client(settings);
    config.set("group.id", "outside").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.set("isolation.level", "read_committed").create().expect("a consumer");
    let topic = settings.topic(name);
    let metadata = consumer.fetch_metadata(Some(&topic), PATIENCE).expect("metadata");
    let count = metadata.topics()[0].partitions().len();
    let mut list = TopicPartitionList::new();
    for partition in 0..count {
        list.add_partition_offset(&topic, partition as i32, Offset::Beginning).expect("a partition");
    }
    consumer.assign(&list).expect("an assignment");
    let (mut found, mut ends) = (BTreeMap::new(), 0);
    while ends < count {
        match consumer.poll(PATIENCE).expect("something comes") {
            Ok(message) => {
                let value = String::from_utf8(message.payload().unwrap_or_default().to_vec()).expect("text");
                found.entry(message.partition()).or_insert_with(Vec::new).push(value);
            }
            Err(KafkaError::PartitionEOF(_)) => ends += 1,
            Err(error) => panic!("{error}"),
        }
    }
    found
}

/// Waits until a reader of committed messages finds so many.
pub fn await_committed(settings: &KafkaSettings, name: &str, count: usize) -> BTreeMap<i32, Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = committed(settings, name);
        if found.values().map(Vec::len).sum::<usize>() >= count {
            return found;
        }
        assert!(Instant::now() < deadline, "only {found:?} in {name}");
    }
}
