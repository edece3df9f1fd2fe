//! Commands that are to be refused, each for one reason, and those nobody can read.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::timeline::TICK;
use super::world::World;
use crate::model::time;

impl World {
    pub fn refused(&mut self, org: &str, at: Timestamp) -> Value {
        match self.rng.below(if self.options.grey { 6 } else { 5 }) {
            0 => self.refused_account(org, at),
            1 | 2 => self.refused_lot(org, at),
            3 => self.refused_settings(org, at),
            4 => self.refused_settlement(org, at),
            _ => self.refused_perhaps(org, at),
        }
    }

    fn refused_account(&mut self, org: &str, at: Timestamp) -> Value {
        match self.rng.below(5) {
            0 if self.account(org).is_some() => self.open(org, at),
            1 => self.command(org, at, "setRatePlan", json!({ "ratePlan": "nowhere" })),
            2 => self.command(org, at, "setRatePlan", json!({ "ratePlan": "euro" })),
            3 if self.options.credits => self.unreadable_licence(org, at),
            _ => {
                let licence = json!({ "userId": "nobody", "licence": "MCOPSTN1" });
                self.command(org, at, "removeLicence", licence)
            }
        }
    }

    fn unreadable_licence(&mut self, org: &str, at: Timestamp) -> Value {
        let missing = self.rng.pick(&["userId", "licence", "country"]);
        let mut licence = json!({ "userId": "user-0", "licence": "MCOPSTN1", "country": "US" });
        licence.as_object_mut().expect("an object").remove(missing);
        self.command(org, at, "assignLicence", licence)
    }

    fn refused_lot(&mut self, org: &str, at: Timestamp) -> Value {
        let mut command = self.add_funds(org, at);
        let clock = self.clock(org, at);
        match self.rng.below(7) {
            0 => command["amount"] = json!("0"),
            1 => command["amount"] = json!("-5"),
            2 => command["currency"] = json!("EUR"),
            3 => command["purchasedAt"] = json!((clock + time::minutes(5) + TICK).to_string()),
            4 => command["expiresAt"] = json!(clock.to_string()),
            5 => {
                let back = time::days(366) + SignedDuration::from_secs(self.rng.between(0, 90_000));
                command["purchasedAt"] = json!((clock - back).to_string());
                if let Some(fields) = command.as_object_mut() {
                    fields.remove("expiresAt");
                }
            }
            _ => {
                if let Some(lot) = self.some_lot(org) {
                    command["lotId"] = json!(lot.id);
                }
            }
        }
        command
    }

    fn refused_settings(&mut self, org: &str, at: Timestamp) -> Value {
        let (amount, trigger, cap) = self.rng.pick(&[
            ("49", "5", None),
            ("1", "5", None),
            ("50.5", "5", None),
            ("60", "5.01", None),
            ("60", "-1", None),
            ("60", "5", Some("59")),
            ("60", "5", Some("59.99")),
        ]);
        let mut fields = json!({
            "enabled": true, "rechargeAmount": amount, "triggerAmount": trigger,
            "paymentMethod": self.payment_method(),
        });
        if let Some(cap) = cap {
            fields["monthlyCap"] = json!(cap);
        }
        self.command(org, at, "configureAutoRecharge", fields)
    }

    fn refused_settlement(&mut self, org: &str, at: Timestamp) -> Value {
        let made = self.account(org).map_or(0, |account| account.recharge.requests.len());
        let recharge = format!("{org}/{}", made + 1);
        let outcome = self.rng.pick(&["succeeded", "declined", "failed"]);
        let fields = json!({ "rechargeId": recharge, "outcome": outcome, "processedAt": at.to_string() });
        self.command(org, at, "settleRecharge", fields)
    }

    /// On these the rules are silent, or name no reason.
    fn refused_perhaps(&mut self, org: &str, at: Timestamp) -> Value {
        let mut funds = self.add_funds(org, at);
        match self.rng.below(4) {
            0 => funds["amount"] = json!("2000000000000"),
            1 => funds["amount"] = json!("1.0000001"),
            2 => return self.command(org, at, "adjust", json!({ "amount": "0", "reason": "nothing" })),
            _ => return self.command(org, at, "adjust", json!({ "amount": "1.0000001", "reason": "dust" })),
        }
        funds
    }

    pub fn undecodable(&mut self, org: &str, at: Timestamp) -> Value {
        let mut command = self.add_funds(org, at);
        match self.rng.below(4) {
            0 => command["type"] = json!("giveFunds"),
            1 => command["amount"] = json!("a lot"),
            2 => command["purchasedAt"] = json!("yesterday"),
            _ => {
                if let Some(fields) = command.as_object_mut() {
                    fields.remove("lotId");
                }
            }
        }
        command
    }
}
