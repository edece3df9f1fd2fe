//! The views that workers publish, watched: nothing may be published that is not committed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use drawdown_engine::Partition;
use drawdown_engine::log::{Change, Output, Progress};
use drawdown_engine::sim::SimCluster;
use drawdown_engine::worker::{Committed, Observer};

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
            Change::Assigned(_) => {}
        }
    }

    fn dropped(&mut self, dropped: u32) {
        let mut published = self.published.borrow_mut();
        published.states.retain(|(process, partition, _), _| *process != self.process || *partition != dropped);
    }

    fn saved(&mut self, partition: u32, key: &[u8], state: &[u8]) {
        // Those of users are not looked at here.
        if !drawdown_wire::account::is_user(state) {
            self.publish(partition, key, state);
        }
    }

    fn restoring(&mut self, _: Progress) {}

    fn restored<'p>(&mut self, _: impl Iterator<Item = (u32, &'p Partition)>) {}
}
