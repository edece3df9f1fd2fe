//! The organisations of the switch: how large, where at home, who works there.

use super::destinations::{HOMES, Home, Reach};
use super::random::{Random, Stream, Weighted, mixed};

/// All organisations, by their index; the first is the giant.
#[derive(Debug)]
pub struct Organisations {
    seed: u64,
    by_size: Weighted,
    homes: Weighted,
    reaches: Vec<Reach>,
}

/// One organisation.
#[derive(Debug, Clone, Copy)]
pub struct Organisation<'w> {
    pub index: u64,
    pub home: &'static Home,
    pub reach: &'w Reach,
}

/// Of a hundred calls, how many are the giant's.
const GIANT_PERCENT: u64 = 30;
/// The weight of the second organisation, times two: large enough that the ten millionth still has some.
const ZIPF_UNIT: u64 = 1 << 44;

impl Organisations {
    /// `count` of them: the giant, and then Zipf's law with exponent 1.
    pub fn new(seed: u64, count: u32) -> Self {
        let others = || (2..=u64::from(count)).map(|rank| ZIPF_UNIT / rank);
        let giant = (others().sum::<u64>() / (100 - GIANT_PERCENT) * GIANT_PERCENT).max(1);
        Organisations {
            seed,
            by_size: Weighted::new(std::iter::once(giant).chain(others())),
            homes: Weighted::new(HOMES.iter().map(|home| home.weight)),
            reaches: HOMES.iter().map(|home| Reach::new(home.country)).collect(),
        }
    }

    /// Whose call it is.
    pub fn pick(&self, random: &mut Random) -> Organisation<'_> {
        self.get(self.by_size.pick(random) as u64)
    }

    /// The organisation with this index. The giant is at home in the first country.
    pub fn get(&self, index: u64) -> Organisation<'_> {
        let home = match index {
            0 => 0,
            1.. => self.homes.pick(&mut Random::new(self.seed, Stream::Organisation, index)),
        };
        Organisation { index, home: &HOMES[home], reach: &self.reaches[home] }
    }

    /// Its part of all calls: a weight, and the sum of all weights.
    pub fn share(&self, index: u64) -> (u64, u64) {
        (self.by_size.weight(index as usize), self.by_size.total())
    }

    /// How many people use it, given the number of all calls: one for about fifty calls.
    pub fn user_count(&self, index: u64, call_count: u64) -> u64 {
        let (weight, total) = self.share(index);
        let calls = u128::from(call_count) * u128::from(weight) / u128::from(total);
        (calls / 50).clamp(1, 20_000) as u64
    }

    /// 64 bits that are a user's for ever: their id, name and number.
    pub fn user(&self, index: u64, user: u64) -> u64 {
        mixed(self.seed, Stream::User, (index << 20) + user)
    }
}
