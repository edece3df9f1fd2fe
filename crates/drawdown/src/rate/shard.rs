//! One partition of a run, with what it wrote in this round and what it has counted so far.

use std::io;

use drawdown_engine::intake::{Intake, Raw};
use drawdown_engine::{Engine, Outcome, Partition, Tally};
use drawdown_rating::{Charge, Row};
use drawdown_units::{Sum, Timestamp};
use drawdown_wire::debit::Pricing;
use drawdown_wire::reject::Origin;
use drawdown_wire::{Cdr, Rejection};
use rustc_hash::FxHashMap;

use super::earlier::{Earlier, Places};
use super::feed::PendingCommand;

/// Where in the output buffers of a shard one input's lines end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ends {
    /// In the debits.
    pub debits: u32,
    /// In the account events.
    pub events: u32,
    /// In the rejects.
    pub rejects: u32,
}

/// What a shard wrote in one round: the lines of each input, one after the other.
#[derive(Debug, Default)]
pub struct Written {
    /// Debits, events, rejects.
    pub intake: Intake,
    /// One for each input.
    pub ends: Vec<Ends>,
}

/// What calls to one destination cost.
#[derive(Debug, Clone, Copy)]
pub struct Spent<'c> {
    /// A row that prices it.
    pub row: &'c Row,
    /// In which currency.
    pub currency: drawdown_units::Currency,
    /// How many.
    pub calls: u64,
    /// Seconds billed.
    pub billable_seconds: u64,
    /// Money.
    pub amount: Sum,
}

/// One partition of a run.
pub struct Shard<'c> {
    /// The engine's partition.
    pub partition: Partition,
    /// Everything counted so far.
    pub tally: Tally,
    /// Account events written so far.
    pub events: u64,
    /// What calls cost, by row.
    pub spent: FxHashMap<usize, Spent<'c>>,
    /// What was written in this round.
    pub written: Written,
    /// Why a debit could not be read back: then the run is void.
    pub failure: Option<io::Error>,
}

impl Written {
    /// Empties the buffers, keeping them.
    pub fn clear(&mut self) {
        self.intake.lines.debits.clear();
        self.intake.lines.events.clear();
        self.intake.rejects.clear();
        self.ends.clear();
    }

    fn end_input(&mut self) {
        self.ends.push(Ends {
            debits: self.intake.lines.debits.len() as u32,
            events: self.intake.lines.events.len() as u32,
            rejects: self.intake.rejects.len() as u32,
        });
    }
}

impl<'c> Shard<'c> {
    /// A partition without accounts.
    pub fn new() -> Self {
        Shard {
            partition: Partition::numbering_records(),
            tally: Tally::default(),
            events: 0,
            spent: FxHashMap::default(),
            written: Written::default(),
            failure: None,
        }
    }

    /// Rates and books one record. What it corrects is read back from where `places` says that debits of earlier rounds
    /// begin.
    pub fn cdr(&mut self, engine: &Engine<'c>, arrival: Timestamp, cdr: &Cdr<'_>, raw: &Raw<'_>, places: &Places<'_>) {
        let events_before = self.written.intake.lines.events.len();
        let mut earlier = Earlier { places, failure: &mut self.failure };
        let outcome = self.written.intake.cdr(&mut self.partition, engine, arrival, cdr, raw, &mut earlier);
        if let Outcome::Debited(debited) = &outcome
            && let Some(Pricing::Charged(charge)) = &debited.pricing
        {
            self.spend(charge);
        }
        self.count_events(events_before);
        self.written.end_input();
    }

    /// Puts a record aside that could not be decoded.
    pub fn undecodable(&mut self, rejection: &Rejection, raw: &Raw<'_>) {
        self.written.intake.undecodable(rejection, raw);
        self.written.end_input();
    }

    /// Counts a record that is no call.
    pub fn not_a_call(&mut self) {
        self.written.intake.tally.not_a_call += 1;
        self.written.end_input();
    }

    /// Applies one command.
    pub fn command(&mut self, engine: &Engine<'c>, command: &PendingCommand, origin: Origin<'_>) {
        let events_before = self.written.intake.lines.events.len();
        let raw = Raw { bytes: &command.bytes, cut_from: None, origin, resend: None };
        self.written.intake.command(&mut self.partition, engine, command.arrival, &command.envelope, &raw);
        self.count_events(events_before);
        self.written.end_input();
    }

    /// Ends a round: what it counted joins the rest.
    pub fn end_round(&mut self, engine: &Engine<'_>) {
        self.partition.commit(&engine.limits);
        self.tally.add(&std::mem::take(&mut self.written.intake.tally));
    }

    fn spend(&mut self, charge: &Charge<'c>) {
        let (row, currency) = (charge.row, charge.deck.currency());
        let spent = self.spent.entry(std::ptr::from_ref(row).addr()).or_insert(Spent {
            row,
            currency,
            calls: 0,
            billable_seconds: 0,
            amount: Sum::ZERO,
        });
        spent.calls += 1;
        spent.billable_seconds += charge.billable_seconds;
        spent.amount += charge.amount;
    }

    fn count_events(&mut self, from: usize) {
        let written = &self.written.intake.lines.events[from..];
        self.events += written.iter().filter(|&&byte| byte == b'\n').count() as u64;
    }
}
