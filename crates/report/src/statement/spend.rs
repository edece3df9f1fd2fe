//! What was called, by destination, by user, and by pool.
//!
//! A reversal takes away what its debit added: under the same user and the same destination, which has to be remembered
//! since a reversal has no row of a deck.

use drawdown_units::Sum;
use drawdown_wire::Text;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use crate::fault::Fault;
use crate::fields::Place;
use crate::line::{Debit, Reverses};
use crate::lines::Lines;

/// Calls of one kind, less those that were taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spend {
    /// Calls.
    pub calls: i64,
    /// Their connected seconds.
    pub seconds: i64,
    /// Their charges, whoever paid.
    pub charged: Sum,
}

/// What a user called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// `userId`; empty of calls that belong to nobody.
    pub id: String,
    /// The latest name.
    pub name: String,
    /// How much.
    pub spend: Spend,
}

/// What was drawn from a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The pool's name.
    pub pool: String,
    /// `domestic`, `international` or `dial-out`.
    pub pool_use: String,
    /// The month that the minutes belong to: that of the calls.
    pub month: String,
    /// Minutes drawn, less those given back.
    pub minutes: i64,
    /// Minutes used of that month, after the last line.
    pub used: i64,
    /// Minutes that the pool had at the last line.
    pub size: i64,
}

/// The calls of a month.
#[derive(Debug, Default)]
pub struct Spending {
    /// By destination, the dearest first; an empty name where a call has none.
    pub destinations: Vec<(String, Spend)>,
    /// By user, the dearest first.
    pub users: Vec<User>,
    /// By name, use and month.
    pub pools: Vec<Pool>,
    by_destination: FxHashMap<Box<str>, Spend>,
    by_user: FxHashMap<Box<str>, (Box<str>, Spend)>,
    by_pool: FxHashMap<[Box<str>; 3], [i64; 3]>,
    /// The debits that are taken back some time, by `seq`.
    reversed: FxHashSet<u64>,
    /// Their destinations.
    remembered: FxHashMap<u64, Box<str>>,
}

/// The `seq` of every debit of `org` that is taken back some time.
pub(super) fn reversed(org: &str, debits: &mut impl Lines) -> Result<FxHashSet<u64>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
    struct Reversal<'a> {
        org_id: Text<'a>,
        reverses: Option<Reverses>,
    }
    let name = debits.name().to_owned();
    let key = memchr::memmem::Finder::new("\"reverses\"");
    let mut reversed = FxHashSet::default();
    while let Some(line) = debits.next_line().map_err(Fault::Read)? {
        if key.find(line.bytes).is_none() {
            continue;
        }
        let reversal: Reversal<'_> = Place { name: &name, line: line.number }.read(line.bytes)?;
        if *reversal.org_id == *org {
            reversed.extend(reversal.reverses.map(|reverses| reverses.seq));
        }
    }
    Ok(reversed)
}

impl Spending {
    pub(super) fn remembering(reversed: FxHashSet<u64>) -> Self {
        Spending { reversed, ..Spending::default() }
    }

    /// Notes a debit; one that is not of the month only for its reversal.
    pub(super) fn note(&mut self, debit: &Debit<'_>, is_in_month: bool, place: Place<'_>) -> Result<(), Fault> {
        let own = debit.charge.destination.as_deref().or(debit.call.destination_name.as_deref()).unwrap_or_default();
        if self.reversed.contains(&debit.seq) {
            self.remembered.insert(debit.seq, own.into());
        }
        let original = debit.reverses.and_then(|reverses| self.remembered.remove(&reverses.seq));
        if !is_in_month {
            return Ok(());
        }
        let sign = if debit.reverses.is_some() { -1 } else { 1 };
        let spend = Spend {
            calls: sign,
            seconds: sign * i64::from(debit.call.duration),
            charged: place.money("charge.amount", &debit.charge.amount)?.into(),
        };
        add(&mut self.by_destination, original.as_deref().unwrap_or(own), Spend::default()).add(spend);
        let call = &debit.call;
        let name = call.user_principal_name.as_deref().or(call.user_display_name.as_deref()).unwrap_or_default();
        let user = add(&mut self.by_user, call.user_id.as_deref().unwrap_or_default(), Default::default());
        user.1.add(spend);
        if *user.0 != *name {
            user.0 = name.into();
        }
        self.note_pools(debit, place)
    }

    fn note_pools(&mut self, debit: &Debit<'_>, place: Place<'_>) -> Result<(), Fault> {
        for line in debit.funding.iter().filter(|line| *line.kind == *"pool") {
            let names = [("pool", &line.pool), ("use", &line.pool_use), ("month", &line.month)];
            let [pool, pool_use, month] = names.map(|(field, name)| place.need_text(field, name.as_ref()));
            let minutes = place.need("funding.minutes", line.minutes)?;
            let used = place.count("funding.after", line.after.as_ref())?;
            let before = place.count("funding.before", line.before.as_ref())?;
            if before + minutes != used {
                let problem = format!("{used}, where {before} and {minutes} more are expected");
                return Err(place.fault("funding.after", problem));
            }
            let size = place.need("funding.size", line.size)?;
            let drawn = self.by_pool.entry([pool?.into(), pool_use?.into(), month?.into()]).or_default();
            *drawn = [drawn[0] + minutes, used, size];
        }
        Ok(())
    }

    /// The tables in their order.
    pub(super) fn sorted(mut self) -> Self {
        self.destinations = self.by_destination.drain().map(|(name, spend)| (name.into(), spend)).collect();
        self.destinations.sort_by(|(a, x), (b, y)| (y.charged, a).cmp(&(x.charged, b)));
        let user =
            |(id, (name, spend)): (Box<str>, (Box<str>, Spend))| User { id: id.into(), name: name.into(), spend };
        self.users = self.by_user.drain().map(user).collect();
        self.users.sort_by(|a, b| (b.spend.charged, &a.id).cmp(&(a.spend.charged, &b.id)));
        let pool = |([pool, pool_use, month], [minutes, used, size]): ([Box<str>; 3], [i64; 3])| Pool {
            pool: pool.into(),
            pool_use: pool_use.into(),
            month: month.into(),
            minutes,
            used,
            size,
        };
        self.pools = self.by_pool.drain().map(pool).collect();
        self.pools.sort_by(|a, b| (&a.pool, &a.pool_use, &a.month).cmp(&(&b.pool, &b.pool_use, &b.month)));
        self
    }
}

impl Spend {
    fn add(&mut self, more: Spend) {
        self.calls += more.calls;
        self.seconds += more.seconds;
        self.charged += more.charged;
    }
}

/// The value of a key, which is copied only where it is new.
fn add<'m, V>(map: &'m mut FxHashMap<Box<str>, V>, key: &str, new: V) -> &'m mut V {
    if !map.contains_key(key) {
        map.insert(key.into(), new);
    }
    map.get_mut(key).expect("invariant: inserted where it was not there")
}
