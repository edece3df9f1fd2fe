//! What to buy: how much, when, and what is bought already and will not be used.
//!
//! The method, in full. Usage is what calls cost an account, whoever was to pay but for `unlicensed`, by the hour of its
//! booking, less what was taken back, over the last 90 days or since the account was opened. A recharge takes a lead time
//! to land; every run of so many hours in the past is one window, and its usage is what would have had to be there.
//! The trigger is the least whole amount that at most the given share of the windows exceeded. Windows overlap: their
//! number says how often was looked, not how many independent trials there were.
//! The amount is the usage of 30 days, rounded up to whole tens, and not below 50.
//! Everything is whole numbers: money in millionths, chances as fractions.

mod forecast;
mod hours;
mod json;

use drawdown_units::{Currency, Sum, Timestamp};

use crate::fault::Fault;
use crate::fields::Place;
use crate::holdings::{Holdings, Scope};
use crate::line::Debit;
use crate::lines::Lines;
use crate::lot::State;
use hours::Hours;

pub use crate::holdings::Settings;
pub use forecast::Leftover;

/// The past that is looked at, in days.
pub const HISTORY_DAYS: u32 = 90;

/// The least amount of a recharge, in whole units.
const AMOUNT_MIN: i128 = 50;
/// Recharges are recommended in steps of this many units.
const AMOUNT_STEP: i128 = 10;

/// What the recommendation shall keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// How long a recharge takes to land.
    pub lead_time_hours: u32,
    /// In how many of a million windows the trigger may be too low.
    pub risk_ppm: u32,
}

/// A chance, as counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance {
    /// Windows in which it happened.
    pub count: u64,
    /// Windows looked at.
    pub windows: u64,
}

/// What to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recommendation {
    /// Buy when the balance is below this whole amount.
    pub trigger: Sum,
    /// How often that would have been too late.
    pub risk: Chance,
    /// Buy so much at once.
    pub recharge: Sum,
}

/// What an organisation should buy, and what it has.
#[derive(Debug)]
pub struct Funding {
    /// Whose.
    pub org: String,
    /// The account's.
    pub currency: Currency,
    /// As of when.
    pub at: Timestamp,
    /// What is spendable, less the overdraft.
    pub balance: Sum,
    /// What was asked for.
    pub wishes: Wishes,
    /// How many hours of usage were looked at.
    pub history_hours: u64,
    /// The usage of all of them.
    pub usage: Sum,
    /// The usage of the dearest window.
    pub largest_window: Sum,
    /// What to buy; nothing where the past is shorter than a window.
    pub recommendation: Option<Recommendation>,
    /// How it recharges now, and how often its trigger would have been too low.
    pub current: Option<(Settings, Option<Chance>)>,
    /// The lots that will expire unspent, if usage goes on as it did.
    pub leftovers: Vec<Leftover>,
}

impl Chance {
    /// Per mille, to one decimal, half up; `None` where nothing was looked at.
    pub fn per_mille(self) -> Option<String> {
        let (count, windows) = (u128::from(self.count), u128::from(self.windows));
        let tenths = (count * 10_000 + windows / 2).checked_div(windows)?;
        Some(format!("{}.{}", tenths / 10, tenths % 10))
    }
}

impl Funding {
    /// Reads all events, then all debits, of `org`: as of `at`, or of the last of them.
    ///
    /// # Errors
    /// What reading meets, an organisation of which nothing is there, and lots that hold less than nothing.
    pub fn of(
        org: &str,
        at: Option<Timestamp>,
        wishes: Wishes,
        mut events: impl Lines,
        mut debits: impl Lines,
    ) -> Result<Self, Fault> {
        let scope = Scope { org: Some(org), until: at };
        let (mut holdings, mut hours) = (Holdings::default(), Hours::new(HISTORY_DAYS * 24));
        holdings.read_events(&mut events, scope)?;
        holdings.read_debits(&mut debits, scope, |debit, booked, place| {
            hours.add(booked, usage_of(debit, place)?);
            Ok(())
        })?;
        let found = holdings.orgs.get(org).and_then(|holding| Some((holding, holding.currency?)));
        let Some((holding, currency)) = found else {
            return Err(Fault::UnknownOrg { name: events.name().to_owned(), org: org.to_owned() });
        };
        let at = at.or(holdings.last).unwrap_or(holding.opened);
        let past = hours.until(at, holding.opened);
        let windows = past.windows(wishes.lead_time_hours);
        let lots = holding.lots();
        let active = lots.iter().filter(|lot| lot.state == State::Active && lot.expires > at);
        Ok(Funding {
            org: org.to_owned(),
            currency,
            at,
            balance: active.map(|lot| Sum::from(lot.remaining)).sum::<Sum>().minus(holding.overdraft),
            wishes,
            history_hours: past.count(),
            usage: past.usage(),
            largest_window: windows.largest(),
            recommendation: windows.trigger(wishes.risk_ppm).map(|trigger| Recommendation {
                trigger,
                risk: windows.above(trigger),
                recharge: recharge_for(past.usage(), past.count()),
            }),
            current: holding.settings.map(|settings| {
                let is_known = !windows.is_empty();
                (settings, is_known.then(|| windows.above(settings.trigger.into())))
            }),
            leftovers: forecast::leftovers(&lots, at, past.usage(), past.count()),
        })
    }
}

/// What a call cost the account, whoever was to pay.
fn usage_of(debit: &Debit<'_>, place: Place<'_>) -> Result<Sum, Fault> {
    let mut usage = Sum::ZERO;
    for (index, line) in debit.funding.iter().enumerate() {
        if !matches!(&*line.kind, "pool" | "unlicensed") {
            usage += place.amount("funding", index, "amount", line.amount.as_ref())?;
        }
    }
    Ok(usage)
}

/// The usage of 30 days, in whole steps.
fn recharge_for(usage: Sum, hours: u64) -> Sum {
    const STEP: i128 = AMOUNT_STEP * 1_000_000;
    let month = (usage.micros().max(0) * 720).div_ceil_by(i128::from(hours.max(1)));
    Sum::from_micros((month.div_ceil_by(STEP) * STEP).max(AMOUNT_MIN * 1_000_000))
}

/// Rounding up, of what is not negative.
trait DivCeil {
    fn div_ceil_by(self, by: Self) -> Self;
}

impl DivCeil for i128 {
    fn div_ceil_by(self, by: i128) -> i128 {
        self / by + i128::from(self % by > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(units: i128) -> Sum {
        Sum::from_micros(units * 1_000_000)
    }

    #[test]
    fn a_recharge_is_a_month_in_whole_tens() {
        for (usage, hours, recharge) in [
            (0, 720, 50),
            (50, 720, 50),
            (51, 720, 60),
            (100, 360, 200),
            (30, 2_160, 50),
            (301, 2_160, 110),
            (-5, 720, 50),
        ] {
            assert_eq!(recharge_for(units(usage), hours), units(recharge), "{usage} in {hours} h");
        }
        assert_eq!(recharge_for(Sum::from_micros(60_000_001), 720), units(70));
    }

    #[test]
    fn a_chance_is_a_fraction() {
        for (count, windows, text) in
            [(0, 10, "0.0"), (1, 1_000, "1.0"), (1, 3, "333.3"), (2, 3, "666.7"), (7, 7, "1000.0")]
        {
            assert_eq!(Chance { count, windows }.per_mille().as_deref(), Some(text));
        }
        assert_eq!(Chance { count: 0, windows: 0 }.per_mille(), None);
    }
}
