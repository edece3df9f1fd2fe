//! A correction: the earlier debit is taken back line by line, and the call rated anew (D4–D14).

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::debit::{accrue, amounts};
use super::{Account, Cause, Debit, Lot, LotState};
use crate::model::money::{self, print};
use crate::model::names::flag;
use crate::model::record::Record;
use crate::model::{SOURCE, time};

impl Account {
    /// Books a correction of `original`, the debit as it was put out, as one input: what it brings about is looked at
    /// once, at the end (D10). A void is not rated anew.
    pub fn correct(&mut self, original: &Value, record: &Record, rate: impl FnOnce(&Self) -> Debit) {
        self.input(Cause::Call { debit_seq: self.seq + 1 }, |account| {
            account.reverse(original, record);
            account.settle_from_active_lots();
            if !record.content.void {
                account.cause = Cause::Call { debit_seq: account.seq + 1 };
                let debit = rate(account);
                account.post(debit);
            }
        });
    }

    /// Exactly the amounts of the debit's lines, negative (D8, D13); what has no way back becomes one lot.
    fn reverse(&mut self, original: &Value, record: &Record) {
        let lot_id = self.free_lot_id(record);
        let mut returned = Decimal::ZERO;
        let mut funding = Vec::new();
        for line in original["funding"].as_array().expect("lines") {
            let (mut line, rest) = self.reverse_line(line);
            if rest > Decimal::ZERO {
                line["returnedTo"] = json!(lot_id);
            }
            returned += rest;
            funding.push(line);
        }
        self.write_reversal(original, record, funding);
        if returned > Decimal::ZERO {
            self.return_funds(lot_id, returned, record);
        }
    }

    /// The negative line, and how much of it found no way back to where it came from.
    fn reverse_line(&mut self, line: &Value) -> (Value, Decimal) {
        if line["type"] == "pool" {
            return (self.give_minutes_back(line), Decimal::ZERO);
        }
        let amount = money::parse(line["amount"].as_str().expect("an amount")).expect("a decimal");
        let total = match line["type"].as_str().expect("a type") {
            "lot" => return self.give_back_to_lot(line["lotId"].as_str().expect("a lot"), amount),
            "overdraft" => return self.lower_overdraft(amount),
            "postUsage" => &mut self.totals.post_usage,
            "uncollected" => &mut self.totals.uncollected,
            "unlicensed" => &mut self.totals.unlicensed,
            other => unreachable!("no debit has a line of {other}"),
        };
        (accrue(line["type"].as_str().expect("a type"), total, -amount), Decimal::ZERO)
    }

    /// To the month they came from; what was told stays told (D9).
    fn give_minutes_back(&mut self, line: &Value) -> Value {
        let text = |key: &str| line[key].as_str().expect("text");
        let minutes = -line["minutes"].as_i64().expect("minutes");
        let (before, after) = self.pools.change(text("pool"), text("use"), text("month"), minutes);
        let mut reversed = line.clone();
        reversed["minutes"] = json!(minutes);
        reversed["before"] = json!(before);
        reversed["after"] = json!(after);
        reversed
    }

    /// Into the lot, expired or not, while it is there; not where it is refunded or its grace is over (D6).
    fn give_back_to_lot(&mut self, lot_id: &str, amount: Decimal) -> (Value, Decimal) {
        self.totals.spent -= amount;
        let now = self.clock;
        let is_there = |lot: &&mut Lot| match lot.state {
            LotState::Active => true,
            LotState::Expired => now < lot.forfeits(),
            LotState::Forfeited | LotState::Refunded => false,
        };
        let lot = self.lots.iter_mut().find(|lot| lot.id == lot_id).filter(is_there);
        let (before, after, rest) = match lot {
            Some(lot) => {
                let before = lot.remaining;
                lot.remaining += amount;
                (before, lot.remaining, Decimal::ZERO)
            }
            None => (Decimal::ZERO, Decimal::ZERO, amount),
        };
        let mut line = amounts("lot", -amount, before, after);
        line["lotId"] = json!(lot_id);
        (line, rest)
    }

    /// What is outstanding first; what a lot has settled meanwhile comes back as money (L7).
    fn lower_overdraft(&mut self, amount: Decimal) -> (Value, Decimal) {
        let before = self.overdraft;
        let lowered = amount.min(before);
        self.overdraft -= lowered;
        self.totals.spent -= amount - lowered;
        (amounts("overdraft", -amount, before, self.overdraft), amount - lowered)
    }

    fn write_reversal(&mut self, original: &Value, record: &Record, funding: Vec<Value>) {
        self.seq += 1;
        let amount = money::parse(original["charge"]["amount"].as_str().expect("an amount")).expect("a decimal");
        let mut reverses = json!({ "revision": original["revision"], "seq": original["seq"] });
        if record.content.void {
            reverses["void"] = json!(true);
        }
        self.log.push(json!({
            "type": "debit", "id": record.id, "source": SOURCE, "revision": record.revision, "orgId": self.org,
            "seq": self.seq, "at": self.at.to_string(), "reverses": reverses,
            "charge": { "amount": print(-amount), "currency": self.currency }, "funding": funding,
            "balanceAfter": print(self.balance()), "flags": [flag::REVERSAL],
        }));
    }

    /// An adjustment lot in all but name: twelve months from now, re-arming (D7).
    fn return_funds(&mut self, lot_id: String, amount: Decimal, record: &Record) {
        let purchased = self.clock;
        let expires = time::twelve_months_after(purchased);
        let fields = json!({
            "lotId": lot_id, "amount": print(amount), "purchasedAt": purchased.to_string(),
            "expiresAt": expires.to_string(), "source": SOURCE, "id": record.id, "revision": record.revision,
        });
        self.insert_lot(Lot { id: lot_id, purchased, expires, remaining: amount, state: LotState::Active });
        self.emit("FundsReturned", fields);
        self.forget_old_lots();
    }

    fn free_lot_id(&self, record: &Record) -> String {
        let mut id = format!("{}/{}", record.id, record.revision);
        while self.lots.iter().any(|lot| lot.id == id) {
            id.push('+');
        }
        id
    }

    /// Money that came back settles overdraft like any other (L6), whichever lot it came back to.
    fn settle_from_active_lots(&mut self) {
        let lots: Vec<String> = self.active().map(|lot| lot.id.clone()).collect();
        for lot in lots {
            self.settle_overdraft(&lot);
        }
    }
}
