//! What a usage report comes to: the exact sums beside those of the rounded lines.

use std::collections::BTreeMap;

use drawdown_units::Sum;
use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use super::cell::cents;
use super::row::Row;

/// The figures of a report.
#[derive(Debug, Default)]
pub struct Summary {
    /// Rows shown.
    pub rows: u64,
    /// By currency; an organisation has one.
    pub money: BTreeMap<String, Money>,
    /// Debits that were reversed, and their reversals: left out, unless every revision is asked for.
    pub corrected: u64,
    /// Reversals of debits that are not among the lines: these do not hold everything.
    pub reversals_alone: u64,
}

/// The sums of one currency.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// Of the charges as debited.
    pub exact: Sum,
    /// Of the charges as the lines show them, to the cent.
    pub rounded: Sum,
    /// What nobody paid, for want of a licence: in no line's charge.
    pub unlicensed: Sum,
}

impl Money {
    /// How much more the lines show.
    pub fn difference(&self) -> Sum {
        self.rounded.minus(self.exact)
    }
}

impl Summary {
    /// Every debit that was reversed is missing, until it is met.
    pub(super) fn before(reversed: &FxHashSet<u64>) -> Self {
        Summary { reversals_alone: reversed.len() as u64, ..Summary::default() }
    }

    pub(super) fn meet(&mut self, row: &Row<'_>, is_reversed: bool) {
        self.corrected += u64::from(is_reversed || row.reverses.is_some());
        self.reversals_alone = self.reversals_alone.saturating_sub(u64::from(is_reversed));
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        if !self.money.contains_key(row.currency) {
            self.money.insert(row.currency.to_owned(), Money::default());
        }
        if let Some(money) = self.money.get_mut(row.currency) {
            money.exact += Sum::from_micros(row.charge_micros.into());
            money.rounded += Sum::from_micros(i128::from(cents(row.charge_micros)) * 10_000);
            money.unlicensed += Sum::from_micros(row.unlicensed_micros.into());
        }
    }

    /// The figures as JSON; money is a decimal text.
    pub fn json(&self) -> Value {
        let money = self.money.iter().map(|(currency, money)| {
            json!({
                "currency": currency,
                "exact": money.exact.to_string(),
                "rounded": money.rounded.to_string(),
                "difference": money.difference().to_string(),
                "unlicensed": money.unlicensed.to_string(),
            })
        });
        json!({
            "rows": self.rows,
            "corrected": self.corrected,
            "reversalsAlone": self.reversals_alone,
            "money": money.collect::<Vec<_>>(),
        })
    }
}
