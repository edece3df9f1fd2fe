//! A log in a directory of its own, and the simplest worker there is: each record becomes one debit.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use drawdown_engine::log::{Batch, Input, Log as _, LogError, Output, Room, Saved};
use drawdown_stream::embedded::{Cursor, EmbeddedLog, EmbeddedSettings, Reader};

/// Opens the log of a directory and restores it.
pub fn open(directory: &Path) -> Result<EmbeddedLog, LogError> {
    restored(EmbeddedLog::open(&EmbeddedSettings::new(directory))?, &mut |_| {})
}

/// Restores a log that was just opened.
pub fn restored(mut log: EmbeddedLog, each: &mut dyn FnMut(Saved<'_>)) -> Result<EmbeddedLog, LogError> {
    let mut changes = Vec::new();
    log.turn(&mut changes)?;
    log.begin_restore(&[0])?;
    while !log.restore(each)?.is_done {}
    Ok(log)
}

/// A record as the worker copies it: where it stood, and what it was.
pub fn copied(input: Input, offset: u64, file: &str, line: u64, value: &[u8]) -> String {
    format!("{} {offset} {file}:{line} {}", input.name(), String::from_utf8_lossy(value))
}

/// One round of the worker, of at most `records_max` records; how many there were.
pub fn round(log: &mut EmbeddedLog, records_max: usize, wait: Duration) -> Result<usize, LogError> {
    log.turn(&mut Vec::new())?;
    let mut batch = Batch::default();
    log.poll(&mut batch, Room { records_max, bytes_max: 8 << 20, wait })?;
    if batch.is_empty() {
        return Ok(0);
    }
    log.begin()?;
    for index in 0..batch.count() {
        let record = batch.record(index);
        let place = record.attributes.place.expect("a place in a file");
        let debit = copied(record.input, record.offset, place.file, place.line, record.value);
        log.append(Output::Debits, 0, b"acme", debit.as_bytes())?;
    }
    log.append(Output::Accounts, 0, b"acme", format!("{:?}", batch.positions()).as_bytes())?;
    log.append(Output::Seen, 0, b"", &(batch.count() as u32).to_le_bytes())?;
    log.commit(batch.positions())?;
    log.settle()?;
    Ok(batch.count())
}

/// Works until the spool is empty.
pub fn work(log: &mut EmbeddedLog, records_max: usize) -> Result<(), LogError> {
    loop {
        let count = round(log, records_max, Duration::from_millis(20))?;
        if count == 0 && log.lag(0) == 0 {
            // What was found at its end by now is moved.
            return log.turn(&mut Vec::new());
        }
    }
}

/// All messages of an output.
pub fn messages(directory: &Path, output: Output) -> Vec<String> {
    let mut messages = Vec::new();
    let mut reader = Reader::open(directory).expect("a store");
    reader
        .messages(output, Cursor::default(), &mut |message| {
            messages.push(String::from_utf8_lossy(message.value).into_owned());
            ControlFlow::Continue(())
        })
        .expect("a sound store");
    messages
}

pub fn debits(directory: &Path) -> Vec<String> {
    messages(directory, Output::Debits)
}

/// A native row.
pub fn call(number: u32, end: &str) -> String {
    format!(
        r#"{{"id":"call-{number}","orgId":"acme","callType":"user_out","startDateTime":"2026-03-01T00:00:00Z","endDateTime":"{end}","duration":60,"calleeNumber":"+442071838750"}}"#
    )
}

/// Rows, all of one length.
pub fn calls(numbers: std::ops::Range<u32>) -> String {
    let time = |number: u32| format!("2026-03-01T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
    numbers.map(|number| call(number, &time(number)) + "\n").collect()
}

/// A command that arrives at `at`.
pub fn command(number: u32, at: &str) -> String {
    format!(r#"{{"commandId":"command-{number}","orgId":"acme","at":"{at}","type":"closeAccount"}}"#)
}

pub fn spool(directory: &Path, name: &str) -> PathBuf {
    directory.join("spool").join(name)
}

/// Puts a file into the spool as an operator does: written under another name, then renamed.
pub fn drop_file(directory: &Path, input: Input, name: &str, content: &[u8]) {
    let at = spool(directory, input.name());
    fs::create_dir_all(&at).expect("a directory");
    fs::write(at.join(format!(".{name}.part")), content).expect("space");
    fs::rename(at.join(format!(".{name}.part")), at.join(name)).expect("a renaming");
}

/// The names in a directory of the spool, without the time in front.
pub fn names(directory: &Path, of: &str) -> Vec<String> {
    let entries = fs::read_dir(spool(directory, of)).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string().expect("text");
    let mut names: Vec<String> = entries
        .map(name)
        .map(|name| match name.split_once("Z-") {
            Some((_, rest)) => rest.to_owned(),
            None => name,
        })
        .collect();
    names.sort();
    names
}

/// Every record of `calls(range)` once and in order, from files that were read one after the other.
pub fn assert_calls(debits: &[String], numbers: std::ops::Range<u32>) {
    let found: Vec<&str> = debits.iter().map(|debit| debit.split_once('{').map_or("", |(_, row)| row)).collect();
    let expected = calls(numbers);
    let expected: Vec<&str> = expected.lines().map(|line| &line[1..]).collect();
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "records out of order, lost or doubled");
    let offsets: Vec<&str> = debits.iter().filter_map(|debit| debit.split(' ').nth(1)).collect();
    let counted: Vec<String> = (0..debits.len()).map(|offset| offset.to_string()).collect();
    assert_eq!(offsets, counted);
}
