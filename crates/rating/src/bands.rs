//! Time bands: which of a deck's bands an instant lies in, by local time, weekday and holiday.
//!
//! Invariant: every instant lies in exactly one band or in none, since compiling refuses entries that overlap.
//! A holiday has its own hours, whatever weekday it is (boundaries.md C8).

use std::sync::Arc;

use drawdown_units::Timestamp;
use jiff::tz::TimeZone;

const SECONDS_A_DAY: u32 = 86_400;

/// What a week looks like: Monday to Sunday, then holidays.
pub(crate) const DAY_KINDS: [&str; 8] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", HOLIDAY];
/// The name of the day kind that goes before weekdays.
pub(crate) const HOLIDAY: &str = "holiday";
const HOLIDAY_KIND: usize = 7;

/// Which band a call's seconds belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The band of the call's start, to the end of the call.
    Start,
    /// Each increment the band in which it begins (boundaries.md C9).
    Split,
}

/// A band by its place among a deck's bands, from 1; 0 is outside of every band.
pub(crate) type BandIndex = usize;
/// The band of an instant that lies in none.
pub(crate) const OUTSIDE: BandIndex = 0;

/// A stretch of a day `[from, to)` that one band claims, in seconds of local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hours {
    pub from_s: u32,
    pub to_s: u32,
    pub band: BandIndex,
}

/// The bands of a deck.
#[derive(Debug)]
pub(crate) struct Bands {
    pub zone: TimeZone,
    pub selection: Selection,
    /// The names, in the order of their first mention; band 1 is the first.
    pub names: Vec<Arc<str>>,
    /// For each day kind its hours, ascending and disjoint.
    pub days: [Vec<Hours>; 8],
    /// Local dates as days since 1970-01-01, ascending.
    pub holidays: Vec<i64>,
}

/// A local time of day: what the band of an instant depends on.
struct Local {
    kind: usize,
    second_of_day: u32,
}

impl Bands {
    /// The band that `instant` lies in.
    pub fn at(&self, instant: Timestamp) -> BandIndex {
        self.band_and_end(&self.local(instant.seconds())).0
    }

    /// The name of a band; `None` outside of every band.
    pub fn name(&self, band: BandIndex) -> Option<&Arc<str>> {
        self.names.get(band.checked_sub(1)?)
    }

    /// The band of that name.
    pub fn index_of(&self, name: &str) -> Option<BandIndex> {
        self.names.iter().position(|known| **known == *name).map(|at| at.wrapping_add(1))
    }

    /// Whether some instant lies outside of every band.
    pub fn has_outside(&self) -> bool {
        let used = if self.holidays.is_empty() { HOLIDAY_KIND } else { DAY_KINDS.len() };
        self.days[..used].iter().any(|hours| {
            let mut covered_s = 0;
            hours.iter().any(|h| core::mem::replace(&mut covered_s, h.to_s) != h.from_s) || covered_s != SECONDS_A_DAY
        })
    }

    /// Cuts a call of `seconds` into the bands it passes through: calls `segment(from, to, band)` for seconds since the
    /// start, in order, without gaps. At most a few segments per day of the call, however long it is.
    ///
    /// Bands change at whole seconds, so a fraction of the start never decides which side a second is on.
    pub fn segments(&self, start: Timestamp, seconds: u32, mut segment: impl FnMut(u32, u32, BandIndex)) {
        let mut from: u32 = 0;
        while from < seconds {
            let now = start.seconds().saturating_add(i64::from(from));
            let (band, for_s) = self.band_and_end(&self.local(now));
            let steady_s = self.seconds_of_steady_offset(now, for_s.min(seconds.wrapping_sub(from)));
            let to = from.wrapping_add(steady_s);
            segment(from, to, band);
            from = to;
        }
    }

    /// The band at a local time, and for how many seconds (at least 1) the clock must run until it may change.
    fn band_and_end(&self, local: &Local) -> (BandIndex, u32) {
        let second = local.second_of_day;
        for hours in &self.days[local.kind] {
            if second < hours.from_s {
                return (OUTSIDE, hours.from_s.wrapping_sub(second));
            }
            if second < hours.to_s {
                return (hours.band, hours.to_s.wrapping_sub(second));
            }
        }
        (OUTSIDE, SECONDS_A_DAY.wrapping_sub(second))
    }

    fn local(&self, instant_s: i64) -> Local {
        let local_s = instant_s.saturating_add(self.offset_s(instant_s));
        let day = local_s.div_euclid(i64::from(SECONDS_A_DAY));
        // 1970-01-01 was a Thursday, day 3 of a week from Monday.
        let weekday = day.saturating_add(3).rem_euclid(7) as usize;
        let kind = if self.holidays.binary_search(&day).is_ok() { HOLIDAY_KIND } else { weekday };
        Local { kind, second_of_day: local_s.rem_euclid(i64::from(SECONDS_A_DAY)) as u32 }
    }

    /// Of the next `seconds` (at least 1, at most a day), those before the clocks change. No zone changes them twice a day,
    /// so equal offsets at both ends mean that nothing happened between.
    fn seconds_of_steady_offset(&self, from_s: i64, seconds: u32) -> u32 {
        let offset_s = self.offset_s(from_s);
        let is_steady = |after: u32| self.offset_s(from_s.saturating_add(i64::from(after))) == offset_s;
        if is_steady(seconds.wrapping_sub(1)) {
            return seconds;
        }
        let (mut steady, mut changed) = (0, seconds.wrapping_sub(1));
        while changed.wrapping_sub(steady) > 1 {
            let middle = steady.wrapping_add(changed) / 2;
            if is_steady(middle) {
                steady = middle;
            } else {
                changed = middle;
            }
        }
        changed
    }

    /// Seconds east of UTC.
    fn offset_s(&self, instant_s: i64) -> i64 {
        let known = instant_s.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let instant = jiff::Timestamp::from_second(known).expect("invariant: clamped to what jiff knows");
        i64::from(self.zone.to_offset(instant).seconds())
    }
}
