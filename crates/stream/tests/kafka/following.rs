//! Following an output as a connector does: how much waits is known, and nothing does at the end.

use std::time::{Duration, Instant};

use drawdown_engine::log::{Log, Output};
use drawdown_stream::kafka::KafkaLog;
use drawdown_stream::kafka::follower::Follower;

use crate::desk;

/// One transaction of so many events.
fn commit(log: &mut KafkaLog, count: usize) {
    log.begin().expect("a transaction");
    (0..count).for_each(|_| log.append(Output::Events, 0, b"org", b"an event").expect("appended"));
    log.commit(&[]).expect("on its way");
    log.settle().expect("committed");
}

/// Takes so many events.
fn take(follower: &mut Follower, count: usize) {
    let deadline = Instant::now() + desk::PATIENCE;
    let mut left = count;
    while left > 0 {
        assert!(Instant::now() < deadline, "{left} of {count} did not come");
        left -= usize::from(follower.next(Duration::from_millis(100)).expect("it goes on").is_some());
    }
}

#[test]
fn what_waits_is_counted_and_at_the_end_nothing_does() {
    let Some(settings) = desk::with_topics("following", 1) else { return };
    let (mut log, _) = desk::open(&settings, 0);
    (0..3).for_each(|_| commit(&mut log, 4));
    let mut follower =
        Follower::output(&settings, Output::Events, &format!("{}mail", settings.prefix)).expect("a group");
    assert_eq!((follower.waiting_count(), follower.logged_ms()), (0, None), "it has no partition yet");
    take(&mut follower, 5);
    let waiting = follower.waiting_count();
    assert!((7..=10).contains(&waiting), "seven events, and no more markers than transactions: {waiting}");
    let logged_ms = follower.logged_ms().expect("the log says when");
    let seconds = log.now().seconds();
    assert!((seconds - 60..=seconds + 60).contains(&(logged_ms / 1000)), "{logged_ms} {seconds}");
    take(&mut follower, 7);
    let deadline = Instant::now() + desk::PATIENCE;
    // The last marker is passed where it is looked for more.
    while follower.waiting_count() > 0 {
        assert!(Instant::now() < deadline, "{} wait at the end", follower.waiting_count());
        assert_eq!(follower.next(Duration::from_millis(100)), Ok(None));
    }
}
