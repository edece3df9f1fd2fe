//! What becomes of one input: it is booked, counted, and put aside if need be. The same for files and for logs.

use drawdown_units::Timestamp;
use drawdown_wire::command::Envelope;
use drawdown_wire::reject::{Kind, Origin, Reject, Resend};
use drawdown_wire::{Cdr, Reason, Rejection};

use crate::partition::{CommandOutcome, Engine, Originals, Outcome, Outputs, Partition};
use crate::tally::Tally;

/// The lines that inputs left, and what was counted.
#[derive(Debug, Default)]
pub struct Intake {
    /// Debits and account events.
    pub lines: Outputs,
    /// Rejects, JSON Lines.
    pub rejects: Vec<u8>,
    /// The counts.
    pub tally: Tally,
}

/// An input as it came: what is put aside if it has to be.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    /// Its bytes, or the beginning of them.
    pub bytes: &'a [u8],
    /// Length and hash of all of it, where `bytes` is only its beginning.
    pub cut_from: Option<(u64, u64)>,
    /// Where it came from.
    pub origin: Origin<'a>,
    /// How it can be sent again.
    pub resend: Option<Resend<'a>>,
}

impl Intake {
    /// Rates and books one record.
    #[inline]
    pub fn cdr<'c>(
        &mut self,
        partition: &mut Partition,
        engine: &Engine<'c>,
        arrival: Timestamp,
        cdr: &Cdr<'_>,
        raw: &Raw<'_>,
        originals: &mut dyn Originals,
    ) -> Outcome<'c> {
        let outcome = partition.cdr(engine, arrival, cdr, &mut self.lines, originals);
        self.tally.record(cdr, &outcome);
        match &outcome {
            Outcome::Debited(debited) => {
                if let Some(why) = debited.unrated() {
                    let detail = format!("debited 0: {}; re-rate it once the deck is mended", why.name());
                    self.reject(Kind::Cdr, &Rejection::new(Reason::Unrated, detail), Some(cdr), None, raw);
                }
            }
            Outcome::Duplicate => {}
            Outcome::Rejected(rejection) => self.reject(Kind::Cdr, rejection, Some(cdr), None, raw),
        }
        outcome
    }

    /// Puts a record aside that could not be decoded.
    pub fn undecodable(&mut self, rejection: &Rejection, raw: &Raw<'_>) {
        self.tally.undecodable(rejection.reason);
        self.reject(Kind::Cdr, rejection, None, None, raw);
    }

    /// Applies one command, or puts aside what is none.
    pub fn command(
        &mut self,
        partition: &mut Partition,
        engine: &Engine<'_>,
        arrival: Timestamp,
        envelope: &Result<Envelope, Rejection>,
        raw: &Raw<'_>,
    ) -> CommandOutcome {
        let (outcome, org) = match envelope {
            Ok(envelope) => (partition.command(engine, arrival, envelope, &mut self.lines), Some(&*envelope.org)),
            Err(rejection) => (CommandOutcome::Rejected(rejection.clone()), None),
        };
        self.tally.command(&outcome);
        if let CommandOutcome::Rejected(rejection) = &outcome {
            self.reject(Kind::Command, rejection, None, org, raw);
        }
        outcome
    }

    #[cold]
    fn reject(&mut self, kind: Kind, rejection: &Rejection, of: Option<&Cdr<'_>>, org: Option<&str>, raw: &Raw<'_>) {
        let line = Reject {
            kind,
            counted: rejection.reason != Reason::Unrated,
            rejection,
            org: of.map(|cdr| &*cdr.org).or(org),
            identity: of.map(|cdr| (&*cdr.source, &*cdr.id)),
            origin: raw.origin,
            record: raw.bytes,
            resend: raw.resend,
            cut_from: raw.cut_from,
        };
        line.write(&mut self.rejects);
    }
}
