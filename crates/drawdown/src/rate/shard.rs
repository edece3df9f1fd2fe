//! One partition of a run, with what it wrote in this round and what it has counted so far.

use drawdown_engine::partition::CommandOutcome;
use drawdown_engine::{Engine, Outcome, Outputs, Partition, Tally};
use drawdown_rating::{Charge, Row};
use drawdown_units::{Money, Timestamp};
use drawdown_wire::debit::Pricing;
use drawdown_wire::reject::{Kind, Origin, Reject};
use drawdown_wire::{Cdr, Reason, Rejection, framing};
use rustc_hash::FxHashMap;

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
    /// Debits and events.
    pub lines: Outputs,
    /// Rejects.
    pub rejects: Vec<u8>,
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
    pub amount: Money,
}

/// One partition of a run.
#[derive(Default)]
pub struct Shard<'c> {
    /// The engine's partition.
    pub partition: Partition,
    /// Everything counted so far.
    pub tally: Tally,
    /// Account events written so far.
    pub events: u64,
    /// Records that are no calls.
    pub not_a_call: u64,
    /// What calls cost, by row.
    pub spent: FxHashMap<usize, Spent<'c>>,
    /// What was written in this round.
    pub written: Written,
}

/// A record as it lies in its file.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    /// Its bytes, or the beginning of them.
    pub bytes: &'a [u8],
    /// Whether these are all.
    pub kind: framing::Kind,
    /// Where it is.
    pub origin: Origin<'a>,
}

impl Written {
    /// Empties the buffers, keeping them.
    pub fn clear(&mut self) {
        self.lines.debits.clear();
        self.lines.events.clear();
        self.rejects.clear();
        self.ends.clear();
    }

    fn end_input(&mut self) {
        self.ends.push(Ends {
            debits: self.lines.debits.len() as u32,
            events: self.lines.events.len() as u32,
            rejects: self.rejects.len() as u32,
        });
    }

    fn reject(&mut self, kind: Kind, rejection: &Rejection, of: Option<&Cdr<'_>>, org: Option<&str>, raw: Raw<'_>) {
        let cut_from = match raw.kind {
            framing::Kind::Whole => None,
            framing::Kind::TooLarge { length, hash } => Some((length, hash)),
        };
        let line = Reject {
            kind,
            counted: rejection.reason != Reason::Unrated,
            rejection,
            org: of.map(|cdr| &*cdr.org).or(org),
            identity: of.map(|cdr| (&*cdr.source, &*cdr.id)),
            origin: raw.origin,
            record: raw.bytes,
            cut_from,
        };
        line.write(&mut self.rejects);
    }
}

impl<'c> Shard<'c> {
    /// Rates and books one record.
    pub fn cdr(&mut self, engine: &Engine<'c>, arrival: Timestamp, cdr: &Cdr<'_>, raw: Raw<'_>) {
        let events_before = self.written.lines.events.len();
        let outcome = self.partition.cdr(engine, arrival, cdr, &mut self.written.lines);
        self.tally.record(cdr, &outcome);
        match &outcome {
            Outcome::Debited(debited) => {
                if let Pricing::Charged(charge, _) = &debited.pricing {
                    self.spend(charge);
                }
                if let Some(why) = debited.unrated() {
                    let detail = format!("debited 0: {}; re-rate it once the deck is mended", why.name());
                    self.written.reject(Kind::Cdr, &Rejection::new(Reason::Unrated, detail), Some(cdr), None, raw);
                }
            }
            Outcome::Duplicate => {}
            Outcome::Rejected(rejection) => self.written.reject(Kind::Cdr, rejection, Some(cdr), None, raw),
        }
        self.count_events(events_before);
        self.written.end_input();
    }

    /// Puts a record aside that could not be decoded.
    pub fn undecodable(&mut self, rejection: &Rejection, raw: Raw<'_>) {
        self.tally.undecodable(rejection.reason);
        self.written.reject(Kind::Cdr, rejection, None, None, raw);
        self.written.end_input();
    }

    /// Counts a record that is no call.
    pub fn not_a_call(&mut self) {
        self.not_a_call += 1;
        self.written.end_input();
    }

    /// Applies one command.
    pub fn command(&mut self, engine: &Engine<'c>, command: &PendingCommand, origin: Origin<'_>) {
        let events_before = self.written.lines.events.len();
        let (outcome, org) = match &command.envelope {
            Ok(envelope) => {
                let lines = &mut self.written.lines;
                (self.partition.command(engine, command.arrival, envelope, lines), Some(&*envelope.org))
            }
            Err(rejection) => (CommandOutcome::Rejected(rejection.clone()), None),
        };
        self.tally.command(&outcome);
        if let CommandOutcome::Rejected(rejection) = &outcome {
            let raw = Raw { bytes: &command.bytes, kind: framing::Kind::Whole, origin };
            self.written.reject(Kind::Command, rejection, None, org, raw);
        }
        self.count_events(events_before);
        self.written.end_input();
    }

    fn spend(&mut self, charge: &Charge<'c>) {
        let (row, currency) = (charge.row, charge.deck.currency());
        let spent = self.spent.entry(std::ptr::from_ref(row).addr()).or_insert(Spent {
            row,
            currency,
            calls: 0,
            billable_seconds: 0,
            amount: Money::ZERO,
        });
        spent.calls += 1;
        spent.billable_seconds += charge.billable_seconds;
        spent.amount = spent.amount.plus(charge.amount);
    }

    fn count_events(&mut self, from: usize) {
        let written = &self.written.lines.events[from..];
        self.events += written.iter().filter(|&&byte| byte == b'\n').count() as u64;
    }
}
