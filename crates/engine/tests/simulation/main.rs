//! The exactly-once loop on a simulated cluster: whatever goes wrong, what is committed in the end is what a run would
//! have left in which nothing did.
//!
//! Each seed is a world of its own: a workload of calls and commands that lean towards the boundary cases, duplicates,
//! garbage and a change of decks among them; one to three processes that die at any call, stand still and wake as
//! zombies, come and go; commits that fail, are slow, or end nobody knows how.
//!
//! A failure names its seed and the command that reruns it alone. More worlds: `DRAWDOWN_SEEDS=100000`.

mod found;
mod harness;
mod mutants;
mod order;
mod reference;
mod script;
mod views;
#[path = "../world/mod.rs"]
mod world;

use std::rc::Rc;

use drawdown_engine::sim::{Settings, SimLog};
use found::Found;
use harness::{Harness, Simulated};

const WORLDS: u64 = 2_400;
const SHARES: u64 = 4;

#[test]
fn nothing_is_lost_or_doubled_in_the_first_quarter_of_the_worlds() {
    play_share(0);
}

#[test]
fn nothing_is_lost_or_doubled_in_the_second_quarter_of_the_worlds() {
    play_share(1);
}

#[test]
fn nothing_is_lost_or_doubled_in_the_third_quarter_of_the_worlds() {
    play_share(2);
}

#[test]
fn nothing_is_lost_or_doubled_in_the_last_quarter_of_the_worlds() {
    play_share(3);
}

/// Every fourth seed, so that the shares run side by side; or the one asked for.
fn play_share(share: u64) {
    let given = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let worlds = given("DRAWDOWN_SEEDS").unwrap_or(WORLDS);
    let only = given("DRAWDOWN_SEED");
    let seeds = only.map_or(0..worlds, |seed| seed..seed + 1);
    for seed in seeds.filter(|seed| seed % SHARES == share) {
        if let Err(difference) = play(seed, |_| {}, |log| log) {
            panic!(
                "seed {seed}: {difference}\n\nrerun it alone with\n  \
                 DRAWDOWN_SEED={seed} cargo test -p drawdown-engine --test simulation\n"
            );
        }
    }
}

fn play<L: Simulated>(seed: u64, tune: impl FnOnce(&mut Settings), wrap: fn(SimLog) -> L) -> Result<(), String> {
    let harness = Harness::new(seed, tune, wrap);
    harness.run()?;
    check(&harness)
}

/// What a test of what can go wrong must be sure of first: that it does.
#[test]
fn everything_that_can_go_wrong_does() {
    let (mut deaths, mut aborts, mut losses, mut revocations, mut moved, mut decks) = (0, 0, 0, 0, 0, 0);
    let mut words = String::new();
    for seed in 0..200 {
        let harness = Harness::new(seed, |_| {}, |log| log);
        harness.run().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        let published = harness.published.borrow();
        deaths += harness.deaths.get();
        aborts += published.aborts;
        losses += published.losses;
        revocations += published.revocations;
        moved += usize::from(order::is_moved(&harness.cluster, &harness.script));
        decks += usize::from(harness.script.change_before < harness.script.sent.len());
        for partition in 0..harness.script.partitions {
            let found = Found::of(&harness.cluster, partition);
            let lines = found.events.iter().chain(&found.rejects).chain(&found.debits);
            lines.for_each(|line| words.push_str(&String::from_utf8_lossy(line)));
        }
    }
    let counts = [deaths, aborts, losses, revocations, moved, decks];
    assert!(counts.iter().all(|count| *count > 40), "deaths, aborts, losses, revocations, moved, decks: {counts:?}");
    for word in
        ["quarantined", "too-late", "undecodable", "unknown-org", "org-closed", "RechargeRequested", "LotExpired"]
    {
        assert!(words.contains(word), "no world has {word}");
    }
}

#[test]
fn the_same_seed_is_the_same_world() {
    for seed in 0..20 {
        let trace = || {
            let harness = Harness::new(seed, |_| {}, |log| log);
            harness.run().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            (harness.cluster.trace(), harness.cluster.history(), harness.cluster.elapsed())
        };
        assert_eq!(trace(), trace(), "seed {seed}");
    }
}

fn check<L: Simulated>(harness: &Rc<Harness<L>>) -> Result<(), String> {
    let until = harness.until.get();
    for partition in 0..harness.script.partitions {
        let found = Found::of(&harness.cluster, partition);
        let order = order::committed(&harness.cluster, partition);
        let checked = found::audit(&harness.cluster, partition, &found)
            .and_then(|()| reference::compare_with_calm_run(&harness.script, until, partition, &order, &found))
            .and_then(|()| reference::compare_with_model(&harness.script, until, &order, &found))
            .and_then(|()| harness.check_views(partition, &found))
            .and_then(|()| harness.check_calls(partition, &found));
        checked.map_err(|difference| format!("partition {partition}: {difference}"))?;
    }
    harness.published.borrow().faults.first().map_or(Ok(()), |fault| Err(fault.clone()))
}
