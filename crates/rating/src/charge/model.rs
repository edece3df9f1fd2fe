//! A charge worked out naively, increment by increment, against the real one.

use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use drawdown_units::{Money, Timestamp};

use crate::testing::{call, deck};
use crate::{Call, RoundingMode, Uncharged};

/// What a deck says, as plain numbers: prices in 10⁻⁹, money in 10⁻⁶.
#[derive(Debug, Clone)]
struct Terms {
    zone: &'static str,
    is_split: bool,
    mode: RoundingMode,
    decimals: u32,
    /// The rows without band, of band `day` and of band `night`.
    rows: [Line; 3],
}

#[derive(Debug, Clone)]
struct Line {
    price: i128,
    fee: i128,
    initial_s: u32,
    increment_s: u32,
    minimum: i128,
    maximum: Option<i128>,
    /// From second, price.
    tiers: Vec<(u32, i128)>,
}

/// `day` is Monday to Friday from 07:30 to 19:00; `night` is every day from 22:00 to 05:00; New Year's Day is `day`.
fn band_of(zone: &TimeZone, instant_s: i64) -> usize {
    let local = jiff::Timestamp::from_second(instant_s).expect("a year of ours").to_zoned(zone.clone());
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    if (local.month(), local.day(), local.year()) == (1, 1, 2026) {
        return 1;
    }
    let is_weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
    match minute {
        450..1140 if !is_weekend => 1,
        0..300 | 1320..1440 => 2,
        _ => 0,
    }
}

const MANIFEST_BANDS: &str = r#"holidays = ["2026-01-01"]
[[bands.band]]
name = "day"
days = ["mon", "tue", "wed", "thu", "fri"]
from = "07:30"
to = "19:00"
[[bands.band]]
name = "day"
days = ["holiday"]
from = "00:00"
to = "24:00"
[[bands.band]]
name = "night"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
from = "00:00"
to = "05:00"
[[bands.band]]
name = "night"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
from = "22:00"
to = "24:00"
"#;

fn decimal(value: i128, decimals: usize) -> String {
    let digits = format!("{value:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    format!("{whole}.{fraction}")
}

impl Terms {
    fn manifest(&self) -> String {
        let selection = if self.is_split { "split" } else { "start" };
        let (mode, decimals, zone) = (self.mode.as_str(), self.decimals, self.zone);
        format!(
            "rounding = {{ mode = \"{mode}\", decimals = {decimals} }}\n\
             [bands]\nzone = \"{zone}\"\nselection = \"{selection}\"\n{MANIFEST_BANDS}"
        )
    }

    fn csv(&self) -> String {
        let mut csv =
            "prefix,band,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge,\
                       tier2_from_s,tier2_price_per_minute,tier3_from_s,tier3_price_per_minute\n"
                .to_owned();
        for (band, line) in ["", "day", "night"].iter().zip(&self.rows) {
            let maximum = line.maximum.map(|maximum| decimal(maximum, 6)).unwrap_or_default();
            let tier = |at: usize| match line.tiers.get(at) {
                Some((from_s, price)) => format!("{from_s},{}", decimal(*price, 9)),
                None => ",".to_owned(),
            };
            csv += &format!(
                "44,{band},{},{},{},{},{},{maximum},{},{}\n",
                decimal(line.price, 9),
                decimal(line.fee, 6),
                line.initial_s,
                line.increment_s,
                decimal(line.minimum, 6),
                tier(0),
                tier(1)
            );
        }
        csv
    }

    /// The amount in 10⁻⁶, by walking through every increment.
    fn charge(&self, start_s: i64, seconds: u32) -> i128 {
        if seconds == 0 {
            return 0;
        }
        let zone = TimeZoneDatabase::bundled().get(self.zone).expect("a zone");
        let first = &self.rows[band_of(&zone, start_s)];
        // In 60 × 10⁹ths.
        let mut sum = first.fee * 60_000;
        let mut begins_s = 0;
        while begins_s < seconds {
            let length_s = if begins_s == 0 && first.initial_s > 0 { first.initial_s } else { first.increment_s };
            let line = if self.is_split { &self.rows[band_of(&zone, start_s + i64::from(begins_s))] } else { first };
            let tier = line.tiers.iter().rev().find(|(from_s, _)| *from_s <= begins_s);
            sum += tier.map_or(line.price, |(_, price)| *price) * i128::from(length_s);
            begins_s += length_s;
        }
        sum = sum.max(first.minimum * 60_000);
        sum = first.maximum.map_or(sum, |maximum| sum.min(maximum * 60_000));
        self.round(sum)
    }

    /// The nearer of the two neighbours, or the one that the mode prefers.
    fn round(&self, sum: i128) -> i128 {
        let step = 60_000 * 10_i128.pow(6 - self.decimals);
        let (below, above) = (sum.div_euclid(step), (sum + step - 1).div_euclid(step));
        let (to_below, to_above) = (sum - below * step, above * step - sum);
        let chosen = match self.mode {
            _ if below == above => below,
            RoundingMode::Up => above,
            RoundingMode::Down => below,
            _ if to_below < to_above => below,
            _ if to_below > to_above => above,
            RoundingMode::HalfUp => above,
            RoundingMode::HalfDown => below,
            RoundingMode::HalfEven => [below, above].into_iter().find(|step| step % 2 == 0).expect("neighbours"),
        };
        chosen * 10_i128.pow(6 - self.decimals)
    }
}

fn line() -> impl Strategy<Value = Line> {
    let price = || prop_oneof![0_i128..2_000_000_000, (0_i128..2_000).prop_map(|milli| milli * 1_000_000), Just(0)];
    let increment = || prop_oneof![Just(1_u32), Just(6), Just(60), 1_u32..=4_000];
    let bounds = (0_i128..3_000_000, prop::option::of(0_i128..30_000_000));
    let tiers = prop::collection::vec((1_u32..5_000, price()), 0..=2);
    (price(), 0_i128..1_000_000, prop_oneof![Just(0), increment()], increment(), bounds, tiers).prop_map(
        |(price, fee, initial_s, increment_s, (minimum, above), mut tiers)| {
            tiers.sort_unstable();
            tiers.dedup_by_key(|(from_s, _)| *from_s);
            Line { price, fee, initial_s, increment_s, minimum, maximum: above.map(|above| minimum + above), tiers }
        },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    // Whole hours, half an hour of summer time, an offset of half an hour, none.
    let zones = ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "UTC"];
    let rows = [line(), line(), line()];
    (prop::sample::select(zones.to_vec()), any::<bool>(), prop::sample::select(&RoundingMode::ALL), 0_u32..=6, rows)
        .prop_map(|(zone, is_split, mode, decimals, rows)| Terms { zone, is_split, mode, decimals, rows })
}

/// Any time of 2026, and more often than not one near a change of clocks or of the year.
fn start_s() -> impl Strategy<Value = i64> {
    let year = 1_767_225_600_i64..1_798_761_600;
    let near = |at: i64| at - 40_000..at + 40_000;
    // Berlin on 29 March and 25 October, Lord Howe on 4 April, St John's on 1 November, New Year.
    prop_oneof![
        year,
        near(1_774_746_000),
        near(1_792_890_000),
        near(1_775_314_800),
        near(1_793_507_400),
        near(1_767_225_600)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_charge_is_what_walking_through_its_increments_comes_to(
        terms in terms(),
        calls in prop::collection::vec((start_s(), 0_u32..1_000_000_000, prop_oneof![0_u32..300, 0_u32..90_000]), 1..12),
    ) {
        let deck = deck(&terms.manifest(), &terms.csv());
        for (start_s, nanos, seconds) in calls {
            let call = Call { start: Timestamp::from_parts(start_s, nanos), ..call("442071838750", seconds) };
            let expected = terms.charge(start_s, seconds);
            let expected = i64::try_from(expected).map(Money::from_micros).expect("64 bits");
            let charge = deck.charge(&call).expect("a row");
            prop_assert_eq!(charge.amount, expected, "{:?}", call);
            let breakdown = deck.breakdown(&call).expect("a row");
            let billed: u64 = breakdown.parts.iter().map(|part| part.seconds).sum();
            prop_assert_eq!(billed, charge.billable_seconds);
            prop_assert_eq!(charge.is_compound, breakdown.parts.iter().any(|part| part.price != charge.price_per_minute));
        }
    }

    /// The whole range of prices, fees and durations: exact, or too large, never a panic.
    #[test]
    fn the_largest_figures_are_exact_or_too_large(
        price in 0_i128..=1_000_000_000_000_000,
        fee in 0_i128..=1_000_000_000_000_000_000,
        seconds in any::<u32>(),
        increment_s in 1_u32..=86_400,
    ) {
        let row = format!("44,{},{},{increment_s}\n", decimal(price, 9), decimal(fee, 6));
        let deck = deck("", &format!("prefix,price_per_minute,connection_fee,increment_s\n{row}"));
        let billed = if seconds == 0 {
            0
        } else {
            60 + (i128::from(seconds) - 60).max(0).div_euclid(i128::from(increment_s)) * i128::from(increment_s)
                + if seconds > 60 && (seconds - 60) % increment_s != 0 { i128::from(increment_s) } else { 0 }
        };
        let sum = if seconds == 0 { 0 } else { fee * 60_000 + price * billed };
        let micros = (sum + 30_000) / 60_000;
        match deck.charge(&call("44", seconds)) {
            Ok(charge) => prop_assert_eq!(i128::from(charge.amount.micros()), micros),
            Err(reason) => {
                prop_assert_eq!(reason, Uncharged::TooLarge);
                prop_assert!(micros > i128::from(Money::LIMIT.micros()));
            }
        }
    }
}
