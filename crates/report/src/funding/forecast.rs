//! What will be left of lots when they expire, if usage goes on at its average.

use drawdown_units::{Sum, Timestamp};

use super::DivCeil as _;
use crate::lot::Lot;

/// A lot, and what of it will expire unspent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The lot.
    pub lot: Lot,
    /// How much.
    pub unspent: Sum,
}

const SECONDS_AN_HOUR: i128 = 3_600;

/// Spends lots in their order, from `at` on, by `usage` in so many `hours`.
///
/// Only lots that have not expired: what calls may still draw from one in its grace is what was on its way.
pub(super) fn leftovers(lots: &[Lot], at: Timestamp, usage: Sum, hours: u64) -> Vec<Leftover> {
    let seconds = i128::from(hours.max(1)) * SECONDS_AN_HOUR;
    let usage = usage.micros().max(0);
    let (mut now, mut leftovers) = (at, Vec::new());
    for lot in lots.iter().filter(|lot| lot.expires > at) {
        let remaining = Sum::from(lot.remaining).micros();
        let lasts = i128::from(lot.expires.seconds().saturating_sub(now.seconds()).max(0));
        // Both are far from the edge of 128 bits: 10^18 · 10^12.
        let spendable = usage.saturating_mul(lasts) / seconds;
        if spendable < remaining {
            leftovers.push(Leftover { lot: lot.clone(), unspent: Sum::from_micros(remaining - spendable) });
            now = now.max(lot.expires);
            continue;
        }
        let takes = remaining.saturating_mul(seconds).div_ceil_by(usage.max(1));
        now = now.plus_seconds(i64::try_from(takes).unwrap_or(i64::MAX));
    }
    leftovers
}

#[cfg(test)]
mod tests {
    use drawdown_units::Money;

    use super::*;
    use crate::lot::State;

    fn lot(id: &str, units: i64, expires_day: i64) -> Lot {
        let remaining = Money::from_micros(units * 1_000_000);
        let expires = Timestamp::EPOCH.plus_seconds(expires_day * 86_400);
        Lot { id: id.into(), amount: remaining, remaining, purchased: Timestamp::EPOCH, expires, state: State::Active }
    }

    /// One unit a day.
    fn check(lots: &[Lot], expected: &[(&str, i64)]) {
        let found = leftovers(lots, Timestamp::EPOCH, Sum::from_micros(10_000_000), 240);
        let found: Vec<_> = found.iter().map(|it| (&*it.lot.id, it.unspent.micros() as i64 / 1_000_000)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lots_are_spent_one_after_the_other_until_they_expire() {
        check(&[lot("A", 10, 10)], &[]);
        check(&[lot("A", 10, 4)], &[("A", 6)]);
        check(&[lot("A", 10, 10), lot("B", 10, 20)], &[]);
        check(&[lot("A", 10, 12), lot("B", 10, 15)], &[("B", 5)]);
        // An older lot goes first, even though a younger one expires meanwhile (boundaries.md L16).
        check(&[lot("A", 10, 30), lot("B", 5, 8), lot("C", 5, 20)], &[("B", 5)]);
        check(&[lot("A", 10, 0)], &[]);
    }

    #[test]
    fn without_usage_all_of_it_is_left() {
        let found = leftovers(&[lot("A", 10, 4)], Timestamp::EPOCH, Sum::from_micros(-5), 0);
        assert_eq!(found[0].unspent.micros(), 10_000_000);
    }
}
