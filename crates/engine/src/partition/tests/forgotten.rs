//! Identities that the log forgot before the partition was restored: what cannot be proven new is not charged.

use drawdown_ledger::Rules;
use drawdown_units::Timestamp;
use drawdown_wire::source::Context;
use drawdown_wire::{account, command, native};
use serde_json::json;

use super::script::catalogue;
use crate::partition::CommandOutcome;
use crate::{Engine, InProgress, Limits, Outcome, Outputs, Partition};

/// What a partition wrote: the state of its account, and the messages of its identities.
#[derive(Default)]
struct Log {
    state: Vec<u8>,
    seen: Vec<Vec<u8>>,
}

impl Log {
    /// Takes what the batch in progress says, and makes it final.
    fn commit(&mut self, partition: &mut Partition) {
        let mut seen = Vec::new();
        partition.write_claims(&mut seen, Timestamp::EPOCH);
        self.seen.push(seen);
        self.state.clear();
        account::pack(&mut self.state, partition.account("acme").expect("an account"));
        partition.commit(&Limits::default());
    }

    /// A partition that is restored from what is left of the messages.
    fn restore(&self, forgotten: usize) -> Partition {
        let mut partition = Partition::default();
        partition.restore_account(&self.state, &Rules::default()).expect("what was written");
        for message in &self.seen[forgotten..] {
            partition.restore_seen(message, &Limits::default()).expect("what was written");
        }
        partition.end_restore(&Rules::default());
        partition
    }
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

/// Feeds a call of this start that arrives then; says what became of it.
fn call(partition: &mut Partition, start: &str, arrival: &str) -> String {
    let catalogue = catalogue(&[&"row 44 1".to_owned()]);
    let (rules, limits) = (Rules::default(), Limits::default());
    let engine = Engine { catalogue: &catalogue, rules: &rules, limits, open_unknown: None };
    if partition.account("acme").is_none() {
        let open = json!({
            "type": "openAccount", "commandId": "c", "orgId": "acme", "at": arrival, "currency": "USD", "ratePlan": "any",
            "country": "US", "licensing": "none",
        });
        let envelope = command::decode(open.to_string().as_bytes()).expect("a sound command");
        let outcome = partition.command(&engine, instant(arrival), &envelope, &mut Outputs::default());
        assert_eq!(outcome, CommandOutcome::Applied);
    }
    let row = json!({
        "id": format!("of {start}"), "orgId": "acme", "callType": "user_out", "calleeNumber": "+442071838750",
        "duration": 60, "startDateTime": start,
    });
    let bytes = row.to_string().into_bytes();
    let cdr = native::decode(&bytes, &Context::default()).expect("a sound record");
    match partition.cdr(&engine, instant(arrival), &cdr, &mut Outputs::default(), &mut InProgress) {
        Outcome::Debited(_) => "debited".to_owned(),
        Outcome::Duplicate => "duplicate".to_owned(),
        Outcome::Rejected(rejection) => rejection.reason.name().to_owned(),
    }
}

const DAYS: [&str; 3] = ["2026-03-01T10:00:00Z", "2026-03-03T10:00:00Z", "2026-03-05T10:00:00Z"];

/// Three days, a transaction each.
fn three_days() -> Log {
    let (mut partition, mut log) = (Partition::default(), Log::default());
    for day in DAYS {
        assert_eq!(call(&mut partition, day, day), "debited");
        log.commit(&mut partition);
    }
    log
}

#[test]
fn what_is_remembered_is_a_duplicate_and_what_is_forgotten_is_too_late() {
    let log = three_days();
    let now = "2026-03-05T11:00:00Z";
    let again = |forgotten: usize| {
        let mut partition = log.restore(forgotten);
        DAYS.map(|day| call(&mut partition, day, now))
    };
    assert_eq!(again(0), ["duplicate"; 3]);
    assert_eq!(again(1), ["too-late", "duplicate", "duplicate"]);
    assert_eq!(again(2), ["too-late", "too-late", "duplicate"]);
    assert_eq!(again(3), ["too-late"; 3]);
}

#[test]
fn what_started_since_is_charged() {
    for forgotten in 0..=3 {
        let mut partition = three_days().restore(forgotten);
        let outcome = call(&mut partition, "2026-03-05T10:30:00Z", "2026-03-05T10:31:00Z");
        assert_eq!(outcome, "debited", "{forgotten} messages forgotten");
        // What was forgotten with the first message had started by the first of March.
        let late = call(&mut partition, "2026-03-02T10:00:00Z", "2026-03-05T10:31:00Z");
        assert_eq!(late, if forgotten < 2 { "debited" } else { "too-late" }, "{forgotten} messages forgotten");
    }
}

/// A first message that was rolled back was not the first.
#[test]
fn what_was_rolled_back_is_not_missed() {
    let (mut partition, mut log) = (Partition::default(), Log::default());
    for _ in 0..3 {
        assert_eq!(call(&mut partition, DAYS[0], DAYS[0]), "debited");
        partition.write_claims(&mut Vec::new(), Timestamp::EPOCH);
        partition.roll_back();
    }
    assert_eq!(call(&mut partition, DAYS[1], DAYS[1]), "debited");
    log.commit(&mut partition);
    assert_eq!(call(&mut log.restore(0), DAYS[0], DAYS[1]), "debited");
}
