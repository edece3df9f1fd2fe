//! A bookkeeper that sees only debits and events, and rebuilds every sum from them.

#![allow(clippy::arithmetic_side_effects, reason = "an overflow panics, as it should in a test")]

use drawdown_units::Money;

use crate::account::Account;
use crate::effects::{Effects, Event, FundingLine, FundingSource};
use crate::lots::State;

/// Rebuilds every sum from debits and events alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Books {
    seq: u64,
    purchased: i64,
    adjusted: i64,
    spent: i64,
    forfeited: i64,
    refunded: i64,
    overdraft: i64,
    overdrawn: i64,
    post_usage: i64,
    uncollected: i64,
    unlicensed: i64,
    balance: i64,
}

impl Books {
    pub(super) fn enter(&mut self, account: &Account, effects: &Effects) {
        let mut by_seq: Vec<(u64, i64, Option<&Event>)> =
            effects.occurrences.iter().map(|it| (it.seq, it.balance_after.micros(), Some(&it.event))).collect();
        by_seq.extend(effects.debit.iter().map(|it| (it.seq, it.balance_after.micros(), None)));
        by_seq.sort_by_key(|(seq, ..)| *seq);
        for (seq, balance_after, event) in by_seq {
            assert_eq!(seq, self.seq + 1, "numbers have no gaps");
            self.seq = seq;
            match event {
                Some(event) => self.enter_event(event),
                None => self.enter_debit(account, &effects.funding),
            }
            assert_eq!(balance_after, self.balance, "the balance after {event:?} {:?}", effects.funding);
        }
    }

    fn enter_debit(&mut self, account: &Account, funding: &[FundingLine]) {
        for FundingLine { source, amount, before, after } in funding {
            assert!(amount.is_positive() && !before.is_negative() && !after.is_negative(), "{funding:?}");
            let amount = amount.micros();
            match source {
                FundingSource::Lot(index) => {
                    self.spent += amount;
                    let expired = account.lots().all()[*index as usize].state != State::Active;
                    self.balance -= if expired { 0 } else { amount };
                }
                FundingSource::Overdraft => {
                    self.overdrawn += amount;
                    self.overdraft += amount;
                    self.balance -= amount;
                }
                FundingSource::PostUsage => self.post_usage += amount,
                FundingSource::Uncollected => self.uncollected += amount,
                FundingSource::Unlicensed => self.unlicensed += amount,
            }
        }
    }

    fn enter_event(&mut self, event: &Event) {
        match event {
            Event::FundsAdded { amount, .. } | Event::RechargeSucceeded { amount, .. } => {
                self.purchased += amount.micros();
                self.balance += amount.micros();
            }
            Event::AdjustedUp { amount, .. } | Event::AdjustedDown { amount, .. } => {
                self.adjusted += amount.micros();
                self.balance += amount.micros();
            }
            Event::OverdraftSettled { amount, overdraft, .. } => {
                self.spent += amount.micros();
                self.overdraft -= amount.micros();
                assert_eq!(overdraft.micros(), self.overdraft);
            }
            Event::LotExpired { amount, .. } => self.balance -= amount.micros(),
            Event::LotForfeited { amount, .. } => self.forfeited += amount.micros(),
            Event::LotRefunded { amount, .. } => {
                self.refunded += amount.micros();
                self.balance -= amount.micros();
            }
            // The line of the reversing debit told of it; here is the lot.
            Event::FundsReturned { amount, .. } => self.balance += amount.micros(),
            Event::AccountOpened { .. }
            | Event::LicenceAssigned { .. }
            | Event::LicenceRemoved { .. }
            | Event::LotExpiring { .. }
            | Event::PoolThresholdReached { .. }
            | Event::PostUsageStatement { .. }
            | Event::BalanceExhausted
            | Event::AutoRechargeConfigured { .. }
            | Event::RechargeRequested { .. }
            | Event::InvoiceIssued { .. }
            | Event::RechargeAttemptFailed { .. }
            | Event::RechargeFailed { .. }
            | Event::RechargeCapReached { .. }
            | Event::RatePlanSet { .. }
            | Event::ModeSet { .. }
            | Event::AccountClosed { .. }
            | Event::CommandRefused { .. } => {}
        }
    }

    /// The account's figures agree with the books, and money is conserved by them.
    pub(super) fn close(&self, account: &Account) {
        let head = account.head();
        let of_account = Books {
            seq: head.seq,
            purchased: head.purchased.micros(),
            adjusted: head.adjusted.micros(),
            spent: head.spent.micros(),
            forfeited: head.forfeited.micros(),
            refunded: head.refunded.micros(),
            overdraft: head.overdraft.micros(),
            overdrawn: head.overdrawn.micros(),
            post_usage: head.post_usage.micros(),
            uncollected: head.uncollected.micros(),
            unlicensed: head.unlicensed.micros(),
            balance: account.balance().micros(),
        };
        assert_eq!(*self, of_account);
        let (remaining, spendable) = account.lots().audit();
        let totals = account.lots().totals();
        assert_eq!((remaining, spendable), (totals.remaining, totals.spendable));
        assert_eq!(self.balance, spendable.micros() - self.overdraft);
        let gone = self.spent + self.forfeited + self.refunded;
        assert_eq!(self.purchased + self.adjusted, gone + remaining.micros(), "money is conserved");
        let paid_by_others = self.overdrawn + self.post_usage + self.uncollected + self.unlicensed;
        assert_eq!(head.charged.micros(), head.drawn.micros() + paid_by_others, "every charge has a payer");
        for figure in [self.purchased, self.adjusted, gone, remaining.micros(), head.charged.micros(), self.balance] {
            assert!(figure.abs() <= Money::LIMIT.micros(), "no figure leaves the range of money: {self:?}");
        }
    }
}
