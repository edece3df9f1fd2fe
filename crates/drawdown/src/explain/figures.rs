//! The figures of a charge as fields: what the words say, for programs that compute with it.

use drawdown_rating::{Bound, Breakdown};
use drawdown_wire::debit::Debit;
use serde_json::{Value, json};

use crate::deck::price::{bound_name, part_to_json};

/// How the seconds of a call became money, by the row of its deck.
pub fn calculation(debit: &Debit<'_>, breakdown: &Breakdown<'_>) -> Value {
    let Breakdown { charge, parts, sum } = breakdown;
    let (call_s, rated_s) = (debit.call.duration, debit.charge.rated_seconds.unwrap_or(debit.call.duration));
    let bound = bound_name(charge.bound).zip(bound_of(breakdown));
    json!({
        "callSeconds": call_s,
        "coveredSeconds": call_s.saturating_sub(rated_s),
        "ratedSeconds": rated_s,
        "initialSeconds": charge.row.initial_s,
        "incrementSeconds": charge.row.increment_s,
        "billableSeconds": charge.billable_seconds,
        "connectionFee": charge.connection_fee.to_string(),
        "parts": parts.iter().map(part_to_json).collect::<Vec<_>>(),
        "sum": sum.to_string(),
        "bound": bound.map(|(kind, amount)| json!({"kind": kind, "amount": amount})),
        "rounding": {"mode": charge.rounding.mode.as_str(), "decimals": charge.rounding.decimals},
        "amount": charge.amount.to_string(),
        "currency": charge.deck.currency().as_str(),
    })
}

/// The figure of the row that the sum was brought to.
pub fn bound_of(breakdown: &Breakdown<'_>) -> Option<String> {
    let row = breakdown.charge.row;
    match breakdown.charge.bound {
        Bound::None => None,
        Bound::Minimum => Some(row.minimum.to_string()),
        Bound::Maximum => row.maximum.map(|maximum| maximum.to_string()),
    }
}
