//! `drawdown demo`: the same output wherever it runs, but for what depends on speed.

use std::path::{Path, PathBuf};
use std::process::Command;

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo").join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}

fn demo(directory: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
    let run = command.arg("demo").current_dir(directory).output().expect("the demonstration runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).expect("the output is text");
    text.lines().filter(|line| !line.starts_with("took")).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn ends_with_clean_books() {
    let directory = directory("one");
    let text = demo(&directory);
    insta::assert_snapshot!("demo", text);
    for clean in ["clean: 213 debits", "clean: 24 debits"] {
        assert!(text.lines().any(|line| line.starts_with(clean)), "{clean}\n{text}");
    }
}

#[test]
fn a_second_run_over_the_first_writes_the_same() {
    let directory = directory("two");
    let rated = directory.join("drawdown-demo/rated");
    let files = ["debits.jsonl", "account-events.jsonl", "rejects.jsonl", "accounts.jsonl"];
    let read = || files.map(|name| std::fs::read(rated.join(name)).expect("an output"));
    let first = (demo(&directory), read());
    assert_eq!(first, (demo(&directory), read()));
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let directory = directory("file");
    std::fs::write(directory.join("taken"), "").expect("a file is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawdown"));
    let run = command.args(["demo", "--out", "taken"]).current_dir(&directory).output().expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("taken: cannot be written"));
}
