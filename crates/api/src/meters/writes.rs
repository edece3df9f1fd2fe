//! Counting commands that are given over HTTP.

use metrics::Counter;

use super::Telemetry;
use crate::names;

/// What a command was answered with: a place in [`names::ANSWERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Done.
    Done,
    /// On the log; what became of it is not known yet.
    Pending,
    /// Refused, in form or by the account.
    Refused,
    /// Not known to be on the log.
    Failed,
}

/// What writes are counted with.
pub struct WriteMeters {
    answers: [[Counter; names::ANSWERS.len()]; names::COMMAND_TYPES.len()],
    replays: [Counter; names::COMMAND_TYPES.len()],
}

impl WriteMeters {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let answers = |kind| names::ANSWERS.map(|answer| telemetry.counter(names::WRITES, &[kind, answer]));
        WriteMeters {
            answers: names::COMMAND_TYPES.map(answers),
            replays: names::COMMAND_TYPES.map(|kind| telemetry.counter(names::REPLAYS, &[kind])),
        }
    }

    /// A command of this type was answered.
    pub(crate) fn answered(&self, kind: &str, answer: Answered) {
        self.answers[place(kind)][answer as usize].increment(1);
    }

    /// A command of this type was given before, and its answer again.
    pub(crate) fn replayed(&self, kind: &str) {
        self.replays[place(kind)].increment(1);
    }
}

fn place(kind: &str) -> usize {
    let place = names::COMMAND_TYPES.iter().position(|held| *held == kind);
    place.expect("invariant: handlers give commands whose types are in the list")
}
