//! Pools of included minutes: how much there is for a call, and drawing it.

use compact_str::{CompactString, format_compact};
use drawdown_units::Timestamp;

use super::{Entitlements, HISTORY_S, Holders, Holding, NOWHERE, Undo, UserPlace, use_of};
use crate::plans::{Brings, CallingPlan, Country, LicenceName, Plans, Use};

/// A pool of minutes, month by month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The licence that brings it.
    pub licence: LicenceName,
    /// The country it is shared over; `--` where none is meant.
    pub country: Country,
    /// What is used of it.
    pub uses: Vec<MonthUse>,
    /// How many hold the licence; unused in a user's own pool.
    pub(super) holders: Holders,
    /// Its name on the wire, but for a user's own.
    name: CompactString,
}

/// What is used of a pool in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthUse {
    /// Which of its minutes.
    pub of: Use,
    /// The month's first instant.
    pub month: Timestamp,
    /// Minutes.
    pub used: u64,
    /// The thresholds whose events were raised: a bit for each of `THRESHOLDS`.
    pub raised: u8,
}

/// The crossings that raise an event, in percent (boundaries.md P9).
pub const THRESHOLDS: [u64; 2] = [80, 100];

/// Which pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A shared one.
    Shared(u32),
    /// That of one holding of a user.
    Own(UserPlace, u32),
}

/// Minutes that a call is to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// From which pool.
    pub pool: Place,
    /// Which of its minutes.
    pub of: Use,
    /// The month of the call's start.
    pub month: Timestamp,
    /// How many; above 0.
    pub minutes: u32,
    /// Used before.
    pub before: u64,
    /// What the pool holds in that month, for a call of that start.
    pub size: u64,
}

/// The pool of a call, whether or not anything is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Included {
    /// Which pool.
    pub pool: Place,
    /// Which of its minutes.
    pub of: Use,
    /// The month of the call's start.
    pub month: Timestamp,
    /// Used so far.
    pub used: u64,
    /// What the pool holds in that month, for a call of that start.
    pub size: u64,
    /// Where reaching either figure closes both: the other one.
    pub other: Option<OtherUse>,
}

/// The other figure of a pool that either figure closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherUse {
    /// Which of its minutes.
    pub of: Use,
    /// Used so far.
    pub used: u64,
    /// What there is in that month, for a call of that start.
    pub size: u64,
}

impl Included {
    /// The minutes that are left for the call.
    pub fn left(&self) -> u64 {
        if self.other.is_some_and(|other| other.used >= other.size) {
            return 0;
        }
        self.size.saturating_sub(self.used)
    }

    /// What a call of `wanted` minutes is to draw; `None` if that is nothing.
    #[inline]
    pub fn draw(&self, wanted: u32) -> Option<Draw> {
        let Included { pool, of, month, used: before, size, .. } = *self;
        let minutes = u32::try_from(self.left()).map_or(wanted, |left| wanted.min(left));
        (minutes > 0).then_some(Draw { pool, of, month, minutes, before, size: size.max(before) })
    }
}

/// Minutes that a correction gives back before its call is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned<'a> {
    /// The pool's name.
    pub pool: &'a str,
    /// Which of its minutes.
    pub of: Use,
    /// The month's first instant.
    pub month: Timestamp,
    /// How many.
    pub minutes: u32,
}

impl Pool {
    /// A pool of a licence, shared over `country` or, at `--`, over the whole organisation.
    pub fn shared(licence: &str, country: Country) -> Self {
        let name = match std::str::from_utf8(&country) {
            Ok(country) if country != "--" => format_compact!("{licence}/{country}"),
            Ok(_) | Err(_) => licence.into(),
        };
        Pool { licence: licence.into(), country, uses: Vec::new(), holders: Holders::default(), name }
    }

    fn used(&self, of: Use, month: Timestamp) -> u64 {
        self.place_of(of, month).map_or(0, |place| self.uses[place].used)
    }

    fn place_of(&self, of: Use, month: Timestamp) -> Option<usize> {
        self.uses.iter().rposition(|it| it.month == month && it.of == of)
    }
}

impl Entitlements {
    /// The pool of a call of `user`: that of the first of their plans that has minutes of its kind (boundaries.md P8).
    /// `is_domestic` is asked with the country a plan is used in.
    pub fn calling_pool(
        &self,
        user: UserPlace,
        plans: &Plans,
        started: Timestamp,
        returned: Option<&Returned<'_>>,
        mut is_domestic: impl FnMut(Country) -> bool,
    ) -> Option<Included> {
        let mut found: Option<(usize, &Holding, &CallingPlan, Use)> = None;
        for (index, holding) in self.user(user).holdings.iter().enumerate() {
            let is_earlier = found.is_none_or(|(_, first, ..)| holding.plan < first.plan);
            if !is_earlier || !holding.is_held_at(started) {
                continue;
            }
            let Some(Brings::CallingPlan(terms)) = holding.plan.and_then(|plan| plans.brings(plan, started)) else {
                continue;
            };
            let of = use_of(is_domestic(plans.country(holding.country)));
            if terms.minutes(of, plans.country(holding.country)) > 0 {
                found = Some((index, holding, terms, of));
            }
        }
        let (index, holding, terms, of) = found?;
        let country = plans.country(holding.country);
        let (place, holders) = if terms.per_user {
            (Place::Own(user, index as u32), 1)
        } else {
            let pool = self.find_pool(&holding.licence, country)?;
            (Place::Shared(pool as u32), self.pools[pool].holders.at(started))
        };
        let month = started.month_start();
        let size = |of: Use| u64::from(terms.minutes(of, country)).saturating_mul(u64::from(holders));
        let used = |of: Use| self.used_of(place, of, month, returned);
        let other = terms.either_closes_both.then(|| {
            let of = use_of(of == Use::International);
            OtherUse { of, used: used(of), size: size(of) }
        });
        Some(Included { pool: place, of, month, used: used(of), size: size(of), other })
    }

    /// The pool of dial-out to `called`: that of the first of the organiser's conferencing licences that reach it
    /// (boundaries.md P8).
    pub fn dial_out_pool(
        &self,
        organiser: UserPlace,
        plans: &Plans,
        started: Timestamp,
        returned: Option<&Returned<'_>>,
        called: Country,
    ) -> Option<Included> {
        let held = self.user(organiser).holdings.iter().filter(|holding| holding.is_held_at(started));
        let reaching = held.filter_map(|holding| match plans.brings(holding.plan?, started)? {
            Brings::Conferencing(terms) if terms.zone.contains(&called) => Some((holding, terms)),
            Brings::Conferencing(_)
            | Brings::CallingPlan(_)
            | Brings::UnlimitedDialOut(_)
            | Brings::Credits
            | Brings::CreditsExempt => None,
        });
        let (holding, terms) = reaching.min_by_key(|(holding, _)| holding.plan)?;
        let pool = self.find_pool(&holding.licence, NOWHERE)?;
        let place = Place::Shared(pool as u32);
        let size = u64::from(terms.minutes).saturating_mul(u64::from(self.pools[pool].holders.at(started)));
        let month = started.month_start();
        let used = self.used_of(place, Use::DialOut, month, returned);
        Some(Included { pool: place, of: Use::DialOut, month, used, size, other: None })
    }

    /// The pool, if anything was ever drawn from it or can be.
    fn pool(&self, place: Place) -> Option<&Pool> {
        match place {
            Place::Shared(pool) => self.pools.get(pool as usize),
            Place::Own(user, holding) => {
                let user = self.user(user);
                let licence = &user.holdings[holding as usize].licence;
                user.pools.iter().find(|pool| pool.licence == *licence)
            }
        }
    }

    fn used_of(&self, place: Place, of: Use, month: Timestamp, returned: Option<&Returned<'_>>) -> u64 {
        let used = self.pool(place).map_or(0, |pool| pool.used(of, month));
        let is_it = |returned: &&Returned<'_>| {
            (returned.of, returned.month) == (of, month) && self.name(place) == returned.pool
        };
        let back = returned.filter(is_it).map_or(0, |returned| u64::from(returned.minutes));
        used.saturating_sub(back)
    }

    /// The pool's name on the wire.
    pub fn name(&self, place: Place) -> CompactString {
        match place {
            Place::Shared(pool) => self.pools[pool as usize].name.clone(),
            Place::Own(user, holding) => {
                let user = self.user(user);
                own_name(&user.holdings[holding as usize].licence, &user.id)
            }
        }
    }

    /// Draws minutes; returns the thresholds that this crossed for the first time, in percent.
    pub fn draw(&mut self, draw: &Draw, now: Timestamp, undo: &mut Vec<Undo>) -> impl Iterator<Item = u64> + use<> {
        let (index, pool) = self.uses_mut(draw, now, undo);
        let held = &mut pool.uses[index];
        held.used = held.used.saturating_add(u64::from(draw.minutes));
        let filled = held.used.saturating_mul(100);
        let before = held.raised;
        for (bit, percent) in THRESHOLDS.iter().enumerate() {
            if draw.size > 0 && filled >= percent.saturating_mul(draw.size) {
                held.raised |= 1 << bit;
            }
        }
        let crossed = held.raised & !before;
        THRESHOLDS.into_iter().enumerate().filter(move |(bit, _)| crossed & (1 << bit) != 0).map(|(_, percent)| percent)
    }

    /// The use that a draw counts in, made if need be, with what it takes to undo the draw noted.
    fn uses_mut(&mut self, draw: &Draw, now: Timestamp, undo: &mut Vec<Undo>) -> (usize, &mut Pool) {
        let (user, pool) = match draw.pool {
            Place::Shared(pool) => (None, pool as usize),
            Place::Own(user, holding) => (Some(user), self.own_pool(user, holding as usize, undo)),
        };
        let held = match user {
            None => &mut self.pools[pool],
            Some(user) => &mut self.users[user.0 as usize].pools[pool],
        };
        match held.place_of(draw.of, draw.month) {
            Some(index) => undo.push(Undo::Use { user, pool, index, before: held.uses[index] }),
            None => {
                undo.push(Undo::Uses { user, pool, before: held.uses.clone() });
                let horizon = now.plus_seconds(HISTORY_S.wrapping_neg()).month_start();
                held.uses.retain(|it| it.month >= horizon);
                held.uses.push(MonthUse { of: draw.of, month: draw.month, used: 0, raised: 0 });
            }
        }
        let index = held.place_of(draw.of, draw.month).expect("invariant: the use was just made sure of");
        (index, held)
    }

    fn own_pool(&mut self, place: UserPlace, holding: usize, undo: &mut Vec<Undo>) -> usize {
        let user = &self.users[place.0 as usize];
        let licence = user.holdings[holding].licence.clone();
        if let Some(pool) = user.pools.iter().position(|pool| pool.licence == licence) {
            return pool;
        }
        undo.push(Undo::user(place, user));
        let pools = &mut self.users[place.0 as usize].pools;
        pools.push(Pool::shared(&licence, NOWHERE));
        pools.len().wrapping_sub(1)
    }

    /// Gives minutes back; thresholds stay raised (boundaries.md D9). Returns what was used before and afterwards, and
    /// whose pool it is if it is one user's.
    pub fn give_back(&mut self, back: &Returned<'_>, undo: &mut Vec<Undo>) -> Option<(u64, u64, Option<UserPlace>)> {
        let (user, pool) = self.find_named(back.pool)?;
        let held = match user {
            None => &mut self.pools[pool],
            Some(user) => &mut self.users[user.0 as usize].pools[pool],
        };
        let index = held.place_of(back.of, back.month)?;
        let before = held.uses[index];
        undo.push(Undo::Use { user, pool, index, before });
        let used = &mut held.uses[index].used;
        *used = used.saturating_sub(u64::from(back.minutes));
        Some((before.used, *used, user))
    }

    fn find_named(&self, name: &str) -> Option<(Option<UserPlace>, usize)> {
        if let Some(pool) = self.pools.iter().position(|pool| pool.name == name) {
            return Some((None, pool));
        }
        let (licence, user) = name.split_once('/')?;
        let user = self.find(user)?;
        let pool = self.user(user).pools.iter().position(|pool| pool.licence == licence)?;
        Some((Some(user), pool))
    }
}

/// The name of a pool that is one user's.
fn own_name(licence: &str, user: &str) -> CompactString {
    format_compact!("{licence}/{user}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Licence;
    use crate::plans::DialOut;

    /// boundaries.md P8: the order is that of the catalogue, whichever licence was given first.
    #[test]
    fn p8_dial_out_draws_the_first_licence_of_the_catalogue() {
        let mut plans = Plans::new(Vec::new());
        for (name, zone) in [("ELSEWHERE", *b"FR"), ("FIRST", *b"DE"), ("SECOND", *b"DE")] {
            plans.add(name, Timestamp::MIN, Brings::Conferencing(DialOut { minutes: 60, zone: vec![zone] }));
        }
        let mut entitlements = Entitlements::default();
        for name in ["SECOND", "FIRST", "ELSEWHERE"] {
            let licence = Licence { user: "u1".into(), licence: name.into(), country: *b"US" };
            entitlements.assign(&licence, Timestamp::EPOCH, &plans, &mut Vec::new());
        }
        let organiser = entitlements.find("u1").expect("a user");
        let included = entitlements.dial_out_pool(organiser, &plans, Timestamp::EPOCH, None, *b"DE").expect("a pool");
        assert_eq!(entitlements.name(included.pool), "FIRST");
    }
}
