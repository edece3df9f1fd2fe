//! Which running calls changed since their states were handed to the log: only their keys, since what counts is what is
//! promised when a transaction takes it along.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use drawdown_wire::account::call_key;
use rustc_hash::{FxHashMap, FxHashSet};

type Keys = FxHashSet<Box<[u8]>>;

/// Keys by partition.
#[derive(Debug, Default)]
pub struct Unkept {
    partitions: FxHashMap<u32, Keys>,
    /// Of all shards together.
    count: Arc<AtomicUsize>,
}

impl Unkept {
    /// Nothing yet; `count` is raised and lowered with what comes and goes.
    pub fn counted_by(count: Arc<AtomicUsize>) -> Self {
        Unkept { partitions: FxHashMap::default(), count }
    }

    /// What is promised to a call has changed; whether it had before.
    pub fn note(&mut self, partition: u32, org: &str, call: &str) -> bool {
        self.note_key(partition, call_key(org, call).into())
    }

    /// Likewise, by its key.
    pub fn note_key(&mut self, partition: u32, key: Box<[u8]>) -> bool {
        let is_new = self.partitions.entry(partition).or_default().insert(key);
        self.count.fetch_add(usize::from(is_new), Ordering::Relaxed);
        !is_new
    }

    /// A call is over that the log never knew of.
    pub fn drop_key(&mut self, partition: u32, org: &str, call: &str) {
        let keys = self.partitions.get_mut(&partition);
        let was_there = keys.is_some_and(|keys| keys.remove(&*call_key(org, call)));
        self.count.fetch_sub(usize::from(was_there), Ordering::Relaxed);
    }

    /// What changed in a partition, which is then up to the caller.
    pub fn take(&mut self, partition: u32) -> Keys {
        let keys = self.partitions.remove(&partition).unwrap_or_default();
        self.count.fetch_sub(keys.len(), Ordering::Relaxed);
        keys
    }
}
