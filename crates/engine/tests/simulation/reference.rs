//! What a run must have left, twice over: by the engine without log, batches or failures, to the byte; and by the naive
//! reference model.

use std::collections::BTreeMap;

use drawdown_engine::log::Input;
use drawdown_engine::sim::Kept;
use drawdown_engine::{Engine, InProgress, Intake, Partition, Raw};
use drawdown_ledger::Account;
use drawdown_testkit::compare::difference;
use drawdown_testkit::model::time;
use drawdown_units::Timestamp;
use drawdown_wire::event::{self, Cause};
use drawdown_wire::reject::{Origin, Resend};
use drawdown_wire::source::Context;
use drawdown_wire::{account, command, native};
use serde_json::{Value, json};

use crate::found::{self, Found};
use crate::order;
use crate::script::Script;

/// Compares a partition with a run in which nothing goes wrong: one batch, no log.
pub fn compare_with_calm_run(
    script: &Script,
    until: Timestamp,
    partition: u32,
    order: &[(Input, Kept)],
    found: &Found,
) -> Result<(), String> {
    let mut calm = Partition::default();
    let mut intake = Intake::default();
    let (catalogue, rules) = (&script.catalogues[1], &script.rules);
    let engine = Engine { catalogue, rules, limits: script.limits, open_unknown: None };
    for (input, kept) in order {
        take(&mut calm, &mut intake, &engine, partition, *input, kept);
    }
    calm.tick(&engine, until, |org, occurrence| {
        event::write(&mut intake.lines.events, org, occurrence, Cause::Time);
    });
    compare_lines("debit", &lines(&intake.lines.debits), &found.debits)?;
    compare_lines("reject", &lines(&intake.rejects), &found.rejects)?;
    // Time runs on for one account after another, so events of different ones may stand in another order.
    let (expected, found_events) = (by_org(&lines(&intake.lines.events)), by_org(&found.events));
    for org in expected.keys().chain(found_events.keys()) {
        let of = |events| BTreeMap::get(events, org).map_or(&[][..], Vec::as_slice);
        compare_lines("event", of(&expected), of(&found_events))?;
    }
    let mut states = BTreeMap::new();
    for account in calm.accounts() {
        let mut state = Vec::new();
        account::pack(&mut state, account);
        states.insert(account.org().as_bytes().to_vec(), state);
        for user in account.entitlements().map_or(&[][..], |entitlements| entitlements.users()) {
            let mut state = Vec::new();
            account::pack_user(&mut state, account.org(), user);
            states.insert(account::user_key(account.org(), &user.id), state);
        }
    }
    compare_states(script, &states, &found.states)
}

fn compare_states(
    script: &Script,
    expected: &BTreeMap<Vec<u8>, Vec<u8>>,
    found: &BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<(), String> {
    for org in expected.keys().chain(found.keys()) {
        if expected.get(org) != found.get(org) {
            let told = |state: Option<&Vec<u8>>| state.map(|state| told(script, state));
            let (expected, found) = (told(expected.get(org)), told(found.get(org)));
            return Err(format!("a state\nexpected {expected:?}\nfound    {found:?}"));
        }
    }
    Ok(())
}

/// A state as JSON.
fn told(script: &Script, state: &[u8]) -> Result<String, String> {
    if account::is_user(state) {
        let (org, user) = account::unpack_user(state).map_err(|error| error.to_string())?;
        return Ok(format!("{org}: {user:?}"));
    }
    let opening = account::unpack(state).map_err(|error| error.to_string())?;
    let account = Account::restore(opening, &script.rules).ok_or("broken")?;
    let mut line = Vec::new();
    account::write(&mut line, &account);
    String::from_utf8(line).map_err(|error| error.to_string())
}

fn take(calm: &mut Partition, intake: &mut Intake, engine: &Engine<'_>, partition: u32, input: Input, kept: &Kept) {
    let key = kept.key.as_deref().map(|key| std::str::from_utf8(key).expect("keys are texts here"));
    let resend =
        Resend { arrival: kept.arrival, key, ce_id: None, ce_source: None, profile: None, columns: None, org: None };
    let origin = Origin::Topic { topic: input.name(), partition, offset: kept.offset };
    let raw = Raw { bytes: &kept.value, cut_from: None, origin, resend: Some(resend) };
    if input == Input::Commands {
        intake.command(calm, engine, kept.arrival, &command::decode(&kept.value), &raw);
        return;
    }
    match native::decode(&kept.value, &Context { key, ..Context::default() }) {
        Ok(cdr) => {
            intake.cdr(calm, engine, order::arrival(kept), &cdr, &raw, &mut InProgress);
        }
        Err(rejection) => intake.undecodable(&rejection, &raw),
    }
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn by_org(events: &[Vec<u8>]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut by_org: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for event in events {
        let org = found::json(event)["orgId"].as_str().expect("an id").to_owned();
        by_org.entry(org).or_default().push(event.clone());
    }
    by_org
}

fn compare_lines(what: &str, expected: &[Vec<u8>], found: &[Vec<u8>]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let same = expected.iter().zip(found).take_while(|(expected, found)| expected == found).count();
    let told = |lines: &[Vec<u8>]| lines.get(same).map(|line| String::from_utf8_lossy(line).into_owned());
    Err(format!(
        "{} {what}s expected, {} found; number {same} differs\nexpected {:?}\nfound    {:?}",
        expected.len(),
        found.len(),
        told(expected),
        told(found)
    ))
}

/// Compares a partition with the reference model.
pub fn compare_with_model(
    script: &Script,
    until: Timestamp,
    order: &[(Input, Kept)],
    found: &Found,
) -> Result<(), String> {
    let mut model = script.model.clone();
    let mut expected: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut rejects = Vec::new();
    let mut note = |output: Value| {
        if output["type"] == "reject" {
            rejects.push(output);
        } else if output.get("seq").is_some() {
            expected.entry(output["orgId"].as_str().expect("an id").to_owned()).or_default().push(output);
        }
    };
    for (input, kept) in order {
        let value = serde_json::from_slice::<Value>(&kept.value).ok().filter(Value::is_object);
        let outputs = match (value, input) {
            (None, _) => {
                let kind = if *input == Input::Cdrs { "cdr" } else { "command" };
                vec![json!({ "type": "reject", "kind": kind, "counted": true, "reason": "undecodable" })]
            }
            (Some(value), Input::Commands) => model.feed_command(&value),
            (Some(value), Input::Cdrs) => {
                model.feed_cdr(&value, time::parse(&kept.arrival.to_string()).expect("an instant"))
            }
        };
        outputs.into_iter().for_each(&mut note);
    }
    let until = time::parse(&until.to_string()).expect("an instant");
    model.run_until(until).into_iter().for_each(&mut note);
    compare_streams(&expected, &found.streams)?;
    compare_rejects(&rejects, &found.rejects)?;
    compare_accounts(script, &model.accounts(), found)
}

fn compare_streams(
    expected: &BTreeMap<String, Vec<Value>>,
    found: &BTreeMap<String, Vec<Value>>,
) -> Result<(), String> {
    for org in expected.keys().chain(found.keys()) {
        let of = |streams| BTreeMap::get(streams, org).map_or(&[][..], Vec::as_slice);
        compare_values(org, of(expected), of(found))?;
    }
    Ok(())
}

fn compare_rejects(expected: &[Value], found: &[Vec<u8>]) -> Result<(), String> {
    let found: Vec<Value> = found.iter().map(|reject| found::json(reject)).collect();
    // Of which input it is, the order tells, and `origin`, which the comparison with the calm run covers.
    let told = |reject: &Value| {
        let reason = reject["reason"].as_str().unwrap_or_default();
        // The model has one word for a command that cannot be read.
        let is_unread = reject["kind"] == "command" && ["bad-field", "missing-field"].contains(&reason);
        json!([reject["kind"], reject["counted"], if is_unread { "undecodable" } else { reason }])
    };
    let told = |rejects: &[Value]| rejects.iter().map(told).collect::<Vec<_>>();
    compare_values("the rejects", &told(expected), &told(&found))
}

fn compare_values(whose: &str, expected: &[Value], found: &[Value]) -> Result<(), String> {
    for (expected, found) in expected.iter().zip(found) {
        if let Some(difference) = difference(expected, found) {
            return Err(format!("model, {whose}, {difference}\nexpected {expected}\nfound    {found}"));
        }
    }
    if expected.len() == found.len() {
        return Ok(());
    }
    let next = expected.get(found.len()).or(found.get(expected.len()));
    Err(format!("model, {whose}: {} expected, {} found; the next is {next:?}", expected.len(), found.len()))
}

fn compare_accounts(script: &Script, expected: &[Value], found: &Found) -> Result<(), String> {
    let account_count = found.states.values().filter(|state| !account::is_user(state)).count();
    if expected.len() != account_count {
        return Err(format!("model: {} accounts expected, {account_count} found", expected.len()));
    }
    for expected in expected {
        let org = expected["orgId"].as_str().expect("an id");
        let state = found.states.get(org.as_bytes()).ok_or_else(|| format!("no account of {org}"))?;
        let state = told(script, state).map_err(|error| format!("the state of {org}: {error}"))?;
        let state = found::json(state.as_bytes());
        if let Some(difference) = difference(expected, &state) {
            return Err(format!("model, the account of {org}, {difference}\nexpected {expected}\nfound    {state}"));
        }
    }
    Ok(())
}
