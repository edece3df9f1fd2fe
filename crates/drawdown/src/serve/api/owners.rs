//! Who owns what on Kafka: this process knows its own partitions at once, those of others from the group's coordinator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use drawdown_api::owners::{Owner, Owners};
use drawdown_stream::embedded::PARTITION;
use drawdown_stream::kafka::{KafkaSettings, owners};

/// The partitions of this process, by worker.
#[derive(Debug, Default)]
pub struct Ours(Mutex<BTreeMap<u32, Owned>>);

/// The partitions of a worker.
#[derive(Debug, Default)]
struct Owned {
    partitions: Vec<u32>,
    /// They were read back, and not given up since: until then nothing can be said of their organisations.
    is_restored: bool,
}

impl Ours {
    /// A worker owns these now, and is to read them back. Returns what it owned before.
    pub fn assigned(&self, worker: u32, partitions: &[u32]) -> Vec<u32> {
        let owned = Owned { partitions: partitions.to_vec(), is_restored: false };
        self.lock().insert(worker, owned).unwrap_or_default().partitions
    }

    /// A worker has read back what it owns.
    pub fn restored(&self, worker: u32) {
        self.lock().entry(worker).or_default().is_restored = true;
    }

    /// A worker owns nothing for now. Returns what it owned.
    pub fn given_up(&self, worker: u32) -> Vec<u32> {
        let mut ours = self.lock();
        let owned = ours.entry(worker).or_default();
        owned.is_restored = false;
        owned.partitions.clone()
    }

    fn has(&self, partition: u32) -> bool {
        self.lock().values().any(|owned| owned.is_restored && owned.partitions.contains(&partition))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Owned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The only process, with the only partition.
pub struct Single(pub Arc<Ours>);

impl Single {
    fn owner(&self) -> Owner {
        if self.0.has(PARTITION) { Owner::Here } else { Owner::Nobody }
    }
}

impl Owners for Single {
    fn known(&self, _: &str) -> Option<Owner> {
        Some(self.owner())
    }

    fn find(&self, _: &str) -> Owner {
        self.owner()
    }
}

/// The owners of a group.
pub struct GroupOwners {
    group: owners::Owners,
    ours: Arc<Ours>,
}

impl GroupOwners {
    pub fn new(settings: &KafkaSettings, ours: Arc<Ours>) -> Self {
        GroupOwners { group: owners::Owners::new(settings), ours }
    }
}

impl Owners for GroupOwners {
    fn known(&self, org: &str) -> Option<Owner> {
        let partition = self.group.partition(org)?;
        self.ours.has(partition).then_some(Owner::Here)
    }

    fn find(&self, org: &str) -> Owner {
        match self.group.of(org) {
            Ok((partition, _)) if self.ours.has(partition) => Owner::Here,
            Ok((_, Some(address))) => Owner::There(address),
            Ok(_) => {
                self.group.forget();
                Owner::Nobody
            }
            Err(error) => {
                tracing::warn!("who owns a partition cannot be asked: {error}");
                Owner::Nobody
            }
        }
    }
}
