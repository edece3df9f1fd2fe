//! Following an output from where one left off.

use std::time::Duration;

use drawdown_engine::log::{Log as _, Output};
use drawdown_stream::embedded::{EmbeddedLog, Follower};
use tempfile::tempdir;

use crate::bed::open;

fn commit(log: &mut EmbeddedLog, events: &[&str]) {
    log.begin().expect("a working store");
    for event in events {
        log.append(Output::Events, 0, b"o", event.as_bytes()).expect("a working store");
        log.append(Output::Debits, 0, b"o", b"a debit").expect("a working store");
    }
    log.commit(&[]).expect("a working store");
    log.settle().expect("a working store");
}

fn next(follower: &mut Follower) -> Option<String> {
    let next = follower.next(Duration::ZERO).expect("a working store");
    next.map(|value| String::from_utf8(value).expect("text"))
}

#[test]
fn goes_on_after_what_was_let_go_of() {
    let directory = tempdir().unwrap();
    let follow = || Follower::open(directory.path(), "payment", Output::Events).expect("a place");
    let mut early = follow();
    assert!(early.next(Duration::ZERO).is_err(), "there is no store yet");
    let mut log = open(directory.path()).unwrap();
    commit(&mut log, &["1", "2", "3"]);
    commit(&mut log, &["4"]);
    assert_eq!(next(&mut early).as_deref(), Some("1"), "and now there is");
    let mut follower = follow();
    assert_eq!((next(&mut follower).as_deref(), next(&mut follower).as_deref()), (Some("1"), Some("2")));
    assert!(!follower.is_caught_up());
    follower.commit().unwrap();
    assert_eq!(next(&mut follower).as_deref(), Some("3"));
    drop(follower);
    let mut follower = follow();
    for expected in [Some("3"), Some("4"), None] {
        assert_eq!(next(&mut follower).as_deref(), expected, "what was not let go of comes again");
    }
    assert!(follower.is_caught_up());
    commit(&mut log, &["5"]);
    assert_eq!(next(&mut follower).as_deref(), Some("5"));
    follower.commit().unwrap();
    assert_eq!(next(&mut follow()), None);
    let mut other = Follower::open(directory.path(), "mail", Output::Events).unwrap();
    assert_eq!(next(&mut other).as_deref(), Some("1"), "others have places of their own");
}

#[test]
fn what_waits_is_counted_and_what_was_given_has_its_time() {
    let directory = tempdir().unwrap();
    let mut follower = Follower::open(directory.path(), "mail", Output::Events).unwrap();
    assert_eq!((follower.waiting_count().unwrap(), follower.logged_ms()), (0, None), "there is no store yet");
    let mut log = open(directory.path()).unwrap();
    commit(&mut log, &["1", "2", "3"]);
    assert_eq!(next(&mut follower).as_deref(), Some("1"));
    assert_eq!(follower.waiting_count().unwrap(), 2);
    commit(&mut log, &["4", "5"]);
    assert_eq!(follower.waiting_count().unwrap(), 4, "what came since is not read, and waits all the same");
    let first_ms = follower.logged_ms().expect("the store says when");
    let seconds = log.now().seconds();
    assert!((seconds - 60..=seconds + 60).contains(&(first_ms / 1000)), "{first_ms} {seconds}");
    for waiting in [3, 2, 1, 0, 0] {
        next(&mut follower);
        assert_eq!(follower.waiting_count().unwrap(), waiting);
    }
    assert!(follower.logged_ms() >= Some(first_ms));
}

#[test]
fn a_place_that_cannot_be_read_is_named() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("connectors/payment.position");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "12").unwrap();
    let error = Follower::open(directory.path(), "payment", Output::Events).err().expect("no place").to_string();
    assert!(error.contains("payment.position: does not hold a block and an index"), "{error}");
}
