//! The topics: how many there are, how they must be set, making them and checking them.
//!
//! What is checked is what exactly-once, de-duplication and a quick restart rest on; what a topic is set to besides is
//! the operator's.

mod admin;
mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use drawdown_engine::log::{Input, Output};
use rdkafka::metadata::Metadata;

use super::heard::Heard;
use super::probe::Probe;
use super::{ConnectError, KafkaSettings};

/// The topic of decks, without a prefix: one partition, read whole by every process.
pub const DECKS: &str = "decks";

/// What new topics are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicPlan {
    /// Partitions of each topic but `decks`. Cannot be changed later: an organisation must stay in its partition.
    pub partitions: u32,
    /// Copies of each partition.
    pub replication: u16,
    /// The de-duplication window.
    pub window_days: u16,
    /// How long inputs are kept, and so how long the pipeline may be down.
    pub input_retention_days: u16,
    /// How long debits, account events and rejects are kept, at least as long as identities are.
    pub output_retention_days: u16,
}

impl Default for TopicPlan {
    fn default() -> Self {
        TopicPlan { partitions: 16, replication: 3, window_days: 7, input_retention_days: 7, output_retention_days: 90 }
    }
}

/// What is wrong with a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its full name.
    pub topic: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}; {}", self.topic, self.what, self.remedy)
    }
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Topic {
    partitions: u32,
    /// Of the partition with the fewest copies.
    replication: usize,
    settings: BTreeMap<String, String>,
}

/// All topics, without a prefix.
fn names() -> impl Iterator<Item = &'static str> {
    let inputs = Input::ALL.map(Input::name).into_iter();
    inputs.chain(Output::ALL.map(Output::name)).chain([DECKS])
}

/// Makes the topics that are missing, waits until they can be used, and says which those were.
///
/// # Errors
/// What a broker says.
pub fn create(settings: &KafkaSettings, plan: &TopicPlan) -> Result<Vec<String>, ConnectError> {
    let heard = Arc::new(Heard::default());
    let probe = Probe::new(settings, 0, &heard)?;
    let missing = without_leaders(settings, &probe.metadata(settings)?);
    admin::create(settings, &heard, &missing, plan)?;
    let deadline = Instant::now() + settings.connect_timeout;
    loop {
        let waiting = without_leaders(settings, &probe.metadata(settings)?);
        if waiting.is_empty() {
            return Ok(missing.into_iter().map(|name| settings.topic(name)).collect());
        }
        if Instant::now() > deadline {
            let fault = |name| format!("{}: was created, but some partition has no leader yet", settings.topic(name));
            return Err(ConnectError::Topics(waiting.into_iter().map(fault).collect()));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Topics that are missing, or have a partition that cannot be used.
fn without_leaders(settings: &KafkaSettings, metadata: &Metadata) -> Vec<&'static str> {
    let is_usable = |name: &str| {
        let found = metadata.topics().iter().find(|topic| topic.name() == settings.topic(name));
        found.is_some_and(|topic| {
            !topic.partitions().is_empty() && topic.partitions().iter().all(|partition| partition.leader() >= 0)
        })
    };
    names().filter(|name| !is_usable(name)).collect()
}

/// Looks at every topic, and says all that is wrong, for a de-duplication window of so many days.
///
/// # Errors
/// The brokers do not answer.
pub fn check(settings: &KafkaSettings, window_days: u16) -> Result<Vec<Fault>, ConnectError> {
    let heard = Arc::new(Heard::default());
    let metadata = Probe::new(settings, 0, &heard)?.metadata(settings)?;
    let described = admin::describe(settings, &heard, &present(settings, &metadata))?;
    let topics = names().filter_map(|name| {
        let full = settings.topic(name);
        let found = metadata.topics().iter().find(|topic| topic.name() == full && !topic.partitions().is_empty())?;
        let replication = found.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or(0);
        let settings = described.get(&full).cloned().unwrap_or_default();
        Some((name, Topic { partitions: found.partitions().len() as u32, replication, settings }))
    });
    let mut faults = rules::faults(&topics.collect(), metadata.brokers().len(), window_days);
    for fault in &mut faults {
        fault.topic = settings.topic(&fault.topic);
    }
    Ok(faults)
}

fn present(settings: &KafkaSettings, metadata: &Metadata) -> Vec<String> {
    let full = names().map(|name| settings.topic(name));
    full.filter(|name| metadata.topics().iter().any(|topic| topic.name() == name)).collect()
}

/// How many partitions there are; that the topics fit together is all that a worker looks at.
pub(super) fn partitions(settings: &KafkaSettings, metadata: &Metadata) -> Result<u32, ConnectError> {
    let counts: BTreeMap<_, _> = names()
        .map(|name| {
            let found = metadata.topics().iter().find(|topic| topic.name() == settings.topic(name));
            (name, found.map_or(0, |topic| topic.partitions().len() as u32))
        })
        .filter(|(name, _)| *name != DECKS)
        .collect();
    let faults = rules::of_partitions(&counts);
    if faults.is_empty() {
        return Ok(counts.get(Input::Cdrs.name()).copied().unwrap_or(0));
    }
    let named = |fault: Fault| Fault { topic: settings.topic(&fault.topic), ..fault }.to_string();
    Err(ConnectError::Topics(faults.into_iter().map(named).collect()))
}
