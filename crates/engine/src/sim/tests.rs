//! The simulated cluster itself: what it hides, fences, delays and waits for, and that a seed decides everything.

mod groups;
mod transactions;

use std::time::Duration;

use drawdown_units::Timestamp;

use super::{Faults, Produced, Random, Settings, SimCluster, SimLog};
use crate::log::{Batch, Change, Input, Log, LogError, Output, Position, Room};

const ROOM: Room = Room { records_max: 1_000, bytes_max: 1 << 20, wait: Duration::from_millis(5) };

fn cluster(settings: Settings) -> SimCluster {
    let cluster = SimCluster::new(1, settings);
    cluster.set_now(at(0));
    cluster
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_parts(second, 0)
}

fn produced(text: &str) -> Produced<'_> {
    Produced { arrival: at(0), key: None, value: text.as_bytes() }
}

fn produce(cluster: &SimCluster, input: Input, partition: u32, text: &str) {
    cluster.produce(input, partition, &produced(text));
}

fn turn(log: &mut SimLog) -> Vec<Change> {
    let mut changes = Vec::new();
    log.turn(&mut changes).expect("a turn");
    changes
}

/// Takes turns until something is assigned.
fn assigned(cluster: &SimCluster, log: &mut SimLog) -> Vec<u32> {
    for _ in 0..100 {
        cluster.advance(Duration::from_millis(50));
        for change in turn(log) {
            if let Change::Assigned(partitions) = change {
                return partitions;
            }
        }
    }
    panic!("nothing was assigned");
}

/// Reads back everything, and what it was.
fn restored(log: &mut SimLog, partitions: &[u32]) -> Vec<String> {
    log.begin_restore(partitions).expect("a beginning");
    let mut values = Vec::new();
    for _ in 0..1_000 {
        let progress = log.restore(&mut |saved| values.push(String::from_utf8_lossy(saved.value).into_owned()));
        if progress.expect("some more").is_done {
            return values;
        }
    }
    panic!("restoring never ends");
}

fn ready(cluster: &SimCluster) -> SimLog {
    let mut log = SimLog::start(cluster, 0);
    let partitions = assigned(cluster, &mut log);
    restored(&mut log, &partitions);
    log
}

/// What can be polled now, in the order in which it came.
fn polled(log: &mut SimLog) -> Vec<String> {
    let mut batch = Batch::default();
    for _ in 0..10 {
        log.poll(&mut batch, ROOM).expect("a poll");
    }
    (0..batch.count()).map(|index| String::from_utf8_lossy(batch.record(index).value).into_owned()).collect()
}

fn put(log: &mut SimLog, text: &str) {
    log.append(Output::Accounts, 0, b"key", text.as_bytes()).expect("appended");
}

fn read_to(next: u64) -> Vec<Position> {
    vec![Position { input: Input::Cdrs, partition: 0, next }]
}

fn outputs(cluster: &SimCluster) -> Vec<String> {
    let outputs = cluster.output(Output::Accounts, 0);
    outputs.into_iter().map(|kept| String::from_utf8_lossy(&kept.value).into_owned()).collect()
}

/// A process that does the simplest thing of all: everything it reads, it writes, and begins anew where it must.
fn copy(cluster: &SimCluster, steps: usize) {
    let mut log = SimLog::start(cluster, 0);
    for _ in 0..steps {
        match copy_once(&mut log) {
            Ok(()) => {}
            Err(LogError::Abort(_)) if log.abort().is_ok() => {
                // It keeps nothing to do it again with: it starts anew.
                log.leave();
                log = SimLog::start(cluster, 0);
            }
            Err(_) => log = SimLog::start(cluster, 0),
        }
        cluster.advance(Duration::from_millis(40));
    }
}

fn copy_once(log: &mut SimLog) -> Result<(), LogError> {
    let mut changes = Vec::new();
    log.turn(&mut changes)?;
    for change in changes {
        if let Change::Assigned(partitions) = change {
            log.begin_restore(&partitions)?;
        }
    }
    log.restore(&mut |_| {})?;
    let mut batch = Batch::default();
    log.poll(&mut batch, ROOM)?;
    if batch.is_empty() {
        return Ok(());
    }
    log.begin()?;
    for index in 0..batch.count() {
        let record = batch.record(index);
        log.append(Output::Debits, record.partition, b"", record.value)?;
    }
    log.commit(batch.positions())?;
    log.settle()
}

#[test]
fn the_same_seed_gives_the_same_trace_and_the_same_bytes() {
    let play = |seed| {
        let faults = Faults::any(&mut Random::new(seed));
        let cluster = SimCluster::new(seed, Settings { partitions: 2, faults, ..Settings::default() });
        cluster.set_now(at(0));
        (0..40).for_each(|number| produce(&cluster, Input::Cdrs, number % 2, &format!("r{number}")));
        copy(&cluster, 60);
        (cluster.trace(), cluster.output(Output::Debits, 0), cluster.output(Output::Debits, 1))
    };
    for seed in 0..50 {
        assert_eq!(play(seed), play(seed), "seed {seed}");
    }
    assert_ne!(play(3).0, play(4).0, "seeds decide something");
}

#[test]
fn what_is_copied_is_there_once_and_in_order_whatever_goes_wrong() {
    for seed in 0..300 {
        let faults = Faults { duplicate_per_mille: 0, ..Faults::any(&mut Random::new(seed)) };
        let cluster = SimCluster::new(seed, Settings { faults, ..Settings::default() });
        cluster.set_now(at(0));
        let expected: Vec<String> = (0..30).map(|number| format!("r{number}")).collect();
        expected.iter().for_each(|text| produce(&cluster, Input::Cdrs, 0, text));
        copy(&cluster, 60);
        cluster.set_faults(Faults::default());
        copy(&cluster, 200);
        let debits = cluster.output(Output::Debits, 0);
        let found: Vec<String> =
            debits.into_iter().map(|kept| String::from_utf8_lossy(&kept.value).into_owned()).collect();
        assert_eq!(found, expected, "seed {seed}");
        assert!(cluster.is_done(), "seed {seed}");
    }
}

#[test]
fn a_dead_process_answers_nothing_any_more() {
    let faults = Faults { crash_per_mille: 1_000, ..Faults::default() };
    let cluster = cluster(Settings { faults, ..Settings::default() });
    let mut log = SimLog::start(&cluster, 0);
    assert!(matches!(log.turn(&mut Vec::new()), Err(LogError::Fatal(_))));
    cluster.set_faults(Faults::default());
    assert!(matches!(log.turn(&mut Vec::new()), Err(LogError::Fatal(_))));
}
