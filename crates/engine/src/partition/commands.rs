//! Commands: to the account they are for, or put aside if there is none.

use std::sync::Arc;

use drawdown_ledger::account::Input;
use drawdown_ledger::command::Command;
use drawdown_ledger::{Event, Refusal};
use drawdown_rating::Catalogue;
use drawdown_units::{Currency, Timestamp};
use drawdown_wire::command::Envelope;
use drawdown_wire::event::{self, Cause};
use drawdown_wire::{Reason, Rejection};

use super::admission::command_identity;
use super::{CommandOutcome, Engine, Outputs, Partition};
use crate::accounts::Slot;

impl Partition {
    /// Applies one command that arrived at `arrival`.
    pub fn command(
        &mut self,
        engine: &Engine<'_>,
        arrival: Timestamp,
        envelope: &Envelope,
        outputs: &mut Outputs,
    ) -> CommandOutcome {
        let identity = command_identity(envelope);
        if self.commands.holds(identity) {
            return CommandOutcome::Duplicate;
        }
        let outcome = match self.accounts.find(&envelope.org) {
            Some(slot) => self.obey(engine, slot, arrival, envelope, outputs),
            None => self.open_account(engine, arrival, envelope, outputs),
        };
        if !matches!(outcome, CommandOutcome::Rejected(_)) {
            self.note_arrival(&engine.limits, arrival);
            self.claim_command(identity);
        }
        outcome
    }

    fn open_account(
        &mut self,
        engine: &Engine<'_>,
        arrival: Timestamp,
        envelope: &Envelope,
        outputs: &mut Outputs,
    ) -> CommandOutcome {
        let Command::OpenAccount(terms) = &envelope.command else {
            let detail = format!("no account of {:?} was opened", envelope.org);
            return CommandOutcome::Rejected(Rejection::of_field(Reason::UnknownOrg, "orgId", detail));
        };
        if let Some(refusal) = plan_refusal(engine.catalogue, &terms.rate_plan, terms.currency) {
            let rejection = Rejection::of_field(Reason::Refused, "ratePlan", refusal.detail());
            return CommandOutcome::Rejected(rejection);
        }
        self.open(
            &envelope.org,
            terms,
            arrival,
            Cause::Command(&envelope.command_id, envelope.actor.as_deref()),
            outputs,
        );
        CommandOutcome::Applied
    }

    fn obey(
        &mut self,
        engine: &Engine<'_>,
        slot: Slot,
        arrival: Timestamp,
        envelope: &Envelope,
        outputs: &mut Outputs,
    ) -> CommandOutcome {
        if let Err(rejection) = self.check_leap(engine, slot, arrival, "at") {
            return CommandOutcome::Rejected(rejection);
        }
        let account = self.accounts.get(slot);
        let refusal = match &envelope.command {
            Command::SetRatePlan { rate_plan } if !account.is_closed() => {
                plan_refusal(engine.catalogue, rate_plan, account.currency())
            }
            _ => None,
        };
        let input = match refusal {
            Some(refusal) => Input::Refused(&envelope.command, refusal),
            None => Input::Command(&envelope.command),
        };
        self.apply_whole(engine, slot, arrival, input);
        let cause = Cause::Command(&envelope.command_id, envelope.actor.as_deref());
        let mut refused = false;
        for occurrence in &self.effects.occurrences {
            refused |= !occurrence.due && matches!(occurrence.event, Event::CommandRefused { .. });
            event::write(&mut outputs.events, &envelope.org, occurrence, cause);
        }
        if refused { CommandOutcome::Refused } else { CommandOutcome::Applied }
    }
}

/// Why an account of `currency` cannot be sold `rate_plan`.
fn plan_refusal(catalogue: &Catalogue, rate_plan: &Arc<str>, currency: Currency) -> Option<Refusal> {
    match catalogue.plan(rate_plan) {
        None => Some(Refusal::UnknownRatePlan),
        Some(plan) if catalogue.plan_currency(plan) != currency => Some(Refusal::CurrencyMismatch),
        Some(_) => None,
    }
}
