//! Telephone numbers as rating sees them: up to 15 digits, the first of them 1 to 9 (E.164).
//!
//! Only the clean `+digits` form is read here, by hand, since it is what nearly every record carries. Whatever else a
//! switch writes (`00…`, national form, spaces) is normalised at the edge, where the region is known.

use core::fmt;
use core::num::NonZeroU64;

use drawdown_units::sixteen_digits;

/// The digits of an E.164 number or of a prefix of one: 1 to 15, the first not zero.
///
/// Kept as the number padded with zeros to 15 digits, so that all numbers which share a prefix are one range of integers.
/// Ordered by that, and then by length: a prefix comes right before the numbers that it begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(
    /// The padded number (50 bits) above its length (4 bits): a row holds two of these, and a deck a million rows.
    NonZeroU64,
);

const LENGTH_BITS: u32 = 4;
const LENGTH_MASK: u64 = (1 << LENGTH_BITS) - 1;

impl Number {
    /// The most digits a number may have.
    pub const DIGITS_MAX: usize = 15;

    /// Reads plain digits: 1 to 15 of them, the first 1 to 9.
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        if digits.is_empty() || digits.len() > Self::DIGITS_MAX || digits[0] == b'0' {
            return None;
        }
        let mut padded: u64 = 0;
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            padded = padded.wrapping_mul(10).wrapping_add(u64::from(digit));
        }
        let missing = Self::DIGITS_MAX.wrapping_sub(digits.len());
        Some(Self::pack(padded.wrapping_mul(POWERS_OF_TEN[missing]), digits.len() as u8))
    }

    /// `length` is 1 to 15, and `padded` below 10^15.
    const fn pack(padded: u64, length: u8) -> Self {
        match NonZeroU64::new(padded << LENGTH_BITS | length as u64) {
            Some(packed) => Number(packed),
            None => panic!("invariant: a number has digits"),
        }
    }

    /// Reads `+` and plain digits, the clean form of E.164.
    pub fn parse_clean(text: &str) -> Option<Self> {
        Self::from_digits(text.as_bytes().strip_prefix(b"+")?)
    }

    /// The number followed by zeros up to 15 digits.
    pub const fn padded(self) -> u64 {
        self.0.get() >> LENGTH_BITS
    }

    /// The first number that does not start with these digits, padded likewise.
    pub const fn padded_end(self) -> u64 {
        self.padded().wrapping_add(POWERS_OF_TEN[Self::DIGITS_MAX.wrapping_sub(self.length() as usize)])
    }

    /// How many digits there are.
    pub const fn length(self) -> u8 {
        (self.0.get() & LENGTH_MASK) as u8
    }

    /// Whether these digits begin `number` (or are all of it).
    pub const fn is_prefix_of(self, number: Number) -> bool {
        self.length() <= number.length() && self.padded() <= number.padded() && number.padded() < self.padded_end()
    }

    /// The first `length` digits; the number itself where it is no longer than that. `None` for `length` 0.
    pub const fn truncated(self, length: u8) -> Option<Number> {
        if length == 0 {
            return None;
        }
        if length >= self.length() {
            return Some(self);
        }
        let unit = POWERS_OF_TEN[Self::DIGITS_MAX.wrapping_sub(length as usize)];
        let cut = self.padded().rem_euclid(unit);
        Some(Self::pack(self.padded().wrapping_sub(cut), length))
    }

    /// Writes the digits, without `+`, into `buffer` and returns the part of it that holds them.
    pub fn write_digits(self, buffer: &mut [u8; Self::DIGITS_MAX]) -> &[u8] {
        let [_, digits @ ..] = sixteen_digits(self.padded()).to_le_bytes();
        *buffer = digits;
        &buffer[..usize::from(self.length())]
    }
}

pub(crate) const POWERS_OF_TEN: [u64; 16] = {
    let mut powers = [1_u64; 16];
    let mut exponent = 1;
    while exponent < 16 {
        powers[exponent] = powers[exponent.wrapping_sub(1)].wrapping_mul(10);
        exponent = exponent.wrapping_add(1);
    }
    powers
};

impl fmt::Display for Number {
    /// The digits, without `+`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; Self::DIGITS_MAX];
        f.pad(core::str::from_utf8(self.write_digits(&mut buffer)).expect("invariant: digits are ASCII"))
    }
}

impl fmt::Debug for Number {
    /// Redacted: the first digits only, since a number in a log is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visible = self.truncated(4).unwrap_or(*self);
        write!(f, "+{visible}…({} digits)", self.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &str) -> Number {
        Number::from_digits(digits.as_bytes()).unwrap_or_else(|| panic!("{digits}"))
    }

    /// boundaries.md N3: 0 after `+`, more than 15 digits, letters are no numbers.
    #[test]
    fn reads_clean_numbers_only() {
        for clean in ["+1", "+442071838750", "+999999999999999"] {
            assert_eq!(Number::parse_clean(clean).map(|n| format!("+{n}")).as_deref(), Some(clean));
        }
        for other in ["", "+", "442071838750", "+0442071838750", "+1234567890123456", "+44 20", "+44a", "+４４", "++44"]
        {
            assert_eq!(Number::parse_clean(other), None, "{other:?}");
        }
    }

    #[test]
    fn prefixes_are_ranges() {
        assert!(number("44").is_prefix_of(number("442071838750")));
        assert!(number("44").is_prefix_of(number("44")));
        assert!(!number("440").is_prefix_of(number("44")), "N5: shorter than the prefix is no match");
        assert!(!number("45").is_prefix_of(number("442")));
        assert!(number("9").is_prefix_of(number("999999999999999")));
        assert_eq!(number("442071838750").truncated(3), Some(number("442")));
        assert_eq!(number("44").truncated(3), Some(number("44")));
    }

    #[test]
    fn is_eight_bytes_and_ordered_like_a_directory() {
        assert_eq!(size_of::<Option<Number>>(), 8);
        let ordered = ["1", "10", "100", "101", "11", "2", "20", "999999999999999"].map(number);
        assert!(ordered.is_sorted());
    }

    #[test]
    fn debug_shows_no_whole_number() {
        assert_eq!(format!("{:?}", number("442071838750")), "+4420…(12 digits)");
    }
}
