//! State and debits are read back whole: up to what was committed, past what was not.

use std::ops::ControlFlow;
use std::time::Instant;

use drawdown_engine::log::{Log, Output};
use drawdown_stream::kafka::KafkaLog;
use drawdown_units::Timestamp;
use rdkafka::producer::Producer;

use crate::desk::{self, Fed, feed, open};

#[test]
fn a_restore_waits_for_a_transaction_that_is_open() {
    let Some(settings) = desk::with_topics("open-transaction", 1) else { return };
    feed(&settings, (0..10).map(|n| Fed::new("accounts", 0, format!("committed {n}"))));
    let other = desk::open_transaction(&settings, "other");
    desk::send(&other, &settings, [Fed::new("accounts", 0, "in the open transaction")]);
    other.flush(desk::PATIENCE).expect("delivered");
    feed(&settings, [Fed::new("accounts", 0, "after it")]);

    let mut log = desk::connect(&settings, 0);
    let partitions = desk::await_assignment(&mut log);
    log.begin_restore(&partitions).expect("a restore");
    let mut saved = Vec::new();
    let step = |log: &mut KafkaLog, saved: &mut Vec<String>| {
        let note = &mut |message: drawdown_engine::log::Saved<'_>| {
            saved.push(String::from_utf8(message.value.to_vec()).expect("text"));
        };
        log.restore(note).expect("it goes on")
    };
    let deadline = Instant::now() + desk::PATIENCE;
    while saved.len() < 10 {
        assert!(Instant::now() < deadline && !step(&mut log, &mut saved).is_done);
    }
    for _ in 0..25 {
        let progress = step(&mut log, &mut saved);
        assert!(!progress.is_done && progress.read == 10 && progress.total >= 12, "{progress:?}");
    }
    other.commit_transaction(desk::PATIENCE).expect("committed");
    while !step(&mut log, &mut saved).is_done {
        assert!(Instant::now() < deadline, "it is not restored");
    }
    assert_eq!(saved[10..], ["in the open transaction", "after it"]);
}

#[test]
fn a_restore_reads_many_partitions_quickly() {
    const COUNT: usize = 400_000;
    let Some(settings) = desk::with_topics("speed", 4) else { return };
    let value = "x".repeat(300);
    feed(&settings, (0..COUNT).map(|n| Fed::new("accounts", n as i32 % 4, value.as_str())));
    let mut log = desk::connect(&settings, 0);
    let partitions = desk::await_assignment(&mut log);
    let begun = Instant::now();
    log.begin_restore(&partitions).expect("a restore");
    let (mut count, mut bytes) = (0, 0);
    loop {
        let progress = log.restore(&mut |message| {
            count += 1;
            bytes += message.value.len();
        });
        if progress.expect("it goes on").is_done {
            break;
        }
        log.turn(&mut Vec::new()).expect("a turn");
    }
    let took = begun.elapsed();
    assert_eq!((count, bytes), (COUNT, COUNT * 300));
    println!("restored {COUNT} states of 300 bytes in {took:?}: {:.0} a second", COUNT as f64 / took.as_secs_f64());
}

fn debits(log: &mut KafkaLog, from: Timestamp) -> Vec<String> {
    let mut debits = Vec::new();
    log.read_debits(0, from, &mut |debit| {
        debits.push(String::from_utf8(debit.to_vec()).expect("text"));
        ControlFlow::Continue(())
    })
    .expect("it reads");
    debits
}

fn append(log: &mut KafkaLog, value: &str) {
    log.append(Output::Debits, 0, b"org", value.as_bytes()).expect("appended");
}

#[test]
fn debits_are_read_back_in_every_state_of_a_transaction() {
    let Some(settings) = desk::with_topics("read-debits", 1) else { return };
    let (mut log, _) = open(&settings, 0);
    assert_eq!(debits(&mut log, Timestamp::EPOCH), Vec::<String>::new());
    for value in ["one", "two"] {
        log.begin().expect("a transaction");
        append(&mut log, value);
        log.commit(&[]).expect("on its way");
        log.settle().expect("committed");
    }
    assert_eq!(debits(&mut log, Timestamp::EPOCH), ["one", "two"]);
    log.begin().expect("a transaction");
    assert_eq!(debits(&mut log, Timestamp::EPOCH), ["one", "two"]);
    append(&mut log, "three");
    assert_eq!(debits(&mut log, Timestamp::EPOCH), ["one", "two"]);
    log.commit(&[]).expect("on its way");
    assert_eq!(debits(&mut log, Timestamp::EPOCH), ["one", "two", "three"]);
    log.settle().expect("committed");
    let mut first = None;
    log.read_debits(0, Timestamp::EPOCH, &mut |debit| {
        assert!(first.is_none(), "it broke off");
        first = Some(debit.to_vec());
        ControlFlow::Break(())
    })
    .expect("it reads");
    assert_eq!(first.as_deref(), Some(b"one".as_slice()));
    let later = log.now().plus_seconds(3_600);
    assert_eq!(debits(&mut log, later), Vec::<String>::new());
}

/// One read after the other, of one partition and then of another: each has all that there is, and nothing is left of
/// the one before, wherever that broke off.
#[test]
fn debits_are_read_back_again_and_again() {
    const COUNT: usize = 10_000;
    let Some(settings) = desk::with_topics("read-again", 2) else { return };
    feed(&settings, (0..2 * COUNT).map(|n| Fed::new("debits", n as i32 % 2, format!("{} of {}", n / 2, n % 2))));
    let (mut log, _) = open(&settings, 0);
    let begun = Instant::now();
    for round in 0..200 {
        let partition = round / 2 % 2;
        let count_max = [COUNT, 1, COUNT / 2, COUNT, 3][round as usize % 5];
        let mut count = 0;
        let each = &mut |debit: &[u8]| {
            assert_eq!(debit, format!("{count} of {partition}").as_bytes(), "round {round}");
            count += 1;
            if count == count_max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        log.read_debits(partition, Timestamp::EPOCH, each).expect("it reads");
        assert_eq!(count, count_max, "round {round}");
    }
    println!("200 reads of up to {COUNT} debits took {:?}", begun.elapsed());
}

#[test]
fn a_restore_begins_anew_when_it_is_asked_to() {
    let Some(settings) = desk::with_topics("anew", 2) else { return };
    feed(&settings, (0..10).map(|n| Fed::new("seen", n % 2, format!("{n}"))));
    let mut log = desk::connect(&settings, 0);
    let partitions = desk::await_assignment(&mut log);
    log.begin_restore(&partitions).expect("a restore");
    log.restore(&mut |_| {}).expect("it goes on");
    let (saved, progress) = desk::restore(&mut log, &partitions);
    assert_eq!((saved.len(), progress.read, progress.total), (10, 10, 10));
    assert!(saved.iter().all(|(output, ..)| *output == Output::Seen));
}
