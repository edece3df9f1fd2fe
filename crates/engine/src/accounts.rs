//! The accounts of a partition, by organisation, and a heap of when each is next due.
//!
//! Accounts are kept in blocks of a fixed size, so that a growing partition never copies them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use drawdown_ledger::Account;
use drawdown_units::Timestamp;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// The place of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

#[derive(Debug)]
struct Held {
    account: Account,
    /// The last batch that touched it.
    batch: u32,
    /// The last batch that kept a copy of it, or made it.
    whole: u32,
}

#[derive(Debug, Default)]
pub struct Accounts {
    blocks: Vec<Vec<Held>>,
    by_org: HashTable<Slot>,
    count: usize,
    dues: BinaryHeap<Reverse<(Timestamp, Slot)>>,
}

const BLOCK_LENGTH: usize = 1024;

fn hash(org: &str) -> u64 {
    xxh3_64(org.as_bytes())
}

impl Accounts {
    pub fn count(&self) -> usize {
        self.count
    }

    #[inline]
    pub fn find(&self, org: &str) -> Option<Slot> {
        self.by_org.find(hash(org), |slot| self.get(*slot).org() == org).copied()
    }

    /// Where the account of `org` most likely is, for looking ahead: names are not compared.
    #[inline]
    pub fn likely(&self, org: &str) -> Option<Slot> {
        self.by_org.find(hash(org), |_| true).copied()
    }

    #[inline]
    pub fn get(&self, slot: Slot) -> &Account {
        &self.held(slot).account
    }

    #[inline]
    pub fn get_mut(&mut self, slot: Slot) -> &mut Account {
        &mut self.held_mut(slot).account
    }

    /// Marks the account as touched by `batch`; whether it was not before.
    #[inline]
    pub fn touch(&mut self, slot: Slot, batch: u32) -> bool {
        std::mem::replace(&mut self.held_mut(slot).batch, batch) != batch
    }

    /// Whether `batch` kept a copy of the account, or made it: then nothing more need be kept to undo that batch.
    #[inline]
    pub fn is_kept_whole(&self, slot: Slot, batch: u32) -> bool {
        self.held(slot).whole == batch
    }

    /// A copy of the account but for its licences and pools, for undoing `batch`.
    pub fn keep_whole(&mut self, slot: Slot, batch: u32) -> Account {
        let held = self.held_mut(slot);
        held.whole = batch;
        held.account.checkpoint()
    }

    /// Adds an account that is not there yet, made by `batch`; 0 where it was there before all batches.
    pub fn add(&mut self, account: Account, batch: u32) -> Slot {
        let slot = Slot(u32::try_from(self.count).expect("invariant: a partition holds fewer than 2^32 accounts"));
        let hashed = hash(account.org());
        if self.count.is_multiple_of(BLOCK_LENGTH) {
            self.blocks.push(Vec::with_capacity(BLOCK_LENGTH));
        }
        let block = self.blocks.last_mut().expect("invariant: a block with room was just made sure of");
        block.push(Held { account, batch, whole: batch });
        self.count += 1;
        let blocks = &self.blocks;
        let rehash = |slot: &Slot| hash(held(blocks, *slot).account.org());
        self.by_org.insert_unique(hashed, slot, rehash);
        slot
    }

    /// Takes the account added last out again.
    pub fn remove_last(&mut self) {
        self.count -= 1;
        let slot = Slot(self.count as u32);
        let hashed = hash(self.get(slot).org());
        if let Ok(entry) = self.by_org.find_entry(hashed, |held| *held == slot) {
            entry.remove();
        }
        self.blocks.last_mut().map(Vec::pop);
        if self.count.is_multiple_of(BLOCK_LENGTH) {
            self.blocks.pop();
        }
    }

    /// Notes when the account is next due, if that is ever.
    pub fn schedule(&mut self, slot: Slot) {
        let at = self.get(slot).head().next_due;
        if at < Timestamp::MAX {
            self.dues.push(Reverse((at, slot)));
        }
        if self.dues.len() > 2 * self.count + 64 {
            self.rebuild_dues();
        }
    }

    /// The account that is due first, up to `now`. Notes that have been overtaken are dropped.
    pub fn next_due(&mut self, now: Timestamp) -> Option<Slot> {
        while let Some(Reverse((at, slot))) = self.dues.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.dues.pop();
            if (slot.0 as usize) < self.count && self.get(slot).head().next_due == at {
                return Some(slot);
            }
        }
        None
    }

    /// When the first account is due; a note that was overtaken may make it too early, never too late.
    pub fn first_due(&self) -> Option<Timestamp> {
        self.dues.peek().map(|Reverse((at, _))| *at)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.blocks.iter().flatten().map(|held| &held.account)
    }

    /// Every account may change here at once.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        self.blocks.iter_mut().flatten().map(|held| &mut held.account)
    }

    /// Notes anew when every account is next due.
    pub fn rebuild_dues(&mut self) {
        let slots = (0..self.count as u32).map(Slot);
        let dues = slots.map(|slot| (self.get(slot).head().next_due, slot));
        self.dues = dues.filter(|(at, _)| *at < Timestamp::MAX).map(Reverse).collect();
    }

    fn held(&self, slot: Slot) -> &Held {
        held(&self.blocks, slot)
    }

    fn held_mut(&mut self, slot: Slot) -> &mut Held {
        &mut self.blocks[slot.0 as usize / BLOCK_LENGTH][slot.0 as usize % BLOCK_LENGTH]
    }
}

fn held(blocks: &[Vec<Held>], slot: Slot) -> &Held {
    &blocks[slot.0 as usize / BLOCK_LENGTH][slot.0 as usize % BLOCK_LENGTH]
}
