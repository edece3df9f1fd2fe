//! What it takes to undo a batch: the accounts as they were, and the identities that were claimed.
//!
//! A call changes figures and lots' remaining amounts only, so only those are kept, once an account and batch the
//! figures and one entry for each draw. Whatever else touches an account keeps a copy of it whole, once a batch, after
//! which nothing else need be kept of it; but for licences and pools, whose changes are kept one by one.

use drawdown_ledger::account::{Account, Head};
use drawdown_ledger::entitlements::{self, UserPlace};
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
    /// A change of licences or pools, the last of those kept.
    Entitlement(Slot),
    Whole(Slot, Box<Account>),
    Opened,
}

#[derive(Debug)]
pub struct Journal {
    steps: Vec<Step>,
    heads: Vec<Head>,
    entitlements: Vec<entitlements::Undo>,
    records: Vec<Undo>,
    commands: Vec<Undo>,
    touched: Vec<Slot>,
    users: Vec<(Slot, UserPlace)>,
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
            entitlements: Vec::new(),
            records: Vec::new(),
            commands: Vec::new(),
            touched: Vec::new(),
            users: Vec::new(),
            clock: Timestamp::MIN,
            first_days: [i64::MIN; 2],
        }
    }

    /// Begins anew, keeping the buffers.
    pub fn begin(&mut self, clock: Timestamp, records: &Dedup, commands: &Dedup) {
        self.first_days = [records.first_day(), commands.first_day()];
        self.steps.clear();
        self.heads.clear();
        self.entitlements.clear();
        self.records.clear();
        self.commands.clear();
        self.touched.clear();
        self.users.clear();
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

    /// Keeps an account as it was, but for its licences and pools.
    pub fn whole(&mut self, slot: Slot, checkpoint: Account) {
        self.steps.push(Step::Whole(slot, Box::new(checkpoint)));
    }

    /// Keeps changes of licences and pools, oldest first.
    #[inline]
    pub fn entitlements(&mut self, slot: Slot, changes: &mut Vec<entitlements::Undo>) {
        for change in changes.drain(..) {
            self.users.extend(change.user_place().map(|place| (slot, place)));
            self.steps.push(Step::Entitlement(slot));
            self.entitlements.push(change);
        }
    }

    /// The users this batch touched, each once.
    pub fn dirty_users(&mut self) -> &[(Slot, UserPlace)] {
        self.users.sort_unstable();
        self.users.dedup();
        &self.users
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
                Step::Entitlement(slot) => {
                    let change = self.entitlements.pop().expect("invariant: each such step kept a change");
                    accounts.get_mut(slot).undo_entitlement(change);
                }
                Step::Recharge(slot, before) => accounts.get_mut(slot).undo_recharge(*before),
                Step::Whole(slot, account) => {
                    accounts.get_mut(slot).go_back(*account);
                    accounts.schedule(slot);
                }
                Step::Opened => accounts.remove_last(),
            }
        }
        self.records.drain(..).rev().for_each(|undo| records.undo(undo));
        self.commands.drain(..).rev().for_each(|undo| commands.undo(undo));
        self.heads.clear();
        self.touched.clear();
        self.users.clear();
        self.clock
    }
}
