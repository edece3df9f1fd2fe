//! Included minutes (P): which pool a call draws, how much of it, and what that raises.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Account;
use crate::model::countries;
use crate::model::licences::{self, Use};
use crate::model::record::Record;
use crate::model::time;

/// What one call takes out of one pool; of a pool that has nothing to give, nothing is taken.
#[derive(Clone, Debug)]
pub struct Draw {
    pub pool: String,
    pub kind: Use,
    /// `2026-03`.
    pub month: String,
    pub minutes: i64,
    pub size: i64,
}

/// The pool of a call: there is one, or none (P8).
struct Pool {
    name: String,
    kind: Use,
    size: i64,
    /// What closes it besides its own end: another kind of minutes, and their size (P7).
    closed_by: Option<(Use, i64)>,
}

#[derive(Clone, Debug, Default)]
struct Used {
    minutes: i64,
    /// The percentages whose crossing has been told, for ever (P9).
    told: Vec<i64>,
}

/// Use by (pool, kind, month), all as outputs name them.
#[derive(Clone, Debug, Default)]
pub struct Pools(BTreeMap<(String, String, String), Used>);

impl Pools {
    pub fn used(&self, pool: &str, kind: &str, month: &str) -> i64 {
        self.0.get(&(pool.to_owned(), kind.to_owned(), month.to_owned())).map_or(0, |used| used.minutes)
    }

    /// Lets `minutes` be used, or given back where negative, and returns the use before and after.
    pub(super) fn change(&mut self, pool: &str, kind: &str, month: &str, minutes: i64) -> (i64, i64) {
        let used = self.0.entry((pool.to_owned(), kind.to_owned(), month.to_owned())).or_default();
        let before = used.minutes;
        used.minutes += minutes;
        assert!(used.minutes >= 0, "what is given back was used: {pool}");
        (before, used.minutes)
    }
}

impl Account {
    /// The minutes a call takes from its pool, as its licences stood at its start (P3, P4).
    pub fn draw_for(&self, record: &Record, visible: &str, is_premium: bool) -> Option<Draw> {
        let country = countries::country_of(visible);
        let pool = match record.content.call_type.as_str() {
            "conf_out" if is_premium => None,
            "conf_out" => self.zone_a_pool(record, country),
            _ => self.calling_plan_pool(record, country),
        }?;
        let month = time::month_name(time::month_of(record.content.start));
        let needed = i64::try_from(record.content.seconds.div_ceil(60)).expect("a call of minutes");
        let minutes = needed.min(self.available(&pool, &month));
        let (name, kind, size) = (pool.name, pool.kind, pool.size);
        (minutes > 0).then_some(Draw { pool: name, kind, month, minutes, size })
    }

    fn available(&self, pool: &Pool, month: &str) -> i64 {
        let used = |kind: Use| self.pools.used(&pool.name, kind.name(), month);
        if pool.closed_by.is_some_and(|(other, size)| used(other) >= size) {
            return 0;
        }
        (pool.size - used(pool.kind)).max(0)
    }

    /// Zone A minutes are the whole organisation's, but only for organisers with the licence (P12).
    fn zone_a_pool(&self, record: &Record, country: Option<&str>) -> Option<Pool> {
        let (user, start) = (record.content.user.as_deref(), record.content.start);
        let licence = licences::AUDIO_CONFERENCING;
        let is_covered = country.is_some_and(countries::is_zone_a) && self.licences.holds(user, licence, start);
        let size = self.licences.holders(licence, None, start) * licences::ZONE_A_MINUTES;
        is_covered.then(|| Pool { name: licence.to_owned(), kind: Use::DialOut, size, closed_by: None })
    }

    /// The first plan of the catalogue that has minutes of the right kind (P8).
    fn calling_plan_pool(&self, record: &Record, country: Option<&str>) -> Option<Pool> {
        let (user, start) = (record.content.user.as_deref(), record.content.start);
        for plan in licences::CALLING_PLANS {
            let Some(holding) = self.licences.held(user, plan, start) else { continue };
            let home = licences::country_of_use(&holding.country);
            let kind = if is_domestic(record, country, home) { Use::Domestic } else { Use::International };
            if licences::minutes(plan, kind, home) == 0 {
                continue;
            }
            if plan == licences::PER_USER {
                let name = format!("{plan}/{}", holding.user);
                return Some(Pool { name, kind, size: licences::minutes(plan, kind, home), closed_by: None });
            }
            let holders = self.licences.holders(plan, Some(home), start);
            let size = |kind: Use| holders * licences::minutes(plan, kind, home);
            let other = if kind == Use::Domestic { Use::International } else { Use::Domestic };
            let closed_by = (plan == licences::EITHER_CLOSES_BOTH).then(|| (other, size(other)));
            return Some(Pool { name: format!("{plan}/{home}"), kind, size: size(kind), closed_by });
        }
        None
    }

    /// Uses the minutes, and returns the line of the debit.
    pub(super) fn draw(&mut self, draw: &Draw) -> Value {
        let (before, after) = self.pools.change(&draw.pool, draw.kind.name(), &draw.month, draw.minutes);
        json!({
            "type": "pool", "pool": draw.pool, "use": draw.kind.name(), "month": draw.month,
            "minutes": draw.minutes, "before": before, "after": after, "size": draw.size.max(before),
        })
    }

    /// At or above, once for ever, both if both are passed (P9).
    pub(super) fn tell_thresholds(&mut self, draw: &Draw) {
        let key = (draw.pool.clone(), draw.kind.name().to_owned(), draw.month.clone());
        for percent in [80, 100] {
            let used = self.pools.0.get_mut(&key).expect("just drawn");
            if used.told.contains(&percent) || used.minutes * 100 < percent * draw.size {
                continue;
            }
            used.told.push(percent);
            let fields = json!({
                "pool": draw.pool, "use": draw.kind.name(), "month": draw.month,
                "percent": percent, "used": used.minutes, "size": draw.size,
            });
            self.emit("PoolThresholdReached", fields);
        }
    }
}

/// What the record says, else whether the called country is the plan's (P6); an unknown country is not.
fn is_domestic(record: &Record, called: Option<&str>, home: &str) -> bool {
    match record.content.destination_context.as_deref() {
        Some("Domestic") => true,
        Some("International") => false,
        _ => called.is_some_and(|called| licences::country_of_use(called) == home),
    }
}
