//! Looking ahead: the memory that records will ask for, asked for many records at a time.
//!
//! A record's identity, its account, its user and its row of the deck lie anywhere in memory, and each is found by way of
//! the one before. Booked one record at a time, every step waits for memory; looked at step by step for many records, the
//! waits pass together, and booking then finds everything near. Decides nothing and changes nothing.

use std::hint::black_box;

use drawdown_rating::Catalogue;
use drawdown_wire::Cdr;

use super::{Partition, admission};
use crate::accounts::Slot;
use crate::pricing;

/// How many records are looked at together: more than memory answers at once, and few enough to stay in the nearest cache.
pub const AHEAD_COUNT: usize = 16;

impl Partition {
    /// Looks at what booking these records will ask for; of more than [`AHEAD_COUNT`] at the first.
    pub fn look_ahead<'r, 'b: 'r>(&self, catalogue: &Catalogue, records: impl Iterator<Item = &'r Cdr<'b>>) {
        let mut slots: [Option<(Slot, &Cdr<'b>)>; AHEAD_COUNT] = [None; AHEAD_COUNT];
        for (place, cdr) in slots.iter_mut().zip(records) {
            black_box(self.records.look_near(admission::record_identity(cdr)));
            *place = self.accounts.likely(&cdr.org).map(|slot| (slot, cdr));
        }
        for (slot, _) in slots.iter().flatten() {
            black_box(self.accounts.get(*slot).look_ahead());
        }
        let rows = slots.map(|found| {
            let (slot, cdr) = found?;
            pricing::likely_row(catalogue, self.accounts.get(slot).rate_plan_at(cdr.start), cdr)
        });
        for row in rows.into_iter().flatten() {
            black_box(row.look_ahead());
        }
        let users = slots.map(|found| {
            let (slot, cdr) = found?;
            let entitlements = self.accounts.get(slot).entitlements()?;
            Some((entitlements, entitlements.likely(cdr.text.user_id.as_deref()?)?))
        });
        for (entitlements, user) in users.into_iter().flatten() {
            black_box(entitlements.look_ahead(user));
        }
    }
}
