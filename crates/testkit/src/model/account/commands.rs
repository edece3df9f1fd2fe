//! The commands, one function each. A refused one changes nothing but the sequence.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Account, Cause, Lot, LotState, Pools, Recharge, Totals};
use crate::model::charge::Rates;
use crate::model::command::{Action, Command, Funds, Mode, Settings};
use crate::model::licences::Licences;
use crate::model::money::{is_whole, print};
use crate::model::names::refusal;
use crate::model::time;

const SMALLEST_RECHARGE: Decimal = Decimal::from_parts(50, 0, 0, false, 0);

impl Account {
    /// Opens an account with the first command of its organisation, or says why not: there is then no account to
    /// number a refusal.
    pub fn open(command: &Command, rates: &Rates) -> Result<Self, &'static str> {
        let Action::Open { currency, plan, mode, country, strict, licensing } = &command.action else {
            return Err(crate::model::names::reason::UNKNOWN_ORG);
        };
        check_plan(rates, plan, currency).map_err(|_| crate::model::names::reason::REFUSED)?;
        let mut account = Self {
            org: command.org.clone(),
            currency: currency.clone(),
            mode: *mode,
            strict: *strict,
            closed: false,
            licensing: *licensing,
            licences: Licences::default(),
            pools: Pools::default(),
            plans: vec![(command.at, plan.clone())],
            lots: Vec::new(),
            overdraft: Decimal::ZERO,
            totals: Totals::default(),
            recharge: Recharge::default(),
            invoices: 0,
            stated: Decimal::ZERO,
            statement_due: None,
            clock: command.at,
            at: command.at,
            cause: Cause::Command(command.id.clone()),
            seq: 0,
            log: Vec::new(),
        };
        let fields = json!({
            "currency": currency, "ratePlan": plan, "mode": mode.name(), "country": country, "strict": strict,
            "licensing": licensing.name(),
        });
        account.emit("AccountOpened", fields);
        Ok(account)
    }

    pub fn apply(&mut self, command: &Command, rates: &Rates) {
        self.input(Cause::Command(command.id.clone()), |account| {
            if let Err(reason) = account.act(command, rates) {
                account.emit("CommandRefused", json!({ "commandType": command.kind, "reason": reason }));
            }
        });
    }

    fn act(&mut self, command: &Command, rates: &Rates) -> Result<(), &'static str> {
        if let Action::Settle(settlement) = &command.action {
            return self.settle_recharge(settlement);
        }
        if self.closed {
            return Err(refusal::ACCOUNT_CLOSED);
        }
        match &command.action {
            Action::Open { .. } => Err(refusal::ACCOUNT_EXISTS),
            Action::AddFunds(funds) => self.add_funds(funds),
            Action::Configure(settings) => self.configure(settings),
            Action::Adjust { amount, reason } => self.adjust(&command.id, *amount, reason),
            Action::RefundLot { lot, reason } => self.refund_lot(lot, reason),
            Action::SetRatePlan(plan) => self.set_rate_plan(plan, rates),
            Action::SetMode(mode) => self.set_mode(*mode),
            Action::Close => self.close(),
            Action::AssignLicence { user, licence, country } => self.assign_licence(user, licence, country),
            Action::RemoveLicence { user, licence } => self.remove_licence(user, licence),
            Action::Settle(_) => unreachable!("settled above, closed or not"),
        }
    }

    fn add_funds(&mut self, funds: &Funds) -> Result<(), &'static str> {
        if funds.currency.as_ref().is_some_and(|currency| *currency != self.currency) {
            return Err(refusal::CURRENCY_MISMATCH);
        }
        if funds.amount <= Decimal::ZERO {
            return Err(refusal::AMOUNT_NOT_POSITIVE);
        }
        if self.lots.iter().any(|lot| lot.id == funds.lot) {
            return Err(refusal::LOT_EXISTS);
        }
        if funds.purchased > self.clock + time::minutes(5) {
            return Err(refusal::LOT_IN_THE_FUTURE);
        }
        let expires = funds.expires.unwrap_or_else(|| time::twelve_months_after(funds.purchased));
        if expires <= self.clock {
            return Err(refusal::LOT_ALREADY_EXPIRED);
        }
        self.totals.purchased += funds.amount;
        self.insert_lot(Lot {
            id: funds.lot.clone(),
            purchased: funds.purchased,
            expires,
            remaining: funds.amount,
            state: LotState::Active,
        });
        let mut fields = json!({
            "lotId": funds.lot, "amount": print(funds.amount), "purchasedAt": funds.purchased.to_string(),
            "expiresAt": expires.to_string(),
        });
        if let Some(reference) = &funds.reference {
            fields["reference"] = json!(reference);
        }
        self.emit("FundsAdded", fields);
        self.money_came(&funds.lot);
        Ok(())
    }

    fn configure(&mut self, settings: &Settings) -> Result<(), &'static str> {
        if settings.amount < SMALLEST_RECHARGE {
            return Err(refusal::RECHARGE_AMOUNT_TOO_SMALL);
        }
        if !is_whole(settings.amount) {
            return Err(refusal::RECHARGE_AMOUNT_NOT_WHOLE);
        }
        if settings.trigger < Decimal::ZERO || !is_whole(settings.trigger) {
            return Err(refusal::TRIGGER_NOT_WHOLE);
        }
        if settings.cap.is_some_and(|cap| cap < settings.amount) {
            return Err(refusal::CAP_BELOW_AMOUNT);
        }
        self.recharge.settings = Some(settings.clone());
        self.recharge.rearm();
        let mut fields = json!({
            "enabled": settings.enabled, "rechargeAmount": print(settings.amount),
            "triggerAmount": print(settings.trigger), "paymentMethod": settings.method,
        });
        if let Some(cap) = settings.cap {
            fields["monthlyCap"] = json!(print(cap));
        }
        self.emit("AutoRechargeConfigured", fields);
        Ok(())
    }

    fn adjust(&mut self, command_id: &str, amount: Decimal, reason: &str) -> Result<(), &'static str> {
        if amount.is_zero() {
            return Err(refusal::AMOUNT_NOT_POSITIVE);
        }
        if amount < Decimal::ZERO {
            return self.take_back(-amount, reason);
        }
        if self.lots.iter().any(|lot| lot.id == command_id) {
            return Err(refusal::LOT_EXISTS);
        }
        let (id, purchased) = (command_id.to_owned(), self.clock);
        let expires = time::twelve_months_after(purchased);
        self.totals.adjusted += amount;
        self.insert_lot(Lot { id, purchased, expires, remaining: amount, state: LotState::Active });
        let fields = json!({
            "amount": print(amount), "reason": reason, "lotId": command_id,
            "purchasedAt": purchased.to_string(), "expiresAt": expires.to_string(),
        });
        self.emit("Adjusted", fields);
        self.money_came(command_id);
        Ok(())
    }

    /// A negative adjustment: never more than the balance, so never overdraft (L9).
    fn take_back(&mut self, amount: Decimal, reason: &str) -> Result<(), &'static str> {
        if amount > self.balance() {
            return Err(refusal::INSUFFICIENT_BALANCE);
        }
        let mut lines: Vec<Value> = Vec::new();
        let mut owed = amount;
        for lot in self.lots.iter_mut().filter(|lot| lot.state == LotState::Active) {
            let taken = lot.remaining.min(owed);
            if taken.is_zero() {
                continue;
            }
            let before = lot.remaining;
            lot.remaining -= taken;
            owed -= taken;
            lines.push(json!({
                "lotId": lot.id, "amount": print(taken), "before": print(before), "after": print(lot.remaining),
            }));
        }
        self.totals.adjusted -= amount;
        self.emit("Adjusted", json!({ "amount": print(-amount), "reason": reason, "lots": lines }));
        Ok(())
    }

    fn refund_lot(&mut self, lot_id: &str, reason: &str) -> Result<(), &'static str> {
        let lot = self.lots.iter().find(|lot| lot.id == lot_id).ok_or(refusal::UNKNOWN_LOT)?;
        if lot.state != LotState::Active {
            return Err(refusal::LOT_NOT_REFUNDABLE);
        }
        self.refund(lot_id, reason);
        Ok(())
    }

    /// Pays a lot's remaining amount back.
    pub(super) fn refund(&mut self, lot_id: &str, reason: &str) {
        let lot = self.lots.iter_mut().find(|lot| lot.id == lot_id).expect("looked up before");
        let amount = std::mem::take(&mut lot.remaining);
        lot.state = LotState::Refunded;
        self.totals.refunded += amount;
        self.emit("LotRefunded", json!({ "lotId": lot_id, "amount": print(amount), "reason": reason }));
    }

    fn set_rate_plan(&mut self, plan: &str, rates: &Rates) -> Result<(), &'static str> {
        check_plan(rates, plan, &self.currency)?;
        self.plans.push((self.clock, plan.to_owned()));
        self.emit("RatePlanSet", json!({ "ratePlan": plan }));
        Ok(())
    }

    fn set_mode(&mut self, mode: Mode) -> Result<(), &'static str> {
        self.mode = mode;
        self.emit("ModeSet", json!({ "mode": mode.name() }));
        Ok(())
    }

    /// Twice is a no-op, told again; another country is remove + assign (P14).
    fn assign_licence(&mut self, user: &str, licence: &str, country: &str) -> Result<(), &'static str> {
        if self.licences.held_now(user, licence).is_some_and(|holding| holding.country != country) {
            self.remove_licence(user, licence)?;
        }
        let since = self.licences.assign(user, licence, country, self.clock);
        let fields = json!({ "userId": user, "licence": licence, "country": country, "since": since.to_string() });
        self.emit("LicenceAssigned", fields);
        Ok(())
    }

    fn remove_licence(&mut self, user: &str, licence: &str) -> Result<(), &'static str> {
        let country = self.licences.remove(user, licence, self.clock).ok_or(refusal::LICENCE_NOT_HELD)?;
        self.emit("LicenceRemoved", json!({ "userId": user, "licence": licence, "country": country }));
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        self.closed = true;
        let left = self.active().filter(|lot| lot.remaining > Decimal::ZERO);
        let left: Vec<String> = left.map(|lot| lot.id.clone()).collect();
        for lot in left {
            self.refund(&lot, "account-closed");
        }
        let fields = json!({ "overdraft": print(self.overdraft), "postUsage": print(self.totals.post_usage) });
        self.emit("AccountClosed", fields);
        Ok(())
    }
}

fn check_plan(rates: &Rates, plan: &str, currency: &str) -> Result<(), &'static str> {
    let sold_in = rates.plan_currency(plan).ok_or(refusal::UNKNOWN_RATE_PLAN)?;
    if sold_in == currency { Ok(()) } else { Err(refusal::CURRENCY_MISMATCH) }
}
