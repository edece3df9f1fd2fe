//! One row of a deck: the price of a prefix.

use std::sync::Arc;

use drawdown_units::{Money, Price};

use crate::{Number, Product};

/// A row as compiled: every default filled in, every value checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The digits a called number must begin with.
    pub prefix: Number,
    /// What the deck calls the destination; empty where it has no such column.
    pub destination: Arc<str>,
    /// Which kind of call is priced.
    pub product: Product,
    /// The price per minute from the first second on.
    pub price: Price,
    /// Charged once for a call that lasts at all.
    pub connection_fee: Money,
    /// The first increment in seconds; 0 is legal (boundaries.md C3).
    pub initial_s: u32,
    /// Every later increment in seconds; never 0.
    pub increment_s: u32,
    /// The least a call of any length costs, fee included (boundaries.md C2).
    pub minimum: Money,
    /// The most a call costs, fee included; never below the minimum.
    pub maximum: Option<Money>,
    /// The time band the row is for; `None` is a row for every band that the prefix has no other row for.
    pub band: Option<Arc<str>>,
    /// The digits a caller must begin with; `None` is a row for every other caller.
    pub origin_prefix: Option<Number>,
    /// Charged like any other row, and flagged.
    pub blocked: bool,
    /// Later prices of one call, ascending; empty for a row with one price.
    pub tiers: Box<[Tier]>,
    /// Where the row begins in its file, from 1.
    pub line: u32,
}

/// A price that holds from some second of a call on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The first second (of billable time since the call's start) at this price; never 0.
    pub from_s: u32,
    /// The price per minute from there on.
    pub price: Price,
}

impl Row {
    /// The seconds that a call of `seconds` is billed for (boundaries.md C1, C3): none for none, else the initial
    /// increment and as many later ones as it takes.
    pub fn billable_seconds(&self, seconds: u32) -> u64 {
        if seconds == 0 {
            return 0;
        }
        let (initial_s, increment_s) = (u64::from(self.initial_s), u64::from(self.increment_s));
        let beyond = u64::from(seconds).saturating_sub(initial_s);
        let increments = beyond.div_ceil(increment_s);
        initial_s.wrapping_add(increments.wrapping_mul(increment_s))
    }
}
