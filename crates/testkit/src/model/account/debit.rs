//! A rated call against the account: who pays, in which order.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Account, Cause, Draw, LotState};
use crate::model::command::Mode;
use crate::model::money::print;

/// A call after rating.
pub struct Debit {
    pub id: String,
    pub source: String,
    pub revision: u64,
    pub start: Timestamp,
    /// The included minutes it takes.
    pub draw: Option<Draw>,
    pub amount: Decimal,
    /// Whether it may be paid by credits (section 5).
    pub may_draw: bool,
    /// The `charge` object, complete.
    pub charge: Value,
    pub flags: Vec<&'static str>,
}

impl Account {
    /// Debits a finished call: its pool first, then money. A charge of nothing asks for no licence and touches no
    /// money (L17, W4).
    pub fn debit(&mut self, debit: Debit) {
        self.input(Cause::Call { debit_seq: self.seq + 1 }, |account| account.post(debit));
    }

    pub(super) fn post(&mut self, debit: Debit) {
        let draw = debit.draw.clone();
        let mut funding: Vec<Value> = draw.iter().map(|draw| self.draw(draw)).collect();
        if debit.amount > Decimal::ZERO && debit.may_draw {
            funding.extend(self.fund(debit.amount, debit.start));
        } else if debit.amount > Decimal::ZERO {
            // In every mode, and all of it (W6).
            funding.push(accrue("unlicensed", &mut self.totals.unlicensed, debit.amount));
        }
        self.write_debit(debit, funding);
        if let Some(draw) = draw {
            self.tell_thresholds(&draw);
        }
    }

    /// Lots that were valid at the call's start, in order; then what the mode says.
    fn fund(&mut self, amount: Decimal, start: Timestamp) -> Vec<Value> {
        let mut lines = Vec::new();
        let mut owed = amount;
        for lot in &mut self.lots {
            let holds_money = matches!(lot.state, LotState::Active | LotState::Expired);
            let taken = lot.remaining.min(owed);
            if !holds_money || start >= lot.expires || taken.is_zero() {
                continue;
            }
            let before = lot.remaining;
            lot.remaining -= taken;
            owed -= taken;
            let mut line = amounts("lot", taken, before, lot.remaining);
            line["lotId"] = json!(lot.id);
            lines.push(line);
        }
        self.totals.spent += amount - owed;
        if owed > Decimal::ZERO {
            lines.push(self.fund_the_rest(owed));
        }
        lines
    }

    fn fund_the_rest(&mut self, owed: Decimal) -> Value {
        let (kind, total) = match (self.mode, self.strict) {
            (Mode::PostUsage, _) => ("postUsage", &mut self.totals.post_usage),
            (Mode::Prepaid, true) => ("uncollected", &mut self.totals.uncollected),
            (Mode::Prepaid, false) => ("overdraft", &mut self.overdraft),
        };
        accrue(kind, total, owed)
    }

    fn write_debit(&mut self, debit: Debit, funding: Vec<Value>) {
        self.seq += 1;
        let mut flags = debit.flags;
        flags.sort_unstable();
        self.log.push(json!({
            "type": "debit", "id": debit.id, "source": debit.source, "revision": debit.revision,
            "orgId": self.org, "seq": self.seq, "at": self.at.to_string(), "charge": debit.charge,
            "funding": funding, "balanceAfter": print(self.balance()), "flags": flags,
        }));
    }
}

pub(super) fn accrue(kind: &str, total: &mut Decimal, owed: Decimal) -> Value {
    let before = *total;
    *total += owed;
    amounts(kind, owed, before, *total)
}

pub(super) fn amounts(kind: &str, amount: Decimal, before: Decimal, after: Decimal) -> Value {
    json!({ "type": kind, "amount": print(amount), "before": print(before), "after": print(after) })
}
