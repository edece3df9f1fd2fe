//! What licences, pools and corrections cost: beside a record without them, and as they become many.

use std::time::Duration;

use drawdown_benches::{Records, catalogue, engine, licensed_partition, partition, whole_way};
use drawdown_engine::{Booked, Engine, Originals, Outcome, Outputs, Partition};
use drawdown_ledger::Rules;
use drawdown_units::Timestamp;
use drawdown_wire::debit::{Original, Sought};
use drawdown_wire::source::Context;
use drawdown_wire::{command, licences, native};

use super::measure::{median, say, timed};
use super::{BATCH, BATCH_COUNT};

fn rules() -> Rules {
    Rules { plans: licences::teams(), ..Rules::default() }
}

fn rate(partition: &mut Partition, engine: &Engine<'_>, batch: &[Vec<u8>], outputs: &mut Outputs) -> Duration {
    outputs.debits.clear();
    outputs.events.clear();
    timed(|| {
        whole_way(partition, engine, batch, outputs);
        partition.commit(&engine.limits);
    })
}

/// The same records, by organisations that ask for no licences and by some whose hundred users have three each.
pub fn licensed() {
    let (catalogue, rules) = (catalogue(36_000), rules());
    let engine = engine(&catalogue, &rules);
    let orgs = 1_000;
    let (mut plain, mut licensed) = (partition(&engine, orgs), licensed_partition(&engine, orgs, 100));
    let mut source = Records::new(orgs).of_users(100);
    let mut outputs = Outputs::default();
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let mut pooled = 0;
    for _ in 0..BATCH_COUNT {
        let batch: Vec<Vec<u8>> = source.by_ref().take(BATCH as usize).collect();
        without.push(rate(&mut plain, &engine, &batch, &mut outputs));
        with.push(rate(&mut licensed, &engine, &batch, &mut outputs));
        pooled += outputs.debits.windows(13).filter(|window| window == b"\"type\":\"pool\"").count();
    }
    let [without, with] = [without, with].map(|times| median(times, BATCH));
    let share = pooled * 100 / (BATCH as usize * BATCH_COUNT);
    say(&format!(
        "licensed, 1,000 orgs of 100 users: without licences {without:.0} ns, with {with:.0} ns = {:.2} x; {share} % \
         of the calls drew minutes",
        with / without
    ));
}

/// One organisation with a growing number of users who hold licences.
pub fn users() {
    let (catalogue, rules) = (catalogue(36_000), rules());
    let engine = engine(&catalogue, &rules);
    for users in [1_000, 10_000, 100_000] {
        let mut partition = None;
        let took = timed(|| partition = Some(licensed_partition(&engine, 1, users)));
        let mut partition = partition.expect("it was just made");
        let mut source = Records::new(1).of_users(users);
        let mut outputs = Outputs::default();
        let mut times = Vec::new();
        for _ in 0..100 {
            let batch: Vec<Vec<u8>> = source.by_ref().take(BATCH as usize).collect();
            times.push(rate(&mut partition, &engine, &batch, &mut outputs));
        }
        say(&format!(
            "users, {users} in one org: {:.0} ns a licence, {:.0} ns a record",
            took.as_nanos() as f64 / (3 * users) as f64,
            median(times, BATCH)
        ));
    }
}

/// One organisation with a growing number of lots that hold money: adding one, and a record.
pub fn many_lots() {
    let (catalogue, rules) = (catalogue(36_000), rules());
    let engine = engine(&catalogue, &rules);
    let arrival = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
    for lots in [100, 1_000, 10_000] {
        let mut partition = partition(&engine, 1);
        let mut outputs = Outputs::default();
        let commands: Vec<_> = (0..lots)
            .map(|lot| {
                let json = format!(
                    "{{\"commandId\":\"more-{lot}\",\"orgId\":\"org-000000\",\"at\":\"{arrival}\",\"type\":\"addFunds\",\
                     \"lotId\":\"more-{lot:05}\",\"amount\":\"0.05\",\"purchasedAt\":\"2026-01-01T00:00:00Z\"}}"
                );
                command::decode(json.as_bytes()).expect("a command")
            })
            .collect();
        let took = timed(|| {
            for command in &commands {
                partition.command(&engine, arrival, command, &mut outputs);
            }
            partition.commit(&engine.limits);
        });
        let mut source = Records::new(1);
        let mut times = Vec::new();
        for _ in 0..20 {
            let batch: Vec<Vec<u8>> = source.by_ref().take(BATCH as usize).collect();
            times.push(rate(&mut partition, &engine, &batch, &mut outputs));
        }
        say(&format!(
            "many-lots, {lots} in one org: {:.2} us to add one, {:.0} ns a record that draws them down",
            took.as_nanos() as f64 / 1_000.0 / lots as f64,
            median(times, BATCH)
        ));
    }
}

/// Debits in memory, each where its record's number says.
#[derive(Default)]
struct InMemory {
    lines: Vec<u8>,
    places: Vec<usize>,
}

impl Originals for InMemory {
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>> {
        let from = *self.places.get(booked.number as usize - 1)?;
        let mut lines = self.lines[from..].split(|byte| *byte == b'\n').take(2);
        lines.find_map(|line| sought.look(line).ok().flatten())
    }
}

/// Records debited, then each corrected.
pub fn corrections() {
    let (catalogue, rules) = (catalogue(36_000), rules());
    let engine = engine(&catalogue, &rules);
    for count in [10_000, 100_000, 1_000_000] {
        let mut partition = Partition::numbering_records();
        let mut outputs = Outputs::default();
        let mut memory = InMemory::default();
        let arrival = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
        for org in 0..1_000 {
            for json in drawdown_benches::commands(org, arrival) {
                partition.command(
                    &engine,
                    arrival,
                    &command::decode(json.as_bytes()).expect("a command"),
                    &mut outputs,
                );
            }
        }
        let records: Vec<Vec<u8>> = Records::new(1_000).take(count).collect();
        let mut took = [Duration::ZERO; 2];
        for (revision, took) in took.iter_mut().enumerate() {
            for (index, bytes) in records.iter().enumerate() {
                outputs.debits.clear();
                outputs.events.clear();
                let mut cdr = native::decode(bytes, &Context::default()).expect("a row");
                cdr.revision = revision as u32;
                cdr.seconds += revision as u32;
                let arrival = cdr.end.unwrap_or(cdr.start);
                *took += timed(|| {
                    let outcome = partition.cdr(&engine, arrival, &cdr, &mut outputs, &mut memory);
                    assert!(matches!(outcome, Outcome::Debited(_)), "{outcome:?}");
                    if index % 10_000 == 9_999 {
                        partition.commit(&engine.limits);
                    }
                });
                if revision == 0 {
                    memory.places.push(memory.lines.len());
                    memory.lines.extend_from_slice(&outputs.debits);
                }
            }
        }
        let [first, second] = took.map(|took| took.as_nanos() as f64 / count as f64);
        say(&format!("corrections, {count}: {first:.0} ns a record, {second:.0} ns a correction of it"));
    }
}
