//! Recharges on a real broker while processes die: two of them own the accounts, ask the gateway and settle what it says.
//! One or the other is killed all the time, and the gateway loses answers and goes away. Whoever asks, every recharge that
//! was asked for is paid once, and buys one lot.

#[path = "common/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drawdown_api::meters::clock;
use drawdown_connect::payment::sandbox::{Sandbox, Settings};
use drawdown_connect::secret::Secret;
use drawdown_testkit::kafka::{self, Broker};
use process::{Process, drawdown, run};
use serde_json::{Value, json};
use tempfile::TempDir;

const KILLS: usize = 12;
const ORGS: usize = 48;
/// Calls of each organisation; every one takes about what a recharge brings.
const CALLS: usize = 3;
const CARDS: [&str; 4] = ["tok_ok", "tok_flaky", "tok_slow", "tok_ok"];
const SECRET: &str = "whsec";
const PATIENCE: Duration = Duration::from_secs(120);

struct World {
    /// Of the whole run.
    broker: Broker,
    sandbox: Sandbox,
    dir: TempDir,
    prefix: String,
}

impl World {
    fn new() -> Self {
        let settings = Settings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            secret: Secret::new(SECRET),
            failures: 1,
            slowness: Duration::from_millis(700),
        };
        let world = World {
            broker: Broker::single().expect("a broker"),
            sandbox: Sandbox::start(settings).expect("a gateway"),
            dir: TempDir::new().expect("a directory"),
            prefix: kafka::topic_prefix("recharges"),
        };
        world.configure("tool");
        run(drawdown()
            .args(["topics", "create", "--partitions", "4", "--replication", "1", "--config"])
            .arg(world.config("tool")));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn config(&self, instance: &str) -> PathBuf {
        self.path(&format!("{instance}.toml"))
    }

    fn configure(&self, instance: &str) {
        let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
        let (brokers, prefix, gateway) = (self.broker.brokers(), &self.prefix, self.sandbox.url());
        let text = format!(
            "[log]\nkind = \"kafka\"\nworkers = 1\n\
             [kafka]\nbrokers = [{brokers:?}]\nprefix = {prefix:?}\ngroup = \"{prefix}group\"\n\
             instance = \"{prefix}{instance}\"\n\
             [rating]\ndecks = [{deck:?}]\n\
             [rules]\nresend_s = 5\nretry_backoff_s = [1, 2, 4]\n\
             [payment]\nprovider = \"http\"\nurl = {gateway:?}\nsecret = {SECRET:?}\ntimeout_s = 2\n\
             [http]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(self.config(instance), text).expect("it can be written");
    }

    fn start(&self, instance: &str) -> Process {
        self.configure(instance);
        Process::start(&self.config(instance), &self.path(&format!("{instance}.log")))
    }

    fn send(&self, arguments: &[&str], lines: &str) {
        let file = self.path("sent.jsonl");
        std::fs::write(&file, lines).expect("it can be written");
        run(drawdown().arg("import").args(arguments).arg(&file).arg("--config").arg(self.config("tool")));
    }

    /// Accounts whose money is used up by one call, and recharged by one of the cards.
    fn open_accounts(&self) {
        let opened = hours_ago(2);
        let mut lines = String::new();
        for org in 0..ORGS {
            let mut add = |id: &str, mut command: Value| {
                command["commandId"] = json!(format!("{id}-{org}"));
                command["orgId"] = json!(format!("org-{org}"));
                command["at"] = json!(opened);
                writeln!(lines, "{command}").expect("text grows");
            };
            add(
                "open",
                json!({"type": "openAccount", "currency": "USD", "ratePlan": "standard", "country": "US", "licensing": "none"}),
            );
            add("fund", json!({"type": "addFunds", "lotId": "first", "amount": "60", "purchasedAt": opened}));
            add(
                "recharge",
                json!({"type": "configureAutoRecharge", "enabled": true, "rechargeAmount": "50", "triggerAmount": "20",
                    "paymentMethod": {"card": CARDS[org % CARDS.len()]}}),
            );
        }
        self.send(&["--commands"], &lines);
    }

    /// Calls that just ended: an hour to Montenegro, 42.48.
    fn call(&self, numbers: std::ops::Range<usize>) {
        let started = hours_ago(1);
        let mut lines = String::new();
        for number in numbers {
            let call = json!({"id": format!("call-{number}"), "source": "pbx", "orgId": format!("org-{}", number % ORGS),
                "userId": "u", "callType": "user_out", "calleeNumber": "+38260123456", "startDateTime": started,
                "duration": 3600});
            writeln!(lines, "{call}").expect("text grows");
        }
        self.send(&[], &lines);
    }

    fn events(&self) -> Vec<Value> {
        let text = run(drawdown().args(["tail", "events", "--config"]).arg(self.config("tool")));
        text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
    }

    /// The processes' logs, for whoever looks into a failure.
    fn logs(&self) -> String {
        ["a", "b"].map(|name| std::fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default()).concat()
    }
}

fn hours_ago(hours: i64) -> String {
    clock().plus_seconds(hours * -3_600).to_string()
}

/// How often each recharge has an event of this type.
fn recharges(events: &[Value], kind: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for event in events.iter().filter(|event| event["type"] == kind) {
        *found.entry(event["rechargeId"].as_str().expect("a recharge").to_owned()).or_default() += 1;
    }
    found
}

#[test]
fn whoever_dies_every_recharge_is_paid_once_and_buys_one_lot() {
    if !kafka::runs_here() {
        return;
    }
    let world = World::new();
    world.open_accounts();
    let mut processes = BTreeMap::from(["a", "b"].map(|name| (name, world.start(name))));
    let share = ORGS * CALLS / KILLS;
    for kill in 0..KILLS {
        world.call(kill * share..(kill + 1) * share);
        std::thread::sleep(Duration::from_millis(1_200));
        world.sandbox.lose_answers(2);
        world.sandbox.be_away(kill % 4 == 3);
        let name = ["a", "b"][kill % 2];
        let mut process = processes.remove(name).expect("a running process");
        assert!(process.is_alive(), "{name} ended by itself:\n{}", world.logs());
        process.kill_9();
        processes.insert(name, world.start(name));
        std::thread::sleep(Duration::from_millis(800));
    }
    world.sandbox.be_away(false);

    let deadline = Instant::now() + PATIENCE;
    let events = loop {
        let events = world.events();
        let (asked, paid) = (recharges(&events, "RechargeRequested"), recharges(&events, "RechargeSucceeded"));
        // The calls of an organisation bring it below its trigger as often as they are many, less what it began with.
        if asked.len() >= ORGS * (CALLS - 1) && asked.keys().eq(paid.keys()) {
            break events;
        }
        if Instant::now() > deadline {
            let unpaid: Vec<&String> = asked.keys().filter(|recharge| !paid.contains_key(*recharge)).collect();
            let of_unpaid = |event: &&Value| unpaid.iter().any(|recharge| event["rechargeId"] == recharge.as_str());
            let told: Vec<String> = events.iter().filter(of_unpaid).map(Value::to_string).collect();
            panic!(
                "{} of {} are paid; {unpaid:?} are not:\n{}\n{}",
                paid.len(),
                asked.len(),
                told.join("\n"),
                world.logs()
            );
        }
        std::thread::sleep(Duration::from_secs(1));
    };
    processes.into_values().for_each(Process::stop);

    let paid = recharges(&events, "RechargeSucceeded");
    assert!(paid.values().all(|count| *count == 1), "a recharge is settled once: {paid:?}");
    let mut charged = world.sandbox.paid();
    charged.sort();
    assert!(charged.iter().eq(paid.keys()), "what the gateway charged, {charged:?}, is what was booked, {paid:?}");
    assert_eq!(recharges(&events, "InvoiceIssued"), paid, "and what was invoiced");
    assert!(recharges(&events, "RechargeFailed").is_empty());
    assert_eq!(world.sandbox.refused(), 0);
    assert!(world.sandbox.repetitions() > 0, "no answer was asked for again: it proves nothing");
    let tried_again = recharges(&events, "RechargeAttemptFailed").len();
    assert!(tried_again > 0, "no attempt failed: it proves nothing");

    let exported = world.path("exported");
    run(drawdown().args(["export", "--config"]).arg(world.config("tool")).arg("--out").arg(&exported));
    run(drawdown().arg("verify").arg(&exported));
    let debits = std::fs::read_to_string(exported.join("debits.jsonl")).expect("debits");
    assert_eq!(debits.lines().count(), ORGS * CALLS, "every call is charged once");
}
