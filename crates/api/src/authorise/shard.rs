//! The reservations of a part of the organisations, behind one lock.
//!
//! Invariants: every reservation has an entry among the dues at its own due, so that none outlives it; there are no more
//! than twice as many entries as reservations, and a few.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use drawdown_units::{Currency, Money, Timestamp};
use drawdown_wire::account::{Claim, RunningCall};
use drawdown_wire::number::Places;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::asked::Asked;
use super::claims::Claims;
use super::unkept::Unkept;

/// A running call and what it is promised.
#[derive(Debug)]
pub struct Reservation {
    pub asked: Asked,
    pub granted_s: u32,
    pub claim: Claim,
    /// That of the account.
    pub currency: Currency,
    /// When it is given up, if nobody asks for more.
    pub due: Timestamp,
    /// The log was told of it once.
    pub is_kept: bool,
}

/// The running calls of one organisation.
#[derive(Debug)]
pub struct Org {
    /// Where its states are kept.
    pub partition: u32,
    pub calls: FxHashMap<Box<str>, Reservation>,
    pub claims: Claims,
}

/// When which call of which organisation is due.
type Due = (Timestamp, Arc<str>, Box<str>);

/// A part of the organisations.
#[derive(Debug, Default)]
pub struct Shard {
    pub orgs: FxHashMap<Arc<str>, Org>,
    pub places: Places,
    pub unkept: Unkept,
    dues: BinaryHeap<Reverse<Due>>,
    count: usize,
}

/// All organisations.
#[derive(Debug)]
pub struct Shards {
    shards: Box<[Mutex<Shard>]>,
    unkept_count: Arc<AtomicUsize>,
}

/// Several times the threads that ask at once.
const SHARD_COUNT: usize = 32;
/// So many idle entries among the dues are not worth looking for.
const IDLE_DUE_COUNT: usize = 256;

impl Default for Shards {
    fn default() -> Self {
        let unkept_count = Arc::default();
        let shard = |_| {
            let unkept = Unkept::counted_by(Arc::clone(&unkept_count));
            Mutex::new(Shard { unkept, ..Shard::default() })
        };
        Shards { shards: (0..SHARD_COUNT).map(shard).collect(), unkept_count }
    }
}

impl Shards {
    /// The part that an organisation is in.
    pub fn of(&self, org: &str) -> MutexGuard<'_, Shard> {
        let hash = FxBuildHasher.hash_one(org);
        lock(&self.shards[(hash >> 32) as usize % self.shards.len()])
    }

    /// How many calls changed that the log does not know of.
    pub fn unkept_count(&self) -> usize {
        self.unkept_count.load(Ordering::Relaxed)
    }

    /// Every part, one after the other.
    pub fn each(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    /// Keeps a call that is not kept, or whose claim is suspended. `held` is what the claims on its pool are promised from now on.
    pub fn keep(&mut self, partition: u32, (org, call): (&str, &str), mut reservation: Reservation, held: Money) {
        let was_noted = self.unkept.note(partition, org, call);
        let of_org = self.due(partition, (org, call), reservation.due);
        of_org.claims.add(&reservation.claim, reservation.asked.start, held);
        match of_org.calls.remove(call) {
            Some(before) => {
                reservation.is_kept = before.is_kept;
                self.count -= 1;
            }
            // A call of that id is over, which the log is still to learn.
            None => reservation.is_kept = was_noted,
        }
        self.insert(org, call, reservation);
    }

    /// Keeps a call that the log knows of, and this shard does not.
    pub fn restore(&mut self, partition: u32, running: RunningCall) {
        let (org, call) = (running.org.clone(), running.call.clone());
        let reservation = Reservation::of_running(running);
        let of_org = self.due(partition, (&org, &call), reservation.due);
        of_org.claims.restore(&reservation.claim, reservation.asked.start);
        self.insert(&org, &call, reservation);
    }

    /// Notes when a call is due; returns its organisation.
    fn due(&mut self, partition: u32, (org, call): (&str, &str), due: Timestamp) -> &mut Org {
        let name = self.orgs.get_key_value(org).map_or_else(|| org.into(), |(name, _)| Arc::clone(name));
        self.dues.push(Reverse((due, Arc::clone(&name), call.into())));
        let new = || Org { partition, calls: FxHashMap::default(), claims: Claims::default() };
        self.orgs.entry(name).or_insert_with(new)
    }

    fn insert(&mut self, org: &str, call: &str, reservation: Reservation) {
        let of_org = self.orgs.get_mut(org).expect("invariant: a call is inserted into an organisation that is there");
        of_org.calls.insert(call.into(), reservation);
        self.count += 1;
        if self.dues.len() > 2 * self.count + IDLE_DUE_COUNT {
            let Shard { orgs, dues, .. } = self;
            dues.retain(|Reverse((due, org, call))| {
                orgs.get(org).and_then(|of_org| of_org.calls.get(call)).is_some_and(|kept| kept.due == *due)
            });
        }
    }

    /// Takes the claim of a call away for as long as it is looked at anew; `None` if there is no such call. Returned with
    /// what the claims on its pool were promised.
    pub fn suspend(&mut self, org: &str, call: &str) -> Option<Money> {
        let of_org = self.orgs.get_mut(org)?;
        let claim = &of_org.calls.get(call)?.claim;
        let pool = claim.pool.as_ref().map(|claim| (&*claim.pool, claim.month));
        let (_, held) = of_org.claims.money_beside(pool);
        of_org.claims.remove(claim);
        Some(held)
    }

    /// Puts a suspended claim back as it was.
    pub fn resume(&mut self, org: &str, call: &str, held: Money) {
        let of_org = self.orgs.get_mut(org).expect("invariant: only the claim of a call that is kept is suspended");
        let reservation = of_org.calls.get(call).expect("invariant: a call is kept while its claim is suspended");
        of_org.claims.add(&reservation.claim, reservation.asked.start, held);
    }

    /// Gives a call up, and returns it.
    pub fn release(&mut self, org: &str, call: &str) -> Option<Reservation> {
        let partition = self.orgs.get(org)?.partition;
        let reservation = self.forget(org, call)?;
        if reservation.is_kept {
            self.unkept.note(partition, org, call);
        } else {
            self.unkept.drop_key(partition, org, call);
        }
        Some(reservation)
    }

    /// Takes a call out, whatever the log knows of it.
    pub fn forget(&mut self, org: &str, call: &str) -> Option<Reservation> {
        let of_org = self.orgs.get_mut(org)?;
        let reservation = of_org.calls.remove(call)?;
        self.count -= 1;
        of_org.claims.remove(&reservation.claim);
        if of_org.calls.is_empty() {
            self.orgs.remove(org);
        }
        Some(reservation)
    }

    /// Gives up what is due at `now`. Returns how many calls that were.
    pub fn sweep(&mut self, now: Timestamp) -> usize {
        let mut count = 0;
        while self.dues.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((_, org, call))) = self.dues.pop() else { break };
            let reservation = self.orgs.get(&org).and_then(|of_org| of_org.calls.get(&call));
            match reservation.map(|reservation| reservation.due) {
                Some(due) if due <= now => count += usize::from(self.release(&org, &call).is_some()),
                // It was extended, and has another entry.
                Some(_) | None => {}
            }
        }
        count
    }
}
