//! An answer that the log is to be told: the command that settles an attempt.

use drawdown_units::Timestamp;
use drawdown_wire::command::settle::{self, Settle};

use super::{Answer, Charge, Outcome};

/// A charge with its answer.
pub struct Answered {
    charge: Charge,
    answer: Answer,
}

impl Answered {
    /// What was paid is what was asked for, unless the gateway says otherwise.
    pub fn new(charge: &Charge, answer: Answer) -> Self {
        let is_paid = answer.outcome == Outcome::Succeeded;
        let amount = is_paid.then_some(answer.amount.unwrap_or(charge.amount));
        Answered { charge: charge.clone(), answer: Answer { amount, ..answer } }
    }

    /// The charge's key.
    pub fn key(&self) -> &str {
        &self.charge.key
    }

    /// Whose account.
    pub fn org(&self) -> &str {
        &self.charge.org
    }

    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        self.answer.outcome
    }

    /// The command, given at `at`; its id is the same whenever it is given.
    pub fn command(&self, at: Timestamp) -> Vec<u8> {
        let mut command = Vec::new();
        let settle = Settle {
            org: &self.charge.org,
            recharge: &self.charge.recharge,
            attempt: self.charge.attempt,
            outcome: self.answer.outcome,
            reason: self.answer.reason.as_deref(),
            amount: self.answer.amount,
            processed: self.answer.processed.unwrap_or(at),
            at,
        };
        settle::write(&mut command, &settle);
        command
    }
}
