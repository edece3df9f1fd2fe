//! Undoing a batch that follows others: scripts roll back all that they did.

use drawdown_ledger::Rules;
use drawdown_units::Timestamp;
use drawdown_wire::source::Context;
use drawdown_wire::{command, native};
use serde_json::{Value, json};

use super::script::catalogue;
use crate::partition::CommandOutcome;
use crate::{Engine, InProgress, Limits, Outcome, Outputs, Partition};

/// Without a cool-down its end is due at the decline, and runs with a record that arrived before it.
#[test]
fn what_was_due_at_the_clock_is_undone_though_the_record_arrived_before() {
    let catalogue = catalogue(&[&"row 44 1".to_owned()]);
    let rules = Rules { cooldown_s: 0, ..Rules::default() };
    let engine = Engine { catalogue: &catalogue, rules: &rules, limits: Limits::default(), open_unknown: None };
    let mut partition = Partition::default();
    let declined = "2026-03-01T10:00:00Z";
    let commands = [
        json!({ "type": "openAccount", "currency": "USD", "ratePlan": "any", "country": "US", "licensing": "none" }),
        json!({
            "type": "configureAutoRecharge", "enabled": true, "rechargeAmount": "50", "triggerAmount": "20",
            "paymentMethod": { "card": "tok" },
        }),
        json!({ "type": "settleRecharge", "rechargeId": "acme/1", "outcome": "declined", "processedAt": declined }),
    ];
    for (number, command) in commands.into_iter().enumerate() {
        apply(&mut partition, &engine, declined, number, command);
    }
    partition.commit(&engine.limits);
    let before = partition.account("acme").cloned();

    let row = json!({
        "id": "C1", "orgId": "acme", "callType": "user_out", "calleeNumber": "+442071838750", "duration": 60,
        "startDateTime": "2026-03-01T09:00:00Z",
    });
    let bytes = row.to_string().into_bytes();
    let cdr = native::decode(&bytes, &Context::default()).expect("a sound record");
    let arrival = instant("2026-03-01T09:59:59.999Z");
    let mut outputs = Outputs::default();
    let outcome = partition.cdr(&engine, arrival, &cdr, &mut outputs, &mut InProgress);
    assert!(matches!(outcome, Outcome::Debited(_)), "{outcome:?}");
    let events = String::from_utf8(outputs.events).expect("text");
    assert!(events.contains("\"rechargeId\":\"acme/2\""), "the cool-down ended: {events}");

    partition.roll_back();
    assert_eq!(partition.account("acme").cloned(), before);
}

fn apply(partition: &mut Partition, engine: &Engine<'_>, at: &str, number: usize, mut command: Value) {
    command["commandId"] = json!(format!("c{number}"));
    command["orgId"] = json!("acme");
    command["at"] = json!(at);
    let envelope = command::decode(command.to_string().as_bytes()).expect("a sound command");
    let outcome = partition.command(engine, instant(at), &envelope, &mut Outputs::default());
    assert_eq!(outcome, CommandOutcome::Applied, "{command}");
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}
