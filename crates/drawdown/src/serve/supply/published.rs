//! Decks, rate plans and withdrawals that stand, by key: what may stand beside them, and the catalogue they make.
//!
//! Invariant: the order in which they came changes nothing, but that of two contents of one version the first counts. A
//! withdrawal holds whether its version came before it or after.

use std::collections::BTreeMap;
use std::path::Path;

use drawdown_rating::{Catalogue, Compiled, Deck, DeckText, Fault, RatePlan};
use drawdown_stream::bundle::Bundle;
use drawdown_units::Timestamp;

use crate::deck::publish::bundle_of;
use crate::exit::Failure;

/// How a version of a deck stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody published it.
    Unknown,
    /// It prices the calls that start while it is in force.
    Published,
    /// It prices none, since then.
    Withdrawn(Timestamp),
}

/// All that was published, of each key one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published(BTreeMap<String, Bundle>);

impl Published {
    /// Decks and rate plans in files.
    ///
    /// # Errors
    /// Every fault of the files.
    pub fn from_files<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, Failure> {
        let mut bundles = BTreeMap::new();
        for path in paths {
            let bundle = bundle_of(path)?;
            bundles.insert(bundle.key(), bundle);
        }
        Ok(Published(bundles))
    }

    /// Whether there is nothing that a catalogue could be made of.
    pub fn is_without_decks(&self) -> bool {
        self.0.values().all(|bundle| matches!(bundle, Bundle::Withdrawal { .. }))
    }

    /// Adds a bundle; of a version's contents and of its withdrawals the first counts, of rate plans the last.
    ///
    /// # Errors
    /// What it would change that must not change: nothing is changed then.
    pub fn take_up(&mut self, bundle: &Bundle) -> Result<(), Vec<Fault>> {
        self.may_be_taken_up(bundle)?;
        match bundle {
            Bundle::Deck { .. } | Bundle::Withdrawal { .. } => {
                self.0.entry(bundle.key()).or_insert_with(|| bundle.clone());
            }
            Bundle::RatePlan { .. } => {
                self.0.insert(bundle.key(), bundle.clone());
            }
        }
        Ok(())
    }

    /// Whether exactly this is among them.
    pub fn holds(&self, bundle: &Bundle) -> bool {
        self.0.get(&bundle.key()).is_some_and(|held| held.says_the_same(bundle))
    }

    pub fn standing(&self, id: &str, version: u32) -> Standing {
        match self.withdrawn_at(id, version) {
            Some(at) => Standing::Withdrawn(at),
            None if self.0.contains_key(&Bundle::deck_key(id, version)) => Standing::Published,
            None => Standing::Unknown,
        }
    }

    fn withdrawn_at(&self, id: &str, version: u32) -> Option<Timestamp> {
        match self.0.get(&Bundle::withdrawal_key(id, version))? {
            Bundle::Withdrawal { at, .. } => Some(*at),
            Bundle::Deck { .. } | Bundle::RatePlan { .. } => None,
        }
    }

    /// Whether it may stand beside or replace what is there, when it is read from the log.
    fn may_be_taken_up(&self, bundle: &Bundle) -> Result<(), Vec<Fault>> {
        match (self.0.get(&bundle.key()), bundle) {
            (Some(held), new) if held.says_the_same(new) => Ok(()),
            (Some(Bundle::Deck { id, version, .. }), _) => Err(vec![republished(id, *version)]),
            (
                Some(Bundle::RatePlan { file_name: held_name, text: held, .. }),
                Bundle::RatePlan { file_name, text, .. },
            ) => {
                let (held, new) = (RatePlan::parse(held_name, held)?, RatePlan::parse(file_name, text)?);
                if held.currency == new.currency { Ok(()) } else { Err(vec![converted(&held, &new)]) }
            }
            (Some(Bundle::RatePlan { .. } | Bundle::Withdrawal { .. }) | None, _) => Ok(()),
        }
    }

    /// Whether it may be published: nobody may mean to bring a withdrawn version back.
    ///
    /// # Errors
    /// It is withdrawn, or may not be taken up.
    pub fn may_be_published(&self, bundle: &Bundle) -> Result<(), Vec<Fault>> {
        if let Bundle::Deck { id, version, .. } = bundle
            && let Some(at) = self.withdrawn_at(id, *version)
        {
            return Err(vec![withdrawn(id, *version, at)]);
        }
        self.may_be_taken_up(bundle)
    }

    pub fn rate_plans(&self) -> Vec<RatePlan> {
        let plans = self.0.values().filter_map(|bundle| match bundle {
            Bundle::RatePlan { file_name, text, .. } => RatePlan::parse(file_name, text).ok(),
            Bundle::Deck { .. } | Bundle::Withdrawal { .. } => None,
        });
        plans.collect()
    }

    /// The catalogue they make.
    ///
    /// # Errors
    /// Their faults, or how they contradict one another.
    pub fn catalogue(&self) -> Result<Catalogue, Vec<Fault>> {
        let (mut decks, mut plans) = (Vec::new(), Vec::new());
        for bundle in self.0.values() {
            match bundle {
                Bundle::Deck { manifest_name, manifest, rows_name, rows, .. } => {
                    let deck = compile_deck(manifest_name, manifest, rows_name, rows)?;
                    decks.push(match self.withdrawn_at(deck.id(), deck.version()) {
                        Some(at) => deck.withdrawn(at),
                        None => deck,
                    });
                }
                Bundle::RatePlan { file_name, text, .. } => plans.push(RatePlan::parse(file_name, text)?),
                Bundle::Withdrawal { .. } => {}
            }
        }
        Catalogue::new(decks, plans)
    }
}

fn compile_deck(manifest_name: &str, manifest: &str, rows_name: &str, rows: &str) -> Result<Deck, Vec<Fault>> {
    let text = DeckText { manifest_name, manifest, rows_name, rows: rows.as_bytes() };
    Deck::compile(text).map(|Compiled { deck, .. }| deck)
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
    of_version(id, format!("version {version} is in force with other content, and debits name it"))
}

fn withdrawn(id: &str, version: u32, at: Timestamp) -> Fault {
    of_version(id, format!("version {version} was withdrawn at {at}, which is for good"))
}

fn of_version(id: &str, what: String) -> Fault {
    Fault {
        file: format!("deck {id}"),
        line: None,
        column: Some("version".to_owned()),
        what,
        mend: "give the changed deck a higher version".to_owned(),
    }
}
