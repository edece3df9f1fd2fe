//! What readers see: the accounts as they were last committed, and the sums over them. Who keeps them is not known here.

use std::time::Duration;

use drawdown_ledger::account::Account;
use drawdown_ledger::command::Mode;
use drawdown_ledger::lots::State;
use drawdown_units::{Currency, Money, Timestamp};

/// How far ahead expiring money is counted.
const EXPIRING_DAYS: i64 = 30;

/// Committed accounts, for reading.
pub trait Views: Send + Sync + 'static {
    /// The state of an organisation, as the line on the wire; `None` if there is none here.
    fn account(&self, org: &str) -> Option<Vec<u8>>;

    /// The state of a user of an organisation, as the line on the wire.
    fn user(&self, org: &str, user: &str) -> Option<Vec<u8>>;

    /// The first organisations after `after` in the order of their names, `limit` at most.
    fn list(&self, after: &str, limit: usize) -> Vec<String>;

    /// The sums over all accounts.
    fn totals(&self, now: Timestamp) -> Totals;

    /// All of them together, in bytes.
    fn size_bytes(&self) -> usize;

    /// How long ago all this was brought up to date.
    fn staleness(&self) -> Duration;
}

/// The figures of one account that are summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    currency: Currency,
    balance: Money,
    overdraft: Money,
    post_usage: Money,
    forfeited: Money,
    is_exhausted: bool,
    recharge_requested: Option<Timestamp>,
    /// What each lot still holds, and when that expires.
    expiries: Box<[(Timestamp, Money)]>,
}

impl Figures {
    /// Those of `account`.
    pub fn of(account: &Account) -> Self {
        let head = account.head();
        let active =
            account.lots().all().iter().filter(|lot| lot.state == State::Active && lot.remaining.is_positive());
        let had_money = head.purchased.is_positive() || head.adjusted.is_positive();
        let is_prepaid = account.mode() == Mode::Prepaid && !account.is_closed();
        Figures {
            currency: account.currency(),
            balance: head.lots.spendable,
            overdraft: head.overdraft,
            post_usage: head.post_usage,
            forfeited: head.forfeited,
            is_exhausted: is_prepaid && had_money && !account.balance().is_positive(),
            recharge_requested: account.recharge().and_then(|recharge| Some(recharge.outstanding?.requested)),
            expiries: active.map(|lot| (lot.expires, lot.remaining)).collect(),
        }
    }
}

/// Sums over accounts. Money of two currencies is never added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// For each currency.
    pub money: Vec<(Currency, Sums)>,
    /// Open prepaid accounts that had money and have none left.
    pub exhausted: u64,
    /// Recharges without a final answer.
    pub recharges_outstanding: u64,
    /// When the oldest of them was asked for.
    pub recharge_oldest: Option<Timestamp>,
}

/// Money of one currency, in millionths: sums over accounts may leave 64 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Can be spent.
    pub balance: i128,
    /// Owed until the next money.
    pub overdraft: i128,
    /// Accrued for invoices.
    pub post_usage: i128,
    /// Part of the balance that expires soon.
    pub expiring: i128,
    /// Expired unspent.
    pub forfeited: i128,
}

impl Totals {
    /// Adds one account, as it is at `now`.
    pub fn add(&mut self, figures: &Figures, now: Timestamp) {
        let horizon = now.plus_seconds(EXPIRING_DAYS * 86_400);
        let expiring = figures.expiries.iter().filter(|(expires, _)| *expires <= horizon);
        let place = self.money.iter().position(|(held, _)| *held == figures.currency).unwrap_or_else(|| {
            self.money.push((figures.currency, Sums::default()));
            self.money.len() - 1
        });
        let sums = &mut self.money[place].1;
        sums.balance += i128::from(figures.balance.micros());
        sums.overdraft += i128::from(figures.overdraft.micros());
        sums.post_usage += i128::from(figures.post_usage.micros());
        sums.forfeited += i128::from(figures.forfeited.micros());
        sums.expiring += expiring.map(|(_, amount)| i128::from(amount.micros())).sum::<i128>();
        self.exhausted += u64::from(figures.is_exhausted);
        if let Some(requested) = figures.recharge_requested {
            self.recharges_outstanding += 1;
            self.recharge_oldest = Some(self.recharge_oldest.map_or(requested, |oldest| oldest.min(requested)));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
