//! Times as sources write them, and the zone local ones are read in.
//!
//! A layout is RFC 3339, a count of seconds or parts of them since 1970, or a pattern in the manner of `strftime`.
//! A pattern without an offset needs a zone; there is no default one. An hour that happens twice is taken for the
//! earlier (an end before its start excepted), one that is skipped is read with the offset before the change, and both are
//! flagged (boundaries.md U7).

use drawdown_units::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::duration::{self, Unit};
use crate::flags::Flags;

/// The layouts of a source, tried in order, and its zone.
#[derive(Debug)]
pub(crate) struct Times {
    pub(crate) layouts: Vec<Layout>,
    pub(crate) zone: Option<TimeZone>,
}

#[derive(Debug)]
pub(crate) enum Layout {
    Rfc3339,
    Epoch(Unit),
    Pattern { text: String, items: Vec<Item> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Literal(u8),
    Year,
    Month,
    MonthName,
    Day,
    DayName,
    Hour,
    Hour12,
    Minute,
    Second,
    /// `.123`, or nothing.
    Fraction,
    Meridiem,
    /// `Z`, `GMT`, `+0100` or `+01:00`.
    Offset,
}

impl Layout {
    /// Reads `rfc3339`, `rfc2822`, `epoch-seconds`, `epoch-milliseconds`, `epoch-microseconds` or a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "rfc3339" => Ok(Layout::Rfc3339),
            "rfc2822" => Self::pattern("%a, %d %b %Y %H:%M:%S %z"),
            "epoch-seconds" => Ok(Layout::Epoch(Unit::Seconds)),
            "epoch-milliseconds" => Ok(Layout::Epoch(Unit::Milliseconds)),
            "epoch-microseconds" => Ok(Layout::Epoch(Unit::Microseconds)),
            _ if text.contains('%') => Self::pattern(text),
            _ => Err(format!("{text:?} is no layout")),
        }
    }

    fn pattern(text: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            items.push(match byte {
                b'%' => match bytes.next() {
                    Some(b'Y') => Item::Year,
                    Some(b'm') => Item::Month,
                    Some(b'b') => Item::MonthName,
                    Some(b'd') => Item::Day,
                    Some(b'a') => Item::DayName,
                    Some(b'H') => Item::Hour,
                    Some(b'I') => Item::Hour12,
                    Some(b'M') => Item::Minute,
                    Some(b'S') => Item::Second,
                    Some(b'f') => Item::Fraction,
                    Some(b'p') => Item::Meridiem,
                    Some(b'z') => Item::Offset,
                    Some(b'%') => Item::Literal(b'%'),
                    other => return Err(format!("%{} is not known", other.map_or(' ', char::from))),
                },
                literal => Item::Literal(literal),
            });
        }
        let has = |item| items.contains(&item);
        let is_date = has(Item::Year) && has(Item::Day) && (has(Item::Month) || has(Item::MonthName));
        let is_time = (has(Item::Hour) || (has(Item::Hour12) && has(Item::Meridiem))) && has(Item::Minute);
        if !is_date || !is_time {
            return Err("a pattern needs %Y, %m or %b, %d, %H (or %I with %p) and %M".to_owned());
        }
        Ok(Layout::Pattern { text: text.to_owned(), items })
    }

    /// Whether times in it are local to some zone.
    pub(crate) fn needs_zone(&self) -> bool {
        matches!(self, Layout::Pattern { items, .. } if !items.contains(&Item::Offset))
    }
}

impl Times {
    /// The instant of `text`; `None` if it says that there is none (0, or a year before 1970: boundaries.md U13).
    pub(crate) fn read(&self, text: &str) -> Result<Option<(Timestamp, Flags)>, String> {
        for layout in &self.layouts {
            if let Some(found) = self.read_as(layout, text) {
                return Ok(found);
            }
        }
        let layouts: Vec<&str> = self
            .layouts
            .iter()
            .map(|layout| match layout {
                Layout::Rfc3339 => "RFC 3339",
                Layout::Epoch(Unit::Seconds) => "seconds since 1970",
                Layout::Epoch(Unit::Milliseconds) => "milliseconds since 1970",
                Layout::Epoch(Unit::Microseconds) => "microseconds since 1970",
                Layout::Pattern { text, .. } => text,
            })
            .collect();
        Err(format!("it is not laid out as {}, or there is no such day or time", layouts.join(" or ")))
    }

    /// When clocks showed for the second time what they show at `earlier`, an instant of an hour that happens twice.
    pub(crate) fn later(&self, earlier: Timestamp) -> Option<Timestamp> {
        let zone = self.zone.as_ref()?;
        let local = zone.to_datetime(jiff::Timestamp::from_second(earlier.seconds()).ok()?);
        match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Fold { before, after } => {
                Some(earlier.plus_seconds(i64::from(before.seconds()) - i64::from(after.seconds())))
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => None,
        }
    }

    fn read_as(&self, layout: &Layout, text: &str) -> Option<Option<(Timestamp, Flags)>> {
        match layout {
            Layout::Rfc3339 => {
                let instant = Timestamp::parse(text).ok()?;
                Some(super::instant::is_given(instant).then_some((instant, Flags::NONE)))
            }
            Layout::Epoch(unit) => {
                let since = duration::parse(text, *unit).ok()?;
                let nanos = (since.nanos % 1_000_000_000) as u32;
                let instant = Timestamp::from_parts((since.nanos / 1_000_000_000) as i64, nanos);
                Some((since.nanos > 0).then_some((instant, Flags::NONE)))
            }
            Layout::Pattern { items, .. } => {
                let fields = read_pattern(items, text.as_bytes())?;
                if fields.year < 1970 {
                    return Some(None);
                }
                self.instant(&fields).map(Some)
            }
        }
    }

    fn instant(&self, at: &Civil) -> Option<(Timestamp, Flags)> {
        let naive = Timestamp::from_civil(at.year, at.month, at.day, at.hour, at.minute, at.second, at.nanos)?;
        let (east_s, flags) = match (at.offset_s, &self.zone) {
            (Some(offset_s), _) => (offset_s, Flags::NONE),
            (None, Some(zone)) => zone_offset(zone, at)?,
            (None, None) => return None,
        };
        Some((naive.plus_seconds(-east_s), flags))
    }
}

/// Seconds east of UTC at a local time.
fn zone_offset(zone: &TimeZone, at: &Civil) -> Option<(i64, Flags)> {
    let small = |value: u32| i8::try_from(value).ok();
    let local = DateTime::new(
        i16::try_from(at.year).ok()?,
        small(at.month)?,
        small(at.day)?,
        small(at.hour)?,
        small(at.minute)?,
        small(at.second)?,
        0,
    )
    .ok()?;
    let (offset, flags) = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => (offset, Flags::NONE),
        AmbiguousOffset::Fold { before, .. } => (before, Flags::AMBIGUOUS_TIME),
        AmbiguousOffset::Gap { before, .. } => (before, Flags::NONEXISTENT_TIME),
    };
    Some((i64::from(offset.seconds()), flags))
}

#[derive(Debug, Default)]
struct Civil {
    year: i64,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
    offset_s: Option<i64>,
}

fn read_pattern(items: &[Item], text: &[u8]) -> Option<Civil> {
    let mut at = Civil::default();
    let mut rest = text;
    let mut is_afternoon = None;
    for item in items {
        match item {
            Item::Literal(b' ') => rest = rest.strip_prefix(b" ")?.trim_ascii_start(),
            Item::Literal(byte) => rest = rest.strip_prefix(std::slice::from_ref(byte))?,
            Item::Year => at.year = i64::from(number(&mut rest, 4, 4)?),
            Item::Month => at.month = number(&mut rest, 1, 2)?,
            Item::Day => at.day = number(&mut rest, 1, 2)?,
            Item::Hour | Item::Hour12 => at.hour = number(&mut rest, 1, 2)?,
            Item::Minute => at.minute = number(&mut rest, 1, 2)?,
            Item::Second => at.second = number(&mut rest, 1, 2)?,
            Item::Fraction => at.nanos = fraction(&mut rest)?,
            Item::MonthName => at.month = name(&mut rest, &MONTHS)?,
            Item::DayName => {
                name(&mut rest, &DAYS)?;
            }
            Item::Meridiem => is_afternoon = Some(name(&mut rest, &["am", "pm"])? == 2),
            Item::Offset => at.offset_s = Some(offset(&mut rest)?),
        }
    }
    if let Some(is_afternoon) = is_afternoon {
        if !(1..=12).contains(&at.hour) {
            return None;
        }
        at.hour = at.hour % 12 + if is_afternoon { 12 } else { 0 };
    }
    rest.is_empty().then_some(at)
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn number(rest: &mut &[u8], digits_min: usize, digits_max: usize) -> Option<u32> {
    let count = rest.iter().take(digits_max).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at(count);
    *rest = after;
    (count >= digits_min).then(|| digits.iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
}

/// Nanoseconds of `.123`; digits past the ninth are cut.
fn fraction(rest: &mut &[u8]) -> Option<u32> {
    let Some(after) = rest.strip_prefix(b".") else { return Some(0) };
    let count = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = after.split_at(count);
    *rest = after;
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    (count > 0).then(|| padded.fold(0, |value, byte| value * 10 + u32::from(byte - b'0')))
}

/// The place of a name in `names`, from 1, by its first letters.
fn name(rest: &mut &[u8], names: &[&str]) -> Option<u32> {
    let index = names
        .iter()
        .position(|name| rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name.as_bytes())))?;
    *rest = &rest[names[index].len()..];
    u32::try_from(index + 1).ok()
}

fn offset(rest: &mut &[u8]) -> Option<i64> {
    for utc in [&b"Z"[..], b"GMT", b"UTC"] {
        if let Some(after) = rest.strip_prefix(utc) {
            *rest = after;
            return Some(0);
        }
    }
    let (sign, after) = match rest.split_first()? {
        (b'+', after) => (1, after),
        (b'-', after) => (-1, after),
        _ => return None,
    };
    *rest = after;
    let hours = number(rest, 2, 2)?;
    if let Some(after) = rest.strip_prefix(b":") {
        *rest = after;
    }
    let minutes = number(rest, 2, 2)?;
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(layouts: &[&str], zone: Option<&str>, text: &str) -> String {
        let times = Times {
            layouts: layouts.iter().map(|layout| Layout::parse(layout).expect("a layout")).collect(),
            zone: zone.map(|name| TimeZone::get(name).expect("a zone")),
        };
        match times.read(text) {
            Ok(None) => "none".to_owned(),
            Ok(Some((instant, flags))) => std::iter::once(instant.to_string())
                .chain(flags.names().map(str::to_owned))
                .collect::<Vec<_>>()
                .join(" "),
            Err(_) => "error".to_owned(),
        }
    }

    /// boundaries.md U7: the repeated hour is the earlier, the skipped one is read with the offset before the change.
    #[test]
    fn local_times_around_a_clock_change() {
        for (zone, text, expected) in [
            ("Europe/Berlin", "2026-01-15 12:00:00", "2026-01-15T11:00:00Z"),
            ("Europe/Berlin", "2026-07-15 12:00:00", "2026-07-15T10:00:00Z"),
            ("Europe/Berlin", "2026-10-25 01:59:59", "2026-10-24T23:59:59Z"),
            ("Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z ambiguous-time"),
            ("Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"),
            ("Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00Z nonexistent-time"),
            ("America/New_York", "2026-11-01 01:30:00", "2026-11-01T05:30:00Z ambiguous-time"),
            ("America/New_York", "2026-03-08 02:00:00", "2026-03-08T07:00:00Z nonexistent-time"),
            ("Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z ambiguous-time"),
            ("Asia/Kolkata", "2026-10-25 02:30:00", "2026-10-24T21:00:00Z"),
            ("UTC", "2026-10-25 02:30:00", "2026-10-25T02:30:00Z"),
        ] {
            assert_eq!(read(&["%Y-%m-%d %H:%M:%S"], Some(zone), text), expected, "{zone} {text}");
        }
    }

    #[test]
    fn layouts_are_tried_in_order() {
        let excel = ["rfc3339", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"];
        for (text, expected) in [
            ("2026-01-31T10:00:00.5+01:00", "2026-01-31T09:00:00.5Z"),
            ("1/31/2026 9:05", "2026-01-31T09:05:00Z"),
            ("31.01.2026 09:05:07", "2026-01-31T09:05:07Z"),
            ("1/31/2026 12:05:07 am", "2026-01-31T00:05:07Z"),
            ("1/31/2026 12:05:07 PM", "2026-01-31T12:05:07Z"),
            ("1/31/2026 13:05:07 PM", "error"),
            ("31/1/2026 9:05", "error"),
            ("2026-02-29T10:00:00Z", "error"),
            ("nonsense", "error"),
            ("", "error"),
        ] {
            assert_eq!(read(&excel, Some("UTC"), text), expected, "{text}");
        }
    }

    /// boundaries.md U13: a year before 1970, and 0, are missing.
    #[test]
    fn other_layouts() {
        for (layout, text, expected) in [
            ("epoch-seconds", "1336101842", "2012-05-04T03:24:02Z"),
            ("epoch-seconds", "1336101842.5", "2012-05-04T03:24:02.5Z"),
            ("epoch-milliseconds", "1336101842001", "2012-05-04T03:24:02.001Z"),
            ("epoch-microseconds", "1336101842000001", "2012-05-04T03:24:02.000001Z"),
            ("epoch-seconds", "0", "none"),
            ("epoch-seconds", "-1", "error"),
            ("epoch-seconds", "133610184200000", "error"),
            ("rfc3339", "0001-01-01T00:00:00Z", "none"),
            ("%Y-%m-%d %H:%M:%S", "0000-00-00 00:00:00", "none"),
            ("%Y-%m-%d %H:%M:%S", "2026-01-31 10:00:00", "error"),
            ("%Y-%m-%d %H:%M:%S%f%z", "2026-01-31 10:00:00.250-0530", "2026-01-31T15:30:00.25Z"),
            ("%Y-%m-%d %H:%M:%S%f%z", "2026-01-31 10:00:00Z", "2026-01-31T10:00:00Z"),
            ("rfc2822", "Fri, 18 Oct 2019 17:02:00 +0000", "2019-10-18T17:02:00Z"),
            ("rfc2822", "Fri, 18 Oct 2019 17:02:00 +2500", "error"),
        ] {
            assert_eq!(read(&[layout], None, text), expected, "{layout} {text}");
        }
        for wrong in ["", "iso", "%Y-%m-%d", "%Y-%m-%d %H:%M:%Q", "%Y %m %d %I %M"] {
            assert!(Layout::parse(wrong).is_err(), "{wrong}");
        }
    }
}
