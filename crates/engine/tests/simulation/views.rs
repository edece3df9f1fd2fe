//! The views that workers publish, watched: nothing may be published that is not committed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use drawdown_engine::Partition;
use drawdown_engine::log::{Change, Output, Progress};
use drawdown_engine::sim::SimCluster;
use drawdown_engine::worker::{Committed, Messages, Observer};
use drawdown_wire::account;

/// What all processes published.
#[derive(Debug, Default)]
pub struct Published {
    /// The latest state of each account, by process, partition and organisation.
    pub states: BTreeMap<(usize, u32, Vec<u8>), Vec<u8>>,
    /// What should not have been.
    pub faults: Vec<String>,
    pub aborts: usize,
    pub losses: usize,
    pub revocations: usize,
}

/// One process's.
#[derive(Debug)]
pub struct Views {
    pub cluster: SimCluster,
    /// Each that is started has a number of its own.
    pub process: usize,
    pub published: Rc<RefCell<Published>>,
    pub calls: RefCell<Calls>,
}

/// Running calls as a process promises them: nothing but numbers, of which a later promise has a greater one.
#[derive(Debug, Default)]
pub struct Calls {
    /// By partition and key.
    pub promised: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
    /// Those that the log does not know of.
    pub unkept: BTreeSet<(u32, Vec<u8>)>,
}

impl Calls {
    /// Something else is promised to a call, or it is over.
    pub fn change(&mut self, partition: u32, call: &str, promised: Option<u64>) {
        let key = (partition, account::call_key("caller", call));
        match promised {
            Some(number) => self.promised.insert(key.clone(), [&b"r"[..], &number.to_be_bytes()].concat()),
            None => self.promised.remove(&key),
        };
        self.unkept.insert(key);
    }
}

impl Views {
    fn publish(&self, partition: u32, org: &[u8], state: &[u8]) {
        let mut published = self.published.borrow_mut();
        if !self.cluster.is_committed(Output::Accounts, partition, state) {
            let org = String::from_utf8_lossy(org);
            published.faults.push(format!("process {} published a state of {org} that is not committed", self.process));
        }
        published.states.insert((self.process, partition, org.to_vec()), state.to_vec());
    }

    /// The process is gone, and its memory with it.
    pub fn forget(&self) {
        self.published.borrow_mut().states.retain(|(process, _, _), _| *process != self.process);
    }
}

impl Observer for Views {
    fn committed(&mut self, committed: &Committed<'_>) {
        for (partition, states) in committed.states {
            states.iter().for_each(|(org, state)| self.publish(*partition, org, state));
        }
        for (org, event) in committed.events.iter() {
            let mut touched = committed.states.iter();
            let of = touched.find(|(_, states)| states.iter().any(|(touched, _)| touched == org));
            if !of.is_some_and(|(partition, _)| self.cluster.is_committed(Output::Events, *partition, event)) {
                let event = String::from_utf8_lossy(event);
                self.published.borrow_mut().faults.push(format!("told of an event that is not committed: {event}"));
            }
        }
    }

    fn aborted(&mut self, _: &str) {
        self.published.borrow_mut().aborts += 1;
    }

    fn changed(&mut self, change: &Change) {
        let mut published = self.published.borrow_mut();
        match change {
            Change::Lost(_) => published.losses += 1,
            Change::Revoked(_) => published.revocations += 1,
            Change::Assigned(_) => *self.calls.borrow_mut() = Calls::default(),
        }
    }

    fn dropped(&mut self, dropped: &[u32]) {
        let mut published = self.published.borrow_mut();
        published.states.retain(|(process, partition, _), _| *process != self.process || !dropped.contains(partition));
    }

    fn has_unkept(&self) -> bool {
        !self.calls.borrow().unkept.is_empty()
    }

    fn keep(&mut self, partition: u32, states: &mut Messages) {
        let Calls { promised, unkept } = &mut *self.calls.borrow_mut();
        for key in unkept.extract_if(.., |(of, _)| *of == partition) {
            match promised.get(&key) {
                Some(state) => states.push(&key.1, |out| out.extend_from_slice(state)),
                None => states.push_empty(&key.1),
            }
        }
    }

    fn not_kept(&mut self, partition: u32, key: &[u8]) {
        self.calls.borrow_mut().unkept.insert((partition, key.to_vec()));
    }

    fn kept(&mut self, partition: u32, key: &[u8], state: &[u8]) {
        let promised = &mut self.calls.get_mut().promised;
        let key = (partition, key.to_vec());
        match state {
            [] => promised.remove(&key),
            _ => promised.insert(key, state.to_vec()),
        };
    }

    fn saved(&mut self, partition: u32, key: &[u8], state: &[u8]) {
        // Those of users are not looked at here.
        if !account::is_user(state) {
            self.publish(partition, key, state);
        }
    }

    fn restoring(&mut self, _: Progress) {}

    fn restored<'p>(&mut self, _: impl Iterator<Item = (u32, &'p Partition)>) {}
}
