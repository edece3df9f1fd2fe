//! Amounts before they are rounded, exactly.
//!
//! A price has nine decimals and is per minute, so a price times seconds is a whole number of 60 × 10⁹ths of a currency
//! unit, and so is every fee and bound: sums and comparisons are those of integers, and only the end is a division.

use core::cmp::Ordering;
use core::fmt;

use drawdown_units::{Money, Price};

use crate::Rounding;

/// An amount before rounding, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExactAmount(u128);

/// How many of the parts an exact amount is counted in make one currency unit.
const PARTS_A_UNIT: u64 = 60_000_000_000;
/// How many make a millionth of it.
const PARTS_A_MICRO: u128 = 60_000;

impl ExactAmount {
    /// Nothing.
    pub(crate) const ZERO: Self = ExactAmount(0);

    /// An amount of money, which is not negative.
    pub(crate) fn of_money(money: Money) -> Self {
        ExactAmount(u128::from(money.micros().unsigned_abs()).wrapping_mul(PARTS_A_MICRO))
    }

    /// What `seconds` cost at `price` a minute. A price has 50 bits and a call's seconds 33, so that neither this product
    /// nor any sum over a call comes near 128 bits.
    pub(crate) fn of_time(price: Price, seconds: u64) -> Self {
        ExactAmount(u128::from(price.nanos().unsigned_abs()).wrapping_mul(u128::from(seconds)))
    }

    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        ExactAmount(self.0.checked_add(other.0).expect("invariant: prices and durations are bounded"))
    }

    /// The amount rounded, or `None` above [`Money::LIMIT`].
    ///
    /// The division is decided on quotient and remainder (boundaries.md C12). It is one of 64 bits wherever the amount
    /// fits, since one of 128 takes several times as long.
    pub(crate) fn rounded(self, rounding: Rounding) -> Option<Money> {
        let decimals_cut = Rounding::DECIMALS_MAX.checked_sub(rounding.decimals)?;
        let micros_a_step = 10_u64.pow(u32::from(decimals_cut));
        let step = micros_a_step.wrapping_mul(60_000);
        let (quotient, remainder) = match u64::try_from(self.0) {
            Ok(parts) => (u128::from(parts.checked_div(step)?), parts.checked_rem(step)?),
            Err(_) => {
                let step = u128::from(step);
                (self.0.checked_div(step)?, self.0.checked_rem(step)? as u64)
            }
        };
        let away = remainder != 0 && {
            let half: Ordering = remainder.wrapping_mul(2).cmp(&step);
            rounding.mode.moves_away(half, quotient & 1 == 1)
        };
        let micros = quotient.checked_add(u128::from(away))?.checked_mul(u128::from(micros_a_step))?;
        let money = Money::from_micros(i64::try_from(micros).ok()?);
        (money <= Money::LIMIT).then_some(money)
    }
}

impl fmt::Display for ExactAmount {
    /// In full where the decimals end; else eleven of them and `…`. (60 × 10⁹ is 2¹¹ × 3 × 5¹⁰, so they end by then or never.)
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DECIMALS_MAX: usize = 11;
        let unit = u128::from(PARTS_A_UNIT);
        let mut text = (self.0 / unit).to_string();
        text.push('.');
        let mut rest = self.0 % unit;
        for place in 0..DECIMALS_MAX {
            if rest == 0 && place >= 2 {
                break;
            }
            rest = rest.wrapping_mul(10);
            text.push(char::from(b'0'.wrapping_add((rest / unit) as u8)));
            rest %= unit;
        }
        if rest != 0 {
            text.push('…');
        }
        f.pad(&text)
    }
}
