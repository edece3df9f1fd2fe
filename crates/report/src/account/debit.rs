//! What a debit does to the account.

use drawdown_units::{Money, Sum};

use super::Account;
use super::flows::Flows;
use crate::fault::Fault;
use crate::fields::Place;
use crate::line::{Debit, Funding};

/// The figures of a funding line that carries money.
struct Figures {
    amount: Money,
    before: Money,
    after: Money,
}

impl Account {
    pub(super) fn book_debit(&mut self, debit: &Debit<'_>, place: Place<'_>) -> Result<(), Fault> {
        let charge = place.money("charge.amount", &debit.charge.amount)?;
        let currency = place.currency("charge.currency", &debit.charge.currency)?;
        if self.currency != Some(currency) {
            return Err(self.contradiction(format_args!("a charge in {currency}, which is not the account's currency")));
        }
        let (mut paid, mut returned) = (Sum::ZERO, Money::ZERO);
        for (index, line) in debit.funding.iter().enumerate() {
            if *line.kind == *"pool" {
                continue;
            }
            let part = |part, figure| place.amount("funding", index, part, figure);
            let figures = Figures {
                amount: part("amount", line.amount.as_ref())?,
                before: part("before", line.before.as_ref())?,
                after: part("after", line.after.as_ref())?,
            };
            paid += figures.amount;
            returned = returned.plus(self.book_line(line, &figures, place)?);
        }
        if paid != charge.into() {
            return Err(
                self.contradiction(format_args!("the charge is {charge}, but its funding lines come to {paid}"))
            );
        }
        self.flows.charged += charge;
        match debit.reverses {
            None => self.flows.calls += 1,
            Some(_) => self.flows.reversals += 1,
        }
        self.to_return = (!returned.is_zero()).then_some((debit.seq, returned));
        Ok(())
    }

    /// Books a line, and returns what of it goes to a lot that is yet to be made.
    fn book_line(&mut self, line: &Funding<'_>, figures: &Figures, place: Place<'_>) -> Result<Money, Fault> {
        match &*line.kind {
            "lot" => self.book_lot_line(line, figures, place),
            "overdraft" => self.book_overdraft_line(line, figures),
            kind => {
                self.book_sum_line(kind, figures, place)?;
                Ok(Money::ZERO)
            }
        }
    }

    fn book_lot_line(&mut self, line: &Funding<'_>, figures: &Figures, place: Place<'_>) -> Result<Money, Fault> {
        let Figures { amount, before, after } = *figures;
        if line.returned_to.is_some() {
            self.same("after, of a lot that takes nothing back,", after, before)?;
            return Ok(amount.negated());
        }
        let lot = place.need_text("funding.lotId", line.lot_id.as_ref())?;
        self.draw(lot, amount, before, after)?;
        Flows::add(&mut self.flows.spent, &mut self.flows.given_back, amount);
        Ok(Money::ZERO)
    }

    fn book_overdraft_line(&mut self, line: &Funding<'_>, figures: &Figures) -> Result<Money, Fault> {
        let Figures { amount, before, after } = *figures;
        self.same("before, of the overdraft,", before, self.overdraft)?;
        let grown = after.minus(before);
        let returned = grown.minus(amount);
        let fits =
            if line.returned_to.is_some() { returned.is_positive() && after.is_zero() } else { returned.is_zero() };
        if !fits || after.is_negative() {
            let problem = format!("an overdraft line of {amount} leads from {before} to {after}");
            return Err(self.contradiction(problem));
        }
        self.set_overdraft(after);
        Flows::add(&mut self.flows.overdrawn, &mut self.flows.overdraft_reversed, grown);
        Ok(returned)
    }

    /// A line of something that only adds up.
    fn book_sum_line(&mut self, kind: &str, figures: &Figures, place: Place<'_>) -> Result<(), Fault> {
        let Figures { amount, before, after } = *figures;
        let (held, flow) = match kind {
            "postUsage" => (&mut self.post_usage, &mut self.flows.post_usage),
            "uncollected" => (&mut self.uncollected, &mut self.flows.uncollected),
            "unlicensed" => (&mut self.unlicensed, &mut self.flows.unlicensed),
            _ => {
                let problem = format!("{kind:?}, of which this program does not know who pays");
                return Err(place.fault("funding.type", problem));
            }
        };
        *flow += amount;
        let was = std::mem::replace(held, after);
        self.same(&format!("before, of {kind},"), before, was)?;
        self.same(&format!("after, of {kind},"), after, before.plus(amount))
    }
}
