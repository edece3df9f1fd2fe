//! What the connector did, counted for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Outcome;
use crate::times::Times;

/// Counts since the start; no label of it is an organisation.
#[derive(Debug, Default)]
pub struct Tally {
    succeeded: AtomicU64,
    declined: AtomicU64,
    failed: AtomicU64,
    unanswered: AtomicU64,
    agreed: AtomicU64,
    undecodable: AtomicU64,
    let_go: AtomicU64,
    outstanding: AtomicU64,
    /// How long charges were at the gateway, answered or not.
    pub took: Times,
}

impl Tally {
    /// How many charges the gateway answered so, each answer settled.
    pub fn settled(&self, outcome: Outcome) -> u64 {
        self.of(outcome).load(Ordering::Relaxed)
    }

    /// How often a gateway's answer was not known.
    pub fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// How many recharges were settled by agreement, without the gateway.
    pub fn agreed(&self) -> u64 {
        self.agreed.load(Ordering::Relaxed)
    }

    /// How many lines of the log were no account events.
    pub fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }

    /// How many charges were left to the next request of the engine, because no answer came for too long.
    pub fn let_go(&self) -> u64 {
        self.let_go.load(Ordering::Relaxed)
    }

    /// How many charges wait for their answer now.
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    pub(super) fn note_settled(&self, outcome: Outcome) {
        self.of(outcome).fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_agreed(&self) {
        self.agreed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_undecodable(&self) {
        self.undecodable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_unanswered(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_let_go(&self, count: usize) {
        self.let_go.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn note_outstanding(&self, count: usize) {
        self.outstanding.store(count as u64, Ordering::Relaxed);
    }

    fn of(&self, outcome: Outcome) -> &AtomicU64 {
        match outcome {
            Outcome::Succeeded => &self.succeeded,
            Outcome::Declined => &self.declined,
            Outcome::Failed => &self.failed,
        }
    }
}
