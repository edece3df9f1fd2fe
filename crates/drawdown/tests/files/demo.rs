//! `drawdown demo`: the same output wherever it runs, but for what depends on speed.

use std::path::Path;

use crate::common::{directory, drawdown};

fn demo(directory: &Path) -> String {
    let mut command = drawdown();
    let run = command.arg("demo").current_dir(directory).output().expect("the demonstration runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).expect("the output is text");
    text.lines().filter(|line| !line.starts_with("took")).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn ends_with_clean_books() {
    let directory = directory("demo", "one");
    let text = demo(&directory);
    insta::assert_snapshot!("demo", text);
    for clean in ["clean: 213 debits", "clean: 24 debits"] {
        assert!(text.lines().any(|line| line.starts_with(clean)), "{clean}\n{text}");
    }
}

#[test]
fn a_second_run_over_the_first_writes_the_same() {
    let directory = directory("demo", "two");
    let rated = directory.join("drawdown-demo/rated");
    let files = ["debits.jsonl", "account-events.jsonl", "rejects.jsonl", "accounts.jsonl"];
    let read = || files.map(|name| std::fs::read(rated.join(name)).expect("an output"));
    let first = (demo(&directory), read());
    assert_eq!(first, (demo(&directory), read()));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = directory("demo", "file");
    std::fs::write(directory.join("taken"), "").expect("a file is written");
    let mut command = drawdown();
    let run = command.args(["demo", "--out", "taken"]).current_dir(&directory).output().expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("taken: cannot be written"));
}
