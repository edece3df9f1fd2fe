//! Plain decimal text and scaled integers: read exactly or not at all, written without a detour.

/// Why a text is not a plain decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// Nothing there.
    Empty,
    /// Something other than an optional minus, digits and one point: an exponent, `NaN`, a comma, a space.
    NotDecimal,
    /// More digits after the point than the value can hold.
    TooPrecise {
        /// How many it can hold.
        decimals_max: u32,
    },
    /// Outside the range of the value.
    OutOfRange,
}

impl core::fmt::Display for DecimalError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("empty, where a decimal number such as 0.0125 is expected"),
            Self::NotDecimal => {
                f.write_str("not a plain decimal number (digits and one point; no exponent, no thousands separator)")
            }
            Self::TooPrecise { decimals_max } => write!(f, "more than {decimals_max} digits after the point"),
            Self::OutOfRange => f.write_str("out of range"),
        }
    }
}

impl core::error::Error for DecimalError {}

/// Reads `text` as a whole number of 10^-`decimals`.
///
/// Zeros past `decimals` are accepted, since they change nothing. No exponent, no sign `+`, no separator.
///
/// # Errors
/// Whatever is not exactly such a number; see [`DecimalError`].
pub(crate) fn parse_scaled(text: &str, decimals: u32) -> Result<i64, DecimalError> {
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if whole.is_empty() || fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::NotDecimal);
    }
    let kept = fraction.trim_end_matches('0');
    let missing = u32::try_from(kept.len())
        .ok()
        .and_then(|used| decimals.checked_sub(used))
        .ok_or(DecimalError::TooPrecise { decimals_max: decimals })?;
    let mut value: i64 = 0;
    for digit in whole.bytes().chain(kept.bytes()) {
        value = push_digit(value, digit).ok_or(DecimalError::OutOfRange)?;
    }
    for _ in 0..missing {
        value = push_digit(value, b'0').ok_or(DecimalError::OutOfRange)?;
    }
    Ok(if negative { value.wrapping_neg() } else { value })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn push_digit(value: i64, digit: u8) -> Option<i64> {
    value.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))
}

/// The text of a scaled integer, on the stack: no exponent, no trailing zeros beyond two decimals.
#[derive(Clone, Copy)]
pub struct DecimalText {
    bytes: [u8; DecimalText::CAPACITY],
    start: usize,
}

impl DecimalText {
    /// Nineteen digits, a zero before the point, the point and a minus, with room to spare.
    const CAPACITY: usize = 24;

    /// The text of `scaled` times 10^-`decimals`; at least two and at most nine decimals.
    pub(crate) fn new(scaled: i64, decimals: u32) -> Self {
        let mut text = DecimalText { bytes: [b'0'; Self::CAPACITY], start: Self::CAPACITY };
        let (mut rest, mut decimals) = (scaled.unsigned_abs(), decimals);
        while decimals > 2 && rest.is_multiple_of(10) {
            rest /= 10;
            decimals = decimals.wrapping_sub(1);
        }
        for _ in 0..decimals {
            text.push(b'0'.wrapping_add((rest % 10) as u8));
            rest /= 10;
        }
        text.push(b'.');
        loop {
            text.push(b'0'.wrapping_add((rest % 10) as u8));
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if scaled < 0 {
            text.push(b'-');
        }
        text
    }

    fn push(&mut self, byte: u8) {
        self.start = self.start.wrapping_sub(1);
        self.bytes[self.start] = byte;
    }

    /// The characters: ASCII digits, a point, perhaps a minus.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).expect("invariant: digits are ASCII")
    }
}
