//! The cluster, the processes on it, the load they are under, and what must have come of it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drawdown_testkit::kafka::{self, Cluster};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, drawdown, run};

const RECORDS: usize = 120_000;
/// Records sent at once.
const SLICE: usize = 1_000;
const PARTITIONS: &str = "6";
/// What a record becomes, as a file and as a topic.
const OUTCOMES: [(&str, &str); 2] = [("debits.jsonl", "debits"), ("rejects.jsonl", "rejects")];
/// How long the rest may take to be rated.
const DRAIN_PATIENCE: Duration = Duration::from_secs(240);

pub struct World {
    cluster: Cluster,
    dir: TempDir,
    prefix: String,
    processes: BTreeMap<usize, Process>,
    records: Vec<String>,
    sent: usize,
    kills: usize,
    random: u64,
}

/// One line on standard error, where it is seen as it happens.
fn tell(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").expect("standard error is open");
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a file that was just written");
    text.lines().map(str::to_owned).collect()
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).expect("a line of JSON")
}

impl World {
    pub fn new(name: &str) -> Self {
        let seed = std::env::var("DRAWDOWN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_125);
        tell(&format!("DRAWDOWN_SEED={seed}"));
        let cluster = Cluster::three().expect("three brokers");
        let dir = TempDir::new().expect("a directory");
        let mut world = World {
            cluster,
            dir,
            prefix: kafka::topic_prefix(name),
            processes: BTreeMap::new(),
            records: Vec::new(),
            sent: 0,
            kills: 0,
            random: seed,
        };
        world.generate(seed);
        world.configure("tool");
        run(drawdown()
            .args(["topics", "create", "--partitions", PARTITIONS, "--replication", "3", "--config"])
            .arg(world.config("tool")));
        run(drawdown()
            .args(["import", "--commands"])
            .arg(world.path("funds.jsonl"))
            .arg("--config")
            .arg(world.config("tool")));
        world
    }

    pub fn say(&self, what: &str) {
        tell(&format!("{:>6} of {} records sent, {} kills: {what}", self.sent, self.records.len(), self.kills));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self, instance: &str) -> PathBuf {
        self.path(&format!("{instance}.toml"))
    }

    /// A month of calls with duplicates, late and broken records, and corrections of calls that may be days old; and of
    /// the commands those that open accounts, fund them and give licences before the first call, so that what comes out
    /// does not depend on how the two inputs interleave.
    fn generate(&mut self, seed: u64) {
        let out = self.path("in");
        let sizes = ["--records", &RECORDS.to_string(), "--seed", &(seed % 1_000).to_string(), "--orgs", "200"];
        let mischief = ["--duplicates", "2%", "--late", "1%", "--broken", "0.2%", "--masked", "1%"];
        let credits = ["--licensed", "60%", "--corrections", "20"];
        run(drawdown().arg("generate").args(sizes).args(mischief).args(credits).arg("--out").arg(&out));
        self.records = lines(&out.join("cdrs.jsonl"));
        let mut funds = String::new();
        for line in lines(&out.join("commands.jsonl")) {
            let command = value(&line);
            let kind = command["type"].as_str().unwrap_or_default();
            if ["openAccount", "addFunds", "assignLicence"].contains(&kind)
                && command["at"].as_str() < Some("2026-03-01T00:00:01Z")
            {
                funds.push_str(&line);
                funds.push('\n');
            }
        }
        assert!(funds.lines().count() >= 600, "every account is opened and funded before the first call");
        assert!(funds.contains("assignLicence"), "and people have licences");
        std::fs::write(self.path("funds.jsonl"), funds).expect("it can be written");
    }

    fn configure(&self, instance: &str) {
        let brokers: Vec<_> = self.cluster.brokers().split(',').map(|broker| format!("{broker:?}")).collect();
        let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
        let text = format!(
            "[log]\nkind = \"kafka\"\nworkers = 1\n\
             [kafka]\nbrokers = [{}]\nprefix = {:?}\ngroup = \"{}group\"\ninstance = \"{}{instance}\"\n\
             [time]\nsource = \"records\"\n\
             [rating]\ndecks = [{deck:?}]\ndedup_days = 90\n\
             [http]\nlisten = \"127.0.0.1:0\"\n",
            brokers.join(", "),
            self.prefix,
            self.prefix,
            self.prefix
        );
        std::fs::write(self.config(instance), text).expect("it can be written");
    }

    pub fn start(&mut self, instance: usize) {
        let name = format!("p{instance}");
        self.configure(&name);
        let process = Process::start(&self.config(&name), &self.path(&format!("{name}.log")));
        self.processes.insert(instance, process);
    }

    pub fn stop(&mut self, instance: usize) {
        self.processes.remove(&instance).expect("a running process").stop();
    }

    pub fn freeze(&mut self, instance: usize) {
        self.processes[&instance].freeze();
    }

    pub fn thaw(&mut self, instance: usize) {
        self.processes[&instance].thaw();
    }

    pub fn kill_broker(&mut self, node: usize) {
        self.cluster.kill_9(node);
    }

    pub fn restart_broker(&mut self, node: usize) {
        self.cluster.restart(node).expect("the broker comes back");
    }

    /// One of the processes, by the seed.
    pub fn kill_and_restart(&mut self) {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let running: Vec<usize> = self.processes.keys().copied().collect();
        let victim = running[(self.random >> 33) as usize % running.len()];
        let mut process = self.processes.remove(&victim).expect("a running process");
        assert!(
            process.is_alive(),
            "p{victim} ended by itself; see {}",
            self.path(&format!("p{victim}.log")).display()
        );
        process.kill_9();
        self.kills += 1;
        self.start(victim);
    }

    /// Keeps sending for so long.
    pub fn load_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            // A twentieth is kept for the end, and a pause lets every phase have its share.
            if self.sent < self.records.len() / 20 * 19 {
                self.send(SLICE);
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    pub fn load_rest(&mut self) {
        self.send(self.records.len() - self.sent);
    }

    fn send(&mut self, count: usize) {
        let slice = &self.records[self.sent..(self.sent + count).min(self.records.len())];
        let file = self.path("slice.jsonl");
        std::fs::write(&file, slice.join("\n") + "\n").expect("it can be written");
        run(drawdown().arg("import").arg(&file).arg("--config").arg(self.config("tool")));
        self.sent += slice.len();
    }

    /// Waits until every record became something.
    pub fn drain(&mut self) {
        self.rate();
        let expected = OUTCOMES.map(|(file, _)| lines(&self.path("rated").join(file)).len()).iter().sum::<usize>();
        let deadline = Instant::now() + DRAIN_PATIENCE;
        loop {
            let found = OUTCOMES.map(|(_, topic)| self.tail(topic).lines().count()).iter().sum::<usize>();
            if found >= expected {
                return;
            }
            assert!(Instant::now() < deadline, "{found} of {expected} outcomes; logs in {}", self.keep().display());
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    fn tail(&self, what: &str) -> String {
        run(drawdown().args(["tail", what, "--config"]).arg(self.config("tool")))
    }

    /// Where the logs are left for whoever looks into a failure.
    fn keep(&self) -> PathBuf {
        let kept = std::env::temp_dir().join(format!("{}logs", self.prefix));
        let _ = std::fs::create_dir_all(&kept);
        let _ = run(std::process::Command::new("cp").arg("-r").arg(self.dir.path()).arg(&kept));
        for entry in std::fs::read_dir(self.dir.path()).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                let _ = std::fs::copy(entry.path(), kept.join(entry.file_name()));
            }
        }
        kept
    }

    /// The same files by `rate`.
    fn rate(&self) {
        let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
        run(drawdown()
            .args(["rate", "--deck"])
            .arg(deck)
            .arg("--commands")
            .arg(self.path("funds.jsonl"))
            .arg("--out")
            .arg(self.path("rated"))
            .arg(self.path("in/cdrs.jsonl")));
    }

    /// Every debit and event as `rate` has them, every reject by reason, and the books in order.
    pub fn audit(&mut self) {
        self.say("audit");
        assert!(self.kills >= 20, "{} kills", self.kills);
        run(drawdown().args(["export", "--config"]).arg(self.config("tool")).arg("--out").arg(self.path("exported")));
        tell(&run(drawdown().arg("verify").arg(self.path("exported"))));
        assert_eq!(self.reasons("rated"), self.reasons("exported"), "logs in {}", self.keep().display());
        for file in ["debits.jsonl", "account-events.jsonl"] {
            let (rated, exported) = (self.by_seq("rated", file), self.by_seq("exported", file));
            assert_eq!(rated.len(), exported.len(), "{file}");
            for (place, rated) in &rated {
                assert_eq!(Some(rated), exported.get(place), "{file} {place:?}; logs in {}", self.keep().display());
            }
        }
        self.see_that_it_had_everything();
    }

    /// What would prove nothing if it were not there.
    fn see_that_it_had_everything(&self) {
        let debits: Vec<Value> = lines(&self.path("exported/debits.jsonl")).iter().map(|line| value(line)).collect();
        let count = |is_meant: &dyn Fn(&Value) -> bool| debits.iter().filter(|debit| is_meant(debit)).count();
        let paid_by = |debit: &Value, kind: &str| {
            debit["reverses"].is_null()
                && debit["funding"].as_array().is_some_and(|lines| lines.iter().any(|line| line["type"] == kind))
        };
        for (what, found) in [
            ("corrections booked", count(&|debit| debit["reverses"].is_object())),
            ("calls withdrawn", count(&|debit| debit["reverses"]["void"] == true)),
            ("calls paid by a pool", count(&|debit| paid_by(debit, "pool"))),
            ("calls split where a pool ended", count(&|debit| debit["charge"]["ratedSeconds"].is_number())),
            ("calls paid by lots", count(&|debit| paid_by(debit, "lot"))),
            ("calls that nobody paid for want of a licence", count(&|debit| paid_by(debit, "unlicensed"))),
        ] {
            tell(&format!("{found:>6} {what}"));
            assert!(found > 0, "no {what}");
        }
    }

    /// By organisation and `seq`, which may not occur twice. Without the instant of handling: a late record that comes
    /// first in what is sent at once does not know what arrived before it.
    fn by_seq(&self, dir: &str, file: &str) -> BTreeMap<(String, u64), Value> {
        let mut all = BTreeMap::new();
        for line in lines(&self.path(dir).join(file)) {
            let mut entry = value(&line);
            let place = (entry["orgId"].to_string(), entry["seq"].as_u64().expect("a seq"));
            entry.as_object_mut().expect("an object").remove("at");
            assert!(all.insert(place.clone(), entry).is_none(), "{file} has {place:?} twice");
        }
        all
    }

    fn reasons(&self, dir: &str) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for line in lines(&self.path(dir).join("rejects.jsonl")) {
            *reasons.entry(value(&line)["reason"].to_string()).or_default() += 1;
        }
        reasons
    }
}
