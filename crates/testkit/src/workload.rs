//! Seeded random workloads: decks, plans, commands and usage records that lean towards the boundary cases.
//!
//! A workload is made beside the model, which tells where the boundaries of this world are: what is due next, what is
//! outstanding, what a balance is to the last decimal. So it carries what the model expects of every step.

mod commands;
mod corrections;
mod decks;
mod funding;
mod licences;
mod mischief;
mod numbers;
mod records;
mod repeats;
mod rng;
mod timeline;
mod world;

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;
use serde_json::Value;

pub use decks::{DeckFiles, PlanFile};
pub use rng::Rng;

use crate::model::{self, Model, ModelDeck, ModelPlan, time};
use timeline::Stream;
use world::World;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub operations: usize,
    pub window_days: i64,
    /// Also makes inputs on which the rules leave room, and the model only has an opinion.
    pub grey: bool,
    /// Also licences, included minutes and corrections; without, everybody may draw credits and nothing is revised.
    pub credits: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { operations: 1_500, window_days: 90, grey: false, credits: true }
    }
}

/// One input, in the order of arrival.
#[derive(Clone, Debug)]
pub enum Input {
    /// Arrives at its `at`.
    Command(Value),
    /// Carries its arrival as `receivedAt` too.
    Cdr { row: Value, arrival: Timestamp },
}

#[derive(Clone, Debug)]
pub struct Step {
    pub input: Input,
    /// What the model puts out for it.
    pub expected: Vec<Value>,
}

#[derive(Clone, Debug)]
pub struct Workload {
    pub seed: u64,
    pub options: Options,
    pub decks: Vec<DeckFiles>,
    pub plans: Vec<PlanFile>,
    pub steps: Vec<Step>,
    /// Where time is let run on to after the last step.
    pub until: Timestamp,
    /// What the model puts out between the last step and `until`.
    pub expected_at_end: Vec<Value>,
    /// The model's accounts at `until`.
    pub accounts: Vec<Value>,
}

impl Workload {
    /// The same seed and options make the same workload, everywhere.
    pub fn generate(seed: u64, options: Options) -> Self {
        let mut world = World::new(seed, options);
        let steps = (0..options.operations).map(|_| world.step()).collect();
        let (until, mut expected_at_end) = world.run_on();
        // Time ran on in several leaps there; in one leap each organisation's outputs come together.
        expected_at_end.sort_by_key(|output| output["orgId"].as_str().map(str::to_owned));
        let accounts = world.model.accounts();
        let (decks, plans) = (world.deck_files, world.plan_files);
        Self { seed, options, decks, plans, steps, until, expected_at_end, accounts }
    }

    /// A fresh model of this workload's decks and plans.
    pub fn model(&self) -> Model {
        new_model(&self.decks, &self.plans, self.options)
    }

    /// The commands, one JSON object per line.
    pub fn commands_jsonl(&self) -> String {
        self.lines(|input| if let Input::Command(command) = input { Some(command) } else { None })
    }

    /// The usage records, one JSON object per line.
    pub fn cdrs_jsonl(&self) -> String {
        self.lines(|input| if let Input::Cdr { row, .. } = input { Some(row) } else { None })
    }

    /// Everything expected of one organisation, in order: debits and events, without rejects and duplicates.
    pub fn expected_of(&self, org: &str) -> Vec<&Value> {
        let all = self.steps.iter().flat_map(|step| &step.expected).chain(&self.expected_at_end);
        all.filter(|output| output["orgId"] == org && output.get("seq").is_some()).collect()
    }

    /// Writes decks, plans, `commands.jsonl` and `cdrs.jsonl` to a directory that exists.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_to(&self, dir: &Path) -> io::Result<()> {
        for deck in &self.decks {
            fs::write(dir.join(&deck.toml_name), &deck.toml)?;
            fs::write(dir.join(&deck.csv_name), &deck.csv)?;
        }
        for plan in &self.plans {
            fs::write(dir.join(&plan.name), &plan.toml)?;
        }
        fs::write(dir.join("commands.jsonl"), self.commands_jsonl())?;
        fs::write(dir.join("cdrs.jsonl"), self.cdrs_jsonl())
    }

    fn lines<'a>(&'a self, select: impl Fn(&'a Input) -> Option<&'a Value>) -> String {
        let mut text = String::new();
        for value in self.steps.iter().filter_map(|step| select(&step.input)) {
            let _ = writeln!(text, "{value}");
        }
        text
    }
}

fn new_model(decks: &[DeckFiles], plans: &[PlanFile], options: Options) -> Model {
    let read_deck = |deck: &DeckFiles| ModelDeck::read(&deck.toml, &deck.csv).expect("decks made here are sound");
    let read_plan = |plan: &PlanFile| ModelPlan::read(&plan.toml).expect("plans made here are sound");
    let model_options = model::Options { window_days: options.window_days, ..model::Options::default() };
    Model::new(decks.iter().map(read_deck).collect(), plans.iter().map(read_plan).collect(), model_options)
}

/// Merges two files by their heads, commands first among equals (T4).
pub fn merge(commands: Vec<Value>, cdrs: Vec<Value>) -> Vec<Input> {
    let at =
        |value: &Value, field: &str| value[field].as_str().and_then(time::parse).expect("workloads date all inputs");
    let mut commands = commands.into_iter().peekable();
    let mut cdrs = cdrs.into_iter().peekable();
    let mut merged = Vec::new();
    loop {
        let command_at = commands.peek().map(|command| at(command, "at"));
        let cdr_at = cdrs.peek().map(|row| at(row, "receivedAt"));
        let first = match (command_at, cdr_at) {
            (None, None) => return merged,
            (Some(_), None) => Stream::Commands,
            (None, Some(_)) => Stream::Cdrs,
            (Some(command), Some(cdr)) => {
                if command <= cdr {
                    Stream::Commands
                } else {
                    Stream::Cdrs
                }
            }
        };
        merged.extend(match first {
            Stream::Commands => commands.next().map(Input::Command),
            Stream::Cdrs => cdrs.next().map(|row| Input::Cdr { arrival: at(&row, "receivedAt"), row }),
        });
    }
}

#[cfg(test)]
mod tests;
