//! Running calls of this process's organisations: authorisation on its committed views, and its upkeep.
//!
//! Invariant: what a transaction committed is published before the reservations of its calls are given up, so that for no
//! moment the same money is promised twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use drawdown_engine::worker::{Committed, Messages};
use drawdown_ledger::Rules;
use drawdown_rating::Catalogue;
use drawdown_units::{Money, Timestamp};

use crate::authorise::books::States;
use crate::authorise::{
    Authorisation, AuthorisationRequest, Authoriser, Books, Extension, Refusal, RefusalReason, Released, Settings,
    Terms,
};
use crate::meters::CallMeters;

/// How many organisations are kept decoded.
const DECODED_MAX: usize = 100_000;

/// The catalogue in force; `None` while there is none.
pub type CatalogueNow = Box<dyn Fn() -> Option<Arc<Catalogue>> + Send + Sync>;

/// Running calls.
pub struct Calls {
    authoriser: Authoriser,
    books: Books,
    rules: Rules,
    catalogue: CatalogueNow,
    meters: CallMeters,
    /// Somebody has asked since the process began, or a promise was read back: until then a commit pays nothing.
    is_asked: AtomicBool,
}

impl Calls {
    /// None yet.
    pub fn new(
        settings: Settings,
        states: Arc<dyn States>,
        rules: Rules,
        catalogue: CatalogueNow,
        meters: CallMeters,
    ) -> Self {
        let books = Books::new(states, rules.clone(), DECODED_MAX);
        let authoriser = Authoriser::new(settings);
        Calls { authoriser, books, rules, catalogue, meters, is_asked: AtomicBool::new(false) }
    }

    /// Whether a call may go ahead.
    pub fn authorise(&self, request: &AuthorisationRequest, now: Timestamp) -> Authorisation {
        self.by_terms(&request.org_id, &request.call_id, |terms| {
            self.authoriser.authorise(terms, &self.books, request, now)
        })
    }

    /// Whether a running call may go on.
    pub fn extend(&self, extension: &Extension, now: Timestamp) -> Authorisation {
        self.by_terms(&extension.org_id, &extension.call_id, |terms| {
            self.authoriser.extend(terms, &self.books, extension, now)
        })
    }

    /// Decides by what is in force now, and counts the decision.
    fn by_terms(&self, org: &str, call: &str, decide: impl FnOnce(Terms<'_>) -> Authorisation) -> Authorisation {
        let began = Instant::now();
        self.is_asked.store(true, Ordering::Release);
        let answer = match (self.catalogue)() {
            Some(catalogue) => decide(Terms { catalogue: &catalogue, rules: &self.rules }),
            None => {
                let refusal = Refusal::new(RefusalReason::NoDeck, "there is no deck yet");
                Authorisation::refused(org, call, refusal)
            }
        };
        self.meters.decided(&answer, began.elapsed());
        answer
    }

    /// A call has ended, or never came to be: whether anything was kept for it.
    pub fn release(&self, org: &str, call: &str) -> bool {
        self.authoriser.release(org, call, Released::Request)
    }

    /// The money that is promised to running calls.
    pub fn reserved(&self, org: &str) -> Money {
        self.authoriser.promised(org).money
    }

    /// Who decides, for whoever shows what is kept for calls.
    pub(crate) fn authoriser(&self) -> &Authoriser {
        &self.authoriser
    }

    /// Gives up what nobody asked more time for.
    pub fn sweep(&self, now: Timestamp) {
        self.authoriser.sweep(now);
    }

    /// A transaction is final, and its states are published.
    pub fn committed(&self, committed: &Committed<'_>) {
        if !self.is_asked.load(Ordering::Acquire) {
            return;
        }
        for (_, states) in committed.states.iter().chain(committed.users) {
            states.iter().for_each(|(key, state)| self.books.committed(key, state));
        }
        if self.authoriser.count() > 0 {
            for (org, line) in committed.debits.iter() {
                if let (Ok(org), Some(id)) = (std::str::from_utf8(org), id_of(line)) {
                    self.authoriser.release(org, &id, Released::Record);
                }
            }
        }
    }

    /// How many run.
    pub fn count(&self) -> usize {
        self.authoriser.count()
    }

    /// Whether anything is promised that the log does not know of yet.
    pub fn has_unkept(&self) -> bool {
        self.authoriser.has_unkept()
    }

    /// Adds to `states` what is promised to the running calls of a partition, as far as that changed.
    pub fn keep(&self, partition: u32, states: &mut Messages) {
        self.authoriser.keep(partition, states);
    }

    /// What was to be kept was not.
    pub fn not_kept(&self, partition: u32, key: &[u8]) {
        self.authoriser.not_kept(partition, key);
    }

    /// What a running call was promised was read back.
    pub fn kept(&self, partition: u32, key: &[u8], state: &[u8]) {
        self.is_asked.store(true, Ordering::Release);
        self.authoriser.restore(partition, key, state);
    }

    /// A state was read back, and is published.
    pub fn saved(&self, key: &[u8], state: &[u8]) {
        if self.is_asked.load(Ordering::Acquire) {
            self.books.committed(key, state);
        }
    }

    /// These partitions are not ours any more, or are to be read back.
    pub fn forget(&self, partitions: &[u32]) {
        self.books.forget();
        self.authoriser.forget(partitions);
    }
}

/// The id of the record that a debit is of. It stands near the beginning: the rest of the line is not looked at, unless
/// the id holds something that had to be escaped.
fn id_of(line: &[u8]) -> Option<String> {
    const FIELD: &[u8] = b",\"id\":\"";
    let from = line.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    let to = from + line[from..].iter().position(|byte| *byte == b'"' || *byte == b'\\')?;
    if line[to] == b'"' {
        return String::from_utf8(line[from..to].to_vec()).ok();
    }
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    value["id"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_debit_is_found() {
        let line = |id: &str| {
            let id = serde_json::Value::from(id).to_string();
            format!(r#"{{"schemaVersion":1,"type":"debit","id":{id},"source":"x","call":{{"id":"no"}}}}"#)
        };
        for id in ["a", "a-b@192.0.2.1", "quo\"te", "back\\slash", "ünïcode", ""] {
            assert_eq!(id_of(line(id).as_bytes()).as_deref(), Some(id));
        }
        assert_eq!(id_of(b"{}"), None);
    }
}
