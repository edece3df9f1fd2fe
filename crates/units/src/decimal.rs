//! Plain decimal text and scaled integers: read exactly or not at all, written without a detour.

use crate::digits::{put_fraction, put_whole};

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

/// The longest text of a scaled integer: a minus, nineteen digits, a point, nine decimals.
pub const DECIMAL_TEXT_MAX: usize = 30;

/// Writes `scaled` times 10^-`DECIMALS`, which is below 10^16, to the beginning of `out`, with at least two and at most nine
/// decimals, without trailing zeros beyond two, and returns how many bytes that is. What follows them is overwritten as well.
#[inline]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "the unit is a constant above 0, and positions stay below the longest text"
)]
pub(crate) fn write_scaled<const DECIMALS: u32>(scaled: i64, out: &mut [u8; DECIMAL_TEXT_MAX]) -> usize {
    let (magnitude, unit) = (scaled.unsigned_abs(), const { 10_u64.pow(DECIMALS) });
    let nanos = (magnitude % unit) as u32 * const { 10_u32.pow(9 - DECIMALS) };
    out[0] = b'-';
    let sign = usize::from(scaled < 0);
    let point = sign + out[sign..].first_chunk_mut().map_or(0, |whole| put_whole(whole, magnitude / unit));
    out[point] = b'.';
    let fraction = out[point + 1..].first_chunk_mut().map_or(0, |fraction| put_fraction(fraction, nanos));
    point + 1 + fraction.max(2)
}

/// The text of a scaled integer, on the stack: no exponent, no trailing zeros beyond two decimals.
#[derive(Clone, Copy)]
pub struct DecimalText {
    bytes: [u8; DECIMAL_TEXT_MAX],
    length: usize,
}

impl DecimalText {
    /// The text of `scaled` times 10^-`DECIMALS`; at least two and at most nine decimals.
    pub(crate) fn new<const DECIMALS: u32>(scaled: i64) -> Self {
        let mut bytes = [b'0'; DECIMAL_TEXT_MAX];
        let length = write_scaled::<DECIMALS>(scaled, &mut bytes);
        DecimalText { bytes, length }
    }

    /// The characters: ASCII digits, a point, perhaps a minus.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).expect("invariant: digits are ASCII")
    }
}
