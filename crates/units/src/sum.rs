//! A sum of money that cannot overflow: what is added up may be years of all organisations, or absurd.

use core::fmt;
use core::iter;
use core::ops::{AddAssign, Neg, SubAssign};

use crate::Money;

/// Millionths of a currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Sum(i128);

impl Sum {
    /// Nothing.
    pub const ZERO: Sum = Sum(0);

    /// A sum of `micros` millionths.
    pub const fn from_micros(micros: i128) -> Self {
        Sum(micros)
    }

    /// The sum in millionths.
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// Is it exactly nothing?
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Sum) -> Sum {
        Sum(self.0.saturating_add(other.0))
    }

    /// The difference.
    #[must_use]
    pub const fn minus(self, other: Sum) -> Sum {
        Sum(self.0.saturating_sub(other.0))
    }
}

impl From<Money> for Sum {
    fn from(money: Money) -> Self {
        Sum(i128::from(money.micros()))
    }
}

impl<T: Into<Sum>> AddAssign<T> for Sum {
    fn add_assign(&mut self, other: T) {
        *self = self.plus(other.into());
    }
}

impl<T: Into<Sum>> SubAssign<T> for Sum {
    fn sub_assign(&mut self, other: T) {
        *self = self.minus(other.into());
    }
}

impl Neg for Sum {
    type Output = Sum;

    fn neg(self) -> Sum {
        Sum(self.0.saturating_neg())
    }
}

impl iter::Sum for Sum {
    fn sum<I: Iterator<Item = Sum>>(sums: I) -> Sum {
        sums.fold(Sum::ZERO, Sum::plus)
    }
}

impl fmt::Display for Sum {
    /// As [`Money`] is written: no exponent, no idle zeros beyond two decimals (boundaries.md C13).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micros) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let mut decimals = format!("{micros:06}");
        decimals.truncate(decimals.trim_end_matches('0').len().max(2));
        f.pad(&format!("{}{whole}.{decimals}", if self.0 < 0 { "-" } else { "" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_money_is_however_large() {
        for micros in [0, 1, -1, 10_000, -1_234_500, 1_230_000, 999_999_999_999, i64::MAX, i64::MIN] {
            assert_eq!(Sum::from_micros(i128::from(micros)).to_string(), Money::from_micros(micros).to_string());
        }
        assert_eq!(Sum::from_micros(i128::from(i64::MAX) * 1_000).to_string(), "9223372036854775.807");
    }
}
