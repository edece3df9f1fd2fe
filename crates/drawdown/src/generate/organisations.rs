//! The organisations of the switch: how large, where at home, who works there.

use super::Share;
use super::destinations::{HOMES, Home, Reach};
use super::random::{Random, Stream, Weighted, mixed};

/// All organisations, by their index; the first is the giant.
#[derive(Debug)]
pub struct Organisations {
    pub seed: u64,
    call_count: u64,
    licensed: Licensed,
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
    /// Whether its people need licences.
    pub is_licensed: bool,
    /// How many people use it. In a licensed one a resource account comes behind them.
    pub user_count: u64,
}

/// What somebody is in a licensed organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    Organiser,
    Other,
    ResourceAccount,
}

/// Which organisations are licensed: exactly so many, the giant among them, evenly spread over large and small ones.
#[derive(Debug)]
struct Licensed {
    count: u64,
    share: Share,
    /// Has no divisor in common with the count, so that its multiples meet every place once.
    stride: u64,
}

/// How many calls one person makes, about; more where minutes are to run out.
const CALLS_A_USER: u64 = 50;
const CALLS_A_LICENSED_USER: u64 = 120;
/// How many people there are for one who organises conferences.
const PEOPLE_AN_ORGANISER: u64 = 5;
/// Of a hundred calls, how many are the giant's.
const GIANT_PERCENT: u64 = 30;
/// The weight of the second organisation, times two: large enough that the ten millionth still has some.
const ZIPF_UNIT: u64 = 1 << 44;

impl Organisations {
    /// `count` of them, who make `call_count` calls: the giant, and then Zipf's law with exponent 1.
    pub fn new(seed: u64, count: u32, call_count: u64, licensed: Share) -> Self {
        let others = || (2..=u64::from(count)).map(|rank| ZIPF_UNIT / rank);
        let giant = (others().sum::<u64>() / (100 - GIANT_PERCENT) * GIANT_PERCENT).max(1);
        Organisations {
            seed,
            call_count,
            licensed: Licensed::new(count.into(), licensed),
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
        let is_licensed = self.licensed.has(index);
        let user_count = self.user_count(index, if is_licensed { CALLS_A_LICENSED_USER } else { CALLS_A_USER });
        Organisation { index, home: &HOMES[home], reach: &self.reaches[home], is_licensed, user_count }
    }

    /// Its part of all calls: a weight, and the sum of all weights.
    pub fn share(&self, index: u64) -> (u64, u64) {
        (self.by_size.weight(index as usize), self.by_size.total())
    }

    fn user_count(&self, index: u64, calls_a_user: u64) -> u64 {
        let (weight, total) = self.share(index);
        let calls = u128::from(self.call_count) * u128::from(weight) / u128::from(total);
        (calls / u128::from(calls_a_user)).clamp(1, 20_000) as u64
    }

    /// How many are licensed.
    pub fn licensed_count(&self) -> u64 {
        self.licensed.total()
    }

    /// 64 bits that are a user's for ever: their id, name and number.
    pub fn user(&self, index: u64, user: u64) -> u64 {
        mixed(self.seed, Stream::User, (index << 20) + user)
    }
}

impl Organisation<'_> {
    /// How many organise its conferences: the first of its people.
    pub fn organiser_count(&self) -> u64 {
        self.user_count.div_ceil(PEOPLE_AN_ORGANISER)
    }

    /// What somebody is in it, if it is licensed.
    pub fn person(&self, user: u64) -> Person {
        if user < self.organiser_count() {
            Person::Organiser
        } else if user < self.user_count {
            Person::Other
        } else {
            Person::ResourceAccount
        }
    }
}

impl Licensed {
    fn new(count: u64, share: Share) -> Self {
        let golden = (count * 382 / 1_000).max(1);
        let stride = (golden..).find(|stride| is_coprime(*stride, count)).unwrap_or(1);
        Licensed { count, share, stride }
    }

    /// Of a part of an organisation, a whole one.
    fn total(&self) -> u64 {
        (self.count * u64::from(self.share.0)).div_ceil(1_000_000)
    }

    fn has(&self, index: u64) -> bool {
        index * self.stride % self.count < self.total()
    }
}

fn is_coprime(one: u64, other: u64) -> bool {
    let (mut one, mut other) = (one, other);
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one == 1
}
