//! Random commands that bring money or take it back.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::timeline::TICK;
use super::world::World;
use crate::model::{Account, Lot, money, time};

impl World {
    pub fn add_funds(&mut self, org: &str, at: Timestamp) -> Value {
        let clock = self.clock(org, at);
        let purchased = self.purchase_time(org, clock);
        let number = self.fresh();
        let mut fields = json!({
            "lotId": format!("L{number}"), "amount": self.fitting_amount(org),
            "purchasedAt": purchased.to_string(),
        });
        let default_expiry = time::twelve_months_after(purchased);
        if default_expiry <= clock || self.rng.chance(45) {
            fields["expiresAt"] = json!(self.expiry(org, clock).max(purchased + TICK).to_string());
        }
        if self.rng.chance(30) {
            fields["reference"] = json!("invoice 4711");
        }
        if self.rng.chance(20) {
            fields["currency"] = json!("USD");
        }
        self.command(org, at, "addFunds", fields)
    }

    pub fn adjust(&mut self, org: &str, at: Timestamp) -> Value {
        let balance = self.account(org).map(Account::balance).unwrap_or_default();
        let amount = match self.rng.below(10) {
            0..4 => self.fitting_amount(org),
            4 | 5 if balance > Decimal::ZERO => money::print(-balance),
            6 if balance >= Decimal::ZERO => money::print(-balance - Decimal::new(1, 6)),
            7 if balance > Decimal::ONE => money::print(Decimal::ONE - balance),
            _ => format!("-{}", self.fitting_amount(org)),
        };
        self.command(org, at, "adjust", json!({ "amount": amount, "reason": "goodwill" }))
    }

    /// An amount above 0: a random one, or just what settles an overdraft, or reaches a trigger to the last decimal.
    fn fitting_amount(&mut self, org: &str) -> String {
        let (overdraft, missing) = self.account(org).map_or((Decimal::ZERO, Decimal::ZERO), |account| {
            let trigger = account.recharge.settings.as_ref().map(|settings| settings.trigger).unwrap_or_default();
            (account.overdraft, trigger - account.balance())
        });
        match self.rng.below(8) {
            0 if overdraft > Decimal::ZERO => money::print(overdraft),
            1 if missing > Decimal::ZERO => money::print(missing),
            2 if missing > Decimal::new(1, 6) => money::print(missing - Decimal::new(1, 6)),
            3 => money::print(Decimal::new(self.rng.between(1, 99_999_999), 6)),
            4 => money::print(Decimal::new(self.rng.between(1, 9_999), 2)),
            5 => "0.000001".to_owned(),
            _ => self.rng.between(1, 120).to_string(),
        }
    }

    /// Now, earlier, nearly twelve months ago, together with another lot, or as far ahead as is accepted (L2).
    fn purchase_time(&mut self, org: &str, clock: Timestamp) -> Timestamp {
        match self.rng.below(10) {
            0..4 => clock,
            4 | 5 => clock - SignedDuration::from_secs(self.rng.between(1, 300 * 86_400)),
            6 => clock - time::days(365) + SignedDuration::from_secs(self.rng.between(1, 4 * 86_400)),
            7 => clock + time::minutes(5),
            8 => clock + SignedDuration::from_secs(self.rng.between(0, 299)),
            _ => self.some_lot(org).map_or(clock, |lot| lot.purchased.min(clock)),
        }
    }

    /// Later than `clock`: soon, at a month's end, or at the instant at which another lot expires or is forfeited.
    fn expiry(&mut self, org: &str, clock: Timestamp) -> Timestamp {
        let wish = match self.rng.below(12) {
            0 => clock + TICK,
            1 => clock + SignedDuration::from_secs(1),
            2 => clock + time::minutes(self.rng.between(1, 60)),
            3 => clock + time::hours(self.rng.between(1, 48)),
            4 => time::next_month_start(clock),
            5 => time::twelve_months_after(clock) + time::days(100),
            6 | 7 => self.some_lot(org).map_or(clock, |lot| lot.expires),
            8 => self.some_lot(org).map_or(clock, |lot| lot.forfeits()),
            9 => self.account(org).and_then(Account::next_due_at).unwrap_or(clock),
            _ => clock + time::days(self.rng.between(1, 30)),
        };
        if wish > clock { wish } else { clock + time::days(2) }
    }

    pub fn some_lot(&mut self, org: &str) -> Option<Lot> {
        let count = self.account(org).map_or(0, |account| account.lots.len());
        if count == 0 {
            return None;
        }
        let index = self.rng.below(count);
        self.account(org).map(|account| account.lots[index].clone())
    }
}
