//! Who owns what: this process knows its own partitions at once; on Kafka it knows those of others from the group's
//! coordinator.

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
    /// A worker owns these now, and is to read them back: no other has them.
    pub fn assigned(&self, worker: u32, partitions: &[u32]) {
        let mut ours = self.lock();
        for others in ours.values_mut() {
            others.partitions.retain(|partition| !partitions.contains(partition));
        }
        ours.insert(worker, Owned { partitions: partitions.to_vec(), is_restored: false });
    }

    /// A worker has read back what it owns.
    pub fn restored(&self, worker: u32) {
        self.lock().entry(worker).or_default().is_restored = true;
    }

    /// A worker owns nothing any more. Returns what it owned until now.
    pub fn given_up(&self, worker: u32) -> Vec<u32> {
        self.lock().remove(&worker).unwrap_or_default().partitions
    }

    /// Whether a worker owns it, read back or not.
    pub fn lists(&self, partition: u32) -> bool {
        self.lock().values().any(|owned| owned.partitions.contains(&partition))
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
            // The address is our own, and we do not know yet.
            Ok((partition, _)) if self.ours.lists(partition) => Owner::Nobody,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_moves_to_another_worker_is_that_ones_alone() {
        let ours = Ours::default();
        ours.assigned(0, &[0, 1]);
        assert!(ours.lists(1) && !ours.has(1), "it is not read back yet");
        ours.restored(0);
        assert!(ours.has(1));
        ours.assigned(1, &[1]);
        ours.restored(1);
        assert_eq!(ours.given_up(0), [0]);
        assert!(ours.has(1) && !ours.lists(0));
        assert_eq!(ours.given_up(0), [] as [u32; 0]);
        assert_eq!(ours.given_up(1), [1]);
        assert!(!ours.lists(1));
    }
}
