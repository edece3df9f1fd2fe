//! One organisation: its money, its clock, its numbered outputs.
//!
//! Invariant, checked after every input: purchased + adjusted = spent + forfeited + refunded + remaining.

mod commands;
mod debit;
mod dues;
mod pools;
mod recharge;
mod reversal;
mod view;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::command::{Licensing, Mode};
use super::licences::Licences;
use super::money;
use super::time;
pub use debit::Debit;
pub use pools::{Draw, Pools};
pub use recharge::Recharge;

/// What has become of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LotState {
    Active,
    /// Out of the balance, still there for late records of calls made in time.
    Expired,
    Forfeited,
    Refunded,
}

#[derive(Clone, Debug)]
pub struct Lot {
    pub id: String,
    pub purchased: Timestamp,
    pub expires: Timestamp,
    pub remaining: Decimal,
    pub state: LotState,
}

impl Lot {
    pub fn forfeits(&self) -> Timestamp {
        self.expires + time::hours(48)
    }

    /// When its end is announced, while there is something to lose.
    pub fn notice(&self) -> Option<Timestamp> {
        let may_lose = self.state == LotState::Active && self.remaining > Decimal::ZERO;
        may_lose.then(|| self.expires - time::days(30))
    }
}

/// Who made an event happen.
#[derive(Clone, Debug)]
enum Cause {
    Time,
    Command(String),
    Call { debit_seq: u64 },
}

#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub purchased: Decimal,
    pub adjusted: Decimal,
    /// Lot lines of debits and settlements of overdraft (L14).
    pub spent: Decimal,
    pub forfeited: Decimal,
    pub refunded: Decimal,
    pub post_usage: Decimal,
    pub uncollected: Decimal,
    /// Of calls whose users may not draw credits.
    pub unlicensed: Decimal,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub org: String,
    pub currency: String,
    pub mode: Mode,
    pub strict: bool,
    pub closed: bool,
    pub licensing: Licensing,
    pub licences: Licences,
    pub pools: Pools,
    /// (from, plan) in the order they were set.
    plans: Vec<(Timestamp, String)>,
    /// In the order they are spent: purchase, then id bytewise.
    pub lots: Vec<Lot>,
    pub overdraft: Decimal,
    pub totals: Totals,
    pub recharge: Recharge,
    invoices: u64,
    /// Post-usage charges that statements have told of.
    stated: Decimal,
    /// The month start that tells of the rest.
    statement_due: Option<Timestamp>,
    /// The greatest timestamp seen (T2).
    pub clock: Timestamp,
    /// The instant outputs carry: the clock, or the instant of the due that is being run.
    at: Timestamp,
    cause: Cause,
    seq: u64,
    log: Vec<Value>,
}

impl Account {
    /// Everything said since the last call.
    pub fn take_log(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.log)
    }

    /// Remaining of unexpired lots less overdraft (L1).
    pub fn balance(&self) -> Decimal {
        self.active().map(|lot| lot.remaining).sum::<Decimal>() - self.overdraft
    }

    /// The plan a call is priced by: the last one set at or before its start, else the first (C6).
    pub fn plan_at(&self, start: Timestamp) -> &str {
        let mut set = self.plans.iter().filter(|(from, _)| *from <= start);
        let (_, plan) = set.next_back().unwrap_or(&self.plans[0]);
        plan
    }

    /// The instants at which plans changed.
    pub fn plan_changes(&self) -> impl Iterator<Item = Timestamp> {
        self.plans.iter().map(|(from, _)| *from)
    }

    fn active(&self) -> impl Iterator<Item = &Lot> {
        self.lots.iter().filter(|lot| lot.state == LotState::Active)
    }

    /// Runs one input: `change`, then the look at exhausted and at the trigger.
    fn input(&mut self, cause: Cause, change: impl FnOnce(&mut Self)) {
        let before = self.balance();
        self.cause = cause;
        change(self);
        if before > Decimal::ZERO && self.balance() <= Decimal::ZERO {
            self.emit("BalanceExhausted", json!({}));
        }
        self.look_at_trigger();
        self.expect_statement();
        self.assert_conserved();
    }

    /// While there is something to state, the first month start since there is.
    fn expect_statement(&mut self) {
        let is_open = self.totals.post_usage != self.stated;
        let next = self.statement_due.unwrap_or_else(|| time::next_month_start(self.at));
        self.statement_due = is_open.then_some(next);
    }

    /// A lot enters: it re-arms recharging (R7) and settles overdraft unless the account is closed.
    fn insert_lot(&mut self, lot: Lot) {
        let place = |other: &Lot| (other.purchased, other.id.as_bytes()) < (lot.purchased, lot.id.as_bytes());
        let index = self.lots.iter().take_while(|other| place(other)).count();
        self.lots.insert(index, lot);
        self.recharge.rearm();
    }

    /// What any money does that came to stay: it settles overdraft (L6). Lots that nobody asks for any more go then.
    fn money_came(&mut self, lot_id: &str) {
        self.settle_overdraft(lot_id);
        self.forget_old_lots();
    }

    /// Empty ones that expired long ago, beyond the reach of any late call.
    fn forget_old_lots(&mut self) {
        let horizon = self.clock - time::days(100);
        let stays = |lot: &Lot| lot.remaining > Decimal::ZERO || lot.state == LotState::Active;
        self.lots.retain(|lot| stays(lot) || lot.expires >= horizon);
    }

    fn settle_overdraft(&mut self, lot_id: &str) {
        let lot = self.lots.iter_mut().find(|lot| lot.id == lot_id).expect("a lot of this account");
        let settled = lot.remaining.min(self.overdraft);
        if settled.is_zero() {
            return;
        }
        lot.remaining -= settled;
        self.overdraft -= settled;
        self.totals.spent += settled;
        let fields = json!({
            "lotId": lot_id, "amount": money::print(settled), "overdraft": money::print(self.overdraft),
        });
        self.emit("OverdraftSettled", fields);
    }

    fn emit(&mut self, kind: &str, mut fields: Value) {
        self.seq += 1;
        fields["type"] = json!(kind);
        fields["orgId"] = json!(self.org);
        fields["seq"] = json!(self.seq);
        fields["at"] = json!(self.at.to_string());
        fields["balanceAfter"] = json!(money::print(self.balance()));
        match &self.cause {
            Cause::Time => {}
            Cause::Command(id) => fields["commandId"] = json!(id),
            Cause::Call { debit_seq } => fields["debitSeq"] = json!(debit_seq),
        }
        self.log.push(fields);
    }

    fn assert_conserved(&self) {
        let remaining: Decimal = self.lots.iter().map(|lot| lot.remaining).sum();
        let totals = &self.totals;
        let gone = totals.spent + totals.forfeited + totals.refunded + remaining;
        assert_eq!(totals.purchased + totals.adjusted, gone, "money is conserved in {}", self.org);
    }
}
