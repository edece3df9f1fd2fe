//! Licences and pools that follow saved states, one at a time: for who keeps a copy of an account beside its owner.
//!
//! Invariant: what was taken over so, and counted, is what restoring everything anew would give.

use super::{Entitlements, Pool, User};
use crate::plans::Plans;

impl Entitlements {
    /// Takes over the shared pools as saved, keeping the counts of their holders.
    pub fn refresh_pools(&mut self, saved: Vec<Pool>) {
        for mut pool in saved {
            match self.pools.iter_mut().find(|held| held.country == pool.country && held.licence == pool.licence) {
                Some(held) => held.uses = std::mem::take(&mut pool.uses),
                None => self.pools.push(pool),
            }
        }
    }

    /// Takes over one user as saved. Whether holders have to be counted anew, by [`Entitlements::count_holders`].
    pub fn refresh_user(&mut self, mut user: User, plans: &Plans) -> bool {
        for holding in &mut user.holdings {
            holding.plan = plans.find(&holding.licence);
        }
        match self.find(&user.id) {
            Some(place) => {
                let held = std::mem::replace(&mut self.users[place.0 as usize], user);
                held.holdings != self.users[place.0 as usize].holdings
            }
            None => {
                self.restore_user(user, plans);
                true
            }
        }
    }

    /// Forgets how many hold each licence: before they are counted once more.
    pub fn forget_holders(&mut self) {
        for pool in &mut self.pools {
            pool.holders = super::Holders::default();
        }
    }
}
