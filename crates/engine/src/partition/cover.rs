//! What pays for a call before money does, and whether its user may draw money at all (domain.md sections 4 and 5).

use drawdown_ledger::Account;
use drawdown_ledger::entitlements::{Draw, Entitlements, Returned, UserPlace};
use drawdown_ledger::plans::{Brings, Country, Plans};
use drawdown_rating::{Called, Catalogue, Product};
use drawdown_wire::cdr::{CallType, Callee, Cdr};
use drawdown_wire::number::Places;

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
pub(super) struct Asking<'a> {
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
    pub fn cover(&mut self) -> Cover {
        let (Some(entitlements), Callee::Number { number, masked }) = (self.account.entitlements(), self.cdr.callee)
        else {
            return Cover::Nothing;
        };
        let Some(user) = self.user else { return Cover::Nothing };
        let minutes = self.cdr.seconds.div_ceil(60);
        match self.cdr.call_type {
            CallType::UserOut | CallType::UcapOut if minutes == 0 => Cover::Nothing,
            CallType::UserOut | CallType::UcapOut => {
                self.calling_minutes(entitlements, user, minutes, Called { number, masked })
            }
            CallType::ConfOut => self.dial_out(entitlements, user, minutes, Called { number, masked }),
            CallType::ConfIn
            | CallType::UcapIn
            | CallType::UnassignedIn
            | CallType::UserIn
            | CallType::DirectRouting => Cover::Nothing,
        }
    }

    /// `destinationContext` if given; else the called country against that of the plan (boundaries.md P6).
    fn calling_minutes(&mut self, entitlements: &Entitlements, user: UserPlace, wanted: u32, to: Called) -> Cover {
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
        let draw = entitlements.calling_minutes(user, plans, start, wanted, self.returned.as_ref(), is_domestic);
        draw.map_or(Cover::Nothing, Cover::Minutes)
    }

    fn dial_out(&mut self, entitlements: &Entitlements, organiser: UserPlace, wanted: u32, to: Called) -> Cover {
        let (plans, start) = (self.plans, self.cdr.start);
        let brings_any = |it: &Brings| matches!(it, Brings::Conferencing(_) | Brings::UnlimitedDialOut(_));
        if !entitlements.holds(organiser, plans, start, brings_any) {
            return Cover::Nothing;
        }
        let Some(called) = self.places.country(to.number, to.masked) else { return Cover::Nothing };
        let is_unlimited =
            |it: &Brings| matches!(it, Brings::UnlimitedDialOut(countries) if countries.contains(&called));
        let cover = if entitlements.holds(organiser, plans, start, is_unlimited) {
            Some(Cover::AddOn)
        } else {
            let returned = self.returned.as_ref();
            entitlements.dial_out_minutes(organiser, plans, start, wanted, returned, called).map(Cover::Minutes)
        };
        // Asked last, since the numbering plan takes its time to answer.
        cover.filter(|_| !self.is_premium(to)).unwrap_or(Cover::Nothing)
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
pub(super) fn user_of(account: &Account, cdr: &Cdr<'_>) -> Option<UserPlace> {
    account.entitlements()?.find(cdr.text.user_id.as_deref()?)
}

/// Whether money may be drawn for the call: resource accounts and unassigned numbers need no licence (boundaries.md W3).
pub(super) fn may_draw(account: &Account, plans: &Plans, cdr: &Cdr<'_>, user: Option<UserPlace>) -> bool {
    match cdr.call_type {
        CallType::UcapOut | CallType::UcapIn | CallType::UnassignedIn | CallType::UserIn | CallType::DirectRouting => {
            true
        }
        CallType::UserOut | CallType::ConfOut | CallType::ConfIn => account.may_draw(user, cdr.start, plans),
    }
}
