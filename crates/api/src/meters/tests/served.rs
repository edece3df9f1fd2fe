//! What is counted of the API.

use super::*;
use crate::authorise::{Authorisation, Refusal, RefusalReason, Released};
use crate::problem::Limit;

#[test]
fn a_decision_is_counted_by_its_outcome_and_its_reason() {
    let telemetry = Telemetry::begin("1");
    let calls = telemetry.calls();
    let refused = |reason| Authorisation::refused("acme", "1", Refusal::new(reason, "because"));
    calls.decided(&Authorisation::unlimited("acme", "1"), Duration::from_micros(3));
    calls.decided(&refused(RefusalReason::FundsPromised), Duration::from_micros(30));
    calls.decided(&refused(RefusalReason::ChargeTooLarge), Duration::from_millis(3));
    let text = shown(&telemetry);
    for (series, expected) in [
        ("drawdown_authorisations_total{outcome=\"granted\"}", 1.0),
        ("drawdown_authorisations_total{outcome=\"refused\"}", 2.0),
        ("drawdown_authorisations_refused_total{reason=\"funds-promised\"}", 1.0),
        ("drawdown_authorisations_refused_total{reason=\"charge-too-large\"}", 1.0),
        ("drawdown_authorisations_refused_total{reason=\"unknown-org\"}", 0.0),
        ("drawdown_authorisation_seconds_bucket{le=\"0.000005\"}", 1.0),
        ("drawdown_authorisation_seconds_bucket{le=\"0.00005\"}", 2.0),
        ("drawdown_authorisation_seconds_count", 3.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
}

/// Handles are found by the number of a value: it must stand at its place in the list, under its name.
#[test]
fn values_of_labels_stand_in_the_order_of_their_numbers() {
    for (place, reason) in RefusalReason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, place, "{reason:?}");
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.name(), "as it is on the wire");
    }
    assert!(Limit::ALL.into_iter().enumerate().all(|(place, limit)| limit as usize == place));
    assert!(Released::ALL.into_iter().enumerate().all(|(place, by)| by as usize == place));
    let answers = [Answered::Done, Answered::Pending, Answered::Refused, Answered::Failed];
    assert!(answers.into_iter().enumerate().all(|(place, answer)| answer as usize == place));
}

#[test]
fn commands_are_counted_by_type_and_answer_and_replays_apart() {
    let telemetry = Telemetry::begin("1");
    let writes = telemetry.writes();
    writes.answered("addFunds", Answered::Pending);
    writes.answered("removeLicence", Answered::Failed);
    writes.replayed("addFunds");
    let text = shown(&telemetry);
    assert_eq!(value(&text, "drawdown_api_commands_total{type=\"addFunds\",answer=\"pending\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_api_commands_total{type=\"addFunds\",answer=\"done\"}"), 0.0);
    assert_eq!(value(&text, "drawdown_api_commands_total{type=\"removeLicence\",answer=\"failed\"}"), 1.0);
    assert_eq!(value(&text, "drawdown_api_replays_total{type=\"addFunds\"}"), 1.0);
}
