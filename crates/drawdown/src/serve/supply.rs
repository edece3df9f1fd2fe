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

    /// Takes up what was published: it is in force from each worker's next batch on.
    ///
    /// # Errors
    /// Why it is not: its own faults, or contradictions with what is in force.
    pub fn take_up(&self, bundle: Bundle) -> Result<(), Vec<Fault>> {
        let mut bundles = self.bundles.lock().unwrap_or_else(PoisonError::into_inner);
        let key = bundle.key();
        match bundles.get(&key) {
            Some(held) if *held == bundle => return Ok(()),
            Some(Bundle::Deck { id, version, .. }) => return Err(vec![republished(id, *version)]),
            Some(Bundle::RatePlan { .. }) | None => {}
        }
        let mut with_it = bundles.clone();
        with_it.insert(key, bundle);
        self.current.store(Some(Arc::new(compile(&with_it)?)));
        *bundles = with_it;
        Ok(())
    }

    /// The catalogue in force; `None` until there is a deck.
    pub fn current(&self) -> Option<Arc<Catalogue>> {
        self.current.load_full()
    }

    /// Id and version of every deck in force.
    pub fn versions(&self) -> Vec<(String, u32)> {
        let catalogue = self.current();
        catalogue.iter().flat_map(|it| it.decks().map(|deck| (deck.id().to_owned(), deck.version()))).collect()
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

fn republished(id: &str, version: u32) -> Fault {
    Fault {
        file: format!("deck {id}"),
        line: None,
        column: Some("version".to_owned()),
        what: format!("version {version} is in force with other content, and debits name it"),
        mend: "give the changed deck a higher version".to_owned(),
    }
}
