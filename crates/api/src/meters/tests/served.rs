//! What is counted of the API and shown of the connectors.

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

#[test]
fn what_connectors_count_is_shown_as_they_count_it() {
    let telemetry = Telemetry::begin("1");
    let (payment, charges) = (telemetry.connector("payment"), telemetry.charges());
    for took in [[Duration::from_millis(20)].as_slice(), &[]] {
        charges.update([5, 4, 3, 2, 1], 6, 7, took);
    }
    payment.update(true, 12, Duration::from_secs(90), 1);
    telemetry.mails().update([9, 8, 7], 6);
    telemetry.webhook("crm").update([3, 2, 1], &[Duration::from_secs(2)]);
    telemetry.dead_letters().update([4, 5]);
    let text = shown(&telemetry);
    for (series, expected) in [
        ("drawdown_charges_total{outcome=\"succeeded\"}", 5.0),
        ("drawdown_charges_total{outcome=\"unanswered\"}", 2.0),
        ("drawdown_charges_total{outcome=\"agreed\"}", 1.0),
        ("drawdown_charges_let_go_total", 6.0),
        ("drawdown_charges_open", 7.0),
        ("drawdown_charge_seconds_count", 1.0),
        ("drawdown_connector_running{connector=\"payment\"}", 1.0),
        ("drawdown_connector_lag_events{connector=\"payment\"}", 12.0),
        ("drawdown_connector_lag_seconds{connector=\"payment\"}", 90.0),
        ("drawdown_connector_undecodable_total{connector=\"payment\"}", 1.0),
        ("drawdown_mails_total{outcome=\"put-off\"}", 8.0),
        ("drawdown_mails_without_contact_total", 6.0),
        ("drawdown_webhooks_total{endpoint=\"crm\",outcome=\"dead\"}", 1.0),
        ("drawdown_webhook_seconds_bucket{endpoint=\"crm\",le=\"2.5\"}", 1.0),
        ("drawdown_dead_letters{channel=\"webhook\"}", 5.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    payment.update(false, 0, Duration::ZERO, 1);
    assert_eq!(value(&shown(&telemetry), "drawdown_connector_running{connector=\"payment\"}"), 0.0);
}
