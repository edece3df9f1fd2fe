//! A price per minute: a whole number of thousand-millionths of a currency unit.

use core::fmt;

use crate::decimal::{DECIMAL_TEXT_MAX, DecimalError, DecimalText, parse_scaled, write_scaled};

/// A price per minute, never negative, with at most nine decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

impl Price {
    /// Nothing per minute.
    pub const ZERO: Price = Price(0);
    /// The digits after the point that are kept: 9.
    pub const DECIMALS: u32 = 9;
    /// The dearest price accepted: a million units per minute.
    pub const LIMIT: Price = Price(1_000_000_000_000_000);

    /// Reads a plain decimal such as `0.0125`.
    ///
    /// # Errors
    /// See [`DecimalError`]; a negative price, or one above [`Price::LIMIT`], is out of range.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        let price = Price(parse_scaled(text, Self::DECIMALS)?);
        if price < Self::ZERO || price > Self::LIMIT { Err(DecimalError::OutOfRange) } else { Ok(price) }
    }

    /// The price in 10^-9 units per minute.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The decimal text, without exponent and without trailing zeros beyond two decimals.
    pub fn text(self) -> DecimalText {
        DecimalText::new::<{ Self::DECIMALS }>(self.0)
    }

    /// Writes that text to the beginning of `out`, and returns how many bytes it has; those behind it may change too.
    #[inline]
    pub fn write(self, out: &mut [u8; DECIMAL_TEXT_MAX]) -> usize {
        write_scaled::<{ Self::DECIMALS }>(self.0, out)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text().as_str())
    }
}

impl fmt::Debug for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_up_to_nine_decimals() {
        for text in ["0.00", "0.000000001", "1.50", "0.0125", "1000000.00"] {
            assert_eq!(Price::parse(text).map(|p| p.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(Price::parse("-0.1"), Err(DecimalError::OutOfRange));
        assert_eq!(Price::parse("1000000.1"), Err(DecimalError::OutOfRange));
        assert_eq!(Price::parse("1e-9"), Err(DecimalError::NotDecimal));
        assert_eq!(Price::parse("0.0000000001"), Err(DecimalError::TooPrecise { decimals_max: 9 }));
    }
}
