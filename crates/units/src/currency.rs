//! ISO 4217 currency codes.

use core::fmt;

/// An ISO 4217 alphabetic code: three upper-case ASCII letters.
///
/// There is no list of known codes: a currency matters only in that two of them must be equal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads a code such as `USD`; anything but three upper-case ASCII letters is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    /// The three letters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("invariant: a currency is ASCII")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_upper_case_letters_and_nothing_else() {
        assert_eq!(Currency::parse("USD").map(|c| c.to_string()), Some("USD".into()));
        for wrong in ["", "US", "usd", "USDT", "U5D", "€€€", "US "] {
            assert_eq!(Currency::parse(wrong), None, "{wrong:?}");
        }
    }
}
