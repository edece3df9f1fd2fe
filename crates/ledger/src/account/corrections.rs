//! Corrections: a debit is taken back line by line, and the call is booked anew, as one input (boundaries.md D6–D14).

use drawdown_units::{Money, Timestamp};

use super::{Account, RatedCall};
use crate::effects::{Debited, Effects, Event, PoolLine};
use crate::entitlements::{Returned, Undo};
use crate::lots::{Lot, LotId, State};
use crate::reversal::{Funder, PoolBack, Reversal, Reversed, ReversedLine};
use crate::rules::Rules;

impl Account {
    /// Takes a debit back and books `call` in its place; nothing, where the record was withdrawn.
    pub(super) fn correct(
        &mut self,
        reversal: &Reversal,
        call: Option<RatedCall>,
        now: Timestamp,
        rules: &Rules,
        effects: &mut Effects,
    ) {
        self.head.clock = now;
        let before = self.balance();
        let seq = self.next_seq();
        let lot = self.free_lot_name(&reversal.lot);
        let pool = reversal.pool.as_ref().and_then(|pool| self.give_minutes_back(pool, &mut effects.undo));
        let mut returned = Money::ZERO;
        let give_back = |(funder, amount): &(Funder, Money)| {
            let (before, after, rest) = self.give_back(funder, *amount, now, rules);
            returned = returned.plus(rest);
            let returned_to = rest.is_positive().then(|| lot.clone());
            ReversedLine { funder: funder.clone(), amount: Money::ZERO.minus(*amount), before, after, returned_to }
        };
        let lines = reversal.lines.iter().map(give_back).collect();
        self.head.charged = self.head.charged.minus(reversal.charge);
        let debited = Debited { seq, at: now, balance_after: self.balance() };
        effects.reversed = Some(Reversed { debited, charge: Money::ZERO.minus(reversal.charge), pool, lines });
        if returned.is_positive() {
            self.make_lot_of(returned, lot, now, rules, effects);
        }
        self.settle_overdraft(now, effects);
        if let Some(call) = call {
            self.debit(call, effects);
        }
        self.note_accrual();
        self.balance_changed(before, now, false, effects);
        self.head.next_due = self.find_next_due(rules);
    }

    fn give_minutes_back(&mut self, pool: &PoolBack, undo: &mut Vec<Undo>) -> Option<PoolLine> {
        let back: Returned<'_> = pool.returned();
        let (before, after, _) = self.entitlements.as_deref_mut()?.give_back(&back, undo)?;
        let minutes = i64::from(pool.minutes).wrapping_neg();
        let PoolBack { of, month, size, .. } = *pool;
        Some(PoolLine { pool: pool.pool.clone(), of, month, minutes, before, after, size })
    }

    /// Returns the funder's figure before and afterwards, and what could not go back there.
    fn give_back(&mut self, funder: &Funder, amount: Money, now: Timestamp, rules: &Rules) -> (Money, Money, Money) {
        let head = &mut self.head;
        let figure = match funder {
            Funder::Lot(lot) => return self.give_back_to_lot(lot, amount, now, rules),
            Funder::Overdraft => {
                head.overdrawn = head.overdrawn.minus(amount);
                let before = head.overdraft;
                let settled_since = amount.minus(amount.min(before));
                head.overdraft = before.minus(amount.min(before));
                head.spent = head.spent.minus(settled_since);
                return (before, head.overdraft, settled_since);
            }
            Funder::PostUsage => &mut head.post_usage,
            Funder::Uncollected => &mut head.uncollected,
            Funder::Unlicensed => &mut head.unlicensed,
        };
        let before = *figure;
        *figure = before.minus(amount);
        (before, *figure, Money::ZERO)
    }

    /// A lot that is forfeited, refunded or forgotten stays so (boundaries.md D6).
    fn give_back_to_lot(&mut self, lot: &LotId, amount: Money, now: Timestamp, rules: &Rules) -> (Money, Money, Money) {
        self.head.drawn = self.head.drawn.minus(amount);
        self.head.spent = self.head.spent.minus(amount);
        let Some(place) = self.lots.position(lot) else {
            return (Money::ZERO, Money::ZERO, amount);
        };
        let Lot { state, expires, remaining: before, amount: bought, .. } = self.lots.all()[place];
        let takes = match state {
            State::Active => true,
            State::Expired => now < expires.plus_seconds(rules.forfeit_grace_s),
            State::Forfeited | State::Refunded => false,
        };
        let back = if takes { amount.min(bought.minus(before)) } else { Money::ZERO };
        self.lots.give_back(place, back);
        (before, before.plus(back), amount.minus(back))
    }

    fn make_lot_of(&mut self, amount: Money, lot: LotId, now: Timestamp, rules: &Rules, effects: &mut Effects) {
        let expires = now.plus_months(rules.lot_months);
        self.lots.add(Lot::bought(lot.clone(), amount, now, expires));
        self.emit(now, false, Event::FundsReturned { lot, amount, purchased: now, expires }, effects);
        self.rearm();
        self.forget_lots(now);
    }

    /// Money that came back pays what is still outstanding, oldest lot first (boundaries.md L6).
    fn settle_overdraft(&mut self, now: Timestamp, effects: &mut Effects) {
        let mut place = 0;
        while self.head.overdraft.is_positive() && self.lots.totals().spendable.is_positive() {
            let (settled, _) = self.lots.take_active(place, self.head.overdraft);
            if settled.is_positive() {
                self.head.overdraft = self.head.overdraft.minus(settled);
                self.head.spent = self.head.spent.plus(settled);
                let lot = self.lots.all()[place].id.clone();
                let event = Event::OverdraftSettled { lot, amount: settled, overdraft: self.head.overdraft };
                self.emit(now, false, event, effects);
            }
            place = place.saturating_add(1);
        }
    }
}
