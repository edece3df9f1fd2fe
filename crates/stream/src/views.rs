//! Accounts as they were committed last: what readers see, published after each commit.
//!
//! Invariant: a view is never ahead of the log. Holds states in their binary form, decoded only when someone asks.

use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use drawdown_wire::account;

/// Views of the accounts of this process and of their users, shared between the workers that publish and whoever reads.
#[derive(Debug, Default)]
pub struct Views {
    accounts: Shelf,
    users: DashMap<Box<[u8]>, Users>,
    users_bytes: AtomicUsize,
}

/// The users of an organisation, by their keys.
#[derive(Debug, Default)]
struct Users {
    partition: u32,
    states: HashMap<Box<[u8]>, Vec<u8>>,
}

/// States by key.
#[derive(Debug, Default)]
struct Shelf {
    views: DashMap<Box<[u8]>, View>,
    size_bytes: AtomicUsize,
}

#[derive(Debug)]
struct View {
    partition: u32,
    state: Vec<u8>,
}

impl Views {
    /// Publishes the committed state of an account or of a user, by its key in `accounts`.
    pub fn publish(&self, partition: u32, key: &[u8], state: &[u8]) {
        if !account::is_user(state) {
            return self.accounts.publish(partition, key, state);
        }
        let org = account::org_of_key(key);
        let mut users = match self.users.get_mut(org) {
            Some(users) => users,
            None => self.users.entry(org.into()).or_default(),
        };
        users.partition = partition;
        let before = users.states.insert(key.into(), state.to_vec());
        self.users_bytes.fetch_add(state.len(), Ordering::Relaxed);
        self.users_bytes.fetch_sub(before.map_or(0, |before| before.len()), Ordering::Relaxed);
    }

    /// Forgets the accounts of a partition that is not ours any more.
    pub fn forget(&self, partition: u32) {
        self.accounts.forget(partition);
        self.users.retain(|_, users| {
            let is_kept = users.partition != partition;
            if !is_kept {
                let size_bytes = users.states.values().map(Vec::len).sum();
                self.users_bytes.fetch_sub(size_bytes, Ordering::Relaxed);
            }
            is_kept
        });
    }

    /// The committed state of an account, in its binary form; `None` if it was never opened or is not ours.
    pub fn get(&self, org: &str) -> Option<Vec<u8>> {
        self.accounts.get(org.as_bytes())
    }

    /// The partition of an account that is ours.
    pub fn partition(&self, org: &str) -> Option<u32> {
        self.accounts.views.get(org.as_bytes()).map(|view| view.partition)
    }

    /// The committed state of a user, in its binary form; `None` where no licence was ever assigned, or not here.
    pub fn user(&self, org: &str, user: &str) -> Option<Vec<u8>> {
        self.users.get(org.as_bytes())?.states.get(&*account::user_key(org, user)).cloned()
    }

    /// Shows `each` the state of every user of an organisation.
    pub fn each_user(&self, org: &str, each: &mut dyn FnMut(&[u8])) {
        if let Some(users) = self.users.get(org.as_bytes()) {
            users.states.values().for_each(|state| each(state));
        }
    }

    /// Shows `each` the state of every account. Writers wait for a part of the accounts at a time, not for all.
    pub fn each(&self, mut each: impl FnMut(&[u8])) {
        self.accounts.views.iter().for_each(|view| each(&view.state));
    }

    /// The first organisations after `after` in the order of their names, `limit` at most. Looks at every one.
    pub fn first_after(&self, after: &str, limit: usize) -> Vec<String> {
        let mut first: BinaryHeap<Box<[u8]>> = BinaryHeap::new();
        for view in &self.accounts.views {
            let key = view.key();
            if **key > *after.as_bytes() && (first.len() < limit || first.peek().is_some_and(|last| key < last)) {
                first.push(key.clone());
                if first.len() > limit {
                    first.pop();
                }
            }
        }
        let names = first.into_sorted_vec().into_iter();
        names.filter_map(|name| String::from_utf8(name.into_vec()).ok()).collect()
    }

    /// All states together, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.accounts.size_bytes.load(Ordering::Relaxed) + self.users_bytes.load(Ordering::Relaxed)
    }

    /// How many accounts.
    pub fn count(&self) -> usize {
        self.accounts.views.len()
    }
}

impl Shelf {
    fn publish(&self, partition: u32, key: &[u8], state: &[u8]) {
        if let Some(mut view) = self.views.get_mut(key) {
            self.size_bytes.fetch_sub(view.state.len(), Ordering::Relaxed);
            view.partition = partition;
            view.state.clear();
            view.state.extend_from_slice(state);
        } else {
            self.views.insert(key.into(), View { partition, state: state.to_vec() });
        }
        self.size_bytes.fetch_add(state.len(), Ordering::Relaxed);
    }

    fn forget(&self, partition: u32) {
        self.views.retain(|_, view| {
            let is_kept = view.partition != partition;
            if !is_kept {
                self.size_bytes.fetch_sub(view.state.len(), Ordering::Relaxed);
            }
            is_kept
        });
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.views.get(key).map(|view| view.state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_given_up_takes_its_accounts_along() {
        let views = Views::default();
        views.publish(0, b"a", b"1");
        views.publish(1, b"b", b"2");
        views.publish(0, b"a", b"33");
        assert_eq!(views.get("a").as_deref(), Some(&b"33"[..]));
        views.forget(0);
        assert_eq!((views.get("a"), views.count(), views.size_bytes()), (None, 1, 1));
        let mut seen = Vec::new();
        views.each(|state| seen.push(state.to_vec()));
        assert_eq!(seen, [b"2"]);
    }
}
