//! The pipeline on a real broker and on the embedded store, beside their limits, in one run.
//!
//! `cargo bench -p drawdown-benches --bench pipeline [-- [PART] [COUNT]]` with PART one of `throughput`, `latency`,
//! `restore`, `embedded`. No figure here is a test: machines differ, and are shared by client and broker.

mod embedded;
mod latency;
mod restore;
mod throughput;

use std::io::Write as _;

use drawdown_benches::{catalogue, commands, feed::Feed};
use drawdown_rating::Catalogue;
use drawdown_stream::kafka::KafkaSettings;
use drawdown_stream::kafka::topics::{TopicPlan, create};
use drawdown_testkit::kafka::{Broker, runs_here, topic_prefix};
use drawdown_units::Timestamp;

/// Rows of the deck.
const DECK_ROWS: u64 = 36_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [role, directory] = &arguments[..]
        && role == embedded::WORKER
    {
        return embedded::work(directory.as_ref());
    }
    let count: Option<usize> = arguments.iter().find_map(|argument| argument.parse().ok());
    let part = arguments.iter().find(|argument| argument.parse::<u64>().is_err());
    let wants = |name: &str| part.is_none_or(|part| part == name);
    if wants("embedded") {
        embedded::run(count.unwrap_or(2_000_000));
    }
    if !runs_here() {
        return;
    }
    let broker = Broker::single().expect("a broker");
    if wants("throughput") {
        for orgs in [1_000, 100_000] {
            throughput::run(&Bench::new(&broker, "throughput", 8), orgs, count.unwrap_or(1_000_000), orgs == 1_000);
        }
    }
    if wants("latency") {
        latency::run(&Bench::new(&broker, "latency", 8), count.unwrap_or(4_000));
    }
    if wants("restore") {
        restore::run(&Bench::new(&broker, "restore", 8), count.unwrap_or(1_000_000) as u64);
    }
}

/// Topics of a benchmark's own on a broker.
pub struct Bench {
    pub settings: KafkaSettings,
    pub partitions: u32,
    pub catalogue: Catalogue,
    /// When everything begins: an hour ago.
    pub start: Timestamp,
}

impl Bench {
    fn new(broker: &Broker, name: &str, partitions: u32) -> Self {
        let prefix = topic_prefix(name);
        let settings = KafkaSettings {
            brokers: broker.brokers().to_owned(),
            group: format!("{prefix}group"),
            transactional_prefix: format!("{prefix}tx"),
            prefix,
            ..KafkaSettings::default()
        };
        let start = Timestamp::from_parts(drawdown_api::meters::clock().seconds() - 3_600, 0);
        let bench = Bench { settings, partitions, catalogue: catalogue(DECK_ROWS), start };
        bench.create(&bench.settings);
        bench
    }

    /// Makes those of the topics that are not there.
    pub fn create(&self, settings: &KafkaSettings) {
        let plan = TopicPlan { partitions: self.partitions, replication: 1, ..TopicPlan::default() };
        create(settings, &plan).expect("topics");
    }

    /// A way to fill a topic.
    pub fn feed(&self, topic: &str) -> Feed {
        Feed::new(&self.settings.brokers, &self.settings.topic(topic), self.partitions, 20)
    }

    /// Sends the commands that open organisations; how many those are.
    pub fn open_accounts(&self, orgs: u64) -> u64 {
        self.feed("commands").send_all((0..orgs).flat_map(|org| commands(org, self.start)));
        orgs * commands(0, self.start).len() as u64
    }
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One line on standard output.
pub fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").expect("standard output is open");
}
