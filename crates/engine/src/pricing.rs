//! Which price a record has: free by its kind, by a row of the deck in force, or none that anyone knows.

use drawdown_rating::{Call, Called, Catalogue, NoDeck, PlanId, Product, Row, Uncharged};
use drawdown_units::Currency;
use drawdown_wire::cdr::{CallType, Callee, Cdr};
use drawdown_wire::debit::{Pricing, Unrated};
use drawdown_wire::{Flags, Reason, Rejection, number};

/// Prices `seconds` of a record, all or what minutes leave of it, for an organisation that is sold `rate_plan`. A plan in
/// another currency than the account's sells it nothing: no amount is converted (domain.md section 6).
///
/// # Errors
/// A charge beyond what an account can hold.
#[inline]
pub fn price<'c>(
    catalogue: &'c Catalogue,
    (rate_plan, currency): (&str, Currency),
    cdr: &Cdr<'_>,
    seconds: u32,
) -> Result<(Pricing<'c>, Flags), Rejection> {
    let Some(product) = cdr.call_type.product() else {
        let flag = if cdr.call_type == CallType::UserIn { Flags::INBOUND } else { Flags::DIRECT_ROUTING };
        return Ok((Pricing::Free, flag));
    };
    match cdr.callee {
        Callee::Number { number, masked } => {
            let call =
                Call { product, called: Called { number, masked }, caller: cdr.caller, start: cdr.start, seconds };
            let plan = catalogue.plan(rate_plan).filter(|plan| catalogue.plan_currency(*plan) == currency);
            by_deck(catalogue, plan, &call)
        }
        Callee::Emergency => Ok((Pricing::Free, Flags::EMERGENCY)),
        Callee::Internal => Ok((Pricing::Free, Flags::INTERNAL)),
        Callee::ShortCode { free: true } => Ok((Pricing::Free, Flags::SHORT_CODE)),
        Callee::ShortCode { free: false } => Ok(unrated(Unrated::ShortCode, Flags::SHORT_CODE)),
        Callee::NothingVisible => Ok(unrated(Unrated::NothingVisible, Flags::NONE)),
        Callee::NotRated => Ok((Pricing::Free, Flags::NONE)),
    }
}

/// The row that most likely prices a record, for looking ahead.
pub fn likely_row<'c>(catalogue: &'c Catalogue, rate_plan: &str, cdr: &Cdr<'_>) -> Option<&'c Row> {
    let product = cdr.call_type.product()?;
    let Callee::Number { number, masked } = cdr.callee else { return None };
    let deck = catalogue.deck_in_force(catalogue.plan(rate_plan)?, product, cdr.start).ok()?;
    deck.look_up(product, Called { number, masked })?.row(cdr.caller, cdr.start)
}

fn by_deck<'c>(catalogue: &'c Catalogue, plan: Option<PlanId>, call: &Call) -> Result<(Pricing<'c>, Flags), Rejection> {
    let Call { product, called, .. } = *call;
    let Some(plan) = plan else {
        return Ok(without_row(Unrated::NotSold, product, called));
    };
    let deck = match catalogue.deck_in_force(plan, product, call.start) {
        Ok(deck) => deck,
        Err(NoDeck::ProductNotSold) => return Ok(without_row(Unrated::NotSold, product, called)),
        Err(NoDeck::NoneInForce) => return Ok(without_row(Unrated::NoDeck, product, called)),
    };
    match deck.charge(call) {
        Ok(charge) => {
            let flags = Flags::NONE
                .with_if(charge.row.blocked, Flags::BLOCKED)
                .with_if(charge.masked_uncertain, Flags::MASKED_UNCERTAIN)
                .with_if(call.seconds == 0, Flags::ZERO_SECONDS);
            Ok((Pricing::Charged(charge), flags))
        }
        Err(Uncharged::NoRow) => {
            let (pricing, flags) = without_row(Unrated::NoRow, product, called);
            Ok((pricing, flags.with_if(deck.is_uncertain(product, called), Flags::MASKED_UNCERTAIN)))
        }
        Err(Uncharged::TooLarge) => {
            Err(Rejection::new(Reason::ChargeTooLarge, "duration and price make a charge beyond 10^12 units"))
        }
    }
}

/// Outbound it is unrated; inbound only a toll-free number can cost anything (boundaries.md U22).
fn without_row<'c>(why: Unrated, product: Product, called: Called) -> (Pricing<'c>, Flags) {
    match product {
        Product::TollFreeInbound if !number::is_toll_free(called.number) => (Pricing::Free, Flags::TOLL_NUMBER),
        Product::TollFreeInbound | Product::Outbound => unrated(why, Flags::NONE),
    }
}

fn unrated<'c>(why: Unrated, flags: Flags) -> (Pricing<'c>, Flags) {
    (Pricing::Unrated(why), flags.with(Flags::UNRATED))
}
