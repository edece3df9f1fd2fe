//! A broker of three is killed in the middle of the stream: transactions are aborted, nothing is lost or doubled.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use drawdown_engine::log::{Batch, Change, Log, LogError, Room};
use drawdown_stream::kafka::topics::{TopicPlan, create};
use drawdown_stream::kafka::{KafkaLog, KafkaSettings};
use drawdown_testkit::kafka::{Cluster, runs_here};

use crate::desk::{self, Fed, feed};

const COUNT: usize = 6_000;
const PARTITIONS: u32 = 4;

/// Takes a turn. `false` says that partitions changed, and were restored.
fn turn(log: &mut KafkaLog) -> Result<bool, LogError> {
    let mut changes = Vec::new();
    log.turn(&mut changes)?;
    if let Some(Change::Assigned(partitions)) = changes.last() {
        desk::restore(log, partitions);
    }
    Ok(changes.is_empty())
}

/// Commits a batch, whatever it takes. `false` says that it is to be read again.
fn pass_on(log: &mut KafkaLog, batch: &Batch) -> Result<bool, LogError> {
    loop {
        if !turn(log)? {
            return Ok(false);
        }
        match desk::pass_on(log, batch) {
            Ok(()) => return Ok(true),
            Err(LogError::Abort(_)) => log.abort()?,
            Err(fatal) => return Err(fatal),
        }
    }
}

#[test]
fn the_loss_of_a_broker_loses_and_doubles_nothing() {
    if !runs_here() {
        return;
    }
    let mut cluster = Cluster::three().expect("three brokers");
    let mut settings = desk::settings_on(&cluster.brokers(), "brokers");
    settings.transaction_timeout = Duration::from_secs(15);
    let plan = TopicPlan { partitions: PARTITIONS, replication: 3, ..TopicPlan::default() };
    // Three brokers that have just started, beside thirty other tests, may not know one another yet.
    let created = (0..5).map(|_| create(&settings, &plan)).find(Result::is_ok);
    created.expect("topics are created").expect("it is one that succeeded");
    feed(&settings, (0..COUNT).map(|n| Fed::new("cdrs", (n % PARTITIONS as usize) as i32, n.to_string())));
    let (mut log, _) = desk::open(&settings, 0);
    let elsewhere = KafkaSettings {
        group: format!("{}-elsewhere", settings.group),
        transactional_prefix: format!("{}-elsewhere", settings.transactional_prefix),
        ..settings.clone()
    };
    let (mut other, _) = desk::open(&elsewhere, 0);
    let deadline = Instant::now() + desk::PATIENCE * 10;
    let (mut passed, mut is_killed, mut is_back) = (0, false, false);
    while (0..PARTITIONS).any(|partition| log.lag(partition) > 0) {
        assert!(Instant::now() < deadline, "{passed} records passed");
        let mut batch = Batch::default();
        log.poll(&mut batch, Room { records_max: 50, ..desk::ROOM }).expect("a poll");
        let outcome = if batch.is_empty() { turn(&mut log) } else { pass_on(&mut log, &batch) };
        match outcome {
            Ok(true) => passed += batch.count(),
            Ok(false) => {}
            // Nothing tells whether it was committed: what is read next does.
            Err(_) => log = desk::open(&settings, 0).0,
        }
        if passed > COUNT / 4 && !is_killed {
            cluster.kill_9(0);
            is_killed = true;
            // Who restores partitions now must not go on asking the broker that led them.
            let partitions: Vec<u32> = (0..PARTITIONS).collect();
            desk::restore(&mut other, &partitions);
        }
        if passed > COUNT / 2 && !is_back {
            cluster.restart(0).expect("it comes back");
            is_back = true;
        }
    }
    assert!(is_killed && is_back);
    let found = desk::await_committed(&settings, "debits", COUNT);
    let numbers: Vec<usize> = found.values().flatten().map(|value| value.parse().expect("a number")).collect();
    assert_eq!(numbers.len(), COUNT);
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
}
