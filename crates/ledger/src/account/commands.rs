//! What commands do to an account. Each either changes it and says so, or is refused with an event (boundaries.md X7).

use std::sync::Arc;

use drawdown_units::{Money, Timestamp};

use super::Account;
use crate::command::{AddFunds, Command, Outcome, Settings, Settlement};
use crate::effects::{Effects, Event, Refusal};
use crate::entitlements::HISTORY_S;
use crate::lots::{Lot, LotId, State};
use crate::recharge::{Payment, Recharge, Settled};
use crate::rules::Rules;

/// The most that one recharge may buy (10^9 units): an account has room for a thousand of them.
const RECHARGE_LIMIT: Money = Money::from_micros(Money::LIMIT.micros() / 1000);

/// Why the lots of a closed account are refunded.
const CLOSED: &str = "account-closed";

impl Account {
    pub(super) fn command(&mut self, command: &Command, now: Timestamp, rules: &Rules, effects: &mut Effects) {
        self.head.clock = now;
        let before = self.balance();
        let outcome = if self.closed && !matches!(command, Command::SettleRecharge(_)) {
            Err(Refusal::AccountClosed)
        } else {
            self.obey(command, now, rules, effects)
        };
        match outcome {
            Ok(()) => self.balance_changed(before, now, false, effects),
            Err(refusal) => self.refuse(command, refusal, effects),
        }
        self.head.next_due = self.find_next_due(rules);
    }

    fn obey(&mut self, command: &Command, now: Timestamp, rules: &Rules, effects: &mut Effects) -> Result<(), Refusal> {
        match command {
            Command::OpenAccount(_) => Err(Refusal::AccountExists),
            Command::AddFunds(funds) => self.add_funds(funds, now, rules, effects),
            Command::ConfigureAutoRecharge(settings) => self.configure(settings, now, rules, effects),
            Command::SettleRecharge(settlement) => self.settle(settlement, now, rules, effects),
            Command::Adjust { lot, amount, reason } => self.adjust(lot, *amount, reason, now, rules, effects),
            Command::RefundLot { lot, reason } => self.refund_lot(lot, reason, now, effects),
            Command::SetRatePlan { rate_plan } => self.set_rate_plan(rate_plan, now, effects),
            Command::SetMode { mode } => {
                self.mode = *mode;
                self.emit(now, false, Event::ModeSet { mode: *mode }, effects);
                Ok(())
            }
            Command::CloseAccount => self.close(now, effects),
            Command::AssignLicence(licence) => {
                self.assign_licence(licence, now, rules, effects);
                Ok(())
            }
            Command::RemoveLicence { user, licence } => self.remove_licence(user, licence, now, rules, effects),
        }
    }

    fn add_funds(
        &mut self,
        funds: &AddFunds,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        let expires = funds.expires.unwrap_or_else(|| funds.purchased.plus_months(rules.lot_months));
        if funds.currency.is_some_and(|currency| currency != self.currency) {
            return Err(Refusal::CurrencyMismatch);
        }
        if !funds.amount.is_positive() {
            return Err(Refusal::AmountNotPositive);
        }
        if self.lots.contains(&funds.lot) {
            return Err(Refusal::LotExists);
        }
        if funds.purchased.is_later_by_more_than(rules.future_tolerance_s, now) {
            return Err(Refusal::LotInTheFuture);
        }
        if expires <= now {
            return Err(Refusal::LotAlreadyExpired);
        }
        self.head.purchased = self.room_for(self.head.purchased, funds.amount)?;
        let (lot, amount, purchased) = (funds.lot.clone(), funds.amount, funds.purchased);
        let place = self.lots.add(Lot::bought(lot.clone(), amount, purchased, expires));
        let reference = funds.reference.clone();
        self.emit(now, false, Event::FundsAdded { lot, amount, purchased, expires, reference }, effects);
        self.money_came(place, now, effects);
        Ok(())
    }

    /// `sum`, of what was bought or adjusted, with `amount` added. Refused where that or all that ever came would
    /// leave the range of money: every other figure is a part of what came.
    fn room_for(&self, sum: Money, amount: Money) -> Result<Money, Refusal> {
        let sum = sum.checked_add(amount).filter(|sum| sum.abs() <= Money::LIMIT);
        let came = self.head.purchased.plus(self.head.adjusted).checked_add(amount);
        sum.filter(|_| came.is_some_and(|came| came <= Money::LIMIT)).ok_or(Refusal::AmountTooLarge)
    }

    /// A new lot first settles overdraft (boundaries.md L6), and any money re-arms recharging (R7).
    fn money_came(&mut self, place: usize, now: Timestamp, effects: &mut Effects) {
        let (settled, _) = self.lots.take(place, self.head.overdraft);
        if settled.is_positive() {
            self.head.overdraft = self.head.overdraft.minus(settled);
            self.head.spent = self.head.spent.plus(settled);
            let lot = self.lots.all()[place].id.clone();
            let event = Event::OverdraftSettled { lot, amount: settled, overdraft: self.head.overdraft };
            self.emit(now, false, event, effects);
        }
        self.rearm();
        self.forget_lots(now);
    }

    /// Lots that no call can draw any more are forgotten when new ones come.
    pub(super) fn forget_lots(&mut self, now: Timestamp) {
        self.lots.forget_before(now.plus_seconds(HISTORY_S.wrapping_neg()));
    }

    pub(super) fn rearm(&mut self) {
        if let Some(recharge) = self.recharge.as_deref_mut() {
            recharge.rearm_at = None;
        }
    }

    /// `lot`, made longer while there is a lot of that name.
    pub(super) fn free_lot_name(&self, lot: &LotId) -> LotId {
        let mut lot = lot.clone();
        while self.lots.contains(&lot) {
            lot.push('+');
        }
        lot
    }

    fn configure(
        &mut self,
        settings: &Settings,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        if settings.amount < rules.recharge_minimum || !settings.amount.is_positive() {
            return Err(Refusal::RechargeTooSmall);
        }
        if rules.recharge_whole_units && !settings.amount.is_whole() {
            return Err(Refusal::RechargeNotWhole);
        }
        if settings.trigger.is_negative() || (rules.recharge_whole_units && !settings.trigger.is_whole()) {
            return Err(Refusal::TriggerNotWhole);
        }
        if settings.monthly_cap.is_some_and(|cap| cap < settings.amount) {
            return Err(Refusal::CapBelowAmount);
        }
        if settings.amount > RECHARGE_LIMIT || settings.trigger > RECHARGE_LIMIT {
            return Err(Refusal::AmountTooLarge);
        }
        let settings = Arc::new(settings.clone());
        match self.recharge.as_deref_mut() {
            Some(recharge) => {
                recharge.settings = Arc::clone(&settings);
                recharge.rearm_at = None;
            }
            None => self.recharge = Some(Box::new(Recharge::new(Arc::clone(&settings)))),
        }
        self.emit(now, false, Event::AutoRechargeConfigured { settings }, effects);
        Ok(())
    }

    fn settle(
        &mut self,
        settlement: &Settlement,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        let active = self.recharging();
        if settlement.outcome == Outcome::Succeeded {
            self.room_for(self.head.purchased, RECHARGE_LIMIT)?;
        }
        let recharge = self.recharge.as_deref_mut().ok_or(Refusal::UnknownRecharge)?;
        match recharge.settle(settlement, active, now, rules)? {
            Settled::Failed(event) => self.emit(now, false, event, effects),
            Settled::Paid(payment) => self.book_recharge(payment, settlement.processed, now, rules, effects),
        }
        Ok(())
    }

    /// Makes the lot of a paid recharge, with its invoice. A closed account pays it back at once (boundaries.md L18).
    fn book_recharge(
        &mut self,
        Payment { number, amount, invoice }: Payment,
        processed: Timestamp,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) {
        // The money is real whatever the connector's clock says: a date in the future, or one so old that the lot
        // would be born dead, becomes the date of its arrival.
        let (purchased, expires) = Some(processed)
            .filter(|it| !it.is_later_by_more_than(rules.future_tolerance_s, now))
            .map(|it| (it, it.plus_months(rules.lot_months)))
            .filter(|(_, expires)| *expires > now)
            .unwrap_or_else(|| (now, now.plus_months(rules.lot_months)));
        let lot = self.free_lot_name(&LotId::from(format!("{}/{number}", self.org)));
        let settings = self.recharge.as_ref().map(|recharge| Arc::clone(&recharge.settings));
        let settings = settings.expect("invariant: a recharge that was paid was set");
        self.head.purchased = self.head.purchased.plus(amount);
        let place = self.lots.add(Lot::bought(lot.clone(), amount, purchased, expires));
        let paid = Event::RechargeSucceeded { number, lot: lot.clone(), amount, processed, purchased, expires };
        self.emit(now, false, paid, effects);
        self.emit(now, false, Event::InvoiceIssued { invoice, number, amount, lot: lot.clone(), settings }, effects);
        if self.closed {
            self.refund_rest(&lot, CLOSED.into(), now, effects);
        } else {
            self.money_came(place, now, effects);
        }
    }

    fn adjust(
        &mut self,
        lot: &LotId,
        amount: Money,
        reason: &str,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        if amount.is_zero() {
            return Err(Refusal::AmountNotPositive);
        }
        if amount.is_negative() {
            return self.adjust_down(amount, reason, now, effects);
        }
        if self.lots.contains(lot) {
            return Err(Refusal::LotExists);
        }
        self.head.adjusted = self.room_for(self.head.adjusted, amount)?;
        let (lot, expires) = (lot.clone(), now.plus_months(rules.lot_months));
        let place = self.lots.add(Lot::bought(lot.clone(), amount, now, expires));
        let reason = reason.into();
        self.emit(now, false, Event::AdjustedUp { lot, amount, purchased: now, expires, reason }, effects);
        self.money_came(place, now, effects);
        Ok(())
    }

    /// Draws active lots in order; never makes overdraft (boundaries.md L9).
    fn adjust_down(
        &mut self,
        amount: Money,
        reason: &str,
        now: Timestamp,
        effects: &mut Effects,
    ) -> Result<(), Refusal> {
        if amount.abs() > self.balance() {
            return Err(Refusal::InsufficientBalance);
        }
        self.head.adjusted = self.room_for(self.head.adjusted, amount)?;
        let lots = self.lots.withdraw(amount.abs());
        self.emit(now, false, Event::AdjustedDown { amount, lots, reason: reason.into() }, effects);
        Ok(())
    }

    fn refund_lot(&mut self, lot: &LotId, reason: &str, now: Timestamp, effects: &mut Effects) -> Result<(), Refusal> {
        let place = self.lots.position(lot).ok_or(Refusal::UnknownLot)?;
        if self.lots.all()[place].state != State::Active {
            return Err(Refusal::LotNotRefundable);
        }
        self.refund_rest(lot, reason.into(), now, effects);
        Ok(())
    }

    fn refund_rest(&mut self, lot: &LotId, reason: Box<str>, now: Timestamp, effects: &mut Effects) {
        let place = self.lots.position(lot).expect("invariant: the lot to refund is there");
        let amount = self.lots.end(place, State::Refunded);
        self.head.refunded = self.head.refunded.plus(amount);
        self.emit(now, false, Event::LotRefunded { lot: lot.clone(), amount, reason }, effects);
    }

    fn set_rate_plan(&mut self, rate_plan: &Arc<str>, now: Timestamp, effects: &mut Effects) -> Result<(), Refusal> {
        let earlier = self.earlier_plans.get_or_insert_default();
        let horizon = now.plus_seconds(HISTORY_S.wrapping_neg());
        // Of those that began before the horizon only the last can still rate a call.
        let old_count = earlier.iter().filter(|(since, _)| *since < horizon).count();
        earlier.drain(..old_count.saturating_sub(1));
        earlier.push((self.rate_plan_since, std::mem::replace(&mut self.rate_plan, Arc::clone(rate_plan))));
        self.rate_plan_since = now;
        self.emit(now, false, Event::RatePlanSet { rate_plan: Arc::clone(rate_plan) }, effects);
        Ok(())
    }

    fn close(&mut self, now: Timestamp, effects: &mut Effects) -> Result<(), Refusal> {
        let held = self.lots.all().iter().filter(|lot| lot.state == State::Active && lot.remaining.is_positive());
        let ids: Vec<LotId> = held.map(|lot| lot.id.clone()).collect();
        for id in ids {
            self.refund_rest(&id, CLOSED.into(), now, effects);
        }
        self.closed = true;
        let event = Event::AccountClosed { overdraft: self.head.overdraft, post_usage: self.head.post_usage };
        self.emit(now, false, event, effects);
        Ok(())
    }
}
