//! A partition from what was saved of it: account states and claimed identities.

use std::sync::Arc;

use drawdown_ledger::entitlements::User;
use drawdown_ledger::{Account, Rules};
use drawdown_wire::{account, seen};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use xxhash_rust::xxh3::xxh3_64;

use super::{Limits, Partition, Written};
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

/// Users as they are read back, in the order in which they first came: of each the latest state alone, since a topic
/// that is yet to be compacted has many.
#[derive(Debug, Default)]
pub(super) struct RestoredUsers {
    users: Vec<(Box<str>, User)>,
    places: HashTable<u32>,
}

impl RestoredUsers {
    fn put(&mut self, org: Box<str>, user: User) {
        let users = &mut self.users;
        let is_it = |place: &u32| {
            let (of, held) = &users[*place as usize];
            *of == org && held.id == user.id
        };
        let rehash = |place: &u32| {
            let (of, held) = &users[*place as usize];
            hash(of, &held.id)
        };
        match self.places.entry(hash(&org, &user.id), is_it, rehash) {
            Entry::Occupied(place) => users[*place.get() as usize].1 = user,
            Entry::Vacant(place) => {
                place.insert(u32::try_from(users.len()).expect("invariant: a partition has fewer than 2^32 users"));
                users.push((org, user));
            }
        }
    }
}

fn hash(org: &str, user: &str) -> u64 {
    xxh3_64(&account::user_key(org, user))
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
        self.restored_users.put(org, user);
        Ok(key)
    }

    /// Takes over the identities that one transaction claimed, in the order of the transactions.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn restore_seen(&mut self, message: &[u8], limits: &Limits) -> Result<(), RestoreError> {
        let seen = seen::read(message)?;
        let before = self.messages.written;
        if let Some(place) = seen.place.filter(|place| before.ordinal == 0 && place.ordinal > 1) {
            // The first that is left is not the first there was.
            self.forgotten_until = Some(place.clock_before);
        }
        let ordinal = seen.place.map_or(1, |place| place.ordinal).max(before.ordinal);
        self.messages.written = Written { ordinal, clock: self.clock.max(seen.clock) };
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
        for (org, user) in std::mem::take(&mut self.restored_users).users {
            if let Some(slot) = self.accounts.find(&org) {
                self.accounts.get_mut(slot).restore_user(user, rules);
            }
        }
        self.accounts.iter_mut().for_each(|account| account.end_restore(rules));
        if self.messages.written.ordinal == 0 {
            // Every account was opened by something that was seen: all of it is forgotten.
            self.forgotten_until = self.accounts.iter().map(|account| account.head().clock).max();
        }
        self.messages.settled = self.messages.written;
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

#[cfg(test)]
mod tests {
    use drawdown_ledger::entitlements::Pool;

    use super::*;

    #[test]
    fn of_each_user_the_latest_state_alone_is_kept() {
        let mut partition = Partition::default();
        for (org, user, pools) in [("a", "u1", 0), ("a", "u2", 0), ("b", "u1", 0), ("a", "u1", 1), ("a", "u1", 2)] {
            let pools = (0..pools).map(|_| Pool::shared("OWN", *b"--")).collect();
            let user = User { id: user.into(), holdings: Vec::new(), pools };
            let mut state = Vec::new();
            account::pack_user(&mut state, org, &user);
            partition.restore_user(&state).expect("what was written");
        }
        let kept = partition.restored_users.users.iter().map(|(org, user)| (&**org, &*user.id, user.pools.len()));
        assert_eq!(kept.collect::<Vec<_>>(), [("a", "u1", 2), ("a", "u2", 0), ("b", "u1", 0)]);
    }
}
