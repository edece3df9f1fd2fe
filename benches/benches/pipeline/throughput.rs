//! Records a second and CPU a record, beside a raw passthrough that writes as many bytes, with one worker and with two.

use std::time::Duration;

use drawdown_benches::Records;
use drawdown_benches::passthrough::{Passthrough, Took};
use drawdown_benches::pipeline::{Pipeline, Ran, drain};
use drawdown_engine::log::{Input, Output};
use drawdown_ledger::Rules;
use drawdown_stream::kafka::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::{Bench, median, say};

const RUNS: usize = 3;
/// How many different messages the passthrough writes.
const PAYLOADS: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(10);
/// A topic for usage records in which there are none.
const NO_CDRS: &str = "no-cdrs";

/// Measures both in alternation. A broker compiles its code as it runs, so that the first round of a new one says little:
/// whether this is its first.
pub fn run(bench: &Bench, orgs: u64, count: usize, is_first: bool) {
    let records = Records::starting(orgs, bench.start);
    bench.feed(Input::Cdrs.name()).send_all(records.take(count));
    let commands = bench.open_accounts(orgs);
    for workers in [1, 2] {
        let (mut pipelines, mut limits) = (Vec::new(), Vec::new());
        let warm_ups = usize::from(is_first && workers == 1);
        for number in 0..RUNS + warm_ups {
            let settings = outputs_of(&bench.settings, &format!("{workers}-{number}"));
            let ran = pipeline(bench, &settings, workers, commands, count as u64);
            let limit = passthrough(&settings, workers, count as u64, &ran);
            if number >= warm_ups {
                limits.push(limit);
                pipelines.push(ran);
            }
        }
        tell(orgs, workers, &pipelines, &limits);
    }
}

/// The same inputs; outputs, group and transactions of its own.
fn outputs_of(settings: &KafkaSettings, run: &str) -> KafkaSettings {
    let mut settings = settings.clone();
    settings.group = format!("{}-{run}", settings.group);
    settings.transactional_prefix = format!("{}-{run}", settings.transactional_prefix);
    for output in Output::ALL {
        let name = format!("{}{run}-{}", settings.prefix, output.name());
        settings.names.insert(output.name().to_owned(), name);
    }
    settings
}

fn pipeline(bench: &Bench, settings: &KafkaSettings, workers: u32, commands: u64, count: u64) -> Ran {
    let rules = Rules::default();
    let mut funding = settings.clone();
    funding.names.insert(Input::Cdrs.name().to_owned(), format!("{}{NO_CDRS}", settings.prefix));
    bench.create(&funding);
    drain(&funding, commands, &bench.catalogue, &rules);
    let pipeline = Pipeline { settings: settings.clone(), workers, partitions: bench.partitions, count };
    pipeline.run(&bench.catalogue, &rules)
}

fn passthrough(settings: &KafkaSettings, workers: u32, count: u64, ran: &Ran) -> Took {
    let mut settings = settings.clone();
    settings.group.push_str("-raw");
    settings.transactional_prefix.push_str("-raw");
    let plan = Passthrough {
        workers,
        count,
        payloads: payloads(&settings, ran.written.iter().sum::<f64>() as usize),
        settings,
        transaction_records_max: 10_000,
        transaction_wait: Duration::from_millis(50),
    };
    plan.run()
}

/// Debits that the pipeline wrote, each drawn out to all that is written for a record.
fn payloads(settings: &KafkaSettings, size_bytes: usize) -> Vec<Vec<u8>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers).set("group.id", "payload-reader");
    config.set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&settings.topic(Output::Debits.name()), 0, Offset::Beginning).expect("a partition");
    consumer.assign(&assignment).expect("an assignment");
    let messages = std::iter::from_fn(|| consumer.poll(PATIENCE)).take(PAYLOADS);
    let drawn_out = messages.map(|message| {
        let message = message.expect("a debit");
        let debit = message.payload().expect("a debit");
        debit.iter().copied().cycle().take(size_bytes.max(debit.len())).collect()
    });
    drawn_out.collect()
}

fn tell(orgs: u64, workers: u32, pipelines: &[Ran], limits: &[Took]) {
    let rates = |all: &mut dyn Iterator<Item = f64>| median(all.collect());
    let rate = rates(&mut pipelines.iter().map(|ran| ran.took.records_per_s));
    let cpu = rates(&mut pipelines.iter().map(|ran| ran.took.cpu_us_per_record));
    let limit = rates(&mut limits.iter().map(|took| took.records_per_s));
    let limit_cpu = rates(&mut limits.iter().map(|took| took.cpu_us_per_record));
    say(&format!(
        "{orgs} orgs, {workers} worker(s): {rate:.0} records/s, {cpu:.2} µs of CPU; raw passthrough {limit:.0} records/s, \
         {limit_cpu:.2} µs: {:.2} x the records, {:.2} x the CPU",
        rate / limit,
        cpu / limit_cpu
    ));
    let last = pipelines[pipelines.len() - 1];
    let [debits, events, rejects, accounts, seen] = last.written;
    say(&format!(
        "    a record writes {debits:.0} B of debits, {accounts:.0} B of accounts, {seen:.0} B of identities, {:.0} B else; \
         a transaction has {:.0} records and puts {:.0} accounts; restored {} messages in {:.3} s",
        events + rejects,
        last.records,
        last.puts,
        last.restored.1,
        last.restored.0.as_secs_f64()
    ));
}
