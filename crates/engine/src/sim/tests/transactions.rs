//! Visibility, atomicity, epochs, time-outs.

use super::*;

#[test]
fn what_is_open_hides_everything_after_it() {
    let cluster = cluster(Settings::default());
    let mut log = ready(&cluster);
    let upstream = cluster.open_upstream();
    produce(&cluster, Input::Cdrs, 0, "a");
    cluster.produce_within(upstream, Input::Cdrs, 0, &produced("b"));
    produce(&cluster, Input::Cdrs, 0, "c");
    assert_eq!(polled(&mut log), ["a"]);
    assert_eq!(log.lag(0), 0, "what cannot be read does not count");
    cluster.end_upstream(upstream, true);
    assert_eq!(log.lag(0), 2);
    assert_eq!(polled(&mut log), ["b", "c"]);
}

#[test]
fn what_is_aborted_is_never_seen() {
    let cluster = cluster(Settings::default());
    let mut log = ready(&cluster);
    for (text, committed) in [("a", false), ("b", true), ("c", false)] {
        let upstream = cluster.open_upstream();
        cluster.produce_within(upstream, Input::Cdrs, 0, &produced(text));
        cluster.end_upstream(upstream, committed);
    }
    assert_eq!(polled(&mut log), ["b"]);
    assert_eq!(cluster.input(Input::Cdrs, 0).len(), 1);
}

#[test]
fn outputs_and_positions_become_valid_together() {
    let cluster = cluster(Settings::default());
    let mut log = ready(&cluster);
    log.begin().expect("begun");
    put(&mut log, "one");
    assert_eq!((outputs(&cluster).len(), cluster.position(Input::Cdrs, 0)), (0, 0));
    log.commit(&read_to(7)).expect("asked for");
    log.settle().expect("settled");
    cluster.advance(Duration::ZERO);
    assert_eq!((outputs(&cluster), cluster.position(Input::Cdrs, 0)), (vec!["one".to_owned()], 7));
    assert_eq!(cluster.history().len(), 1);
}

#[test]
fn markers_reach_each_partition_in_their_own_time() {
    let faults = Faults { marker_max: Duration::from_secs(1), ..Faults::default() };
    let cluster = cluster(Settings { faults, ..Settings::default() });
    let mut log = ready(&cluster);
    log.begin().expect("begun");
    for output in Output::ALL {
        log.append(output, 0, b"", b"x").expect("appended");
    }
    log.commit(&read_to(1)).expect("asked for");
    log.settle().expect("settled");
    let readable = || Output::ALL.into_iter().filter(|output| !cluster.output(*output, 0).is_empty()).count();
    let mut seen = vec![readable()];
    while readable() < Output::ALL.len() {
        cluster.advance(Duration::from_millis(1));
        seen.extend(Some(readable()).filter(|count| seen.last() != Some(count)));
    }
    assert!(seen.len() > 3, "some were readable before others: {seen:?}");
}

#[test]
fn the_next_transaction_waits_for_the_markers_of_the_one_before() {
    let faults = Faults { marker_max: Duration::from_secs(1), ..Faults::default() };
    let cluster = cluster(Settings { faults, ..Settings::default() });
    let mut log = ready(&cluster);
    for text in ["one", "two"] {
        log.begin().expect("begun");
        put(&mut log, text);
        log.commit(&read_to(1)).expect("asked for");
        log.settle().expect("settled");
    }
    assert!(outputs(&cluster).first().is_some_and(|first| first == "one"));
}

#[test]
fn an_aborted_transaction_leaves_nothing() {
    let cluster = cluster(Settings::default());
    let mut log = ready(&cluster);
    log.begin().expect("begun");
    (0..20).for_each(|_| put(&mut log, "no"));
    log.abort().expect("aborted");
    log.begin().expect("begun");
    put(&mut log, "yes");
    log.commit(&read_to(3)).expect("asked for");
    log.settle().expect("settled");
    cluster.advance(Duration::ZERO);
    assert_eq!((outputs(&cluster), cluster.position(Input::Cdrs, 0)), (vec!["yes".to_owned()], 3));
}

#[test]
fn a_successor_shuts_its_predecessor_out() {
    let cluster = cluster(Settings::default());
    let mut old = ready(&cluster);
    old.begin().expect("begun");
    (0..20).for_each(|_| put(&mut old, "old"));
    let _new = SimLog::start(&cluster, 0);
    assert!(!cluster.is_busy(), "its transaction was ended");
    assert!(matches!(old.commit(&read_to(1)), Err(LogError::Fatal(_))));
    assert!(outputs(&cluster).is_empty());
}

#[test]
fn a_transaction_that_is_open_too_long_is_aborted_and_its_producer_shut_out() {
    let cluster = cluster(Settings::default());
    let mut log = ready(&cluster);
    log.begin().expect("begun");
    (0..20).for_each(|_| put(&mut log, "late"));
    assert!(cluster.is_busy());
    cluster.advance(Duration::from_secs(4));
    cluster.advance(Duration::ZERO);
    assert!(!cluster.is_busy());
    assert!(matches!(log.commit(&[]), Err(LogError::Fatal(_))));
}

/// Whatever was said about it, a commit is made whole or not at all.
#[test]
fn a_commit_that_nobody_knows_of_was_made_or_was_not() {
    let mut made = [0, 0];
    for seed in 0..60 {
        let faults = Faults { commit_unknown_per_mille: 1_000, ..Faults::default() };
        let cluster = SimCluster::new(seed, Settings { faults, ..Settings::default() });
        cluster.set_now(at(0));
        let mut log = ready(&cluster);
        log.begin().expect("begun");
        put(&mut log, "perhaps");
        let outcome = log.commit(&read_to(5)).and_then(|()| log.settle());
        assert!(matches!(outcome, Err(LogError::Fatal(_))));
        cluster.advance(Duration::from_secs(10));
        cluster.advance(Duration::ZERO);
        let is_made = !outputs(&cluster).is_empty();
        assert_eq!(cluster.position(Input::Cdrs, 0), if is_made { 5 } else { 0 });
        made[usize::from(is_made)] += 1;
    }
    assert!(made[0] > 10 && made[1] > 10, "both happen: {made:?}");
}

#[test]
fn a_failed_commit_says_so_and_can_be_made_again() {
    for seed in 0..30 {
        let failing = Faults { commit_abort_per_mille: 1_000, ..Faults::default() };
        let cluster = SimCluster::new(seed, Settings { faults: failing, ..Settings::default() });
        cluster.set_now(at(0));
        let mut log = ready(&cluster);
        log.begin().expect("begun");
        put(&mut log, "one");
        let outcome = log.commit(&read_to(5)).and_then(|()| log.settle());
        assert!(matches!(outcome, Err(LogError::Abort(_))));
        log.abort().expect("aborted");
        cluster.set_faults(Faults::default());
        log.begin().expect("begun");
        put(&mut log, "two");
        log.commit(&read_to(5)).expect("asked for");
        log.settle().expect("settled");
        cluster.advance(Duration::ZERO);
        assert_eq!((outputs(&cluster), cluster.position(Input::Cdrs, 0)), (vec!["two".to_owned()], 5));
    }
}
