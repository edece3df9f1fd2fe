//! Random commands: which one, and those that do not bring money.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{GHOST, World};
use crate::model::time;

const PLANS: [&str; 2] = ["lean", "full"];

impl World {
    pub fn make_command(&mut self, org: &str, at: Timestamp) -> Value {
        if org == GHOST {
            return if self.rng.chance(50) { self.add_funds(org, at) } else { self.settle(org, at) };
        }
        let is_open = self.account(org).is_some();
        if !is_open && self.rng.chance(80) {
            return self.open(org, at);
        }
        if self.account(org).is_some_and(|account| account.recharge.outstanding().is_some()) && self.rng.chance(60) {
            return self.settle(org, at);
        }
        let licences = if self.options.credits { 320 } else { 0 };
        match self.rng.weighted(&[230, 90, 40, 110, 45, 55, 45, 3, 130, 40, 8, licences]) {
            0 => self.add_funds(org, at),
            1 => self.configure(org, at),
            2 => self.settle(org, at),
            3 => self.adjust(org, at),
            4 => self.refund_lot(org, at),
            5 => self.set_rate_plan(org, at),
            6 => self.set_mode(org, at),
            7 if self.may_close() => self.command(org, at, "closeAccount", json!({})),
            8 => self.refused(org, at),
            9 => self.repeated_command(org, at),
            11 => self.licence(org, at),
            _ => self.undecodable(org, at),
        }
    }

    pub fn command(&mut self, org: &str, at: Timestamp, kind: &str, mut fields: Value) -> Value {
        let number = self.fresh();
        fields["commandId"] = json!(format!("cmd-{number}"));
        fields["orgId"] = json!(org);
        fields["at"] = json!(at.to_string());
        fields["type"] = json!(kind);
        if self.rng.chance(50) {
            fields["schemaVersion"] = json!(1);
        }
        fields
    }

    pub fn open(&mut self, org: &str, at: Timestamp) -> Value {
        // Whether a refused opening is an event or a reject is not written anywhere.
        let is_wrong = self.options.grey && self.rng.chance(10);
        let plan = if is_wrong { self.rng.pick(&["nowhere", "euro"]) } else { self.rng.pick(&PLANS) };
        let mut fields = json!({ "currency": "USD", "ratePlan": plan, "country": self.rng.pick(&["DE", "US", "GB"]) });
        if self.rng.chance(80) {
            fields["mode"] = json!(if self.rng.chance(90) { "prepaid" } else { "postUsage" });
        }
        if self.rng.chance(40) {
            fields["strict"] = json!(self.rng.chance(50));
        }
        match self.rng.below(20) {
            0..3 if self.options.credits => {}
            3..10 if self.options.credits => fields["licensing"] = json!("required"),
            _ => fields["licensing"] = json!("none"),
        }
        self.command(org, at, "openAccount", fields)
    }

    fn set_rate_plan(&mut self, org: &str, at: Timestamp) -> Value {
        let plan = if self.rng.chance(5) { "inbound-only" } else { self.rng.pick(&PLANS) };
        self.command(org, at, "setRatePlan", json!({ "ratePlan": plan }))
    }

    fn set_mode(&mut self, org: &str, at: Timestamp) -> Value {
        let mode = if self.rng.chance(65) { "prepaid" } else { "postUsage" };
        self.command(org, at, "setMode", json!({ "mode": mode }))
    }

    fn refund_lot(&mut self, org: &str, at: Timestamp) -> Value {
        let lots: Vec<String> = self
            .account(org)
            .map(|account| account.lots.iter().map(|lot| lot.id.clone()).collect())
            .unwrap_or_default();
        let lot = if lots.is_empty() || self.rng.chance(5) { "nobody's".to_owned() } else { self.rng.pick(&lots) };
        self.command(org, at, "refundLot", json!({ "lotId": lot, "reason": "asked for" }))
    }

    fn configure(&mut self, org: &str, at: Timestamp) -> Value {
        let amount = self.rng.pick(&[50, 50, 51, 60, 75, 100, 200]);
        let trigger = self.rng.pick(&[0, 1, 5, 10, 20, 49, 50, 60, 100, 300]);
        let mut fields = json!({
            "enabled": self.rng.chance(85), "rechargeAmount": amount.to_string(),
            "triggerAmount": trigger.to_string(), "paymentMethod": self.payment_method(),
        });
        if self.rng.chance(65) {
            let cap = amount * self.rng.between(1, 4) + self.rng.pick(&[0, 0, 1, 49]);
            fields["monthlyCap"] = json!(cap.to_string());
        }
        self.command(org, at, "configureAutoRecharge", fields)
    }

    pub fn payment_method(&mut self) -> Value {
        match self.rng.below(3) {
            0 => json!({ "card": "tok_1" }),
            1 => json!({ "agreement": "EA-7" }),
            _ => json!({ "agreement": "EA-7", "purchaseOrder": "PO-12" }),
        }
    }

    fn settle(&mut self, org: &str, at: Timestamp) -> Value {
        let recharge = self.recharge_to_settle(org);
        let outcomes = ["succeeded", "succeeded", "succeeded", "failed", "failed", "failed", "declined"];
        let outcome = self.rng.pick(&outcomes);
        let processed = match self.rng.below(5) {
            0 => at - time::minutes(self.rng.between(1, 60)),
            1 => at - time::days(self.rng.between(1, 40)),
            2 => self.odd_payment_time(org, at),
            _ => at,
        };
        let mut fields = json!({ "rechargeId": recharge, "outcome": outcome, "processedAt": processed.to_string() });
        if outcome != "succeeded" && self.rng.chance(50) {
            fields["reason"] = json!("insufficient funds");
        }
        if self.options.credits && self.rng.chance(30) {
            fields["amount"] = json!(self.paid_amount(org, &recharge));
        }
        self.command(org, at, "settleRecharge", fields)
    }

    /// Mostly what was asked for, in one of its spellings.
    fn paid_amount(&mut self, org: &str, recharge: &str) -> String {
        let requests = self.account(org).map(|account| account.recharge.requests.as_slice()).unwrap_or_default();
        let asked_for = requests.iter().find(|request| request.id == recharge).map(|request| request.amount);
        let asked_for = asked_for.map_or("50".to_owned(), |amount| amount.normalize().to_string());
        match self.rng.below(8) {
            0 => format!("{asked_for}.01"),
            1 => self.rng.pick(&["0", "50", "49.999999"]).to_owned(),
            2 => format!("{asked_for}.00"),
            _ => asked_for,
        }
    }

    /// As far ahead as is believed, and as long ago as makes a lot that still lives; or the finest step beyond.
    fn odd_payment_time(&mut self, org: &str, at: Timestamp) -> Timestamp {
        let clock = self.clock(org, at);
        let edge = if self.rng.chance(50) { clock + time::minutes(5) } else { clock - time::days(365) };
        self.beside(edge)
    }

    /// Mostly the outstanding one; else any old one: settled twice, or successful after its failure.
    fn recharge_to_settle(&mut self, org: &str) -> String {
        let Some(account) = self.account(org) else { return format!("{org}/1") };
        let outstanding = account.recharge.outstanding().map(|request| request.id.clone());
        let made: Vec<String> = account.recharge.requests.iter().map(|request| request.id.clone()).collect();
        if self.rng.chance(3) {
            return self.rng.pick(&[format!("{org}/0"), format!("{org}/9999"), "acme/1x".to_owned()]);
        }
        match outstanding {
            Some(id) if self.rng.chance(90) => id,
            _ if made.is_empty() => format!("{org}/{}", made.len() + 1),
            _ => self.rng.pick(&made),
        }
    }

    fn repeated_command(&mut self, org: &str, at: Timestamp) -> Value {
        let of_org = self.commands.iter().enumerate().filter(|(_, command)| command["orgId"] == org);
        let of_org: Vec<usize> = of_org.map(|(index, _)| index).collect();
        if of_org.is_empty() {
            return self.open(org, at);
        }
        let mut command = self.commands[self.rng.pick(&of_org)].clone();
        command["at"] = json!(at.to_string());
        command
    }
}
