//! The pipeline on the embedded store: records a second, each transaction synced, killed in the middle and started again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drawdown_api::Telemetry;
use drawdown_benches::pipeline::{Watch, sources};
use drawdown_benches::{Records, catalogue, commands, engine};
use drawdown_engine::Worker;
use drawdown_engine::log::Input;
use drawdown_engine::worker::{Settings, TimeSource};
use drawdown_ledger::Rules;
use drawdown_stream::Views;
use drawdown_stream::embedded::{EmbeddedLog, EmbeddedSettings, Reader, place};
use drawdown_units::Timestamp;

use crate::{DECK_ROWS, say};

/// The argument that makes this program a worker.
pub const WORKER: &str = "embedded-worker";
const ORGS: u64 = 10_000;

/// Kills a worker half-way, and measures from the start of the first to the last commit of the second.
pub fn run(count: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("in.jsonl");
    let at = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
    write(&file, (0..ORGS).flat_map(|org| commands(org, at)));
    let store = directory.path().join("store");
    place(&store, Input::Commands, &file, None, None).expect("placed");
    let mut worker = spawn(&store);
    await_committed(&store, Input::Commands, 4 * ORGS);
    write(&file, Records::new(ORGS).take(count).map(|record| String::from_utf8(record).expect("a text")));
    let began = Instant::now();
    place(&store, Input::Cdrs, &file, None, None).expect("placed");
    await_committed(&store, Input::Cdrs, count as u64 / 2);
    worker.kill().expect("killed");
    worker.wait().expect("it ended");
    let first = Instant::now();
    let mut worker = spawn(&store);
    let before = await_committed(&store, Input::Cdrs, 0);
    await_committed(&store, Input::Cdrs, before + 1);
    let restart = first.elapsed();
    await_committed(&store, Input::Cdrs, count as u64);
    let took = began.elapsed();
    worker.kill().expect("killed");
    worker.wait().expect("it ended");
    let bytes: u64 = ["drawdown.db", "drawdown.db-wal"]
        .iter()
        .filter_map(|name| std::fs::metadata(store.join(name)).ok())
        .map(|metadata| metadata.len())
        .sum();
    say(&format!(
        "embedded: {count} records of {ORGS} orgs in {:.2} s, kill -9 and restart ({:.2} s) included: {:.0} durable records/s; \
         the store takes {} B a record",
        took.as_secs_f64(),
        restart.as_secs_f64(),
        count as f64 / took.as_secs_f64(),
        bytes / count as u64
    ));
}

fn write(path: &Path, lines: impl Iterator<Item = String>) {
    use std::io::Write as _;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    lines.for_each(|line| writeln!(file, "{line}").expect("written"));
    file.flush().expect("written");
}

fn spawn(store: &Path) -> std::process::Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program).arg(WORKER).arg(store).stdin(Stdio::null()).spawn().expect("a worker")
}

/// Waits until so many records of an input are committed; how many there are.
fn await_committed(store: &Path, input: Input, count: u64) -> u64 {
    loop {
        std::thread::sleep(Duration::from_millis(10));
        let Ok(reader) = Reader::open(store) else { continue };
        let positions = reader.positions().expect("a store that can be read");
        let committed = positions.iter().find(|position| position.input == input).map_or(0, |position| position.next);
        if committed >= count {
            return committed;
        }
    }
}

/// Rates what comes until it is killed.
pub fn work(store: &Path) {
    let (catalogue, rules) = (catalogue(DECK_ROWS), Rules::default());
    let engine = engine(&catalogue, &rules);
    let log = EmbeddedLog::open(&EmbeddedSettings::new(store)).expect("a log");
    let (telemetry, views) = (Arc::new(Telemetry::begin("bench")), Arc::new(Views::default()));
    let watch = Watch::new(&telemetry, 0, &views, &Arc::default());
    let settings = Settings { time: TimeSource::Records, ahead_max_s: None, ..Settings::default() };
    let mut worker = Worker::new(log, watch, settings, sources());
    loop {
        worker.step(&engine).expect("a step");
    }
}
