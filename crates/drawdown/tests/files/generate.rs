//! `drawdown generate`, and what `drawdown rate` makes of it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::ran;
use serde_json::Value;

fn dir(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("generate-{name}"));
    let _ = fs::remove_dir_all(&path);
    path
}

fn generate(dir: &Path, args: &[&str]) -> Value {
    let out = dir.display().to_string();
    let output = ran(&[&["generate", "--json", "--out", &out], args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

const MISCHIEF: &[&str] = &["--duplicates", "2%", "--late", "1%", "--masked", "1%", "--broken", "0.5%"];

const CREDITS: &[&str] = &["--licensed", "60%", "--corrections", "20"];

#[test]
fn the_same_seed_makes_the_same_files() {
    let (one, two) = (dir("one"), dir("two"));
    for dir in [&one, &two] {
        generate(dir, &[&["--records", "30000", "--seed", "11"], MISCHIEF, CREDITS].concat());
    }
    for file in ["cdrs.jsonl", "commands.jsonl"] {
        let bytes = fs::read(one.join(file)).expect(file);
        assert!(!bytes.is_empty() && bytes == fs::read(two.join(file)).expect(file), "{file}");
    }
}

fn rate(dir: &Path) {
    let path = |name: &str| dir.join(name).display().to_string();
    let deck = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/decks/acs-pstn.toml");
    let output = ran(&[
        "rate",
        "--deck",
        deck,
        "--commands",
        &path("commands.jsonl"),
        "--out",
        &path("out"),
        "--json",
        &path("cdrs.jsonl"),
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_generated_rates_as_it_was_meant() {
    let dir = dir("rated");
    let args = ["--records", "30000", "--seed", "5", "--orgs", "50", "--days", "40"];
    let made = generate(&dir, &[&args, MISCHIEF].concat());
    rate(&dir);
    let mut rejects: HashMap<String, u64> = HashMap::new();
    for line in read_lines(&dir.join("out/rejects.jsonl")) {
        *rejects.entry(text(&line, "kind")).or_default() += 1;
    }
    assert_eq!(
        rejects.get("cdr"),
        made["broken"].as_u64().as_ref(),
        "nothing but what is broken is rejected: {rejects:?}"
    );
    assert_eq!(rejects.get("command"), None);
    let debit_count = read_lines(&dir.join("out/debits.jsonl")).len() as u64;
    let sum = |names: [&str; 2]| names.iter().filter_map(|name| made[*name].as_u64()).sum::<u64>();
    assert_eq!(debit_count, 30_000 - sum(["broken", "duplicates"]));
    let mut events: HashMap<String, u64> = HashMap::new();
    for line in read_lines(&dir.join("out/account-events.jsonl")) {
        *events.entry(text(&line, "type")).or_default() += 1;
    }
    let count = |name: &str| events.get(name).copied().unwrap_or_default();
    assert_eq!(count("CommandRefused"), 0, "{events:?}");
    assert_eq!((count("AccountOpened"), count("FundsAdded")), (50, 150));
    // Every third of fifty, but those that pay afterwards, recharges once: asked for once, settled once.
    assert_eq!((count("RechargeRequested"), count("RechargeSucceeded")), (15, 15), "{events:?}");
    for name in ["LotExpired", "LotForfeited", "BalanceExhausted", "OverdraftSettled"] {
        assert!(count(name) > 0, "{name}: {events:?}");
    }
}

#[test]
fn licences_and_corrections_rate_as_they_were_meant() {
    let dir = dir("credits");
    let args = ["--records", "60000", "--seed", "6", "--orgs", "50"];
    let made = generate(&dir, &[&args, MISCHIEF, CREDITS].concat());
    rate(&dir);
    let verified = ran(&["verify", &dir.join("out").display().to_string()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let made = |name: &str| made[name].as_u64().expect(name);
    assert_eq!(made("licensed"), 30);
    let rejects = read_lines(&dir.join("out/rejects.jsonl"));
    assert_eq!(rejects.len() as u64, made("broken"), "no correction is rejected, and no command");
    let debits = read_lines(&dir.join("out/debits.jsonl"));
    // A revision takes one debit back and makes another; a void makes none.
    let calls = 60_000 - made("broken") - made("duplicates");
    assert_eq!(debits.len() as u64, calls + 2 * made("revisions") + made("voids"));
    let reversals = debits.iter().filter(|debit| debit["reverses"].is_object());
    assert_eq!(reversals.clone().count() as u64, made("revisions") + made("voids"));
    assert_eq!(reversals.filter(|debit| debit["reverses"]["void"] == true).count() as u64, made("voids"));
    let paid_by = |kind: &str| {
        let pays = |debit: &&Value| {
            debit["funding"].as_array().is_some_and(|lines| lines.iter().any(|line| line["type"] == kind))
        };
        debits.iter().filter(pays).count()
    };
    for kind in ["pool", "lot", "unlicensed", "overdraft"] {
        assert!(paid_by(kind) > 100, "{kind}: {}", paid_by(kind));
    }
    let split = debits.iter().filter(|debit| debit["charge"]["ratedSeconds"].is_number()).count();
    assert!(split > 20, "{split} calls are split where a pool ends");
    let flagged = |flag: &str| {
        let has = |debit: &&Value| debit["flags"].as_array().is_some_and(|flags| flags.iter().any(|has| has == flag));
        debits.iter().filter(has).count()
    };
    for flag in ["included", "dial-out-add-on", "toll-number"] {
        assert!(flagged(flag) > 20, "{flag}: {}", flagged(flag));
    }
    assert_eq!(flagged("unrated"), 0);
    let events = read_lines(&dir.join("out/account-events.jsonl"));
    let count = |name: &str| events.iter().filter(|event| event["type"] == name).count();
    assert_eq!(count("CommandRefused"), 0);
    assert!(count("LicenceRemoved") > 20 && count("PoolThresholdReached") > 50);
}

fn read_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("an output");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn text(line: &Value, name: &str) -> String {
    line[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn wrong_options_say_what_to_write() {
    let dir = dir("wrong");
    let out = dir.display().to_string();
    for (args, expected) in [
        (&["--duplicates", "101%"][..], "write 0% to 100%"),
        (&["--duplicates", "60%", "--broken", "40%"], "lower one of them"),
        (&["--start", "yesterday"], "not an RFC 3339 time"),
        (&["--start", "1970-01-01T00:00:00Z"], "lead out of the years"),
        (&["--records", "0"], "0"),
        (&["--orgs", "0"], "0"),
        (&["--licensed", "101"], "write 0% to 100%"),
        (&["--corrections", "1001"], "1001 is not in 0..=1000"),
        (&["--currency", "dollar"], "three capital letters"),
        (&["--rate-plan", "a\"b"], "write a name without quotes"),
    ] {
        let all = [&["generate", "--seed", "1", "--out", &out], args].concat();
        let records = if args.contains(&"--records") { &[][..] } else { &["--records", "10"] };
        let output = ran(&[&all, records].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(err.contains(expected), "{args:?}: {err}");
    }
    let output = ran(&["generate", "--seed", "1", "--records", "1", "--out", "/dev/null/x"]);
    assert_eq!(output.status.code(), Some(2));
}
