//! Instants: whole nanoseconds since 1970 in UTC, from 0001 to 9999.
//!
//! The proleptic Gregorian calendar without leap seconds, as RFC 3339 has it. Reading and writing is done by hand
//! because two instants are read and three written for every call; zones other than fixed offsets are not known here.

use core::fmt;

use crate::digits::{above, leading_digits, put_fraction, put_two};

const SECONDS_A_DAY: i64 = 86_400;

/// An instant. Twelve bytes, compared at full precision (boundaries.md T8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C, packed(4))]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

/// Why a text is not an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampError {
    /// Not `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)`.
    Malformed,
    /// The layout is right, but there is no such day, hour, minute or second.
    NoSuchInstant,
    /// There is no `Z` and no offset, so the instant is not known.
    NoOffset,
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not an RFC 3339 time such as 2026-01-31T10:00:00Z",
            Self::NoSuchInstant => "no such day or time of day",
            Self::NoOffset => "no zone: an RFC 3339 time ends in Z or an offset such as +01:00",
        })
    }
}

impl core::error::Error for TimestampError {}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp { seconds: 0, nanos: 0 };
    /// The first instant of year 1: before everything.
    pub const MIN: Timestamp = Timestamp { seconds: -62_135_596_800, nanos: 0 };
    /// The last instant of year 9999: after everything.
    pub const MAX: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 999_999_999 };

    /// The instant `seconds` after 1970 (before, if negative) and `nanos` (below 10^9) later; clamped to the years 1–9999.
    pub fn from_parts(seconds: i64, nanos: u32) -> Self {
        Timestamp { seconds, nanos: nanos.min(999_999_999) }.clamp(Self::MIN, Self::MAX)
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Whole milliseconds since 1970, rounded down; at the ends of 64 bits where it lies beyond.
    pub fn milliseconds(self) -> i64 {
        self.seconds.saturating_mul(1_000).saturating_add(i64::from(self.nanos / 1_000_000))
    }

    /// Nanoseconds past the whole second.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// The instant `seconds` later (earlier, if negative), clamped to the years 1–9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_parts(self.seconds.saturating_add(seconds), self.nanos)
    }

    /// Whether `self` is more than `seconds` after `earlier`, at full precision.
    pub fn is_later_by_more_than(self, seconds: i64, earlier: Timestamp) -> bool {
        self > earlier.plus_seconds(seconds)
    }

    /// Days since 1970-01-01 in UTC, rounded down.
    pub const fn day(self) -> i64 {
        self.seconds.div_euclid(SECONDS_A_DAY)
    }

    /// The first instant of the UTC calendar month `self` lies in.
    #[must_use]
    pub fn month_start(self) -> Self {
        let (year, month, _) = civil_from_days(self.day());
        Self::from_parts(days_from_civil(year, month, 1).wrapping_mul(SECONDS_A_DAY), 0)
    }

    /// The same time of day `months` calendar months later in UTC; a day that month lacks becomes its last (T8).
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let (year, month, day) = civil_from_days(self.day());
        let index =
            year.wrapping_mul(12).wrapping_add(i64::from(month)).wrapping_sub(1).wrapping_add(i64::from(months));
        let (year, month) = (index.div_euclid(12), (index.rem_euclid(12) as u32).wrapping_add(1));
        let day = day.min(days_in_month(year, month));
        let midnight = days_from_civil(year, month, day).wrapping_mul(SECONDS_A_DAY);
        Self::from_parts(midnight.wrapping_add(self.seconds.rem_euclid(SECONDS_A_DAY)), self.nanos)
    }

    /// The instant of a civil date and time of day in UTC, or `None` if there is none such (year 1–9999, second ≤ 59).
    pub fn from_civil(
        year: i64,
        month: u32,
        day: u32,
        hour: u32,
        minute: u32,
        second: u32,
        nanos: u32,
    ) -> Option<Self> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && nanos < 1_000_000_000;
        exists.then(|| {
            let of_day = hour.wrapping_mul(3600).wrapping_add(minute.wrapping_mul(60)).wrapping_add(second);
            let midnight = days_from_civil(year, month, day).wrapping_mul(SECONDS_A_DAY);
            Timestamp { seconds: midnight.wrapping_add(i64::from(of_day)), nanos }
        })
    }

    /// Year, month and day in UTC.
    pub fn date(self) -> (i64, u32, u32) {
        civil_from_days(self.day())
    }

    /// Reads RFC 3339. Offsets are converted to UTC; fraction digits past the ninth are cut (boundaries.md U13).
    ///
    /// # Errors
    /// See [`TimestampError`].
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let (date, rest) = text.as_bytes().split_first_chunk::<8>().ok_or(TimestampError::Malformed)?;
        let (day_and_time, rest) = rest.split_first_chunk::<8>().ok_or(TimestampError::Malformed)?;
        let [b':', seconds @ ..] = rest else { return Err(TimestampError::Malformed) };
        let ([tens, ones], rest) = seconds.split_first_chunk::<2>().ok_or(TimestampError::Malformed)?;
        let mut day_and_time = *day_and_time;
        if matches!(day_and_time[2], b't' | b' ') {
            day_and_time[2] = b'T';
        }
        let (Some([century, _, year, _, _, month, _, _]), Some([day, _, _, hour, _, _, minute, _]), Some(second)) =
            (pairs(date, b"0000-00-"), pairs(&day_and_time, b"00T00:00"), two_digits(*tens, *ones))
        else {
            return Err(TimestampError::Malformed);
        };
        let [century, year, month, day, hour, minute] = [century, year, month, day, hour, minute].map(u32::from);
        let (nanos, zone) = split_fraction(rest)?;
        let offset_s = parse_offset(zone)?;
        let year = i64::from(century.wrapping_mul(100).wrapping_add(year));
        Self::from_civil(year, month, day, hour, minute, second, nanos)
            .map(|local| local.plus_seconds(offset_s.wrapping_neg()))
            .ok_or(TimestampError::NoSuchInstant)
    }

    /// The text in UTC: `2026-01-31T10:00:00Z`, with as many fraction digits as it takes and no more.
    pub fn text(self) -> TimeText {
        let mut text = TimeText { bytes: [0; TIME_TEXT_MAX], length: 0 };
        text.length = self.write(&mut text.bytes);
        text
    }

    /// Writes that text to the beginning of `out`, and returns how many bytes it has; those behind it may change too.
    #[inline]
    pub fn write(self, out: &mut [u8; TIME_TEXT_MAX]) -> usize {
        let (year, month, day) = self.date();
        let of_day = self.seconds.rem_euclid(SECONDS_A_DAY) as u32;
        let year = year as u32;
        *out = *b"0000-00-00T00:00:00.000000000Z";
        put_two(out, 0, year / 100);
        put_two(out, 2, year % 100);
        put_two(out, 5, month);
        put_two(out, 8, day);
        put_two(out, 11, of_day / 3600);
        put_two(out, 14, of_day / 60 % 60);
        put_two(out, 17, of_day % 60);
        if self.nanos == 0 {
            out[19] = b'Z';
            return 20;
        }
        let length = out[20..].first_chunk_mut().map_or(0, |fraction| put_fraction(fraction, self.nanos));
        let end = length.wrapping_add(20);
        out[end] = b'Z';
        end.wrapping_add(1)
    }

    /// Whether `text`, if it is an instant, is what would be written of that.
    #[inline]
    pub fn is_as_written(text: &str) -> bool {
        match text.as_bytes() {
            [.., b'0'..=b'9', b'Z'] if text.len() == 20 => text.as_bytes()[10] == b'T',
            [.., b'1'..=b'9', b'Z'] if (21..=TIME_TEXT_MAX).contains(&text.len()) => text.as_bytes()[10] == b'T',
            _ => false,
        }
    }
}

/// The longest text of a [`Timestamp`]: nine digits of a fraction.
pub const TIME_TEXT_MAX: usize = 30;

/// The text of a [`Timestamp`], on the stack: what [`Timestamp::text`] returns.
#[derive(Clone, Copy)]
pub struct TimeText {
    bytes: [u8; TIME_TEXT_MAX],
    length: usize,
}

impl TimeText {
    /// The characters, all ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(core::str::from_utf8(self.text().as_bytes()).expect("invariant: a time is ASCII"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens).wrapping_mul(10).wrapping_add(u32::from(ones)))
}

/// The eight bytes of `text`, where `layout` has zeros for digits and itself elsewhere: at the place of each digit, it and
/// the next as one number, if both are digits. `None` if `text` is not laid out so. All eight at once, since two times
/// are read for each call.
#[inline]
#[allow(clippy::arithmetic_side_effects, reason = "checked digits times ten stay within their bytes")]
fn pairs(text: &[u8; 8], layout: &[u8; 8]) -> Option<[u8; 8]> {
    let digits = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*layout);
    let greatest = u64::from_le_bytes(layout.map(|byte| if byte == b'0' { 9 } else { 0 }));
    (above(digits, greatest) == 0).then(|| (digits * 10 + (digits >> 8)).to_le_bytes())
}

/// Nanoseconds from `.123…`, and what follows them.
fn split_fraction(rest: &[u8]) -> Result<(u32, &[u8]), TimestampError> {
    let Some((b'.', digits)) = rest.split_first() else {
        return Ok((0, rest));
    };
    let (eighth, mut length) = match digits.first_chunk() {
        Some(eight) => leading_digits(eight),
        None => {
            let mut eight = [0; 8];
            eight[..digits.len()].copy_from_slice(digits);
            leading_digits(&eight)
        }
    };
    if length == 0 {
        return Err(TimestampError::Malformed);
    }
    let mut nanos = eighth.wrapping_mul(10);
    if length == 8 {
        let more = digits[8..].iter().take_while(|b| b.is_ascii_digit()).count();
        if more > 0 {
            nanos = nanos.wrapping_add(u32::from(digits[8].wrapping_sub(b'0')));
        }
        length = more.wrapping_add(8);
    }
    Ok((nanos, &digits[length..]))
}

/// Seconds east of UTC.
fn parse_offset(zone: &[u8]) -> Result<i64, TimestampError> {
    match *zone {
        [b'Z' | b'z'] => Ok(0),
        [] => Err(TimestampError::NoOffset),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = two_digits(h1, h2).zip(two_digits(m1, m2)).ok_or(TimestampError::Malformed)?;
            if hours > 23 || minutes > 59 {
                return Err(TimestampError::NoSuchInstant);
            }
            let east = i64::from(hours.wrapping_mul(60).wrapping_add(minutes).wrapping_mul(60));
            Ok(if sign == b'-' { east.wrapping_neg() } else { east })
        }
        _ => Err(TimestampError::Malformed),
    }
}

fn days_in_month(year: i64, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a civil date from year 1 on: years counted from March, so that the leap day comes last, in eras
/// of 400 years. In 32 bits, where dividing is cheap.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "the years 1 to 400 million, and the days of one era, are far inside 32 bits"
)]
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year as u32 - u32::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i64::from(era) * 146_097 + i64::from(day_of_era) - 719_468
}

/// The inverse of [`days_from_civil`]. In 32 bits, where dividing is cheap: three times are written for each call.
#[allow(clippy::arithmetic_side_effects, reason = "an instant's day lies within the years 1 to 9999")]
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = (days + 719_468) as u32;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    (i64::from(year), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn is_twelve_bytes() {
        assert_eq!(size_of::<Timestamp>(), 12);
    }

    #[test]
    fn every_day_from_year_1_to_9999_converts_there_and_back() {
        let mut expected = (1, 1, 1);
        for day in Timestamp::MIN.day()..=Timestamp::MAX.day() {
            assert_eq!(civil_from_days(day), expected);
            assert_eq!(days_from_civil(expected.0, expected.1, expected.2), day);
            expected.2 += 1;
            if expected.2 > days_in_month(expected.0, expected.1) {
                expected = if expected.1 == 12 { (expected.0 + 1, 1, 1) } else { (expected.0, expected.1 + 1, 1) };
            }
        }
    }

    /// boundaries.md U13: offsets are converted, digits beyond nanoseconds are cut.
    #[test]
    fn reads_offsets_and_fractions() {
        for (text, utc) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("2019-11-01T00:00:08.2589935Z", "2019-11-01T00:00:08.2589935Z"),
            ("2019-11-01T01:00:08.258993512999+01:00", "2019-11-01T00:00:08.258993512Z"),
            ("2019-12-31 23:30:00-00:30", "2020-01-01T00:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.5z", "9999-12-31T23:59:59.5Z"),
        ] {
            assert_eq!(at(text).to_string(), utc);
        }
    }

    /// One byte after the other replaced by every other: read as ever, or refused.
    #[test]
    fn a_text_is_as_written_if_writing_gives_it_again() {
        let fractions = ["", ".1", ".10", ".000000001", ".123456789", ".1234567890", ".1234567891", ".0"];
        for day_and_time in ["2026-01-31T10:00:00", "2026-01-31t10:00:00", "2026-01-31 23:59:59"] {
            for fraction in fractions {
                for zone in ["Z", "z", "+00:00", "+01:00"] {
                    let text = format!("{day_and_time}{fraction}{zone}");
                    assert_eq!(Timestamp::is_as_written(&text), at(&text).to_string() == text, "{text}");
                }
            }
        }
    }

    #[test]
    fn every_byte_is_looked_at() {
        let text = b"2019-11-01T10:12:08Z";
        for (place, byte) in (0..19).flat_map(|place| (0..0x80_u8).map(move |byte| (place, byte))) {
            let mut changed = *text;
            changed[place] = byte;
            let changed = core::str::from_utf8(&changed).expect("ASCII");
            let is_fine = match text[place] {
                b'T' => matches!(byte, b'T' | b't' | b' '),
                digit @ b'0'..=b'9' => byte.is_ascii_digit() || byte == digit,
                separator => byte == separator,
            };
            match Timestamp::parse(changed) {
                Ok(read) => assert_eq!(read.to_string(), changed.replace(['t', ' '], "T"), "{place}"),
                Err(TimestampError::Malformed) => assert!(!is_fine, "{changed:?}"),
                Err(_) => assert!(is_fine, "{changed:?}"),
            }
        }
    }

    #[test]
    fn fractions_of_every_length() {
        for length in 1..=12 {
            let digits = &"987654321987"[..length];
            let nanos: u32 = format!("{digits:0<9}")[..9].parse().expect("nine digits");
            assert_eq!(at(&format!("2026-01-01T00:00:00.{digits}Z")).nanos(), nanos, "{digits}");
            assert_eq!(at(&format!("2026-01-01T00:00:00.{digits}+00:00")).nanos(), nanos, "{digits}");
        }
    }

    #[test]
    fn refuses_what_is_no_instant() {
        use TimestampError::{Malformed, NoOffset, NoSuchInstant};
        for (text, error) in [
            ("", Malformed),
            ("2026-01-01", Malformed),
            ("2026-01-01T00:00:00", NoOffset),
            ("2026-01-01T00:00:00.Z", Malformed),
            ("2026-01-01T00:00:00+0100", Malformed),
            ("2026-01-01T00:00:00+25:00", NoSuchInstant),
            ("2026-02-29T00:00:00Z", NoSuchInstant),
            ("2026-01-01T24:00:00Z", NoSuchInstant),
            ("2026-01-01T00:00:60Z", NoSuchInstant),
            ("0000-01-01T00:00:00Z", NoSuchInstant),
            ("2026-1-01T00:00:00Z!", Malformed),
            ("２026-01-01T00:00:00Z", Malformed),
        ] {
            assert_eq!(Timestamp::parse(text), Err(error), "{text:?}");
        }
    }

    /// boundaries.md T8: time of day kept, a missing day becomes the month's last.
    #[test]
    fn months_are_calendar_months_clamped_to_the_last_day() {
        for (from, months, to) in [
            ("2024-02-29T10:00:00Z", 12, "2025-02-28T10:00:00Z"),
            ("2025-08-31T23:59:59.9999999Z", 6, "2026-02-28T23:59:59.9999999Z"),
            ("2025-01-31T00:00:00Z", 1, "2025-02-28T00:00:00Z"),
            ("2025-12-15T00:00:00Z", 1, "2026-01-15T00:00:00Z"),
            ("2027-02-28T10:00:00Z", 12, "2028-02-28T10:00:00Z"),
        ] {
            assert_eq!(at(from).plus_months(months), at(to));
        }
        assert_eq!(at("2026-03-31T23:59:59.9999999Z").month_start(), at("2026-03-01T00:00:00Z"));
    }

    #[test]
    fn far_arithmetic_is_clamped_not_wrapped() {
        assert_eq!(Timestamp::MAX.plus_seconds(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.plus_months(u32::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.plus_seconds(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn later_by_more_than_is_exact_at_the_edge() {
        let start = at("2026-01-01T00:00:00Z");
        assert!(!at("2026-01-01T00:05:00Z").is_later_by_more_than(300, start));
        assert!(at("2026-01-01T00:05:00.0000001Z").is_later_by_more_than(300, start));
    }
}
