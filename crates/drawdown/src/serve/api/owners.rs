//! Who owns what on Kafka: this process knows its own partitions at once, those of others from the group's coordinator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use drawdown_api::owners::{Owner, Owners};
use drawdown_stream::kafka::{KafkaSettings, owners};

/// The partitions of this process, by worker.
#[derive(Debug, Default)]
pub struct Ours(Mutex<BTreeMap<u32, Vec<u32>>>);

impl Ours {
    /// A worker owns these now, and no others.
    pub fn set(&self, worker: u32, partitions: Vec<u32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(worker, partitions);
    }

    fn has(&self, partition: u32) -> bool {
        let ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ours.values().any(|partitions| partitions.contains(&partition))
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
