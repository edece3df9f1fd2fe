//! The catalogue: all decks with their versions, and the rate plans that name them.
//!
//! Invariant: every plan's decks exist and share its currency, so that choosing a deck can only fail for reasons that
//! lie in the call.

use core::ops::Range;

use drawdown_units::{Currency, Timestamp};

use crate::fault::{Faults, Place};
use crate::{Deck, Fault, Product, RatePlan};

/// A plan of the catalogue it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(u32);

/// Why no deck prices a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDeck {
    /// The plan does not sell the product.
    ProductNotSold,
    /// No version was in force when the call started (boundaries.md C5), or those that were are withdrawn.
    NoneInForce,
}

/// Decks and plans, checked against one another.
#[derive(Debug)]
pub struct Catalogue {
    /// By id, then by the instant from which a version holds, then by version.
    decks: Vec<Deck>,
    plans: Vec<Plan>,
}

/// A plan with its decks found.
#[derive(Debug)]
struct Plan {
    /// `None` is the plan of every name: there is one deck and no rate plan.
    name: Option<String>,
    currency: Currency,
    /// By product, the versions of its deck among the catalogue's.
    sold: [Option<Range<usize>>; Product::ALL.len()],
}

impl Catalogue {
    /// Checks decks and plans against one another. With a single deck id and no plan, every plan name means that deck
    /// for every product.
    ///
    /// # Errors
    /// Every contradiction, in one pass.
    pub fn new(mut decks: Vec<Deck>, plans: Vec<RatePlan>) -> Result<Catalogue, Vec<Fault>> {
        decks.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        let mut faults = Faults::default();
        refuse_twin_decks(&decks, &mut faults);
        refuse_twin_plans(&plans, &mut faults);
        let plans = match plans.as_slice() {
            [] => plan_of_every_name(&decks, &mut faults).into_iter().collect(),
            [..] => plans.into_iter().map(|plan| resolve(plan, &decks, &mut faults)).collect(),
        };
        if faults.is_empty() { Ok(Catalogue { decks, plans }) } else { Err(faults.into_list()) }
    }

    /// The plan of that name.
    pub fn plan(&self, name: &str) -> Option<PlanId> {
        let is_named = |plan: &Plan| plan.name.as_deref().is_none_or(|known| known == name);
        self.plans.iter().position(is_named).and_then(|at| u32::try_from(at).ok()).map(PlanId)
    }

    /// The name of the only plan there is; any name will do where one deck serves every name. `None` if there are several.
    pub fn sole_plan(&self) -> Option<&str> {
        match self.plans.as_slice() {
            [only] => Some(only.name.as_deref().unwrap_or("standard")),
            [..] => None,
        }
    }

    /// The currency of a plan and its decks.
    pub fn plan_currency(&self, plan: PlanId) -> Currency {
        self.plan_of(plan).currency
    }

    /// The deck that prices a call of `product` which started at `start`: the latest version in force that is not
    /// withdrawn, and of two at the same instant the higher (boundaries.md C4).
    ///
    /// # Errors
    /// [`NoDeck`], an outcome to be recorded.
    pub fn deck_in_force(&self, plan: PlanId, product: Product, start: Timestamp) -> Result<&Deck, NoDeck> {
        let versions = self.plan_of(plan).sold[product as usize].clone().ok_or(NoDeck::ProductNotSold)?;
        let of_deck = self.decks.get(versions).unwrap_or_default();
        let may_price = |deck: &&Deck| deck.effective_from() <= start && deck.withdrawn_at().is_none();
        of_deck.iter().rev().find(may_price).ok_or(NoDeck::NoneInForce)
    }

    /// One version of one deck, withdrawn or not.
    pub fn deck(&self, id: &str, version: u32) -> Option<&Deck> {
        self.decks.iter().find(|deck| deck.id() == id && deck.version() == version)
    }

    /// All decks, withdrawn ones too, by id, then by the instant from which they hold, then by version.
    pub fn decks(&self) -> &[Deck] {
        &self.decks
    }

    fn plan_of(&self, plan: PlanId) -> &Plan {
        self.plans.get(plan.0 as usize).expect("invariant: a plan id belongs to the catalogue that gave it")
    }
}

fn sort_key(deck: &Deck) -> (&str, Timestamp, u32) {
    (deck.id(), deck.effective_from(), deck.version())
}

fn place_of(deck: &Deck) -> Place<'_> {
    Place { file: deck.manifest_name(), line: None, column: Some("version") }
}

fn versions_of(decks: &[Deck], id: &str) -> Option<Range<usize>> {
    let from = decks.partition_point(|deck| deck.id() < id);
    let to = decks.partition_point(|deck| deck.id() <= id);
    (from < to).then_some(from..to)
}

fn refuse_twin_decks(decks: &[Deck], faults: &mut Faults) {
    let mut by_version: Vec<&Deck> = decks.iter().collect();
    by_version.sort_by_key(|deck| (deck.id(), deck.version()));
    for twins in
        by_version.windows(2).filter(|pair| (pair[0].id(), pair[0].version()) == (pair[1].id(), pair[1].version()))
    {
        let (first, second) = (twins[0], twins[1]);
        faults.add(
            place_of(second),
            format_args!("{} has version {} of deck {} too", first.manifest_name(), second.version(), second.id()),
            format_args!("a published version never changes: number the new one higher"),
        );
    }
}

fn refuse_twin_plans(plans: &[RatePlan], faults: &mut Faults) {
    for (at, plan) in plans.iter().enumerate() {
        if let Some(first) = plans.iter().take(at).find(|first| first.id == plan.id) {
            let place = Place { file: &plan.file, line: None, column: Some("id") };
            let what = format_args!("{} has a rate plan {} too", first.file, plan.id);
            faults.add(place, what, format_args!("give them different ids"));
        }
    }
}

/// The one plan where no plan is given: possible if there is one deck, in one currency.
fn plan_of_every_name(decks: &[Deck], faults: &mut Faults) -> Option<Plan> {
    let Some(first) = decks.first() else {
        let place = Place { file: "catalogue", line: None, column: None };
        faults.add(place, format_args!("there is no deck"), format_args!("give at least one"));
        return None;
    };
    if let Some(other) = decks.iter().find(|deck| deck.id() != first.id()) {
        let what = format_args!("there are several decks ({}, {}) and no rate plan", first.id(), other.id());
        faults.add(
            Place { column: None, ..place_of(other) },
            what,
            format_args!("give a rate plan that says which serves what"),
        );
    } else if let Some(other) = decks.iter().find(|deck| deck.currency() != first.currency()) {
        let what =
            format_args!("version {} is in {}, another in {}", other.version(), other.currency(), first.currency());
        let place = Place { column: Some("currency"), ..place_of(other) };
        faults.add(place, what, format_args!("a deck keeps its currency: give the other one another id"));
    }
    let versions = 0..decks.len();
    Some(Plan { name: None, currency: first.currency(), sold: [Some(versions.clone()), Some(versions)] })
}

fn resolve(plan: RatePlan, decks: &[Deck], faults: &mut Faults) -> Plan {
    let sold = Product::ALL.map(|product| {
        let id = plan.deck_of(product)?;
        let place = Place { file: &plan.file, line: None, column: Some(product.as_str()) };
        let Some(versions) = versions_of(decks, id) else {
            let what = format_args!("there is no deck {id}");
            faults.add(place, what, format_args!("give it too, or name another"));
            return None;
        };
        for deck in decks.get(versions.clone()).unwrap_or_default() {
            if deck.currency() != plan.currency {
                let (version, currency) = (deck.version(), deck.currency());
                let what = format_args!("deck {id} version {version} is in {currency}, the plan in {}", plan.currency);
                faults.add(place, what, format_args!("nothing is converted: use a deck in the plan's currency"));
            }
        }
        Some(versions)
    });
    Plan { name: Some(plan.id), currency: plan.currency, sold }
}

#[cfg(test)]
mod tests;
