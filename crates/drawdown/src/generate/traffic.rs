//! When calls end and how long they last.
//!
//! Calls are laid out by their number: each has a place of its own in the period, more of them in busy hours, so that
//! no call need know of another and their ends ascend.

use drawdown_units::Timestamp;

use super::random::{Random, Weighted};

/// How busy the hours of a working day are, midnight to midnight in UTC.
const WORKING_DAY: [u64; 24] =
    [14, 10, 8, 8, 10, 16, 34, 62, 118, 164, 178, 170, 142, 150, 176, 182, 174, 150, 112, 86, 70, 54, 36, 22];
/// The same for Saturday and Sunday.
const WEEKEND: [u64; 24] = [12, 8, 6, 5, 5, 7, 12, 18, 26, 34, 40, 42, 40, 38, 38, 38, 38, 38, 36, 32, 28, 24, 20, 16];

/// The unit of instants: 100 ns, as Teams has them.
pub const TICKS_A_SECOND: u64 = 10_000_000;
const TICKS_AN_HOUR: u64 = 3_600 * TICKS_A_SECOND;

/// A period and the calls in it.
#[derive(Debug)]
pub struct Timeline {
    pub start: Timestamp,
    pub days: u32,
    call_count: u64,
    hours: Weighted,
}

impl Timeline {
    /// A period of whole days for `call_count` calls.
    pub fn new(start: Timestamp, days: u32, call_count: u64) -> Self {
        let weight = |hour: i64| {
            let at = start.plus_seconds(hour * 3_600);
            // 1970 began on a Thursday.
            let weekday = (at.day() + 3).rem_euclid(7);
            let profile = if weekday < 5 { &WORKING_DAY } else { &WEEKEND };
            profile[(at.seconds().div_euclid(3_600)).rem_euclid(24) as usize]
        };
        Timeline { start, days, call_count, hours: Weighted::new((0..i64::from(days) * 24).map(weight)) }
    }

    /// The instant at which the call with this number ends, in ticks since the start; never before that of an earlier one.
    pub fn end_of(&self, call: u64, random: &mut Random) -> u64 {
        // The place of the call in the sum of all hours' weights, with 32 bits behind the point.
        let within = u128::from(random.next() >> 32);
        let place = ((u128::from(call) << 32) | within) * u128::from(self.hours.total()) / u128::from(self.call_count);
        let hour = self.hours.find((place >> 32) as u64);
        let in_hour = place - (u128::from(self.hours.begin(hour)) << 32);
        let ticks = (in_hour * u128::from(TICKS_AN_HOUR) / u128::from(self.hours.weight(hour))) >> 32;
        hour as u64 * TICKS_AN_HOUR + ticks as u64
    }

    /// The instant some ticks after the start, or before it.
    pub fn at(&self, ticks: i64) -> Timestamp {
        let (seconds, ticks) = (ticks.div_euclid(TICKS_A_SECOND as i64), ticks.rem_euclid(TICKS_A_SECOND as i64));
        let nanos = self.start.nanos() / 100 * 100 + ticks as u32 * 100;
        let at =
            Timestamp::from_parts(self.start.seconds(), 0).plus_seconds(seconds + i64::from(nanos / 1_000_000_000));
        Timestamp::from_parts(at.seconds(), nanos % 1_000_000_000)
    }

    /// The whole period in ticks.
    pub fn ticks(&self) -> u64 {
        u64::from(self.days) * 24 * TICKS_AN_HOUR
    }
}

/// The median of how long an answered call lasts.
const MEDIAN_S: u64 = 75;
/// No call lasts longer.
pub const DURATION_MAX_S: u32 = 4 * 3_600;

/// How long an answered call lasts, in whole seconds, never 0: log-logistic with the median above and shape 1.6.
pub fn duration_s(random: &mut Random) -> u32 {
    duration_at(random.next() as u32)
}

/// The quantile function at `part` / 2^32: median × odds^(1/1.6), and odds^(5/8) is made of square roots of whole
/// numbers. A power function of floating point would not be the same on every machine.
fn duration_at(part: u32) -> u32 {
    // Odds with 32 bits behind the point, their roots with 16.
    let odds = (u64::from(part) << 32) / ((1 << 32) - u64::from(part));
    let root_2 = odds.isqrt();
    let root_4 = (root_2 << 16).isqrt();
    let root_8 = (root_4 << 16).isqrt();
    let seconds = (u128::from(MEDIAN_S) * u128::from(root_2) * u128::from(root_8)) >> 32;
    (seconds as u64).saturating_add(1).min(u64::from(DURATION_MAX_S)) as u32
}

/// How many minutes an answered call is billed on average, in thousandths, if every begun minute is.
pub fn billed_minutes_milli() -> u64 {
    const SAMPLES: u64 = 4_096;
    let minutes = |sample: u64| u64::from(duration_at(((2 * sample + 1) << 19) as u32).div_ceil(60));
    (0..SAMPLES).map(minutes).sum::<u64>() * 1_000 / SAMPLES
}

#[cfg(test)]
mod tests {
    use super::super::random::Stream;
    use super::*;

    fn timeline(call_count: u64) -> Timeline {
        Timeline::new(Timestamp::parse("2026-03-01T00:00:00Z").expect("a time"), 7, call_count)
    }

    #[test]
    fn calls_end_one_after_the_other_within_the_period() {
        for call_count in [1, 2, 1_000, 30_000] {
            let timeline = timeline(call_count);
            let ends: Vec<u64> =
                (0..call_count).map(|call| timeline.end_of(call, &mut Random::new(1, Stream::Call, call))).collect();
            assert!(ends.is_sorted());
            assert!(ends.iter().all(|end| *end < timeline.ticks()));
        }
    }

    #[test]
    fn hours_and_days_have_their_profile() {
        let timeline = timeline(100_000);
        let mut by_hour = [0_u32; 7 * 24];
        for call in 0..100_000 {
            let end = timeline.end_of(call, &mut Random::new(1, Stream::Call, call));
            by_hour[(end / TICKS_AN_HOUR) as usize] += 1;
        }
        let day = |day: usize| by_hour[day * 24..][..24].iter().sum::<u32>();
        assert!(day(0) * 3 < day(1), "1 March 2026 is a Sunday");
        assert!(by_hour[24 + 3] * 10 < by_hour[24 + 10], "three in the morning against ten");
    }

    #[test]
    fn instants_keep_their_ticks() {
        let timeline = timeline(1);
        assert_eq!(timeline.at(0).to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(timeline.at(12_345_678).to_string(), "2026-03-01T00:00:01.2345678Z");
        assert_eq!(timeline.at(-1).to_string(), "2026-02-28T23:59:59.9999999Z");
    }

    #[test]
    fn durations_are_log_logistic() {
        let quantile = |part: f64| duration_at((part * 4_294_967_296.0) as u32);
        assert_eq!(quantile(0.5), 76);
        // 75 × 3^0.625 = 149.0 and 75 × 9^0.625 = 296.1.
        assert_eq!((quantile(0.25), quantile(0.75), quantile(0.9)), (38, 150, 297));
        assert_eq!((duration_at(0), duration_at(u32::MAX)), (1, DURATION_MAX_S));
        assert!((2_500..4_500).contains(&billed_minutes_milli()), "{}", billed_minutes_milli());
    }
}
