//! The account of one organisation, rebuilt from its debits and events in the order of `seq`, and every figure checked.
//!
//! Two accounts of the same money are kept: what lots and sums hold follows the `after` of each line, what came and went
//! follows the amounts. Each line must fit what was before it, and each `balanceAfter` what lots and overdraft come to.
//! The first thing that does not fit is a fault that names its `seq`: a statement cannot be half right.

mod debit;
mod event;
mod flows;

use std::fmt::Display;

use drawdown_units::{Currency, Money, Sum, Timestamp};
use rustc_hash::FxHashMap;

use crate::fault::Fault;
use crate::fields::Place;
use crate::line::{Debit, Event};
use crate::lot::{Lot, State};

pub use flows::Flows;

/// A debit or an event.
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and a box for each would cost more")]
pub(crate) enum Body<'a> {
    Debit(Debit<'a>),
    Event(Event<'a>),
}

/// The next of an organisation's debits and events.
pub(crate) struct Entry<'a> {
    pub place: Place<'a>,
    pub seq: u64,
    pub at: Timestamp,
    pub body: Body<'a>,
}

/// An account as of the last entry.
#[derive(Debug)]
pub(crate) struct Account {
    org: Box<str>,
    pub seq: u64,
    pub at: Timestamp,
    pub currency: Option<Currency>,
    lots: FxHashMap<Box<str>, Lot>,
    pub balance: Money,
    pub overdraft: Money,
    pub post_usage: Money,
    pub uncollected: Money,
    pub unlicensed: Money,
    /// What the debit of a reversal says will be returned, until the event that does it.
    to_return: Option<(u64, Money)>,
    /// What came and went since they were last set to nothing.
    pub flows: Flows,
}

impl Account {
    pub fn new(org: &str) -> Self {
        Account {
            org: org.into(),
            seq: 0,
            at: Timestamp::MIN,
            currency: None,
            lots: FxHashMap::default(),
            balance: Money::ZERO,
            overdraft: Money::ZERO,
            post_usage: Money::ZERO,
            uncollected: Money::ZERO,
            unlicensed: Money::ZERO,
            to_return: None,
            flows: Flows::default(),
        }
    }

    /// Books the next entry.
    pub fn book(&mut self, entry: &Entry<'_>) -> Result<(), Fault> {
        if entry.seq != self.seq.saturating_add(1) {
            return Err(self.missing(entry.seq));
        }
        self.seq = entry.seq;
        if entry.at < self.at {
            return Err(self.contradiction(format_args!("at {}, after {}", entry.at, self.at)));
        }
        self.at = entry.at;
        let balance_after = match &entry.body {
            Body::Debit(debit) => {
                self.expect_nothing_to_return()?;
                self.book_debit(debit, entry.place)?;
                &debit.balance_after
            }
            Body::Event(event) => {
                self.book_event(event, entry.place)?;
                &event.balance_after
            }
        };
        let balance_after = entry.place.money("balanceAfter", balance_after)?;
        self.same("balanceAfter", balance_after, self.balance)
    }

    /// The lots that hold something, in the order in which they are drawn.
    pub fn lots(&self) -> Vec<Lot> {
        let mut lots: Vec<Lot> = self.lots.values().filter(|lot| !lot.remaining.is_zero()).cloned().collect();
        lots.sort_by(|a, b| a.order().cmp(&b.order()));
        lots
    }

    /// Held by all lots, expired ones too.
    pub fn remaining(&self) -> Sum {
        self.lots.values().map(|lot| Sum::from(lot.remaining)).sum()
    }

    fn add_lot(&mut self, lot: Lot) -> Result<(), Fault> {
        // The id of a lot may be used again once it is empty and forgotten.
        if self.lots.get(&lot.id).is_some_and(|old| !old.remaining.is_zero()) {
            return Err(self.contradiction(format_args!("lot {} is there already", lot.id)));
        }
        self.balance = self.balance.plus(lot.amount);
        self.lots.insert(lot.id.clone(), lot);
        Ok(())
    }

    /// A lot that holds `before` holds `before` − `amount` from now on, which is `after`.
    fn draw(&mut self, id: &str, amount: Money, before: Money, after: Money) -> Result<(), Fault> {
        let Some(lot) = self.lots.get(id) else { return Err(self.unknown_lot(id)) };
        let (held, state) = (lot.remaining, lot.state);
        self.same(&format!("before, of lot {id},"), before, held)?;
        self.same(&format!("after, of lot {id},"), after, before.minus(amount))?;
        if after.is_negative() || !matches!(state, State::Active | State::Expired) {
            return Err(self.contradiction(format_args!("lot {id} is {} and would hold {after}", state.name())));
        }
        if state == State::Active {
            self.balance = self.balance.minus(amount);
        }
        if let Some(lot) = self.lots.get_mut(id) {
            lot.remaining = after;
        }
        Ok(())
    }

    /// A lot leaves the balance, and unless it only expired it loses what it holds, which is `amount`.
    fn end(&mut self, id: &str, amount: Money, state: State) -> Result<(), Fault> {
        let Some(lot) = self.lots.get_mut(id) else { return Err(self.unknown_lot(id)) };
        let (held, was) = (lot.remaining, lot.state);
        lot.state = state;
        if state != State::Expired {
            lot.remaining = Money::ZERO;
        }
        if was == State::Active {
            self.balance = self.balance.minus(held);
        }
        let from = if state == State::Forfeited { State::Expired } else { State::Active };
        if was != from {
            return Err(self.contradiction(format_args!("lot {id} is {} before it is {}", was.name(), state.name())));
        }
        self.same(&format!("amount, of lot {id},"), amount, held)
    }

    fn set_overdraft(&mut self, overdraft: Money) {
        self.balance = self.balance.plus(self.overdraft).minus(overdraft);
        self.overdraft = overdraft;
    }

    /// A reversal that could not put back everything is followed by the event that returns the rest.
    fn expect_nothing_to_return(&self) -> Result<(), Fault> {
        match self.to_return {
            None => Ok(()),
            Some((seq, amount)) => Err(self.contradiction(format_args!(
                "the reversal with seq {seq} returns {amount}, but FundsReturned is missing"
            ))),
        }
    }

    fn same(&self, what: &str, found: Money, expected: Money) -> Result<(), Fault> {
        if found == expected {
            return Ok(());
        }
        Err(self.contradiction(format_args!("{what} is {found}, where what was before comes to {expected}")))
    }

    fn unknown_lot(&self, id: &str) -> Fault {
        self.contradiction(format_args!("there is no lot {id}"))
    }

    fn missing(&self, found: u64) -> Fault {
        let expected = self.seq.saturating_add(1);
        let problem = if found > expected {
            format!("missing: the next one is {found}; all debits and events since the account was opened are needed")
        } else {
            format!("expected, where {found} comes: lines of one organisation stand in the order of seq")
        };
        Fault::Inconsistent { org: self.org.to_string(), seq: expected, problem }
    }

    fn contradiction(&self, problem: impl Display) -> Fault {
        Fault::Inconsistent { org: self.org.to_string(), seq: self.seq, problem: problem.to_string() }
    }
}
