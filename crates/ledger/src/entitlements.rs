//! Who holds which licence, and what is used of the pools of minutes that licences bring (domain.md sections 4 and 5).
//!
//! Invariants: an account's clock never goes back, so holdings and counts of holders are appended in order of time; a
//! pool's use never exceeds its size by a draw; what changes is noted in an [`Undo`], because these lists are too long
//! to be copied for each batch, as the rest of an account is.

mod holders;
mod pools;
mod refresh;
mod undo;

use std::hash::BuildHasher as _;

use drawdown_units::Timestamp;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::command::Licence;
use crate::plans::{Brings, Country, LicenceName, PlanId, Plans, Use};

pub use holders::Holders;
pub use pools::{Draw, Included, MonthUse, OtherUse, Place, Pool, Returned};
pub use undo::Undo;

/// Holdings, uses and counts that ended this long ago matter to no call: beyond the longest de-duplication window.
pub(crate) const HISTORY_S: i64 = 100 * 86_400;

/// Where no country is meant: a pool of the whole organisation, or of one user.
const NOWHERE: Country = *b"--";

/// The users of one organisation that ever held a licence, and its pools.
#[derive(Debug, Clone, Default)]
pub struct Entitlements {
    users: Vec<User>,
    by_id: HashTable<UserPlace>,
    pools: Vec<Pool>,
}

/// The place of a user among those of the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserPlace(u32);

/// A user who holds, or held, licences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whose.
    pub id: Box<str>,
    /// In the order in which they were assigned; those that ended long ago are forgotten.
    pub holdings: Vec<Holding>,
    /// Pools that are not shared.
    pub pools: Vec<Pool>,
}

/// A licence held for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub licence: LicenceName,
    /// The same in the catalogue; `None` where it is not known there.
    pub plan: Option<PlanId>,
    /// Country of use.
    pub country: Country,
    /// From here.
    pub since: Timestamp,
    /// Up to here, exclusively; [`Timestamp::MAX`] while it is held.
    pub until: Timestamp,
}

impl Holding {
    fn is_held_at(&self, at: Timestamp) -> bool {
        self.since <= at && at < self.until
    }
}

/// What assigning a licence did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// Since when it is held.
    pub since: Timestamp,
    /// It was held with this country until now.
    pub before: Option<Country>,
}

impl PartialEq for Entitlements {
    fn eq(&self, other: &Self) -> bool {
        self.users == other.users && self.pools == other.pools
    }
}

impl Eq for Entitlements {}

impl Entitlements {
    /// The user of that id, if any licence of theirs is remembered.
    #[inline]
    pub fn find(&self, id: &str) -> Option<UserPlace> {
        self.by_id.find(hash(id), |place| *self.user(*place).id == *id).copied()
    }

    /// Where the user of that id most likely is, for looking ahead: ids are not compared.
    #[inline]
    pub fn likely(&self, id: &str) -> Option<UserPlace> {
        self.by_id.find(hash(id), |_| true).copied()
    }

    /// Reads what a call of that user will ask for, so that it is near. The value means nothing.
    #[inline]
    pub fn look_ahead(&self, place: UserPlace) -> u64 {
        let user = self.user(place);
        let id = user.id.as_bytes().first().copied().unwrap_or_default();
        let held = user.holdings.iter().map(|holding| u64::from(holding.until.nanos()));
        held.fold(u64::from(id), |all, held| all ^ held)
    }

    /// One user.
    pub fn user(&self, UserPlace(place): UserPlace) -> &User {
        &self.users[place as usize]
    }

    /// Every user.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// Whether no user ever held a licence.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.pools.is_empty()
    }

    /// The pools that are shared.
    pub fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// Whether the user held a licence that brings what `is` asks for.
    pub fn holds(&self, user: UserPlace, plans: &Plans, at: Timestamp, is: impl Fn(&Brings) -> bool) -> bool {
        let brings = |holding: &Holding| plans.brings(holding.plan?, at);
        let mut held = self.user(user).holdings.iter().filter(|holding| holding.is_held_at(at));
        held.any(|holding| brings(holding).is_some_and(&is))
    }

    /// Gives a user a licence from `now` on. Held already with the same country, nothing changes; with another, it is
    /// taken away and given anew (boundaries.md P14).
    pub fn assign(&mut self, licence: &Licence, now: Timestamp, plans: &Plans, undo: &mut Vec<Undo>) -> Assigned {
        let country = licence.country;
        let user = self.find(&licence.user).unwrap_or_else(|| self.add_user(&licence.user, undo));
        let held = self.current(user, &licence.licence).cloned();
        if let Some(held) = held.as_ref().filter(|held| held.country == country) {
            return Assigned { since: held.since, before: None };
        }
        undo.push(Undo::user(user, self.user(user)));
        if let Some(held) = &held {
            self.end(user, &held.licence, now, plans, undo);
        }
        let plan = plans.find(&licence.licence);
        let until = Timestamp::MAX;
        let holdings = &mut self.users[user.0 as usize].holdings;
        let horizon = now.plus_seconds(HISTORY_S.wrapping_neg());
        holdings.retain(|holding| holding.until > horizon);
        holdings.push(Holding { licence: licence.licence.clone(), plan, country, since: now, until });
        if let Some(pool) = self.pool_of(plan, &licence.licence, country, plans, undo) {
            undo.push(self.pools[pool].holders.change(pool, now, 1));
        }
        Assigned { since: now, before: held.map(|held| held.country) }
    }

    /// Takes a licence from a user. Returns the country it was used in; `None` if it was not held.
    pub fn remove(
        &mut self,
        user: &str,
        licence: &str,
        now: Timestamp,
        plans: &Plans,
        undo: &mut Vec<Undo>,
    ) -> Option<Country> {
        let user = self.find(user)?;
        let country = self.current(user, licence)?.country;
        undo.push(Undo::user(user, self.user(user)));
        self.end(user, licence, now, plans, undo);
        Some(country)
    }

    fn current(&self, user: UserPlace, licence: &str) -> Option<&Holding> {
        self.user(user).holdings.iter().find(|holding| holding.licence == licence && holding.until == Timestamp::MAX)
    }

    fn end(&mut self, user: UserPlace, licence: &str, now: Timestamp, plans: &Plans, undo: &mut Vec<Undo>) {
        let holdings = &mut self.users[user.0 as usize].holdings;
        let mut held = holdings.iter_mut().filter(|it| it.licence == licence && it.until == Timestamp::MAX);
        let holding = held.next().expect("invariant: only a licence that is held ends");
        holding.until = now;
        let (plan, country) = (holding.plan, holding.country);
        if let Some(pool) = self.pool_of(plan, licence, country, plans, undo) {
            undo.push(self.pools[pool].holders.change(pool, now, -1));
        }
    }

    fn add_user(&mut self, id: &str, undo: &mut Vec<Undo>) -> UserPlace {
        let count = u32::try_from(self.users.len()).expect("invariant: an organisation has fewer than 2^32 users");
        let place = UserPlace(count);
        self.users.push(User { id: id.into(), holdings: Vec::new(), pools: Vec::new() });
        let users = &self.users;
        self.by_id.insert_unique(hash(id), place, |UserPlace(other)| hash(&users[*other as usize].id));
        undo.push(Undo::NewUser);
        place
    }

    /// The shared pool that a licence used in `country` counts in, made if it is not there yet.
    fn pool_of(
        &mut self,
        plan: Option<PlanId>,
        licence: &str,
        country: Country,
        plans: &Plans,
        undo: &mut Vec<Undo>,
    ) -> Option<usize> {
        let country = match plans.kind(plan?)? {
            Brings::CallingPlan(terms) if !terms.per_user => plans.country(country),
            Brings::Conferencing(_) => NOWHERE,
            Brings::CallingPlan(_) | Brings::UnlimitedDialOut(_) | Brings::Credits | Brings::CreditsExempt => {
                return None;
            }
        };
        if let Some(place) = self.find_pool(licence, country) {
            return Some(place);
        }
        self.pools.push(Pool::shared(licence, country));
        undo.push(Undo::NewPool);
        Some(self.pools.len().wrapping_sub(1))
    }

    fn find_pool(&self, licence: &str, country: Country) -> Option<usize> {
        self.pools.iter().position(|pool| pool.country == country && pool.licence == licence)
    }

    /// Takes over a user as saved; of one user the latest counts. To be followed by [`Entitlements::count_holders`].
    pub fn restore_user(&mut self, mut user: User, plans: &Plans) {
        for holding in &mut user.holdings {
            holding.plan = plans.find(&holding.licence);
        }
        let place = self.find(&user.id).unwrap_or_else(|| self.add_user(&user.id, &mut Vec::new()));
        self.users[place.0 as usize] = user;
    }

    /// Takes over a shared pool as saved.
    pub fn restore_pool(&mut self, pool: Pool) {
        self.pools.push(pool);
    }

    /// Counts the holders of shared pools anew from what users hold: counts are not saved.
    pub fn count_holders(&mut self, plans: &Plans) {
        let mut changes: Vec<(usize, Timestamp, i32)> = Vec::new();
        let users = std::mem::take(&mut self.users);
        for holding in users.iter().flat_map(|user| &user.holdings) {
            let pool = self.pool_of(holding.plan, &holding.licence, holding.country, plans, &mut Vec::new());
            if let Some(pool) = pool {
                changes.push((pool, holding.since, 1));
                if holding.until < Timestamp::MAX {
                    changes.push((pool, holding.until, -1));
                }
            }
        }
        self.users = users;
        // At one instant whoever comes is counted before whoever goes, who may be the same: no count falls below nothing.
        changes.sort_unstable_by_key(|(pool, at, change)| (*pool, *at, change.wrapping_neg()));
        for (pool, at, change) in changes {
            self.pools[pool].holders.change(pool, at, change);
        }
    }
}

fn hash(id: &str) -> u64 {
    FxBuildHasher.hash_one(id)
}

/// What use a call of a calling plan is to a user of `country`.
fn use_of(is_domestic: bool) -> Use {
    if is_domestic { Use::Domestic } else { Use::International }
}
