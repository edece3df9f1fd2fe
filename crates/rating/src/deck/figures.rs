//! How a vendor writes figures: which sign stands before decimals, which between thousands.

use std::borrow::Cow;

use drawdown_units::{DecimalError, Money, Price};

/// A convention for decimal numbers; the default is digits and one point, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    pub decimal: char,
    pub thousands: Option<char>,
}

impl Default for Figures {
    fn default() -> Self {
        Figures { decimal: '.', thousands: None }
    }
}

impl Figures {
    pub fn money(self, text: &str) -> Result<Money, DecimalError> {
        let money = Money::parse(&self.plain(text)?)?;
        if money.is_negative() { Err(DecimalError::OutOfRange) } else { Ok(money) }
    }

    pub fn price(self, text: &str) -> Result<Price, DecimalError> {
        Price::parse(&self.plain(text)?)
    }

    /// The number with a point and without separators. Separators are accepted only where they belong, between groups of
    /// three digits: `1.5` under a convention with `.` for thousands is a mistake, not fifteen.
    fn plain(self, text: &str) -> Result<Cow<'_, str>, DecimalError> {
        if self == Self::default() {
            return Ok(Cow::Borrowed(text));
        }
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let mut plain = match self.thousands.filter(|separator| whole.contains(*separator)) {
            None => whole.to_owned(),
            Some(separator) => {
                let mut groups = whole.split(separator);
                let first = groups.next().unwrap_or_default();
                let first_digits = first.strip_prefix('-').unwrap_or(first);
                let mut plain = first.to_owned();
                let mut is_grouped = (1..=3).contains(&first_digits.len());
                for group in groups {
                    is_grouped &= group.len() == 3;
                    plain.push_str(group);
                }
                if !is_grouped {
                    return Err(DecimalError::NotDecimal);
                }
                plain
            }
        };
        if plain.contains('.') || fraction.is_some_and(|fraction| fraction.contains('.')) {
            return Err(DecimalError::NotDecimal);
        }
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(fraction);
        }
        Ok(Cow::Owned(plain))
    }

    /// What to do about a figure that could not be read.
    pub fn mend(self, text: &str, error: DecimalError) -> String {
        match error {
            DecimalError::Empty => "write a number, 0 if it is free".to_owned(),
            DecimalError::OutOfRange => "write a number from 0 to the largest accepted, 1000000 for a price".to_owned(),
            DecimalError::TooPrecise { decimals_max } => format!("round it to {decimals_max} decimals"),
            DecimalError::NotDecimal if text.contains(',') && self.decimal != ',' => {
                "write it with a point, or set decimal = \",\" (or thousands = \",\") under [numbers] in the manifest"
                    .to_owned()
            }
            DecimalError::NotDecimal if text.contains(['e', 'E']) && text.contains(|c: char| c.is_ascii_digit()) => {
                "write it without exponent, such as 0.000000001".to_owned()
            }
            DecimalError::NotDecimal if self != Self::default() => {
                "write it as [numbers] in the manifest says, thousands in groups of three".to_owned()
            }
            DecimalError::NotDecimal => "write digits and at most one point, such as 0.0125".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_vendors_conventions_and_nothing_sloppier() {
        let german = Figures { decimal: ',', thousands: Some('.') };
        let swiss = Figures { decimal: '.', thousands: Some('\'') };
        for (figures, text, plain) in [
            (Figures::default(), "0.0125", Some("0.0125")),
            (Figures::default(), "0,05", None),
            (german, "0,05", Some("0.05")),
            (german, "1.234,5", Some("1234.5")),
            (german, "1.234.567", Some("1234567")),
            (german, "0.05", None),
            (german, "1.5", None),
            (german, "12.34,5", None),
            (german, "1,234.5", None),
            (german, ".123", None),
            (swiss, "1'234.5", Some("1234.5")),
            (swiss, "1'23.5", None),
        ] {
            let expected = plain.map(|plain| Money::parse(plain).expect("a decimal"));
            assert_eq!(figures.money(text).ok(), expected, "{text} under {figures:?}");
        }
        assert_eq!(Figures::default().money("-1"), Err(DecimalError::OutOfRange));
    }
}
