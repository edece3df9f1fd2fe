//! `drawdown serve` and its companions as an operator runs them, on the embedded store and on a real Kafka with TLS and
//! SCRAM: a deck published while it runs, files imported, debits followed, rejects replayed, and a stop in good order.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::process::{Process, drawdown, run};
use drawdown_testkit::kafka::{self, Broker, PASSWORD, USER};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A pipeline with nothing in it, and files.
struct Desk {
    dir: TempDir,
}

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

impl Desk {
    /// `log` is what the configuration says of the log.
    fn new(log: &str) -> Self {
        let dir = TempDir::new().expect("a directory");
        let store = dir.path().join("store");
        let text = format!(
            "{log}\n[embedded]\ndirectory = {store:?}\n[time]\nsource = \"records\"\n\
             [rating]\ndedup_days = 90\n[http]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(dir.path().join("drawdown.toml"), text).expect("it can be written");
        Desk { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command with the configuration.
    fn drawdown(&self, words: &[&str]) -> String {
        run(drawdown().args(words).arg("--config").arg(self.path("drawdown.toml")))
    }

    /// A process that has opened its log: before that there may be no store to look into.
    fn start(&self) -> Process {
        let log = self.path("serve.log");
        let begun = || std::fs::read_to_string(&log).unwrap_or_default().matches("serving").count();
        let (before, deadline) = (begun(), Instant::now() + PATIENCE);
        let process = Process::start(&self.path("drawdown.toml"), &log);
        while begun() == before {
            assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&log).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(50));
        }
        process
    }

    fn import(&self, commands: Option<&Path>, calls: Option<&Path>) {
        let mut words = vec!["import".to_owned()];
        words.extend(commands.into_iter().flat_map(|path| ["--commands".to_owned(), path.display().to_string()]));
        words.extend(calls.map(|path| path.display().to_string()));
        self.drawdown(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    fn tail(&self, what: &str) -> Vec<String> {
        self.drawdown(&["tail", what]).lines().map(str::to_owned).collect()
    }

    /// Waits until an output has so many messages.
    fn await_lines(&self, what: &str, count: usize) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = self.tail(what);
            if lines.len() >= count {
                return lines;
            }
            let log = std::fs::read_to_string(self.path("serve.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{} of {count} {what}\n{log}", lines.len());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Of the bundled commands those before the first call: what comes out must not depend on how the two inputs meet.
    fn funds(&self) -> PathBuf {
        let text = std::fs::read_to_string(bundled("demo/commands.jsonl")).expect("the bundled commands");
        let early = text.lines().filter(|line| line.contains("\"at\":\"2026-03-01T00:00:00Z\""));
        let path = self.path("funds.jsonl");
        std::fs::write(&path, early.fold(String::new(), |all, line| all + line + "\n")).expect("it can be written");
        path
    }

    /// The bundled month by `rate`: its debits, and how many rejects.
    fn rate(&self) -> (Vec<String>, usize) {
        let out = self.path("rated");
        let mut command = drawdown();
        command.arg("rate").arg("--deck").arg(bundled("decks/acs-pstn.toml"));
        command.arg("--commands").arg(self.funds()).args(["--dedup-days", "90"]);
        run(command.arg("--out").arg(&out).arg(bundled("demo/cdrs.jsonl")));
        let lines = |name: &str| -> Vec<String> {
            let text = std::fs::read_to_string(out.join(name)).expect("an output");
            text.lines().map(str::to_owned).collect()
        };
        (lines("debits.jsonl"), lines("rejects.jsonl").len())
    }
}

/// From nothing to a month of calls, on whatever log the desk has.
fn a_month_live(desk: &Desk) {
    let server = desk.start();
    // Nothing is rated before there is a deck; it is taken up while the process runs.
    desk.import(Some(&desk.funds()), None);
    let deck = bundled("decks/acs-pstn.toml").display().to_string();
    desk.drawdown(&["deck", "publish", &deck]);
    let (rated, rejected) = desk.rate();
    desk.await_lines("events", 1);
    let mut follower = drawdown();
    follower.args(["tail", "debits", "--follow", "--config"]).arg(desk.path("drawdown.toml"));
    let followed = desk.path("followed.jsonl");
    follower.stdout(std::fs::File::create(&followed).expect("a file")).stdin(Stdio::null());
    let mut follower = follower.spawn().expect("the program starts");
    std::thread::sleep(Duration::from_secs(1));
    desk.import(None, Some(&bundled("demo/cdrs.jsonl")));
    let debits = desk.await_lines("debits", rated.len());
    assert_eq!(debits, rated, "the bytes that `serve` writes are those of `rate`");
    desk.await_lines("rejects", rejected);
    let deadline = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(&followed).expect("a text").lines().eq(&rated) {
        assert!(Instant::now() < deadline, "`tail --follow` shows every debit as it comes");
        std::thread::sleep(Duration::from_millis(100));
    }
    follower.kill().expect("it runs");
    follower.wait().expect("it ends");

    // What was rejected for want of an account goes in again once there is one, and is debited once.
    let rejects: Vec<serde_json::Value> =
        desk.tail("rejects").iter().map(|line| serde_json::from_str(line).expect("a reject")).collect();
    let unknown = rejects.iter().filter(|reject| reject["reason"] == "unknown-org").collect::<Vec<_>>();
    let org = unknown.first().expect("one of an unknown organisation")["orgId"].as_str().expect("its name");
    let at = unknown[0]["resend"]["arrival"].as_str().expect("when it came");
    let again = unknown.iter().filter(|reject| reject["orgId"] == org).count();
    let open = format!(
        "{{\"commandId\":\"open-it\",\"orgId\":{org:?},\"at\":{at:?},\"type\":\"openAccount\",\"currency\":\"USD\",\
         \"ratePlan\":\"standard\",\"mode\":\"postUsage\",\"country\":\"US\",\"licensing\":\"none\"}}\n"
    );
    std::fs::write(desk.path("open.jsonl"), open).expect("it can be written");
    desk.import(Some(&desk.path("open.jsonl")), None);
    let deadline = Instant::now() + PATIENCE;
    while !desk.tail("events").iter().any(|event| event.contains(&format!("\"orgId\":{org:?}"))) {
        assert!(Instant::now() < deadline, "{org} was not opened");
        std::thread::sleep(Duration::from_millis(100));
    }
    for _ in 0..2 {
        let sent = desk.drawdown(&["replay", "--reason", "unknown-org", "--org", org]);
        assert!(sent.contains(&format!("{again} sent again")), "{sent}");
    }
    let debits = desk.await_lines("debits", rated.len() + again);
    assert!(debits.iter().any(|debit| debit.contains(&format!("\"orgId\":{org:?}"))), "it was debited");
    server.stop();
    assert_eq!(desk.tail("debits").len(), rated.len() + again, "replayed twice, debited once");

    // What is left behind is whole: started again, it knows the deck that was published, and nothing comes twice.
    let server = desk.start();
    let calls = std::fs::read_to_string(bundled("demo/cdrs.jsonl")).expect("the bundled calls");
    let mut one: serde_json::Value = calls
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find(|call: &serde_json::Value| rated[0].contains(&format!("\"id\":{}", call["id"])))
        .expect("the call of the first debit");
    one["id"] = "one-more".into();
    std::fs::write(desk.path("one.jsonl"), format!("{one}\n")).expect("it can be written");
    desk.import(None, Some(&desk.path("one.jsonl")));
    let after = desk.await_lines("debits", debits.len() + 1);
    let corrected = rerated(desk, after.len());
    let more = withdrawn(desk, one, after.len() + corrected);
    server.stop();
    assert_eq!(desk.tail("debits").len(), after.len() + corrected + more);
    let (before, last) = after.split_at(debits.len());
    assert_eq!(before, debits);
    assert!(last[0].contains("\"id\":\"one-more\""), "{last:?}");
    let exported = desk.path("exported").display().to_string();
    desk.drawdown(&["export", "--out", &exported]);
    assert!(run(drawdown().args(["verify", &exported])).contains("clean: "));
    for (kind, asked) in [
        ("usage", "--org contoso --from 2026-03-01 --to 2026-04-01"),
        ("statement", "--org contoso --month 2026-03"),
        ("funding", "--org contoso"),
        ("breakage", ""),
    ] {
        let asked = || asked.split_whitespace();
        let from_log = desk.drawdown(&["report", kind].into_iter().chain(asked()).collect::<Vec<_>>());
        let from_files = run(drawdown().args(["report", kind, &exported]).args(asked()));
        assert!(from_log.lines().count() > 1 && from_log == from_files, "{kind}: {from_log}\n{from_files}");
    }
}

/// A dearer deck is published for the same time, and what was debited by the old one is corrected: shown first, sent
/// twice, booked once. Returns how many debits that made.
fn rerated(desk: &Desk, before: usize) -> usize {
    let manifest = std::fs::read_to_string(bundled("decks/acs-pstn.toml")).expect("the bundled deck");
    let rows_file = manifest.lines().find_map(|line| line.strip_prefix("rows = ")).expect("rows").trim_matches('"');
    let rows = std::fs::read_to_string(bundled("decks").join(rows_file)).expect("the bundled rows");
    let dearer = manifest.replace("version = 1", "version = 2").replace(rows_file, "dearer.csv");
    // [defaults] is its last section.
    std::fs::write(desk.path("dearer.toml"), dearer + "connection_fee = \"0.01\"\n").expect("it can be written");
    std::fs::write(desk.path("dearer.csv"), rows).expect("it can be written");
    let deck = desk.path("dearer.toml").display().to_string();
    let month = ["--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z", "--json"];
    let rerate = |more: &[&str]| -> serde_json::Value {
        let mut command = drawdown();
        command.args(["rerate", "--deck", &deck, "--unrated"]).args(month).args(more);
        let output = command.arg("--config").arg(desk.path("drawdown.toml")).output().expect("it runs");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let shown = rerate(&[]);
    assert!(shown["differing"].as_u64() > Some(100) && shown["sent"] == 0, "{shown}");
    desk.drawdown(&["deck", "publish", &deck]);
    std::thread::sleep(Duration::from_secs(2));
    let count = rerate(&["--apply"])["sent"].as_u64().expect("a count") as usize;
    assert_eq!(Some(count as u64), shown["differing"].as_u64());
    rerate(&["--apply"]);
    let debits = desk.await_lines("debits", before + 2 * count);
    let corrections = debits.iter().filter(|line| line.contains("\"reverses\":")).count();
    assert_eq!(corrections, count, "each is taken back once");
    let rest = rerate(&[]);
    assert_eq!((rest["differing"].as_u64(), debits.len()), (Some(0), before + 2 * count), "{rest}");
    2 * count
}

/// The dearer deck is withdrawn while the process runs, and `call` is rated until the one before it prices it again; a version
/// that was withdrawn cannot be published once more. Returns how many debits that made.
fn withdrawn(desk: &Desk, mut call: serde_json::Value, before: usize) -> usize {
    let mut version_of = |number: usize| {
        call["id"] = format!("priced-{number}").into();
        std::fs::write(desk.path("priced.jsonl"), format!("{call}\n")).expect("it can be written");
        desk.import(None, Some(&desk.path("priced.jsonl")));
        let debits = desk.await_lines("debits", before + number);
        let debit: serde_json::Value = serde_json::from_str(&debits[before + number - 1]).expect("a debit");
        debit["charge"]["deckVersion"].as_u64()
    };
    assert_eq!(version_of(1), Some(2));
    let said = desk.drawdown(&["deck", "withdraw", "acs-pstn", "2"]);
    assert!(said.contains("withdrawn"), "{said}");
    let said = desk.drawdown(&["deck", "withdraw", "acs-pstn", "2"]);
    assert!(said.contains("withdrawn since 2"), "{said}");
    let count = (2..50).find(|number| version_of(*number) == Some(1)).expect("the withdrawal is taken up");
    let mut publish = drawdown();
    publish.args(["deck", "publish"]).arg(desk.path("dearer.toml")).arg("--config").arg(desk.path("drawdown.toml"));
    let again = publish.output().expect("the program runs");
    let refusal = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && refusal.contains("version 2 was withdrawn"), "{refusal}");
    count
}

#[test]
fn a_month_live_on_the_embedded_store() {
    a_month_live(&Desk::new(""));
}

#[test]
fn a_month_live_on_kafka_with_tls_and_scram() {
    if !kafka::runs_here() {
        return;
    }
    let broker = Broker::secure().expect("a broker");
    let Some(listener) = broker.secure_listener() else { return };
    let prefix = kafka::topic_prefix("serve");
    let log = |password: &str| {
        format!(
            "[log]\nworkers = 1\n[kafka]\nbrokers = [{:?}]\nprefix = {prefix:?}\ngroup = \"{prefix}group\"\ninstance = \"0\"\n\
             security_protocol = \"sasl_ssl\"\nsasl_mechanism = \"SCRAM-SHA-256\"\nusername = {USER:?}\n\
             password = {password:?}\nca_file = {:?}\n",
            listener.brokers, listener.authority
        )
    };
    let desk = Desk::new(&log(PASSWORD));
    desk.drawdown(&["topics", "create", "--partitions", "1", "--replication", "1"]);
    a_month_live(&desk);

    let stranger = Desk::new(&log("not the password"));
    let output = drawdown().arg("serve").arg("--config").arg(stranger.path("drawdown.toml")).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("check user, password") && !text.contains("not the password"), "{text}");
}
