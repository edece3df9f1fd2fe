use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::guarded::Guarded;
use super::{Broker, runs_here};

const DECOY: &str = "DRAWDOWN_TESTKIT_DECOY";

/// Runs itself again as the parent, and kills that.
#[test]
fn a_guarded_process_dies_with_a_parent_that_is_killed() {
    if let Some(directory) = env::var_os(DECOY) {
        return be_a_parent(Path::new(&directory));
    }
    let directory = tempfile::tempdir().expect("a directory");
    let mut parent = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "kafka::tests::a_guarded_process_dies_with_a_parent_that_is_killed", "--nocapture"])
        .env(DECOY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test again");
    let mut lines = BufReader::new(parent.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.expect("a line").contains("started")));
    let id = fs::read_to_string(directory.path().join("id")).expect("an id");
    let process = Path::new("/proc").join(id.trim());
    assert!(process.exists());
    parent.kill().expect("killed");
    parent.wait().expect("gone");
    wait_for("its end", || !process.exists());
}

#[test]
fn a_guarded_process_ends_when_it_is_asked_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = File::create(directory.path().join("output")).expect("a file");
    let command = ["sleep".into(), "1000".into()];
    let mut guarded = Guarded::start(&command, &output).expect("a process");
    assert!(!guarded.has_ended());
    guarded.end(Duration::from_secs(60)).expect("it ends");
    assert!(guarded.has_ended());
}

#[test]
fn a_broker_starts_and_stops_and_is_killed_and_comes_back() {
    if !runs_here() {
        return;
    }
    let mut broker = Broker::secure().expect("a broker");
    let cluster = broker.cluster().expect("it is ours");
    cluster.stop(0).expect("it stops");
    cluster.restart(0).expect("it starts again");
    cluster.kill_9(0);
    cluster.restart(0).expect("it starts again");
}

fn be_a_parent(directory: &Path) {
    let output = File::create(directory.join("output")).expect("a file");
    let script = "echo $$ > \"$0/id.partial\"; mv \"$0/id.partial\" \"$0/id\"; exec sleep 1000";
    let command = ["sh".into(), "-c".into(), script.into(), directory.into()];
    let _guarded = Guarded::start(&command, &output).expect("a process");
    wait_for("the process's id", || directory.join("id").exists());
    println!("started");
    thread::sleep(Duration::from_secs(1000));
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
