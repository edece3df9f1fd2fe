//! What an event does to the account.

use drawdown_units::{Money, Sum};

use super::Account;
use crate::fault::Fault;
use crate::fields::Place;
use crate::line::Event;
use crate::lot::{Lot, State};

impl Account {
    pub(super) fn book_event(&mut self, event: &Event<'_>, place: Place<'_>) -> Result<(), Fault> {
        if *event.kind != *"FundsReturned" {
            self.expect_nothing_to_return()?;
        }
        match &*event.kind {
            "AccountOpened" => {
                self.currency =
                    Some(place.currency("currency", place.need_text("currency", event.currency.as_ref())?)?);
            }
            "FundsAdded" => {
                let lot = Lot::of(event, place)?;
                self.flows.purchased += lot.amount;
                self.add_lot(lot)?;
            }
            "RechargeSucceeded" => {
                let lot = Lot::of(event, place)?;
                self.flows.recharged += lot.amount;
                self.add_lot(lot)?;
            }
            "Adjusted" if event.lot_id.is_some() => {
                let lot = Lot::of(event, place)?;
                self.flows.adjusted_up += lot.amount;
                self.add_lot(lot)?;
            }
            "Adjusted" => self.adjust_down(event, place)?,
            "FundsReturned" => self.return_funds(event, place)?,
            "OverdraftSettled" => self.settle(event, place)?,
            "LotExpired" => self.end_lot(event, State::Expired, place)?,
            "LotForfeited" => self.end_lot(event, State::Forfeited, place)?,
            "LotRefunded" => self.end_lot(event, State::Refunded, place)?,
            // Nothing that moves money; were it otherwise, the balance after it would not fit.
            _ => {}
        }
        Ok(())
    }

    fn adjust_down(&mut self, event: &Event<'_>, place: Place<'_>) -> Result<(), Fault> {
        let amount = place.need_money("amount", event.amount.as_ref())?;
        let mut drawn = Sum::ZERO;
        for draw in &event.lots {
            let taken = place.money("lots.amount", &draw.amount)?;
            let [before, after] = [place.money("lots.before", &draw.before)?, place.money("lots.after", &draw.after)?];
            self.draw(&draw.lot_id, taken, before, after)?;
            drawn += taken;
        }
        if -drawn != amount.into() {
            return Err(self.contradiction(format_args!("an adjustment of {amount} takes {drawn} from lots")));
        }
        self.flows.adjusted_down += drawn;
        Ok(())
    }

    fn return_funds(&mut self, event: &Event<'_>, place: Place<'_>) -> Result<(), Fault> {
        let lot = Lot::of(event, place)?;
        let debit = place.need("debitSeq", event.debit_seq)?;
        if self.to_return.take() != Some((debit, lot.amount)) {
            let problem = format!("{} is returned, which the reversal with seq {debit} does not say", lot.amount);
            return Err(self.contradiction(problem));
        }
        self.flows.returned += lot.amount;
        self.add_lot(lot)
    }

    fn settle(&mut self, event: &Event<'_>, place: Place<'_>) -> Result<(), Fault> {
        let lot = place.need_text("lotId", event.lot_id.as_ref())?;
        let amount = place.need_money("amount", event.amount.as_ref())?;
        let overdraft = place.need_money("overdraft", event.overdraft.as_ref())?;
        self.same("overdraft", overdraft, self.overdraft.minus(amount))?;
        let held = self.lots.get(lot).map_or(Money::ZERO, |lot| lot.remaining);
        self.draw(lot, amount, held, held.minus(amount))?;
        self.set_overdraft(overdraft);
        self.flows.settled += amount;
        Ok(())
    }

    fn end_lot(&mut self, event: &Event<'_>, state: State, place: Place<'_>) -> Result<(), Fault> {
        let lot = place.need_text("lotId", event.lot_id.as_ref())?;
        let amount = place.need_money("amount", event.amount.as_ref())?;
        match state {
            State::Forfeited => self.flows.forfeited += amount,
            State::Refunded => self.flows.refunded += amount,
            State::Active | State::Expired => {}
        }
        self.end(lot, amount, state)
    }
}
