//! How many organisations a second one thread takes over from the topic of accounts.

use std::time::{Duration, Instant};

use drawdown_benches::pipeline::sources;
use drawdown_benches::{engine, partition};
use drawdown_engine::Worker;
use drawdown_engine::log::Output;
use drawdown_engine::worker::{Settings, Silent, Step};
use drawdown_ledger::Rules;
use drawdown_stream::kafka::KafkaLog;
use drawdown_wire::account;

use crate::{Bench, say};

const RUNS: usize = 3;

/// Measures from the assignment to the last account.
pub fn run(bench: &Bench, orgs: u64) {
    let rules = Rules::default();
    let engine = engine(&bench.catalogue, &rules);
    let (mut bytes, mut state) = (0, Vec::new());
    let feed = bench.feed(Output::Accounts.name());
    for account in partition(&engine, orgs).accounts() {
        state.clear();
        account::pack(&mut state, account);
        bytes += state.len();
        feed.send(account.org().as_bytes(), &state);
    }
    feed.send_all(std::iter::empty::<&[u8]>());
    for number in 0..RUNS {
        let mut settings = bench.settings.clone();
        settings.group = format!("{}-{number}", settings.group);
        let log = KafkaLog::connect(&settings, 0).expect("a log");
        let mut worker = Worker::new(log, Silent, Settings::default(), sources());
        let (mut began, mut took) = (None, Duration::ZERO);
        while took.is_zero() {
            if let Step::Restoring(progress) = worker.step(&engine).expect("a step") {
                let began = *began.get_or_insert_with(Instant::now);
                if progress.is_done {
                    took = Instant::now() - began;
                }
            }
        }
        let restored: usize = worker.partitions().values().map(drawdown_engine::Partition::account_count).sum();
        assert_eq!(restored as u64, orgs);
        say(&format!(
            "restore: {orgs} orgs of three lots, {} B each, in {:.2} s: {:.0} orgs/s a thread",
            bytes as u64 / orgs,
            took.as_secs_f64(),
            orgs as f64 / took.as_secs_f64()
        ));
        drop(worker.stop().expect("a stop"));
    }
}
