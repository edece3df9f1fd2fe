//! Whoever lost a partition cannot commit any more.

use std::time::{Duration, Instant};

use drawdown_engine::log::{Change, Log, LogError, Output};
use drawdown_stream::kafka::ffi::{GroupMetadata, Producer, Severity};
use drawdown_stream::kafka::{KafkaLog, KafkaSettings};
use rdkafka::producer::{DefaultProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::desk::{self, Fed, append_debits, feed, open, pass_on, poll};

fn short_lived(test: &str) -> Option<KafkaSettings> {
    let mut settings = desk::with_topics(test, 2)?;
    settings.session_timeout = Duration::from_secs(2);
    settings.turn_interval_max = Duration::from_secs(2);
    feed(&settings, (0..10).map(|n| Fed::new("cdrs", n % 2, format!("record {n}"))));
    Some(settings)
}

/// Takes no turn while another joins, so that the group gives up on it, and then wants to commit.
#[test]
fn a_paused_worker_loses_its_partitions_and_its_transaction() {
    let Some(settings) = short_lived("zombie") else { return };
    let (mut zombie, _) = open(&settings, 0);
    let batch = poll(&mut zombie, 10);
    zombie.begin().expect("a transaction");
    append_debits(&mut zombie, &batch).expect("appended");

    let (mut heir, _) = open(&settings, 1);
    let inherited = poll(&mut heir, 10);
    pass_on(&mut heir, &inherited).expect("committed");

    let refusal = zombie.commit(batch.positions()).and_then(|()| zombie.settle()).expect_err("refused");
    assert!(matches!(refusal, LogError::Abort(_)), "{refusal:?}");
    zombie.abort().expect("aborted");
    assert_eq!(change_of(&mut zombie, &mut heir), Change::Lost(vec![0, 1]));
    let debits = desk::await_committed(&settings, "debits", 10);
    assert_eq!(debits.values().map(Vec::len).sum::<usize>(), 10);
}

/// What it wrote of the state must be known to be void before the heir can rely on what it restores.
#[test]
fn the_heir_waits_until_the_transaction_of_a_paused_worker_is_over() {
    let Some(mut settings) = short_lived("heir") else { return };
    settings.transaction_timeout = Duration::from_secs(4);
    let (mut zombie, _) = open(&settings, 0);
    let batch = poll(&mut zombie, 10);
    zombie.begin().expect("a transaction");
    zombie.append(Output::Accounts, 0, b"org", b"of the zombie").expect("appended");

    let (mut heir, saved) = open(&settings, 1);
    assert!(saved.is_empty());
    let inherited = poll(&mut heir, 10);
    pass_on(&mut heir, &inherited).expect("committed");

    let refusal = zombie.commit(batch.positions()).and_then(|()| zombie.settle()).expect_err("refused");
    assert!(matches!(refusal, LogError::Abort(_)), "{refusal:?}");
    let end = zombie.abort().expect_err("the broker aborted it before");
    assert!(matches!(end, LogError::Fatal(_)), "{end:?}");
    assert!(desk::committed(&settings, "accounts").is_empty());
}

/// The next change of `log`, while `other` goes on taking turns.
fn change_of(log: &mut KafkaLog, other: &mut KafkaLog) -> Change {
    let deadline = Instant::now() + desk::PATIENCE;
    let mut changes = Vec::new();
    while changes.is_empty() {
        assert!(Instant::now() < deadline, "nothing changed");
        log.turn(&mut changes).expect("a turn");
        other.turn(&mut Vec::new()).expect("a turn");
    }
    changes.remove(0)
}

#[test]
fn a_broker_refuses_a_generation_that_is_over_and_a_member_that_is_not() {
    let Some(settings) = desk::with_topics("generation", 1) else { return };
    let (_log, _) = open(&settings, 0);
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers).set("transactional.id", format!("{}forger", settings.prefix));
    let client: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
    let producer = Producer::new(client, &[]).expect("a producer");
    producer.init(desk::PATIENCE).expect("it is alone");
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&settings.topic("cdrs"), 0, Offset::Offset(7)).expect("an offset");
    for generation in [0, 1, 1_000] {
        producer.begin().expect("a transaction");
        let forged = GroupMetadata::forged(&settings.group, generation, "nobody").expect("a membership");
        assert!(forged.is_fencing());
        let refusal = producer.send_offsets(&offsets, &forged).expect_err("refused");
        assert_eq!(refusal.severity, Severity::Abortable, "{refusal}");
        producer.abort(None).expect("aborted");
    }
    // What the log never sends: nobody would check it.
    assert!(!GroupMetadata::forged(&settings.group, -1, "").expect("a membership").is_fencing());
    assert!(!GroupMetadata::forged(&settings.group, 1, "").expect("a membership").is_fencing());
    assert!(!GroupMetadata::forged(&settings.group, -1, "nobody").expect("a membership").is_fencing());
}

#[test]
fn a_new_log_of_the_same_name_fences_the_old_one() {
    let Some(settings) = desk::with_topics("twin", 1) else { return };
    feed(&settings, [Fed::new("cdrs", 0, "record")]);
    let (mut old, _) = open(&settings, 0);
    let batch = poll(&mut old, 1);
    old.begin().expect("a transaction");
    append_debits(&mut old, &batch).expect("appended");
    let _new = desk::connect(&settings, 0);
    let refusal = old.commit(batch.positions()).and_then(|()| old.settle()).expect_err("refused");
    assert!(matches!(refusal, LogError::Fatal(_)), "{refusal:?}");
    assert!(matches!(old.begin(), Err(LogError::Fatal(_))), "it is of no use any more");
    assert!(desk::committed(&settings, "debits").is_empty());
}
