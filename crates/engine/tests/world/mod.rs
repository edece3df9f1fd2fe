//! What the tests of the engine share: a workload, played on one partition.
//!
//! Inputs are bytes, decoded anew whenever they are fed, as in the real thing.

#![allow(dead_code, reason = "each test uses a part of it")]

use drawdown_engine::dedup::CONTENT_MASK;
use drawdown_engine::partition::{CommandOutcome, fingerprint};
use drawdown_engine::{Booked, Engine, Limits, Originals, Outcome, Outputs, Partition, Tally};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText, Fault, RatePlan};
use drawdown_testkit::workload::{DeckFiles, Input, PlanFile, Workload};
use drawdown_units::Timestamp;
use drawdown_wire::debit::{Original, Sought};
use drawdown_wire::event::{self, Cause};
use drawdown_wire::source::Context;
use drawdown_wire::{account, command, licences, native};

/// One input and when it arrives.
pub struct Fed {
    pub arrival: Timestamp,
    pub is_command: bool,
    pub bytes: Vec<u8>,
}

/// A workload as the engine sees it.
pub struct World {
    pub catalogue: Catalogue,
    pub rules: Rules,
    pub limits: Limits,
    pub inputs: Vec<Fed>,
    pub until: Timestamp,
}

impl World {
    pub fn new(workload: &Workload) -> Self {
        World::withdrawing(workload, None)
    }

    /// The version whose manifest has that name is withdrawn.
    pub fn withdrawing(workload: &Workload, withdrawn: Option<&str>) -> Self {
        let until = instant(&workload.until.to_string());
        let decks = workload.decks.iter().map(|files| {
            let deck = compile(files);
            if withdrawn == Some(&files.toml_name) { deck.withdrawn(until) } else { deck }
        });
        let plans = workload.plans.iter().map(plan).collect();
        let window_days = u16::try_from(workload.options.window_days).expect("a window of days");
        World {
            catalogue: Catalogue::new(decks.collect(), plans).unwrap_or_else(|faults| panic!("{}", told(&faults))),
            rules: Rules { plans: licences::teams(), ..Rules::default() },
            limits: Limits { window_days, ..Limits::default() },
            inputs: workload.steps.iter().map(|step| fed(&step.input)).collect(),
            until,
        }
    }
}

fn compile(files: &DeckFiles) -> Deck {
    let text = DeckText {
        manifest_name: &files.toml_name,
        manifest: &files.toml,
        rows_name: &files.csv_name,
        rows: files.csv.as_bytes(),
    };
    Deck::compile(text).unwrap_or_else(|faults| panic!("{}", told(&faults))).deck
}

fn plan(file: &PlanFile) -> RatePlan {
    RatePlan::parse(&file.name, &file.toml).unwrap_or_else(|faults| panic!("{}", told(&faults)))
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn fed(input: &Input) -> Fed {
    match input {
        Input::Command(value) => {
            let arrival = instant(value["at"].as_str().expect("workloads date all commands"));
            Fed { arrival, is_command: true, bytes: value.to_string().into_bytes() }
        }
        Input::Cdr { row, arrival } => {
            Fed { arrival: instant(&arrival.to_string()), is_command: false, bytes: row.to_string().into_bytes() }
        }
    }
}

pub fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A partition that a world is played on, and everything it has put out.
pub struct Play<'w> {
    pub world: &'w World,
    pub partition: Partition,
    pub outputs: Outputs,
    /// How much of the debits is of batches before this one.
    earlier: EarlierDebits,
    /// One for each input: `booked`, `unrated`, `duplicate`, or `rejected` and why.
    pub verdicts: Vec<String>,
    /// Of each input that is a readable record: its identity, and what is kept of its content.
    pub prints: Vec<Option<(u64, u32)>>,
    pub tally: Tally,
}

/// The debits of earlier batches, as a log keeps them.
#[derive(Default)]
pub struct EarlierDebits(Vec<u8>);

impl Originals for EarlierDebits {
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>> {
        if booked.is_in_progress
            && let Some(found) = booked.in_progress(sought)
        {
            return Some(found);
        }
        // An id that was forgotten may have been debited twice: the last one is known.
        let mut lines = self.0.rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.find_map(|line| sought.look(line).expect("a debit of ours"))
    }
}

/// Lengths of everything put out, to go back to.
#[derive(Clone)]
pub struct Mark {
    debits: usize,
    events: usize,
    verdicts: usize,
    tally: Tally,
}

impl<'w> Play<'w> {
    pub fn new(world: &'w World) -> Self {
        Play {
            world,
            partition: Partition::default(),
            outputs: Outputs::default(),
            earlier: EarlierDebits::default(),
            verdicts: Vec::new(),
            prints: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn engine(&self) -> Engine<'w> {
        let World { catalogue, rules, limits, .. } = self.world;
        Engine { catalogue, rules, limits: *limits, open_unknown: None }
    }

    pub fn feed_all(&mut self, inputs: &[Fed]) {
        inputs.iter().for_each(|input| self.feed(input));
    }

    pub fn feed(&mut self, input: &Fed) {
        self.prints.push(None);
        let verdict = if input.is_command { self.command(input) } else { self.cdr(input) };
        self.verdicts.push(verdict);
    }

    fn command(&mut self, input: &Fed) -> String {
        let Ok(envelope) = command::decode(&input.bytes) else { return "rejected undecodable".into() };
        let outcome = self.partition.command(&self.engine(), input.arrival, &envelope, &mut self.outputs);
        self.tally.command(&outcome);
        match outcome {
            CommandOutcome::Applied | CommandOutcome::Refused => "booked".into(),
            CommandOutcome::Duplicate => "duplicate".into(),
            CommandOutcome::Rejected(rejection) => format!("rejected {}", rejection.reason.name()),
        }
    }

    fn cdr(&mut self, input: &Fed) -> String {
        let cdr = match native::decode(&input.bytes, &Context::default()) {
            Ok(cdr) => cdr,
            Err(rejection) => {
                self.tally.undecodable(rejection.reason);
                return format!("rejected {}", rejection.reason.name());
            }
        };
        let print = fingerprint(&cdr);
        self.prints.pop();
        self.prints.push(Some((print.identity, print.content & CONTENT_MASK)));
        let arrival = cdr.received.unwrap_or(input.arrival);
        let outcome = self.partition.cdr(&self.engine(), arrival, &cdr, &mut self.outputs, &mut self.earlier);
        self.tally.record(&cdr, &outcome);
        match outcome {
            Outcome::Debited(call) if call.unrated().is_some() => "unrated".into(),
            Outcome::Debited(_) => "booked".into(),
            Outcome::Duplicate => "duplicate".into(),
            Outcome::Rejected(rejection) => format!("rejected {}", rejection.reason.name()),
        }
    }

    pub fn tick(&mut self, now: Timestamp) {
        let engine = self.engine();
        let Play { partition, outputs, .. } = self;
        partition.tick(&engine, now, |org, occurrence| {
            event::write(&mut outputs.events, org, occurrence, Cause::Time);
        });
    }

    pub fn commit(&mut self) {
        let known = self.earlier.0.len();
        self.earlier.0.extend_from_slice(&self.outputs.debits[known..]);
        self.partition.commit(&self.world.limits);
    }

    pub fn mark(&self) -> Mark {
        Mark {
            debits: self.outputs.debits.len(),
            events: self.outputs.events.len(),
            verdicts: self.verdicts.len(),
            tally: self.tally.clone(),
        }
    }

    /// Undoes the batch in progress, which began at `mark`, and hands out what it had put out.
    pub fn roll_back(&mut self, mark: &Mark) -> (Vec<u8>, Vec<u8>, Vec<String>) {
        self.partition.roll_back();
        self.tally = mark.tally.clone();
        self.prints.truncate(mark.verdicts);
        (
            self.outputs.debits.split_off(mark.debits),
            self.outputs.events.split_off(mark.events),
            self.verdicts.split_off(mark.verdicts),
        )
    }

    /// Every account as one line of JSON, by organisation.
    pub fn states(&self) -> Vec<Vec<u8>> {
        let mut lines: Vec<Vec<u8>> = self.partition.accounts().map(state).collect();
        lines.sort();
        lines
    }

    /// Plays a batch as something in the middle of which a transaction fails: undone, then played again.
    pub fn feed_twice(&mut self, batch: &[Fed]) {
        let mark = self.mark();
        self.feed_all(batch);
        let first = self.roll_back(&mark);
        self.feed_all(batch);
        let Mark { debits, events, verdicts, .. } = mark;
        assert!(first.0 == self.outputs.debits[debits..], "debits differ when a batch is replayed");
        assert!(first.1 == self.outputs.events[events..], "events differ when a batch is replayed");
        assert_eq!(first.2, self.verdicts[verdicts..], "outcomes differ when a batch is replayed");
    }
}

pub fn state(held: &drawdown_ledger::Account) -> Vec<u8> {
    let mut line = Vec::new();
    account::write(&mut line, held);
    line
}
