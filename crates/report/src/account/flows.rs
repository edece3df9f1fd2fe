//! What came and went, by the amounts of lines and events.

use drawdown_units::{Money, Sum};
use serde_json::{Value, json};

/// The flows of a time. All are above nothing, but `charged` and what lines come to where more was taken back than charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flows {
    /// Into lots: bought.
    pub purchased: Sum,
    /// Into lots: bought by an automatic recharge.
    pub recharged: Sum,
    /// Into lots: adjustments above nothing.
    pub adjusted_up: Sum,
    /// Into lots: back where it came from, by reversals.
    pub given_back: Sum,
    /// Into lots made for it, by reversals whose money could not go back.
    pub returned: Sum,
    /// Out of lots: calls.
    pub spent: Sum,
    /// Out of lots, and what overdraft went down by it.
    pub settled: Sum,
    /// Out of lots: adjustments below nothing, as an amount above.
    pub adjusted_down: Sum,
    /// Out of lots: lost.
    pub forfeited: Sum,
    /// Out of lots: paid back.
    pub refunded: Sum,
    /// Overdraft that calls made.
    pub overdrawn: Sum,
    /// Overdraft that reversals took away.
    pub overdraft_reversed: Sum,
    /// Accrued for an invoice.
    pub post_usage: Sum,
    /// Owed by nobody, since the account is strict.
    pub uncollected: Sum,
    /// Paid by nobody, for want of a licence.
    pub unlicensed: Sum,
    /// Charges of all debits.
    pub charged: Sum,
    /// Calls debited.
    pub calls: u64,
    /// Calls taken back.
    pub reversals: u64,
}

impl Flows {
    /// What went into lots.
    pub fn lots_in(&self) -> Sum {
        [self.purchased, self.recharged, self.adjusted_up, self.given_back, self.returned].into_iter().sum()
    }

    /// What went out of lots.
    pub fn lots_out(&self) -> Sum {
        [self.spent, self.settled, self.adjusted_down, self.forfeited, self.refunded].into_iter().sum()
    }

    /// Adds a line of a call to one flow, or of a reversal to the other.
    pub(super) fn add(calls: &mut Sum, reversals: &mut Sum, amount: Money) {
        if amount.is_negative() {
            *reversals -= amount;
        } else {
            *calls += amount;
        }
    }

    /// The flows in and out of lots as JSON.
    pub fn lots_json(&self) -> Value {
        json!({
            "in": {
                "purchased": self.purchased.to_string(),
                "recharged": self.recharged.to_string(),
                "adjusted": self.adjusted_up.to_string(),
                "givenBack": self.given_back.to_string(),
                "returned": self.returned.to_string(),
                "total": self.lots_in().to_string(),
            },
            "out": {
                "spent": self.spent.to_string(),
                "overdraftSettled": self.settled.to_string(),
                "adjusted": self.adjusted_down.to_string(),
                "forfeited": self.forfeited.to_string(),
                "refunded": self.refunded.to_string(),
                "total": self.lots_out().to_string(),
            },
        })
    }
}
