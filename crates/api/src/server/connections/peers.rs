//! How many connections each address holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::access::network;

/// The connections by address; those without any are not kept.
#[derive(Debug)]
pub(super) struct Peers {
    count_max: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one connection. Dropped, it is free again.
#[derive(Debug)]
pub(super) struct Place {
    peers: Arc<Peers>,
    whose: IpAddr,
}

impl Peers {
    pub fn new(count_max: usize) -> Self {
        Peers { count_max, counts: Mutex::default() }
    }

    /// A place for one more connection from `address`, if it has not got its share.
    pub fn enter(peers: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let whose = network(address);
        let mut counts = peers.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose).or_insert(0);
        if *count >= peers.count_max {
            return None;
        }
        *count += 1;
        Some(Place { peers: Arc::clone(peers), whose })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}
