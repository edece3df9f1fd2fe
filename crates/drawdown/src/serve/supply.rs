//! What calls are priced with: decks and rate plans from files and as published, compiled into one catalogue that is
//! replaced whole.
//!
//! Invariant: the catalogue in force is without fault; what would break it is refused, and the one before stays.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use drawdown_rating::{Catalogue, Compiled, Deck, DeckText, Fault, RatePlan};
use drawdown_stream::bundle::Bundle;

use crate::deck::publish::bundle_of;
use crate::exit::Failure;

/// Decks and rate plans, and the catalogue in force.
#[derive(Default)]
pub struct Supply {
    bundles: Mutex<BTreeMap<String, Bundle>>,
    current: ArcSwapOption<Catalogue>,
}

impl Supply {
    /// Decks and rate plans of the configuration.
    ///
    /// # Errors
    /// Every fault of the files.
    pub fn from_files<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, Failure> {
        let mut bundles = BTreeMap::new();
        for path in paths {
            let bundle = bundle_of(path)?;
            bundles.insert(bundle.key(), bundle);
        }
        let supply = Supply::default();
        if !bundles.is_empty() {
            supply.current.store(Some(Arc::new(compile(&bundles).map_err(Failure::faults)?)));
        }
        *supply.bundles.lock().unwrap_or_else(PoisonError::into_inner) = bundles;
        Ok(supply)
    }

    /// Takes up what was published: it is in force from each worker's next batch on. What came together is taken up
    /// together, since a plan needs its decks and several decks need a plan; else each that fits what is in force.
    ///
    /// # Errors
    /// For each why it is not: its own faults, or contradictions with what is in force.
    pub fn take_up(&self, published: Vec<Bundle>) -> Vec<Result<(), Vec<Fault>>> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let may_replace: Vec<_> = published.iter().map(|bundle| may_be_taken(&bundles, bundle)).collect();
        let fit = published.iter().zip(&may_replace).filter(|(_, may)| may.is_ok()).map(|(bundle, _)| bundle);
        if self.store(&mut bundles, fit).is_ok() {
            return may_replace;
        }
        let alone = |(bundle, may): (&Bundle, Result<(), _>)| may.and_then(|()| self.store(&mut bundles, [bundle]));
        published.iter().zip(may_replace).map(alone).collect()
    }

    fn store<'b>(
        &self,
        bundles: &mut BTreeMap<String, Bundle>,
        news: impl IntoIterator<Item = &'b Bundle>,
    ) -> Result<(), Vec<Fault>> {
        let mut with_them = bundles.clone();
        with_them.extend(news.into_iter().map(|bundle| (bundle.key(), bundle.clone())));
        if with_them != *bundles {
            self.current.store(Some(Arc::new(compile(&with_them)?)));
            *bundles = with_them;
        }
        Ok(())
    }

    /// Whether a bundle could be taken up as things are.
    ///
    /// # Errors
    /// Its faults, or contradictions with what is in force.
    pub fn check(&self, bundle: &Bundle) -> Result<(), Vec<Fault>> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        may_be_taken(&bundles, bundle)?;
        let mut with_it = bundles.clone();
        drop(bundles);
        with_it.insert(bundle.key(), bundle.clone());
        compile(&with_it).map(|_| ())
    }

    /// Whether exactly this bundle is in force.
    pub fn holds(&self, bundle: &Bundle) -> bool {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        bundles.get(&bundle.key()).is_some_and(|held| held.says_the_same(bundle))
    }

    /// The rate plans in force.
    pub fn rate_plans(&self) -> Vec<RatePlan> {
        let bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let plans = bundles.values().filter_map(|bundle| match bundle {
            Bundle::RatePlan { file_name, text, .. } => RatePlan::parse(file_name, text).ok(),
            Bundle::Deck { .. } => None,
        });
        plans.collect()
    }

    /// The catalogue in force; `None` until there is a deck.
    pub fn current(&self) -> Option<Arc<Catalogue>> {
        self.current.load_full()
    }

    /// Id and version of every deck in force.
    pub fn versions(&self) -> Vec<(String, u32)> {
        let catalogue = self.current();
        catalogue.iter().flat_map(|it| it.decks().iter().map(|deck| (deck.id().to_owned(), deck.version()))).collect()
    }
}

fn compile(bundles: &BTreeMap<String, Bundle>) -> Result<Catalogue, Vec<Fault>> {
    let (mut decks, mut plans) = (Vec::new(), Vec::new());
    for bundle in bundles.values() {
        match bundle {
            Bundle::Deck { manifest_name, manifest, rows_name, rows, .. } => {
                decks.push(compile_deck(manifest_name, manifest, rows_name, rows)?);
            }
            Bundle::RatePlan { file_name, text, .. } => plans.push(RatePlan::parse(file_name, text)?),
        }
    }
    Catalogue::new(decks, plans)
}

fn compile_deck(manifest_name: &str, manifest: &str, rows_name: &str, rows: &str) -> Result<Deck, Vec<Fault>> {
    let text = DeckText { manifest_name, manifest, rows_name, rows: rows.as_bytes() };
    Deck::compile(text).map(|Compiled { deck, .. }| deck)
}

/// Whether it may stand beside or replace what is in force.
fn may_be_taken(held: &BTreeMap<String, Bundle>, bundle: &Bundle) -> Result<(), Vec<Fault>> {
    match (held.get(&bundle.key()), bundle) {
        (Some(held), new) if held.says_the_same(new) => Ok(()),
        (Some(Bundle::Deck { id, version, .. }), _) => Err(vec![republished(id, *version)]),
        (Some(Bundle::RatePlan { file_name: held_name, text: held, .. }), Bundle::RatePlan { file_name, text, .. }) => {
            let (held, new) = (RatePlan::parse(held_name, held)?, RatePlan::parse(file_name, text)?);
            if held.currency == new.currency { Ok(()) } else { Err(vec![converted(&held, &new)]) }
        }
        (Some(Bundle::RatePlan { .. }) | None, _) => Ok(()),
    }
}

fn converted(held: &RatePlan, new: &RatePlan) -> Fault {
    Fault {
        file: new.file.clone(),
        line: None,
        column: Some("currency".to_owned()),
        what: format!("rate plan {} is in force in {}, not in {}", held.id, held.currency, new.currency),
        mend: "accounts are charged by it: give the plan in another currency another id".to_owned(),
    }
}

fn republished(id: &str, version: u32) -> Fault {
    Fault {
        file: format!("deck {id}"),
        line: None,
        column: Some("version".to_owned()),
        what: format!("version {version} is in force with other content, and debits name it"),
        mend: "give the changed deck a higher version".to_owned(),
    }
}
