//! What a run left on its topics, and what must be true of it whatever the inputs were.

use std::collections::{BTreeMap, BTreeSet};

use drawdown_engine::log::{Input, Output};
use drawdown_engine::sim::SimCluster;
use drawdown_wire::source::Context;
use drawdown_wire::{account, native};
use serde_json::Value;

/// The readable outputs of one partition.
pub struct Found {
    pub debits: Vec<Vec<u8>>,
    pub events: Vec<Vec<u8>>,
    pub rejects: Vec<Vec<u8>>,
    /// The latest state of each organisation.
    pub states: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The states of running calls in the order in which they were kept; nothing, where a call was over.
    pub calls: Vec<(Vec<u8>, Vec<u8>)>,
    /// Debits and events of each organisation, by `seq`, flags in the order of the alphabet.
    pub streams: BTreeMap<String, Vec<Value>>,
}

impl Found {
    pub fn of(cluster: &SimCluster, partition: u32) -> Found {
        let values =
            |output| -> Vec<Vec<u8>> { cluster.output(output, partition).into_iter().map(|kept| kept.value).collect() };
        let (debits, events) = (values(Output::Debits), values(Output::Events));
        let states = cluster.output(Output::Accounts, partition).into_iter();
        let states = states.map(|kept| (kept.key.unwrap_or_default(), kept.value));
        let (calls, states): (Vec<_>, Vec<_>) = states.partition(|(key, _)| account::call_of_key(key).is_some());
        let states = states.into_iter().collect();
        Found { streams: streams(&debits, &events), debits, events, rejects: values(Output::Rejects), states, calls }
    }
}

fn streams(debits: &[Vec<u8>], events: &[Vec<u8>]) -> BTreeMap<String, Vec<Value>> {
    let mut streams: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in debits.iter().chain(events) {
        let mut output = json(line);
        if let Some(flags) = output.get_mut("flags").and_then(Value::as_array_mut) {
            flags.sort_by_key(|flag| flag.as_str().map(str::to_owned));
        }
        streams.entry(text(&output, "orgId")).or_default().push(output);
    }
    streams.values_mut().for_each(|stream| stream.sort_by_key(|output| output["seq"].as_u64()));
    streams
}

pub fn json(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("a line of JSON")
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().expect("a text").to_owned()
}

/// Nothing twice, nothing missing, no gap: counted on the topics alone, by no model.
pub fn audit(cluster: &SimCluster, partition: u32, found: &Found) -> Result<(), String> {
    for (org, stream) in &found.streams {
        let numbers: Vec<u64> = stream.iter().filter_map(|output| output["seq"].as_u64()).collect();
        if !numbers.iter().copied().eq(1..=stream.len() as u64) {
            return Err(format!("{org}: seq is not 1, 2, 3, …: {numbers:?}"));
        }
    }
    let identity = |value: &Value| (text(value, "source"), text(value, "id"));
    // Debited at some time, and debited now, with its start: a reversal takes the one debit back that there is.
    let (mut debited, mut standing) = (BTreeSet::new(), BTreeMap::new());
    for debit in &found.debits {
        let debit = json(debit);
        let identity = identity(&debit);
        let is_reversal = debit.get("reverses").is_some();
        let start = text(&debit["call"], "startDateTime");
        let is_right = if is_reversal {
            standing.remove(&identity).is_some()
        } else {
            // An id whose call is older than the window is forgotten, and may come again with another call.
            standing.insert(identity.clone(), start.clone()).is_none_or(|before| before != start)
        };
        if !is_right {
            let what = if is_reversal { "taken back without a debit" } else { "debited twice" };
            return Err(format!("{identity:?} was {what}"));
        }
        debited.insert(identity);
    }
    let mut rejected = BTreeSet::new();
    for reject in &found.rejects {
        let reject = json(reject);
        if reject["counted"] == true {
            let origin = (text(&reject["origin"], "topic"), reject["origin"]["offset"].as_u64().expect("an offset"));
            if !rejected.insert(origin.clone()) {
                return Err(format!("the input at {origin:?} was rejected twice"));
            }
        }
    }
    audit_records(cluster, partition, &debited, &rejected)
}

/// Records in = debited + duplicate + rejected (domain.md section 9).
fn audit_records(
    cluster: &SimCluster,
    partition: u32,
    debited: &BTreeSet<(String, String)>,
    rejected: &BTreeSet<(String, u64)>,
) -> Result<(), String> {
    let mut come = BTreeSet::new();
    for record in cluster.input(Input::Cdrs, partition) {
        let origin = (Input::Cdrs.name().to_owned(), record.offset);
        if rejected.contains(&origin) {
            continue;
        }
        let cdr = native::decode(&record.value, &Context::default());
        let Ok(cdr) = cdr else { return Err(format!("the record at {origin:?} is neither debited nor rejected")) };
        let identity = (cdr.source.into_owned(), cdr.id.into_owned());
        if !debited.contains(&identity) {
            return Err(format!("{identity:?} at {origin:?} is neither debited nor rejected"));
        }
        // The first is the debited one, whatever comes after it is a duplicate.
        come.insert(identity);
    }
    if let Some(never) = debited.difference(&come).next() {
        return Err(format!("{never:?} was debited and never came, or was rejected as well"));
    }
    Ok(())
}
