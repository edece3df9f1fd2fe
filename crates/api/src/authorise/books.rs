//! Accounts with their users, decoded once for many questions.
//!
//! An account is decoded when it is asked for, and kept; what is committed later is noted, and taken over by whoever asks
//! next. So a commit pays for a copy of a few hundred bytes, and only where somebody has asked, and a question pays for no
//! more than what has changed.
//!
//! Invariant: whatever was published before a question is in its answer. For that, states are published where they are
//! read back from ([`States`]) first, and told here afterwards.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use drawdown_ledger::{Account, Rules};
use drawdown_wire::account;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::Ledger;

/// Where states are read back from, as they were committed last.
pub trait States: Send + Sync {
    /// The state of an account.
    fn account(&self, org: &str) -> Option<Vec<u8>>;

    /// Shows the states of all users of an organisation that ever held a licence.
    fn users(&self, org: &str, each: &mut dyn FnMut(&[u8]));

    /// The partition of an account.
    fn partition(&self, org: &str) -> Option<u32>;
}

/// Decoded accounts.
pub struct Books {
    states: Arc<dyn States>,
    rules: Rules,
    parts: Box<[Part]>,
    /// How many are kept in each part.
    of_part_count_max: usize,
}

type Part = RwLock<FxHashMap<Box<str>, Arc<Book>>>;

#[derive(Debug, Default)]
struct Book {
    later: Mutex<Later>,
    account: Mutex<Decoded>,
}

/// What was committed since.
#[derive(Debug, Default)]
struct Later {
    account: Option<Vec<u8>>,
    /// By user; none but the latest counts.
    users: BTreeMap<Box<[u8]>, Vec<u8>>,
}

#[derive(Debug, Default)]
enum Decoded {
    /// Nobody has looked yet.
    #[default]
    Unread,
    Known(Box<Account>),
    /// There is no such account, or no state of it that can be read.
    Unknown,
}

const PART_COUNT: usize = 32;

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books").finish_non_exhaustive()
    }
}

impl Books {
    /// Of up to `count_max` organisations at once.
    pub fn new(states: Arc<dyn States>, rules: Rules, count_max: usize) -> Self {
        let parts = (0..PART_COUNT).map(|_| Part::default()).collect();
        Books { states, rules, parts, of_part_count_max: (count_max / PART_COUNT).max(1) }
    }

    /// Something was committed: an account's state under its organisation, or a user's under
    /// [`user_key`](account::user_key). To be told once it can be read back.
    pub fn committed(&self, key: &[u8], state: &[u8]) {
        let Ok(org) = std::str::from_utf8(account::org_of_key(key)) else { return };
        let Some(book) = read(self.part(org)).get(org).cloned() else { return };
        let mut later = lock(&book.later);
        if account::is_user(state) {
            later.users.insert(key.into(), state.to_vec());
        } else {
            later.account = Some(state.to_vec());
        }
    }

    /// Forgets everything: states may have been replaced unseen.
    pub fn forget(&self) {
        for part in &self.parts {
            part.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn part(&self, org: &str) -> &Part {
        &self.parts[(FxBuildHasher.hash_one(org) >> 32) as usize % PART_COUNT]
    }

    /// The book of an organisation, there before its states are read, so that nothing committed meanwhile is missed.
    fn book(&self, org: &str) -> Arc<Book> {
        let part = self.part(org);
        if let Some(book) = read(part).get(org) {
            return Arc::clone(book);
        }
        let mut books = part.write().unwrap_or_else(PoisonError::into_inner);
        if books.len() >= self.of_part_count_max && !books.contains_key(org) {
            // Any of them: who is asked for often is soon read again.
            let some = books.keys().next().cloned();
            some.and_then(|some| books.remove(&some));
        }
        Arc::clone(books.entry(org.into()).or_default())
    }

    fn read_back(&self, org: &str) -> Decoded {
        let opening = self.states.account(org).and_then(|state| account::unpack(&state).ok());
        let Some(mut account) = opening.and_then(|opening| Account::restore(opening, &self.rules)) else {
            return Decoded::Unknown;
        };
        self.states.users(org, &mut |state| {
            if let Ok((_, user)) = account::unpack_user(state) {
                account.follow_user(user, &self.rules);
            }
        });
        account.recount(&self.rules);
        Decoded::Known(Box::new(account))
    }

    fn take_over(&self, account: &mut Account, later: Later) -> Option<()> {
        if let Some(state) = later.account {
            account.follow(account::unpack(&state).ok()?, &self.rules)?;
        }
        let mut is_counted = true;
        for state in later.users.into_values() {
            let (_, user) = account::unpack_user(&state).ok()?;
            is_counted &= !account.follow_user(user, &self.rules);
        }
        if !is_counted {
            account.recount(&self.rules);
        }
        Some(())
    }
}

impl Ledger for Books {
    fn with<R>(&self, org: &str, look: impl FnOnce(Option<&Account>) -> R) -> R {
        let book = self.book(org);
        let mut decoded = lock(&book.account);
        let later = std::mem::take(&mut *lock(&book.later));
        let is_known = match &mut *decoded {
            Decoded::Known(account) => self.take_over(account, later).is_some(),
            Decoded::Unknown => later.account.is_none(),
            Decoded::Unread => false,
        };
        if !is_known {
            *decoded = self.read_back(org);
        }
        match &*decoded {
            Decoded::Known(account) => look(Some(account)),
            Decoded::Unknown | Decoded::Unread => look(None),
        }
    }

    fn partition(&self, org: &str) -> Option<u32> {
        self.states.partition(org)
    }
}

fn read(part: &Part) -> std::sync::RwLockReadGuard<'_, FxHashMap<Box<str>, Arc<Book>>> {
    part.read().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
