//! A rate plan: what an organisation is sold, product by product.

use drawdown_units::Currency;

use crate::deck::{read_currency, read_id};
use crate::fault::{Faults, Shown};
use crate::keys::{Entry, Keys, Source};
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
    /// Reads a plan from TOML: `id`, `currency` and a table `[products]` of product to deck id. `name` is what faults call
    /// it.
    ///
    /// # Errors
    /// Every fault, in one pass.
    pub fn parse(name: &str, text: &str) -> Result<RatePlan, Vec<Fault>> {
        let mut faults = Faults::default();
        let source = Source { file: name, text };
        let Some(table) = source.parse(&mut faults) else { return Err(faults.into_list()) };
        let mut keys = Keys::of_document(source, &table);
        let id = read_id(&mut keys, &mut faults);
        let currency = read_currency(&mut keys, &mut faults);
        let products = keys
            .require("products", "say which deck serves which product: [products] outbound = \"…\"", &mut faults)
            .map(|entry| read_products(entry, &mut faults));
        keys.finish(&mut faults);
        match (id, currency, products) {
            (Some(id), Some(currency), Some(products)) if faults.is_empty() => {
                Ok(RatePlan { id, currency, products, file: name.to_owned() })
            }
            _ => Err(faults.into_list()),
        }
    }

    /// The deck that serves `product`, if it is sold.
    pub fn deck_of(&self, product: Product) -> Option<&str> {
        self.products.iter().find(|(sold, _)| *sold == product).map(|(_, deck)| deck.as_str())
    }
}

fn read_products(entry: Entry<'_>, faults: &mut Faults) -> Vec<(Product, String)> {
    let mut products = Vec::new();
    let Some(keys) = entry.table(faults) else { return products };
    for entry in keys.entries() {
        match (Product::parse(entry.key), entry.text(faults)) {
            (Some(product), Some(deck)) => products.push((product, deck.to_owned())),
            (Some(_), None) => {}
            (None, _) => {
                let what = format_args!("{} is no product", Shown(entry.key));
                faults.add(
                    entry.place(),
                    what,
                    format_args!("known are {}", Product::ALL.map(Product::as_str).join(", ")),
                );
            }
        }
    }
    if products.is_empty() && faults.is_empty() {
        faults.add(entry.place(), format_args!("the plan sells nothing"), format_args!("name a deck for a product"));
    }
    products
}
