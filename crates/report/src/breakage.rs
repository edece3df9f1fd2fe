//! Breakage: money that is about to expire unspent, and money that did.
//!
//! As of one moment: the last booking, or one that is given, up to which bookings count. A lot whose expiry has passed is
//! no longer spendable whether or not the event that says so was raised, so it counts as expired; it is lost when that
//! is an event, at the earliest 48 hours later.

use std::collections::BTreeMap;

use drawdown_units::{Sum, Timestamp};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::holdings::{Holding, Holdings, Scope};
use crate::lines::Lines;
use crate::lot::Lot;

/// How many days ahead are looked at.
pub const HORIZONS_DAYS: [u32; 3] = [30, 60, 90];

/// What organisations are about to lose, and have lost.
#[derive(Debug)]
pub struct Breakage {
    /// As of when.
    pub at: Timestamp,
    /// By organisation, in the order of their ids; those that neither hold nor lost anything are left out.
    pub organisations: Vec<Organisation>,
    /// By currency.
    pub totals: BTreeMap<String, Figures>,
}

/// One organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Whose.
    pub org: String,
    /// The account's.
    pub currency: String,
    /// How much.
    pub figures: Figures,
    /// The lots that expire within the last horizon, or have expired, in the order in which they are drawn.
    pub lots: Vec<Lot>,
}

/// Sums of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Held by lots that have not expired.
    pub active: Sum,
    /// Of it: expires within each of [`HORIZONS_DAYS`]; the later ones include the earlier.
    pub within: [Sum; HORIZONS_DAYS.len()],
    /// Held by lots that have expired and are not forfeited.
    pub expired: Sum,
    /// Lost to date.
    pub forfeited: Sum,
}

impl Breakage {
    /// Reads all events, then all debits: of `org` or of all, as of `at` or of the last of them.
    ///
    /// # Errors
    /// What reading meets, `org` where nothing of it is there, and lots that hold less than nothing.
    pub fn of(
        org: Option<&str>,
        at: Option<Timestamp>,
        mut events: impl Lines,
        mut debits: impl Lines,
    ) -> Result<Self, Fault> {
        let (scope, mut holdings) = (Scope { org, until: at }, Holdings::default());
        holdings.read_events(&mut events, scope)?;
        holdings.read_debits(&mut debits, scope, |_, _, _| Ok(()))?;
        let at = at.or(holdings.last).unwrap_or(Timestamp::EPOCH);
        if let Some(org) = org.filter(|org| !holdings.orgs.contains_key(*org)) {
            return Err(Fault::UnknownOrg { name: events.name().to_owned(), org: org.to_owned() });
        }
        let mut organisations: Vec<Organisation> =
            holdings.orgs.iter().map(|(org, holding)| Organisation::of(org, holding, at)).collect();
        organisations.retain(|organisation| organisation.figures != Figures::default());
        organisations.sort_by(|a, b| a.org.cmp(&b.org));
        let mut totals: BTreeMap<String, Figures> = BTreeMap::new();
        for organisation in &organisations {
            totals.entry(organisation.currency.clone()).or_default().add(&organisation.figures);
        }
        Ok(Breakage { at, organisations, totals })
    }

    /// All of it as JSON; money is a decimal text.
    pub fn json(&self) -> Value {
        let organisations = self.organisations.iter().map(|it| {
            let lots: Vec<Value> = it.lots.iter().map(Lot::json).collect();
            it.figures.json(json!({"orgId": it.org, "currency": it.currency, "lots": lots}))
        });
        let totals = self.totals.iter().map(|(currency, figures)| figures.json(json!({"currency": currency})));
        json!({
            "at": self.at.to_string(),
            "organisations": organisations.collect::<Vec<_>>(),
            "totals": totals.collect::<Vec<_>>(),
        })
    }
}

impl Organisation {
    fn of(org: &str, holding: &Holding, at: Timestamp) -> Self {
        let mut figures = Figures { forfeited: holding.forfeited, ..Figures::default() };
        let mut lots = holding.lots();
        for lot in &lots {
            if lot.expires <= at {
                figures.expired += lot.remaining;
                continue;
            }
            figures.active += lot.remaining;
            for (within, days) in figures.within.iter_mut().zip(HORIZONS_DAYS) {
                if lot.expires <= days_after(at, days) {
                    *within += lot.remaining;
                }
            }
        }
        let horizon = days_after(at, HORIZONS_DAYS[HORIZONS_DAYS.len() - 1]);
        lots.retain(|lot| lot.expires <= horizon);
        let currency = holding.currency.map(|currency| currency.to_string()).unwrap_or_default();
        Organisation { org: org.to_owned(), currency, figures, lots }
    }
}

fn days_after(at: Timestamp, days: u32) -> Timestamp {
    at.plus_seconds(i64::from(days) * 86_400)
}

impl Figures {
    fn add(&mut self, more: &Figures) {
        self.active += more.active;
        self.within.iter_mut().zip(more.within).for_each(|(sum, more)| *sum += more);
        self.expired += more.expired;
        self.forfeited += more.forfeited;
    }

    fn json(&self, mut named: Value) -> Value {
        named["active"] = self.active.to_string().into();
        let within = self.within.iter().zip(HORIZONS_DAYS);
        named["within"] = within.map(|(sum, days)| json!({"days": days, "amount": sum.to_string()})).collect();
        named["expired"] = self.expired.to_string().into();
        named["forfeited"] = self.forfeited.to_string().into();
        named
    }
}
