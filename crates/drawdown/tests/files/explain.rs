//! `drawdown explain` on the debits of the demonstration.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::common::{directory, drawdown};
use serde_json::Value;

fn rated() -> &'static Path {
    static RATED: OnceLock<PathBuf> = OnceLock::new();
    RATED.get_or_init(|| {
        let directory = directory("explain", "demo");
        let run = drawdown().arg("demo").arg("--out").arg(&directory).output().expect("the demonstration runs");
        assert!(run.status.success());
        directory.join("rated")
    })
}

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks").join(name)
}

fn debits() -> Vec<Value> {
    let text = std::fs::read_to_string(rated().join("debits.jsonl")).expect("the debits");
    text.lines().map(|line| serde_json::from_str(line).expect("a debit")).collect()
}

/// Explains one debit; its exit code and its text.
fn explain(debit: &Value, with_deck: bool) -> (Option<i32>, String) {
    let seq = debit["seq"].to_string();
    let org = debit["orgId"].as_str().expect("an organisation");
    let mut command = drawdown();
    command.arg("explain").arg(rated()).args(["--org", org, "--seq", &seq]);
    if with_deck {
        command.arg("--deck").arg(config("acs-pstn.toml"));
    }
    let run = command.output().expect("explain runs");
    (run.status.code(), String::from_utf8(run.stdout).expect("text"))
}

fn find(is_it: impl Fn(&Value) -> bool) -> Value {
    debits().into_iter().find(|debit| is_it(debit)).expect("there is such a debit")
}

fn has_flag(name: &'static str) -> impl Fn(&Value) -> bool {
    move |debit| debit["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == name))
}

#[test]
fn a_call_that_two_lots_paid() {
    let debit =
        find(|debit| debit["orgId"] == "contoso" && debit["funding"].as_array().is_some_and(|it| it.len() == 2));
    let (code, text) = explain(&debit, true);
    insta::assert_snapshot!("two_lots", text);
    assert_eq!(code, Some(0));
}

#[test]
fn a_masked_number() {
    insta::assert_snapshot!("masked", explain(&find(has_flag("masked")), true).1);
}

#[test]
fn a_call_that_no_row_prices_says_what_to_do() {
    insta::assert_snapshot!("unrated", explain(&find(has_flag("unrated")), true).1);
}

#[test]
fn a_call_that_is_free_says_why() {
    insta::assert_snapshot!("emergency", explain(&find(has_flag("emergency")), false).1);
}

#[test]
fn post_usage_and_strict_accounts() {
    for (name, org) in [("post_usage", "woodgrove"), ("uncollected", "adatum")] {
        let debit = find(|debit| debit["orgId"] == org && debit["funding"].as_array().is_some_and(|it| it.len() == 2));
        insta::assert_snapshot!(name, explain(&debit, false).1);
    }
}

/// Every debit there is can be explained, and computed anew it is the same.
#[test]
fn every_debit_of_the_demonstration() {
    for debit in debits().iter().step_by(7) {
        let (code, text) = explain(debit, true);
        let is_priced = debit["charge"]["deck"].is_string();
        assert_eq!((code, text.contains("recomputed: equal")), (Some(0), is_priced), "{debit}\n{text}");
    }
}

/// A charge that the deck does not give: said, by field, and exit code 1.
#[test]
fn a_charge_that_was_changed_is_shown() {
    let directory = directory("explain", "changed");
    let mut debit = find(|debit| debit["charge"]["amount"] == "8.28");
    let id = debit["id"].as_str().expect("an id").to_owned();
    debit["charge"]["pricePerMinute"] = "0.24".into();
    debit["charge"]["amount"] = "8.64".into();
    let file = directory.join("debits.jsonl");
    std::fs::write(&file, format!("not a debit\n{debit}\n")).expect("a file is written");
    let run = drawdown().arg("explain").arg(&file).arg(&id).arg("--deck").arg(config("acs-pstn.toml")).output();
    let run = run.expect("explain runs");
    let text = String::from_utf8_lossy(&run.stdout);
    assert_eq!(run.status.code(), Some(1), "{text}");
    assert!(text.contains("  charge.amount: 8.28 by the deck, 8.64 in the debit\n"), "{text}");
    assert!(text.contains("  charge.pricePerMinute: 0.23 by the deck, 0.24 in the debit\n"), "{text}");

    let other =
        drawdown().arg("explain").arg(&file).arg(&id).arg("--deck").arg(config("sample-features.toml")).output();
    let other = other.expect("explain runs");
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stdout).contains("charge.deck: one of the decks given"));
}

#[test]
fn json_has_the_debit_and_the_words() {
    let debit = find(|debit| debit["charge"]["amount"] == "8.28");
    let id = debit["id"].as_str().expect("an id");
    let mut command = drawdown();
    command.arg("explain").arg(rated()).args([id, "--source", "native", "--json", "--deck"]);
    let run = command.arg(config("acs-pstn.toml")).output().expect("explain runs");
    let json: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!((&json["debit"], &json["recomputed"]["equal"]), (&debit, &Value::Bool(true)));
    assert!(json["explanation"].as_array().is_some_and(|lines| lines.len() > 10));
}

#[test]
fn what_is_not_there_is_wrong_usage() {
    for (arguments, message) in [
        (vec!["no-such-id"], "there is no debit no-such-id"),
        (vec!["--org", "contoso", "--seq", "4711"], "there is no debit of organisation contoso with seq 4711"),
        (vec!["--org", "contoso"], "--seq"),
        (vec![], "<ID>"),
    ] {
        let run = drawdown().arg("explain").arg(rated()).args(&arguments).output().expect("explain runs");
        let stderr = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
}
