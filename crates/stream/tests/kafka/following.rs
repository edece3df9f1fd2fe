//! Following an output as a connector does: how much waits is known, and nothing does at the end.

use std::time::{Duration, Instant};

use drawdown_engine::log::{Log, Output};
use drawdown_stream::kafka::follower::Follower;
use drawdown_stream::kafka::{KafkaLog, KafkaSettings};

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

/// A member has to poll every two seconds. Its session is no longer, or the client refuses it.
fn hasty(settings: &KafkaSettings) -> KafkaSettings {
    let mut hasty = settings.clone();
    hasty.session_timeout = Duration::from_secs(2);
    for property in ["consumer.max.poll.interval.ms", "consumer.session.timeout.ms"] {
        hasty.properties.insert(property.to_owned(), "2000".to_owned());
    }
    hasty
}

#[test]
fn who_is_busy_for_longer_than_the_group_waits_stays_its_member() {
    let Some(settings) = desk::with_topics("busy", 1) else { return };
    let (mut log, _) = desk::open(&settings, 0);
    (0..3).for_each(|_| commit(&mut log, 1));
    let group = format!("{}webhook", settings.prefix);
    let mut follower = Follower::output(&hasty(&settings), Output::Events, &group).expect("a group");
    take(&mut follower, 1);
    let busy_until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < busy_until {
        follower.look();
        std::thread::sleep(Duration::from_millis(200));
    }
    follower.commit().expect("it is a member still");
    take(&mut follower, 2);
    assert_eq!(follower.next(Duration::from_secs(1)), Ok(None), "nothing comes twice");
}

#[test]
fn what_goes_to_another_member_meanwhile_is_given_to_that_one() {
    let Some(settings) = desk::with_topics("shared", 2) else { return };
    let (mut log, _) = desk::open(&settings, 0);
    log.begin().expect("a transaction");
    (0..2).for_each(|partition| log.append(Output::Events, partition, b"org", b"an event").expect("appended"));
    log.commit(&[]).expect("on its way");
    log.settle().expect("committed");
    let group = format!("{}webhook", settings.prefix);
    let follower = || Follower::output(&settings, Output::Events, &group).expect("a group");
    let mut busy = follower();
    take(&mut busy, 2);
    let mut other = follower();
    let deadline = Instant::now() + desk::PATIENCE;
    while other.next(Duration::from_millis(100)).expect("it goes on").is_none() {
        assert!(Instant::now() < deadline, "no partition came to it");
        busy.look();
    }
    // Both went with the rebalance: nothing is said of them, and what came back is read anew.
    busy.commit().expect("nothing to say");
    take(&mut busy, 1);
    busy.commit().expect("the partition that came back");
    other.commit().expect("the partition that came to it");
    drop((busy, other));
    let mut heir = follower();
    let deadline = Instant::now() + desk::PATIENCE;
    while !heir.is_caught_up() {
        assert!(Instant::now() < deadline, "it has no partitions");
        assert_eq!(heir.next(Duration::from_millis(100)), Ok(None), "both were let go of");
    }
}
