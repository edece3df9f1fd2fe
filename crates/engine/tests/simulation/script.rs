//! What is sent to a simulated cluster, in which order, and when the decks change.
//!
//! A workload of the testkit, spread over partitions by organisation, with garbage that no decoder reads in between.
//! Its outcome may not depend on when a worker happens to look at two things that are not ordered, so: the time of day
//! never runs ahead of what is still to arrive, and a version of a deck is published before any call that it prices, or
//! withdrawn before any call that it would have priced.

use std::rc::Rc;

use drawdown_engine::Limits;
use drawdown_engine::log::Input;
use drawdown_engine::sim::Random;
use drawdown_ledger::Rules;
use drawdown_rating::Catalogue;
use drawdown_testkit::model::{Model, time};
use drawdown_testkit::workload::{self, DeckFiles, Options, Rng, Workload};
use drawdown_units::Timestamp;

use crate::world::World;

pub struct Script {
    pub partitions: u32,
    pub sent: Vec<Sent>,
    /// For each step what everything from it on arrives at or after; then the latest arrival of all.
    pub floors: Vec<Timestamp>,
    pub until: Timestamp,
    /// The decks before the change, and after it.
    pub catalogues: [Rc<Catalogue>; 2],
    /// The step before which the decks must have changed.
    pub change_before: usize,
    pub rules: Rules,
    pub limits: Limits,
    /// Fresh: of the decks after the change; it knows no withdrawn ones.
    pub model: Model,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Sent {
    pub input: Input,
    pub partition: u32,
    pub arrival: Timestamp,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
}

impl Script {
    pub fn new(seed: u64) -> Script {
        let mut rng = Rng::new(seed ^ 0x5C_819);
        let options = Options {
            operations: rng.below(90) + 30,
            window_days: rng.pick(&[7, 7, 14, 90]),
            grey: seed.is_multiple_of(2),
            ..Options::default()
        };
        let workload = Workload::generate(seed, options);
        let partitions = u32::try_from(rng.below(3) + 1).expect("a few");
        let world = World::new(&workload);
        let newest = newest_version(&mut rng, &workload.decks);
        let change_before = first_priced_by(&workload, newest.as_deref());
        let without_newest = without(&workload, newest.as_deref());
        let sent = sent(&mut rng, &workload, &world, partitions);
        let last = sent.iter().map(|it| it.arrival).max().expect("some steps");
        let beyond = rng.between(0, 3 * 86_400);
        let until = last.plus_seconds(beyond);
        // One world in five withdraws the version that the others publish.
        let (before, after, model) = if seed % 5 == 1 {
            let after = World::withdrawing(&Workload { steps: Vec::new(), ..workload }, newest.as_deref());
            (world.catalogue, after.catalogue, without_newest.model())
        } else {
            (World::new(&without_newest).catalogue, world.catalogue, workload.model())
        };
        Script {
            partitions,
            floors: floors(&sent, last),
            until,
            sent,
            catalogues: [Rc::new(before), Rc::new(after)],
            change_before,
            rules: world.rules,
            limits: world.limits,
            model,
        }
    }
}

/// The latest version of some deck that has more than one, by the name of its file.
fn newest_version(rng: &mut Rng, decks: &[DeckFiles]) -> Option<String> {
    let later: Vec<&DeckFiles> = decks.iter().filter(|deck| !deck.toml_name.ends_with("-v1.toml")).collect();
    if later.is_empty() {
        return None;
    }
    let id = rng.pick(&later).toml_name.split("-v").next().expect("a name").to_owned();
    decks.iter().map(|deck| &deck.toml_name).filter(|name| name.starts_with(&id)).max().cloned()
}

/// The same decks and plans but for one version, and no steps.
fn without(workload: &Workload, version: Option<&str>) -> Workload {
    let decks = workload.decks.iter().filter(|deck| Some(deck.toml_name.as_str()) != version).cloned().collect();
    Workload { decks, steps: Vec::new(), ..workload.clone() }
}

/// The first step of a call that started when that version was in force.
fn first_priced_by(workload: &Workload, newest: Option<&str>) -> usize {
    let deck = workload.decks.iter().find(|deck| Some(deck.toml_name.as_str()) == newest);
    let Some(deck) = deck else { return usize::MAX };
    let line = deck.toml.lines().find_map(|line| line.strip_prefix("effectiveFrom = ")).expect("a manifest");
    let effective = time::parse(line.trim_matches('"')).expect("an instant");
    let starts_after = |input: &workload::Input| match input {
        workload::Input::Cdr { row, .. } => {
            let start = row["startDateTime"].as_str().and_then(time::parse);
            start.is_none_or(|start| start >= effective)
        }
        workload::Input::Command(_) => false,
    };
    workload.steps.iter().position(|step| starts_after(&step.input)).unwrap_or(usize::MAX)
}

fn sent(rng: &mut Rng, workload: &Workload, world: &World, partitions: u32) -> Vec<Sent> {
    let mut all = Vec::new();
    for (step, fed) in workload.steps.iter().zip(&world.inputs) {
        let value = match &step.input {
            workload::Input::Command(value) | workload::Input::Cdr { row: value, .. } => value,
        };
        let org = value["orgId"].as_str().unwrap_or_default();
        let message = Sent {
            input: if fed.is_command { Input::Commands } else { Input::Cdrs },
            partition: partition_of(org, partitions),
            arrival: fed.arrival,
            key: (!org.is_empty() && rng.chance(50)).then(|| org.as_bytes().to_vec()),
            value: fed.bytes.clone(),
        };
        all.push(message);
    }
    all
}

/// Something that is no record and no command, to be sent beside `beside`.
pub fn garbage(rng: &mut Random, beside: &Sent) -> Sent {
    let values: [&[u8]; 4] = [b"{", b"\xff\xfe{}", b"null", b"[1,2]"];
    let value = match usize::try_from(rng.below(6)).expect("a few") {
        index @ 0..4 => values[index].to_vec(),
        _ => beside.value[..beside.value.len() / 2].to_vec(),
    };
    Sent { value, key: None, ..beside.clone() }
}

fn partition_of(org: &str, partitions: u32) -> u32 {
    org.bytes().map(u32::from).sum::<u32>() % partitions
}

fn floors(sent: &[Sent], last: Timestamp) -> Vec<Timestamp> {
    let mut floors = vec![last];
    for message in sent.iter().rev() {
        let next = floors[floors.len() - 1];
        floors.push(next.min(message.arrival));
    }
    floors.reverse();
    floors
}
