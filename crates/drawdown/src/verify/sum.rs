//! A sum of money that cannot overflow: what is audited may be anything, and sums of it must not end the audit.

use std::fmt;
use std::ops::{AddAssign, Neg, SubAssign};

use drawdown_units::Money;

/// Millionths of a currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Sum(i128);

impl Sum {
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl From<Money> for Sum {
    fn from(money: Money) -> Self {
        Sum(i128::from(money.micros()))
    }
}

impl<T: Into<Sum>> AddAssign<T> for Sum {
    fn add_assign(&mut self, other: T) {
        self.0 = self.0.saturating_add(other.into().0);
    }
}

impl<T: Into<Sum>> SubAssign<T> for Sum {
    fn sub_assign(&mut self, other: T) {
        self.0 = self.0.saturating_sub(other.into().0);
    }
}

impl Neg for Sum {
    type Output = Sum;

    fn neg(self) -> Sum {
        Sum(self.0.saturating_neg())
    }
}

impl std::iter::Sum for Sum {
    fn sum<I: Iterator<Item = Sum>>(sums: I) -> Sum {
        sums.fold(Sum::default(), |mut total, sum| {
            total += sum;
            total
        })
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0) {
            Ok(micros) => fmt::Display::fmt(&Money::from_micros(micros), f),
            Err(_) => f.pad(&format!("{} millionths", self.0)),
        }
    }
}
