//! What is promised to the running calls of one organisation.
//!
//! Calls draw a pool in the order in which their records come, whatever was promised to whom. So as long as all that draw
//! one pool find enough in it, they are promised minutes only; from the call on that could leave any of them without, all
//! of them are promised what they would cost without the pool: whoever comes too late is paid for.
//!
//! Invariant: the sums are those over the claims that were added and not taken away.

use drawdown_ledger::plans::Use;
use drawdown_units::{Money, Timestamp};
use drawdown_wire::account::{Claim, PoolClaim};

/// All claims of an organisation, as sums.
#[derive(Debug, Default)]
pub struct Claims {
    /// Of calls without a pool.
    direct: Money,
    pools: Vec<PoolClaims>,
    count: usize,
    latest_start: Option<Timestamp>,
}

/// The claims on one pool in one month.
#[derive(Debug)]
pub struct PoolClaims {
    pool: Box<str>,
    month: Timestamp,
    /// Minutes by use.
    minutes: [u64; Use::ALL.len()],
    /// The least that the pool holds for any of them, by use.
    sizes: [u64; Use::ALL.len()],
    count: usize,
    /// What they cost without the pool,
    bare: Money,
    /// but for so many, for which no money may be drawn.
    uncoverable: usize,
    /// What of it is promised: nothing, as long as there is enough in the pool.
    held: Money,
}

impl PoolClaims {
    /// Minutes claimed.
    pub fn minutes(&self, of: Use) -> u64 {
        self.minutes[place(of)]
    }

    /// The least that the pool holds for any claim.
    pub fn size_min(&self, of: Use) -> u64 {
        self.sizes[place(of)]
    }

    /// What its claims cost without the pool; `None` if one of them could not be paid then.
    pub fn bare(&self) -> Option<Money> {
        (self.uncoverable == 0).then_some(self.bare)
    }
}

fn place(of: Use) -> usize {
    match of {
        Use::Domestic => 0,
        Use::International => 1,
        Use::DialOut => 2,
    }
}

impl Claims {
    /// Money promised in all.
    pub fn money(&self) -> Money {
        self.pools.iter().fold(self.direct, |sum, pool| sum.plus(pool.held))
    }

    /// Money promised but to those that share this pool, and to those.
    pub fn money_beside(&self, pool: Option<(&str, Timestamp)>) -> (Money, Money) {
        let held = pool.and_then(|(name, month)| self.pool(name, month)).map_or(Money::ZERO, |pool| pool.held);
        (self.money().minus(held), held)
    }

    /// The claims on a pool.
    pub fn pool(&self, name: &str, month: Timestamp) -> Option<&PoolClaims> {
        self.pools.iter().find(|pool| pool.month == month && *pool.pool == *name)
    }

    /// Minutes claimed of each pool, month and use.
    pub fn minutes(&self) -> impl Iterator<Item = (&str, Timestamp, Use, u64)> {
        let of_pool = |pool: &'_ PoolClaims| Use::ALL.map(|of| (of, pool.minutes(of)));
        self.pools
            .iter()
            .flat_map(move |pool| of_pool(pool).into_iter().map(|(of, minutes)| (&*pool.pool, pool.month, of, minutes)))
    }

    /// The latest start of a call that has a claim: every one may draw the lots that a call of then may draw.
    pub fn latest_start(&self) -> Option<Timestamp> {
        self.latest_start
    }

    /// Adds a claim. `held` is what the claims on its pool are promised from now on.
    pub fn add(&mut self, claim: &Claim, start: Timestamp, held: Money) {
        self.count += 1;
        self.latest_start = self.latest_start.max(Some(start));
        let bare = claim.bare.unwrap_or_default();
        let Some(of_pool) = &claim.pool else {
            self.direct = self.direct.plus(bare);
            return;
        };
        let PoolClaim { pool, month, of, minutes, size } = of_pool;
        let known = self.pools.iter().position(|held| held.month == *month && held.pool == *pool);
        let index = known.unwrap_or_else(|| {
            self.pools.push(PoolClaims::new(pool, *month));
            self.pools.len() - 1
        });
        let pool = &mut self.pools[index];
        pool.minutes[place(*of)] += u64::from(*minutes);
        pool.sizes[place(*of)] = pool.sizes[place(*of)].min(*size);
        pool.count += 1;
        pool.bare = pool.bare.plus(bare);
        pool.uncoverable += usize::from(claim.bare.is_none());
        pool.held = held;
    }

    /// Adds a claim of before, of which it is not known what its pool has left: all that claim it are promised what they
    /// would cost without, until someone asks for it next.
    pub fn restore(&mut self, claim: &Claim, start: Timestamp) {
        let of_pool = claim.pool.as_ref().and_then(|of| self.pool(&of.pool, of.month));
        let held = of_pool.map_or(Money::ZERO, |pool| pool.bare).plus(claim.bare.unwrap_or_default());
        self.add(claim, start, held);
    }

    /// Takes a claim away.
    pub fn remove(&mut self, claim: &Claim) {
        self.count -= 1;
        if self.count == 0 {
            self.latest_start = None;
        }
        let bare = claim.bare.unwrap_or_default();
        let Some(of_pool) = &claim.pool else {
            self.direct = self.direct.minus(bare);
            return;
        };
        let place_of_pool = self.pools.iter().position(|held| held.month == of_pool.month && held.pool == of_pool.pool);
        let index = place_of_pool.expect("invariant: only a claim that was added is taken away");
        let pool = &mut self.pools[index];
        pool.minutes[place(of_pool.of)] -= u64::from(of_pool.minutes);
        pool.count -= 1;
        pool.bare = pool.bare.minus(bare);
        pool.uncoverable -= usize::from(claim.bare.is_none());
        // What is left in the pool is looked at when someone asks for it next.
        pool.held = pool.held.min(pool.bare);
        if pool.count == 0 {
            self.pools.swap_remove(index);
        }
    }
}

impl PoolClaims {
    fn new(pool: &str, month: Timestamp) -> Self {
        PoolClaims {
            pool: pool.into(),
            month,
            minutes: [0; Use::ALL.len()],
            sizes: [u64::MAX; Use::ALL.len()],
            count: 0,
            bare: Money::ZERO,
            uncoverable: 0,
            held: Money::ZERO,
        }
    }
}
