//! What calls are priced with: decks and rate plans from files and as published, compiled into one catalogue that is
//! replaced whole.
//!
//! Invariant: the catalogue in force is without fault; what would break it is refused, and the one before stays.

mod published;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use drawdown_rating::{Catalogue, Fault, RatePlan};
use drawdown_stream::bundle::Bundle;

use crate::config::Rating;
use crate::exit::Failure;
use published::Published;
pub use published::Standing;

/// Decks and rate plans, and the catalogue in force.
#[derive(Default)]
pub struct Supply {
    published: Mutex<Published>,
    current: ArcSwapOption<Catalogue>,
}

impl Supply {
    /// Decks and rate plans of the configuration.
    ///
    /// # Errors
    /// Every fault of the files.
    pub fn from_files(config: &Rating) -> Result<Self, Failure> {
        let paths = config.decks.iter().chain(&config.rate_plans);
        let published = Published::from_files(paths.map(PathBuf::as_path))?;
        let supply = Supply::default();
        supply.put_in_force(published, &mut supply.published()).map_err(Failure::faults)?;
        Ok(supply)
    }

    fn published(&self) -> MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what was published: it is in force from each worker's next batch on. What came together is taken up
    /// together, since a plan needs its decks and several decks need a plan; else each that fits what is in force.
    ///
    /// # Errors
    /// For each why it is not: its own faults, or contradictions with what is in force.
    pub fn take_up(&self, news: Vec<Bundle>) -> Vec<Result<(), Vec<Fault>>> {
        let mut published = self.published();
        let mut with_them = published.clone();
        let fit = news.iter().map(|bundle| with_them.take_up(bundle)).collect();
        if self.store(&mut published, with_them).is_ok() {
            return fit;
        }
        let alone = |bundle| {
            let mut with_it = published.clone();
            with_it.take_up(bundle)?;
            self.store(&mut published, with_it)
        };
        news.iter().map(alone).collect()
    }

    fn store(&self, published: &mut Published, new: Published) -> Result<(), Vec<Fault>> {
        if new == *published { Ok(()) } else { self.put_in_force(new, published) }
    }

    fn put_in_force(&self, new: Published, published: &mut Published) -> Result<(), Vec<Fault>> {
        if !new.is_without_decks() {
            self.current.store(Some(Arc::new(new.catalogue()?)));
        }
        *published = new;
        Ok(())
    }

    /// Whether a bundle could be published, and taken up as things are.
    ///
    /// # Errors
    /// Its faults, or contradictions with what is in force.
    pub fn check(&self, bundle: &Bundle) -> Result<(), Vec<Fault>> {
        let mut published = self.published().clone();
        published.may_be_published(bundle)?;
        published.take_up(bundle)?;
        published.catalogue().map(|_| ())
    }

    /// Whether a bundle changes nothing that must not change; what it lacks may still come.
    ///
    /// # Errors
    /// What it would change.
    pub fn may_be_published(&self, bundle: &Bundle) -> Result<(), Vec<Fault>> {
        self.published().may_be_published(bundle)
    }

    /// Whether exactly this bundle is in force.
    pub fn holds(&self, bundle: &Bundle) -> bool {
        self.published().holds(bundle)
    }

    /// How a version of a deck stands.
    pub fn standing(&self, id: &str, version: u32) -> Standing {
        self.published().standing(id, version)
    }

    /// The rate plans in force.
    pub fn rate_plans(&self) -> Vec<RatePlan> {
        self.published().rate_plans()
    }

    /// The catalogue in force; `None` until there is a deck.
    pub fn current(&self) -> Option<Arc<Catalogue>> {
        self.current.load_full()
    }

    /// The id of every deck, and its latest version that is not withdrawn; 0 where all are.
    pub fn versions(&self) -> BTreeMap<String, u32> {
        let mut versions = BTreeMap::new();
        for deck in self.current().iter().flat_map(|catalogue| catalogue.decks()) {
            let latest = versions.entry(deck.id().to_owned()).or_insert(0);
            if deck.withdrawn_at().is_none() {
                *latest = deck.version();
            }
        }
        versions
    }
}

#[cfg(test)]
mod tests;
