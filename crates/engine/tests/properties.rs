//! What holds for every stream of inputs: neither batches nor failures, duplicates, ticks or restarts show in a byte.
//!
//! The streams are seeded workloads that lean towards the boundary cases; a failure names its seed.

mod world;

use std::collections::BTreeMap;

use drawdown_ledger::account::{Account, Input, RatedCall};
use drawdown_ledger::effects::Effects;
use drawdown_testkit::workload::{Options, Rng, Workload};
use drawdown_units::{Money, Timestamp};
use drawdown_wire::{account, command};
use serde_json::Value;
use world::{Fed, Play, World, state};

const WORLDS: u64 = 40;

/// Runs a property on worlds with windows long and short.
fn for_each_world(property: impl Fn(u64, &World)) {
    for seed in 0..WORLDS {
        let window_days = [7, 90][usize::from(seed % 2 == 0)];
        let options = Options { operations: 1_200, window_days, grey: seed % 3 == 0, ..Options::default() };
        property(seed, &World::new(&Workload::generate(seed ^ 0x9209, options)));
    }
}

fn played(world: &World, batch_size: usize) -> Play<'_> {
    let mut play = Play::new(world);
    for batch in world.inputs.chunks(batch_size) {
        play.feed_all(batch);
        play.commit();
    }
    play.tick(world.until);
    play.commit();
    play
}

#[track_caller]
fn assert_same(seed: u64, one: &Play<'_>, other: &Play<'_>) {
    assert!(one.outputs.debits == other.outputs.debits, "seed {seed}: debits differ");
    assert!(one.outputs.events == other.outputs.events, "seed {seed}: events differ");
    assert_eq!(one.states(), other.states(), "seed {seed}");
}

#[test]
fn the_size_of_batches_does_not_matter() {
    for_each_world(|seed, world| {
        let whole = played(world, usize::MAX);
        for batch_size in [1, 7, 250] {
            let play = played(world, batch_size);
            assert_same(seed, &whole, &play);
            assert_eq!(whole.verdicts, play.verdicts, "seed {seed}");
        }
    });
}

#[test]
fn played_again_from_the_beginning_it_gives_the_same_bytes() {
    for_each_world(|seed, world| assert_same(seed, &played(world, 100), &played(world, 100)));
}

#[test]
fn a_batch_rolled_back_leaves_no_trace() {
    for_each_world(|seed, world| {
        let mut rng = Rng::new(seed);
        let mut play = Play::new(world);
        let mut rest = world.inputs.as_slice();
        while !rest.is_empty() {
            let (batch, after) = rest.split_at((rng.below(80) + 1).min(rest.len()));
            let before = (play.states(), play.partition.records().count(), play.partition.account_count());
            let mark = play.mark();
            play.feed_all(batch);
            if rng.chance(30) {
                play.tick(batch[batch.len() - 1].arrival);
            }
            play.roll_back(&mark);
            let undone = (play.states(), play.partition.records().count(), play.partition.account_count());
            assert_eq!(before, undone, "seed {seed}");
            assert_eq!(play.partition.dirty().count(), 0, "seed {seed}: nothing is touched");
            play.feed_twice(batch);
            play.commit();
            rest = after;
        }
        play.tick(world.until);
        assert_same(seed, &played(world, usize::MAX), &play);
    });
}

/// What was booked comes again, at once and later (L12, D2, T2).
#[test]
fn duplicates_change_nothing() {
    for_each_world(|seed, world| {
        let plain = played(world, usize::MAX);
        let mut rng = Rng::new(seed);
        let mut play = Play::new(world);
        let mut latest = Timestamp::MIN;
        let mut booked: Vec<&Fed> = Vec::new();
        for input in &world.inputs {
            play.feed(input);
            if matches!(play.verdicts.last().map(String::as_str), Some("booked" | "unrated")) {
                booked.push(input);
                latest = latest.max(input.arrival);
            }
            // A command is remembered for as long as its redelivery is to be feared, not for ever.
            let comes_again =
                |input: &&&Fed| !input.is_command || !latest.is_later_by_more_than(5 * 86_400, input.arrival);
            while rng.chance(40) {
                let back = rng.below(booked.len().min(60) + 1);
                let Some(again) = booked.iter().rev().nth(back).filter(comes_again) else { break };
                play.feed(again);
                let verdict = play.verdicts.last().map_or("", String::as_str);
                assert!(verdict != "booked" && verdict != "unrated", "seed {seed}: booked twice");
            }
            if rng.chance(10) {
                play.commit();
            }
        }
        play.tick(world.until);
        assert_same(seed, &plain, &play);
    });
}

/// X6: debits and events of an organisation are numbered from 1 without a gap, in the order in which they are written.
#[test]
fn order_within_an_organisation_is_kept() {
    for_each_world(|seed, world| {
        let play = played(world, 100);
        for lines in [&play.outputs.debits, &play.outputs.events] {
            for (org, stream) in streams(&[lines]) {
                let written: Vec<u64> = stream.iter().map(|(seq, _)| *seq).collect();
                assert!(written.is_sorted_by(|a, b| a < b), "seed {seed}: {org} is out of order");
            }
        }
        for (org, stream) in streams(&[&play.outputs.debits, &play.outputs.events]) {
            let mut seqs: Vec<u64> = stream.iter().map(|(seq, _)| *seq).collect();
            seqs.sort_unstable();
            assert!(seqs.into_iter().eq(1..=stream.len() as u64), "seed {seed}: {org} has a gap");
        }
    });
}

/// T1: every input first runs what is due, so it does not matter how often time is told.
#[test]
fn ticks_change_no_event() {
    for_each_world(|seed, world| {
        let plain = played(world, usize::MAX);
        let mut rng = Rng::new(seed);
        let mut play = Play::new(world);
        // Up to the least arrival yet to come: time that has come for everybody.
        let mut coming: Vec<Timestamp> = world.inputs.iter().map(|input| input.arrival).collect();
        for index in (1..coming.len()).rev() {
            coming[index - 1] = coming[index - 1].min(coming[index]);
        }
        for (input, now) in world.inputs.iter().zip(coming) {
            if rng.chance(50) {
                play.tick(now);
            }
            play.feed(input);
            if rng.chance(5) {
                play.commit();
            }
        }
        play.tick(world.until);
        let sorted = |play: &Play<'_>| {
            let mut streams = streams(&[&play.outputs.debits, &play.outputs.events]);
            streams.values_mut().for_each(|stream| stream.sort());
            streams
        };
        assert!(sorted(&plain) == sorted(&play), "seed {seed}: debits or events differ");
        assert_eq!(plain.states(), play.states(), "seed {seed}");
    });
}

/// Lines by organisation, with their `seq`, in the order in which they were written.
fn streams(outputs: &[&Vec<u8>]) -> BTreeMap<String, Vec<(u64, Vec<u8>)>> {
    let mut streams: BTreeMap<String, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
    for line in outputs.iter().flat_map(|lines| lines.split(|b| *b == b'\n')).filter(|line| !line.is_empty()) {
        let value: Value = serde_json::from_slice(line).expect("a line of JSON");
        let (org, seq) = (value["orgId"].as_str().expect("an id"), value["seq"].as_u64().expect("a number"));
        streams.entry(org.to_owned()).or_default().push((seq, line.to_vec()));
    }
    streams
}

/// An account that was written, read and restored goes on as if nothing had happened.
#[test]
fn a_restored_account_goes_on_identically() {
    for_each_world(|seed, world| {
        let mut rng = Rng::new(seed);
        let (first, rest) = world.inputs.split_at(rng.below(world.inputs.len()));
        let mut play = Play::new(world);
        play.feed_all(first);
        for held in play.partition.accounts() {
            let line = state(held);
            let opening = account::read(&line).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let restored = Account::restore(opening, &world.rules).expect("what was written keeps its invariants");
            assert_eq!(line, state(&restored), "seed {seed}: written again");
            go_on_together(seed, world, rest, held.clone(), restored);
        }
    });
}

/// The commands that follow in the workload, calls between them, and time at the end.
fn go_on_together(seed: u64, world: &World, rest: &[Fed], mut one: Account, mut other: Account) {
    let mut rng = Rng::new(seed);
    for input in rest {
        let envelope = command::decode(&input.bytes).ok().filter(|it| *it.org == *one.org());
        match &envelope {
            Some(envelope) => {
                apply_both(seed, world, &mut one, &mut other, input.arrival, Input::Command(&envelope.command))
            }
            None if one.is_closed() || rng.chance(60) => {}
            None => {
                let charge = Money::from_micros(rng.between(0, 30_000_000));
                let call = RatedCall::paid(charge, input.arrival.plus_seconds(-rng.between(0, 300_000)));
                apply_both(seed, world, &mut one, &mut other, input.arrival, Input::Call(call));
            }
        }
    }
    apply_both(seed, world, &mut one, &mut other, world.until, Input::Time);
}

fn apply_both(seed: u64, world: &World, one: &mut Account, other: &mut Account, at: Timestamp, input: Input<'_>) {
    let [ours, theirs] = [&mut *one, &mut *other].map(|account| {
        let mut effects = Effects::default();
        account.apply(at, input, &world.rules, &mut effects);
        effects
    });
    assert_eq!(ours.occurrences, theirs.occurrences, "seed {seed}");
    assert_eq!((ours.debit, ours.funding), (theirs.debit, theirs.funding), "seed {seed}");
    assert_eq!(state(one), state(other), "seed {seed}");
}
