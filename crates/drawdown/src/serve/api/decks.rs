//! Decks and rate plans for the API.

use std::sync::Arc;
use std::time::{Duration, Instant};

use drawdown_api::books::{BooksError, Decks, PriceQuery};
use drawdown_api::meters::clock;
use drawdown_rating::{Compiled, Deck, DeckText, Fault, Product, RatePlan};
use drawdown_stream::bundle::Bundle;
use serde_json::{Value, json};

use crate::config::Config;
use crate::deck::changes::Changes;
use crate::deck::diff::{changes_to_json, deck_to_json};
use crate::deck::log;
use crate::deck::price::{Question, answer};
use crate::exit::Failure;
use crate::serve::supply::{Standing, Supply};

/// How long publishing waits for this process to take up what it published.
const PATIENCE: Duration = Duration::from_secs(3);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The decks of a process.
pub struct Shelf {
    config: Arc<Config>,
    supply: Arc<Supply>,
}

impl Shelf {
    pub fn new(config: Arc<Config>, supply: Arc<Supply>) -> Self {
        Shelf { config, supply }
    }

    fn put(&self, bundle: &Bundle) -> Result<(), BooksError> {
        log::put_one(&self.config, bundle).map_err(|failure| match failure {
            // What others published since this process looked speaks against it.
            Failure::Usage(messages) => BooksError::BadRequest("manifest", messages.join("; ")),
            Failure::Fault(error) => BooksError::Unavailable(format!("cannot publish: {error:#}")),
        })
    }
}

/// Waits a while for this process to take up what was published.
fn await_taken_up(is_taken_up: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_taken_up() && Instant::now() < until {
        std::thread::sleep(LOOK_INTERVAL);
    }
}

fn listed(deck: &Deck) -> Value {
    let mut json = deck_to_json(deck);
    json["withdrawnAt"] = deck.withdrawn_at().map(|at| at.to_string()).into();
    json
}

fn unknown(id: &str, version: u32) -> BooksError {
    BooksError::NotFound(format!("there is no version {version} of deck {id:?}"))
}

fn refused(field: &'static str, faults: &[Fault]) -> BooksError {
    const SHOWN: usize = 20;
    let mut texts: Vec<String> = faults.iter().take(SHOWN).map(ToString::to_string).collect();
    if faults.len() > SHOWN {
        texts.push(format!("and {} more", faults.len() - SHOWN));
    }
    BooksError::BadRequest(field, texts.join("; "))
}

impl Decks for Shelf {
    fn list(&self) -> Value {
        let catalogue = self.supply.current();
        let decks = catalogue.as_ref().map_or(&[][..], |catalogue| catalogue.decks());
        let plans = self.supply.rate_plans();
        let plan = |plan: &RatePlan| {
            let products = Product::ALL.iter().filter_map(|product| Some((product.as_str(), plan.deck_of(*product)?)));
            let products: serde_json::Map<_, _> = products.map(|(name, deck)| (name.to_owned(), deck.into())).collect();
            json!({"id": plan.id, "currency": plan.currency.to_string(), "products": products})
        };
        json!({
            "decks": decks.iter().map(listed).collect::<Vec<_>>(),
            "ratePlans": plans.iter().map(plan).collect::<Vec<_>>(),
        })
    }

    fn publish(&self, manifest: &str, rows: Option<&str>) -> Result<Value, BooksError> {
        let (manifest_name, rows_name) = ("manifest", "rows");
        let bundle = match rows {
            None => {
                let plan = RatePlan::parse(manifest_name, manifest).map_err(|faults| refused("manifest", &faults))?;
                Bundle::RatePlan { id: plan.id, file_name: manifest_name.to_owned(), text: manifest.to_owned() }
            }
            Some(rows) => {
                let text = DeckText { manifest_name, manifest, rows_name, rows: rows.as_bytes() };
                let Compiled { deck, .. } = Deck::compile(text).map_err(|faults| refused("rows", &faults))?;
                Bundle::Deck {
                    id: deck.id().to_owned(),
                    version: deck.version(),
                    manifest_name: manifest_name.to_owned(),
                    manifest: manifest.to_owned(),
                    rows_name: rows_name.to_owned(),
                    rows: rows.to_owned(),
                }
            }
        };
        self.supply.check(&bundle).map_err(|faults| refused("manifest", &faults))?;
        if !self.supply.holds(&bundle) {
            self.put(&bundle)?;
        }
        await_taken_up(|| self.supply.holds(&bundle));
        Ok(json!({"key": bundle.key(), "inForce": self.supply.holds(&bundle)}))
    }

    fn withdraw(&self, id: &str, version: u32) -> Result<Value, BooksError> {
        let asked_at = clock();
        match self.supply.standing(id, version) {
            Standing::Unknown => return Err(unknown(id, version)),
            Standing::Withdrawn(_) => {}
            Standing::Published => {
                self.put(&Bundle::Withdrawal { id: id.to_owned(), version, at: asked_at })?;
                await_taken_up(|| self.supply.standing(id, version) != Standing::Published);
            }
        }
        let (at, is_in_force) = match self.supply.standing(id, version) {
            Standing::Withdrawn(at) => (at, false),
            Standing::Published | Standing::Unknown => (asked_at, true),
        };
        Ok(json!({"key": Bundle::deck_key(id, version), "withdrawnAt": at.to_string(), "inForce": is_in_force}))
    }

    fn diff(&self, id: &str, from: u32, to: u32) -> Result<Value, BooksError> {
        let catalogue = self.supply.current();
        let deck = |version| {
            let found = catalogue.as_ref().and_then(|catalogue| catalogue.deck(id, version));
            found.ok_or_else(|| unknown(id, version))
        };
        let (before, after) = (deck(from)?, deck(to)?);
        if before.currency() != after.currency() {
            return Err(BooksError::BadRequest("to", "the versions are in two currencies".to_owned()));
        }
        Ok(changes_to_json(before, after, &Changes::between(before, after)))
    }

    fn price(&self, query: &PriceQuery<'_>) -> Result<Value, BooksError> {
        let Some(catalogue) = self.supply.current() else {
            return Err(BooksError::NotFound("there is no deck yet".to_owned()));
        };
        let Some(plan) = catalogue.plan(query.plan) else {
            return Err(BooksError::NotFound(format!("there is no rate plan {:?}", query.plan)));
        };
        let product = Product::Outbound;
        let deck = catalogue.deck_in_force(plan, product, query.at);
        let deck = deck.map_err(|_| BooksError::NotFound("no deck of this plan is in force then".to_owned()))?;
        let PriceQuery { number, at, seconds, .. } = *query;
        let question = Question { number, seconds, at, caller: None, product, region: None };
        match answer(&question, deck) {
            Ok(answer) => Ok(answer.to_json()),
            Err(Failure::Usage(messages)) => Err(BooksError::BadRequest("number", messages.join("; "))),
            Err(Failure::Fault(error)) => Err(BooksError::Unavailable(format!("{error:#}"))),
        }
    }
}
