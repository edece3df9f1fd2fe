//! Money: a whole number of millionths of one currency unit.
//!
//! Six decimals are what boundaries.md L20 allows an amount to have and what a charge is rounded to at most,
//! so every amount that exists is exact in 64 bits. The largest is about nine million million units. Which currency is
//! meant is the business of the account or deck around it.

use core::fmt;

use crate::decimal::{DECIMAL_TEXT_MAX, DecimalError, DecimalText, parse_scaled, write_scaled};

/// An amount, positive or negative, in millionths of a currency unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);
    /// The digits after the point that are kept: 6.
    pub const DECIMALS: u32 = 6;
    /// The largest amount any single figure may reach (10^12 units): far from the edge of 64 bits, so that sums
    /// can be checked rather than guessed.
    pub const LIMIT: Money = Money(1_000_000_000_000_000_000);

    /// An amount of `micros` millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Money(micros)
    }

    /// The amount in millionths.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads a plain decimal such as `-12.5`: at most six decimals, no exponent, no separators.
    ///
    /// # Errors
    /// See [`DecimalError`].
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let money = Money(parse_scaled(text, Self::DECIMALS)?);
        if money.abs() > Self::LIMIT { Err(DecimalError::OutOfRange) } else { Ok(money) }
    }

    /// The sum, or `None` where it leaves 64 bits.
    pub const fn checked_add(self, other: Money) -> Option<Money> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Money(sum)),
            None => None,
        }
    }

    /// The sum.
    ///
    /// # Panics
    /// Where it leaves 64 bits: the ledger refuses amounts and charges that could bring an account there.
    #[must_use]
    pub const fn plus(self, other: Money) -> Money {
        Money(self.0.checked_add(other.0).expect("invariant: money stays within 64 bits"))
    }

    /// The difference.
    ///
    /// # Panics
    /// As [`Money::plus`].
    #[must_use]
    pub const fn minus(self, other: Money) -> Money {
        Money(self.0.checked_sub(other.0).expect("invariant: money stays within 64 bits"))
    }

    /// The amount with its sign turned.
    #[must_use]
    pub const fn negated(self) -> Money {
        Money(0).minus(self)
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Money {
        Money(self.0.saturating_abs())
    }

    /// Is it exactly nothing?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Is it above nothing?
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Is it below nothing?
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Is it a whole number of currency units?
    pub const fn is_whole(self) -> bool {
        self.0 % 1_000_000 == 0
    }

    /// The decimal text, without exponent and without trailing zeros beyond two decimals (boundaries.md C13).
    pub fn text(self) -> DecimalText {
        DecimalText::new::<{ Self::DECIMALS }>(self.0)
    }

    /// Writes that text to the beginning of `out`, and returns how many bytes it has; those behind it may change too.
    #[inline]
    pub fn write(self, out: &mut [u8; DECIMAL_TEXT_MAX]) -> usize {
        write_scaled::<{ Self::DECIMALS }>(self.0, out)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// boundaries.md C13: written without exponent and without trailing zeros beyond the currency's two.
    #[test]
    fn text_has_two_decimals_at_least_and_no_idle_zero_beyond() {
        for (micros, text) in [
            (0, "0.00"),
            (1, "0.000001"),
            (-1, "-0.000001"),
            (1_500_000, "1.50"),
            (1_230_000, "1.23"),
            (1_234_000, "1.234"),
            (-12_000_000, "-12.00"),
            (1_000_000_000_000_000_000, "1000000000000.00"),
            (i64::MAX, "9223372036854.775807"),
            (i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(Money::from_micros(micros).to_string(), text);
        }
    }

    #[test]
    fn reads_plain_decimals_exactly() {
        for (text, micros) in [
            ("0", 0),
            ("1", 1_000_000),
            ("-0.5", -500_000),
            ("0.000001", 1),
            ("12.3400000000", 12_340_000),
            ("007", 7_000_000),
        ] {
            assert_eq!(Money::parse(text), Ok(Money::from_micros(micros)), "{text}");
        }
    }

    /// Issue: prices like `1e-9`, `NaN`, `0,05` are errors that say so.
    #[test]
    fn refuses_whatever_is_not_a_plain_decimal() {
        for text in ["1e-9", "NaN", "0,05", "+1", ".5", "5.", "1_000", " 1", "1 ", "--1", "0x1", "∞", "-"] {
            assert_eq!(Money::parse(text), Err(DecimalError::NotDecimal), "{text:?}");
        }
        assert_eq!(Money::parse(""), Err(DecimalError::Empty));
        assert_eq!(Money::parse("0.0000001"), Err(DecimalError::TooPrecise { decimals_max: 6 }));
        assert_eq!(Money::parse("1000000000000.01"), Err(DecimalError::OutOfRange));
        assert_eq!(Money::parse(&"9".repeat(40)), Err(DecimalError::OutOfRange));
    }

    #[test]
    fn text_and_back_is_the_same_amount() {
        let mut micros: i64 = 1;
        for step in 0..2_000_i64 {
            micros = micros.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
            let money = Money::from_micros(micros % Money::LIMIT.micros());
            assert_eq!(Money::parse(&money.to_string()), Ok(money));
        }
    }
}
