//! What it takes to undo a batch: the accounts as they were, and the identities that were claimed.
//!
//! A call changes figures and lots' remaining amounts only, so only those are kept, once an account and batch the
//! figures and one entry for each draw. Whatever else touches an account keeps a copy of it whole.

use drawdown_ledger::account::{Account, Head};
use drawdown_ledger::recharge::Recharge;
use drawdown_units::{Money, Timestamp};

use crate::accounts::{Accounts, Slot};
use crate::dedup::{Dedup, Undo};

#[derive(Debug)]
enum Step {
    /// The figures, in `heads`.
    Head(Slot, u32),
    /// What a lot held.
    Draw(Slot, u32, Money),
    Recharge(Slot, Box<Recharge>),
    Whole(Slot, Box<Account>),
    Opened,
}

#[derive(Debug)]
pub struct Journal {
    steps: Vec<Step>,
    heads: Vec<Head>,
    records: Vec<Undo>,
    commands: Vec<Undo>,
    touched: Vec<Slot>,
    clock: Timestamp,
    /// The first days that the tables of identities held when the batch began: what may be swept once the batch
    /// before it is final, whatever this one forgot since.
    first_days: [i64; 2],
}

impl Journal {
    pub fn new() -> Self {
        Journal {
            steps: Vec::new(),
            heads: Vec::new(),
            records: Vec::new(),
            commands: Vec::new(),
            touched: Vec::new(),
            clock: Timestamp::MIN,
            first_days: [i64::MIN; 2],
        }
    }

    /// Begins anew, keeping the buffers.
    pub fn begin(&mut self, clock: Timestamp, records: &Dedup, commands: &Dedup) {
        self.first_days = [records.first_day(), commands.first_day()];
        self.steps.clear();
        self.heads.clear();
        self.records.clear();
        self.commands.clear();
        self.touched.clear();
        self.clock = clock;
    }

    #[inline]
    pub fn head(&mut self, slot: Slot, head: Head) {
        self.steps.push(Step::Head(slot, self.heads.len() as u32));
        self.heads.push(head);
    }

    #[inline]
    pub fn draw(&mut self, slot: Slot, lot: u32, before: Money) {
        self.steps.push(Step::Draw(slot, lot, before));
    }

    pub fn recharge(&mut self, slot: Slot, before: Recharge) {
        self.steps.push(Step::Recharge(slot, Box::new(before)));
    }

    pub fn whole(&mut self, slot: Slot, account: &Account) {
        self.steps.push(Step::Whole(slot, Box::new(account.clone())));
    }

    pub fn opened(&mut self) {
        self.steps.push(Step::Opened);
    }

    #[inline]
    pub fn records_changed(&mut self, undo: Undo) {
        self.records.push(undo);
    }

    pub fn commands_changed(&mut self, undo: Undo) {
        self.commands.push(undo);
    }

    /// Notes an account touched for the first time in this batch.
    #[inline]
    pub fn touched(&mut self, slot: Slot) {
        self.touched.push(slot);
    }

    /// The accounts this batch touched, in the order in which it did.
    pub fn dirty(&self) -> &[Slot] {
        &self.touched
    }

    /// The first days that records and commands were held of when the batch began.
    pub fn first_days(&self) -> [i64; 2] {
        self.first_days
    }

    /// Puts everything back, latest first; returns the partition's clock as it was.
    pub fn undo(&mut self, accounts: &mut Accounts, records: &mut Dedup, commands: &mut Dedup) -> Timestamp {
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Head(slot, index) => {
                    accounts.get_mut(slot).undo_calls(self.heads[index as usize], std::iter::empty());
                    accounts.schedule(slot);
                }
                Step::Draw(slot, lot, before) => {
                    let account = accounts.get_mut(slot);
                    let head = *account.head();
                    account.undo_calls(head, std::iter::once((lot, before)));
                }
                Step::Recharge(slot, before) => accounts.get_mut(slot).undo_recharge(*before),
                Step::Whole(slot, account) => {
                    *accounts.get_mut(slot) = *account;
                    accounts.schedule(slot);
                }
                Step::Opened => accounts.remove_last(),
            }
        }
        self.records.drain(..).rev().for_each(|undo| records.undo(undo));
        self.commands.drain(..).rev().for_each(|undo| commands.undo(undo));
        self.heads.clear();
        self.touched.clear();
        self.clock
    }
}
