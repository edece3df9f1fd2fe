//! Authorisation of calls: may this one go ahead, for how long, at what price, and paid by whom?
//!
//! What is answered is what the rater will do: licence, pool and price are found by its own code ([`drawdown_engine::Quote`]). What is
//! granted is held until the call's record is debited, the call is given up, or nobody has asked for more in time, so
//! that calls running at once are never promised the same minutes or the same money.
//!
//! Invariants: money promised, and whatever calls would cost whose pool could be used up before their records come, is
//! never more than an organisation has and its overdraft; the account is looked at under the lock of its reservations, so
//! that a record's debit is seen before its reservation is gone. Never reads a clock. What is promised
//! is kept in the log a moment later, and survives the process; what was not kept yet is made anew by the next
//! extension.

mod asked;
pub mod books;
mod claims;
mod decision;
mod keeping;
mod room;
mod settings;
mod shard;
mod unkept;
pub mod wire;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use drawdown_ledger::{Account, Rules};
use drawdown_rating::Catalogue;
use drawdown_units::{Currency, Money, Timestamp};

use asked::Asked;
use decision::Sought;
use shard::{Shard, Shards};

pub use books::Books;
pub use settings::Settings;
pub use wire::{Authorisation, AuthorisationRequest, Extension, Funding, Price, Refusal, RefusalReason, Release};

/// Where accounts are looked at as they were committed last, with all their users.
pub trait Ledger {
    /// Shows the account of `org`, if it is known. What was committed before the call is seen.
    fn with<R>(&self, org: &str, look: impl FnOnce(Option<&Account>) -> R) -> R;

    /// The partition that it is in, if it is known.
    fn partition(&self, org: &str) -> Option<u32>;
}

/// What calls are priced and covered by.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'c> {
    /// Decks and rate plans.
    pub catalogue: &'c Catalogue,
    /// What licences bring.
    pub rules: &'c Rules,
}

/// What is promised to the running calls of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Promised {
    /// How many calls.
    pub calls: usize,
    /// Money.
    pub money: Money,
    /// Minutes by pool, month and use.
    pub minutes: Vec<(String, Timestamp, &'static str, u64)>,
}

/// By what a reservation was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// The call's record was debited.
    Record,
    /// Somebody said that the call had ended.
    Request,
    /// Nobody asked for more in time.
    Time,
}

impl Released {
    /// Every one, in the order of their numbers.
    pub const ALL: [Released; 3] = [Released::Record, Released::Request, Released::Time];

    /// How metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Released::Record => "record",
            Released::Request => "request",
            Released::Time => "time",
        }
    }
}

/// Authorises calls, and remembers those that run. Shared by every thread that asks.
#[derive(Debug, Default)]
pub struct Authoriser {
    settings: Settings,
    shards: Shards,
    count: AtomicUsize,
    /// How many were given up, by what.
    released: [AtomicU64; Released::ALL.len()],
}

impl Authoriser {
    /// By these settings, with no call running.
    pub fn new(settings: Settings) -> Self {
        Authoriser { settings, ..Authoriser::default() }
    }

    /// Whether a call may go ahead that begins, or began, about `now`. Asked again, the answer is the same reservation.
    pub fn authorise(
        &self,
        terms: Terms<'_>,
        ledger: &impl Ledger,
        request: &AuthorisationRequest,
        now: Timestamp,
    ) -> Authorisation {
        let (org, call) = (&*request.org_id, &*request.call_id);
        let mut shard = self.shards.of(org);
        self.ended(shard.sweep(now), Released::Time);
        ledger.with(org, |account| {
            if Asked::is_emergency(request, account, &self.settings) {
                return Authorisation::unlimited(org, call);
            }
            let asked = match Asked::read(request, account, &self.settings, now) {
                Ok(asked) => asked,
                Err(refusal) => return Authorisation::refused(org, call, refusal),
            };
            let known = shard.orgs.get(org).and_then(|of_org| of_org.calls.get(call));
            let (asked, granted_s) = match known {
                Some(known) if !known.asked.is_same(&asked) => {
                    let detail = "a call of this id is running already, to another number or of another user";
                    return Authorisation::refused(org, call, Refusal::new(RefusalReason::CallConflict, detail));
                }
                Some(known) => (known.asked.clone(), known.granted_s),
                None => (asked, 0),
            };
            let elapsed_s = asked.elapsed_s(now);
            let wanted_s = match granted_s {
                0 => elapsed_s.saturating_add(self.slice_s(request.seconds)),
                _ => granted_s,
            };
            let partition = ledger.partition(org);
            let sought = Sought { org, call, partition, asked, wanted_s, granted_s, elapsed_s };
            self.decide(terms, &mut shard, account, &sought)
        })
    }

    /// Whether a running call may go on. What was granted before stays granted, whatever the answer.
    pub fn extend(
        &self,
        terms: Terms<'_>,
        ledger: &impl Ledger,
        extension: &Extension,
        now: Timestamp,
    ) -> Authorisation {
        let (org, call) = (&*extension.org_id, &*extension.call_id);
        let mut shard = self.shards.of(org);
        self.ended(shard.sweep(now), Released::Time);
        let known = shard.orgs.get(org).and_then(|of_org| of_org.calls.get(call));
        let Some((asked, granted_s)) = known.map(|known| (known.asked.clone(), known.granted_s)) else {
            drop(shard);
            return match extension.as_request() {
                Some(request) => self.authorise(terms, ledger, &request, now),
                None => {
                    let detail = "nothing is known of this call: say whom it goes to and when it started";
                    Authorisation::refused(org, call, Refusal::new(RefusalReason::UnknownReservation, detail))
                }
            };
        };
        let elapsed_s = asked.elapsed_s(now);
        let wanted_s = elapsed_s.saturating_add(self.slice_s(extension.seconds)).max(granted_s);
        let partition = ledger.partition(org);
        let sought = Sought { org, call, partition, asked, wanted_s, granted_s, elapsed_s };
        ledger.with(org, |account| self.decide(terms, &mut shard, account, &sought))
    }

    /// A call has ended: by its record, once that is debited and its account can be seen so, or without a charge. Whether
    /// anything was kept for it.
    pub fn release(&self, org: &str, call: &str, by: Released) -> bool {
        let is_released = self.shards.of(org).release(org, call).is_some();
        self.ended(usize::from(is_released), by);
        is_released
    }

    /// Gives up what nobody asked more time for, as of `now`. Returns how many calls that were.
    pub fn sweep(&self, now: Timestamp) -> usize {
        let count = self.shards.each().map(|mut shard| shard.sweep(now)).sum();
        self.ended(count, Released::Time);
        count
    }

    /// What is promised to the running calls of `org`.
    pub fn promised(&self, org: &str) -> Promised {
        let shard = self.shards.of(org);
        let Some(of_org) = shard.orgs.get(org) else { return Promised::default() };
        let minutes = of_org.claims.minutes().filter(|(.., minutes)| *minutes > 0);
        let minutes = minutes.map(|(pool, month, of, minutes)| (pool.to_owned(), month, of.name(), minutes));
        Promised { calls: of_org.calls.len(), money: of_org.claims.money(), minutes: minutes.collect() }
    }

    /// How many calls are running.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many reservations were given up so far.
    pub fn released(&self, by: Released) -> u64 {
        self.released[by as usize].load(Ordering::Relaxed)
    }

    /// The money that is promised in all, in millionths, for each currency that anything is promised in.
    pub fn reserved(&self) -> Vec<(Currency, i128)> {
        let mut sums: Vec<(Currency, i128)> = Vec::new();
        for shard in self.shards.each() {
            for of_org in shard.orgs.values() {
                let Some(call) = of_org.calls.values().next() else { continue };
                let micros = i128::from(of_org.claims.money().micros());
                match sums.iter_mut().find(|(currency, _)| *currency == call.currency) {
                    Some((_, sum)) => *sum += micros,
                    None => sums.push((call.currency, micros)),
                }
            }
        }
        sums
    }

    fn ended(&self, count: usize, by: Released) {
        if count > 0 {
            self.count.fetch_sub(count, Ordering::Relaxed);
            self.released[by as usize].fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    /// So many calls are not known any more, and so many anew.
    fn recount(&self, gone: usize, new: usize) {
        self.count.fetch_add(new, Ordering::Relaxed);
        self.count.fetch_sub(gone, Ordering::Relaxed);
    }

    fn slice_s(&self, asked_s: Option<u32>) -> u32 {
        asked_s.unwrap_or(self.settings.slice_s).max(1)
    }

    fn decide(
        &self,
        terms: Terms<'_>,
        shard: &mut Shard,
        account: Option<&Account>,
        sought: &Sought<'_>,
    ) -> Authorisation {
        let is_new = sought.granted_s == 0;
        let decided = decision::account(account, sought.partition).and_then(|(account, partition)| {
            if is_new {
                self.check_counts(shard, sought.org)?;
            }
            decision::decide(&self.settings, terms, shard, (account, partition), sought)
        });
        match decided {
            Ok(granted) => {
                if is_new {
                    self.count.fetch_add(1, Ordering::Relaxed);
                }
                granted
            }
            Err(refusal) => {
                let granted_s = (!is_new).then_some(sought.granted_s);
                let granted_until = granted_s.map(|seconds| sought.until(seconds));
                let refused = Authorisation::refused(sought.org, sought.call, refusal);
                Authorisation { granted_seconds: granted_s, granted_until, ..refused }
            }
        }
    }

    /// Memory is bounded: so many calls, and no more.
    fn check_counts(&self, shard: &Shard, org: &str) -> Result<(), Refusal> {
        let of_org = shard.orgs.get(org).map_or(0, |of_org| of_org.calls.len());
        let detail = if of_org >= self.settings.of_org_count_max {
            "this organisation has as many calls running as are kept for one"
        } else if self.count() >= self.settings.count_max {
            "as many calls are running as are kept in all"
        } else {
            return Ok(());
        };
        Err(Refusal::new(RefusalReason::TooManyCalls, detail))
    }
}

#[cfg(test)]
mod tests;
