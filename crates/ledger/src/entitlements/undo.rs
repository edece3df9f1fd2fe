//! What it takes to undo one change of licences or pools, latest first.

use drawdown_units::Timestamp;

use super::{Entitlements, Holders, MonthUse, User, UserPlace, hash};

/// One change, as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// A user.
    User(UserPlace, Box<User>),
    /// There was no such user.
    NewUser,
    /// There was no such pool.
    NewPool,
    /// The last count of holders.
    Holders {
        /// Of which pool.
        pool: usize,
        /// The count of the same instant, if there was one.
        replaced: Option<(Timestamp, u32)>,
    },
    /// All counts of holders.
    AllHolders {
        /// Of which pool.
        pool: usize,
        /// The counts.
        before: Holders,
    },
    /// One use of a pool.
    Use {
        /// Whose, if it is one user's.
        user: Option<UserPlace>,
        /// Which pool.
        pool: usize,
        /// Which use.
        index: usize,
        /// As it was.
        before: MonthUse,
    },
    /// All uses of a pool.
    Uses {
        /// Whose, if it is one user's.
        user: Option<UserPlace>,
        /// Which pool.
        pool: usize,
        /// As they were.
        before: Vec<MonthUse>,
    },
}

impl Undo {
    pub(super) fn user(place: UserPlace, user: &User) -> Self {
        Undo::User(place, Box::new(user.clone()))
    }

    /// The user whose saved state the change concerns.
    pub fn user_place(&self) -> Option<UserPlace> {
        match self {
            Undo::User(place, _) => Some(*place),
            Undo::Use { user, .. } | Undo::Uses { user, .. } => *user,
            Undo::NewUser | Undo::NewPool | Undo::Holders { .. } | Undo::AllHolders { .. } => None,
        }
    }
}

impl Entitlements {
    /// Undoes the latest change.
    pub fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::User(UserPlace(place), user) => self.users[place as usize] = *user,
            Undo::NewUser => {
                if let Some(user) = self.users.pop() {
                    let place = UserPlace(self.users.len() as u32);
                    if let Ok(entry) = self.by_id.find_entry(hash(&user.id), |held| *held == place) {
                        entry.remove();
                    }
                }
            }
            Undo::NewPool => drop(self.pools.pop()),
            Undo::Holders { pool, replaced } => self.pools[pool].holders.undo(replaced),
            Undo::AllHolders { pool, before } => self.pools[pool].holders = before,
            Undo::Use { user, pool, index, before } => self.uses_of(user, pool)[index] = before,
            Undo::Uses { user, pool, before } => *self.uses_of(user, pool) = before,
        }
    }

    fn uses_of(&mut self, user: Option<UserPlace>, pool: usize) -> &mut Vec<MonthUse> {
        match user {
            None => &mut self.pools[pool].uses,
            Some(UserPlace(user)) => &mut self.users[user as usize].pools[pool].uses,
        }
    }
}
