//! The pipeline as `drawdown serve` runs it, in this process so that its CPU time can be told: workers on Kafka, views
//! and metrics of what they commit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use drawdown_api::Telemetry;
use drawdown_api::meters::{Committed as Figures, EventTally, WorkerMeters};
use drawdown_engine::log::{Change, Output, Progress};
use drawdown_engine::worker::{Committed, Observer, Profiles, Settings, Sources, Step};
use drawdown_engine::{Engine, Partition, Worker};
use drawdown_ledger::Rules;
use drawdown_rating::Catalogue;
use drawdown_stream::Views;
use drawdown_stream::kafka::KafkaLog;
use drawdown_stream::kafka::KafkaSettings;
use drawdown_wire::source::Profile;

use crate::passthrough::{Took, measure};

/// A worker gets its share of the partitions within this time, or the benchmark failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// What to run.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The broker, the group, and the names of the topics.
    pub settings: KafkaSettings,
    /// Threads.
    pub workers: u32,
    /// Partitions of the topics.
    pub partitions: u32,
    /// How many records there are to be taken.
    pub count: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ran {
    /// Records a second and CPU, from when every worker was restored.
    pub took: Took,
    /// What was written, in bytes a record, in the order of [`Output::ALL`].
    pub written: [f64; Output::ALL.len()],
    /// How many accounts were put in a transaction, and how many records, on average.
    pub puts: f64,
    /// Records of a transaction, on average.
    pub records: f64,
    /// How long restoring took the first worker, and how many messages that were.
    pub restored: (Duration, u64),
}

/// Watches as `serve` does, and counts.
pub struct Watch {
    views: Arc<Views>,
    meters: WorkerMeters,
    events: EventTally,
    passed: Arc<AtomicU64>,
    written: [u64; Output::ALL.len()],
    commits: u64,
    puts: u64,
    records: u64,
    rejected: u64,
}

impl Watch {
    /// Publishes to `views`, and adds the records that were committed to `passed`.
    pub fn new(telemetry: &Arc<Telemetry>, worker: usize, views: &Arc<Views>, passed: &Arc<AtomicU64>) -> Self {
        Watch {
            views: Arc::clone(views),
            meters: telemetry.worker(worker),
            events: EventTally::default(),
            passed: Arc::clone(passed),
            written: Default::default(),
            commits: 0,
            puts: 0,
            records: 0,
            rejected: 0,
        }
    }
}

impl Observer for Watch {
    fn committed(&mut self, committed: &Committed<'_>) {
        for (partition, states) in committed.states {
            for (org, state) in states.iter() {
                self.views.publish(*partition, org, state);
                self.puts += 1;
            }
        }
        self.events.clear();
        committed.events.iter().for_each(|(_, line)| self.events.line(line));
        let (took, records, bytes) = (committed.took, committed.records, committed.bytes_in);
        let figures = Figures { took, records, bytes, written: committed.written };
        self.meters.committed(&figures, committed.tally, &self.events);
        self.written.iter_mut().zip(committed.written).for_each(|(sum, bytes)| *sum += bytes as u64);
        self.commits += 1;
        self.records += records as u64;
        self.rejected += committed.tally.rejected_count();
        self.passed.fetch_add(records as u64, Ordering::Relaxed);
    }

    fn aborted(&mut self, why: &str) {
        panic!("a transaction was aborted: {why}");
    }

    fn changed(&mut self, _: &Change) {}

    fn dropped(&mut self, partitions: &[u32]) {
        partitions.iter().for_each(|partition| self.views.forget(*partition));
    }

    fn saved(&mut self, partition: u32, key: &[u8], state: &[u8]) {
        self.views.publish(partition, key, state);
    }

    fn restoring(&mut self, _: Progress) {}

    fn restored<'p>(&mut self, _: impl Iterator<Item = (u32, &'p Partition)>) {}
}

/// Native records, decoded by the default profile.
pub fn sources() -> Sources {
    Sources::new(Arc::new(Profile::named("native").expect("a profile that is built in")), Profiles::default())
}

impl Pipeline {
    /// Runs until every record was committed. Panics where anything goes wrong: it is a benchmark.
    pub fn run(&self, catalogue: &Catalogue, rules: &Rules) -> Ran {
        let engine = crate::engine(catalogue, rules);
        let telemetry = Arc::new(Telemetry::begin("bench"));
        let (views, passed) = (Arc::new(Views::default()), Arc::new(AtomicU64::new(0)));
        let ready = Barrier::new(self.workers as usize + 1);
        let mut ran = None;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.workers)
                .map(|index| {
                    let log = KafkaLog::connect(&self.settings, index).expect("a log");
                    let watch = Watch::new(&telemetry, index as usize, &views, &passed);
                    let worker = Worker::new(log, watch, Settings::default(), sources());
                    let (engine, ready, passed) = (&engine, &ready, &passed);
                    scope.spawn(move || self.work(worker, engine, ready, passed))
                })
                .collect();
            ready.wait();
            // What one worker rated before the other was there is not measured.
            let before = passed.load(Ordering::Relaxed);
            assert!(before < self.count / 2, "{before} records were rated before every worker was there");
            let took = measure(self.count - before, || {
                ready.wait();
            });
            let ended: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("a worker")).collect();
            ran = Some(self.sum_up(took, &ended));
        });
        ran.expect("it ran")
    }

    fn sum_up(&self, took: Took, ended: &[(Watch, Duration, u64)]) -> Ran {
        let sum = |of: &dyn Fn(&Watch) -> u64| ended.iter().map(|(watch, ..)| of(watch)).sum::<u64>() as f64;
        assert_eq!(sum(&|watch| watch.rejected), 0.0, "every record is debited");
        let (records, commits) = (sum(&|watch| watch.records), sum(&|watch| watch.commits));
        let written = std::array::from_fn(|output| sum(&|watch| watch.written[output]) / records);
        let restored = ended.first().map_or((Duration::ZERO, 0), |(_, took, messages)| (*took, *messages));
        Ran { took, written, puts: sum(&|watch| watch.puts) / commits, records: records / commits, restored }
    }

    /// One worker: until it has its share and that is restored; then, with the others, until all is committed. Returns
    /// what it counted, and what restoring took.
    fn work(
        &self,
        mut worker: Worker<KafkaLog, Watch>,
        engine: &Engine<'_>,
        ready: &Barrier,
        passed: &AtomicU64,
    ) -> (Watch, Duration, u64) {
        let share = self.partitions.div_ceil(self.workers) as usize;
        let deadline = Instant::now() + PATIENCE;
        let mut began = None;
        let (restored, messages) = loop {
            assert!(Instant::now() < deadline, "the workers do not share the partitions");
            match worker.step(engine).expect("a step") {
                Step::Restoring(progress) => {
                    let began = *began.get_or_insert_with(Instant::now);
                    if progress.is_done && (1..=share).contains(&worker.partitions().len()) {
                        break (began.elapsed(), progress.read);
                    }
                }
                Step::Unassigned | Step::Rating(_) => began = None,
            }
        };
        ready.wait();
        while passed.load(Ordering::Relaxed) < self.count {
            worker.step(engine).expect("a step");
        }
        ready.wait();
        let (log, watch) = worker.stop().expect("a stop");
        drop(log);
        (watch, restored, messages)
    }
}

/// Lets one worker take what is in the inputs, until nothing is left.
pub fn drain(settings: &KafkaSettings, count: u64, catalogue: &Catalogue, rules: &Rules) {
    let engine = crate::engine(catalogue, rules);
    let telemetry = Arc::new(Telemetry::begin("bench"));
    let passed = Arc::new(AtomicU64::new(0));
    let watch = Watch::new(&telemetry, 0, &Arc::new(Views::default()), &passed);
    let log = KafkaLog::connect(settings, 0).expect("a log");
    let mut worker = Worker::new(log, watch, Settings::default(), sources());
    while passed.load(Ordering::Relaxed) < count {
        worker.step(&engine).expect("a step");
    }
    drop(worker.stop().expect("a stop"));
}
