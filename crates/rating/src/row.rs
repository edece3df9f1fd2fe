//! One row of a deck: the price of a prefix.

use std::fmt;
use std::sync::{Arc, OnceLock};

use drawdown_units::{Money, Price};

use crate::{Number, Product};

/// A row as compiled: every default filled in, every value checked.
///
/// Three cache lines: what a charge needs comes first, so that it reads one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Row {
    /// The digits a called number must begin with.
    pub prefix: Number,
    /// The price per minute from the first second on.
    pub price: Price,
    /// Charged once for a call that lasts at all.
    pub connection_fee: Money,
    /// The least a call of any length costs, fee included (boundaries.md C2).
    pub minimum: Money,
    /// The most a call costs, fee included; never below the minimum.
    pub maximum: Option<Money>,
    /// The first increment in seconds; 0 is legal (boundaries.md C3).
    pub initial_s: u32,
    /// Every later increment in seconds; never 0.
    pub increment_s: u32,
    /// Whether there is anything to choose once the prefix is found. The first row of a prefix, where the index leads,
    /// speaks for the others.
    pub(crate) choice: Choosing,
    /// Where the row begins in its file, from 1.
    pub line: u32,
    /// Kept for whoever writes charges down.
    pub as_written: Memo,
    /// Which kind of call is priced.
    pub product: Product,
    /// Charged like any other row, and flagged.
    pub blocked: bool,
    /// A premium-rate number: never paid with included minutes (boundaries.md U20).
    pub premium: bool,
    /// What the deck calls the destination; empty where it has no such column.
    pub destination: Arc<str>,
    /// The time band the row is for; `None` is a row for every band that the prefix has no other row for.
    pub band: Option<Arc<str>>,
    /// Later prices of one call, ascending; empty for a row with one price.
    pub tiers: Box<[Tier]>,
    /// The digits a caller must begin with; `None` is a row for every other caller.
    pub origin_prefix: Option<Number>,
}

/// A text that follows from a row and its deck alone: made when it is first asked for, since most rows of a deck never are.
/// It is no part of what the row says.
#[derive(Default)]
pub struct Memo(OnceLock<Box<str>>);

impl Memo {
    /// The text, which is always the same that `make` gives.
    #[inline]
    pub fn get_or_make(&self, make: impl FnOnce() -> String) -> &str {
        self.0.get_or_init(|| make().into_boxed_str())
    }

    /// Its first byte and one further on, if there is a text.
    fn look_ahead(&self) -> u8 {
        let text = self.0.get().map_or(&[][..], |text| text.as_bytes());
        [0, 64].into_iter().filter_map(|at| text.get(at)).fold(0, |all, byte| all ^ byte)
    }
}

impl Clone for Memo {
    /// Another row may be made of the copy, so it has none.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}

/// What follows from a prefix: one row with one price, or a choice among several by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choosing(u32);

impl Choosing {
    /// One row, one price.
    pub const NOTHING: Self = Choosing(u32::MAX);
    /// One row with tiers.
    pub const TIER: Self = Choosing(u32::MAX - 1);

    /// Among the rows of that choice of the deck.
    pub fn among(choice: usize) -> Self {
        let choice = u32::try_from(choice).ok().filter(|choice| *choice < Self::TIER.0);
        Choosing(choice.expect("invariant: a deck has fewer choices than rows, and rows are bounded"))
    }

    /// The number of the choice, if there is one to make among rows.
    pub fn among_rows(self) -> Option<usize> {
        (self.0 < Self::TIER.0).then_some(self.0 as usize)
    }
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
    /// Reads what charging by it and writing that down will ask for, so that it is near. The value means nothing.
    #[inline]
    pub fn look_ahead(&self) -> u64 {
        u64::from(self.increment_s) ^ u64::from(self.as_written.look_ahead())
    }

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
