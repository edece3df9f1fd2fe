//! The lots of one account, oldest purchase first.
//!
//! Invariants: sorted by (purchased, id); a lot's remaining amount is never below zero and never above what it was
//! bought with; `remaining` and `spendable` are the sums over the lots; every lot before `first_open` is empty.
//! Knows nothing of accounts: what left the lots is booked by the account around them.

use compact_str::CompactString;
use drawdown_units::{Money, Timestamp};

use crate::effects::{FundingLine, FundingSource};
use crate::rules::Rules;

/// The name of a lot, unique within its account. Short ones live inside the lot.
pub type LotId = CompactString;

/// Money bought at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Its name.
    pub id: LotId,
    /// What it was bought with.
    pub amount: Money,
    /// What it still holds.
    pub remaining: Money,
    /// Its date: its place in the order.
    pub purchased: Timestamp,
    /// Valid up to here, exclusively.
    pub expires: Timestamp,
    /// Where in its life it is.
    pub state: State,
}

impl Lot {
    /// A lot that was just bought.
    pub fn bought(id: LotId, amount: Money, purchased: Timestamp, expires: Timestamp) -> Self {
        Lot { id, amount, remaining: amount, purchased, expires, state: State::Active }
    }

    /// When it is to be said that it will expire; `None` of a lot that has nothing to lose, or has expired.
    pub fn expiry_notice(&self, rules: &Rules) -> Option<Timestamp> {
        let may_lose = self.state == State::Active && self.remaining.is_positive();
        (may_lose && rules.expiry_notice_s > 0).then(|| self.expires.plus_seconds(rules.expiry_notice_s.wrapping_neg()))
    }
}

/// Where in its life a lot is. An empty lot stays what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Part of the balance.
    Active,
    /// Out of the balance, but calls that started in time may draw it.
    Expired,
    /// Out for good: what was left went to breakage.
    Forfeited,
    /// Out for good: what was left was paid back.
    Refunded,
}

impl State {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Expired => "expired",
            State::Forfeited => "forfeited",
            State::Refunded => "refunded",
        }
    }
}

/// The figures of all lots together: small, so that undoing a call is copying them back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Held by all lots.
    pub remaining: Money,
    /// Held by active lots.
    pub spendable: Money,
    first_open: u32,
}

/// The lots of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lots {
    lots: Vec<Lot>,
    totals: Totals,
}

impl Lots {
    /// Restores lots that were saved. `None` if they break an invariant: out of order, negative, above their amount.
    pub fn restore(lots: Vec<Lot>) -> Option<Self> {
        let ordered = lots.is_sorted_by(|a, b| (a.purchased, &a.id) < (b.purchased, &b.id));
        let bounded = lots.iter().all(|lot| !lot.remaining.is_negative() && lot.remaining <= lot.amount);
        if !ordered || !bounded {
            return None;
        }
        let mut restored = Lots { lots, totals: Totals::default() };
        for lot in &restored.lots {
            restored.totals.remaining = restored.totals.remaining.checked_add(lot.remaining)?;
            if lot.state == State::Active {
                restored.totals.spendable = restored.totals.spendable.checked_add(lot.remaining)?;
            }
        }
        restored.skip_empty();
        Some(restored)
    }

    /// All lots, oldest purchase first, spent ones included.
    pub fn all(&self) -> &[Lot] {
        &self.lots
    }

    /// The sums.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Reads the lot that is drawn next, for looking ahead.
    #[inline]
    pub(crate) fn look_ahead(&self) -> u64 {
        let next = self.lots.get(self.totals.first_open as usize);
        next.map_or(0, |lot| lot.remaining.micros().cast_unsigned() ^ u64::from(lot.expires.nanos()))
    }

    /// Puts back the sums and one lot's remaining amount as they were: undoes a call's draw.
    pub fn undo(&mut self, totals: Totals, draws: impl Iterator<Item = (u32, Money)>) {
        self.totals = totals;
        for (index, remaining) in draws {
            self.lots[index as usize].remaining = remaining;
        }
    }

    /// Whether there is or was a lot of this name.
    pub fn contains(&self, id: &str) -> bool {
        self.position(id).is_some()
    }

    /// The place of the lot of this name.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.lots.iter().position(|lot| lot.id == id)
    }

    /// Adds an active lot at its place in the order, and returns that place.
    pub fn add(&mut self, lot: Lot) -> usize {
        let place = self.lots.partition_point(|other| (other.purchased, &other.id) < (lot.purchased, &lot.id));
        self.totals.remaining = self.totals.remaining.plus(lot.remaining);
        self.totals.spendable = self.totals.spendable.plus(lot.remaining);
        self.totals.first_open = self.totals.first_open.min(place as u32);
        if self.lots.len() < 8 {
            self.lots.reserve_exact(1);
        }
        self.lots.insert(place, lot);
        place
    }

    /// Takes `amount` from the oldest lots that a call of `started` may draw, and returns what they could not cover.
    ///
    /// One line per lot touched is appended to `lines`. Expired lots in their grace count (boundaries.md L3).
    pub fn spend(&mut self, amount: Money, started: Timestamp, lines: &mut Vec<FundingLine>) -> Money {
        let mut missing = amount;
        for index in (self.totals.first_open as usize)..self.lots.len() {
            if missing.is_zero() {
                break;
            }
            let lot = &self.lots[index];
            if lot.remaining.is_positive() && started < lot.expires {
                let (taken, before) = self.take(index, missing);
                missing = missing.minus(taken);
                let source = FundingSource::Lot(index as u32);
                lines.push(FundingLine { source, amount: taken, before, after: before.minus(taken) });
            }
        }
        self.skip_empty();
        missing
    }

    /// Takes `amount` from active lots only, in order; the caller has made sure that they hold as much.
    pub fn withdraw(&mut self, amount: Money) -> Vec<(LotId, Money, Money, Money)> {
        let mut missing = amount;
        let mut taken_from = Vec::new();
        for index in (self.totals.first_open as usize)..self.lots.len() {
            if missing.is_positive()
                && self.lots[index].state == State::Active
                && self.lots[index].remaining.is_positive()
            {
                let (taken, before) = self.take(index, missing);
                missing = missing.minus(taken);
                taken_from.push((self.lots[index].id.clone(), taken, before, before.minus(taken)));
            }
        }
        assert!(missing.is_zero(), "invariant: a withdrawal never exceeds the active lots");
        self.skip_empty();
        taken_from
    }

    /// Takes at most `wanted` from the lot at `index`; returns what was taken and what it held before.
    pub fn take(&mut self, index: usize, wanted: Money) -> (Money, Money) {
        let lot = &mut self.lots[index];
        let before = lot.remaining;
        let taken = before.min(wanted);
        lot.remaining = before.minus(taken);
        self.totals.remaining = self.totals.remaining.minus(taken);
        if lot.state == State::Active {
            self.totals.spendable = self.totals.spendable.minus(taken);
        }
        (taken, before)
    }

    /// As [`Lots::take`], from a lot of the balance; nothing from one that is not, or not any more.
    pub fn take_active(&mut self, index: usize, wanted: Money) -> (Money, Money) {
        match self.lots[index].state {
            State::Active => self.take(index, wanted),
            State::Expired | State::Forfeited | State::Refunded => (Money::ZERO, self.lots[index].remaining),
        }
    }

    /// Gives `amount` back to the lot at `index`, which is active or in its grace and was bought with enough.
    pub fn give_back(&mut self, index: usize, amount: Money) {
        let lot = &mut self.lots[index];
        lot.remaining = lot.remaining.plus(amount);
        self.totals.remaining = self.totals.remaining.plus(amount);
        if lot.state == State::Active {
            self.totals.spendable = self.totals.spendable.plus(amount);
        }
        self.totals.first_open = self.totals.first_open.min(index as u32);
    }

    /// The lot at `index` leaves the balance, keeping what it holds. Returns that amount.
    pub fn expire(&mut self, index: usize) -> Money {
        let lot = &mut self.lots[index];
        assert!(lot.state == State::Active, "invariant: only an active lot expires");
        lot.state = State::Expired;
        self.totals.spendable = self.totals.spendable.minus(lot.remaining);
        lot.remaining
    }

    /// Empties the lot at `index` for good, as forfeited or refunded. Returns what it held.
    pub fn end(&mut self, index: usize, state: State) -> Money {
        let everything = self.lots[index].remaining;
        self.take(index, everything);
        self.lots[index].state = state;
        self.skip_empty();
        everything
    }

    /// Drops lots that are empty and whose expiry lies before `horizon`: nothing can come back to them.
    pub fn forget_before(&mut self, horizon: Timestamp) {
        self.lots.retain(|lot| lot.remaining.is_positive() || lot.state == State::Active || lot.expires >= horizon);
        self.totals.first_open = 0;
        self.skip_empty();
    }

    /// The sums computed anew, for audits: (remaining, spendable).
    pub fn audit(&self) -> (Money, Money) {
        self.lots.iter().fold((Money::ZERO, Money::ZERO), |(remaining, spendable), lot| {
            let active = if lot.state == State::Active { lot.remaining } else { Money::ZERO };
            (remaining.plus(lot.remaining), spendable.plus(active))
        })
    }

    /// Spent lots at the front are never looked at again, which keeps a draw flat in their number.
    fn skip_empty(&mut self) {
        let mut first = self.totals.first_open as usize;
        while self.lots.get(first).is_some_and(|lot| lot.remaining.is_zero()) {
            first = first.saturating_add(1);
        }
        self.totals.first_open = first as u32;
    }
}

#[cfg(test)]
mod tests;
