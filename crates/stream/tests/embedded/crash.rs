//! Killed at any moment, out of space: every record is there once in the end.

use std::env;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use drawdown_engine::log::{Input, Output};
use drawdown_stream::embedded::Reader;
use tempfile::tempdir;

use crate::bed::{assert_calls, calls, debits, drop_file, messages, names, open, round, work};

/// Tells the test binary, run again, to be a worker of the directory that it names.
const WORKER: &str = "DRAWDOWN_TEST_WORKER";

/// Not a test of its own: the process that is killed. It ends with the process that started it.
#[test]
fn worker_of_another_process() {
    let Some(directory) = env::var_os(WORKER) else { return };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let mut log = open(Path::new(&directory)).expect("an open log");
    loop {
        if let Err(error) = round(&mut log, 50, Duration::from_millis(50)) {
            eprintln!("{error}");
            std::process::exit(9);
        }
    }
}

fn worker(directory: &Path, shell_prefix: &str) -> Child {
    let binary = env::current_exe().expect("this binary");
    Command::new("sh")
        .arg("-c")
        .arg(format!("{shell_prefix} exec \"$0\" --exact crash::worker_of_another_process --nocapture"))
        .arg(binary)
        .env(WORKER, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// Up to where usage records are committed.
fn committed(directory: &Path) -> u64 {
    let positions = Reader::open(directory).and_then(|reader| reader.positions());
    let cdrs = positions.unwrap_or_default().into_iter().find(|position| position.input == Input::Cdrs);
    cdrs.map_or(0, |position| position.next)
}

#[test]
fn killed_at_any_moment_each_record_is_there_once() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    const CALLS: u32 = 6000;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut dropped = 0;
    let mut kills = 0;
    while committed(directory) < u64::from(CALLS) {
        if dropped < CALLS {
            // Files of some records or none, some under names that were used before.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let count = (random >> 40) as u32 % 500;
            let until = CALLS.min(dropped + count);
            drop_file(
                directory,
                Input::Cdrs,
                &format!("{:05}.jsonl", dropped / 1000),
                calls(dropped..until).as_bytes(),
            );
            dropped = until;
        }
        let mut child = worker(directory, "");
        let wanted = (committed(directory) + (random >> 33) % 400).min(u64::from(dropped));
        while committed(directory) < wanted {
            assert!(child.try_wait().unwrap().is_none(), "the worker gave up");
            std::thread::yield_now();
        }
        // Somewhere in the rounds that follow, in the moving of a file, or at rest.
        for _ in 0..(random >> 20) % 2000 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let name = format!("{:05}.jsonl", dropped / 1000);
        if names(directory, "cdrs").contains(&name) {
            // It must not be put in the place of one that waits: that would be the operator's loss.
            work(&mut open(directory).unwrap(), 40).unwrap();
        }
    }
    work(&mut open(directory).unwrap(), 50).unwrap();
    assert!(kills >= 10, "{kills}");
    assert_calls(&debits(directory), 0..CALLS);
    assert!(names(directory, "cdrs").is_empty());
    let seen: u32 = messages(directory, Output::Seen)
        .iter()
        .map(|count| u32::from_le_bytes(count.as_bytes().try_into().unwrap_or([0; 4])))
        .sum();
    assert_eq!(seen, CALLS);
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let directory = tempdir().unwrap();
    let directory = directory.path();
    // Blocks of 512 bytes; the signal ignored, so that writing fails as on a full disk.
    let mut child = worker(directory, "trap '' XFSZ; ulimit -f 2000;");
    // Rows that do not compress, so that the store grows.
    let mut random = 1u64;
    let mut dropped = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if u64::from(dropped) == committed(directory) {
            let rows: String = (dropped..dropped + 200)
                .map(|number| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(number.into());
                    format!("{number} {:016x}{:016x}\n", random, random.rotate_left(17).wrapping_mul(31))
                })
                .collect();
            drop_file(directory, Input::Cdrs, &format!("{dropped:06}.jsonl"), rows.as_bytes());
            dropped += 200;
        }
        std::thread::yield_now();
    };
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(status.code(), Some(9), "{told}");
    assert!(told.contains("drawdown.db: cannot write to the store"), "{told}");
    assert!(told.contains("what was committed is safe"), "{told}");
    work(&mut open(directory).unwrap(), 1000).unwrap();
    let numbers: Vec<u32> = debits(directory)
        .iter()
        .map(|debit| debit.split(' ').nth(3).and_then(|number| number.parse().ok()).expect("a number"))
        .collect();
    assert_eq!(numbers, (0..dropped).collect::<Vec<_>>());
}
