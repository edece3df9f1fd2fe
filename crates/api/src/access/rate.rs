//! How often somebody may ask: one number for each, and no more of them than fit a bound.
//!
//! Invariants: memory does not grow with the number of strangers, whoever finds no room shares a bucket with others like
//! them; nothing is ever forgotten while it would still hold somebody back.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A rate, and how far one may run ahead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many a second in the long run; at least 1.
    pub per_second: u32,
    /// So many at once; at least 1.
    pub burst: u32,
}

impl Rate {
    /// What one costs.
    fn interval_ns(self) -> u64 {
        1_000_000_000 / u64::from(self.per_second.max(1))
    }

    /// How far ahead of the clock a bucket may be when one more is taken.
    fn tolerance_ns(self) -> u64 {
        self.interval_ns() * u64::from(self.burst.max(1) - 1)
    }
}

/// Parts with a lock of their own.
const SHARD_COUNT: usize = 16;

/// Token buckets, by whom they are for.
///
/// A bucket is the instant at which it will be full again (the generic cell rate algorithm), so an idle one is as good
/// as none and can be dropped.
#[derive(Debug)]
pub struct Limiter {
    shards: [Mutex<HashMap<u64, u64>>; SHARD_COUNT],
    shard_size_max: usize,
    hasher: RandomState,
    began: Instant,
}

/// The bucket of those for whom there is no room.
const SHARED: u64 = 0;

impl Limiter {
    /// Keeps at most about `count_max` buckets, 24 bytes each.
    pub fn new(count_max: usize) -> Self {
        Limiter {
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_size_max: (count_max / SHARD_COUNT).max(1),
            hasher: RandomState::new(),
            began: Instant::now(),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// There is none: how long until there is.
    pub fn take(&self, whom: impl Hash, rate: Rate) -> Result<(), Duration> {
        self.take_at(whom, rate, self.now())
    }

    /// How long until there is one, if there is none; takes nothing.
    pub fn wait(&self, whom: impl Hash, rate: Rate) -> Option<Duration> {
        let key = self.hasher.hash_one(whom);
        let shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = shard.get(&key).copied().unwrap_or(0);
        over(full_at, rate, self.now())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn shard(&self, key: u64) -> &Mutex<HashMap<u64, u64>> {
        &self.shards[(key % SHARD_COUNT as u64) as usize]
    }

    fn take_at(&self, whom: impl Hash, rate: Rate, now: u64) -> Result<(), Duration> {
        let key = self.hasher.hash_one(whom);
        let mut shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.shard_size_max && !shard.contains_key(&key) {
            shard.retain(|_, full_at| *full_at > now);
        }
        let is_full = shard.len() >= self.shard_size_max;
        let full_at = match shard.entry(key) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(room) if !is_full => room.insert(0),
            Entry::Vacant(_) => shard.entry(SHARED).or_insert(0),
        };
        if let Some(wait) = over(*full_at, rate, now) {
            return Err(wait);
        }
        *full_at = (*full_at).max(now) + rate.interval_ns();
        Ok(())
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

/// How long it is until a bucket has one again, if it has none.
fn over(full_at: u64, rate: Rate, now: u64) -> Option<Duration> {
    let ahead = full_at.saturating_sub(now);
    (ahead > rate.tolerance_ns()).then(|| Duration::from_nanos(ahead - rate.tolerance_ns()))
}

/// Whole seconds until somebody may try again; at least 1.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_burst_goes_through_and_then_the_rate() {
        let limiter = Limiter::new(100);
        let rate = Rate { per_second: 10, burst: 5 };
        let count = |now| (0..100).filter(|_| limiter.take_at("a", rate, now).is_ok()).count();
        assert_eq!(count(0), 5);
        assert_eq!(limiter.take_at("a", rate, 0), Err(Duration::from_millis(100)));
        assert_eq!(count(S / 10), 1);
        assert_eq!(count(10 * S), 5, "a rest fills the bucket and no more");
        assert_eq!(limiter.take_at("b", rate, 10 * S), Ok(()), "others have their own");
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let limiter = Limiter::new(160);
        let rate = Rate { per_second: 1, burst: 2 };
        let through = (0..10_000).filter(|whom| limiter.take_at(whom, rate, 0).is_ok()).count();
        assert!(limiter.len() <= 160 + SHARD_COUNT, "{}", limiter.len());
        assert!(through < 250, "who found no room shares a bucket: {through}");
        assert_eq!(limiter.take_at("later", rate, 100 * S), Ok(()), "the idle are dropped");
        assert!(limiter.len() <= 160 + SHARD_COUNT);
    }

    #[test]
    fn looking_takes_nothing() {
        let limiter = Limiter::new(100);
        let rate = Rate { per_second: 1, burst: 1 };
        assert_eq!(limiter.wait("a", rate), None);
        assert_eq!(limiter.wait("a", rate), None);
        limiter.take("a", rate).unwrap();
        assert!(limiter.wait("a", rate).is_some());
        assert_eq!(seconds(Duration::from_millis(1_001)), 2);
    }
}
