//! One decision: from the account, the price and what is promised already to an answer.

use drawdown_engine::{Covering, Quote};
use drawdown_ledger::Account;
use drawdown_units::Timestamp;
use drawdown_wire::debit::Pricing;

use super::Terms;
use super::asked::{Asked, refusal_of};
use super::claims::Claims;
use super::room::Room;
use super::settings::Settings;
use super::shard::{Reservation, Shard};
use super::wire::{Authorisation, Funding, Price, Refusal, RefusalReason};

/// A call, and what stands of it already.
pub struct Sought<'a> {
    pub org: &'a str,
    pub call: &'a str,
    /// Where its organisation's states are kept.
    pub partition: Option<u32>,
    pub asked: Asked,
    /// How long it is to last in all, if there is enough for that.
    pub wanted_s: u32,
    /// How long it may last as it is; 0 if nobody asked before.
    pub granted_s: u32,
    /// How long it has lasted.
    pub elapsed_s: u32,
}

impl Sought<'_> {
    /// The end of what is granted, as text.
    pub fn until(&self, granted_s: u32) -> String {
        self.ends(granted_s).to_string()
    }

    fn ends(&self, granted_s: u32) -> Timestamp {
        self.asked.start.plus_seconds(i64::from(granted_s))
    }

    /// Whether it is asked for nothing that does not stand already.
    fn is_repeated(&self) -> bool {
        self.granted_s > 0 && self.wanted_s <= self.granted_s
    }
}

/// An account that takes calls.
pub fn account(account: Option<&Account>, partition: Option<u32>) -> Result<(&Account, u32), Refusal> {
    match account.zip(partition) {
        None => {
            let detail = "no account of this organisation was opened, or it is kept elsewhere";
            Err(Refusal::new(RefusalReason::UnknownOrg, detail))
        }
        Some((account, _)) if account.is_closed() => {
            Err(Refusal::new(RefusalReason::OrgClosed, "the account of this organisation is closed"))
        }
        Some(found) => Ok(found),
    }
}

/// Grants what there is of what is wanted, and keeps it; what was granted before stays in any case.
pub fn decide(
    settings: &Settings,
    terms: Terms<'_>,
    shard: &mut Shard,
    (account, partition): (&Account, u32),
    sought: &Sought<'_>,
) -> Result<Authorisation, Refusal> {
    let Sought { org, call, asked, .. } = sought;
    let cdr = asked.cdr(org, call);
    let quote = Quote::of(terms.catalogue, terms.rules, &mut shard.places, account, &cdr);
    let quote = quote.map_err(|rejection| refusal_of(&rejection))?;
    check_blocked(&quote)?;
    let name = match (quote.covering, account.entitlements()) {
        (Covering::Pool(included), Some(entitlements)) => Some(entitlements.name(included.pool)),
        _ => None,
    };
    let suspended = shard.suspend(org, call);
    let nothing = Claims::default();
    let claims = shard.orgs.get(*org).map_or(&nothing, |of_org| &of_org.claims);
    let room = Room::new(account, &quote, name.as_deref(), claims, asked.start, settings.overdraft);
    let granted = grant(settings, &quote, &room, sought);
    let answer = granted.map(|(granted_s, maximum_s)| {
        let answer = answer(&quote, &room, name.as_deref(), sought, (granted_s, maximum_s));
        (answer, granted_s, room.claim(granted_s))
    });
    match answer {
        Ok((answer, granted_s, (claim, held))) if granted_s > sought.granted_s => {
            let due = sought.ends(granted_s).plus_seconds(i64::from(settings.grace_s));
            let (asked, currency) = (asked.clone(), account.currency());
            let reservation = Reservation { asked, granted_s, claim, currency, due, is_kept: false };
            shard.keep(partition, (org, call), reservation, held);
            Ok(answer)
        }
        unchanged => {
            if let Some(held) = suspended {
                shard.resume(org, call, held);
            }
            unchanged.map(|(answer, ..)| answer)
        }
    }
}

fn check_blocked(quote: &Quote<'_>) -> Result<(), Refusal> {
    match &quote.pricing {
        Pricing::Charged(charge) if charge.row.blocked => {
            Err(Refusal::new(RefusalReason::Blocked, "calls to this destination are blocked"))
        }
        Pricing::Charged(..) | Pricing::Free | Pricing::Unrated(_) => Ok(()),
    }
}

/// How long the call is granted, and how long it could be at most.
fn grant(settings: &Settings, quote: &Quote<'_>, room: &Room<'_>, sought: &Sought<'_>) -> Result<(u32, u32), Refusal> {
    let longest_s = room.longest(settings.maximum_s).unwrap_or(0);
    if sought.is_repeated() {
        return Ok((sought.granted_s, longest_s.max(sought.granted_s)));
    }
    let stands_s = sought.granted_s.max(sought.elapsed_s);
    // An increment is paid as a whole.
    let least_s = match &quote.pricing {
        Pricing::Charged(charge) => charge.row.initial_s,
        Pricing::Free | Pricing::Unrated(_) => 0,
    };
    let granted_s = sought.wanted_s.max(least_s).min(longest_s);
    if granted_s > stands_s {
        return Ok((granted_s, longest_s));
    }
    if stands_s >= settings.maximum_s {
        let detail = format!("no call may last longer than {} s", settings.maximum_s);
        return Err(Refusal::new(RefusalReason::MaximumDuration, detail));
    }
    Err(why_not(quote, room, stands_s.saturating_add(1)))
}

/// Why a call may not last so long.
fn why_not(quote: &Quote<'_>, room: &Room<'_>, seconds: u32) -> Refusal {
    if room.would_fit(seconds) {
        let detail = "what would pay for it is promised to calls that are running";
        return Refusal::new(RefusalReason::FundsPromised, detail);
    }
    match &quote.pricing {
        Pricing::Unrated(why) => {
            let detail = format!("nobody knows what it costs: {}", why.name());
            Refusal::new((*why).into(), detail)
        }
        Pricing::Charged(..) | Pricing::Free if !quote.is_licensed => {
            let detail = "the user holds no licence to draw credits, and no included minutes are left for it";
            Refusal::new(RefusalReason::Unlicensed, detail)
        }
        Pricing::Charged(..) | Pricing::Free => {
            let detail = "the balance does not pay for it, and no included minutes are left for it";
            Refusal::new(RefusalReason::InsufficientFunds, detail)
        }
    }
}

fn answer(
    quote: &Quote<'_>,
    room: &Room<'_>,
    pool: Option<&str>,
    sought: &Sought<'_>,
    (granted_s, maximum_s): (u32, u32),
) -> Authorisation {
    let share = room.share(granted_s);
    let mut funding = Vec::new();
    if let Some(pool) = pool.filter(|_| share.minutes > 0) {
        funding.push(Funding::Pool { pool: pool.to_owned(), minutes: share.minutes });
    }
    if share.lots.is_positive() {
        funding.push(Funding::Lots { amount: share.lots.to_string() });
    }
    if share.beyond.is_positive() {
        let amount = share.beyond.to_string();
        funding.push(if room.is_unlimited() { Funding::PostUsage { amount } } else { Funding::Overdraft { amount } });
    }
    Authorisation {
        maximum_seconds: Some(maximum_s),
        granted_seconds: Some(granted_s),
        granted_until: Some(sought.until(granted_s)),
        price: price(quote),
        funding,
        ..Authorisation::unlimited(sought.org, sought.call)
    }
}

fn price(quote: &Quote<'_>) -> Option<Price> {
    let Pricing::Charged(charge) = &quote.pricing else { return None };
    if quote.covering == Covering::AddOn {
        return None;
    }
    Some(Price {
        currency: charge.deck.currency().as_str().to_owned(),
        price_per_minute: charge.price_per_minute.text().as_str().to_owned(),
        connection_fee: charge.connection_fee.to_string(),
        initial_seconds: charge.row.initial_s,
        increment_seconds: charge.row.increment_s,
        destination: (*charge.row.destination).to_owned(),
        prefix: charge.row.prefix.to_string(),
        deck: charge.deck.id().to_owned(),
        deck_version: charge.deck.version(),
    })
}
