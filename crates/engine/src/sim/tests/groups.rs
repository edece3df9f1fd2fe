//! Who owns what, who may commit, and what a new owner reads back.

use super::*;

fn two_partitions() -> SimCluster {
    cluster(Settings { partitions: 2, ..Settings::default() })
}

#[test]
fn partitions_are_shared_out_anew_when_someone_comes_or_goes() {
    let cluster = two_partitions();
    let mut first = SimLog::start(&cluster, 0);
    assert_eq!(assigned(&cluster, &mut first), [0, 1]);
    let mut second = SimLog::start(&cluster, 1);
    assert_eq!(turn(&mut first), [Change::Revoked(vec![0, 1])]);
    assert_eq!(assigned(&cluster, &mut first), [0]);
    assert_eq!(assigned(&cluster, &mut second), [1]);
    second.leave();
    assert_eq!(turn(&mut first), [Change::Revoked(vec![0])]);
    assert_eq!(assigned(&cluster, &mut first), [0, 1]);
}

#[test]
fn who_is_silent_loses_what_it_had_and_learns_so() {
    let cluster = two_partitions();
    let mut zombie = SimLog::start(&cluster, 0);
    assigned(&cluster, &mut zombie);
    let mut other = SimLog::start(&cluster, 1);
    turn(&mut zombie);
    assert_eq!(assigned(&cluster, &mut zombie), [0]);
    assert_eq!(assigned(&cluster, &mut other), [1]);
    for _ in 0..30 {
        cluster.advance(Duration::from_millis(100));
        turn(&mut other);
    }
    assert_eq!(other.owned(), [0, 1]);
    assert_eq!(turn(&mut zombie), [Change::Lost(vec![0])]);
}

fn take_over(cluster: &SimCluster, from: u32) -> SimLog {
    let mut other = SimLog::start(cluster, from);
    for _ in 0..60 {
        cluster.advance(Duration::from_millis(100));
        turn(&mut other);
    }
    other
}

#[test]
fn a_stale_generation_cannot_commit() {
    let cluster = cluster(Settings::default());
    let mut zombie = ready(&cluster);
    let mut other = take_over(&cluster, 1);
    assert_eq!(other.owned(), [0]);
    restored(&mut other, &[0]);
    zombie.begin().expect("its producer is as good as ever");
    put(&mut zombie, "stale");
    assert!(matches!(zombie.commit(&read_to(1)), Err(LogError::Abort(_))));
    zombie.abort().expect("aborted");
    assert_eq!((outputs(&cluster).len(), cluster.position(Input::Cdrs, 0)), (0, 0));
}

#[test]
fn without_the_check_of_generations_it_could() {
    let cluster = cluster(Settings { checks_generation: false, ..Settings::default() });
    let mut zombie = ready(&cluster);
    take_over(&cluster, 1);
    zombie.begin().expect("begun");
    zombie.commit(&read_to(1)).expect("nobody minds");
    zombie.settle().expect("settled");
}

/// A predecessor died within a transaction: its successor must wait until that ends, and then sees nothing of it.
#[test]
fn restoring_waits_for_what_is_open() {
    let cluster = cluster(Settings { transaction: Duration::from_secs(60), ..Settings::default() });
    let mut dead = ready(&cluster);
    dead.begin().expect("begun");
    (0..20).for_each(|_| put(&mut dead, "half"));
    let mut other = take_over(&cluster, 1);
    other.begin_restore(&[0]).expect("begun");
    let before = cluster.elapsed();
    let mut count = 0;
    while !other.restore(&mut |_| count += 1).expect("more").is_done {}
    assert_eq!(count, 0);
    assert!(cluster.elapsed() - before > Duration::from_secs(40), "until the transaction was aborted");
}

/// What was decided and is not marked yet is read back all the same.
#[test]
fn restoring_reads_what_was_committed_but_not_marked_yet() {
    for seed in 0..50 {
        let faults = Faults { marker_max: Duration::from_secs(20), ..Faults::default() };
        let cluster = SimCluster::new(seed, Settings { faults, ..Settings::default() });
        cluster.set_now(at(0));
        let mut log = ready(&cluster);
        log.begin().expect("begun");
        put(&mut log, "late");
        log.commit(&read_to(4)).expect("asked for");
        log.settle().expect("settled");
        let mut other = take_over(&cluster, 1);
        assert_eq!(restored(&mut other, &[0]), ["late"], "seed {seed}");
        let text = ["1", "2", "3", "4", "5"];
        text.iter().for_each(|text| produce(&cluster, Input::Cdrs, 0, text));
        assert_eq!(polled(&mut other), ["5"], "it reads on from what was committed");
    }
}

#[test]
fn a_member_that_does_not_join_is_not_waited_for_for_ever() {
    let cluster = two_partitions();
    let mut busy = SimLog::start(&cluster, 0);
    assigned(&cluster, &mut busy);
    let mut other = SimLog::start(&cluster, 1);
    let mut batch = Batch::default();
    for _ in 0..40 {
        cluster.advance(Duration::from_millis(100));
        // It goes on polling, so it is alive; but it lets no ownership change.
        busy.poll(&mut batch, ROOM).expect("a poll");
        turn(&mut other);
    }
    assert_eq!(other.owned(), [0, 1]);
}

#[test]
fn compaction_keeps_the_latest_of_each_key() {
    let cluster = cluster(Settings::default());
    let mut log = ready(&cluster);
    for text in ["one", "two", "three"] {
        log.begin().expect("begun");
        put(&mut log, text);
        log.commit(&read_to(1)).expect("asked for");
        log.settle().expect("settled");
    }
    cluster.advance(Duration::ZERO);
    cluster.compact();
    assert_eq!(outputs(&cluster), ["three"]);
    assert_eq!(restored(&mut log, &[0]), ["three"]);
}
