//! The published schemas are true: every line that a run writes is held against the schema of its message, over random
//! worlds in which every kind of event happens.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use drawdown_testkit::workload::{Options, Workload};
use jsonschema::Validator;
use serde_json::Value;

const WORLD_COUNT: u64 = 12;

fn schema(name: &str) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../config/schemas/{name}.v1.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    jsonschema::validator_for(&serde_json::from_str(&text).expect("a schema is JSON")).expect("a schema is sound")
}

fn check(schema: &Validator, path: &Path, types: &mut BTreeSet<String>) {
    for (number, line) in std::fs::read_to_string(path).expect("an output is readable").lines().enumerate() {
        let value: Value = serde_json::from_str(line).expect("an output line is JSON");
        types.insert(value["type"].as_str().unwrap_or_default().to_owned());
        if !schema.is_valid(&value) {
            let errors: Vec<String> =
                schema.iter_errors(&value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
            panic!("{}:{}: {}\n{line}", path.display(), number + 1, errors.join("; "));
        }
    }
}

/// Worlds hold broken commands as well: whatever is read as a command is one by its schema.
fn check_commands(schema: &Validator, path: &Path) {
    let text = std::fs::read_to_string(path).expect("an input is readable");
    for line in text.lines().filter(|line| drawdown_wire::command::decode(line.as_bytes()).is_ok()) {
        let value: Value = serde_json::from_str(line).expect("a command is JSON");
        assert!(schema.is_valid(&value), "read as a command, but not one by the schema: {line}");
    }
}

fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}

#[test]
fn every_line_of_every_output_is_as_its_schema_says() {
    let [debit, event, account, reject, command] =
        ["debit", "account-event", "account", "reject", "command"].map(schema);
    let mut types = BTreeSet::new();
    for seed in 0..WORLD_COUNT {
        let world = Workload::generate(seed, Options { operations: 1_500, ..Options::default() });
        let inputs = directory(&format!("schemas-{seed}"));
        world.write_to(&inputs).expect("the inputs are written");
        let mut rate = Command::new(env!("CARGO_BIN_EXE_drawdown"));
        rate.arg("rate").arg(inputs.join("cdrs.jsonl")).arg("--commands").arg(inputs.join("commands.jsonl"));
        for deck in &world.decks {
            rate.arg("--deck").arg(inputs.join(&deck.toml_name));
        }
        for plan in &world.plans {
            rate.arg("--rate-plan").arg(inputs.join(&plan.name));
        }
        let out = inputs.join("out");
        let until = world.until.to_string();
        let output = rate.args(["--until", &until]).arg("--out").arg(&out).output().expect("drawdown runs");
        assert!(output.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&output.stderr));
        check(&debit, &out.join("debits.jsonl"), &mut types);
        check(&event, &out.join("account-events.jsonl"), &mut types);
        check(&account, &out.join("accounts.jsonl"), &mut types);
        check(&reject, &out.join("rejects.jsonl"), &mut types);
        check_commands(&command, &inputs.join("commands.jsonl"));
    }
    let seen: Vec<&str> = types.iter().map(String::as_str).collect();
    for expected in [
        "AccountClosed",
        "AccountOpened",
        "Adjusted",
        "AutoRechargeConfigured",
        "BalanceExhausted",
        "CommandRefused",
        "FundsAdded",
        "InvoiceIssued",
        "LotExpired",
        "LotExpiring",
        "LotForfeited",
        "LotRefunded",
        "ModeSet",
        "OverdraftSettled",
        "RatePlanSet",
        "RechargeAttemptFailed",
        "RechargeCapReached",
        "RechargeFailed",
        "RechargeRequested",
        "RechargeSucceeded",
        "account",
        "debit",
        "reject",
    ] {
        assert!(seen.contains(&expected), "no {expected} in {WORLD_COUNT} worlds: the schema was not tried");
    }
}
