//! Workers join and leave in the middle of a stream, and every record comes out once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use drawdown_engine::log::{Batch, Change, Log, LogError};
use drawdown_stream::kafka::KafkaSettings;

use crate::desk::{self, Fed, append_debits, feed};

const COUNT: usize = 30_000;
const PARTITIONS: u32 = 8;

#[derive(Default)]
struct Course {
    passed: AtomicUsize,
    is_over: AtomicBool,
}

/// A worker as simple as can be: restores at once what it is given, passes every record on.
fn work(settings: &KafkaSettings, thread: u32, course: &Course, is_to_leave: &AtomicBool) -> usize {
    let mut log = desk::connect(settings, thread);
    let (mut changes, mut owned_most) = (Vec::new(), 0);
    while !course.is_over.load(Ordering::Relaxed) && !is_to_leave.load(Ordering::Relaxed) {
        log.turn(&mut changes).expect("a turn");
        for change in changes.drain(..) {
            if let Change::Assigned(partitions) = change {
                owned_most = owned_most.max(partitions.len());
                log.begin_restore(&partitions).expect("a restore");
            }
        }
        let progress = log.restore(&mut |_| {}).expect("it goes on");
        if !progress.is_done {
            continue;
        }
        let mut batch = Batch::default();
        let room = drawdown_engine::log::Room { records_max: 100, ..desk::ROOM };
        log.poll(&mut batch, room).expect("a poll");
        if batch.is_empty() {
            continue;
        }
        log.begin().expect("a transaction");
        let passed =
            append_debits(&mut log, &batch).and_then(|()| log.commit(batch.positions())).and_then(|()| log.settle());
        match passed {
            Ok(()) => drop(course.passed.fetch_add(batch.count(), Ordering::Relaxed)),
            // It would be passed on again; here it is left to whoever owns it next.
            Err(LogError::Abort(reason)) => panic!("nobody was fenced: {reason}"),
            Err(error) => panic!("{error}"),
        }
    }
    owned_most
}

#[test]
fn workers_join_and_leave_and_every_record_comes_out_once() {
    let Some(settings) = desk::with_topics("rebalance", PARTITIONS) else { return };
    let course = Course::default();
    let (stays, leaves) = (AtomicBool::new(false), AtomicBool::new(false));
    let await_passed = |count: usize| {
        let deadline = Instant::now() + desk::PATIENCE;
        while course.passed.load(Ordering::Relaxed) < count {
            assert!(Instant::now() < deadline, "{} of {count} passed", course.passed.load(Ordering::Relaxed));
            thread::yield_now();
        }
    };
    let feed_part = |part: usize| {
        let numbers = part * COUNT / 3..(part + 1) * COUNT / 3;
        feed(&settings, numbers.map(|n| Fed::new("cdrs", n as i32 % PARTITIONS as i32, n.to_string())));
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| work(&settings, 0, &course, &stays));
        feed_part(0);
        await_passed(COUNT / 10);
        let second = scope.spawn(|| work(&settings, 1, &course, &leaves));
        feed_part(1);
        await_passed(COUNT / 2);
        leaves.store(true, Ordering::Relaxed);
        let owned_by_second = second.join().expect("the second worker");
        assert!((1..PARTITIONS as usize).contains(&owned_by_second), "it owned {owned_by_second}");
        feed_part(2);
        await_passed(COUNT);
        course.is_over.store(true, Ordering::Relaxed);
        assert_eq!(first.join().expect("the first worker"), PARTITIONS as usize);
    });
    let found = desk::await_committed(&settings, "debits", COUNT);
    let numbers: Vec<usize> = found.values().flatten().map(|value| value.parse().expect("a number")).collect();
    assert_eq!(numbers.len(), COUNT);
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    for values in found.values() {
        let numbers: Vec<usize> = values.iter().map(|value| value.parse().expect("a number")).collect();
        assert!(numbers.is_sorted(), "the order of a partition was not kept");
    }
}
