//! Deliberately broken: each of these must be caught by the simulation within a few worlds, or it proves nothing.

use std::ops::ControlFlow;
use std::time::Duration;

use drawdown_engine::log::{Batch, Change, Log, LogError, Output, Position, Progress, Room, Saved};
use drawdown_engine::sim::{Faults, Settings, SimLog};
use drawdown_units::Timestamp;

use crate::harness::Simulated;
use crate::play;

/// Within so many worlds.
const WORLDS: u64 = 150;

/// Some world must fail, in one of the ways that the flaw makes it fail.
#[track_caller]
fn assert_caught<L: Simulated>(tune: fn(&mut Settings), wrap: fn(SimLog) -> L, ways: &[&str]) {
    let is_caught = |seed| play(seed, tune, wrap).is_err_and(|why| ways.iter().any(|way| why.contains(way)));
    assert!((0..WORLDS).any(is_caught), "a broken engine must be noticed");
}

#[test]
fn positions_committed_before_outputs_are_noticed() {
    assert_caught(|_| {}, |log| Flawed::new(log, Flaw::PositionsFirst), &["neither debited nor rejected"]);
}

#[test]
fn views_published_before_the_commit_are_noticed() {
    assert_caught(|_| {}, |log| Flawed::new(log, Flaw::SettlesAtOnce), &["published a state"]);
}

#[test]
fn an_abort_without_undoing_is_noticed() {
    assert_caught(|_| {}, |log| Flawed::new(log, Flaw::UndoesNothing), &["seq is not"]);
}

#[test]
fn positions_of_a_stale_generation_are_noticed() {
    let tune = |settings: &mut Settings| {
        settings.checks_generation = false;
        (settings.faults.pause_per_mille, settings.faults.pause_max) = (15, Duration::from_secs(5));
    };
    assert_caught(tune, |log| log, &["twice", "seq is not"]);
}

#[test]
fn transactions_of_time_alone_that_are_not_fenced_are_noticed() {
    let tune = |settings: &mut Settings| {
        settings.fences_positions_only = true;
        settings.faults = Faults::default();
    };
    assert_caught(tune, |log| log, &["seq is not", "went back"]);
}

#[test]
fn writing_to_a_partition_without_a_position_of_it_is_noticed() {
    let tune = |settings: &mut Settings| {
        settings.holds_what_was_read_only = true;
        // It stands still with the transaction open, time enough for another to take over.
        settings.transaction = Duration::from_secs(60);
        settings.faults = Faults { late_per_mille: 1_000, commit_max: Duration::from_secs(6), ..Faults::default() };
    };
    assert_caught(tune, |log| log, &["seq is not", "went back"]);
}

#[test]
fn restoring_to_the_last_stable_offset_is_noticed() {
    let tune = |settings: &mut Settings| {
        settings.restores_to_last_stable = true;
        settings.faults.marker_max = Duration::from_secs(4);
    };
    assert_caught(tune, |log| log, &["twice", "seq is not", "expected"]);
}

#[test]
fn reading_on_from_positions_that_are_not_stable_is_noticed() {
    let tune = |settings: &mut Settings| {
        settings.takes_unstable_positions = true;
        settings.faults.marker_max = Duration::from_secs(4);
    };
    assert_caught(tune, |log| log, &["twice", "never came"]);
}

/// The wrapper itself changes nothing.
#[test]
fn without_a_flaw_nothing_is_noticed() {
    for seed in 0..WORLDS {
        play(seed, |_| {}, |log| Flawed::new(log, Flaw::None)).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    /// Commits the positions in a transaction of their own, and the outputs after it.
    PositionsFirst,
    /// Says that a commit is final before it is, so that what follows from it is published too early.
    SettlesAtOnce,
    /// Takes a commit that failed for one that did not, so that memory keeps what the transaction did, and hands its
    /// records out again: what a worker would do that aborts without undoing.
    UndoesNothing,
}

/// A log with a flaw.
#[derive(Debug)]
struct Flawed {
    log: SimLog,
    flaw: Flaw,
    /// Appended, and kept back.
    kept_back: Vec<(Output, u32, Vec<u8>, Vec<u8>)>,
    /// Whether a commit is in flight that was said to be final.
    owes: bool,
    /// What was polled, and is not committed yet.
    polled: Batch,
    /// To be polled again.
    again: Batch,
}

impl Flawed {
    fn new(log: SimLog, flaw: Flaw) -> Self {
        let (polled, again) = (Batch::default(), Batch::default());
        Flawed { log, flaw, kept_back: Vec::new(), owes: false, polled, again }
    }

    fn pay(&mut self) -> Result<(), LogError> {
        if std::mem::take(&mut self.owes) { self.log.settle() } else { Ok(()) }
    }

    /// Aborts after `outcome`, if that is what it asks for, and says that all is well.
    fn gloss_over(&mut self, outcome: Result<(), LogError>) -> Result<(), LogError> {
        if !matches!(outcome, Err(LogError::Abort(_))) || self.flaw != Flaw::UndoesNothing {
            return outcome;
        }
        self.log.abort()?;
        copy(&self.polled, &mut self.again);
        self.polled.clear();
        Ok(())
    }
}

fn copy(from: &Batch, to: &mut Batch) {
    (0..from.count()).for_each(|index| to.push(&from.record(index)));
}

impl Simulated for Flawed {
    fn leave(self) {
        self.log.leave();
    }
}

impl Log for Flawed {
    fn turn(&mut self, changes: &mut Vec<Change>) -> Result<(), LogError> {
        self.pay()?;
        self.log.turn(changes)?;
        if !changes.is_empty() {
            self.polled.clear();
            self.again.clear();
        }
        Ok(())
    }

    fn poll(&mut self, batch: &mut Batch, room: Room) -> Result<(), LogError> {
        copy(&self.again, batch);
        self.again.clear();
        self.log.poll(batch, room)?;
        if self.flaw == Flaw::UndoesNothing {
            self.polled.clear();
            copy(batch, &mut self.polled);
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.pay()?;
        self.kept_back.clear();
        self.log.begin()
    }

    fn append(&mut self, output: Output, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        if self.flaw != Flaw::PositionsFirst {
            return self.log.append(output, partition, key, value);
        }
        self.kept_back.push((output, partition, key.to_vec(), value.to_vec()));
        Ok(())
    }

    fn commit(&mut self, positions: &[Position]) -> Result<(), LogError> {
        if self.flaw != Flaw::PositionsFirst {
            self.owes = self.flaw == Flaw::SettlesAtOnce;
            let outcome = self.log.commit(positions);
            self.owes &= outcome.is_ok();
            return self.gloss_over(outcome);
        }
        self.log.commit(positions)?;
        self.log.settle()?;
        self.log.begin()?;
        for (output, partition, key, value) in std::mem::take(&mut self.kept_back) {
            self.log.append(output, partition, &key, &value)?;
        }
        self.log.commit(&[])
    }

    fn settle(&mut self) -> Result<(), LogError> {
        if self.owes {
            return Ok(());
        }
        let outcome = self.log.settle();
        self.gloss_over(outcome)
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.owes = false;
        self.log.abort()
    }

    fn begin_restore(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.log.begin_restore(partitions)
    }

    fn restore(&mut self, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, LogError> {
        self.log.restore(each)
    }

    fn read_debits(
        &mut self,
        partition: u32,
        from: Timestamp,
        each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        self.log.read_debits(partition, from, each)
    }

    fn lag(&mut self, partition: u32) -> u64 {
        self.log.lag(partition)
    }

    fn now(&self) -> Timestamp {
        self.log.now()
    }

    fn elapsed(&self) -> Duration {
        self.log.elapsed()
    }
}
