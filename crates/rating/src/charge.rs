//! The charge of one call: an exact sum, bounded, rounded once.

use drawdown_units::{Money, Price, Timestamp};

use crate::bands::{BandIndex, OUTSIDE, Selection};
use crate::deck::RowsByBand;
use crate::exact::ExactAmount;
use crate::row::Choosing;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'d> {
    /// Billed seconds before this part.
    pub from_second: u64,
    /// Billed seconds in this part.
    pub seconds: u64,
    /// The price they cost per minute.
    pub price: Price,
    /// The row with that price.
    pub row: &'d Row,
    /// The band in which its time lies, where the price depends on bands and the time lies in one.
    pub band: Option<&'d str>,
}

impl Deck {
    /// What `call` costs.
    ///
    /// # Errors
    /// [`Uncharged`], an outcome to be recorded, not a failure.
    pub fn charge<'d>(&'d self, call: &Call) -> Result<Charge<'d>, Uncharged> {
        let found = self.look_up(call.product, call.called).ok_or(Uncharged::NoRow)?;
        let rows = found.rows_for(call.caller).ok_or(Uncharged::NoRow)?;
        let row = self.row_at(rows, call.start);
        let billable_seconds = row.billable_seconds(call.seconds);
        let (time, is_compound) = match rows {
            RowsByBand::One(_) if row.choice == Choosing::NOTHING => {
                (ExactAmount::of_time(row.price, billable_seconds), false)
            }
            RowsByBand::One(_) | RowsByBand::Several(_) => self.compound_time(rows, row, call),
        };
        let (connection_fee, bounded, bound) = match call.seconds {
            0 => (Money::ZERO, ExactAmount::ZERO, Bound::None),
            1.. => {
                let sum = ExactAmount::of_money(row.connection_fee).plus(time);
                let (bounded, bound) = bounded(sum, row);
                (row.connection_fee, bounded, bound)
            }
        };
        Ok(Charge {
            amount: bounded.rounded(self.rounding()).ok_or(Uncharged::TooLarge)?,
            connection_fee,
            price_per_minute: row.price,
            billable_seconds,
            deck: self,
            row,
            rounding: self.rounding(),
            bound,
            is_compound,
            masked_uncertain: found.masked_uncertain,
        })
    }

    /// The sum behind the charge of `call`, recomputed: for explaining, not for the hot path.
    ///
    /// # Errors
    /// As [`Deck::charge`].
    pub fn breakdown(&self, call: &Call) -> Result<Breakdown<'_>, Uncharged> {
        let charge = self.charge(call)?;
        let rows = self
            .look_up(call.product, call.called)
            .and_then(|found| found.rows_for(call.caller))
            .ok_or(Uncharged::NoRow)?;
        let mut parts: Vec<Part<'_>> = Vec::new();
        self.for_each_part(rows, charge.row, call, |part| match parts.last_mut() {
            Some(last) if (last.price, last.row.line, last.band) == (part.price, part.row.line, part.band) => {
                last.seconds = last.seconds.saturating_add(part.seconds);
            }
            _ => parts.push(part),
        });
        let mut sum = ExactAmount::of_money(charge.connection_fee);
        for part in &parts {
            sum = sum.plus(ExactAmount::of_time(part.price, part.seconds));
        }
        Ok(Breakdown { charge, parts, sum })
    }

    /// What the time of a call costs where bands or tiers may change its price, and whether they did.
    fn compound_time(&self, rows: RowsByBand<'_>, row: &Row, call: &Call) -> (ExactAmount, bool) {
        let (mut time, mut is_compound) = (ExactAmount::ZERO, false);
        self.for_each_part(rows, row, call, |part| {
            time = time.plus(ExactAmount::of_time(part.price, part.seconds));
            is_compound |= part.price != row.price;
        });
        (time, is_compound)
    }

    /// Walks the billed time of a call whose start has `row`, price by price.
    ///
    /// Increments run from the start and each has the price of the band and tier in which it begins (boundaries.md C9).
    /// The increments that begin before some second are exactly those that a call ending there would be billed, hence a
    /// stretch of the call bills the difference of two such calls: no loop over increments.
    fn for_each_part<'d>(&'d self, rows: RowsByBand<'d>, row: &'d Row, call: &Call, mut part: impl FnMut(Part<'d>)) {
        self.for_each_segment(rows, call, |from, to, band| {
            let of_band = self.row_in(rows, band);
            let name = self.bands().and_then(|bands| bands.name(band)).map(|name| &**name);
            let mut emit = |from: u32, to: u32, price: Price| {
                let from_second = row.billable_seconds(from);
                let seconds = row.billable_seconds(to).saturating_sub(from_second);
                if seconds > 0 {
                    part(Part { from_second, seconds, price, row: of_band, band: name });
                }
            };
            let (mut at, mut price) = (from, of_band.price);
            for tier in of_band.tiers.iter().take_while(|tier| tier.from_s < to) {
                if tier.from_s > at {
                    emit(at, tier.from_s, price);
                    at = tier.from_s;
                }
                price = tier.price;
            }
            emit(at, to, price);
        });
    }

    /// The stretches of a call that lie in one band each: the whole call, where the band of the start holds to its end or
    /// where there is one row for all bands.
    fn for_each_segment(&self, rows: RowsByBand<'_>, call: &Call, mut segment: impl FnMut(u32, u32, BandIndex)) {
        match (self.bands(), rows) {
            (Some(bands), RowsByBand::Several(_)) => match bands.selection {
                Selection::Start => segment(0, call.seconds, bands.at(call.start)),
                Selection::Split => bands.segments(call.start, call.seconds, segment),
            },
            (None, _) | (_, RowsByBand::One(_)) => segment(0, call.seconds, OUTSIDE),
        }
    }
}

/// Minimum first, then maximum (boundaries.md C2), compared exactly.
fn bounded(sum: ExactAmount, row: &Row) -> (ExactAmount, Bound) {
    let minimum = ExactAmount::of_money(row.minimum);
    if sum < minimum {
        return (minimum, Bound::Minimum);
    }
    match row.maximum.map(ExactAmount::of_money) {
        Some(maximum) if sum > maximum => (maximum, Bound::Maximum),
        Some(_) | None => (sum, Bound::None),
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
