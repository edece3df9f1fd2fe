//! What pays for a call before money does, and whether its user may draw money at all (domain.md sections 4 and 5).

use drawdown_ledger::Account;
use drawdown_ledger::entitlements::{Draw, Entitlements, Included, Returned, UserPlace};
use drawdown_ledger::plans::{Brings, Country, Plans};
use drawdown_rating::{Called, Catalogue, Product};
use drawdown_wire::cdr::{CallType, Callee, Cdr};
use drawdown_wire::number::Places;

/// What there is to pay before money does, whatever a call's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covering {
    /// Nothing.
    Nothing,
    /// What is left of a pool: something.
    Pool(Included),
    /// Unlimited dial-out: the call is free.
    AddOn,
}

impl Covering {
    /// What pays for a call of so many seconds.
    #[inline]
    pub(super) fn of(self, seconds: u32) -> Cover {
        match self {
            Covering::Nothing => Cover::Nothing,
            Covering::Pool(included) => included.draw(seconds.div_ceil(60)).map_or(Cover::Nothing, Cover::Minutes),
            Covering::AddOn => Cover::AddOn,
        }
    }
}

/// What pays before money does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    /// Nothing.
    Nothing,
    /// Minutes of a pool, all of them or the first.
    Minutes(Draw),
    /// Unlimited dial-out: the call is free.
    AddOn,
}

impl Cover {
    /// The minutes to draw.
    pub fn draw(self) -> Option<Draw> {
        match self {
            Cover::Minutes(draw) => Some(draw),
            Cover::Nothing | Cover::AddOn => None,
        }
    }

    /// The seconds that are left to be rated; `None` if nothing is (boundaries.md P1, P11).
    pub fn rest_s(self, seconds: u32) -> Option<u32> {
        match self {
            Cover::Nothing => Some(seconds),
            Cover::AddOn => None,
            Cover::Minutes(draw) => seconds.checked_sub(draw.minutes.saturating_mul(60)).filter(|rest| *rest > 0),
        }
    }
}

/// Asks licences and pools.
pub(crate) struct Asking<'a> {
    pub account: &'a Account,
    pub plans: &'a Plans,
    pub catalogue: &'a Catalogue,
    pub places: &'a mut Places,
    pub cdr: &'a Cdr<'a>,
    /// Whose call it is, if they ever held a licence.
    pub user: Option<UserPlace>,
    /// Minutes that a correction gives back first.
    pub returned: Option<Returned<'a>>,
}

impl Asking<'_> {
    /// What pays for the call before money does.
    #[inline]
    pub(super) fn cover(&mut self) -> Cover {
        self.covering().of(self.cdr.seconds)
    }

    /// What there is to pay for a call like this one before money does.
    pub fn covering(&mut self) -> Covering {
        let (Some(entitlements), Callee::Number { number, masked }) = (self.account.entitlements(), self.cdr.callee)
        else {
            return Covering::Nothing;
        };
        let Some(user) = self.user else { return Covering::Nothing };
        match self.cdr.call_type {
            // It draws nothing: there is no need to ask for its country.
            CallType::UserOut | CallType::UcapOut if self.cdr.seconds == 0 => Covering::Nothing,
            CallType::UserOut | CallType::UcapOut => self.calling_pool(entitlements, user, Called { number, masked }),
            CallType::ConfOut => self.dial_out(entitlements, user, Called { number, masked }),
            CallType::ConfIn
            | CallType::UcapIn
            | CallType::UnassignedIn
            | CallType::UserIn
            | CallType::DirectRouting => Covering::Nothing,
        }
    }

    /// `destinationContext` if given; else the called country against that of the plan (boundaries.md P6).
    fn calling_pool(&mut self, entitlements: &Entitlements, user: UserPlace, to: Called) -> Covering {
        let (plans, start) = (self.plans, self.cdr.start);
        let context = self.cdr.text.destination_context.as_deref();
        let is_domestic = |of_plan: Country| match context {
            Some("Domestic") => true,
            Some("International") => false,
            Some(_) | None => {
                let called = self.places.country(to.number, to.masked);
                called.is_some_and(|called| plans.country(called) == of_plan)
            }
        };
        let included = entitlements.calling_pool(user, plans, start, self.returned.as_ref(), is_domestic);
        included.filter(|included| included.left() > 0).map_or(Covering::Nothing, Covering::Pool)
    }

    fn dial_out(&mut self, entitlements: &Entitlements, organiser: UserPlace, to: Called) -> Covering {
        let (plans, start) = (self.plans, self.cdr.start);
        let brings_any = |it: &Brings| matches!(it, Brings::Conferencing(_) | Brings::UnlimitedDialOut(_));
        if !entitlements.holds(organiser, plans, start, brings_any) {
            return Covering::Nothing;
        }
        let Some(called) = self.places.country(to.number, to.masked) else { return Covering::Nothing };
        let is_unlimited =
            |it: &Brings| matches!(it, Brings::UnlimitedDialOut(countries) if countries.contains(&called));
        let covering = if entitlements.holds(organiser, plans, start, is_unlimited) {
            Some(Covering::AddOn)
        } else {
            let included = entitlements.dial_out_pool(organiser, plans, start, self.returned.as_ref(), called);
            included.filter(|included| included.left() > 0).map(Covering::Pool)
        };
        // Asked last, since the numbering plan takes its time to answer.
        covering.filter(|_| !self.is_premium(to)).unwrap_or(Covering::Nothing)
    }

    /// By the numbering plan, or by the deck's row (boundaries.md U20).
    fn is_premium(&mut self, to: Called) -> bool {
        self.places.is_premium(to.number) || self.row_is_premium(to).unwrap_or(false)
    }

    fn row_is_premium(&self, to: Called) -> Option<bool> {
        let start = self.cdr.start;
        let plan = self.catalogue.plan(self.account.rate_plan_at(start))?;
        let deck = self.catalogue.deck_in_force(plan, Product::Outbound, start).ok()?;
        let found = deck.look_up(Product::Outbound, to)?;
        Some(found.row(self.cdr.caller, start)?.premium)
    }
}

/// The user of a call, or the organiser, if they ever held a licence.
#[inline]
pub(crate) fn user_of(account: &Account, cdr: &Cdr<'_>) -> Option<UserPlace> {
    account.entitlements()?.find(cdr.text.user_id.as_deref()?)
}

/// Whether money may be drawn for the call: resource accounts and unassigned numbers need no licence (boundaries.md W3).
pub(crate) fn may_draw(account: &Account, plans: &Plans, cdr: &Cdr<'_>, user: Option<UserPlace>) -> bool {
    match cdr.call_type {
        CallType::UcapOut | CallType::UcapIn | CallType::UnassignedIn | CallType::UserIn | CallType::DirectRouting => {
            true
        }
        CallType::UserOut | CallType::ConfOut | CallType::ConfIn => account.may_draw(user, cdr.start, plans),
    }
}
