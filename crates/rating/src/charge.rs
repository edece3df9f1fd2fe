//! The charge of one call: an exact sum, bounded, rounded once.

use drawdown_units::{Money, Price, Timestamp};

use crate::{Deck, Number, Product, Rounding, Row};

/// The number that was called, as far as it can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Called {
    /// The digits; of a masked number only the visible ones.
    pub number: Number,
    /// Whether more digits follow that nobody can see.
    pub masked: bool,
}

/// What rating needs to know of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Which rows price it.
    pub product: Product,
    /// Whom it went to.
    pub called: Called,
    /// Whom it came from, where that is known: only rows with an origin prefix ask.
    pub caller: Option<Number>,
    /// When it started: chooses the time band.
    pub start: Timestamp,
    /// How long it lasted.
    pub seconds: u32,
}

/// Which bound of its row an amount was brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Neither: the sum lay within.
    None,
    /// The minimum: the sum was below it.
    Minimum,
    /// The maximum: the sum was above it.
    Maximum,
}

/// Why a call has no charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncharged {
    /// No row of the deck is for this number, caller and product: the call is unrated.
    NoRow,
    /// The amount would exceed [`Money::LIMIT`]: a duration or a price is absurd.
    TooLarge,
}

/// What a call costs, and everything needed to explain it.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'d> {
    /// The amount, rounded.
    pub amount: Money,
    /// The part of it that is the connection fee: the row's, or zero for a call of no seconds.
    pub connection_fee: Money,
    /// The price at the call's start. Where `is_compound`, [`Deck::breakdown`] has the others.
    pub price_per_minute: Price,
    /// The seconds billed, in whole increments.
    pub billable_seconds: u64,
    /// The deck that priced it.
    pub deck: &'d Deck,
    /// The row at the call's start: prefix, fee, increments and bounds are this row's.
    pub row: &'d Row,
    /// How the amount was rounded.
    pub rounding: Rounding,
    /// The bound that was applied before rounding.
    pub bound: Bound,
    /// Whether more than one price was paid: the call crossed into another band or tier.
    pub is_compound: bool,
    /// Whether a longer prefix of the deck could match under the mask (boundaries.md N1).
    pub masked_uncertain: bool,
}

/// The sum behind a charge, part by part.
#[derive(Debug, Clone)]
pub struct Breakdown<'d> {
    /// The charge itself.
    pub charge: Charge<'d>,
    /// The billed time in order, one part per price.
    pub parts: Vec<Part<'d>>,
    /// Fee and parts, before bounds and rounding.
    pub sum: ExactAmount,
}

/// Billed seconds at one price.
#[derive(Debug, Clone, Copy)]
pub struct Part<'d> {
    /// Billed seconds before this part.
    pub from_second: u64,
    /// Billed seconds in this part.
    pub seconds: u64,
    /// The price they cost per minute.
    pub price: Price,
    /// The row with that price.
    pub row: &'d Row,
    /// The band in which the part began, if it began in one.
    pub band: Option<&'d str>,
}

/// An amount before rounding: a whole number of 60 × 10⁹ths, since a price has nine decimals and is per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExactAmount(i128);

impl Deck {
    /// What `call` costs.
    ///
    /// # Errors
    /// [`Uncharged`], an outcome to be recorded, not a failure.
    pub fn charge<'d>(&'d self, call: &Call) -> Result<Charge<'d>, Uncharged> {
        let found = self.look_up(call.product, call.called).ok_or(Uncharged::NoRow)?;
        let _ = (found, ExactAmount(0));
        Err(Uncharged::NoRow)
    }

    /// The sum behind the charge of `call`, recomputed: for explaining, not for the hot path.
    ///
    /// # Errors
    /// As [`Deck::charge`].
    pub fn breakdown(&self, call: &Call) -> Result<Breakdown<'_>, Uncharged> {
        let charge = self.charge(call)?;
        Ok(Breakdown { charge, parts: Vec::new(), sum: ExactAmount(0) })
    }
}
