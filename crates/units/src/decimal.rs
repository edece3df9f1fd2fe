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

/// The two digits of every number below a hundred: writing two at a time halves the divisions.
pub(crate) const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number: u8 = 0;
    while number < 100 {
        table[number as usize] = [b'0'.wrapping_add(number / 10), b'0'.wrapping_add(number % 10)];
        number = number.wrapping_add(1);
    }
    table
};

/// The text of a scaled integer, on the stack: no exponent, no trailing zeros beyond two decimals.
#[derive(Clone, Copy)]
pub struct DecimalText {
    bytes: [u8; DecimalText::CAPACITY],
    start: u8,
    end: u8,
}

impl DecimalText {
    const CAPACITY: usize = 32;
    /// Where the point stands: behind nineteen digits and a minus, before up to nine decimals.
    const POINT: usize = 21;

    /// The text of `scaled` times 10^-`decimals`; at least two and at most nine decimals.
    #[inline]
    #[allow(clippy::arithmetic_side_effects, reason = "the unit is a constant above 0")]
    pub(crate) fn new<const DECIMALS: u32>(scaled: i64) -> Self {
        let magnitude = scaled.unsigned_abs();
        let unit = const { 10_u64.pow(DECIMALS) };
        let (whole, fraction) = (magnitude / unit, (magnitude % unit) as u32);
        let mut text = DecimalText { bytes: [b'0'; Self::CAPACITY], start: 0, end: 0 };
        text.bytes[Self::POINT] = b'.';
        text.put_fraction(fraction.wrapping_mul(const { 10_u32.pow(9_u32.wrapping_sub(DECIMALS)) }));
        text.put_whole(whole, scaled < 0);
        text
    }

    /// Writes nine decimals and forgets the idle ones.
    #[inline]
    fn put_fraction(&mut self, nanos: u32) {
        let mut end = Self::POINT.wrapping_add(3);
        self.put_two(Self::POINT.wrapping_add(1), nanos / 10_000_000);
        if !nanos.is_multiple_of(10_000_000) {
            self.put_two(Self::POINT.wrapping_add(3), nanos / 100_000 % 100);
            self.put_two(Self::POINT.wrapping_add(5), nanos / 1_000 % 100);
            self.put_two(Self::POINT.wrapping_add(7), nanos / 10 % 100);
            self.bytes[Self::POINT.wrapping_add(9)] = b'0'.wrapping_add((nanos % 10) as u8);
            end = Self::POINT.wrapping_add(10);
            while self.bytes[end.wrapping_sub(1)] == b'0' {
                end = end.wrapping_sub(1);
            }
        }
        self.end = end as u8;
    }

    #[inline]
    fn put_whole(&mut self, whole: u64, is_negative: bool) {
        let (mut rest, mut start) = (whole, Self::POINT);
        while rest >= 100 {
            start = start.wrapping_sub(2);
            self.put_two(start, (rest % 100) as u32);
            rest /= 100;
        }
        if rest >= 10 {
            start = start.wrapping_sub(2);
            self.put_two(start, rest as u32);
        } else {
            start = start.wrapping_sub(1);
            self.bytes[start] = b'0'.wrapping_add(rest as u8);
        }
        if is_negative {
            start = start.wrapping_sub(1);
            self.bytes[start] = b'-';
        }
        self.start = start as u8;
    }

    #[inline]
    fn put_two(&mut self, position: usize, value: u32) {
        let digits = TWO_DIGITS[value as usize];
        self.bytes[position] = digits[0];
        self.bytes[position.wrapping_add(1)] = digits[1];
    }

    /// The characters: ASCII digits, a point, perhaps a minus.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..usize::from(self.end)]
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).expect("invariant: digits are ASCII")
    }
}
