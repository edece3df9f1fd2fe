//! The spool: what is read, in which order, and where it goes.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use drawdown_engine::inbox::{Inbox as _, Message};
use drawdown_engine::log::{Batch, Input, Log as _, Position, Room};
use drawdown_stream::embedded::{EmbeddedLog, SpoolInbox, place};
use drawdown_units::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::tempdir;
use tracing::{Event, Level, Metadata, Subscriber, span};

use crate::bed::{assert_calls, call, calls, command, debits, drop_file, names, open, round, spool, work};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

/// Polls until `count` records are there.
fn poll(log: &mut EmbeddedLog, count: usize) -> Batch {
    let mut batch = Batch::default();
    while batch.count() < count {
        let wait = Duration::from_millis(20);
        log.poll(&mut batch, Room { records_max: count, bytes_max: 8 << 20, wait }).expect("a spool");
    }
    batch
}

#[test]
fn files_are_read_oldest_first_and_moved() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    drop_file(directory, Input::Cdrs, "b.jsonl", calls(0..40).as_bytes());
    drop_file(directory, Input::Cdrs, "a.jsonl.gz", &gzip(&calls(40..90)));
    drop_file(directory, Input::Cdrs, "empty.jsonl", b"");
    for name in [".hidden", "half.part", "half.tmp"] {
        fs::write(spool(directory, "cdrs").join(name), calls(0..3)).unwrap();
    }
    fs::create_dir(spool(directory, "cdrs").join("directory")).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    fs::File::options().write(true).open(spool(directory, "cdrs").join("b.jsonl")).unwrap().set_modified(old).unwrap();
    let mut log = open(directory).unwrap();
    assert!(log.lag(0) > 0);
    work(&mut log, 30).unwrap();
    let debits = debits(directory);
    assert_calls(&debits, 0..90);
    assert!(debits[0].starts_with("cdrs 0 b.jsonl:1 "), "{}", debits[0]);
    assert!(debits[45].starts_with("cdrs 45 a.jsonl.gz:6 "), "{}", debits[45]);
    assert_eq!(names(directory, "done"), ["cdrs-a.jsonl.gz", "cdrs-b.jsonl", "cdrs-empty.jsonl"]);
    assert_eq!(names(directory, "cdrs"), [".hidden", "directory", "half.part", "half.tmp"]);
    assert_eq!(log.lag(0), 0);
}

#[test]
fn a_restart_goes_on_at_the_very_record() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    drop_file(directory, Input::Cdrs, "1.jsonl", calls(0..50).as_bytes());
    drop_file(directory, Input::Cdrs, "2.jsonl", calls(50..100).as_bytes());
    for records in [7, 20, 23, 1, 3, 11] {
        let mut log = open(directory).unwrap();
        while round(&mut log, records, Duration::from_millis(20)).unwrap() == 0 {}
        // Polled, and not committed.
        poll(&mut log, 5);
    }
    work(&mut open(directory).unwrap(), 1000).unwrap();
    assert_calls(&debits(directory), 0..100);
    assert_eq!(names(directory, "done"), ["cdrs-1.jsonl", "cdrs-2.jsonl"]);
    assert!(names(directory, "cdrs").is_empty());
}

#[test]
fn a_restart_deep_in_a_large_file_goes_on_there() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    drop_file(directory, Input::Cdrs, "large.jsonl", calls(0..25_000).as_bytes());
    for records in [9000, 12_000] {
        let mut log = open(directory).unwrap();
        let mut left = records;
        while left > 0 {
            left -= round(&mut log, left, Duration::from_millis(20)).unwrap();
        }
    }
    let mut log = open(directory).unwrap();
    let batch = poll(&mut log, 1);
    assert_eq!((batch.record(0).offset, batch.record(0).attributes.place.unwrap().line), (21_000, 21_001));
    assert_eq!(log.lag(0).min(1), 1);
    drop(log);
    work(&mut open(directory).unwrap(), 10_000).unwrap();
    assert_calls(&debits(directory), 0..25_000);
}

#[test]
fn a_file_whose_last_records_are_not_committed_stays() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    drop_file(directory, Input::Cdrs, "1.jsonl", calls(0..10).as_bytes());
    drop_file(directory, Input::Cdrs, "2.jsonl", calls(10..20).as_bytes());
    let mut log = open(directory).unwrap();
    // Into the second file, so that the end of the first is known; as a worker does that polls ahead.
    assert_eq!(poll(&mut log, 12).count(), 12);
    for (next, left) in [(5, 2), (10, 1), (12, 1)] {
        log.begin().unwrap();
        log.commit(&[Position { input: Input::Cdrs, partition: 0, next }]).unwrap();
        log.settle().unwrap();
        log.turn(&mut Vec::new()).unwrap();
        assert_eq!(names(directory, "cdrs").len(), left, "at {next}");
    }
    drop(log);
    let mut log = open(directory).unwrap();
    assert_eq!(poll(&mut log, 1).record(0).offset, 12);
}

#[test]
fn the_same_name_again_is_another_file() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let mut log = open(directory).unwrap();
    for round in 0..4 {
        drop_file(directory, Input::Cdrs, "calls.jsonl", calls(round * 10..round * 10 + 10).as_bytes());
        drop_file(directory, Input::Commands, "calls.jsonl", b"");
        work(&mut log, 1000).unwrap();
    }
    drop(log);
    drop_file(directory, Input::Cdrs, "calls.jsonl", calls(40..50).as_bytes());
    work(&mut open(directory).unwrap(), 1000).unwrap();
    assert_calls(&debits(directory), 0..50);
    assert_eq!(names(directory, "done").len(), 9);
}

#[test]
fn a_file_put_in_the_place_of_one_being_read_is_read_after_it() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let mut log = open(directory).unwrap();
    drop_file(directory, Input::Cdrs, "calls.jsonl", calls(0..10).as_bytes());
    while round(&mut log, 4, Duration::from_millis(20)).unwrap() == 0 {}
    drop_file(directory, Input::Cdrs, "calls.jsonl", calls(10..20).as_bytes());
    work(&mut log, 1000).unwrap();
    assert_calls(&debits(directory), 0..20);
    assert_eq!(names(directory, "done").len(), 1);
}

#[test]
fn commands_and_calls_are_merged_by_arrival() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let at = |second: u32| format!("2026-03-01T00:00:{second:02}Z");
    let commands = [(1, 10), (2, 10), (3, 30)];
    let commands: String = commands.iter().map(|(number, second)| command(*number, &at(*second)) + "\n").collect();
    // The second call ends before the first, hence arrives with it; what is no call arrives with what is before it.
    let calls =
        [call(1, &at(10)), call(2, &at(5)), "nonsense".to_owned(), call(3, &at(20)), call(4, &at(40))].join("\n");
    drop_file(directory, Input::Cdrs, "calls.jsonl", calls.as_bytes());
    drop_file(directory, Input::Commands, "commands.jsonl", commands.as_bytes());
    let mut log = open(directory).unwrap();
    let batch = poll(&mut log, 8);
    let order: Vec<String> = (0..batch.count())
        .map(|index| batch.record(index))
        .map(|record| format!("{}{} {}", record.input.name(), record.offset, record.arrival.seconds() % 60))
        .collect();
    let expected =
        ["commands0 10", "commands1 10", "cdrs0 10", "cdrs1 10", "cdrs2 10", "cdrs3 20", "commands2 30", "cdrs4 40"];
    assert_eq!(order, expected);
}

#[test]
fn a_sidecar_says_how_a_file_is_read() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let header = "UsageId,Call ID,Conference ID,User Location,AAD ObjectId,UPN,User Display Name,Caller ID,Call Type,Number Type,Domestic/International,Destination Dialed,Destination Number,Start Time,End Time,Duration Seconds,Connection Fee,Charge,Currency,Capability";
    let row = r#"id,call,,US,user,adele@contoso.example,"Vance, Adele",+12065550100,user_out,Subscriber,International,United Kingdom,+442071838750,2026-02-02T08:00:00Z,2026-02-02T08:03:39Z,219,0.00,0.00,USD,MCOPSTNPP"#;
    let source = "teams-export";
    open(directory).unwrap();
    let file = directory.join("export.csv");
    fs::write(&file, format!("{header}\n{row}\n{row}\n")).unwrap();
    let placed = place(directory, Input::Cdrs, &file, Some(source), Some("acme")).unwrap();
    assert_eq!(placed, spool(directory, "cdrs").join("export.csv"));
    let again = place(directory, Input::Cdrs, &file, Some(source), None).unwrap();
    assert_eq!(again, spool(directory, "cdrs").join("2-export.csv"));
    let mut log = open(directory).unwrap();
    let batch = poll(&mut log, 4);
    let record = batch.record(1);
    assert_eq!((record.attributes.source, record.attributes.org), (Some(source), Some("acme")));
    assert_eq!(record.attributes.columns, Some(header));
    assert_eq!(record.value, row.as_bytes());
    assert_eq!(record.attributes.place.unwrap().line, 3);
    assert_eq!(record.attributes.place.unwrap().offset as usize, header.len() + row.len() + 2);
    assert_eq!(record.arrival, Timestamp::parse("2026-02-02T08:03:39Z").unwrap());
    assert_eq!(batch.record(2).attributes.org, None);
    drop(log);
    work(&mut open(directory).unwrap(), 1000).unwrap();
    let done = ["cdrs-2-export.csv", "cdrs-2-export.csv.source", "cdrs-export.csv", "cdrs-export.csv.source"];
    assert_eq!(names(directory, "done"), done);
    assert!(names(directory, "cdrs").is_empty());
}

#[test]
fn a_message_keeps_its_key() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let mut log = open(directory).unwrap();
    let end = "2026-03-01T00:01:00Z";
    // As an older version left it.
    drop_file(directory, Input::Cdrs, "1-1-0.inbox.jsonl", calls(0..1).as_bytes());
    let page = format!(r#"{{"orgId":"mine","value":[{}]}}"#, call(1, end));
    let messages =
        [(Some("acme"), call(1, end)), (Some("a\t\"b\""), call(2, end)), (None, call(3, end)), (Some("mine"), page)];
    let inbox = SpoolInbox::start(directory).unwrap();
    for (org, value) in &messages {
        let (tell, told) = mpsc::channel();
        let (org, value) = (org.map(str::to_owned), value.clone().into_bytes());
        let done = Box::new(move |result| tell.send(result).expect("somebody waits"));
        inbox.put(Message { input: Input::Cdrs, org, source: None, value }, done);
        told.recv().unwrap().unwrap();
    }
    let batch = poll(&mut log, 5);
    assert_eq!((batch.record(0).key, batch.record(0).value), (None, calls(0..1).trim_end().as_bytes()));
    for (index, (org, value)) in messages.iter().enumerate() {
        let record = batch.record(index + 1);
        assert_eq!((record.key, record.value), (org.map(str::as_bytes), value.as_bytes()));
    }
    assert_eq!(batch.record(1).arrival, Timestamp::parse(end).unwrap());
    drop(log);
    work(&mut open(directory).unwrap(), 1000).unwrap();
    assert!(names(directory, "cdrs").is_empty() && names(directory, "done").is_empty());
}

#[test]
fn names_of_any_length_are_put_aside() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let mut log = open(directory).unwrap();
    let long = |length: usize| format!("{}{}.jsonl", "a".repeat(2 - length % 2), "é".repeat((length - 7) / 2));
    for (length, numbers) in [(255, 0..5), (249, 5..10), (233, 10..15), (200, 15..20)] {
        assert_eq!(long(length).len(), length);
        fs::write(spool(directory, "cdrs").join(long(length)), calls(numbers)).unwrap();
    }
    fs::write(spool(directory, "commands").join(long(255)), command(1, "2026-03-01T00:00:00Z")).unwrap();
    fs::write(spool(directory, "cdrs").join(format!("{}.source", long(200))), "no-such-switch\n").unwrap();
    work(&mut log, 1000).unwrap();
    assert!(names(directory, "cdrs").is_empty() && names(directory, "commands").is_empty());
    assert_eq!(debits(directory).len(), 3 * 5 + 1);
    let (done, failed) = (names(directory, "done"), names(directory, "failed"));
    assert!(done.len() == 4 && done.iter().all(|name| name.ends_with("é.jsonl")), "{done:?}");
    assert_eq!(failed, [format!("cdrs-{}", long(200)), format!("cdrs-{}.source", long(200))]);
}

/// Counts warnings.
#[derive(Default)]
struct Warnings(AtomicUsize);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[test]
fn a_name_that_is_no_text_is_told_of_once() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let mut log = open(directory).unwrap();
    fs::write(spool(directory, "cdrs").join(OsStr::from_bytes(b"\xFF.jsonl")), calls(0..3)).unwrap();
    let warnings = Arc::new(Warnings::default());
    tracing::subscriber::with_default(Arc::clone(&warnings), || {
        let room = Room { records_max: 1, bytes_max: 1 << 20, wait: Duration::from_millis(100) };
        log.poll(&mut Batch::default(), room).unwrap();
    });
    assert_eq!(warnings.0.load(Ordering::Relaxed), 1);
}

#[test]
fn what_can_be_read_of_a_damaged_file_is() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    let whole = gzip(&calls(0..3000));
    drop_file(directory, Input::Cdrs, "1-cut.jsonl.gz", &whole[..whole.len() / 2]);
    drop_file(directory, Input::Cdrs, "2-unknown.csv", b"a,b\n1,2\n");
    fs::write(spool(directory, "cdrs").join("2-unknown.csv.source"), "no-such-switch\n").unwrap();
    drop_file(directory, Input::Cdrs, "3-columns.csv", b"a,b\n1,2\n");
    let source = "teams-export";
    fs::write(spool(directory, "cdrs").join("3-columns.csv.source"), source).unwrap();
    let mut log = open(directory).unwrap();
    work(&mut log, 100).unwrap();
    let read = debits(directory).len() as u32;
    assert!((1000..2000).contains(&read), "{read}");
    assert_calls(&debits(directory), 0..read);
    drop_file(directory, Input::Cdrs, "4-next.jsonl", calls(read..read + 10).as_bytes());
    work(&mut log, 100).unwrap();
    assert_calls(&debits(directory), 0..read + 10);
    let failed = ["1-cut.jsonl.gz", "2-unknown.csv", "2-unknown.csv.source", "3-columns.csv", "3-columns.csv.source"];
    assert_eq!(names(directory, "failed"), failed.map(|name| format!("cdrs-{name}")));
    assert_eq!(names(directory, "done"), ["cdrs-4-next.jsonl"]);
}

#[test]
fn nothing_is_polled_before_restoring_is_done() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    drop_file(directory, Input::Cdrs, "calls.jsonl", calls(0..10).as_bytes());
    let settings = drawdown_stream::embedded::EmbeddedSettings::new(directory);
    let mut log = EmbeddedLog::open(&settings).unwrap();
    let mut batch = Batch::default();
    let room = Room { records_max: 10, bytes_max: 1 << 20, wait: Duration::from_millis(30) };
    log.poll(&mut batch, room).unwrap();
    log.begin_restore(&[0]).unwrap();
    log.poll(&mut batch, room).unwrap();
    assert!(batch.is_empty());
    while !log.restore(&mut |_| {}).unwrap().is_done {}
    assert_eq!(poll(&mut log, 10).count(), 10);
}
