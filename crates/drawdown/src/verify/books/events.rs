//! What account events do to the books.

use drawdown_units::{Money, Timestamp};

use super::{Books, State, Terms};
use crate::verify::entry::{Entry, Happening};
use crate::verify::findings::At;
use crate::verify::sum::Sum;

impl Books {
    pub(super) fn book_event(&mut self, happening: &Happening, entry: &Entry, at: &mut At<'_>) {
        match happening {
            Happening::Opened { currency, country, rate_plan, post_usage, strict, licensing_required } => {
                if self.terms.is_some() {
                    at.differs("type", "one AccountOpened", "another");
                }
                self.terms = Some(Terms {
                    currency: *currency,
                    country: country.clone(),
                    rate_plan: rate_plan.clone(),
                    post_usage: *post_usage,
                    strict: *strict,
                    licensing_required: *licensing_required,
                });
            }
            Happening::Bought(lot) => {
                self.figures.purchased += lot.amount;
                self.add_lot(lot, at);
            }
            Happening::Recharged { number, lot } => {
                self.figures.purchased += lot.amount;
                self.check_request(*number, lot.amount, at);
                if *number == self.recharges.requested.len() as u64 {
                    self.recharges.outstanding = None;
                }
                self.add_lot(lot, at);
            }
            Happening::AdjustedUp(lot) => {
                self.figures.adjusted += lot.amount;
                self.add_lot(lot, at);
            }
            Happening::Returned(lot) => {
                match self.returning.take() {
                    Some((name, sum)) => {
                        at.same("lotId", &*name, &*lot.id);
                        at.same("amount", sum, lot.amount.into());
                    }
                    None => at.differs("type", "a reversal before it that gave money to a lot", "FundsReturned"),
                }
                self.add_lot(lot, at);
            }
            Happening::Stated { amount, post_usage } => {
                at.same("postUsage", self.figures.post_usage, (*post_usage).into());
                self.figures.stated += *amount;
                at.same("amount", self.figures.post_usage, self.figures.stated);
            }
            Happening::AdjustedDown { amount, draws } => {
                self.figures.adjusted += *amount;
                let drawn: Sum = draws.iter().map(|draw| Sum::from(draw.amount)).sum();
                if -drawn != (*amount).into() {
                    at.differs("amount", -drawn, amount);
                }
                for (index, draw) in draws.iter().enumerate() {
                    if let crate::verify::entry::Payer::Lot(lot) = &draw.payer {
                        self.draw(&format_args!("lots[{index}]"), lot, draw, None, at);
                    }
                }
            }
            Happening::Settled { lot, amount, overdraft } => self.settle(lot, *amount, *overdraft, at),
            Happening::Expired { lot, amount } => self.end(lot, *amount, State::Expired, entry.at, at),
            Happening::Forfeited { lot, amount } => {
                self.figures.forfeited += *amount;
                self.end(lot, *amount, State::Forfeited, entry.at, at);
            }
            Happening::Refunded { lot, amount } => {
                self.figures.refunded += *amount;
                self.end(lot, *amount, State::Refunded, entry.at, at);
            }
            Happening::Exhausted => {
                if self.balance.is_positive() {
                    at.differs("type", "a balance above 0: not exhausted", "BalanceExhausted");
                }
            }
            Happening::Requested { .. } | Happening::Invoiced { .. } | Happening::GivenUp { .. } => {
                self.book_recharging(happening, at);
            }
            Happening::ModeSet { post_usage } => {
                if let Some(terms) = &mut self.terms {
                    terms.post_usage = *post_usage;
                }
            }
            Happening::RatePlanSet { rate_plan } => {
                if let Some(terms) = &mut self.terms {
                    terms.rate_plan = rate_plan.clone();
                }
            }
            Happening::Closed { overdraft, post_usage } => {
                self.closed = true;
                at.same("overdraft", self.figures.overdraft, (*overdraft).into());
                at.same("postUsage", self.figures.post_usage, (*post_usage).into());
            }
            Happening::Other => {}
        }
    }

    fn settle(&mut self, lot: &str, amount: Money, overdraft: Money, at: &mut At<'_>) {
        self.figures.spent += amount;
        self.figures.overdraft -= amount;
        at.same("overdraft", self.figures.overdraft, overdraft.into());
        let Some(place) = self.place_of(lot) else {
            at.differs("lotId", "a lot of this account", lot);
            return;
        };
        let held = &mut self.lots[place];
        if amount > held.remaining || !amount.is_positive() {
            at.differs("amount", format_args!("above 0, {} at most", held.remaining), amount);
        }
        held.remaining = held.remaining.minus(amount);
        self.skip_empty();
    }

    /// A lot leaves the balance, and unless it only expired it leaves its money too.
    fn end(&mut self, lot: &str, amount: Money, state: State, when: Timestamp, at: &mut At<'_>) {
        let Some(place) = self.place_of(lot) else {
            at.differs("lotId", "a lot of this account", lot);
            return;
        };
        let held = &mut self.lots[place];
        let from = if state == State::Forfeited { State::Expired } else { State::Active };
        if held.state != from {
            at.differs(
                "lotId",
                format_args!("a lot that is {}", from.name()),
                format_args!("{lot}, {}", held.state.name()),
            );
        }
        if held.remaining != amount {
            at.differs("amount", held.remaining, amount);
        }
        let too_early = match state {
            State::Expired => when != held.expires,
            State::Forfeited => when < held.expires,
            State::Active | State::Refunded => false,
        };
        if too_early {
            at.differs("at", format_args!("the lot's expiry, {}", held.expires), when);
        }
        if held.state == State::Active {
            self.balance -= held.remaining;
        }
        held.state = state;
        if state != State::Expired {
            held.remaining = Money::ZERO;
        }
    }

    fn book_recharging(&mut self, happening: &Happening, at: &mut At<'_>) {
        match happening {
            Happening::Requested { number, amount, sending } => {
                let next = self.recharges.requested.len() as u64 + 1;
                match self.recharges.outstanding {
                    None => {
                        at.same("rechargeId", next, *number);
                        at.same("sending", 1, *sending);
                        self.recharges.requested.push(*amount);
                    }
                    Some((asked, sent)) => {
                        at.same("rechargeId", next - 1, *number);
                        at.same("amount", asked, *amount);
                        at.same("sending", sent.saturating_add(1), *sending);
                    }
                }
                self.recharges.outstanding = Some((*amount, *sending));
            }
            Happening::Invoiced { invoice, number, amount, lot } => {
                at.same("invoice", self.recharges.invoice.saturating_add(1), *invoice);
                self.recharges.invoice = *invoice;
                self.check_request(*number, *amount, at);
                if self.place_of(lot).is_none() {
                    at.differs("lotId", "a lot of this account", lot);
                }
            }
            Happening::GivenUp { number } => {
                at.same("rechargeId", self.recharges.requested.len() as u64, *number);
                self.recharges.outstanding = None;
            }
            _ => {}
        }
    }

    /// What was paid for must have been asked for, in that amount.
    fn check_request(&self, number: u64, amount: Money, at: &mut At<'_>) {
        let asked = number.checked_sub(1).and_then(|place| self.recharges.requested.get(usize::try_from(place).ok()?));
        match asked {
            None => at.differs("rechargeId", "a recharge that was requested", number),
            Some(asked) => at.same("amount", *asked, amount),
        }
    }
}
