//! Counting what became of the inputs, in number and in money: nothing is dropped without a count.

use drawdown_ledger::effects::{FundingLine, FundingSource};
use drawdown_ledger::reversal::{Funder, ReversedLine};
use drawdown_units::{Currency, Money, Sum};
use drawdown_wire::debit::Pricing;
use drawdown_wire::{Cdr, Reason};

use crate::partition::{CommandOutcome, DebitedCall, Outcome};

/// Sums over a stretch of input. Adding two is adding their fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Usage records that came in: debited + duplicate + rejected.
    pub records: u64,
    /// Records debited, those of nothing included.
    pub debited: u64,
    /// Of these, without a price.
    pub unrated: u64,
    /// Of these, corrections of others.
    pub corrections: u64,
    /// Records dropped as duplicates.
    pub duplicate: u64,
    /// What came with the records and is no call, by a rule of its source profile; not among `records`.
    pub not_a_call: u64,
    /// Records rejected, by [`Reason`].
    pub rejected: [u64; Reason::ALL.len()],
    /// What debits charged and who paid, for each currency: few, and money of two is never added.
    pub money: Vec<(Currency, Charged)>,
    /// What the records claim upstream charged, for each of: debited, duplicate, rejected.
    pub claimed: [Sum; 3],
    /// Commands that came in: applied + refused + duplicate + rejected.
    pub commands: u64,
    /// Commands applied.
    pub commands_applied: u64,
    /// Commands refused by their account.
    pub commands_refused: u64,
    /// Commands dropped as duplicates.
    pub commands_duplicate: u64,
    /// Commands rejected.
    pub commands_rejected: u64,
}

/// Money charged in one currency.
///
/// An account's charges stay below 10^12 units; those of many accounts, and what corrections take back and charge again,
/// may leave 64 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charged {
    /// What debits charged.
    pub amount: Sum,
    /// Who paid.
    pub funded: Funded<Sum>,
    /// What corrections took back of it.
    pub reversed: Sum,
    /// From whom.
    pub reversed_of: Funded<Sum>,
}

impl Charged {
    /// What is left of the charges, and of what each paid.
    pub fn net(&self) -> (Sum, Funded<Sum>) {
        let (of, back) = (&self.funded, &self.reversed_of);
        let funded = Funded {
            lots: of.lots.minus(back.lots),
            overdraft: of.overdraft.minus(back.overdraft),
            post_usage: of.post_usage.minus(back.post_usage),
            uncollected: of.uncollected.minus(back.uncollected),
            unlicensed: of.unlicensed.minus(back.unlicensed),
        };
        (self.amount.minus(self.reversed), funded)
    }

    fn debit(&mut self, debited: &DebitedCall<'_>) {
        self.amount += debited.amount;
        self.funded.add(&debited.funded);
        if let Some((reversed, reversed_of)) = &debited.reversed {
            self.reversed += *reversed;
            self.reversed_of.add(reversed_of);
        }
    }

    fn add(&mut self, other: &Charged) {
        self.amount += other.amount;
        self.funded.add(&other.funded);
        self.reversed += other.reversed;
        self.reversed_of.add(&other.reversed_of);
    }
}

/// Money by funder: that of one debit, or a [`Sum`] of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Funded<M = Money> {
    /// Drawn from lots.
    pub lots: M,
    /// Became overdraft.
    pub overdraft: M,
    /// Accrued as post-usage charges.
    pub post_usage: M,
    /// Uncollected.
    pub uncollected: M,
    /// Charged to users who may not draw credits: funded by nobody.
    pub unlicensed: M,
}

impl Funded {
    /// The sums of one debit's lines.
    #[inline]
    pub fn of(lines: &[FundingLine]) -> Self {
        let mut funded = Self::default();
        for line in lines {
            let sum = match line.source {
                FundingSource::Lot(_) => &mut funded.lots,
                FundingSource::Overdraft => &mut funded.overdraft,
                FundingSource::PostUsage => &mut funded.post_usage,
                FundingSource::Uncollected => &mut funded.uncollected,
                FundingSource::Unlicensed => &mut funded.unlicensed,
            };
            *sum = sum.plus(line.amount);
        }
        funded
    }

    /// The sums of what a reversal took back.
    pub fn of_reversal(lines: &[ReversedLine]) -> Self {
        let mut funded = Self::default();
        for line in lines {
            let sum = match line.funder {
                Funder::Lot(_) => &mut funded.lots,
                Funder::Overdraft => &mut funded.overdraft,
                Funder::PostUsage => &mut funded.post_usage,
                Funder::Uncollected => &mut funded.uncollected,
                Funder::Unlicensed => &mut funded.unlicensed,
            };
            *sum = sum.minus(line.amount);
        }
        funded
    }
}

impl Funded<Sum> {
    /// Adds the money of others.
    pub fn add<M: Copy + Into<Sum>>(&mut self, other: &Funded<M>) {
        self.lots += other.lots;
        self.overdraft += other.overdraft;
        self.post_usage += other.post_usage;
        self.uncollected += other.uncollected;
        self.unlicensed += other.unlicensed;
    }
}

impl Tally {
    /// Counts a record that was decoded.
    #[inline]
    pub fn record(&mut self, cdr: &Cdr<'_>, outcome: &Outcome<'_>) {
        let kind = match outcome {
            Outcome::Debited(debited) => {
                self.records += 1;
                self.debited += 1;
                self.unrated += u64::from(debited.unrated().is_some());
                self.corrections += u64::from(debited.reversed.is_some());
                if debited.reversed.is_some() || matches!(debited.pricing, Some(Pricing::Charged(..))) {
                    self.charged(debited.currency).debit(debited);
                }
                0
            }
            Outcome::Duplicate => {
                self.records += 1;
                self.duplicate += 1;
                1
            }
            Outcome::Rejected(rejection) => {
                self.undecodable(rejection.reason);
                2
            }
        };
        if let Some(claim) = cdr.text.upstream_charge.as_deref().and_then(|text| Money::parse(text).ok()) {
            self.claimed[kind] += claim;
        }
    }

    /// Counts a record that was rejected before there was anything to read in it.
    pub fn undecodable(&mut self, reason: Reason) {
        self.records += 1;
        self.rejected[reason as usize] += 1;
    }

    #[inline]
    fn charged(&mut self, currency: Currency) -> &mut Charged {
        let place = self.money.iter().position(|(held, _)| *held == currency).unwrap_or_else(|| {
            self.money.push((currency, Charged::default()));
            self.money.len() - 1
        });
        &mut self.money[place].1
    }

    /// Counts a command.
    pub fn command(&mut self, outcome: &CommandOutcome) {
        self.commands += 1;
        *match outcome {
            CommandOutcome::Applied => &mut self.commands_applied,
            CommandOutcome::Refused => &mut self.commands_refused,
            CommandOutcome::Duplicate => &mut self.commands_duplicate,
            CommandOutcome::Rejected(_) => &mut self.commands_rejected,
        } += 1;
    }

    /// All rejected records together.
    pub fn rejected_count(&self) -> u64 {
        self.rejected.iter().sum()
    }

    /// Adds another stretch.
    pub fn add(&mut self, other: &Tally) {
        self.records += other.records;
        self.debited += other.debited;
        self.unrated += other.unrated;
        self.corrections += other.corrections;
        self.duplicate += other.duplicate;
        self.not_a_call += other.not_a_call;
        for (sum, more) in self.rejected.iter_mut().zip(other.rejected) {
            *sum += more;
        }
        for (currency, more) in &other.money {
            self.charged(*currency).add(more);
        }
        for (sum, more) in self.claimed.iter_mut().zip(other.claimed) {
            *sum += more;
        }
        self.commands += other.commands;
        self.commands_applied += other.commands_applied;
        self.commands_refused += other.commands_refused;
        self.commands_duplicate += other.commands_duplicate;
        self.commands_rejected += other.commands_rejected;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Corrections take back and charge again, as often as they come: gross amounts have no bound.
    #[test]
    fn sums_of_many_debits_leave_64_bits() {
        let funded = Funded { overdraft: Money::LIMIT, ..Funded::default() };
        let debited = DebitedCall {
            pricing: None,
            currency: Currency::parse("USD").unwrap(),
            amount: Money::LIMIT,
            funded,
            reversed: Some((Money::LIMIT, funded)),
        };
        let (mut tally, mut total) = (Tally::default(), Tally::default());
        (0..20).for_each(|_| tally.charged(debited.currency).debit(&debited));
        (0..20).for_each(|_| total.add(&tally));
        let charged = total.money[0].1;
        assert_eq!(charged.amount.to_string(), "400000000000000.00");
        assert_eq!(charged.reversed_of.overdraft, charged.amount);
        let (amount, funded) = charged.net();
        assert!(amount.is_zero());
        assert_eq!(funded, Funded::default());
    }
}
