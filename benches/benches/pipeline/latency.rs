//! From sending a record to its debit in the hands of a reader that sees committed messages only, at low load.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use drawdown_benches::feed::{Feed, org, text};
use drawdown_benches::pipeline::sources;
use drawdown_benches::{Records, engine};
use drawdown_engine::Worker;
use drawdown_engine::log::{Input, Output};
use drawdown_engine::worker::{Settings, Silent, Step};
use drawdown_ledger::Rules;
use drawdown_stream::kafka::KafkaLog;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::{Bench, say};

const ORGS: u64 = 1_000;
const INTERVAL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(60);
/// The first records are not counted: the reader may still be connecting.
const WARM_UP: usize = 400;

/// Measures `count` records, one each 5 ms.
pub fn run(bench: &Bench, count: usize) {
    let count = count + WARM_UP;
    let (rules, commands) = (Rules::default(), bench.open_accounts(ORGS));
    let is_over = AtomicBool::new(false);
    let is_funded = AtomicBool::new(false);
    let sent = Mutex::new(HashMap::new());
    let mut times = thread::scope(|scope| {
        scope.spawn(|| {
            let engine = engine(&bench.catalogue, &rules);
            let log = KafkaLog::connect(&bench.settings, 0).expect("a log");
            let mut worker = Worker::new(log, Silent, Settings::default(), sources());
            let mut taken = 0;
            while !is_over.load(Ordering::Relaxed) {
                if let Step::Rating(records) = worker.step(&engine).expect("a step") {
                    taken += records as u64;
                    is_funded.store(taken >= commands, Ordering::Relaxed);
                }
            }
            drop(worker.stop().expect("a stop"));
        });
        while !is_funded.load(Ordering::Relaxed) {
            thread::sleep(INTERVAL);
        }
        scope.spawn(|| {
            let topic = bench.settings.topic(Input::Cdrs.name());
            let feed = Feed::new(&bench.settings.brokers, &topic, bench.partitions, 0);
            for record in Records::starting(ORGS, bench.start).take(count) {
                let id = text(&record, "id").expect("an id").to_vec();
                sent.lock().expect("nobody panicked").insert(id, Instant::now());
                feed.send(org(&record), &record);
                thread::sleep(INTERVAL);
            }
        });
        let times = receive(bench, count, &sent);
        is_over.store(true, Ordering::Relaxed);
        times
    });
    times.drain(..WARM_UP);
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    say(&format!(
        "latency at {:.0} records/s, commits every {} ms: from sending a record to its readable debit p50 {:.1} ms, p99 {:.1} ms, \
         longest {:.1} ms",
        1.0 / INTERVAL.as_secs_f64(),
        Settings::default().interval.as_millis(),
        at(0.5),
        at(0.99),
        at(1.0)
    ));
}

fn receive(bench: &Bench, count: usize, sent: &Mutex<HashMap<Vec<u8>, Instant>>) -> Vec<Duration> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &bench.settings.brokers).set("group.id", "latency-reader");
    config.set("isolation.level", "read_committed").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let topic = bench.settings.topic(Output::Debits.name());
    let mut assignment = TopicPartitionList::new();
    for partition in 0..bench.partitions {
        assignment.add_partition_offset(&topic, partition as i32, Offset::Beginning).expect("a partition");
    }
    consumer.assign(&assignment).expect("an assignment");
    let (mut times, deadline) = (Vec::new(), Instant::now() + PATIENCE + INTERVAL * count as u32 * 2);
    while times.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} debits came", times.len());
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let now = Instant::now();
        let message = message.expect("a message");
        let id = text(message.payload().expect("a debit"), "id").expect("an id").to_vec();
        let began = sent.lock().expect("nobody panicked").remove(&id).expect("it was sent, and comes once");
        times.push(now - began);
    }
    times
}
