//! Reservations that outlive their process: what is promised to a running call is kept in the log beside its account, with
//! the transaction that comes next, and read back by whoever owns the partition then.
//!
//! Invariants: what is kept is what is promised at that time; what was promised since, here, is not replaced by what is
//! read back. What was promised after the last transaction of a process that died is lost: a call's next extension
//! makes it anew.

use std::sync::Arc;

use drawdown_engine::worker::Messages;
use drawdown_wire::account::{self, RunningCall};

use super::Authoriser;
use super::asked::Asked;
use super::shard::{Org, Reservation};

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
        let mut shard = self.shards.of(org);
        if shard.unkept.has(partition, key) {
            return;
        }
        let was_known = shard.forget(org, call).is_some();
        let running = match state.is_empty() {
            true => None,
            false => {
                account::unpack_call(state).map_err(|error| tracing::error!("a running call is lost: {error}")).ok()
            }
        };
        let is_known = running.is_some();
        if let Some(running) = running {
            shard.restore(partition, running);
        }
        drop(shard);
        self.recount(usize::from(was_known), usize::from(is_known));
    }

    /// A worker that owned `before` owns `now`: what will be read back is forgotten, and what others will decide.
    pub fn reassigned(&self, before: &[u32], now: &[u32]) {
        for mut shard in self.shards.each() {
            let mut gone = Vec::new();
            for (org, Org { partition, calls, .. }) in &shard.orgs {
                let is_ours = now.contains(partition);
                if is_ours || before.contains(partition) {
                    let stays = |call: &str| is_ours && shard.unkept.has(*partition, &account::call_key(org, call));
                    let of = calls.keys().filter(|call| !stays(call)).map(|call| (Arc::clone(org), call.clone()));
                    gone.extend(of);
                }
            }
            for (org, call) in &gone {
                shard.forget(org, call);
            }
            for partition in before.iter().filter(|partition| !now.contains(partition)) {
                shard.unkept.take(*partition);
            }
            drop(shard);
            self.recount(gone.len(), 0);
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
