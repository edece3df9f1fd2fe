//! Connected time: exact decimal text to whole seconds, fractions rounded up (boundaries.md U3, U4). No floating point.

use super::quoted;
use crate::rejection::{Reason, Rejection};

/// Above this a call is flagged `long-call` (boundaries.md U3).
pub const LONG_CALL_S: u32 = 86_400;

const NANOS_A_SECOND: u64 = 1_000_000_000;

/// A connected time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// Whole seconds, any fraction rounded up.
    pub seconds: u32,
    /// The time itself, cut to whole nanoseconds.
    pub nanos: u64,
}

impl Duration {
    /// Not connected.
    pub const ZERO: Duration = Duration { seconds: 0, nanos: 0 };
}

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DurationError {
    /// Not a decimal number.
    NotANumber,
    /// Below zero.
    Negative,
    /// More seconds than 32 bits hold: 136 years.
    TooLong,
}

impl DurationError {
    /// The rejection of a record whose `field` is `text`.
    pub fn reject(self, field: &str, text: &str) -> Rejection {
        let shown = quoted(text);
        match self {
            Self::NotANumber => {
                Rejection::of_field(Reason::BadField, field, format!("{shown} is not a number of seconds"))
            }
            Self::Negative => Rejection::of_field(Reason::NegativeDuration, field, format!("{shown} is below zero")),
            Self::TooLong => {
                Rejection::of_field(Reason::BadField, field, format!("{shown} is longer than any call (136 years)"))
            }
        }
    }
}

/// What one unit of a duration field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
}

impl Unit {
    /// Decimal places to the left that turn this unit into seconds.
    const fn places(self) -> i64 {
        match self {
            Unit::Seconds => 0,
            Unit::Milliseconds => 3,
            Unit::Microseconds => 6,
        }
    }
}

/// Reads a decimal number, `219`, `3.25` or `1e2`, of `unit`s.
///
/// # Errors
/// See [`DurationError`].
#[inline]
pub fn parse(text: &str, unit: Unit) -> Result<Duration, DurationError> {
    let bytes = text.as_bytes();
    if matches!(unit, Unit::Seconds) && matches!(bytes.len(), 1..=9) {
        let mut seconds: u32 = 0;
        let mut digits_only = true;
        for &byte in bytes {
            let digit = byte.wrapping_sub(b'0');
            digits_only &= digit <= 9;
            seconds = seconds.wrapping_mul(10).wrapping_add(u32::from(digit));
        }
        if digits_only {
            return Ok(Duration { seconds, nanos: u64::from(seconds) * NANOS_A_SECOND });
        }
    }
    parse_any(text, unit)
}

#[cold]
fn parse_any(text: &str, unit: Unit) -> Result<Duration, DurationError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let is_number = !whole.is_empty()
        && digits().all(|byte| byte.is_ascii_digit())
        && (mantissa.len() == whole.len() || !fraction.is_empty());
    if !is_number {
        return Err(DurationError::NotANumber);
    }
    if digits().all(|byte| byte == b'0') {
        return Ok(Duration::ZERO);
    }
    if negative {
        return Err(DurationError::Negative);
    }
    // Digits before the decimal point of the value in seconds; may lie outside the digits that are written.
    let point = (whole.len() as i64).saturating_add(exponent).saturating_sub(unit.places());
    let mut seconds: u64 = 0;
    let mut nanos: u64 = 0;
    let mut nanos_place = NANOS_A_SECOND / 10;
    let mut has_fraction = false;
    for _ in point..0 {
        nanos_place /= 10;
        if nanos_place == 0 {
            break;
        }
    }
    for (index, byte) in digits().enumerate() {
        let digit = u64::from(byte - b'0');
        if (index as i64) < point {
            seconds = (seconds * 10 + digit).min(u64::from(u32::MAX) + 1);
        } else {
            has_fraction |= digit != 0;
            nanos += digit * nanos_place;
            nanos_place /= 10;
        }
    }
    for _ in (whole.len() + fraction.len()) as i64..point {
        if seconds == 0 || seconds > u64::from(u32::MAX) {
            break;
        }
        seconds *= 10;
    }
    let rounded = u32::try_from(seconds + u64::from(has_fraction)).map_err(|_| DurationError::TooLong)?;
    Ok(Duration { seconds: rounded, nanos: seconds * NANOS_A_SECOND + nanos })
}

fn parse_exponent(text: &str) -> Result<i64, DurationError> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1, &text[1..]),
        [b'+', ..] => (1, &text[1..]),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::NotANumber);
    }
    // An exponent of ten digits is as good as endless.
    Ok(sign * digits.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// boundaries.md U3: fractions round up to whole seconds; U4: a fraction above zero is one second.
    #[test]
    fn fractions_round_up_and_nothing_is_lost() {
        for (text, unit, seconds, nanos) in [
            ("0", Unit::Seconds, 0, 0),
            ("-0.0", Unit::Seconds, 0, 0),
            ("219", Unit::Seconds, 219, 219_000_000_000),
            ("3.2", Unit::Seconds, 4, 3_200_000_000),
            ("3.0", Unit::Seconds, 3, 3_000_000_000),
            ("3.00000000000000000001", Unit::Seconds, 4, 3_000_000_000),
            ("0.000000000000000000001", Unit::Seconds, 1, 0),
            ("1e-300", Unit::Seconds, 1, 0),
            ("1e2", Unit::Seconds, 100, 100_000_000_000),
            ("1.5E+1", Unit::Seconds, 15, 15_000_000_000),
            ("86400", Unit::Seconds, 86_400, 86_400_000_000_000),
            ("4294967295", Unit::Seconds, u32::MAX, 4_294_967_295_000_000_000),
            ("400", Unit::Milliseconds, 1, 400_000_000),
            ("60000", Unit::Milliseconds, 60, 60_000_000_000),
            ("60001", Unit::Milliseconds, 61, 60_001_000_000),
            ("1", Unit::Microseconds, 1, 1_000),
            ("0", Unit::Microseconds, 0, 0),
            ("12340000", Unit::Microseconds, 13, 12_340_000_000),
        ] {
            assert_eq!(parse(text, unit), Ok(Duration { seconds, nanos }), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        use DurationError::{Negative, NotANumber, TooLong};
        for (text, error) in [
            ("", NotANumber),
            ("-", NotANumber),
            (".5", NotANumber),
            ("5.", NotANumber),
            ("abc", NotANumber),
            ("1e", NotANumber),
            ("0x10", NotANumber),
            ("1,5", NotANumber),
            ("NaN", NotANumber),
            ("٣", NotANumber),
            ("1 2", NotANumber),
            ("-5", Negative),
            ("-0.001", Negative),
            ("1e300", TooLong),
            ("1e99999999999999999999", TooLong),
            ("4294967295.1", TooLong),
            ("4294967296", TooLong),
            ("99999999999999999999999999", TooLong),
        ] {
            assert_eq!(parse(text, Unit::Seconds), Err(error), "{text}");
        }
    }
}
