//! What changes in the middle of a month, and from which call on it holds: deck versions, rate plans, modes, and what is
//! refused for its currency.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{self, Process, drawdown};
use drawdown_stream::bundle::Bundle;
use drawdown_stream::embedded;
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Ids of calls that only end a batch begin so.
const MARK: char = '~';
const OPEN: &str =
    r#""type":"openAccount","currency":"USD","ratePlan":"gold","mode":"prepaid","country":"US","licensing":"none""#;

/// A directory of decks, plans, commands and calls.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        Desk { dir: TempDir::new().expect("a directory") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<str>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text.as_ref()).expect("a file is written");
        path
    }

    /// A deck version: `prices` are prefix and price, one a word.
    fn deck(&self, id: &str, version: u32, currency: &str, from: &str, prices: &str) -> PathBuf {
        let name = format!("{id}-{version}");
        let rows: String = prices.split_whitespace().map(|row| row.replace('=', ",") + "\n").collect();
        self.write(&format!("{name}.csv"), format!("prefix,price_per_minute\n{rows}"));
        let manifest = format!(
            "id = \"{id}\"\nversion = {version}\ncurrency = \"{currency}\"\neffectiveFrom = \"{from}\"\nrows = \"{name}.csv\"\n"
        );
        self.write(&format!("{name}.toml"), manifest)
    }

    fn plan(&self, id: &str, currency: &str, deck: &str) -> PathBuf {
        let text = format!("id = \"{id}\"\ncurrency = \"{currency}\"\n[products]\noutbound = \"{deck}\"\n");
        self.write(&format!("{id}.toml"), text)
    }

    /// Rates; what it printed, and whether it ended well.
    fn try_rate(&self, decks: &[PathBuf], plans: &[PathBuf], commands: &str, calls: &str) -> Result<Rated, String> {
        let mut rate = drawdown();
        rate.arg("rate").arg("--out").arg(self.path("out"));
        decks.iter().for_each(|deck| _ = rate.arg("--deck").arg(deck));
        plans.iter().for_each(|plan| _ = rate.arg("--rate-plan").arg(plan));
        rate.arg("--commands").arg(self.write("commands.jsonl", commands));
        let run = rate.arg(self.write("cdrs.jsonl", calls)).output().expect("drawdown runs");
        if !run.status.success() {
            return Err(format!("{:?} {}", run.status.code(), String::from_utf8_lossy(&run.stderr)));
        }
        let read = |name: &str| lines(&std::fs::read_to_string(self.path("out").join(name)).expect("an output"));
        Ok(Rated { debits: read("debits.jsonl"), events: read("account-events.jsonl") })
    }

    fn rate(&self, decks: &[PathBuf], plans: &[PathBuf], commands: &str, calls: &str) -> Rated {
        self.try_rate(decks, plans, commands, calls).unwrap_or_else(|failure| panic!("{failure}"))
    }
}

struct Rated {
    debits: Vec<Value>,
    events: Vec<Value>,
}

impl Rated {
    /// Each debit in a few words: record, charge, what priced it, who paid.
    fn told(&self) -> Vec<String> {
        self.debits.iter().map(tell).collect()
    }

    fn refusals(&self) -> Vec<String> {
        let refused = self.events.iter().filter(|event| event["type"] == "CommandRefused");
        refused.map(|event| format!("{} {}", word(event, "commandType"), word(event, "reason"))).collect()
    }
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("-")
}

fn tell(debit: &Value) -> String {
    let charge = &debit["charge"];
    let priced_by = match charge["unrated"].as_str() {
        Some(why) => why.to_owned(),
        None if charge["deck"].is_string() => format!("{}/{}", word(charge, "deck"), charge["deckVersion"]),
        None => "-".to_owned(),
    };
    let funding = debit["funding"].as_array().expect("a list").iter();
    let paid: Vec<&str> = funding.map(|line| word(line, "type")).collect();
    format!("{} {} {priced_by} {}", word(debit, "id"), word(charge, "amount"), paid.join("+")).trim_end().to_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Commands, each an instant and the rest.
fn commands(list: &[(&str, &str)]) -> String {
    let numbered = list.iter().enumerate();
    numbered
        .map(|(n, (at, rest))| format!("{{\"commandId\":\"k{n}\",\"orgId\":\"acme\",\"at\":\"{at}\",{rest}}}\n"))
        .collect()
}

/// Calls of 60 s, each an id, its start and when it arrives.
fn calls(list: &[(&str, &str, &str)]) -> String {
    list.iter().map(|(id, start, arrival)| call(id, 0, "+442071838750", start, arrival)).collect()
}

fn call(id: &str, revision: u32, callee: &str, start: &str, arrival: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"revision\":{revision},\"orgId\":\"acme\",\"callType\":\"user_out\",\"startDateTime\":\"{start}\",\
         \"duration\":60,\"calleeNumber\":\"{callee}\",\"receivedAt\":\"{arrival}\"}}\n"
    )
}

/// boundaries.md C4, C5: the version in force at the call's start, however late the call arrives; its first instant is in.
#[test]
fn a_version_of_the_future_prices_calls_from_its_instant_on() {
    let desk = Desk::new();
    let decks = [
        desk.deck("d", 2, "USD", "2026-03-16T12:00:00Z", "44=0.30"),
        desk.deck("d", 1, "USD", "2026-03-01T00:00:00Z", "44=0.20"),
    ];
    let rated = desk.rate(
        &decks,
        &[desk.plan("gold", "USD", "d")],
        &commands(&[("2026-02-27T00:00:00Z", OPEN)]),
        &calls(&[
            ("early", "2026-02-28T23:59:59.9999999Z", "2026-03-01T00:01:00Z"),
            ("old", "2026-03-10T10:00:00Z", "2026-03-10T10:01:00Z"),
            ("last", "2026-03-16T11:59:59.9999999Z", "2026-03-16T12:01:00Z"),
            ("first", "2026-03-16T12:00:00Z", "2026-03-16T12:01:00Z"),
            ("offset", "2026-03-16T13:59:59+02:00", "2026-03-16T12:02:00Z"),
            ("new", "2026-03-20T10:00:00Z", "2026-03-20T10:01:00Z"),
            ("late", "2026-03-15T10:00:00Z", "2026-03-20T10:02:00Z"),
        ]),
    );
    let expected = [
        "early 0.00 no-deck",
        "old 0.20 d/1 overdraft",
        "last 0.20 d/1 overdraft",
        "first 0.30 d/2 overdraft",
        "offset 0.20 d/1 overdraft",
        "new 0.30 d/2 overdraft",
        "late 0.20 d/1 overdraft",
    ];
    assert_eq!(rated.told(), expected);
}

/// boundaries.md C4: of two at the same instant the higher wins. A row that the new version lacks is unrated from then on,
/// and a price of the old one is never a way out.
#[test]
fn a_row_that_the_next_version_lacks_is_unrated_from_then_on() {
    let desk = Desk::new();
    let decks = [
        desk.deck("d", 1, "USD", "2026-03-01T00:00:00Z", "44=0.20 49=0.10"),
        desk.deck("d", 2, "USD", "2026-03-16T00:00:00Z", "44=0.90 49=0.90"),
        desk.deck("d", 3, "USD", "2026-03-16T00:00:00Z", "44=0.30"),
    ];
    let (before, after) = ("2026-03-15T23:59:59Z", "2026-03-16T00:00:00Z");
    let both = |id: &str, start: &str| {
        let british = call(&format!("gb-{id}"), 0, "+442071838750", start, after);
        british + &call(&format!("de-{id}"), 0, "+4930123456", start, after)
    };
    let rated = desk.rate(
        &decks,
        &[desk.plan("gold", "USD", "d")],
        &commands(&[("2026-03-01T00:00:00Z", OPEN)]),
        &(both("before", before) + &both("after", after)),
    );
    let expected = [
        "gb-before 0.20 d/1 overdraft",
        "de-before 0.10 d/1 overdraft",
        "gb-after 0.30 d/3 overdraft",
        "de-after 0.00 no-row",
    ];
    assert_eq!(rated.told(), expected);
}

/// boundaries.md D8: what was booked is taken back as it was; the new rating goes by the version of the new start.
#[test]
fn a_correction_over_the_cutover_takes_back_the_old_price() {
    let desk = Desk::new();
    let decks = [
        desk.deck("d", 1, "USD", "2026-03-01T00:00:00Z", "44=0.20"),
        desk.deck("d", 2, "USD", "2026-03-16T00:00:00Z", "44=0.30"),
    ];
    let (old, new) = ("2026-03-15T10:00:00Z", "2026-03-16T10:00:00Z");
    let one = |id: &str, revision: u32, start: &str, arrival: &str| call(id, revision, "+442071838750", start, arrival);
    let rated = desk.rate(
        &decks,
        &[desk.plan("gold", "USD", "d")],
        &commands(&[("2026-03-01T00:00:00Z", OPEN)]),
        &[
            one("a", 0, old, "2026-03-15T10:01:00Z"),
            one("b", 0, new, "2026-03-16T10:01:00Z"),
            one("a", 1, new, "2026-03-16T10:02:00Z"),
            one("b", 1, old, "2026-03-16T10:03:00Z"),
        ]
        .concat(),
    );
    let expected = [
        "a 0.20 d/1 overdraft",
        "b 0.30 d/2 overdraft",
        "a -0.20 - overdraft",
        "a 0.30 d/2 overdraft",
        "b -0.30 - overdraft",
        "b 0.20 d/1 overdraft",
    ];
    assert_eq!(rated.told(), expected);
    assert_eq!(rated.debits[5]["balanceAfter"], "-0.50");
}

/// boundaries.md C6: by the call's start, there and back; a plan that is not known or of another currency is refused, and
/// the plan before it stays.
#[test]
fn another_rate_plan_and_back_in_one_month() {
    let desk = Desk::new();
    let from = "2026-01-01T00:00:00Z";
    let decks = [
        desk.deck("g", 1, "USD", from, "44=0.20"),
        desk.deck("s", 1, "USD", from, "44=0.05"),
        desk.deck("e", 1, "EUR", from, "44=0.07"),
    ];
    let plans = [desk.plan("gold", "USD", "g"), desk.plan("silver", "USD", "s"), desk.plan("euro", "EUR", "e")];
    let plan = |name: &str| format!(r#""type":"setRatePlan","ratePlan":"{name}""#);
    let rated = desk.rate(
        &decks,
        &plans,
        &commands(&[
            ("2026-03-01T00:00:00Z", OPEN),
            ("2026-03-10T00:00:00Z", &plan("silver")),
            ("2026-03-15T00:00:00Z", &plan("euro")),
            ("2026-03-15T00:00:00Z", &plan("platinum")),
            ("2026-03-20T00:00:00Z", &plan("gold")),
        ]),
        &calls(&[
            ("gold", "2026-03-09T23:59:59.9999999Z", "2026-03-10T00:01:00Z"),
            ("first-silver", "2026-03-10T00:00:00Z", "2026-03-10T00:01:00Z"),
            ("refused", "2026-03-16T00:00:00Z", "2026-03-16T00:01:00Z"),
            ("last-silver", "2026-03-19T23:59:59Z", "2026-03-20T00:01:00Z"),
            ("gold-again", "2026-03-20T00:00:00Z", "2026-03-20T00:01:00Z"),
            ("late-silver", "2026-03-12T00:00:00Z", "2026-03-21T00:00:00Z"),
            ("late-gold", "2026-03-05T00:00:00Z", "2026-03-21T00:01:00Z"),
        ]),
    );
    let expected = [
        "gold 0.20 g/1 overdraft",
        "first-silver 0.05 s/1 overdraft",
        "refused 0.05 s/1 overdraft",
        "last-silver 0.05 s/1 overdraft",
        "gold-again 0.20 g/1 overdraft",
        "late-silver 0.05 s/1 overdraft",
        "late-gold 0.20 g/1 overdraft",
    ];
    assert_eq!(rated.told(), expected);
    assert_eq!(rated.refusals(), ["setRatePlan currency-mismatch", "setRatePlan unknown-rate-plan"]);
}

/// boundaries.md M1–M4: from its processing on, also for calls that started before; a change and its way back.
#[test]
fn post_usage_and_back_in_one_month() {
    let desk = Desk::new();
    let deck = desk.deck("d", 1, "USD", "2026-01-01T00:00:00Z", "44=6");
    let mode = |name: &str| format!(r#""type":"setMode","mode":"{name}""#);
    let rated = desk.rate(
        &[deck],
        &[],
        &commands(&[
            ("2026-03-01T00:00:00Z", OPEN),
            ("2026-03-01T00:00:00Z", r#""type":"addFunds","lotId":"L","amount":"10","purchasedAt":"2026-03-01T00:00:00Z""#),
            ("2026-03-05T00:00:00Z", &mode("postUsage")),
            ("2026-03-05T00:00:00Z", r#""type":"configureAutoRecharge","enabled":true,"rechargeAmount":"50","triggerAmount":"5","paymentMethod":{"card":"t"}"#),
            ("2026-03-20T00:00:00Z", &mode("prepaid")),
        ]),
        &calls(&[
            ("prepaid", "2026-03-04T00:00:00Z", "2026-03-04T00:01:00Z"),
            ("both", "2026-03-05T00:00:00Z", "2026-03-05T00:01:00Z"),
            ("late", "2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z"),
            ("back", "2026-03-20T00:00:00Z", "2026-03-20T00:01:00Z"),
            ("late-back", "2026-03-10T00:00:00Z", "2026-03-21T00:00:00Z"),
        ]),
    );
    let expected = [
        "prepaid 6.00 d/1 lot",
        "both 6.00 d/1 lot+postUsage",
        "late 6.00 d/1 postUsage",
        "back 6.00 d/1 overdraft",
        "late-back 6.00 d/1 overdraft",
    ];
    assert_eq!(rated.told(), expected);
    let requested: Vec<&str> = rated
        .events
        .iter()
        .filter(|event| event["type"] == "RechargeRequested" && event["sending"] == 1)
        .map(|event| word(event, "at"))
        .collect();
    assert_eq!(requested, ["2026-03-20T00:00:00Z"], "silent in post-usage, and looked at when back");
    let statement = rated.events.iter().find(|event| event["type"] == "PostUsageStatement");
    assert!(statement.is_none(), "the month is not over");
}

/// domain.md section 6: one currency per organisation; deck, plan, account and lot must agree, and what does not is named.
#[test]
fn another_currency_is_refused() {
    let desk = Desk::new();
    let from = "2026-01-01T00:00:00Z";
    let (dollars, euros) =
        (desk.deck("d", 1, "USD", from, "44=1"), desk.deck("d", 2, "EUR", "2026-03-16T00:00:00Z", "44=1"));
    let gold = desk.plan("gold", "USD", "d");
    for (decks, plans, expected) in [
        (vec![dollars.clone(), euros.clone()], vec![], "version 2 is in EUR, another in USD"),
        (
            vec![dollars.clone(), euros.clone()],
            vec![gold.clone()],
            "deck d version 2 is in EUR, the plan in USD; nothing is converted",
        ),
        (vec![euros], vec![gold], "deck d version 2 is in EUR, the plan in USD; nothing is converted"),
    ] {
        let failure = desk.try_rate(&decks, &plans, "", "").err().expect("it is refused");
        assert!(failure.starts_with("Some(2)") && failure.contains(expected), "{failure}");
        assert!(failure.contains("d-2.toml") || failure.contains("gold.toml"), "the file is named: {failure}");
    }
    // An account in another currency than its plan is not opened, and its calls are rejected, not converted.
    let open = OPEN.replace("USD", "EUR");
    let one = calls(&[("one", "2026-03-02T00:00:00Z", "2026-03-02T00:01:00Z")]);
    let rated = desk.rate(std::slice::from_ref(&dollars), &[], &commands(&[(from, &open)]), &one);
    assert!(rated.debits.is_empty(), "{:?}", rated.told());
    let rejects = std::fs::read_to_string(desk.path("out/rejects.jsonl")).expect("rejects");
    assert!(
        rejects.contains("an account has one currency, and there is no conversion") && rejects.contains("unknown-org"),
        "{rejects}"
    );
    let funds = |currency: &str| {
        format!(r#""type":"addFunds","lotId":"L","amount":"5","currency":"{currency}","purchasedAt":"{from}""#)
    };
    let rated =
        desk.rate(&[dollars], &[], &commands(&[(from, OPEN), (from, &funds("EUR")), (from, &funds("USD"))]), &one);
    assert_eq!(rated.told(), ["one 1.00 d/1 lot"]);
    assert_eq!(rated.refusals(), ["addFunds currency-mismatch"]);
}

/// A desk whose decks are published to a running `serve`.
struct Live {
    desk: Desk,
    config: PathBuf,
}

impl Live {
    fn new() -> Self {
        let desk = Desk::new();
        let config = desk.write(
            "drawdown.toml",
            format!(
                "[embedded]\ndirectory = {:?}\n[time]\nsource = \"records\"\n[rating]\ndedup_days = 90\n[http]\nlisten = \"127.0.0.1:0\"\n",
                desk.path("store")
            ),
        );
        Live { desk, config }
    }

    fn start(&self) -> Process {
        let server = Process::start(&self.config, &self.desk.path("serve.log"));
        let mut tail = drawdown();
        tail.args(["tail", "events", "--config"]).arg(&self.config);
        self.await_that("the store can be read", move || tail.output().expect("drawdown runs").status.success());
        server
    }

    fn run(&self, words: &[&str]) -> String {
        process::run(drawdown().args(words).arg("--config").arg(&self.config))
    }

    /// What it says, where it will not do what was asked.
    fn refusal(&self, words: &[&str]) -> String {
        let run = drawdown().args(words).arg("--config").arg(&self.config).output().expect("drawdown runs");
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(2), "{words:?}: {told}");
        told
    }

    fn publish(&self, files: &[PathBuf]) {
        let files = files.iter().map(|file| file.display().to_string());
        let words: Vec<String> = ["deck", "publish"].into_iter().map(str::to_owned).chain(files).collect();
        self.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Puts a deck's version where the server looks, as one does who could not see what stands there.
    fn publish_blindly(&self, id: &str, version: u32, manifest: &Path) {
        let read = |path: &Path| std::fs::read_to_string(path).expect("a deck's file");
        let bundle = Bundle::Deck {
            id: id.to_owned(),
            version,
            manifest_name: manifest.display().to_string(),
            manifest: read(manifest),
            rows_name: "rows".to_owned(),
            rows: read(&manifest.with_extension("csv")),
        };
        embedded::decks::place(&self.desk.path("store"), &bundle).expect("the spool takes it");
    }

    /// Waits until what is in force prices whatever comes next: a call that costs nothing ends the batch that was begun
    /// before, and is not told of.
    fn turn(&self, name: &str, debit_count: usize) {
        let text = call(&format!("{MARK}{name}"), 0, "+442071838750", "2026-03-17T00:00:00Z", "2026-03-17T00:01:00Z");
        self.call(&format!("{name}.jsonl"), text.replace(r#""duration":60"#, r#""duration":0"#));
        self.await_that("the batch is over", || self.run(&["tail", "debits"]).contains(&format!("{MARK}{name}")));
        assert_eq!(self.told(debit_count).len(), debit_count);
    }

    fn open_account(&self) {
        let path = self.desk.write("open.jsonl", commands(&[("2026-03-01T00:00:00Z", OPEN)])).display().to_string();
        self.run(&["import", "--commands", &path]);
        self.await_that("the account is opened", || self.run(&["tail", "events"]).contains("AccountOpened"));
    }

    fn call(&self, name: &str, text: String) {
        let path = self.desk.write(name, text).display().to_string();
        self.run(&["import", &path]);
    }

    /// Every debit that was ever booked follows from its call and the rows of the deck that it names.
    fn check_books(&self, decks: &[PathBuf]) {
        let out = self.desk.path("export").display().to_string();
        self.run(&["export", "--out", &out]);
        let mut verify = drawdown();
        verify.arg("verify").arg(&out);
        decks.iter().for_each(|deck| _ = verify.arg("--deck").arg(deck));
        process::run(&mut verify);
    }

    fn is_in(&self, place: &str, name: &str) -> bool {
        self.desk.path("store").join(place).join(name).exists()
    }

    /// Each debit in a few words, once there are so many.
    fn told(&self, count: usize) -> Vec<String> {
        let is_told = |debit: &&Value| !word(debit, "id").starts_with(MARK);
        let told = || lines(&self.run(&["tail", "debits"])).iter().filter(is_told).map(tell).collect::<Vec<_>>();
        self.await_that("all are debited", || told().len() >= count);
        told()
    }

    fn await_that(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            let log = std::fs::read_to_string(self.desk.path("serve.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{what}\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Published while it runs: the version of the future waits for its calls. A published version never changes: with other
/// rows, or in another currency, it is set aside, and calls before and after a restart go by what is in force.
#[test]
fn published_versions_hold_live_and_after_a_restart() {
    let live = Live::new();
    let desk = &live.desk;
    live.publish(&[desk.deck("d", 1, "USD", "2026-03-01T00:00:00Z", "44=0.20")]);
    let server = live.start();
    live.open_account();
    live.publish(&[desk.deck("d", 2, "USD", "2026-03-16T00:00:00Z", "44=0.30")]);
    live.await_that("version 2 is taken up", || live.is_in("decks", "deck-d-2.deck"));
    let other = desk.deck("d", 1, "USD", "2026-03-01T00:00:00Z", "44=0.99");
    let refusal = live.refusal(&["deck", "publish", &other.display().to_string()]);
    assert!(refusal.contains("version 1 is in force with other content"), "{refusal}");
    live.publish_blindly("d", 1, &other);
    live.await_that("another version 1 is set aside", || live.is_in("spool/failed", "deck-d-1.deck"));
    live.publish(&[desk.deck("d", 3, "EUR", "2026-03-01T00:00:00Z", "44=0.77")]);
    live.await_that("a version in euros is set aside", || live.is_in("spool/failed", "deck-d-3.deck"));
    let both = |old: &'static str, new: &'static str| {
        calls(&[
            (old, "2026-03-15T23:59:00Z", "2026-03-16T00:01:00Z"),
            (new, "2026-03-16T00:00:00Z", "2026-03-16T00:02:00Z"),
        ])
    };
    live.call("one.jsonl", both("old", "new"));
    let mut expected = vec!["old 0.20 d/1 overdraft", "new 0.30 d/2 overdraft"];
    assert_eq!(live.told(2), expected);
    server.stop();
    let server = live.start();
    live.call("two.jsonl", both("old-2", "new-2"));
    expected.extend(["old-2 0.20 d/1 overdraft", "new-2 0.30 d/2 overdraft"]);
    assert_eq!(live.told(4), expected);
    server.stop();
    assert_eq!(live.told(4), expected);
}

/// Several decks and the plan that tells them apart, published before anything runs, are one supply, and are after a
/// restart, in whatever order their files stand. A plan in force never changes its currency.
#[test]
fn several_decks_and_their_plan_are_taken_up_together() {
    let live = Live::new();
    let desk = &live.desk;
    let from = "2026-03-01T00:00:00Z";
    let decks = [desk.deck("usd", 1, "USD", from, "44=0.20"), desk.deck("eur", 1, "EUR", from, "44=9")];
    live.publish(&decks);
    live.publish(&[desk.plan("gold", "USD", "usd")]);
    let server = live.start();
    live.open_account();
    let one = |id: &'static str| calls(&[(id, "2026-03-02T00:00:00Z", "2026-03-02T00:01:00Z")]);
    live.call("one.jsonl", one("before"));
    assert_eq!(live.told(1), ["before 0.20 usd/1 overdraft"]);
    server.stop();
    let server = live.start();
    live.call("two.jsonl", one("after"));
    assert_eq!(live.told(2)[1..], ["after 0.20 usd/1 overdraft"]);
    let euros = desk.plan("gold", "EUR", "eur");
    let refusal = live.refusal(&["deck", "publish", &euros.display().to_string()]);
    assert!(refusal.contains("rate plan gold is in force in USD, not in EUR"), "{refusal}");
    let text = std::fs::read_to_string(&euros).expect("the plan");
    let bundle = Bundle::RatePlan { id: "gold".to_owned(), file_name: "gold.toml".to_owned(), text };
    embedded::decks::place(&desk.path("store"), &bundle).expect("the spool takes it");
    live.await_that("the plan in euros is set aside", || live.is_in("spool/failed", "rate-plan-gold.deck"));
    live.call("three.jsonl", one("still"));
    assert_eq!(live.told(3)[2..], ["still 0.20 usd/1 overdraft"]);
    server.stop();
}

/// Withdrawn while it runs, and after a restart: what was booked stays, calls from then on go by what is left, and where
/// nothing is left they are unrated until a version is published that they are rated again by.
#[test]
fn a_withdrawn_version_prices_no_call_from_then_on() {
    let live = Live::new();
    let desk = &live.desk;
    let first = desk.deck("d", 1, "USD", "2026-03-01T00:00:00Z", "44=0.20");
    let second = desk.deck("d", 2, "USD", "2026-03-16T00:00:00Z", "44=0.30");
    live.publish(&[first.clone(), second.clone()]);
    let server = live.start();
    live.open_account();
    let one = |id: &str, revision| call(id, revision, "+442071838750", "2026-03-17T00:00:00Z", "2026-03-17T00:01:00Z");
    live.call("one.jsonl", one("before", 0) + &one("corrected", 0));
    let mut expected = vec!["before 0.30 d/2 overdraft", "corrected 0.30 d/2 overdraft"];
    assert_eq!(live.told(2), expected);

    let withdrawn = live.run(&["deck", "withdraw", "d", "2"]);
    assert!(withdrawn.starts_with("deck/d/2: withdrawn; "), "{withdrawn}");
    live.await_that("the withdrawal is taken up", || live.is_in("decks", "withdrawal-d-2.deck"));
    live.turn("withdrawn", 2);
    live.call("two.jsonl", one("after", 0) + &one("corrected", 1));
    expected.extend(["after 0.20 d/1 overdraft", "corrected -0.30 - overdraft", "corrected 0.20 d/1 overdraft"]);
    assert_eq!(live.told(5), expected);

    let again = live.run(&["deck", "withdraw", "d", "2"]);
    assert!(again.starts_with("deck/d/2: withdrawn since 2"), "{again}");
    assert!(live.refusal(&["deck", "withdraw", "d", "9"]).contains("there is no version 9 of deck d"));
    let refusal = live.refusal(&["deck", "publish", &second.display().to_string()]);
    assert!(refusal.contains("version 2 was withdrawn at 2") && refusal.contains("a higher version"), "{refusal}");
    live.publish_blindly("d", 2, &second);
    live.await_that("it is put away", || !live.is_in("spool/decks", "deck-d-2.deck"));
    server.stop();

    let server = live.start();
    live.call("three.jsonl", one("restarted", 0));
    expected.push("restarted 0.20 d/1 overdraft");
    assert_eq!(live.told(6), expected);
    live.run(&["deck", "withdraw", "d", "1"]);
    live.await_that("the withdrawal is taken up", || live.is_in("decks", "withdrawal-d-1.deck"));
    live.turn("all-withdrawn", 6);
    live.call("four.jsonl", one("deckless", 0));
    expected.push("deckless 0.00 no-deck");
    assert_eq!(live.told(7), expected);

    let third = desk.deck("d", 3, "USD", "2026-03-01T00:00:00Z", "44=0.40");
    live.publish(std::slice::from_ref(&third));
    live.await_that("version 3 is taken up", || live.is_in("decks", "deck-d-3.deck"));
    live.turn("mended", 7);
    let (from, to) = ("2026-03-17T00:00:00Z", "2026-03-18T00:00:00Z");
    let third = third.display().to_string();
    live.run(&["rerate", "--deck", &third, "--unrated", "--from", from, "--to", to, "--org", "acme", "--apply"]);
    // With it what the withdrawn versions had priced; of each call first the old debit is taken back.
    let rerated = live.told(7 + 2 * 5);
    assert_eq!(rerated[..7], expected);
    let mut anew: Vec<&str> =
        rerated[7..].iter().filter_map(|debit| debit.strip_suffix(" 0.40 d/3 overdraft")).collect();
    anew.sort_unstable();
    assert_eq!(anew, ["after", "before", "corrected", "deckless", "restarted"]);
    server.stop();
    live.check_books(&[first, second, PathBuf::from(third)]);
}
