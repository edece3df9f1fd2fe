//! `drawdown verify` as it is used: clean on what was written, and every kind of tampering found, with its place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::{directory, drawdown};
use drawdown_testkit::workload::{Input, Options, Workload};
use serde_json::{Value, json};

fn deck() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml")
}

/// The demonstration's output, made once.
fn rated() -> &'static Path {
    static RATED: OnceLock<PathBuf> = OnceLock::new();
    RATED.get_or_init(|| {
        let directory = directory("verify", "demo");
        let run = drawdown().arg("demo").arg("--out").arg(&directory).output().expect("the demonstration runs");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        directory.join("rated")
    })
}

fn verify(rated: &Path, with_deck: bool) -> (Option<i32>, Value) {
    let mut command = drawdown();
    command.arg("verify").arg(rated).arg("--json");
    if with_deck {
        command.arg("--deck").arg(deck());
    }
    let run = command.output().expect("verify runs");
    let report = serde_json::from_slice(&run.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr))
    });
    (run.status.code(), report)
}

const DEBITS: &str = "debits.jsonl";
const EVENTS: &str = "account-events.jsonl";
const ACCOUNTS: &str = "accounts.jsonl";

/// The lines of a file of the demonstration, as JSON.
type Lines = Vec<Value>;

/// Changes a copy of the demonstration's output.
struct Tampered {
    directory: PathBuf,
}

impl Tampered {
    fn new(name: &str) -> Self {
        let directory = directory("verify", name);
        for file in [DEBITS, EVENTS, ACCOUNTS] {
            std::fs::copy(rated().join(file), directory.join(file)).expect("the file is copied");
        }
        Tampered { directory }
    }

    fn lines(&self, file: &str) -> Lines {
        let text = std::fs::read_to_string(self.directory.join(file)).expect("the file is read");
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    fn change(self, file: &str, change: impl FnOnce(&mut Lines)) -> Self {
        let mut lines = self.lines(file);
        change(&mut lines);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(self.directory.join(file), text).expect("the file is written");
        self
    }

    fn place(&self, file: &str, is_it: impl Fn(&Value) -> bool) -> usize {
        self.lines(file).iter().position(is_it).expect("there is such a line")
    }

    /// Expects a difference of `field` in `org` at the line at `place` of `file` (0-based; `None`: wherever).
    fn finds(&self, with_deck: bool, file: &str, place: Option<usize>, org: &str, field: &str) -> Value {
        let (code, report) = verify(&self.directory, with_deck);
        assert_eq!(code, Some(1), "{report:#}");
        let listed = report["listed"].as_array().expect("a list").clone();
        let found = listed.iter().any(|finding| {
            finding["file"].as_str().is_some_and(|path| path.ends_with(file))
                && place.is_none_or(|place| finding["line"] == json!(place + 1))
                && finding["orgId"] == org
                && finding["field"] == field
        });
        assert!(found, "no difference of {field} at {place:?} of {file}: {report:#}");
        report
    }
}

fn call(org: &'static str, seq: u64) -> impl Fn(&Value) -> bool {
    move |line| line["orgId"] == org && line["seq"] == seq
}

fn event(org: &'static str, kind: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["orgId"] == org && line["type"] == kind
}

#[test]
fn what_the_demonstration_wrote_is_clean() {
    for with_deck in [false, true] {
        let (code, report) = verify(rated(), with_deck);
        assert_eq!((code, &report["clean"], &report["differences"]), (Some(0), &json!(true), &json!(0)), "{report:#}");
        assert_eq!((&report["debits"], &report["events"], &report["accounts"]), (&json!(213), &json!(33), &json!(6)));
        let money = &report["money"][0];
        assert_eq!((&money["charged"], &money["byFunder"]["overdraft"]), (&json!("126.0446"), &json!("14.509")));
        assert_eq!(report["recomputed"], if with_deck { json!(208) } else { json!(null) });
    }
}

/// Random worlds hold every command and every kind of event, closing, refunds, caps, and years of time.
#[test]
fn whatever_rate_writes_of_random_worlds_is_clean() {
    for seed in 100..108 {
        let world = Workload::generate(seed, Options { operations: 2_000, ..Options::default() });
        let world = within_organisations(world);
        let inputs = directory("verify", &format!("world-{seed}"));
        world.write_to(&inputs).expect("the inputs are written");
        let mut rate = drawdown();
        rate.arg("rate").arg(inputs.join("cdrs.jsonl")).arg("--commands").arg(inputs.join("commands.jsonl"));
        rate.args(["--until", &world.until.to_string(), "--out"]).arg(inputs.join("rated"));
        let mut audit = drawdown();
        audit.arg("verify").arg(inputs.join("rated"));
        for deck in &world.decks {
            rate.arg("--deck").arg(inputs.join(&deck.toml_name));
            audit.arg("--deck").arg(inputs.join(&deck.toml_name));
        }
        for plan in &world.plans {
            rate.arg("--rate-plan").arg(inputs.join(&plan.name));
        }
        let rated = rate.output().expect("rate runs");
        assert!(rated.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&rated.stderr));
        let audited = audit.output().expect("verify runs");
        assert!(audited.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&audited.stdout));
    }
}

/// Without records that come again for another organisation: their partitions know nothing of each other, and an audit
/// finds them.
fn within_organisations(mut world: Workload) -> Workload {
    let mut orgs: BTreeMap<String, Value> = BTreeMap::new();
    world.steps.retain(|step| match &step.input {
        Input::Cdr { row, .. } => {
            let id = row["id"].to_string();
            *orgs.entry(id).or_insert_with(|| row["orgId"].clone()) == row["orgId"]
        }
        Input::Command(_) => true,
    });
    world
}

#[test]
fn a_charge_that_was_changed() {
    let tampered = Tampered::new("charge");
    let place = tampered.place(DEBITS, call("tailspin", 6));
    let tampered = tampered.change(DEBITS, |lines| lines[place]["charge"]["amount"] = json!("8.29"));
    tampered.finds(false, DEBITS, Some(place), "tailspin", "funding");
    tampered.finds(false, DEBITS, Some(place), "tailspin", "charge.amount");
    tampered.finds(false, ACCOUNTS, None, "tailspin", "charged");
}

/// A price, its charge, who paid and every balance after it agree: only the deck knows.
#[test]
fn a_price_with_everything_that_follows_from_it_is_found_with_the_deck_only() {
    let tampered = Tampered::new("price");
    let last = tampered
        .lines(DEBITS)
        .iter()
        .rposition(|line| line["orgId"] == "woodgrove" && line["charge"]["amount"] != "0.00");
    let place = last.expect("a call of woodgrove");
    let mut more = String::new();
    let tampered = tampered.change(DEBITS, |lines| {
        let charge = &mut lines[place]["charge"];
        let seconds = charge["billableSeconds"].as_u64().expect("seconds");
        charge["pricePerMinute"] = json!("1.00");
        let before: f64 = lines[place]["funding"][0]["before"].as_str().expect("money").parse().expect("a number");
        let amount = format!("{}.00", seconds / 60);
        more = format!("{:.3}", before + (seconds / 60) as f64);
        lines[place]["charge"]["amount"] = json!(amount);
        lines[place]["funding"][0]["amount"] = json!(amount);
        lines[place]["funding"][0]["after"] = json!(more);
    });
    let tampered = tampered.change(ACCOUNTS, |lines| {
        let account = lines.iter_mut().find(|line| line["orgId"] == "woodgrove").expect("woodgrove");
        let drawn: f64 = account["drawn"].as_str().expect("money").parse().expect("a number");
        account["postUsage"] = json!(more);
        account["statedPostUsage"] = json!(more);
        account["charged"] = json!(format!("{:.3}", drawn + more.parse::<f64>().expect("a number")));
    });
    let tampered = tampered.change(EVENTS, |lines| {
        let mut of =
            lines.iter_mut().filter(|line| line["orgId"] == "woodgrove" && line["type"] == "PostUsageStatement");
        let statement = of.next().expect("a statement");
        statement["amount"] = json!(more);
        statement["postUsage"] = json!(more);
    });
    let (code, report) = verify(&tampered.directory, false);
    assert_eq!(code, Some(0), "without the deck it all agrees: {report:#}");
    tampered.finds(true, DEBITS, Some(place), "woodgrove", "charge.amount");
    tampered.finds(true, DEBITS, Some(place), "woodgrove", "charge.pricePerMinute");
}

#[test]
fn a_debit_that_was_dropped() {
    let tampered = Tampered::new("dropped");
    let place = tampered.place(DEBITS, call("contoso", 19));
    let next = tampered.place(DEBITS, call("contoso", 20));
    let tampered = tampered.change(DEBITS, |lines| drop(lines.remove(place)));
    let report = tampered.finds(false, DEBITS, Some(next - 1), "contoso", "seq");
    let gap = report["listed"].as_array().expect("a list").iter().find(|finding| finding["field"] == "seq");
    let gap = gap.expect("the gap is found");
    assert_eq!((&gap["expected"], &gap["found"]), (&json!("19, which is missing"), &json!("20")));
    tampered.finds(false, DEBITS, None, "contoso", "funding[0].before");
}

#[test]
fn the_last_debit_that_was_dropped() {
    let tampered = Tampered::new("dropped-last");
    let place = tampered.lines(DEBITS).iter().rposition(|line| line["orgId"] == "fabrikam").expect("fabrikam");
    let tampered = tampered.change(DEBITS, |lines| drop(lines.remove(place)));
    tampered.finds(false, ACCOUNTS, None, "fabrikam", "seq");
    tampered.finds(false, ACCOUNTS, None, "fabrikam", "balance");
}

#[test]
fn a_debit_that_is_there_twice() {
    let tampered = Tampered::new("twice");
    let place = tampered.place(DEBITS, call("contoso", 20));
    let tampered = tampered.change(DEBITS, |lines| lines.insert(place + 1, lines[place].clone()));
    tampered.finds(false, DEBITS, Some(place + 1), "contoso", "id");
    let report = tampered.finds(false, DEBITS, Some(place + 1), "contoso", "seq");
    assert!(report["differences"].as_u64().is_some_and(|count| count <= 3), "one mistake, few findings: {report:#}");
}

#[test]
fn a_record_that_was_debited_twice_under_two_numbers() {
    let tampered = Tampered::new("id-twice");
    let place = tampered.place(DEBITS, call("contoso", 20));
    let tampered = tampered.change(DEBITS, |lines| lines[place]["id"] = lines[0]["id"].clone());
    tampered.finds(false, DEBITS, Some(place), "contoso", "id");
}

#[test]
fn an_event_that_was_dropped() {
    let tampered = Tampered::new("event-dropped");
    let place = tampered.place(EVENTS, event("tailspin", "OverdraftSettled"));
    let tampered = tampered.change(EVENTS, |lines| drop(lines.remove(place)));
    tampered.finds(false, DEBITS, None, "tailspin", "seq");
    tampered.finds(false, ACCOUNTS, None, "tailspin", "overdraft");
}

#[test]
fn numbers_that_were_swapped() {
    let tampered = Tampered::new("swapped");
    let [one, other] = [18, 19].map(|seq| tampered.place(DEBITS, call("contoso", seq)));
    let tampered = tampered.change(DEBITS, |lines| {
        lines[one]["seq"] = json!(19);
        lines[other]["seq"] = json!(18);
    });
    tampered.finds(false, DEBITS, Some(other), "contoso", "seq");
}

#[test]
fn a_funding_line_that_was_changed() {
    let tampered = Tampered::new("funding");
    let place = tampered.place(DEBITS, call("contoso", 42));
    let tampered = tampered.change(DEBITS, |lines| lines[place]["funding"][0]["amount"] = json!("0.70"));
    tampered.finds(false, DEBITS, Some(place), "contoso", "funding[0].after");
    tampered.finds(false, DEBITS, Some(place), "contoso", "funding");
}

#[test]
fn funding_lines_in_another_order() {
    let tampered = Tampered::new("order");
    let place = tampered.place(DEBITS, call("contoso", 42));
    let tampered = tampered.change(DEBITS, |lines| {
        let funding = lines[place]["funding"].as_array_mut().expect("funding");
        funding.reverse();
    });
    tampered.finds(false, DEBITS, Some(place), "contoso", "funding[0]");
}

#[test]
fn another_lot_than_the_oldest() {
    let tampered = Tampered::new("lot");
    let place = tampered.place(DEBITS, call("contoso", 4));
    let tampered = tampered.change(DEBITS, |lines| lines[place]["funding"][0]["lotId"] = json!("PO-2026-01"));
    tampered.finds(false, DEBITS, Some(place), "contoso", "funding[0]");
}

#[test]
fn a_balance_after_that_was_changed() {
    let tampered = Tampered::new("balance-after");
    let place = tampered.place(DEBITS, call("contoso", 20));
    let tampered = tampered.change(DEBITS, |lines| lines[place]["balanceAfter"] = json!("1000.00"));
    tampered.finds(false, DEBITS, Some(place), "contoso", "balanceAfter");
}

#[test]
fn a_lot_that_was_bought_for_more() {
    let tampered = Tampered::new("bought");
    let place = tampered.place(EVENTS, event("contoso", "FundsAdded"));
    let tampered = tampered.change(EVENTS, |lines| lines[place]["amount"] = json!("40.50"));
    tampered.finds(false, EVENTS, Some(place), "contoso", "balanceAfter");
    tampered.finds(false, ACCOUNTS, None, "contoso", "purchased");
}

#[test]
fn a_recharge_of_another_amount_than_was_asked_for() {
    let tampered = Tampered::new("recharge");
    let place = tampered.place(EVENTS, event("fabrikam", "RechargeSucceeded"));
    let tampered = tampered.change(EVENTS, |lines| lines[place]["amount"] = json!("500.00"));
    tampered.finds(false, EVENTS, Some(place), "fabrikam", "amount");
}

#[test]
fn a_forfeit_that_keeps_something_back() {
    let tampered = Tampered::new("forfeit");
    let place = tampered.place(EVENTS, event("contoso", "LotForfeited"));
    let tampered = tampered.change(EVENTS, |lines| lines[place]["amount"] = json!("2.00"));
    tampered.finds(false, EVENTS, Some(place), "contoso", "amount");
    tampered.finds(false, ACCOUNTS, None, "contoso", "forfeited");
}

/// Each figure of an account by itself, and everything of its lots.
#[test]
fn every_figure_of_an_account() {
    let at = |line: &Value| line["orgId"] == "contoso";
    for field in [
        "balance",
        "overdraft",
        "purchased",
        "adjusted",
        "spent",
        "forfeited",
        "refunded",
        "remaining",
        "charged",
        "drawn",
        "overdrawn",
        "postUsage",
        "uncollected",
    ] {
        let tampered = Tampered::new("figures");
        let place = tampered.place(ACCOUNTS, at);
        let tampered = tampered.change(ACCOUNTS, |lines| lines[place][field] = json!("1234.5678"));
        let report = tampered.finds(false, ACCOUNTS, Some(place), "contoso", field);
        assert_eq!(report["differences"], json!(1), "{report:#}");
    }
    for (field, value) in [
        ("amount", json!("5.01")),
        ("remaining", json!("0.01")),
        ("state", json!("refunded")),
        ("purchasedAt", json!("2026-01-12T10:30:01Z")),
        ("expiresAt", json!("2028-01-12T10:30:00Z")),
    ] {
        let tampered = Tampered::new("lots");
        let place = tampered.place(ACCOUNTS, at);
        let tampered = tampered.change(ACCOUNTS, |lines| lines[place]["lots"][1][field] = value);
        tampered.finds(false, ACCOUNTS, Some(place), "contoso", &format!("lots[1].{field}"));
    }
    for (field, value) in
        [("seq", json!(999)), ("mode", json!("postUsage")), ("closed", json!(true)), ("currency", json!("EUR"))]
    {
        let tampered = Tampered::new("terms");
        let place = tampered.place(ACCOUNTS, at);
        let tampered = tampered.change(ACCOUNTS, |lines| lines[place][field] = value);
        tampered.finds(false, ACCOUNTS, Some(place), "contoso", field);
    }
}

#[test]
fn an_account_that_is_missing_or_there_twice() {
    let missing = Tampered::new("missing").change(ACCOUNTS, |lines| drop(lines.remove(0)));
    missing.finds(false, ACCOUNTS, None, "adatum", "orgId");
    let twice = Tampered::new("account-twice").change(ACCOUNTS, |lines| lines.push(lines[0].clone()));
    twice.finds(false, ACCOUNTS, Some(6), "adatum", "orgId");
}

/// boundaries.md T4: the two files may be out of step as far as they like, as long as each is in order.
#[test]
fn files_out_of_step_are_clean() {
    let by_org = |lines: &mut Lines| lines.sort_by(|a, b| a["orgId"].as_str().cmp(&b["orgId"].as_str()));
    let by_org_down = |lines: &mut Lines| lines.sort_by(|a, b| b["orgId"].as_str().cmp(&a["orgId"].as_str()));
    let tampered = Tampered::new("out-of-step").change(DEBITS, by_org).change(EVENTS, by_org_down);
    let (code, report) = verify(&tampered.directory, true);
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn lines_that_are_no_lines_of_ours() {
    let tampered = Tampered::new("garbage");
    let path = tampered.directory.join(DEBITS);
    let mut bytes = std::fs::read(&path).expect("the debits");
    let cut = bytes.len() - 200;
    bytes.truncate(cut);
    bytes.extend_from_slice(b"\nnot JSON\n\xff\xfe\x00\n{\"schemaVersion\":9}\n[]\n");
    std::fs::write(&path, bytes).expect("the debits are written");
    let (code, report) = verify(&tampered.directory, true);
    let lines =
        report["listed"].as_array().expect("a list").iter().filter(|finding| finding["field"] == "line").count();
    assert_eq!((code, lines), (Some(1), 5), "{report:#}");
}

/// Sums of tampered figures leave 64 bits; the audit goes on.
#[test]
fn absurd_amounts_end_no_audit() {
    let tampered = Tampered::new("absurd").change(DEBITS, |lines| {
        for line in lines.iter_mut().filter(|line| line["charge"]["amount"] != "0.00") {
            line["charge"]["amount"] = json!("1000000000000.00");
            line["funding"][0]["amount"] = json!("1000000000000.00");
            line["charge"]["billableSeconds"] = json!(u64::MAX);
        }
    });
    let (code, report) = verify(&tampered.directory, true);
    assert_eq!(code, Some(1));
    assert!(report["differences"].as_u64().is_some_and(|count| count > 400), "all are counted");
    assert_eq!(report["listed"].as_array().map(Vec::len), Some(50), "not all are listed");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let run = drawdown().args(["verify", "no-such-directory"]).output().expect("verify runs");
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("no-such-directory"));
    let run = drawdown().arg("verify").output().expect("verify runs");
    assert_eq!(run.status.code(), Some(2));
}
