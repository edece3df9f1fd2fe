mod served;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use drawdown_engine::Tally;
use drawdown_engine::log::Progress;
use drawdown_engine::tally::{Charged, Funded};
use drawdown_units::{Currency, Sum};
use drawdown_wire::Reason;

use super::*;

fn shown(telemetry: &Telemetry) -> String {
    telemetry.handle().render()
}

/// The value of one line.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

fn committed() -> Committed {
    Committed { took: Duration::from_millis(40), records: 3, bytes: 2_000, written: [1, 2, 3, 4, 5] }
}

fn money(micros: i128) -> Sum {
    Sum::from_micros(micros)
}

#[test]
fn every_counter_stands_at_nothing_before_anything_happened() {
    let telemetry = Arc::new(Telemetry::begin("1.2.3"));
    let _worker = telemetry.worker(0);
    let text = shown(&telemetry);
    for outcome in names::OUTCOMES {
        assert_eq!(value(&text, &format!("drawdown_records_total{{outcome=\"{outcome}\"}}")), 0.0);
    }
    for reason in names::reasons() {
        assert_eq!(value(&text, &format!("drawdown_rejected_total{{reason=\"{reason}\"}}")), 0.0);
    }
    assert_eq!(value(&text, "drawdown_refused_total{reason=\"unknown-recharge\"}"), 0.0);
    assert_eq!(value(&text, "drawdown_build_info{version=\"1.2.3\"}"), 1.0);
    assert!(text.contains("# HELP drawdown_records_total Usage records committed"), "{text}");
}

#[test]
fn two_workers_count_into_the_same_sums() {
    let telemetry = Arc::new(Telemetry::begin("1"));
    let funded = Funded { lots: money(5), overdraft: money(2), ..Funded::default() };
    let mut tally = Tally {
        records: 7,
        debited: 4,
        unrated: 1,
        duplicate: 2,
        money: vec![(Currency::parse("USD").unwrap(), Charged { amount: money(7), funded, ..Charged::default() })],
        claimed: [money(11), money(-1), money(0)],
        commands: 3,
        commands_applied: 2,
        commands_rejected: 1,
        ..Tally::default()
    };
    tally.rejected[Reason::TooLate as usize] = 1;
    for worker in 0..2 {
        telemetry.worker(worker).committed(&committed(), &tally, &EventTally::default());
    }
    let text = shown(&telemetry);
    for (series, expected) in [
        ("drawdown_records_total{outcome=\"debited\"}", 8.0),
        ("drawdown_records_total{outcome=\"duplicate\"}", 4.0),
        ("drawdown_records_total{outcome=\"rejected\"}", 2.0),
        ("drawdown_rejected_total{reason=\"too-late\"}", 2.0),
        ("drawdown_unrated_total", 2.0),
        ("drawdown_charged_micros_total{currency=\"USD\"}", 14.0),
        ("drawdown_funded_micros_total{currency=\"USD\",funder=\"lot\"}", 10.0),
        ("drawdown_funded_micros_total{currency=\"USD\",funder=\"overdraft\"}", 4.0),
        ("drawdown_funded_micros_total{currency=\"USD\",funder=\"uncollected\"}", 0.0),
        ("drawdown_claimed_micros_total{outcome=\"debited\"}", 22.0),
        ("drawdown_claimed_micros_total{outcome=\"duplicate\"}", 0.0),
        ("drawdown_commands_total{outcome=\"applied\"}", 4.0),
        ("drawdown_commands_total{outcome=\"rejected\"}", 2.0),
        ("drawdown_commits_total", 2.0),
        ("drawdown_commit_seconds_bucket{le=\"0.025\"}", 0.0),
        ("drawdown_commit_seconds_bucket{le=\"0.05\"}", 2.0),
        ("drawdown_commit_records_sum", 6.0),
        ("drawdown_written_bytes_total{output=\"seen\"}", 10.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
}

fn event(fields: &str) -> String {
    format!("{{\"schemaVersion\":1,\"orgId\":\"a\",\"seq\":1,\"balanceAfter\":\"0.00\",{fields}}}\n")
}

#[test]
fn events_are_counted_by_type_and_recharges_timed() {
    let telemetry = Arc::new(Telemetry::begin("1"));
    let mut worker = telemetry.worker(0);
    let mut events = EventTally::default();
    for line in [
        event("\"type\":\"RechargeRequested\",\"at\":\"2026-01-01T00:00:00Z\",\"rechargeId\":\"a/1\",\"sending\":1"),
        event("\"type\":\"RechargeRequested\",\"at\":\"2026-01-01T00:15:00Z\",\"rechargeId\":\"a/1\",\"sending\":2"),
        event("\"type\":\"CommandRefused\",\"at\":\"2026-01-01T00:15:00Z\",\"reason\":\"unknown-recharge\""),
        event("\"type\":\"CommandRefused\",\"at\":\"2026-01-01T00:15:00Z\",\"reason\":\"unsupported\""),
        event("\"type\":\"Unheard\",\"at\":\"2026-01-01T00:15:00Z\""),
    ] {
        events.line(line.as_bytes());
    }
    worker.committed(&committed(), &Tally::default(), &events);
    events.clear();
    assert!(events.is_empty());
    events.line(
        event("\"type\":\"RechargeSucceeded\",\"at\":\"2026-01-01T00:20:00Z\",\"rechargeId\":\"a/1\"").as_bytes(),
    );
    worker.committed(&committed(), &Tally::default(), &events);
    // Its second answer has nothing to be measured from.
    worker.committed(&committed(), &Tally::default(), &events);
    let text = shown(&telemetry);
    assert_eq!(value(&text, "drawdown_account_events_total{type=\"RechargeRequested\"}"), 2.0);
    assert_eq!(value(&text, "drawdown_account_events_total{type=\"other\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_refused_total{reason=\"unknown-recharge\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_refused_total{reason=\"other\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_recharge_settle_seconds_sum"), 1200.0);
    assert_eq!(value(&text, "drawdown_recharge_settle_seconds_count"), 1.0);
}

#[test]
fn the_lag_of_a_partition_that_is_gone_is_nothing() {
    let telemetry = Arc::new(Telemetry::begin("1"));
    let mut worker = telemetry.worker(0);
    let at = |text| Timestamp::parse(text).unwrap();
    let now = at("2026-01-01T00:01:00Z");
    worker.assigned(&[1, 2]);
    worker.lag(1, 5, at("2026-01-01T00:00:30Z"), now);
    worker.lag(2, 0, at("2020-01-01T00:00:30Z"), now);
    let text = shown(&telemetry);
    assert_eq!(value(&text, "drawdown_lag_records{partition=\"1\"}"), 5.0);
    assert_eq!(value(&text, "drawdown_lag_seconds{partition=\"1\"}"), 30.0);
    assert_eq!(value(&text, "drawdown_lag_seconds{partition=\"2\"}"), 0.0, "nothing waits, so nothing is late");
    worker.assigned(&[2]);
    let text = shown(&telemetry);
    assert_eq!(value(&text, "drawdown_lag_records{partition=\"1\"}"), 0.0);
    assert_eq!(value(&text, "drawdown_partitions_assigned{worker=\"0\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_rebalances_total"), 2.0);
}

#[test]
fn a_worker_that_is_gone_holds_nothing() {
    let telemetry = Arc::new(Telemetry::begin("1"));
    let mut worker = telemetry.worker(0);
    worker.assigned(&[1]);
    worker.holds(5, 4096);
    worker.lag(1, 5, Timestamp::EPOCH, clock());
    drop(worker);
    let text = shown(&telemetry);
    for series in [
        "drawdown_accounts{worker=\"0\"}",
        "drawdown_dedup_bytes{worker=\"0\"}",
        "drawdown_partitions_assigned{worker=\"0\"}",
        "drawdown_lag_records{partition=\"1\"}",
        "drawdown_lag_seconds{partition=\"1\"}",
    ] {
        assert_eq!(value(&text, series), 0.0, "{series}");
    }
}

#[test]
fn restoring_is_shown_while_it_lasts() {
    let telemetry = Arc::new(Telemetry::begin("1"));
    let worker = telemetry.worker(0);
    worker.restoring(Progress { read: 5, total: 10, is_done: false });
    let text = shown(&telemetry);
    assert_eq!(value(&text, "drawdown_restoring{worker=\"0\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_restore_messages{worker=\"0\"}"), 10.0);
    worker.restoring(Progress { read: 12, total: 10, is_done: true });
    let text = shown(&telemetry);
    assert_eq!(value(&text, "drawdown_restoring{worker=\"0\"}"), 0.0);
    assert_eq!(value(&text, "drawdown_restore_messages{worker=\"0\"}"), 12.0);
}

#[test]
fn names_are_unique_and_end_with_what_they_count() {
    let names: BTreeSet<&str> = names::ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), names::ALL.len());
    for metric in names::ALL {
        let is_counter = metric.kind == Kind::Counter;
        assert_eq!(metric.name.ends_with("_total"), is_counter, "{}", metric.name);
        assert!(metric.labels.iter().all(|label| !label.contains("org")), "{}", metric.name);
    }
}

/// The list of event types is that of the schema.
#[test]
fn the_event_types_are_those_on_the_wire() {
    let schema = include_str!("../../../../config/schemas/account-event.v1.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let mut found = BTreeSet::new();
    types(&schema, &mut found);
    assert_eq!(found, BTreeSet::from(names::EVENT_TYPES.map(str::to_owned)));
}

/// The list of commands is that of the schema.
#[test]
fn the_types_of_commands_are_those_on_the_wire() {
    let schema = include_str!("../../../../config/schemas/command.v1.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let mut found = BTreeSet::new();
    types(&schema, &mut found);
    assert_eq!(found, BTreeSet::from(names::COMMAND_TYPES.map(str::to_owned)));
}

fn types(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    if let Some(name) = value.pointer("/properties/type/const").and_then(|name| name.as_str()) {
        found.insert(name.to_owned());
    }
    match value {
        serde_json::Value::Object(fields) => fields.values().for_each(|value| types(value, found)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| types(value, found)),
        _ => {}
    }
}
