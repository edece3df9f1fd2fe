//! How long a call may last, by what its organisation has and has not promised to others.
//!
//! Invariant: what fits for a time fits for any shorter one, since no call costs less by lasting longer. So the longest
//! time is found by halving, over the rater's own charge.

use drawdown_engine::{Covering, Quote};
use drawdown_ledger::entitlements::Included;
use drawdown_ledger::{Account, command::Mode};
use drawdown_units::{Money, Timestamp};
use drawdown_wire::account::{Claim, PoolClaim};
use drawdown_wire::debit::Pricing;

use super::claims::{Claims, PoolClaims};

/// What there is for one call.
pub struct Room<'a> {
    quote: &'a Quote<'a>,
    pool: Option<PoolRoom<'a>>,
    /// The money that there is in all, promised or not; `None` where nothing limits it.
    holdings: Option<Money>,
    /// What of it is in lots.
    balance: Money,
    /// Promised to calls that do not share the pool.
    beside: Money,
    /// Promised to those that do.
    held: Money,
}

/// What there is in the call's pool.
struct PoolRoom<'a> {
    name: &'a str,
    included: Included,
    /// What others claim of it.
    others: Option<&'a PoolClaims>,
    /// Left of its minutes, claimed or not, for every call that claims any.
    left: u64,
    /// Claimed by others.
    claimed: u64,
    /// Left and claimed of the other use, where that one closes the pool too.
    other: Option<(u64, u64)>,
}

/// What a time costs whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Minutes of the pool.
    pub minutes: u32,
    /// Money out of lots.
    pub lots: Money,
    /// Money beyond them.
    pub beyond: Money,
}

impl<'a> Room<'a> {
    /// Beside the claims of others. `pool` is the name of the pool that covers the call.
    pub fn new(
        account: &Account,
        quote: &'a Quote<'a>,
        pool: Option<&'a str>,
        claims: &'a Claims,
        start: Timestamp,
        overdraft: Money,
    ) -> Self {
        let pool = match (quote.covering, pool) {
            (Covering::Pool(included), Some(name)) => Some(PoolRoom::new(included, name, claims)),
            _ => None,
        };
        let (beside, held) = claims.money_beside(pool.as_ref().map(|pool| (pool.name, pool.included.month)));
        let latest = claims.latest_start().map_or(start, |latest| latest.max(start));
        let balance = drawable(account, latest).minus(account.head().overdraft);
        let holdings = match account.mode() {
            Mode::PostUsage => None,
            Mode::Prepaid if account.is_strict() => Some(balance),
            Mode::Prepaid => Some(balance.plus(overdraft)),
        };
        Room { quote, pool, holdings, balance, beside, held }
    }

    /// Whether it is within what there is to let the call last so long.
    pub fn fits(&self, seconds: u32) -> bool {
        self.promised(seconds).is_some_and(|promised| self.is_within(promised))
    }

    /// Whether money is unlimited.
    pub fn is_unlimited(&self) -> bool {
        self.holdings.is_none()
    }

    /// Whether the call would fit if nothing were promised to others.
    pub fn would_fit(&self, seconds: u32) -> bool {
        let covered = self.pool.as_ref().map_or(0, |pool| pool.left.min(u64::from(u32::MAX)) as u32);
        let rest = self.bare(seconds.saturating_sub(covered.saturating_mul(60)));
        rest.is_some_and(|rest| rest.is_zero() || self.holdings.is_none_or(|holdings| rest <= holdings))
    }

    /// The longest time that fits, up to `maximum_s`; `None` if not even the first second does.
    pub fn longest(&self, maximum_s: u32) -> Option<u32> {
        if self.fits(maximum_s) {
            return Some(maximum_s);
        }
        // Fits, does not fit.
        let (mut fits, mut too_long) = (0, maximum_s);
        while too_long - fits > 1 {
            let middle = fits + (too_long - fits) / 2;
            if self.fits(middle) { fits = middle } else { too_long = middle }
        }
        (fits > 0).then_some(fits)
    }

    /// The claim for so long a time, and what all on its pool are promised with it.
    pub fn claim(&self, seconds: u32) -> (Claim, Money) {
        let of_pool = self.pool.as_ref().map(|pool| PoolClaim {
            pool: pool.name.into(),
            month: pool.included.month,
            of: pool.included.of,
            minutes: seconds.div_ceil(60),
            size: pool.included.size,
        });
        let held = self.promised(seconds).map_or(self.held, |(on_pool, _)| on_pool);
        (Claim { pool: of_pool, bare: self.bare(seconds) }, held)
    }

    /// Who would pay for so long a time.
    pub fn share(&self, seconds: u32) -> Share {
        let wanted = seconds.div_ceil(60);
        let minutes =
            self.pool.as_ref().map_or(0, |pool| if pool.is_ample(wanted) { wanted } else { pool.sure().min(wanted) });
        let amount = self.cost(seconds.saturating_sub(minutes.saturating_mul(60))).unwrap_or_default();
        let lots = amount.min(self.balance.minus(self.beside).minus(self.held).max(Money::ZERO));
        Share { minutes, lots, beyond: amount.minus(lots) }
    }

    /// Within what there is; what costs no more than is promised already always is.
    fn is_within(&self, (on_pool, own): (Money, Money)) -> bool {
        let Some(holdings) = self.holdings else { return true };
        let Some(more) = on_pool.checked_add(own) else { return false };
        more <= self.held || self.beside.checked_add(more).is_some_and(|sum| sum <= holdings)
    }

    /// What those on its pool, and what a call without one, is promised if it lasts so long; `None` if one of them could
    /// not be paid then.
    fn promised(&self, seconds: u32) -> Option<(Money, Money)> {
        let Some(pool) = &self.pool else { return Some((Money::ZERO, self.bare(seconds)?)) };
        if pool.is_ample(seconds.div_ceil(60)) {
            return Some((Money::ZERO, Money::ZERO));
        }
        let of_others = pool.others.map_or(Some(Money::ZERO), PoolClaims::bare)?;
        let rest = self.bare(seconds.saturating_sub(pool.sure().saturating_mul(60)))?;
        Some((of_others.checked_add(rest)?, Money::ZERO))
    }

    /// What a call that nothing covers is promised; `None` if no money may be drawn for it.
    fn bare(&self, seconds: u32) -> Option<Money> {
        let cost = self.cost(seconds)?;
        // Where nothing limits money, none need be promised.
        Some(if self.holdings.is_some() { cost } else { Money::ZERO })
    }

    fn cost(&self, seconds: u32) -> Option<Money> {
        if seconds == 0 || self.quote.covering == Covering::AddOn {
            return Some(Money::ZERO);
        }
        match (self.quote.charge(seconds), &self.quote.pricing) {
            (Some(charge), _) => {
                let amount = charge.ok()?.amount;
                (amount.is_zero() || self.quote.is_licensed).then_some(amount)
            }
            (None, Pricing::Free) => Some(Money::ZERO),
            (None, Pricing::Unrated(_) | Pricing::Charged(..)) => None,
        }
    }
}

impl<'a> PoolRoom<'a> {
    fn new(included: Included, name: &'a str, claims: &'a Claims) -> Self {
        let others = claims.pool(name, included.month);
        let left = |of, used: u64, size: u64| others.map_or(size, |it| it.size_min(of).min(size)).saturating_sub(used);
        let claimed = |of| others.map_or(0, |it| it.minutes(of));
        PoolRoom {
            name,
            others,
            left: left(included.of, included.used, included.size),
            claimed: claimed(included.of),
            other: included.other.map(|other| (left(other.of, other.used, other.size), claimed(other.of))),
            included,
        }
    }

    /// Whether all that claim minutes find them, this call with so many among them, in whatever order they draw.
    fn is_ample(&self, wanted: u32) -> bool {
        let claimed = self.claimed.saturating_add(u64::from(wanted));
        match self.other {
            // Reaching either figure closes both, which matters if both are claimed.
            Some((left, of_other)) if of_other > 0 => claimed < self.left && of_other < left,
            Some(_) | None => claimed <= self.left,
        }
    }

    /// The minutes that no other call can take away.
    fn sure(&self) -> u32 {
        let is_closed = self.other.is_some_and(|(left, claimed)| claimed > 0 && claimed >= left);
        let sure = if is_closed { 0 } else { self.left.saturating_sub(self.claimed) };
        u32::try_from(sure).unwrap_or(u32::MAX)
    }
}

/// What a call that starts then may draw out of lots.
fn drawable(account: &Account, start: Timestamp) -> Money {
    let lots = account.lots().all().iter().filter(|lot| start < lot.expires);
    lots.fold(Money::ZERO, |sum, lot| sum.plus(lot.remaining))
}
