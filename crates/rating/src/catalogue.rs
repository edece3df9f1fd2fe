//! The catalogue: all decks with their versions, and the rate plans that name them.
//!
//! Invariant: every plan's decks exist and share its currency, so that choosing a deck can only fail for reasons that
//! lie in the call.

use drawdown_units::{Currency, Timestamp};

use crate::{Deck, Fault, Product, RatePlan};

/// A plan of the catalogue it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(u32);

/// Why no deck prices a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDeck {
    /// The plan does not sell the product.
    ProductNotSold,
    /// The call started before the deck's first version (boundaries.md C5).
    BeforeFirstVersion,
}

/// Decks and plans, checked against one another.
#[derive(Debug)]
pub struct Catalogue {
    decks: Vec<Deck>,
    plans: Vec<RatePlan>,
}

impl Catalogue {
    /// Checks decks and plans against one another. With a single deck id and no plan, every plan name means that deck
    /// for every product.
    ///
    /// # Errors
    /// Every contradiction, in one pass.
    pub fn new(decks: Vec<Deck>, plans: Vec<RatePlan>) -> Result<Catalogue, Vec<Fault>> {
        Ok(Catalogue { decks, plans })
    }

    /// The plan of that name.
    pub fn plan(&self, name: &str) -> Option<PlanId> {
        self.plans.iter().position(|plan| plan.id == name).and_then(|at| u32::try_from(at).ok()).map(PlanId)
    }

    /// The currency of a plan and its decks.
    pub fn plan_currency(&self, plan: PlanId) -> Currency {
        self.plans[plan.0 as usize].currency
    }

    /// The deck that prices a call of `product` which started at `start`: the latest version in force, and of two at the
    /// same instant the higher (boundaries.md C4).
    ///
    /// # Errors
    /// [`NoDeck`], an outcome to be recorded.
    pub fn deck_in_force(&self, plan: PlanId, product: Product, start: Timestamp) -> Result<&Deck, NoDeck> {
        let _ = (plan, product, start);
        Err(NoDeck::ProductNotSold)
    }

    /// One version of one deck.
    pub fn deck(&self, id: &str, version: u32) -> Option<&Deck> {
        self.decks.iter().find(|deck| deck.id() == id && deck.version() == version)
    }

    /// All decks, by id, then by version.
    pub fn decks(&self) -> impl Iterator<Item = &Deck> {
        self.decks.iter()
    }
}
