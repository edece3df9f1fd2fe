//! What is committed is readable and not read again; what is aborted never is.

use drawdown_engine::log::{Attributes, Batch, Input, Log, Output, Place};
use drawdown_stream::kafka::headers;
use drawdown_units::Timestamp;

use crate::desk::{self, Fed, append_debits, feed, open, pass_on, poll};

#[test]
fn a_record_goes_in_and_its_debit_comes_out_once() {
    let Some(settings) = desk::with_topics("round-trip", 4) else { return };
    let records =
        (0..400).map(|n| Fed::new(if n % 10 == 0 { "commands" } else { "cdrs" }, n % 4, format!("record {n}")));
    feed(&settings, records);
    let (mut log, saved) = open(&settings, 0);
    assert!(saved.is_empty());
    let batch = poll(&mut log, 400);
    assert_eq!((0..400).filter(|index| batch.stream(*index).1 == Input::Commands).count(), 40);
    assert!((0..400).all(|index| batch.record(index).key == Some(b"org")));
    log.begin().expect("a transaction");
    append_debits(&mut log, &batch).expect("appended");
    log.append(Output::Accounts, 3, b"org", b"a balance").expect("appended");
    log.append(Output::Seen, 3, b"", b"identities").expect("appended");
    log.commit(batch.positions()).expect("on its way");
    log.settle().expect("committed");
    drop(log);

    let found = desk::committed(&settings, "debits");
    assert_eq!(found.values().map(Vec::len).sum::<usize>(), 400);
    for (partition, debits) in found {
        let numbers: Vec<i32> =
            debits.iter().map(|debit| debit["record ".len()..].parse().expect("a number")).collect();
        assert!(numbers.iter().all(|number| number % 4 == partition), "partition {partition} got {numbers:?}");
    }
    let (mut log, mut saved) = open(&settings, 0);
    saved.sort_by_key(|(output, ..)| *output);
    assert_eq!(saved, [(Output::Accounts, 3, b"a balance".to_vec()), (Output::Seen, 3, b"identities".to_vec())]);
    feed(&settings, [Fed::new("cdrs", 1, "one more")]);
    assert_eq!(poll(&mut log, 1).record(0).value, b"one more");
}

#[test]
fn what_was_aborted_is_not_seen_and_comes_again() {
    let Some(settings) = desk::with_topics("abort", 2) else { return };
    feed(&settings, (0..20).map(|n| Fed::new("cdrs", n % 2, format!("record {n}"))));
    let (mut log, _) = open(&settings, 0);
    let batch = poll(&mut log, 20);
    log.begin().expect("a transaction");
    append_debits(&mut log, &batch).expect("appended");
    log.append(Output::Debits, 0, b"org", b"never").expect("appended");
    log.abort().expect("aborted");
    assert!(desk::committed(&settings, "debits").is_empty());
    pass_on(&mut log, &batch).expect("committed");
    let found = desk::await_committed(&settings, "debits", 20);
    assert_eq!(found.values().map(Vec::len).sum::<usize>(), 20);
    assert!(found.values().flatten().all(|debit| debit != "never"));
}

#[test]
fn a_log_that_is_dropped_in_a_transaction_leaves_nothing() {
    let Some(settings) = desk::with_topics("dropped", 1) else { return };
    feed(&settings, (0..5).map(|n| Fed::new("cdrs", 0, format!("record {n}"))));
    let (mut log, _) = open(&settings, 0);
    let batch = poll(&mut log, 5);
    log.begin().expect("a transaction");
    append_debits(&mut log, &batch).expect("appended");
    drop(log);
    let (mut log, _) = open(&settings, 0);
    let again = poll(&mut log, 5);
    pass_on(&mut log, &again).expect("committed");
    assert_eq!(desk::await_committed(&settings, "debits", 5)[&0].len(), 5);
}

#[test]
fn transactions_without_records_are_committed_too() {
    let Some(settings) = desk::with_topics("ticks", 2) else { return };
    feed(&settings, (0..3).map(|n| Fed::new("cdrs", 0, format!("record {n}"))));
    let (mut log, _) = open(&settings, 0);
    let batch = poll(&mut log, 3);
    for value in ["before", "after"] {
        log.begin().expect("a transaction");
        log.append(Output::Events, 0, b"org", value.as_bytes()).expect("appended");
        log.commit(&[]).expect("on its way");
        log.settle().expect("committed");
        if value == "before" {
            pass_on(&mut log, &batch).expect("committed");
        }
    }
    assert_eq!(desk::await_committed(&settings, "account-events", 2)[&0], ["before", "after"]);
    drop(log);
    let (mut log, _) = open(&settings, 0);
    feed(&settings, [Fed::new("cdrs", 0, "one more")]);
    assert_eq!(poll(&mut log, 1).record(0).value, b"one more", "the offsets did not go back");
}

#[test]
fn the_next_batch_is_polled_while_a_commit_is_in_flight() {
    let Some(settings) = desk::with_topics("overlap", 1) else { return };
    let (mut log, _) = open(&settings, 0);
    feed(&settings, (0..10).map(|n| Fed::new("cdrs", 0, format!("record {n}"))));
    let mut batch = poll(&mut log, 10);
    for round in 1..5 {
        log.begin().expect("a transaction");
        append_debits(&mut log, &batch).expect("appended");
        log.commit(batch.positions()).expect("on its way");
        feed(&settings, (0..10).map(|n| Fed::new("cdrs", 0, format!("record {}", round * 10 + n))));
        let next = poll(&mut log, 10);
        log.settle().expect("committed");
        batch = next;
    }
    pass_on(&mut log, &batch).expect("committed");
    let expected: Vec<_> = (0..50).map(|n| format!("record {n}")).collect();
    assert_eq!(desk::await_committed(&settings, "debits", 50)[&0], expected);
}

#[test]
fn headers_and_times_come_along() {
    let Some(settings) = desk::with_topics("headers", 1) else { return };
    let place = Some(Place { file: "calls.csv", line: 7, offset: 99 });
    let attributes = Attributes { ce_id: Some("e1"), org: Some("contoso"), place, ..Attributes::default() };
    let sent_ms = 1_795_600_000_123;
    let arrival = Timestamp::from_parts(1_772_323_200, 123_456_789);
    let plain = Fed { timestamp_ms: Some(sent_ms), ..Fed::new("cdrs", 0, "without") };
    let marked = Fed {
        headers: headers(&attributes, Some(arrival)),
        timestamp_ms: Some(sent_ms),
        ..Fed::new("cdrs", 0, "with headers")
    };
    feed(&settings, [plain, marked]);
    let (mut log, _) = open(&settings, 0);
    let batch = poll(&mut log, 2);
    assert_eq!(batch.record(0).attributes, Attributes::default());
    assert_eq!(batch.record(0).arrival, Timestamp::from_parts(sent_ms / 1_000, 123_000_000));
    assert_eq!(batch.record(1).attributes, attributes);
    assert_eq!(batch.record(1).arrival, arrival, "and not when it was sent");
}

#[test]
fn a_batch_keeps_to_the_room_that_it_has() {
    let Some(settings) = desk::with_topics("room", 1) else { return };
    feed(&settings, (0..100).map(|n| Fed::new("cdrs", 0, format!("{n:0100}"))));
    let (mut log, _) = open(&settings, 0);
    let mut offsets = Vec::new();
    while offsets.len() < 100 {
        let mut batch = Batch::default();
        let room = drawdown_engine::log::Room { records_max: 30, bytes_max: 1_000, ..desk::ROOM };
        log.poll(&mut batch, room).expect("a poll");
        assert!(batch.size_bytes() < 1_000 + 103 && batch.count() <= 10, "{}", batch.size_bytes());
        offsets.extend((0..batch.count()).map(|index| batch.record(index).offset));
    }
    assert_eq!(offsets, (0..100).collect::<Vec<_>>());
}

#[test]
fn lag_is_zero_at_the_end_and_not_before() {
    let Some(settings) = desk::with_topics("lag", 1) else { return };
    // An input written in transactions ends with a marker, which is no record.
    let producer = desk::open_transaction(&settings, "importer");
    desk::send(&producer, &settings, (0..10).map(|n| Fed::new("cdrs", 0, format!("record {n}"))));
    rdkafka::producer::Producer::commit_transaction(&producer, desk::PATIENCE).expect("committed");
    let mut log = desk::connect(&settings, 0);
    assert_ne!(log.lag(0), 0, "nothing is known yet");
    let partitions = desk::await_assignment(&mut log);
    desk::restore(&mut log, &partitions);
    assert_ne!(log.lag(0), 0, "nothing was polled yet");
    poll(&mut log, 10);
    let deadline = std::time::Instant::now() + desk::PATIENCE;
    while log.lag(0) > 0 {
        assert!(std::time::Instant::now() < deadline, "a lag of {} remains", log.lag(0));
        log.poll(&mut Batch::default(), desk::ROOM).expect("a poll");
    }
}
