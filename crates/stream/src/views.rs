//! Accounts as they were committed last: what readers see, published after each commit.
//!
//! Invariant: a view is never ahead of the log. Holds states in their binary form, decoded only when someone asks.

use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;

/// Views of the accounts of this process, shared between the workers that publish and whoever reads.
#[derive(Debug, Default)]
pub struct Views {
    accounts: DashMap<Box<str>, View>,
    size_bytes: AtomicUsize,
}

#[derive(Debug)]
struct View {
    partition: u32,
    state: Vec<u8>,
}

impl Views {
    /// Publishes the committed state of one account.
    pub fn publish(&self, partition: u32, org: &str, state: &[u8]) {
        if let Some(mut view) = self.accounts.get_mut(org) {
            self.size_bytes.fetch_sub(view.state.len(), Ordering::Relaxed);
            view.partition = partition;
            view.state.clear();
            view.state.extend_from_slice(state);
        } else {
            self.accounts.insert(org.into(), View { partition, state: state.to_vec() });
        }
        self.size_bytes.fetch_add(state.len(), Ordering::Relaxed);
    }

    /// Forgets the accounts of a partition that is not ours any more.
    pub fn forget(&self, partition: u32) {
        self.accounts.retain(|_, view| {
            let is_kept = view.partition != partition;
            if !is_kept {
                self.size_bytes.fetch_sub(view.state.len(), Ordering::Relaxed);
            }
            is_kept
        });
    }

    /// The committed state of an account, in its binary form; `None` if it was never opened or is not ours.
    pub fn get(&self, org: &str) -> Option<Vec<u8>> {
        self.accounts.get(org).map(|view| view.state.clone())
    }

    /// Shows `each` every state. Writers wait for a part of the accounts at a time, not for all.
    pub fn each(&self, mut each: impl FnMut(&[u8])) {
        self.accounts.iter().for_each(|view| each(&view.state));
    }

    /// All states together, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes.load(Ordering::Relaxed)
    }

    /// How many accounts.
    pub fn count(&self) -> usize {
        self.accounts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_given_up_takes_its_accounts_along() {
        let views = Views::default();
        views.publish(0, "a", b"1");
        views.publish(1, "b", b"2");
        views.publish(0, "a", b"33");
        assert_eq!(views.get("a").as_deref(), Some(&b"33"[..]));
        views.forget(0);
        assert_eq!((views.get("a"), views.count(), views.size_bytes()), (None, 1, 1));
        let mut seen = Vec::new();
        views.each(|state| seen.push(state.to_vec()));
        assert_eq!(seen, [b"2"]);
    }
}
