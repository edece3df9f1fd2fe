//! What is kept, and what is refused.

use std::ops::ControlFlow;
use std::path::Path;

use drawdown_engine::log::{Change, Input, Log as _, LogError, Output, Position};
use drawdown_stream::embedded::{Cursor, EmbeddedLog, EmbeddedSettings, Reader, StoreError};
use drawdown_units::Timestamp;
use tempfile::tempdir;

use crate::bed::{debits, messages, open, restored};

fn commit(log: &mut EmbeddedLog, appended: &[(Output, &str, &str)]) {
    log.begin().expect("a working store");
    for (output, key, value) in appended {
        log.append(*output, 0, key.as_bytes(), value.as_bytes()).expect("a working store");
    }
    log.commit(&[]).expect("a working store");
    log.settle().expect("a working store");
}

fn refusal(directory: &Path) -> String {
    match EmbeddedLog::open(&EmbeddedSettings::new(directory)) {
        Err(LogError::Fatal(message)) => message,
        Err(error) => panic!("not fatal: {error}"),
        Ok(_) => panic!("opened"),
    }
}

#[test]
fn what_was_committed_is_read_back() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    commit(&mut log, &[(Output::Accounts, "b", "b1"), (Output::Debits, "b", "debit 1"), (Output::Seen, "", "seen 1")]);
    commit(
        &mut log,
        &[
            (Output::Debits, "a", "debit 2"),
            (Output::Accounts, "a", "a1"),
            (Output::Events, "a", "event 1"),
            (Output::Accounts, "b", "b2"),
            (Output::Debits, "b", "debit 3"),
            (Output::Rejects, "", "reject 1"),
            (Output::Accounts, "a", "a2"),
            (Output::Seen, "", "seen 2"),
        ],
    );
    drop(log);
    let mut saved = Vec::new();
    let log = EmbeddedLog::open(&EmbeddedSettings::new(directory.path())).unwrap();
    let mut log = restored(log, &mut |kept| {
        saved.push((kept.output, String::from_utf8(kept.value.to_vec()).unwrap()));
    })
    .unwrap();
    let of = |output: Output| -> Vec<&str> {
        saved.iter().filter(|(kept, _)| *kept == output).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(of(Output::Accounts), ["a2", "b2"]);
    assert_eq!(of(Output::Seen), ["seen 1", "seen 2"]);
    assert_eq!(debits(directory.path()), ["debit 1", "debit 2", "debit 3"]);
    assert_eq!(messages(directory.path(), Output::Events), ["event 1"]);
    assert_eq!(messages(directory.path(), Output::Rejects), ["reject 1"]);
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.account(b"b").unwrap().unwrap(), b"b2");
    assert_eq!(reader.account(b"c").unwrap(), None);
    let mut again = Vec::new();
    log.read_debits(0, Timestamp::EPOCH, &mut |debit| {
        again.push(debit.to_vec());
        if again.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .unwrap();
    assert_eq!(again, [b"debit 1", b"debit 2"]);
    log.read_debits(0, log.now().plus_seconds(60), &mut |_| panic!("of the future")).unwrap();
}

#[test]
fn accounts_beyond_one_read_are_restored_whole() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    log.begin().unwrap();
    // Keys of three kinds: text, bytes that are none, and the empty one.
    let keys = (0..9000u32).map(|number| match number % 3 {
        0 => number.to_string().into_bytes(),
        1 => [0xFF, 0xFE].into_iter().chain(number.to_be_bytes()).collect(),
        _ => format!("ü{number}").into_bytes(),
    });
    let mut keys: Vec<Vec<u8>> = keys.chain([Vec::new()]).collect();
    let state = |key: &[u8]| [key, b" is this"].concat();
    for key in &keys {
        log.append(Output::Accounts, 0, key, &state(key)).unwrap();
    }
    log.append(Output::Accounts, 0, b"gone", b"state").unwrap();
    log.append(Output::Accounts, 0, b"never there", b"").unwrap();
    log.commit(&[]).unwrap();
    log.begin().unwrap();
    log.append(Output::Accounts, 0, b"gone", b"").unwrap();
    log.commit(&[]).unwrap();
    log.settle().unwrap();
    let mut found = Vec::new();
    let log = restored(log, &mut |kept| found.push(kept.key.to_vec())).unwrap();
    keys.sort();
    found.sort();
    assert!(found == keys);
    let mut listed = 0;
    let reader = Reader::open(directory.path()).unwrap();
    reader
        .accounts(&mut |org, held| {
            assert_eq!(held, state(org));
            listed += 1;
        })
        .unwrap();
    assert_eq!(listed, keys.len());
    for key in keys.iter().step_by(100) {
        assert_eq!(reader.account(key).unwrap(), Some(state(key)));
    }
    drop(log);
}

#[test]
fn an_aborted_transaction_leaves_nothing() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    log.begin().unwrap();
    log.append(Output::Debits, 0, b"a", b"never").unwrap();
    log.append(Output::Accounts, 0, b"a", b"never").unwrap();
    log.abort().unwrap();
    commit(&mut log, &[(Output::Debits, "a", "once")]);
    assert_eq!(debits(directory.path()), ["once"]);
    assert_eq!(Reader::open(directory.path()).unwrap().account(b"a").unwrap(), None);
}

#[test]
fn a_reader_follows_and_sees_only_what_is_committed() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    let mut reader = Reader::open(directory.path()).unwrap();
    let mut read = |cursor: Cursor, count_max: usize| {
        let mut values = Vec::new();
        let next = reader.messages(Output::Debits, cursor, &mut |message| {
            values.push(String::from_utf8(message.value.to_vec()).unwrap());
            if values.len() < count_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        (next.unwrap(), values)
    };
    let (cursor, none) = read(Cursor::default(), 9);
    assert!(none.is_empty());
    log.begin().unwrap();
    log.append(Output::Debits, 0, b"a", b"1").unwrap();
    log.append(Output::Debits, 0, b"a", b"2").unwrap();
    log.append(Output::Debits, 0, b"a", b"3").unwrap();
    assert!(read(cursor, 9).1.is_empty());
    log.commit(&[]).unwrap();
    log.settle().unwrap();
    let (cursor, first) = read(cursor, 2);
    assert_eq!(first, ["1", "2"]);
    commit(&mut log, &[(Output::Events, "a", "event"), (Output::Debits, "a", "4")]);
    let (cursor, rest) = read(cursor, 9);
    assert_eq!(rest, ["3", "4"]);
    commit(&mut log, &[(Output::Debits, "a", "5")]);
    assert_eq!(read(cursor, 9).1, ["5"]);
    let end = Reader::open(directory.path()).unwrap().end().unwrap();
    assert!(read(end, 9).1.is_empty());
}

#[test]
fn a_held_reader_sees_one_moment() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    commit(&mut log, &[(Output::Accounts, "a", "1")]);
    let mut reader = Reader::open(directory.path()).unwrap();
    reader.hold().unwrap();
    commit(&mut log, &[(Output::Accounts, "a", "2"), (Output::Debits, "a", "debit")]);
    assert_eq!(reader.account(b"a").unwrap().unwrap(), b"1");
    assert_eq!(reader.end().unwrap(), Cursor { block: 1, index: 0 });
    reader.release().unwrap();
    assert_eq!(reader.account(b"a").unwrap().unwrap(), b"2");
}

#[test]
fn positions_are_kept_and_only_one_partition_is_assigned_once() {
    let directory = tempdir().unwrap();
    let mut log = EmbeddedLog::open(&EmbeddedSettings::new(directory.path())).unwrap();
    let mut changes = Vec::new();
    log.turn(&mut changes).unwrap();
    log.turn(&mut changes).unwrap();
    assert_eq!(changes, [Change::Assigned(vec![0])]);
    let position = |next| Position { input: Input::Cdrs, partition: 0, next };
    for next in [3, 9] {
        log.begin().unwrap();
        log.commit(&[position(next)]).unwrap();
        log.settle().unwrap();
    }
    assert_eq!(Reader::open(directory.path()).unwrap().positions().unwrap(), [position(9)]);
}

#[test]
fn old_blocks_are_forgotten_and_new_ones_kept() {
    let directory = tempdir().unwrap();
    let mut settings = EmbeddedSettings::new(directory.path());
    settings.retention.seen_days = 0;
    let mut log = restored(EmbeddedLog::open(&settings).unwrap(), &mut |_| {}).unwrap();
    for number in 0..30 {
        let value = number.to_string();
        commit(&mut log, &[(Output::Seen, "", &value), (Output::Debits, "a", &value)]);
    }
    let seen = messages(directory.path(), Output::Seen);
    assert_eq!(seen.last().unwrap(), "29");
    // Those of the same millisecond stay.
    assert!(seen.len() < 30, "{}", seen.len());
    assert_eq!(debits(directory.path()).len(), 30);
}

#[test]
fn messages_of_any_size_are_kept() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    let large = "x".repeat(9 << 20);
    commit(&mut log, &[(Output::Debits, "a", &large), (Output::Debits, "a", &large), (Output::Debits, "a", "small")]);
    let lengths: Vec<usize> = debits(directory.path()).iter().map(String::len).collect();
    assert_eq!(lengths, [9 << 20, 9 << 20, 5]);
}

#[test]
fn a_log_that_was_closed_is_one_file() {
    let directory = tempdir().unwrap();
    let mut log = open(directory.path()).unwrap();
    commit(&mut log, &[(Output::Debits, "a", "debit")]);
    drop(log);
    let entries = std::fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["drawdown.db", "lock", "spool"]);
    assert_eq!(debits(directory.path()), ["debit"]);
}

#[test]
fn a_second_process_is_told_who_has_it() {
    let directory = tempdir().unwrap();
    let log = open(directory.path()).unwrap();
    let message = refusal(directory.path());
    assert!(message.contains(&format!("in use by process {}", std::process::id())), "{message}");
    assert!(message.contains(&directory.path().display().to_string()), "{message}");
    drop(log);
    open(directory.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_to_is_refused() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for place in [file.join("log"), Path::new("/proc/drawdown").to_owned(), Path::new("/sys/kernel").to_owned()] {
        let message = refusal(&place);
        assert!(message.contains(&place.display().to_string()), "{message}");
        assert!(message.contains("see that the directory may be written to"), "{message}");
    }
    assert!(matches!(Reader::open(&directory.path().join("none")), Err(StoreError::Directory { .. })));
}

#[test]
fn what_is_no_store_of_ours_is_refused() {
    let directory = tempdir().unwrap();
    std::fs::write(directory.path().join("drawdown.db"), "not a database, but long enough to be looked at".repeat(40))
        .unwrap();
    let message = refusal(directory.path());
    assert!(message.contains("drawdown.db"), "{message}");
    assert!(message.contains("not a database"), "{message}");
    assert!(Reader::open(directory.path()).is_err());
}
