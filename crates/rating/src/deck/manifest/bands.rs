//! The `[bands]` of a manifest: zone, selection, holidays, and who claims which hours.

use std::sync::Arc;

use drawdown_units::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::bands::{BandIndex, Bands, DAY_KINDS, HOLIDAY, Hours, Selection};
use crate::fault::{Faults, Shown};
use crate::keys::{Entry, Keys};

/// Hours as one entry claims them, with the entry's line.
struct Claim {
    hours: Hours,
    line: u32,
}

/// Reads the table. Nothing where its zone or its entries are unusable: a fault then says so.
pub(super) fn read(entry: Entry<'_>, faults: &mut Faults) -> Option<Bands> {
    let mut keys = entry.table(faults)?;
    let zone = read_zone(&mut keys, faults);
    let selection = keys.get("selection").and_then(|entry| read_selection(entry, faults));
    let holidays = keys.get("holidays").map(|entry| read_holidays(entry, faults)).unwrap_or_default();
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut claims: [Vec<Claim>; 8] = Default::default();
    if let Some(entry) = keys.require("band", "write one [[bands.band]] for each stretch of hours", faults) {
        for keys in entry.tables(faults).unwrap_or_default() {
            read_band(keys, &mut names, &mut claims, faults);
        }
        let holiday_hours = claims.last().is_some_and(|claims| !claims.is_empty());
        if !holidays.is_empty() && !holiday_hours {
            faults.add(
                entry.place(),
                format_args!("there are holidays, but no band has hours on the day {HOLIDAY:?}"),
                format_args!("say which band holds on holidays: days = [\"{HOLIDAY}\"]"),
            );
        }
        for (kind, claims) in DAY_KINDS.iter().zip(&mut claims) {
            claims.sort_by_key(|claim| claim.hours);
            refuse_overlaps(entry, kind, claims, &names, faults);
        }
    }
    keys.finish(faults);
    Some(Bands {
        zone: zone?,
        selection: selection.unwrap_or(Selection::Start),
        names,
        days: claims.map(|claims| claims.into_iter().map(|claim| claim.hours).collect()),
        holidays,
    })
}

fn read_zone(keys: &mut Keys<'_>, faults: &mut Faults) -> Option<TimeZone> {
    let entry = keys.require("zone", "name the zone its hours are in, such as zone = \"Europe/Berlin\"", faults)?;
    let name = entry.text(faults)?;
    // The bundled database, never the machine's: a charge must not depend on where it is computed.
    let zone = TimeZoneDatabase::bundled().get(name).ok();
    if zone.is_none() {
        let what = format_args!("there is no time zone {}", Shown(name));
        faults.add(entry.place(), what, format_args!("write an IANA name such as Europe/Berlin or UTC"));
    }
    zone
}

fn read_selection(entry: Entry<'_>, faults: &mut Faults) -> Option<Selection> {
    match entry.text(faults)? {
        "start" => Some(Selection::Start),
        "split" => Some(Selection::Split),
        other => {
            entry.unknown(other, &["start", "split"], faults);
            None
        }
    }
}

fn read_holidays(entry: Entry<'_>, faults: &mut Faults) -> Vec<i64> {
    let mut days = Vec::new();
    for text in entry.texts(faults).unwrap_or_default() {
        let midnight = (text.len() == 10).then(|| Timestamp::parse(&format!("{text}T00:00:00Z")).ok()).flatten();
        match midnight {
            Some(midnight) => days.push(midnight.day()),
            None => {
                let what = format_args!("{} is no date", Shown(text));
                faults.add(entry.place(), what, format_args!("write year, month and day, such as \"2026-12-25\""));
            }
        }
    }
    days.sort_unstable();
    days.dedup();
    days
}

fn read_band(mut keys: Keys<'_>, names: &mut Vec<Arc<str>>, claims: &mut [Vec<Claim>; 8], faults: &mut Faults) {
    let line = keys.line().unwrap_or(1);
    let name = keys.require("name", "name the band, as the rows do: name = \"peak\"", faults);
    let days = keys.require("days", "list its days: days = [\"mon\", \"tue\"]", faults);
    let from = keys.require("from", "say when it begins: from = \"08:00\"", faults);
    let to = keys.require("to", "say when it ends: to = \"18:00\"", faults);
    keys.finish(faults);
    let from_s = from.and_then(|entry| read_time_of_day(entry, faults));
    let to_s = to.and_then(|entry| read_time_of_day(entry, faults));
    let kinds = days.map(|entry| read_days(entry, faults)).unwrap_or_default();
    let Some(band) = name.and_then(|entry| read_name(entry, names, faults)) else { return };
    let (Some(from_s), Some(to_s), Some(to)) = (from_s, to_s, to) else { return };
    if from_s >= to_s {
        faults.add(
            to.place(),
            format_args!("the band ends at or before the time it begins"),
            format_args!("write two entries for hours that cross midnight, one to \"24:00\" and one from \"00:00\" of the next day"),
        );
        return;
    }
    for kind in kinds {
        claims[kind].push(Claim { hours: Hours { from_s, to_s, band }, line });
    }
}

/// The band of that name, added to `names` if it is new.
fn read_name(entry: Entry<'_>, names: &mut Vec<Arc<str>>, faults: &mut Faults) -> Option<BandIndex> {
    let name = entry.text(faults)?.trim();
    if name.is_empty() {
        faults.add(entry.place(), format_args!("the name is empty"), format_args!("name the band, as the rows do"));
        return None;
    }
    let known = names.iter().position(|known| **known == *name);
    let at = known.unwrap_or_else(|| {
        names.push(Arc::from(name));
        names.len().wrapping_sub(1)
    });
    Some(at.wrapping_add(1))
}

fn read_days(entry: Entry<'_>, faults: &mut Faults) -> Vec<usize> {
    let mut kinds = Vec::new();
    for text in entry.texts(faults).unwrap_or_default() {
        match DAY_KINDS.iter().position(|kind| *kind == text) {
            Some(kind) => kinds.push(kind),
            None => entry.unknown(text, &DAY_KINDS, faults),
        }
    }
    kinds
}

/// Seconds since midnight, from `hh:mm`; `24:00` is the end of the day.
fn read_time_of_day(entry: Entry<'_>, faults: &mut Faults) -> Option<u32> {
    let text = entry.text(faults)?;
    let digit = |byte: u8| char::from(byte).to_digit(10);
    let seconds = match *text.as_bytes() {
        [h1, h2, b':', m1, m2] => {
            digit(h1).zip(digit(h2)).zip(digit(m1).zip(digit(m2))).and_then(|((h1, h2), (m1, m2))| {
                let (hours, minutes) = (h1.wrapping_mul(10).wrapping_add(h2), m1.wrapping_mul(10).wrapping_add(m2));
                let exists = (hours < 24 && minutes < 60) || (hours, minutes) == (24, 0);
                exists.then(|| hours.wrapping_mul(60).wrapping_add(minutes).wrapping_mul(60))
            })
        }
        _ => None,
    };
    if seconds.is_none() {
        let what = format_args!("{} is no time of day", Shown(text));
        faults.add(entry.place(), what, format_args!("write hours and minutes, from \"00:00\" to \"24:00\""));
    }
    seconds
}

/// A fault for each stretch that two entries claim. `claims` are those of one day kind, ascending.
fn refuse_overlaps(entry: Entry<'_>, kind: &str, claims: &[Claim], names: &[Arc<str>], faults: &mut Faults) {
    let name = |claim: &Claim| names.get(claim.hours.band.wrapping_sub(1)).map_or("", |name| &**name).to_owned();
    let mut furthest: Option<&Claim> = None;
    for claim in claims {
        if let Some(before) = furthest.filter(|before| before.hours.to_s > claim.hours.from_s) {
            let minutes = claim.hours.from_s / 60;
            let place = crate::fault::Place { line: Some(claim.line.max(before.line)), ..entry.place() };
            faults.add(
                place,
                format_args!(
                    "bands {:?} (line {}) and {:?} (line {}) both claim {kind} {:02}:{:02}",
                    name(before),
                    before.line,
                    name(claim),
                    claim.line,
                    minutes / 60,
                    minutes % 60
                ),
                format_args!("let each minute of a day belong to one entry"),
            );
        }
        if furthest.is_none_or(|before| claim.hours.to_s > before.hours.to_s) {
            furthest = Some(claim);
        }
    }
}
