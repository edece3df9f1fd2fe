//! Whom a synthetic organisation calls: real prefixes, which the bundled deck `acs-pstn` prices.

use super::random::{Random, Weighted};

/// A country in which organisations are at home.
#[derive(Debug)]
pub struct Home {
    /// ISO 3166.
    pub country: &'static str,
    /// How many organisations are at home here, in relation to others.
    pub weight: u64,
    /// What its own numbers begin with, without `+`.
    pub own: Numbers,
}

/// Numbers of one kind: what they begin with, and how many digits follow.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    pub prefix: u64,
    pub digits_after: u32,
}

/// Somewhere that is called.
#[derive(Debug)]
pub struct Destination {
    pub country: &'static str,
    pub name: &'static str,
    pub numbers: Numbers,
    /// How many of all calls abroad go there, in relation to others; at home likewise.
    pub weight: u64,
    /// The price per minute of the bundled deck in millionths of a US dollar: what funds are scaled to.
    pub price_micros: u64,
}

pub const HOMES: [Home; 8] = [
    home("US", 50, 1_425, 7),
    home("GB", 18, 4_420, 8),
    home("DE", 14, 4_930, 8),
    home("CA", 5, 1_416, 7),
    home("FR", 4, 331, 8),
    home("NL", 4, 3_120, 7),
    home("AU", 3, 612, 8),
    home("CH", 2, 4_144, 7),
];

const fn home(country: &'static str, weight: u64, prefix: u64, digits_after: u32) -> Home {
    Home { country, weight, own: Numbers { prefix, digits_after } }
}

pub const DESTINATIONS: [Destination; 56] = [
    to("US", "United States", 1_425, 7, 60, 13_000),
    to("US", "United States", 1_212, 7, 60, 13_000),
    to("US", "United States", 1_312, 7, 40, 13_000),
    to("US", "United States", 1_415, 7, 40, 13_000),
    to("US", "United States", 1_713, 7, 30, 13_000),
    to("CA", "Canada", 1_416, 7, 30, 13_000),
    to("CA", "Canada", 1_604, 7, 20, 13_000),
    to("CA", "Canada", 1_514, 7, 15, 13_000),
    to("GB", "United Kingdom", 4_420, 8, 70, 15_000),
    to("GB", "United Kingdom", 44_161, 7, 40, 15_000),
    to("GB", "United Kingdom - Mobile", 447_912, 6, 50, 29_000),
    to("GB", "United Kingdom - Mobile", 447_700, 6, 2, 320_000),
    to("DE", "Germany", 4_930, 8, 45, 15_000),
    to("DE", "Germany", 4_989, 8, 40, 15_000),
    to("DE", "Germany - Mobile", 49_151, 8, 45, 15_000),
    to("DE", "Germany - Mobile", 49_171, 7, 30, 15_000),
    to("FR", "France", 331, 8, 25, 16_000),
    to("FR", "France - Mobile", 336, 8, 15, 125_000),
    to("NL", "Netherlands", 3_120, 7, 12, 350_000),
    to("NL", "Netherlands - Mobile", 316, 8, 4, 350_000),
    to("CH", "Switzerland", 4_144, 7, 14, 23_400),
    to("CH", "Switzerland - Mobile", 4_179, 7, 8, 23_400),
    to("AT", "Austria", 431, 7, 8, 155_000),
    to("AT", "Austria - Mobile", 43_664, 7, 6, 240_000),
    to("ES", "Spain", 3_491, 7, 12, 16_500),
    to("ES", "Spain - Mobile", 346, 8, 10, 92_500),
    to("IT", "Italy", 3_906, 8, 12, 16_000),
    to("IT", "Italy - Mobile", 39_347, 7, 6, 315_000),
    to("SE", "Sweden", 468, 7, 8, 16_000),
    to("SE", "Sweden - Mobile", 4_670, 7, 6, 60_000),
    to("PL", "Poland", 4_822, 7, 8, 30_000),
    to("PL", "Poland - Mobile", 4_860, 7, 8, 165_000),
    to("BE", "Belgium", 3_222, 7, 6, 130_000),
    to("IE", "Ireland", 3_531, 7, 8, 16_000),
    to("PT", "Portugal", 35_121, 7, 5, 13_000),
    to("NO", "Norway", 4_721, 6, 4, 20_000),
    to("IN", "India", 9_122, 8, 16, 45_000),
    to("IN", "India - Mobile", 9_198, 8, 20, 35_000),
    to("AU", "Australia", 612, 8, 16, 24_000),
    to("AU", "Australia - Mobile", 614, 8, 14, 75_000),
    to("JP", "Japan", 813, 8, 8, 61_000),
    to("JP", "Japan - Mobile", 8_190, 8, 3, 185_000),
    to("CN", "China", 8_610, 8, 8, 21_800),
    to("CN", "China - Mobile", 86_138, 8, 8, 54_000),
    to("BR", "Brazil", 5_511, 8, 6, 40_000),
    to("MX", "Mexico", 5_255, 8, 10, 13_000),
    to("SG", "Singapore", 656, 7, 8, 35_000),
    to("SG", "Singapore - Mobile", 659, 7, 6, 55_000),
    to("HK", "Hong Kong", 8_522, 7, 7, 30_000),
    to("ZA", "South Africa", 2_711, 7, 3, 450_000),
    to("AE", "United Arab Emirates - Mobile", 97_150, 7, 4, 210_000),
    to("IL", "Israel - Mobile", 97_254, 7, 5, 45_000),
    to("TR", "Turkey", 90_212, 7, 5, 60_000),
    to("PH", "Philippines - Mobile", 63_917, 7, 4, 210_000),
    to("RO", "Romania", 4_021, 7, 5, 11_000),
    to("KR", "Korea - Mobile", 8_210, 8, 4, 35_000),
];

const fn to(
    country: &'static str,
    name: &'static str,
    prefix: u64,
    digits_after: u32,
    weight: u64,
    price_micros: u64,
) -> Destination {
    Destination { country, name, numbers: Numbers { prefix, digits_after }, weight, price_micros }
}

impl Numbers {
    /// One of these numbers, without `+`. What follows the prefix begins with 2 to 9, as numbers do where 0 and 1 mean
    /// something else.
    pub fn pick(self, random: &mut Random) -> u64 {
        let rest = 10_u64.pow(self.digits_after - 1);
        self.prefix * 10 * rest + (2 + random.below(8)) * rest + random.below(rest)
    }
}

/// Where the organisations of one home call.
#[derive(Debug)]
pub struct Reach {
    at_home: Weighted,
    abroad: Weighted,
}

/// How many calls in a million leave the country.
const ABROAD_PARTS_PER_MILLION: u32 = 220_000;

impl Reach {
    /// The reach of organisations at home in a country.
    pub fn new(country: &str) -> Self {
        let weights = |is_meant: fn(bool) -> bool| {
            let weight = |to: &Destination| if is_meant(to.country == country) { to.weight } else { 0 };
            Weighted::new(DESTINATIONS.iter().map(weight).collect::<Vec<_>>())
        };
        Reach { at_home: weights(|is_home| is_home), abroad: weights(|is_home| !is_home) }
    }

    /// Where one call goes.
    pub fn pick(&self, random: &mut Random) -> &'static Destination {
        let reach = if random.happens(ABROAD_PARTS_PER_MILLION) { &self.abroad } else { &self.at_home };
        &DESTINATIONS[reach.pick(random)]
    }

    /// The price per minute of all of them on average, in millionths of a US dollar.
    pub fn price_micros(&self) -> u64 {
        let mean = |reach: &Weighted| {
            let priced = |(at, to): (usize, &Destination)| reach.weight(at) * to.price_micros;
            DESTINATIONS.iter().enumerate().map(priced).sum::<u64>() / reach.total()
        };
        let abroad = u64::from(ABROAD_PARTS_PER_MILLION);
        (mean(&self.abroad) * abroad + mean(&self.at_home) * (1_000_000 - abroad)) / 1_000_000
    }
}
