//! Usage by the hour, and by every run of so many hours.

use std::collections::VecDeque;

use drawdown_units::{Sum, Timestamp};

use super::{Chance, DivCeil as _};

const SECONDS_AN_HOUR: i64 = 3_600;

/// The usage of the last hours, as bookings come in the order of time. Hours without any are nothing.
#[derive(Debug)]
pub(super) struct Hours {
    keep: u32,
    /// The hour since 1970 of the first.
    first: i64,
    usage: VecDeque<Sum>,
}

/// The hours of a past: all that are looked at, to the end of the last one.
#[derive(Debug)]
pub(super) struct Past(Vec<Sum>);

/// The usage of every run of hours, the dearest first.
#[derive(Debug)]
pub(super) struct Windows(Vec<Sum>);

fn hour_of(at: Timestamp) -> i64 {
    at.seconds().div_euclid(SECONDS_AN_HOUR)
}

impl Hours {
    pub fn new(keep: u32) -> Self {
        Hours { keep, first: 0, usage: VecDeque::new() }
    }

    pub fn add(&mut self, at: Timestamp, usage: Sum) {
        let hour = hour_of(at);
        if self.usage.is_empty() {
            self.first = hour;
        }
        self.extend_to(hour);
        // What was booked before the hours that are kept does not count.
        if let Some(sum) = usize::try_from(hour - self.first).ok().and_then(|place| self.usage.get_mut(place)) {
            *sum += usage;
        }
    }

    fn extend_to(&mut self, hour: i64) {
        if hour >= self.first + 2 * i64::from(self.keep) {
            self.usage.clear();
            self.first = hour;
        }
        while self.first + (self.usage.len() as i64) <= hour {
            self.usage.push_back(Sum::ZERO);
            if self.usage.len() > self.keep as usize {
                self.usage.pop_front();
                self.first += 1;
            }
        }
    }

    /// The hours up to and with that of `at`, from `opened` on.
    pub fn until(&self, at: Timestamp, opened: Timestamp) -> Past {
        let last = hour_of(at);
        let first = hour_of(opened).max(last + 1 - i64::from(self.keep));
        let usage = |hour: i64| usize::try_from(hour - self.first).ok().and_then(|place| self.usage.get(place));
        Past((first..=last).map(|hour| usage(hour).copied().unwrap_or_default()).collect())
    }
}

impl Past {
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn usage(&self) -> Sum {
        self.0.iter().copied().sum()
    }

    /// Every run of `hours`; none where the past is shorter.
    pub fn windows(&self, hours: u32) -> Windows {
        let hours = hours.max(1) as usize;
        let mut windows = Vec::with_capacity(self.0.len());
        let mut sum = Sum::ZERO;
        for (place, usage) in self.0.iter().enumerate() {
            sum += *usage;
            if place + 1 >= hours {
                windows.push(sum);
                sum -= self.0[place + 1 - hours];
            }
        }
        windows.sort_unstable_by(|a, b| b.cmp(a));
        Windows(windows)
    }
}

impl Windows {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn largest(&self) -> Sum {
        self.0.first().copied().unwrap_or_default()
    }

    /// How many are above an amount.
    pub fn above(&self, amount: Sum) -> Chance {
        let count = self.0.partition_point(|usage| *usage > amount) as u64;
        Chance { count, windows: self.0.len() as u64 }
    }

    /// The least whole amount that at most so many of a million windows are above.
    pub fn trigger(&self, risk_ppm: u32) -> Option<Sum> {
        let allowed = self.0.len() as u64 * u64::from(risk_ppm) / 1_000_000;
        let Some(usage) = self.0.get(usize::try_from(allowed).ok()?) else {
            return (!self.is_empty()).then_some(Sum::ZERO);
        };
        Some(Sum::from_micros(usage.micros().max(0).div_ceil_by(1_000_000) * 1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_parts(hour * SECONDS_AN_HOUR + 7, 0)
    }

    fn past(keep: u32, bookings: &[(i64, i128)], until: i64, opened: i64) -> Past {
        let mut hours = Hours::new(keep);
        for (hour, micros) in bookings {
            hours.add(at(*hour), Sum::from_micros(*micros));
        }
        hours.until(at(until), at(opened))
    }

    #[test]
    fn the_past_begins_with_the_account_and_ends_now() {
        assert_eq!(
            past(10, &[(3, 5), (3, 1), (5, 2)], 6, 2).0.iter().map(|sum| sum.micros()).collect::<Vec<_>>(),
            [0, 6, 0, 2, 0]
        );
        assert_eq!(past(3, &[(3, 5), (5, 2)], 6, 0).0.iter().map(|sum| sum.micros()).collect::<Vec<_>>(), [0, 2, 0]);
        assert_eq!(past(3, &[(3, 5), (900, 2)], 900, 0).usage().micros(), 2);
        assert_eq!(past(3, &[], 6, 0).count(), 3);
    }

    proptest! {
        /// Against counting by hand: the trigger keeps to the risk, and one less would not.
        #[test]
        fn the_trigger_is_the_least_that_keeps_to_the_risk(
            usage in proptest::collection::vec(-1_000_000_i128..30_000_000, 1..60),
            lead in 1_u32..10,
            risk_ppm in 0_u32..=1_000_000,
        ) {
            let bookings: Vec<(i64, i128)> = (0..).zip(usage.iter().copied()).collect();
            let past = past(1_000, &bookings, usage.len() as i64 - 1, 0);
            let windows: Vec<i128> = usage.windows(lead as usize).map(|window| window.iter().sum()).collect();
            let above = |trigger: i128| windows.iter().filter(|usage| **usage > trigger * 1_000_000).count() as u64;
            let is_kept = |trigger: i128| above(trigger) * 1_000_000 <= windows.len() as u64 * u64::from(risk_ppm);
            let found = past.windows(lead);
            match found.trigger(risk_ppm) {
                None => prop_assert!(windows.is_empty()),
                Some(trigger) => {
                    prop_assert_eq!(trigger.micros() % 1_000_000, 0);
                    let whole = trigger.micros() / 1_000_000;
                    prop_assert!(is_kept(whole) && (whole == 0 || !is_kept(whole - 1)));
                    prop_assert_eq!(found.above(trigger), Chance { count: above(whole), windows: windows.len() as u64 });
                }
            }
        }
    }
}
