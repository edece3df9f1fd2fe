//! Who owns what: how a change that the group decided reaches the worker.
//!
//! Partitions go when the member is polled, and it is polled between transactions only. So there is nothing to commit in
//! the callback of a revocation: what was rated is committed, what was only polled is read again by the next owner. A
//! rebalance waits for that long, one transaction at most; a worker that takes longer than
//! [`KafkaSettings::turn_interval_max`](super::KafkaSettings) is put out of the group, and its commit refused.

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::time::Duration;

use drawdown_engine::log::{Change, Input, LogError};
use rdkafka::error::KafkaError;

use super::KafkaLog;
use super::heard::Turnover;
use super::restore::Restore;

/// How many events one turn takes at most: there are a handful in a rebalance.
const EVENTS_MAX: usize = 32;

/// How long a turn waits for the group's word after it refused a commit. Without it the same batch would be rated and
/// refused over and over.
const REFUSAL_PAUSE: Duration = Duration::from_millis(500);

impl KafkaLog {
    /// Polls the member, in which changes take effect.
    pub(super) fn take_turn(&mut self, changes: &mut Vec<Change>) -> Result<(), LogError> {
        assert!(self.transactions.is_idle(), "invariant: a turn is taken between transactions");
        self.probe.serve();
        let mut wait = if self.awaits_turnover { REFUSAL_PAUSE } else { Duration::ZERO };
        for _ in 0..EVENTS_MAX {
            let before = self.heard.count();
            match self.queue.consumer().poll(wait) {
                Some(Ok(_)) => return Err(LogError::Fatal("invariant: every partition is forwarded".to_owned())),
                Some(Err(error)) => self.tell_apart(error)?,
                None => {}
            }
            wait = Duration::ZERO;
            if self.heard.count() == before {
                break;
            }
        }
        for turnover in self.heard.take_turnovers() {
            self.turn_over(turnover, changes)?;
        }
        match self.heard.fatal() {
            Some(reason) => Err(LogError::Fatal(reason)),
            None => Ok(()),
        }
    }

    /// Errors of the group that do not pass by themselves.
    fn tell_apart(&self, error: KafkaError) -> Result<(), LogError> {
        use rdkafka::error::RDKafkaErrorCode as Code;
        let is_fatal = matches!(error, KafkaError::MessageConsumptionFatal(_))
            || matches!(
                error.rdkafka_error_code(),
                Some(
                    Code::GroupAuthorizationFailed
                        | Code::TopicAuthorizationFailed
                        | Code::UnknownTopicOrPartition
                        | Code::UnknownTopic
                        | Code::FencedInstanceId
                        | Code::InvalidSessionTimeout
                        | Code::InconsistentGroupProtocol
                )
            );
        if is_fatal {
            return Err(LogError::Fatal(format!("the group cannot be kept: {error}; {}", self.heard.words())));
        }
        Ok(())
    }

    fn turn_over(&mut self, turnover: Turnover, changes: &mut Vec<Change>) -> Result<(), LogError> {
        let was_refused = std::mem::take(&mut self.awaits_turnover);
        match turnover {
            Turnover::Refused(reason) => return Err(LogError::Fatal(format!("the group: {reason}"))),
            Turnover::Revoked { is_lost, generation } => {
                // A member that was late to hear of a rebalance is out of the group, whatever it was told before.
                let is_lost = is_lost || was_refused || generation != self.generation;
                // All of them: a rebalance by `range` takes everything and gives anew.
                self.queue.clear();
                self.cursors.clear();
                self.awaiting_commands.clear();
                self.restore = None;
                self.generation = -1;
                let partitions: Vec<_> = std::mem::take(&mut self.owned).into_iter().collect();
                if !partitions.is_empty() {
                    changes.push(if is_lost { Change::Lost(partitions) } else { Change::Revoked(partitions) });
                }
            }
            Turnover::Assigned { partitions, generation } => {
                self.owned = self.paired(&partitions)?;
                self.generation = generation;
                if !self.owned.is_empty() {
                    changes.push(Change::Assigned(self.owned.iter().copied().collect()));
                }
            }
        }
        Ok(())
    }

    /// The partitions, which must be the same of both inputs: else an organisation's commands and calls would be read by
    /// two workers.
    fn paired(&self, partitions: &[(String, i32)]) -> Result<BTreeSet<u32>, LogError> {
        let of = |input: Input| -> BTreeSet<u32> {
            let topic = self.settings.topic(input.name());
            let own = partitions.iter().filter(|(other, _)| *other == topic);
            own.filter_map(|(_, partition)| u32::try_from(*partition).ok()).collect()
        };
        let [commands, cdrs] = Input::ALL.map(of);
        if commands == cdrs {
            return Ok(cdrs);
        }
        Err(LogError::Fatal(format!(
            "the group gave this worker partitions {cdrs:?} of {} but {commands:?} of {}: both topics must have equally \
             many partitions, and every member of group {} must use the assignment strategy `range`",
            self.settings.topic(Input::Cdrs.name()),
            self.settings.topic(Input::Commands.name()),
            self.settings.group
        )))
    }

    /// Lets what was held of restored partitions come: commands at once, usage records once no command waits.
    pub(super) fn go_on_from(&mut self, restore: Restore) -> Result<(), LogError> {
        for cursor in restore.into_cursors() {
            self.cursors.insert(cursor);
            match cursor.input {
                Input::Commands => self.take_in(cursor.input, cursor.partition)?,
                Input::Cdrs => self.awaiting_commands.push(cursor.partition),
            }
        }
        Ok(())
    }

    /// After a pause both inputs have a backlog, and whichever broker answers first would decide whether a call meets the
    /// account that was opened for it an hour before. So the commands that wait are read before the calls that wait.
    pub(super) fn let_usage_in(&mut self) -> Result<(), LogError> {
        let mut index = 0;
        while let Some(partition) = self.awaiting_commands.get(index).copied() {
            if self.cursors.find(Input::Commands, partition).is_some_and(|cursor| !cursor.is_at_end) {
                index += 1;
            } else {
                self.take_in(Input::Cdrs, partition)?;
                self.awaiting_commands.swap_remove(index);
            }
        }
        Ok(())
    }

    fn take_in(&self, input: Input, partition: u32) -> Result<(), LogError> {
        let topic: &CStr = self.cursors.topic(input);
        if self.queue.take_in(topic, partition as i32) {
            return Ok(());
        }
        Err(LogError::Fatal(format!("{topic:?}/{partition} is not known")))
    }
}
