//! Reservations that outlive their process: what is promised to a running call is kept in the log beside its account, with
//! the transaction that comes next, and read back by whoever owns the partition then.
//!
//! Invariant: what is kept is what is promised at that time. What was promised after the last transaction before a process
//! died, or partitions changed hands, is lost: a call's next extension makes it anew.

use std::sync::Arc;

use drawdown_engine::worker::Messages;
use drawdown_wire::account::{self, RunningCall};

use super::Authoriser;
use super::asked::Asked;
use super::shard::Reservation;

impl Authoriser {
    /// Whether anything changed that the log does not know yet.
    pub fn has_unkept(&self) -> bool {
        self.shards.unkept_count() > 0
    }

    /// Adds to `states` what changed in a partition: nothing by the key of a call that is over.
    pub fn keep(&self, partition: u32, states: &mut Messages) {
        for mut shard in self.shards.each() {
            for key in shard.unkept.take(partition) {
                let Some((org, call)) = account::call_of_key(&key) else { continue };
                let of_org = shard.orgs.get_mut(org);
                match of_org.and_then(|of_org| of_org.calls.get_mut(call)) {
                    Some(reservation) => {
                        reservation.is_kept = true;
                        let running = reservation.as_running(org, call);
                        states.push(&key, |out| account::pack_call(out, &running));
                    }
                    None => states.push_empty(&key),
                }
            }
        }
    }

    /// What was handed to the log was not kept: it changes anew.
    pub fn not_kept(&self, partition: u32, key: &[u8]) {
        if let Some((org, _)) = account::call_of_key(key) {
            self.shards.of(org).unkept.note_key(partition, key.into());
        }
    }

    /// Takes over what was kept of a call by its key: nothing, if it is over. Of one call the latest counts.
    pub fn restore(&self, partition: u32, key: &[u8], state: &[u8]) {
        let Some((org, call)) = account::call_of_key(key) else { return };
        let running = match state {
            [] => None,
            _ => account::unpack_call(state).map_err(|error| tracing::error!("a running call is lost: {error}")).ok(),
        };
        let mut shard = self.shards.of(org);
        let (was_known, is_known) = (shard.forget(org, call).is_some(), running.is_some());
        if let Some(running) = running {
            shard.restore(partition, running);
        }
        drop(shard);
        self.recount(usize::from(was_known), usize::from(is_known));
    }

    /// Other partitions are owned from now on, or the same anew: whatever is promised to calls of these is forgotten. What
    /// is ours will be read back; what others decide is theirs.
    pub fn forget(&self, partitions: &[u32]) {
        for mut shard in self.shards.each() {
            let of = shard.orgs.iter().filter(|(_, of_org)| partitions.contains(&of_org.partition));
            let calls = of.flat_map(|(org, of_org)| of_org.calls.keys().map(|call| (Arc::clone(org), call.clone())));
            let calls: Vec<_> = calls.collect();
            for (org, call) in &calls {
                shard.forget(org, call);
            }
            for partition in partitions {
                shard.unkept.take(*partition);
            }
            drop(shard);
            self.recount(calls.len(), 0);
        }
    }
}

impl Reservation {
    fn as_running(&self, org: &str, call: &str) -> RunningCall {
        let Asked { call_type, callee, caller, user, is_domestic, start } = self.asked.clone();
        RunningCall {
            org: org.into(),
            call: call.into(),
            call_type,
            callee,
            caller,
            user,
            is_domestic,
            start,
            granted_s: self.granted_s,
            claim: self.claim.clone(),
            currency: self.currency,
            due: self.due,
        }
    }

    pub(super) fn of_running(running: RunningCall) -> Self {
        let RunningCall {
            call_type, callee, caller, user, is_domestic, start, granted_s, claim, currency, due, ..
        } = running;
        let asked = Asked { call_type, callee, caller, user, is_domestic, start };
        Reservation { asked, granted_s, claim, currency, due, is_kept: true }
    }
}
