//! Instants and calendar months, all in UTC (T8).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// A calendar month, as (year, month).
pub type Month = (i16, i8);

/// Reads RFC 3339; digits beyond nanoseconds are cut (U13).
pub fn parse(text: &str) -> Option<Timestamp> {
    let Some(dot) = text.find('.') else { return text.parse().ok() };
    let digits = text[dot + 1..].chars().take_while(char::is_ascii_digit).count();
    let kept = digits.min(9);
    let cut = format!("{}{}", &text[..dot + 1 + kept], &text[dot + 1 + digits..]);
    cut.parse().ok()
}

/// The UTC day, counted from 1970.
pub fn day_of(instant: Timestamp) -> i64 {
    instant.as_second().div_euclid(86_400)
}

/// Twelve calendar months later; a day that month lacks becomes its last.
pub fn twelve_months_after(instant: Timestamp) -> Timestamp {
    let zoned = instant.to_zoned(TimeZone::UTC);
    zoned.checked_add(12.months()).expect("test worlds stay within the calendar").timestamp()
}

/// The month an instant belongs to.
pub fn month_of(instant: Timestamp) -> Month {
    let date = instant.to_zoned(TimeZone::UTC).date();
    (date.year(), date.month())
}

/// As outputs write it: `2026-03`.
pub fn month_name(month: Month) -> String {
    format!("{:04}-{:02}", month.0, month.1)
}

/// The first instant of the month after.
pub fn next_month_start(instant: Timestamp) -> Timestamp {
    let zoned = instant.to_zoned(TimeZone::UTC);
    let first = zoned.date().first_of_month().checked_add(1.month()).expect("test worlds stay within the calendar");
    first.to_zoned(TimeZone::UTC).expect("UTC has every civil time").timestamp()
}

pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count * 60)
}

pub fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count * 3_600)
}

pub fn days(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count * 86_400)
}
