use std::fs;

use super::super::{Channel, DeadLetter, DeadLetters};
use super::{FileDeadLetters, Limits};

fn letter(id: u32) -> DeadLetter {
    DeadLetter {
        channel: Channel::Webhook,
        to: "crm".to_owned(),
        id: format!("evt_{id}"),
        body: "{\"type\":\"ModeSet\"}".to_owned(),
        status: Some(500),
        error: "no\nluck".to_owned(),
        attempts: 5,
        at: "2026-03-01T00:00:00Z".to_owned(),
    }
}

fn ids(letters: &FileDeadLetters) -> Vec<String> {
    letters.all().expect("letters").into_iter().map(|letter| letter.id).collect()
}

#[test]
fn letters_are_kept_in_order_and_removed_with_all_their_copies() {
    let directory = tempfile::tempdir().expect("a directory");
    let letters = FileDeadLetters::open(directory.path().join("a/dead.jsonl"), Limits::default()).expect("a file");
    for id in [1, 2, 1, 3] {
        letters.put(&letter(id)).expect("kept");
    }
    assert_eq!(letters.all().expect("letters"), [letter(1), letter(2), letter(3)]);
    letters.remove(&[letter(1)]).expect("removed");
    assert_eq!(ids(&letters), ["evt_2", "evt_3"]);
    letters.remove(&[letter(2), letter(3)]).expect("removed");
    assert!(!directory.path().join("a/dead.jsonl").exists());
}

#[test]
fn the_oldest_are_dropped_beyond_the_bound() {
    let directory = tempfile::tempdir().expect("a directory");
    let limits = Limits { bytes_max: 1, files_max: 3 };
    let letters = FileDeadLetters::open(directory.path().join("dead.jsonl"), limits).expect("a file");
    for id in 1..=5 {
        letters.put(&letter(id)).expect("kept");
    }
    assert_eq!(ids(&letters), ["evt_3", "evt_4", "evt_5"]);
    letters.remove(&[letter(4)]).expect("removed");
    assert_eq!(ids(&letters), ["evt_3", "evt_5"]);
}

#[test]
fn the_mark_is_another_when_letters_came_or_went_in_any_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let limits = Limits { bytes_max: 1, files_max: 3 };
    let letters = FileDeadLetters::open(directory.path().join("dead.jsonl"), limits).expect("a file");
    let mut marks = vec![letters.mark()];
    for id in 1..=2 {
        letters.put(&letter(id)).expect("kept");
        marks.push(letters.mark());
    }
    // The newest file first, so that the older one changes while there is none.
    for id in [2, 1] {
        letters.remove(&[letter(id)]).expect("removed");
        marks.push(letters.mark());
    }
    assert!(marks.windows(2).all(|two| two[0] != two[1]), "{marks:?}");
    assert_eq!(letters.mark(), marks[4], "looking changes nothing");
}

#[test]
fn a_torn_line_costs_no_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dead.jsonl");
    fs::write(&path, "{\"channel\":\"webh").expect("written");
    let letters = FileDeadLetters::open(&path, Limits::default()).expect("a file");
    letters.put(&letter(1)).expect("kept");
    assert_eq!(ids(&letters), ["evt_1"]);
    letters.remove(&[letter(1)]).expect("removed");
    assert_eq!(fs::read_to_string(&path).expect("read"), "{\"channel\":\"webh\n");
}
