//! A partition from what was saved of it: account states and claimed identities.

use std::sync::Arc;

use drawdown_ledger::{Account, Rules};
use drawdown_wire::{account, seen};

use super::{Limits, Partition};
use crate::dedup::Fingerprint;

/// Why what was saved cannot be what a partition saved.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Not the state of an account.
    #[error("{0}")]
    Account(#[from] account::ReadError),
    /// The state of an account that breaks an invariant.
    #[error("the state of {org:?} breaks an invariant of accounts: money is not conserved, or lots are out of order")]
    Broken {
        /// Whose.
        org: Box<str>,
    },
    /// Not a record of identities.
    #[error("{0}")]
    Seen(#[from] seen::ReadError),
}

impl Partition {
    /// Takes over the state of one account; of one organisation the latest counts. Returns whose it is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn restore_account(&mut self, state: &[u8], rules: &Rules) -> Result<&str, RestoreError> {
        let mut opening = account::unpack(state)?;
        opening.rate_plan.1 = self.shared(&opening.rate_plan.1);
        for (_, plan) in &mut opening.earlier_plans {
            *plan = self.shared(plan);
        }
        let org = opening.org.clone();
        let account = Account::restore(opening, rules).ok_or(RestoreError::Broken { org })?;
        let slot = match self.accounts.find(account.org()) {
            Some(slot) => {
                *self.accounts.get_mut(slot) = account;
                slot
            }
            None => self.accounts.add(account, 0),
        };
        Ok(self.accounts.get(slot).org())
    }

    /// Takes over the state of one user; of one user the latest counts. It may come before that of the account.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn restore_user(&mut self, state: &[u8]) -> Result<Vec<u8>, RestoreError> {
        let (org, user) = account::unpack_user(state)?;
        let key = account::user_key(&org, &user.id);
        self.restored_users.push((org, user));
        Ok(key)
    }

    /// Takes over the identities that one transaction claimed, in the order of the transactions.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn restore_seen(&mut self, message: &[u8], limits: &Limits) -> Result<(), RestoreError> {
        let seen = seen::read(message)?;
        self.clock = self.clock.max(seen.clock);
        self.batch = self.batch.max(seen.transaction);
        if let Some(appended) = seen.appended {
            self.transactions.note(seen.transaction, appended, seen.records().count());
        }
        let first_day = self.forgotten_before(limits);
        for table in [&mut self.records, &mut self.commands] {
            // Nothing will be undone to before this point.
            table.forget_before(first_day);
        }
        for record in seen.records() {
            let fingerprint = Fingerprint {
                identity: record.identity,
                content: record.content,
                revision: record.revision,
                day: i64::from(record.day),
            };
            if fingerprint.day >= first_day {
                self.records.insert(fingerprint, seen.transaction);
            }
        }
        for command in seen.commands() {
            let day = i64::from(command.day);
            let fingerprint = Fingerprint { identity: command.identity, content: 0, revision: 0, day };
            if day >= first_day {
                self.commands.insert(fingerprint, seen.transaction);
            }
        }
        Ok(())
    }

    /// Everything was taken over: the partition goes on where the one that saved it stopped.
    pub fn end_restore(&mut self, rules: &Rules) {
        for (org, user) in std::mem::take(&mut self.restored_users) {
            if let Some(slot) = self.accounts.find(&org) {
                self.accounts.get_mut(slot).restore_user(user, rules);
            }
        }
        self.accounts.iter_mut().for_each(|account| account.end_restore(rules));
        self.accounts.rebuild_dues();
        self.begin_batch();
        for table in [&mut self.records, &mut self.commands] {
            table.sweep(table.first_day());
        }
        self.journal.begin(self.clock, &self.records, &self.commands);
    }

    /// The name of a rate plan, shared by all accounts that are sold it, as far as names are few.
    pub(super) fn shared(&mut self, rate_plan: &Arc<str>) -> Arc<str> {
        if let Some(shared) = self.rate_plans.iter().find(|shared| *shared == rate_plan) {
            return Arc::clone(shared);
        }
        if self.rate_plans.len() < super::SHARED_NAME_COUNT_MAX {
            self.rate_plans.push(Arc::clone(rate_plan));
        }
        Arc::clone(rate_plan)
    }
}
