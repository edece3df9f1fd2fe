//! Commands on their way: who waits for which, and what became of those of late.
//!
//! Invariant: an answer is given after the transaction that holds what it says was committed. Nothing here is the truth:
//! what is forgotten here can be found in the account events by the command's id.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use drawdown_engine::partition::CommandOutcome;
use drawdown_engine::worker::{Answer, Messages};
use drawdown_wire::Rejection;
use serde_json::Value;
use tokio::sync::oneshot;

/// How many requests may wait at once.
const WAITING_MAX: usize = 10_000;
/// How many outcomes are remembered.
const RECENT_MAX: usize = 10_000;

/// Whose command, and which.
pub type Key = (Box<str>, Box<str>);

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done: the events that it caused.
    Applied(Vec<Value>),
    /// Refused by the account: the event that says so.
    Refused(Value),
    /// Seen before, and not done again.
    Duplicate,
    /// Put aside.
    Rejected(Rejection),
}

impl Outcome {
    /// Whether its events say that they answer another request than that of this digest.
    fn is_of_another(&self, digest: &str) -> bool {
        let first = match self {
            Outcome::Applied(events) => events.first(),
            Outcome::Refused(event) => Some(event),
            Outcome::Duplicate | Outcome::Rejected(_) => None,
        };
        first.is_some_and(|event| event["actor"]["request"].as_str() != Some(digest))
    }
}

/// Commands on their way.
#[derive(Debug, Default)]
pub struct Desk {
    state: Mutex<State>,
    /// How many wait: a worker looks no further where nobody does.
    waiting_count: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<Key, Waiting>,
    recent: HashMap<Key, (Digest, Outcome)>,
    /// Oldest first.
    order: VecDeque<Key>,
}

/// By which a repetition is told from another request.
pub type Digest = Box<str>;

#[derive(Debug)]
struct Waiting {
    digest: Digest,
    tell: oneshot::Sender<Outcome>,
}

/// Whether a command may be sent.
#[derive(Debug)]
pub enum Entry {
    /// It may: here the outcome will come.
    New(oneshot::Receiver<Outcome>),
    /// It was answered before.
    Known(Outcome),
    /// It is on its way.
    Underway,
    /// Its key was used for another request.
    Another,
    /// Too many wait.
    Full,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a command, before it is sent.
    pub fn enter(&self, key: &Key, digest: &str) -> Entry {
        let mut state = self.state();
        if let Some((held, outcome)) = state.recent.get(key) {
            return if **held == *digest { Entry::Known(outcome.clone()) } else { Entry::Another };
        }
        if let Some(waiting) = state.waiting.get(key)
            && !waiting.tell.is_closed()
        {
            return if *waiting.digest == *digest { Entry::Underway } else { Entry::Another };
        }
        if state.waiting.len() >= WAITING_MAX {
            return Entry::Full;
        }
        let (tell, told) = oneshot::channel();
        state.waiting.insert(key.clone(), Waiting { digest: digest.into(), tell });
        self.waiting_count.store(state.waiting.len(), Ordering::Release);
        Entry::New(told)
    }

    /// Nobody waits any more.
    pub fn leave(&self, key: &Key) {
        let mut state = self.state();
        state.waiting.remove(key);
        self.waiting_count.store(state.waiting.len(), Ordering::Release);
    }

    /// What became of late of the request of this digest.
    pub fn known(&self, key: &Key, digest: &str) -> Option<Outcome> {
        let state = self.state();
        let held = state.recent.get(key).filter(|(held, _)| **held == *digest);
        held.map(|(_, outcome)| outcome.clone())
    }

    /// What became of a command of late, and whether it is on its way.
    pub fn look(&self, key: &Key) -> (Option<Outcome>, bool) {
        let state = self.state();
        (state.recent.get(key).map(|(_, outcome)| outcome.clone()), state.waiting.contains_key(key))
    }

    /// Remembers what was found in the log.
    pub fn remember(&self, key: &Key, digest: &str, outcome: Outcome) {
        self.state().remember(key.clone(), digest.into(), outcome);
    }

    /// A transaction is final: tells whoever waited for one of its commands.
    ///
    /// A key may have been sent before with another request, whose sender waits no more: then that one may be what was
    /// booked, and whoever waits now hears of a duplicate.
    pub fn committed(&self, commands: &[Answer], events: &Messages) {
        if commands.is_empty() || self.waiting_count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut state = self.state();
        for answer in commands {
            let key = (answer.org.clone(), answer.command_id.clone());
            let Some(waiting) = state.waiting.remove(&key) else { continue };
            let events = || events_of(events, &key);
            let outcome = match &answer.outcome {
                CommandOutcome::Applied => Outcome::Applied(events()),
                CommandOutcome::Refused => {
                    let refusal = events().into_iter().find(|event| event["type"] == "CommandRefused");
                    Outcome::Refused(refusal.unwrap_or_default())
                }
                CommandOutcome::Duplicate => Outcome::Duplicate,
                CommandOutcome::Rejected(rejection) => Outcome::Rejected(rejection.clone()),
            };
            let outcome = if outcome.is_of_another(&waiting.digest) { Outcome::Duplicate } else { outcome };
            // What was not booked may be sent again under the same key; a duplicate is looked up by who asked.
            if matches!(outcome, Outcome::Applied(_) | Outcome::Refused(_)) {
                state.remember(key, waiting.digest, outcome.clone());
            }
            let _ = waiting.tell.send(outcome);
        }
        self.waiting_count.store(state.waiting.len(), Ordering::Release);
    }
}

impl State {
    fn remember(&mut self, key: Key, digest: Digest, outcome: Outcome) {
        if self.recent.insert(key.clone(), (digest, outcome)).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > RECENT_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.recent.remove(&oldest);
            }
        }
    }
}

/// The events of a transaction that a command caused.
fn events_of(events: &Messages, (org, id): &Key) -> Vec<Value> {
    let of_org = events.iter().filter(|(key, _)| *key == org.as_bytes());
    let read = of_org.filter_map(|(_, line)| serde_json::from_slice::<Value>(line).ok());
    read.filter(|event| event["commandId"].as_str() == Some(id)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> Key {
        ("contoso".into(), "K".into())
    }

    #[track_caller]
    fn enter(desk: &Desk, digest: &str) -> oneshot::Receiver<Outcome> {
        match desk.enter(&key(), digest) {
            Entry::New(told) => told,
            other => panic!("{other:?}"),
        }
    }

    /// A transaction in which the command was done that the request of this digest gave.
    fn done(desk: &Desk, digest: &str) -> Outcome {
        let event = json!({"type": "FundsAdded", "commandId": "K", "actor": {"request": digest}});
        let mut events = Messages::default();
        events.push(b"contoso", |out| out.extend_from_slice(event.to_string().as_bytes()));
        let (org, command_id) = key();
        desk.committed(&[Answer { org, command_id, outcome: CommandOutcome::Applied }], &events);
        Outcome::Applied(vec![event])
    }

    #[test]
    fn nobody_is_told_the_outcome_of_another_request() {
        let desk = Desk::default();
        drop(enter(&desk, "of 100.00"));
        let mut told = enter(&desk, "of 200.00");
        done(&desk, "of 100.00");
        assert_eq!(told.try_recv(), Ok(Outcome::Duplicate), "it is looked up, whose it was");
        assert_eq!(desk.look(&key()), (None, false), "and not remembered as this one's");
    }

    #[test]
    fn the_same_request_again_is_told_what_became_of_the_first() {
        let desk = Desk::default();
        drop(enter(&desk, "of 100.00"));
        let mut told = enter(&desk, "of 100.00");
        let outcome = done(&desk, "of 100.00");
        assert_eq!(told.try_recv(), Ok(outcome.clone()));
        assert!(matches!(desk.enter(&key(), "of 100.00"), Entry::Known(known) if known == outcome));
        assert!(matches!(desk.enter(&key(), "of 200.00"), Entry::Another));
    }
}
