//! Corrections: a record that replaces or withdraws one that was debited (domain.md section 9, boundaries.md D4–D14).
//!
//! Invariant: a correction that is rejected leaves no trace, the debit that it was about least of all.

use drawdown_ledger::account::{Input, RatedCall};
use drawdown_units::{Money, Timestamp};
use drawdown_wire::debit::{Original, ReversalLine, Sought};
use drawdown_wire::event::{self, Cause};
use drawdown_wire::{Cdr, Reason, Rejection};

use super::admission::Admitted;
use super::cover::{self, Asking};
use super::{DebitedCall, Engine, Outcome, Outputs, Partition, Priced};
use crate::accounts::Slot;
use crate::dedup::Fingerprint;
use crate::tally::Funded;

/// Where debits can be read back.
pub trait Originals {
    /// Reads back the debit that is sought. `None` if it is not there.
    ///
    /// What goes wrong in reading is for the caller of the whole batch to find out here: then nothing of it counts.
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>>;
}

/// Where a debit may be.
#[derive(Debug, Clone, Copy)]
pub struct Booked<'a> {
    /// The number that it was booked under: of its batch, or its own ([`Partition::numbering_records`]).
    pub number: u32,
    /// When that batch was on its way, or shortly before, if that is known.
    pub since: Option<Timestamp>,
    /// Whether it is the batch in progress.
    pub is_in_progress: bool,
    /// What the batch in progress debited so far.
    pub lines: &'a [u8],
}

impl Booked<'_> {
    /// Looks through the batch in progress. An identity that was forgotten may have been debited twice: the latest counts.
    pub fn in_progress(&self, sought: &Sought) -> Option<Box<Original>> {
        self.lines.rsplit(|byte| *byte == b'\n').find_map(|line| sought.look(line).ok().flatten())
    }
}

/// Only the batch in progress is looked at: for who makes but one.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProgress;

impl Originals for InProgress {
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>> {
        if booked.is_in_progress { booked.in_progress(sought) } else { None }
    }
}

/// What a correction is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Earlier {
    /// The number that it was booked under.
    pub number: u32,
    /// Its revision.
    pub revision: u32,
}

impl Partition {
    #[cold]
    pub(super) fn correct<'c>(
        &mut self,
        engine: &Engine<'c>,
        arrival: Timestamp,
        cdr: &Cdr<'_>,
        admitted: &Admitted,
        outputs: &mut Outputs,
        originals: &mut dyn Originals,
    ) -> Outcome<'c> {
        let earlier = admitted.corrects.expect("invariant: a correction corrects something");
        let sought = Sought::new(cdr, earlier.revision);
        let booked = Booked {
            number: earlier.number,
            since: self.transactions.began(earlier.number),
            is_in_progress: earlier.number == self.batch,
            lines: &outputs.debits,
        };
        let Some(original) = originals.find(&sought, &booked) else {
            return rejected(Reason::OriginalNotFound, "the debit that it corrects cannot be read back");
        };
        match admitted.slot.filter(|_| *original.org == *cdr.org) {
            Some(slot) => self.book_correction(engine, arrival, cdr, (slot, admitted.fingerprint), &original, outputs),
            None => rejected(
                Reason::OrgMismatch,
                "corrects a record of another organisation: withdraw that one, and send this as a new one",
            ),
        }
    }

    fn book_correction<'c>(
        &mut self,
        engine: &Engine<'c>,
        arrival: Timestamp,
        cdr: &Cdr<'_>,
        (slot, fingerprint): (Slot, Fingerprint),
        original: &Original,
        outputs: &mut Outputs,
    ) -> Outcome<'c> {
        let reversal = original.reversal(&cdr.id, cdr.revision);
        let priced = if cdr.void {
            None
        } else {
            let account = self.accounts.get(slot);
            let returned = reversal.pool.as_ref().map(|pool| pool.returned());
            let (plans, catalogue) = (&engine.rules.plans, engine.catalogue);
            let user = cover::user_of(account, cdr);
            let cover = Asking { account, plans, catalogue, places: &mut self.places, cdr, user, returned }.cover();
            match Priced::of(engine, (account.rate_plan_at(cdr.start), account.currency()), cdr, user, cover) {
                Ok(priced) => Some(priced),
                Err(rejection) => return Outcome::Rejected(rejection),
            }
        };
        let amount = priced.as_ref().map_or(Money::ZERO, |priced| priced.amount);
        let account = self.accounts.get(slot);
        if amount > reversal.charge && !account.admits(amount.minus(reversal.charge)) {
            return Outcome::Rejected(super::too_large());
        }
        let call = priced.as_ref().map(|priced| priced.call(account, engine, cdr));
        self.note_arrival(&engine.limits, arrival);
        self.claim_record(fingerprint, true);
        self.apply_whole(engine, slot, arrival, Input::Correction(&reversal, call));
        self.write_correction(slot, cdr, original, priced.as_ref(), call, outputs)
    }

    fn write_correction<'c>(
        &self,
        slot: Slot,
        cdr: &Cdr<'_>,
        original: &Original,
        priced: Option<&Priced<'c>>,
        call: Option<RatedCall>,
        outputs: &mut Outputs,
    ) -> Outcome<'c> {
        let currency = self.accounts.get(slot).currency();
        let reversed =
            self.effects.reversed.as_ref().expect("invariant: a correction that was applied reversed a debit");
        ReversalLine { cdr, original, currency, reversed }.write(&mut outputs.debits);
        let mut funded = Funded::default();
        let reversal_seq = reversed.debited.seq;
        let mut seq = reversal_seq;
        if let Some((priced, debited)) = priced.zip(self.effects.debit) {
            self.write_debit(slot, cdr, priced, debited, outputs);
            funded = Funded::of(&self.effects.funding);
            seq = debited.seq;
        }
        for occurrence in &self.effects.occurrences {
            let is_of_reversal = occurrence.seq < seq || cdr.void;
            let cause = if is_of_reversal { Cause::Reversal(reversal_seq, cdr) } else { Cause::Debit(seq) };
            event::write(&mut outputs.events, &cdr.org, occurrence, cause);
        }
        Outcome::Debited(DebitedCall {
            pricing: priced.map(|priced| priced.pricing),
            currency,
            amount: call.map_or(Money::ZERO, |call| call.charge),
            funded,
            reversed: Some((reversed.charge.negated(), Funded::of_reversal(&reversed.lines))),
        })
    }
}

fn rejected<'c>(reason: Reason, detail: &str) -> Outcome<'c> {
    Outcome::Rejected(Rejection::new(reason, detail))
}
