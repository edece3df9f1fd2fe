//! One process on a simulated cluster: a consumer that is a member of the group, and a transactional producer.
//!
//! It goes by the protocol that a client of the real thing has to keep: whatever partition is written to, a position of it
//! is sent, and before the end is asked for everything is; the generation goes with the positions, and what is read back is read up to the high watermark as it stands
//! once the positions are stable. Calls that break the order of the trait are bugs, and panic.

mod consume;
mod restore;
mod transact;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::time::Duration;

use drawdown_units::Timestamp;

use super::SimCluster;
use super::cluster::State;
use super::faults::{Call, Fate};
use super::group::{MemberId, Standing};
use super::stream::Message;
use super::topics::{StreamId, Topic};
use crate::log::{Batch, Change, Input, Log, LogError, Output, Position, Progress, Room, Saved};
use restore::Restoring;

/// How long a call takes, at most, besides what it waits for.
const CALL_MAX: Duration = Duration::from_micros(300);
/// The same of an append, which only queues: a leap over years of unanswered requests appends tens of thousands at once.
const APPEND_MAX: Duration = Duration::from_micros(5);

/// The log of one process.
#[derive(Debug)]
pub struct SimLog {
    cluster: SimCluster,
    /// Its ordinal, by which its producer is known.
    process: u64,
    epoch: u32,
    member: MemberId,
    generation: u32,
    owned: Vec<u32>,
    /// Where each input of each restored partition is read on.
    reading: BTreeMap<(Input, u32), u64>,
    restoring: Option<Restoring>,
    transaction: Transaction,
    /// Appended, and not sent yet.
    unsent: VecDeque<(StreamId, Message)>,
    /// The partitions that the transaction writes to.
    written: BTreeSet<u32>,
    /// The positions that go with it.
    sent: Vec<Position>,
    /// What this process knows to be committed of the partitions that it restored.
    committed: BTreeMap<(Input, u32), u64>,
    is_dead: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    InFlight {
        number: u64,
        fate: Fate,
    },
    /// Nothing but aborting it is left.
    Void,
}

/// Dies before or after the effect of a call, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doom {
    None,
    After,
}

impl SimLog {
    /// Starts the process `ordinal`: whatever ran under that ordinal before is shut out, and its transaction ended.
    pub fn start(cluster: &SimCluster, ordinal: u32) -> SimLog {
        let process = u64::from(ordinal);
        let (epoch, member) = cluster.with(|state| {
            let epoch = state.producers.bump(process);
            state.end(process, None, false);
            state.finish(process);
            state.note(process, Call::Start, "");
            (epoch, state.group.enter(state.elapsed))
        });
        SimLog {
            cluster: cluster.clone(),
            process,
            epoch,
            member,
            generation: 0,
            owned: Vec::new(),
            reading: BTreeMap::new(),
            restoring: None,
            transaction: Transaction::None,
            unsent: VecDeque::new(),
            written: BTreeSet::new(),
            sent: Vec::new(),
            committed: BTreeMap::new(),
            is_dead: false,
        }
    }

    /// Leaves the group in good order, as a process that is told to stop does.
    pub fn leave(self) {
        if !self.is_dead {
            self.cluster.with(|state| {
                state.group.leave(self.member, state.elapsed);
                state.note(self.process, Call::Leave, "");
            });
        }
    }

    /// What the process owns.
    pub fn owned(&self) -> &[u32] {
        &self.owned
    }

    /// A call: the process may die at either end of it, or stand still before it.
    fn call<T>(
        &mut self,
        call: Call,
        effect: impl FnOnce(&mut Self, &mut State) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let doom = self.enter(call)?;
        let cluster = self.cluster.clone();
        let result = cluster.with(|state| effect(self, state));
        let result = if doom == Doom::After { Err(LogError::Fatal(format!("died after {call:?}"))) } else { result };
        self.is_dead |= matches!(result, Err(LogError::Fatal(_)));
        let outcome = match &result {
            Ok(_) => "",
            Err(LogError::Abort(_)) => "void",
            Err(LogError::Fatal(_)) => "fatal",
        };
        cluster.with(|state| state.note(self.process, call, outcome));
        result
    }

    fn enter(&mut self, call: Call) -> Result<Doom, LogError> {
        if self.is_dead {
            return Err(LogError::Fatal(format!("{call:?} of a process that is dead")));
        }
        let pause = self.cluster.with(|state| {
            let faults = state.settings.faults;
            state.random.chance(faults.pause_per_mille).then(|| state.random.duration(faults.pause_max))
        });
        if let Some(pause) = pause {
            self.cluster.pass(pause);
        }
        self.cluster.with(|state| {
            let step = state.random.duration(if call == Call::Append { APPEND_MAX } else { CALL_MAX });
            state.advance(step);
            state.group.heartbeat(self.member, state.elapsed);
            if !state.random.chance(state.settings.faults.crash_per_mille) {
                return Ok(Doom::None);
            }
            if state.random.chance(500) {
                return Ok(Doom::After);
            }
            self.is_dead = true;
            state.note(self.process, call, "dead");
            Err(LogError::Fatal(format!("died before {call:?}")))
        })
    }

    fn stand(&mut self, state: &mut State, changes: &mut Vec<Change>) {
        match state.group.standing(self.member) {
            Standing::Unknown => {
                let lost = self.disown();
                changes.extend((!lost.is_empty()).then_some(Change::Lost(lost)));
                self.member = state.group.enter(state.elapsed);
            }
            Standing::MustJoin => {
                let revoked = self.disown();
                changes.extend((!revoked.is_empty()).then_some(Change::Revoked(revoked)));
                state.group.join(self.member);
            }
            Standing::Member { generation, assigned } if generation != self.generation => {
                self.generation = generation;
                self.owned.clone_from(&assigned);
                changes.extend((!assigned.is_empty()).then_some(Change::Assigned(assigned)));
            }
            Standing::Waits | Standing::Member { .. } => {}
        }
    }

    fn disown(&mut self) -> Vec<u32> {
        self.reading.clear();
        self.committed.clear();
        self.restoring = None;
        std::mem::take(&mut self.owned)
    }
}

impl Log for SimLog {
    fn turn(&mut self, changes: &mut Vec<Change>) -> Result<(), LogError> {
        assert_eq!(self.transaction, Transaction::None, "bug: ownership was let change within a transaction");
        self.call(Call::Turn, |log, state| {
            log.stand(state, changes);
            Ok(())
        })
    }

    fn poll(&mut self, batch: &mut Batch, room: Room) -> Result<(), LogError> {
        self.call(Call::Poll, |log, state| {
            log.consume(state, batch, room);
            Ok(())
        })
    }

    fn begin(&mut self) -> Result<(), LogError> {
        assert_eq!(self.transaction, Transaction::None, "bug: the transaction before was not ended");
        self.call(Call::Begin, |log, state| log.open(state))
    }

    fn append(&mut self, output: Output, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        assert_eq!(self.transaction, Transaction::Open, "bug: appended outside a transaction");
        assert!(self.owned.contains(&partition), "bug: appended to a partition of someone else");
        self.call(Call::Append, |log, state| {
            let key = (!key.is_empty()).then(|| key.into());
            let message = Message { arrival: state.now, key, value: value.into() };
            log.add(state, (Topic::Out(output), partition), message)
        })
    }

    fn commit(&mut self, positions: &[Position]) -> Result<(), LogError> {
        assert_eq!(self.transaction, Transaction::Open, "bug: committed what is not open");
        for position in positions {
            assert!(self.owned.contains(&position.partition), "bug: a position of someone else's partition");
        }
        self.call(Call::Commit, |log, state| log.commit_all(state, positions))
    }

    fn settle(&mut self) -> Result<(), LogError> {
        if matches!(self.transaction, Transaction::InFlight { .. }) && !self.is_dead {
            // While it waits the others go on.
            let wait = self.cluster.with(|state| state.random.duration(state.settings.faults.commit_max));
            self.cluster.pass(wait);
        }
        self.call(Call::Settle, |log, state| log.await_outcome(state))
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.call(Call::Abort, |log, state| log.give_up(state))
    }

    fn begin_restore(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        for partition in partitions {
            assert!(self.owned.contains(partition), "bug: restores a partition of someone else");
        }
        self.call(Call::BeginRestore, |log, _| {
            log.restoring = Some(Restoring::new(partitions));
            Ok(())
        })
    }

    fn restore(&mut self, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, LogError> {
        // Who is told may want to ask the cluster something.
        let mut read = Vec::new();
        let progress = self.call(Call::Restore, |log, state| Ok(log.restore_some(state, &mut read)))?;
        for (output, partition, key, value) in &read {
            each(Saved { output: *output, partition: *partition, key, value });
        }
        Ok(progress)
    }

    fn read_debits(
        &mut self,
        partition: u32,
        from: Timestamp,
        each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let debits = self.call(Call::ReadDebits, |log, state| {
            log.await_debits(state, partition)?;
            let debits = state.topics.get(Topic::Out(Output::Debits), partition).readable(0);
            let late = debits.filter(|(_, debit)| debit.arrival >= from);
            Ok(late.map(|(_, debit)| debit.value.clone()).collect::<Vec<_>>())
        })?;
        let _ = debits.iter().try_for_each(|debit| each(debit));
        Ok(())
    }

    fn lag(&mut self, partition: u32) -> u64 {
        self.cluster.with(|state| {
            let from = |input| self.reading.get(&(input, partition)).copied().unwrap_or(0);
            Input::ALL.into_iter().map(|input| state.readable_count(input, partition, from(input))).sum()
        })
    }

    fn now(&self) -> Timestamp {
        self.cluster.with(|state| state.now)
    }

    fn elapsed(&self) -> Duration {
        self.cluster.with(|state| state.elapsed)
    }
}
