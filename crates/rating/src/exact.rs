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
const PARTS_A_UNIT: u128 = 60_000_000_000;
/// How many make a millionth of it.
const PARTS_A_MICRO: u128 = 60_000;

impl ExactAmount {
    /// Nothing.
    pub const ZERO: Self = ExactAmount(0);

    /// An amount of money, which is not negative.
    pub fn of_money(money: Money) -> Self {
        ExactAmount(u128::from(money.micros().unsigned_abs()).wrapping_mul(PARTS_A_MICRO))
    }

    /// What `seconds` cost at `price` a minute. A price has 50 bits and a call's seconds 33, so that neither this product
    /// nor any sum over a call comes near 128 bits.
    pub fn of_time(price: Price, seconds: u64) -> Self {
        ExactAmount(u128::from(price.nanos().unsigned_abs()).wrapping_mul(u128::from(seconds)))
    }

    /// The sum.
    ///
    /// # Panics
    /// Beyond 128 bits: amounts, prices and durations that were read are far from it.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        ExactAmount(self.0.checked_add(other.0).expect("invariant: prices and durations are bounded"))
    }

    /// The amount rounded, or `None` above [`Money::LIMIT`] or for more decimals than money has.
    ///
    /// The division is decided on quotient and remainder (boundaries.md C12). It is one of 64 bits wherever the amount
    /// fits, since one of 128 takes several times as long.
    pub fn rounded(self, rounding: Rounding) -> Option<Money> {
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
        let mut text = (self.0 / PARTS_A_UNIT).to_string();
        text.push('.');
        let mut rest = self.0 % PARTS_A_UNIT;
        for place in 0..DECIMALS_MAX {
            if rest == 0 && place >= 2 {
                break;
            }
            rest = rest.wrapping_mul(10);
            text.push(char::from(b'0'.wrapping_add((rest / PARTS_A_UNIT) as u8)));
            rest %= PARTS_A_UNIT;
        }
        if rest != 0 {
            text.push('…');
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RoundingMode;

    fn exact(nanos_a_minute: &str, seconds: u64) -> ExactAmount {
        ExactAmount::of_time(Price::parse(nanos_a_minute).expect("a price"), seconds)
    }

    /// boundaries.md C11, C12: ties are decided on the exact quotient, and a half goes away from zero.
    #[test]
    fn rounds_once_on_the_exact_quotient() {
        use RoundingMode::{Down, HalfDown, HalfEven, HalfUp, Up};
        for (price, seconds, decimals, [half_up, half_even, half_down, up, down]) in [
            // 0.0125 × 6 / 60 = 0.00125, a tie at four decimals.
            ("0.0125", 6, 4, ["0.0013", "0.0012", "0.0012", "0.0013", "0.0012"]),
            // 0.0135 × 6 / 60 = 0.00135, a tie whose lower neighbour is odd.
            ("0.0135", 6, 4, ["0.0014", "0.0014", "0.0013", "0.0014", "0.0013"]),
            // 1/3 never ends; at six decimals it is below a half.
            ("0.000001", 20, 6, ["0.00", "0.00", "0.00", "0.000001", "0.00"]),
            // 0.5 + 1/60 × 10⁻⁹ of the last decimal: no tie, although it is one when cut to nine decimals.
            ("0.500000001", 60, 0, ["1.00", "1.00", "1.00", "1.00", "0.00"]),
            ("0.50", 60, 0, ["1.00", "0.00", "0.00", "1.00", "0.00"]),
            ("1.50", 60, 0, ["2.00", "2.00", "1.00", "2.00", "1.00"]),
            ("0.030000001", 1, 6, ["0.0005", "0.0005", "0.0005", "0.000501", "0.0005"]),
            ("2.00", 60, 0, ["2.00", "2.00", "2.00", "2.00", "2.00"]),
            ("0.00", 60, 6, ["0.00", "0.00", "0.00", "0.00", "0.00"]),
        ] {
            for (mode, expected) in
                [(HalfUp, half_up), (HalfEven, half_even), (HalfDown, half_down), (Up, up), (Down, down)]
            {
                let rounded = exact(price, seconds).rounded(Rounding { mode, decimals });
                let rounded = rounded.map(|money| money.to_string());
                assert_eq!(rounded.as_deref(), Some(expected), "{price} × {seconds} s, {mode:?} to {decimals}");
            }
        }
    }

    #[test]
    fn amounts_beyond_64_bits_are_exact_and_beyond_the_limit_none() {
        let rounding = Rounding::default();
        let large = exact("999999.999999999", 86_400 * 365);
        assert_eq!(large.rounded(rounding).map(|money| money.to_string()).as_deref(), Some("525599999999.999474"));
        assert_eq!(exact("1000000", 60_000_000).rounded(rounding), Some(Money::LIMIT));
        assert_eq!(exact("1000000", 60_000_001).rounded(rounding), None);
        assert_eq!(exact("1000000", u64::from(u32::MAX)).rounded(rounding), None);
    }

    #[test]
    fn shows_all_decimals_or_says_that_they_go_on() {
        for (price, seconds, text) in [
            ("0.00", 60, "0.00"),
            ("1.50", 60, "1.50"),
            ("0.0125", 6, "0.00125"),
            ("0.01", 20, "0.00333333333…"),
            ("0.000000001", 15, "0.00000000025"),
        ] {
            assert_eq!(exact(price, seconds).to_string(), text);
        }
    }
}
