//! How topics must be set, and why.

use std::collections::BTreeMap;

use drawdown_engine::log::{Input, Output};

use super::{DECKS, Fault, Topic, TopicPlan, names};
use crate::kafka::settings::MESSAGE_BYTES_MAX;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The largest message and what a batch adds around it.
const TOPIC_BYTES_MAX: i64 = MESSAGE_BYTES_MAX as i64 + 64 * 1024;

/// A reject holds its record as a JSON string: each byte may become six.
const INPUT_BYTES_MAX: i64 = MESSAGE_BYTES_MAX as i64 / 6;

/// State is read back whole after each restart: what is not compacted yet is read for nothing.
const ACCOUNTS_SEGMENT_BYTES: i64 = 64 * 1024 * 1024;
const ACCOUNTS_DIRTY_RATIO: f64 = 0.1;

fn is_compacted(name: &str) -> bool {
    name == Output::Accounts.name() || name == DECKS
}

fn is_input(name: &str) -> bool {
    Input::ALL.iter().any(|input| input.name() == name)
}

/// What a new topic is set to.
pub(super) fn settings(name: &str, plan: &TopicPlan) -> Vec<(&'static str, String)> {
    let mut settings = vec![("min.insync.replicas", (if plan.replication >= 3 { 2 } else { 1 }).to_string())];
    if is_compacted(name) {
        settings.push(("cleanup.policy", "compact".to_owned()));
    } else {
        settings.push(("cleanup.policy", "delete".to_owned()));
        settings.push(("retention.bytes", "-1".to_owned()));
        settings.push(("retention.ms", (retention_days(name, plan) * DAY_MS).to_string()));
    }
    if name == Output::Accounts.name() {
        settings.push(("segment.bytes", ACCOUNTS_SEGMENT_BYTES.to_string()));
        settings.push(("min.cleanable.dirty.ratio", ACCOUNTS_DIRTY_RATIO.to_string()));
    }
    if !is_input(name) {
        settings.push(("max.message.bytes", TOPIC_BYTES_MAX.to_string()));
    }
    settings
}

fn retention_days(name: &str, plan: &TopicPlan) -> i64 {
    let seen = seen_days(plan.window_days, i64::from(plan.input_retention_days));
    match name {
        name if is_input(name) => i64::from(plan.input_retention_days),
        name if name == Output::Seen.name() => seen,
        _ => seen.max(i64::from(plan.output_retention_days)),
    }
}

/// After an outage the backlog is as old as inputs are kept, and the identities that its duplicates have were claimed up
/// to a window before that. A day at either end for segments and clocks.
fn seen_days(window_days: u16, input_days: i64) -> i64 {
    i64::from(window_days) + input_days + 2
}

/// All that is wrong. Topics by their names without a prefix.
pub(super) fn faults(topics: &BTreeMap<&'static str, Topic>, brokers: usize, window_days: u16) -> Vec<Fault> {
    let mut counts: BTreeMap<_, _> =
        names().map(|name| (name, topics.get(name).map_or(0, |topic| topic.partitions))).collect();
    let decks = counts.remove(DECKS).unwrap_or(0);
    let mut faults = of_partitions(&counts);
    match decks {
        0 => faults.push(missing(DECKS)),
        1 => {}
        count => faults.push(fault(
            DECKS,
            format!("has {count} partitions"),
            "make it anew with one: decks are read in order",
        )),
    }
    for (name, topic) in topics {
        let mut check = Check { name, topic, faults: &mut faults };
        check.durability(brokers);
        check.cleanup();
        check.sizes();
    }
    of_retention(topics, window_days, &mut faults);
    faults
}

/// Equally many partitions everywhere but in `decks`; 0 says that a topic is missing.
pub(super) fn of_partitions(counts: &BTreeMap<&'static str, u32>) -> Vec<Fault> {
    let wanted = counts.get(Input::Cdrs.name()).copied().filter(|count| *count > 0);
    let wanted = wanted.or_else(|| counts.values().copied().max()).unwrap_or(0);
    let faults = counts.iter().filter_map(|(name, count)| match *count {
        0 => Some(missing(name)),
        count if count != wanted => Some(fault(
            name,
            format!("has {count} partitions where {} has {wanted}", Input::Cdrs.name()),
            "give all topics but decks equally many, before the first record is rated",
        )),
        _ => None,
    });
    faults.collect()
}

fn missing(name: &str) -> Fault {
    fault(name, "is missing".to_owned(), "`drawdown topics create` makes it; or the user may not describe it")
}

fn fault(name: &str, what: String, remedy: &str) -> Fault {
    Fault { topic: name.to_owned(), what, remedy: remedy.to_owned() }
}

/// One topic under examination.
struct Check<'a> {
    name: &'static str,
    topic: &'a Topic,
    faults: &'a mut Vec<Fault>,
}

impl Check<'_> {
    fn complain(&mut self, what: String, remedy: &str) {
        self.faults.push(fault(self.name, what, remedy));
    }

    fn durability(&mut self, brokers: usize) {
        let copies = self.topic.replication;
        if copies < brokers.min(3) {
            self.complain(
                format!("has {copies} copies on {brokers} brokers"),
                "reassign its partitions to three brokers",
            );
        }
        let in_sync = number(self.topic, "min.insync.replicas").unwrap_or(1);
        if copies >= 3 && in_sync < 2 {
            self.complain(
                format!("takes a message that only {in_sync} broker has"),
                "set min.insync.replicas to 2: else the loss of that broker is a loss of money",
            );
        }
        if copies > 1 && in_sync >= copies as i64 {
            self.complain(
                format!("needs all of its {copies} copies"),
                "set min.insync.replicas below the replication factor: else it stops when a broker does",
            );
        }
        if self.topic.settings.get("unclean.leader.election.enable").is_some_and(|value| value == "true") {
            self.complain(
                "may be led by a broker that lacks messages".to_owned(),
                "set unclean.leader.election.enable to false: else committed debits may vanish",
            );
        }
    }

    fn cleanup(&mut self) {
        let wanted = if is_compacted(self.name) { "compact" } else { "delete" };
        if let Some(policy) = self.topic.settings.get("cleanup.policy").filter(|policy| *policy != wanted) {
            let policy = policy.clone();
            self.complain(format!("is cleaned up by {policy}"), &format!("set cleanup.policy to {wanted}"));
        }
        if self.name != Output::Accounts.name() {
            return;
        }
        if let Some(bytes) = number(self.topic, "segment.bytes").filter(|bytes| *bytes > 2 * ACCOUNTS_SEGMENT_BYTES) {
            self.complain(
                format!("has segments of {bytes} bytes"),
                &format!("set segment.bytes to {ACCOUNTS_SEGMENT_BYTES}: a segment is not compacted before it is full"),
            );
        }
        let ratio = self.topic.settings.get("min.cleanable.dirty.ratio").and_then(|value| value.parse::<f64>().ok());
        if let Some(ratio) = ratio.filter(|ratio| *ratio > 2.0 * ACCOUNTS_DIRTY_RATIO) {
            self.complain(
                format!("is compacted only once {ratio} of it is out of date"),
                &format!("set min.cleanable.dirty.ratio to {ACCOUNTS_DIRTY_RATIO}: a restart reads it whole"),
            );
        }
    }

    fn sizes(&mut self) {
        let Some(bytes) = number(self.topic, "max.message.bytes") else { return };
        if is_input(self.name) && bytes > INPUT_BYTES_MAX {
            self.complain(
                format!("takes messages of {bytes} bytes"),
                &format!("set max.message.bytes to {INPUT_BYTES_MAX} at most: a reject may be six times as large"),
            );
        }
        if !is_input(self.name) && bytes < TOPIC_BYTES_MAX {
            self.complain(
                format!("takes messages of {bytes} bytes at most"),
                &format!(
                    "set max.message.bytes to {TOPIC_BYTES_MAX}: one message that does not fit stops its partition"
                ),
            );
        }
    }
}

/// Identities, and the debits that they lead to, are kept longer than anything that could repeat them.
fn of_retention(topics: &BTreeMap<&'static str, Topic>, window_days: u16, faults: &mut Vec<Fault>) {
    let Some(input_ms) = topics.get(Input::Cdrs.name()).and_then(|topic| number(topic, "retention.ms")) else { return };
    let wanted_ms = if input_ms < 0 { i64::MAX } else { seen_days(window_days, 0) * DAY_MS + input_ms };
    for name in [Output::Seen.name(), Output::Debits.name()] {
        let Some(topic) = topics.get(name) else { continue };
        if let Some(ms) = number(topic, "retention.ms").filter(|ms| *ms >= 0 && *ms < wanted_ms) {
            let value = if input_ms < 0 { -1 } else { wanted_ms };
            faults.push(fault(
                name,
                format!("is kept for {} days", ms / DAY_MS),
                &format!(
                    "set retention.ms to {value} or more (window + retention of cdrs + 2 days): after an outage the \
                     backlog is that old, and its duplicates must still be known"
                ),
            ));
        }
        if let Some(bytes) = number(topic, "retention.bytes").filter(|bytes| *bytes >= 0) {
            let remedy = "set retention.bytes to -1: what a day needs depends on the traffic";
            faults.push(fault(name, format!("is cut to {bytes} bytes"), remedy));
        }
    }
}

fn number(topic: &Topic, setting: &str) -> Option<i64> {
    topic.settings.get(setting)?.parse().ok()
}

#[cfg(test)]
mod tests;
