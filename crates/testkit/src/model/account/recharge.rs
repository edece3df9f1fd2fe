//! Automatic recharging (R): when one is asked for, sent again, failed, settled.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Account, Lot, LotState};
use crate::model::command::{Mode, Outcome, Settings, Settlement};
use crate::model::money::print;
use crate::model::names::refusal;
use crate::model::time::{self, Month};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent and not answered.
    Waiting {
        next: Timestamp,
    },
    /// Failed in a way that may pass.
    BackingOff {
        next: Timestamp,
    },
    Failed,
    Succeeded,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub id: String,
    pub amount: Decimal,
    /// Of the request, whatever the payment's (R5).
    month: Month,
    sending: u64,
    attempt: u64,
    pub state: State,
}

impl Request {
    fn is_outstanding(&self) -> bool {
        matches!(self.state, State::Waiting { .. } | State::BackingOff { .. })
    }
}

#[derive(Clone, Debug, Default)]
pub struct Recharge {
    pub settings: Option<Settings>,
    disarmed: bool,
    pub(super) cooldown_end: Option<Timestamp>,
    /// Set by a refusal by the cap.
    pub(super) month_start: Option<Timestamp>,
    /// Months whose refusal has been told (R6).
    told: BTreeSet<Month>,
    /// All that were ever made; the n-th has the number n.
    pub requests: Vec<Request>,
}

impl Recharge {
    pub fn outstanding(&self) -> Option<&Request> {
        self.requests.iter().find(|request| request.is_outstanding())
    }

    pub(super) fn next_sending(&self) -> Option<Timestamp> {
        match self.outstanding()?.state {
            State::Waiting { next } | State::BackingOff { next } => Some(next),
            State::Failed | State::Succeeded => None,
        }
    }

    pub(super) fn rearm(&mut self) {
        self.disarmed = false;
        self.cooldown_end = None;
    }

    /// Succeeded and outstanding requests of a month (R5).
    fn counted(&self, month: Month) -> Decimal {
        let of_month = self.requests.iter().filter(|request| request.month == month);
        of_month.filter(|request| request.state != State::Failed).map(|request| request.amount).sum()
    }
}

impl Account {
    fn recharge_is_off(&self) -> bool {
        let enabled = self.recharge.settings.as_ref().is_some_and(|settings| settings.enabled);
        self.closed || self.mode == Mode::PostUsage || !enabled
    }

    /// Requests a recharge where the balance is strictly below the trigger and nothing stands against it.
    pub(super) fn look_at_trigger(&mut self) {
        let Some(settings) = self.recharge.settings.clone() else { return };
        let is_blocked = self.recharge.disarmed || self.recharge.outstanding().is_some();
        if self.recharge_is_off() || is_blocked || self.balance() >= settings.trigger {
            return;
        }
        let month = time::month_of(self.at);
        let counted = self.recharge.counted(month);
        if let Some(cap) = settings.cap
            && counted + settings.amount > cap
        {
            self.refuse_by_cap(month, cap, counted, settings.amount);
        } else {
            self.request(month, &settings);
        }
    }

    fn refuse_by_cap(&mut self, month: Month, cap: Decimal, counted: Decimal, amount: Decimal) {
        self.recharge.month_start = Some(time::next_month_start(self.at));
        if self.recharge.told.insert(month) {
            let fields = json!({
                "monthlyCap": print(cap), "month": time::month_name(month),
                "counted": print(counted), "rechargeAmount": print(amount),
            });
            self.emit("RechargeCapReached", fields);
        }
    }

    fn request(&mut self, month: Month, settings: &Settings) {
        self.recharge.month_start = None;
        let number = self.recharge.requests.len() + 1;
        self.recharge.requests.push(Request {
            id: format!("{}/{number}", self.org),
            amount: settings.amount,
            month,
            sending: 1,
            attempt: 1,
            state: State::Waiting { next: self.at + time::minutes(15) },
        });
        self.emit_sending(number - 1);
    }

    /// The answer did not come, or the back-off is over: the same id again (R3, R4).
    pub(super) fn send_again(&mut self) {
        let index = self.recharge.requests.iter().position(Request::is_outstanding).expect("only then is it due");
        let request = &mut self.recharge.requests[index];
        if matches!(request.state, State::BackingOff { .. }) {
            request.attempt += 1;
        }
        request.sending += 1;
        request.state = State::Waiting { next: self.at + time::minutes(15) };
        self.emit_sending(index);
    }

    fn emit_sending(&mut self, index: usize) {
        let request = &self.recharge.requests[index];
        let settings = self.recharge.settings.as_ref().expect("nothing is requested without");
        // Of settings changed meanwhile it keeps its amount (R10), not a way of paying that was replaced.
        let fields = json!({
            "rechargeId": request.id, "amount": print(request.amount), "currency": self.currency,
            "sending": request.sending, "attempt": request.attempt, "paymentMethod": settings.method,
        });
        self.emit("RechargeRequested", fields);
    }

    /// Applies the answer of the payment's side; a late success of a failed one is real money (R8).
    pub(super) fn settle_recharge(&mut self, settlement: &Settlement) -> Result<(), &'static str> {
        let requests = &self.recharge.requests;
        let of_id = |request: &Request| request.id == settlement.recharge;
        let index = requests.iter().position(of_id).ok_or(refusal::UNKNOWN_RECHARGE)?;
        let asked_for = requests[index].amount;
        let reason = settlement.reason.as_deref();
        match (requests[index].state, settlement.outcome) {
            (State::Succeeded, _) | (State::Failed, Outcome::Declined | Outcome::Failed) => {
                return Err(refusal::ALREADY_SETTLED);
            }
            (State::BackingOff { .. }, Outcome::Failed) => return Err(refusal::NO_ATTEMPT_PENDING),
            (_, Outcome::Succeeded) if settlement.amount.is_some_and(|amount| amount != asked_for) => {
                return Err(refusal::RECHARGE_AMOUNT_MISMATCH);
            }
            (_, Outcome::Succeeded) => self.recharge_succeeded(index, settlement.processed),
            (_, Outcome::Declined) => self.recharge_failed(index, "declined", reason),
            (_, Outcome::Failed) => self.attempt_failed(index, reason),
        }
        Ok(())
    }

    fn recharge_succeeded(&mut self, index: usize, processed: Timestamp) {
        let request = &mut self.recharge.requests[index];
        request.state = State::Succeeded;
        let (id, amount) = (request.id.clone(), request.amount);
        // The money is real (R8): where the lot would be dated ahead, or born expired (L2), it is dated by its arrival.
        let is_ahead = processed > self.clock + time::minutes(5);
        let is_dead = time::twelve_months_after(processed) <= self.clock;
        let purchased = if is_ahead || is_dead { self.clock } else { processed };
        let expires = time::twelve_months_after(purchased);
        self.totals.purchased += amount;
        let state = LotState::Active;
        self.insert_lot(Lot { id: id.clone(), purchased, expires, remaining: amount, state });
        let fields = json!({
            "rechargeId": id, "amount": print(amount), "processedAt": processed.to_string(), "lotId": id,
            "purchasedAt": purchased.to_string(), "expiresAt": expires.to_string(),
        });
        self.emit("RechargeSucceeded", fields);
        self.invoices += 1;
        let settings = self.recharge.settings.as_ref().expect("nothing is requested without");
        let fields = json!({
            "invoice": self.invoices, "rechargeId": id, "amount": print(amount), "lotId": id,
            "paymentMethod": settings.method,
        });
        self.emit("InvoiceIssued", fields);
        if self.closed {
            self.refund(&id, "account-closed");
        } else {
            self.money_came(&id);
        }
    }

    fn attempt_failed(&mut self, index: usize, reason: Option<&str>) {
        let attempt = self.recharge.requests[index].attempt;
        let back_off = match attempt {
            1 => time::minutes(1),
            2 => time::minutes(5),
            3 => time::minutes(30),
            _ => return self.recharge_failed(index, "failed", reason),
        };
        if self.recharge_is_off() {
            return self.recharge_failed(index, "failed", reason);
        }
        let retry = self.at + back_off;
        let request = &mut self.recharge.requests[index];
        request.state = State::BackingOff { next: retry };
        let mut fields = json!({ "rechargeId": request.id, "attempt": attempt, "retryAt": retry.to_string() });
        add_reason(&mut fields, reason);
        self.emit("RechargeAttemptFailed", fields);
    }

    fn recharge_failed(&mut self, index: usize, outcome: &str, reason: Option<&str>) {
        let rearm = self.at + time::hours(24);
        self.recharge.disarmed = true;
        self.recharge.cooldown_end = Some(rearm);
        let request = &mut self.recharge.requests[index];
        request.state = State::Failed;
        let mut fields = json!({ "rechargeId": request.id, "outcome": outcome, "rearmAt": rearm.to_string() });
        add_reason(&mut fields, reason);
        self.emit("RechargeFailed", fields);
    }
}

fn add_reason(fields: &mut Value, reason: Option<&str>) {
    if let Some(reason) = reason {
        fields["reason"] = json!(reason);
    }
}
