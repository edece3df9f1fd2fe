//! A rate plan: what an organisation is sold, product by product.

use drawdown_units::Currency;

use crate::{Fault, Product};

/// Which deck serves which product, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatePlan {
    /// The name that accounts know the plan by.
    pub id: String,
    /// The currency of the plan and of all its decks.
    pub currency: Currency,
    /// The deck of each product sold.
    pub products: Vec<(Product, String)>,
    /// What faults call the plan's file.
    pub file: String,
}

impl RatePlan {
    /// Reads a plan from TOML: `id`, `currency` and a table `[products]` of product to deck id.
    ///
    /// # Errors
    /// Every fault, in one pass.
    pub fn parse(name: &str, text: &str) -> Result<RatePlan, Vec<Fault>> {
        let _ = (name, text);
        Err(Vec::new())
    }

    /// The deck that serves `product`, if it is sold.
    pub fn deck_of(&self, product: Product) -> Option<&str> {
        self.products.iter().find(|(sold, _)| *sold == product).map(|(_, deck)| deck.as_str())
    }
}
