//! The exactly-once loop of one worker: poll, rate, append, commit, over and over, on any [`Log`].
//!
//! Invariants: memory never runs ahead of the log by more than the batch in flight and the one being rated, both of
//! which are retained and can be undone; views are published only after the commit they follow from; ownership
//! changes only where nothing is appended that is not committed, so that giving up a partition is forgetting it.
//!
//! While a commit is in flight the next batch is decoded and rated: half of a transaction's time is waiting. It never
//! reads a clock: the log tells the time.

mod decode;
mod messages;
mod observer;
mod rated;
mod read_back;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use drawdown_units::Timestamp;
use drawdown_wire::account;

use crate::log::{Batch, Change, Log, LogError, Output, Progress, Room, Saved};
use crate::partition::{Engine, Partition};

pub use decode::{Profiles, Sources};
pub use messages::Messages;
pub use observer::{Answer, Committed, Debits, Observer, Silent};

use rated::{Earlier, Rated};
use read_back::Recent;

/// The figures of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The most records in one transaction.
    pub records_max: usize,
    /// The most bytes of input in one transaction, but for its last record.
    pub bytes_max: usize,
    /// How long a transaction may wait for more.
    pub interval: Duration,
    /// What moves time where no records come.
    pub time: TimeSource,
    /// How far ahead of the log's clock an arrival may be, in seconds: what says that it arrived later has a broken clock, and
    /// is put aside. `None` for records of another time than the log's.
    pub ahead_max_s: Option<i64>,
}

/// What lets time go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeSource {
    /// The time of day, `delay_s` behind, once every `interval` at most, wherever every record was read. The delay
    /// lets in what is on its way, so that it is not handled after dues that it came before.
    Clock {
        /// How far behind, in seconds.
        delay_s: i64,
        /// How often.
        interval: Duration,
    },
    /// Records and commands alone: for replaying history.
    Records,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            records_max: 10_000,
            bytes_max: 32 << 20,
            interval: Duration::from_millis(50),
            time: TimeSource::Clock { delay_s: 5, interval: Duration::from_secs(1) },
            ahead_max_s: Some(AHEAD_MAX_S),
        }
    }
}

/// How far ahead of the log's clock an arrival may be, unless said otherwise, in seconds: clocks of machines differ, and
/// zones are mistaken.
pub const AHEAD_MAX_S: i64 = 86_400;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It owns nothing.
    Unassigned,
    /// It reads back what was committed before.
    Restoring(Progress),
    /// It rates; how many records this step took.
    Rating(usize),
}

/// One worker.
#[derive(Debug)]
pub struct Worker<L, O> {
    log: L,
    observer: O,
    settings: Settings,
    sources: Sources,
    partitions: BTreeMap<u32, Partition>,
    is_restoring: bool,
    /// Polled, not rated yet.
    gathered: Batch,
    /// When the first of it may have come.
    gathered_since: Option<Duration>,
    /// To be rated again after an abort, oldest first.
    replay: VecDeque<(Batch, Option<Timestamp>)>,
    /// Rated in memory, nothing of it appended.
    rated: Option<Rated>,
    /// Appended, its commit begun.
    in_flight: Option<Rated>,
    /// Emptied ones, for their memory.
    spare: Vec<Rated>,
    /// Debits that were read back lately.
    recent: Recent,
    last_tick: Duration,
    changes: Vec<Change>,
    lags: Vec<(u32, u64)>,
}

impl<L: Log, O: Observer> Worker<L, O> {
    /// A worker that owns nothing yet.
    pub fn new(log: L, observer: O, settings: Settings, sources: Sources) -> Self {
        let last_tick = log.elapsed();
        Worker {
            log,
            observer,
            settings,
            sources,
            partitions: BTreeMap::new(),
            is_restoring: false,
            gathered: Batch::default(),
            gathered_since: None,
            replay: VecDeque::new(),
            rated: None,
            in_flight: None,
            spare: Vec::new(),
            recent: Recent::default(),
            last_tick,
            changes: Vec::new(),
            lags: Vec::new(),
        }
    }

    /// One round of the loop. Returns after one batch or one interval at most.
    ///
    /// # Errors
    /// What only a new worker on a new log can mend.
    pub fn step(&mut self, engine: &Engine<'_>) -> Result<Step, LogError> {
        let outcome = match self.advance(engine) {
            Err(LogError::Abort(why)) => self.recover(&why).map(|()| Step::Rating(0)),
            other => other,
        };
        if outcome.is_err() {
            self.give_back();
        }
        outcome
    }

    /// Ends in good order: what is in flight is waited for, what is to be kept beside the accounts is kept, what was only
    /// rated is left to whoever comes next.
    ///
    /// # Errors
    /// What the log says; whatever was committed stays.
    pub fn stop(mut self) -> Result<(L, O), LogError> {
        match self.settle().and_then(|()| self.keep_last()) {
            Ok(()) => {}
            Err(LogError::Abort(_)) => self.log.abort()?,
            Err(fatal) => return Err(fatal),
        }
        self.drop_partitions();
        Ok((self.log, self.observer))
    }

    fn keep_last(&mut self) -> Result<(), LogError> {
        if self.is_restoring || self.rated.is_some() {
            return Ok(());
        }
        let mut last = Rated::default();
        last.keep(self.partitions.keys().copied(), &mut self.observer);
        if !last.is_empty() {
            self.rated = Some(last);
            self.send()?;
        }
        self.settle()
    }

    fn advance(&mut self, engine: &Engine<'_>) -> Result<Step, LogError> {
        if self.is_restoring {
            return self.restore(engine);
        }
        if !self.partitions.is_empty() {
            self.gather()?;
            self.rate(engine)?;
        }
        self.settle()?;
        if self.turn()? {
            return Ok(if self.is_restoring { Step::Restoring(Progress::default()) } else { Step::Unassigned });
        }
        if self.partitions.is_empty() {
            // Nothing to read, so nothing to wait in: a poll waits for the group's decision.
            let room = self.room(self.settings.interval);
            self.log.poll(&mut self.gathered, room)?;
            return Ok(Step::Unassigned);
        }
        let records = self.rated.as_ref().map_or(0, |rated| rated.batch.count());
        if self.rated.is_some() {
            self.send()?;
        }
        Ok(Step::Rating(records))
    }

    /// Polls until a batch is full or its time is up.
    fn gather(&mut self) -> Result<(), LogError> {
        if !self.replay.is_empty() {
            return Ok(());
        }
        let now = self.log.elapsed();
        let since = *self.gathered_since.get_or_insert(now);
        let left = self.settings.interval.saturating_sub(now.saturating_sub(since));
        let room = self.room(left);
        self.log.poll(&mut self.gathered, room)?;
        if self.gathered.is_empty() {
            self.gathered_since = None;
        }
        Ok(())
    }

    fn room(&self, wait: Duration) -> Room {
        Room { records_max: self.settings.records_max, bytes_max: self.settings.bytes_max, wait }
    }

    fn is_ripe(&self) -> bool {
        let age = self.gathered_since.map(|since| self.log.elapsed().saturating_sub(since));
        self.gathered.count() >= self.settings.records_max
            || self.gathered.size_bytes() >= self.settings.bytes_max
            || age.is_some_and(|age| age >= self.settings.interval)
    }

    /// Rates the next batch in memory, if one is ripe or time has something to do.
    fn rate(&mut self, engine: &Engine<'_>) -> Result<(), LogError> {
        assert!(self.rated.is_none(), "invariant: a rated batch is sent before the next is rated");
        let (batch, ticks) = match self.replay.pop_front() {
            Some(again) => again,
            None => {
                let is_ripe = self.is_ripe();
                let ticks = self.tick();
                let is_idle = self.gathered.is_empty();
                if !is_ripe && ticks.is_none() && !(is_idle && self.observer.has_unkept()) {
                    return Ok(());
                }
                self.gathered_since = None;
                let spare = self.spare.last_mut().map(|spare| std::mem::take(&mut spare.batch)).unwrap_or_default();
                (std::mem::replace(&mut self.gathered, spare), ticks)
            }
        };
        let mut rated = self.spare.pop().unwrap_or_default();
        rated.batch = batch;
        rated.clock = self.settings.ahead_max_s.map(|ahead_max_s| (self.log.now(), ahead_max_s));
        rated.tick = ticks;
        let earlier = Earlier { log: &mut self.log, in_flight: self.in_flight.as_ref(), recent: &mut self.recent };
        let outcome = rated.rate(&mut self.partitions, engine, &mut self.sources, earlier);
        // Half a batch was rated, and is not kept: only a new worker can go on.
        outcome.map_err(|error| LogError::Fatal(error.to_string()))?;
        rated.keep(self.partitions.keys().copied(), &mut self.observer);
        if rated.is_empty() {
            // Nothing was due, and nothing came.
            rated.clear();
            self.spare.push(rated);
        } else {
            self.rated = Some(rated);
        }
        Ok(())
    }

    /// The time to tell the partitions, if it is time for that and something is due.
    fn tick(&mut self) -> Option<Timestamp> {
        let TimeSource::Clock { delay_s, interval } = self.settings.time else {
            return None;
        };
        let now = self.log.elapsed();
        if now.saturating_sub(self.last_tick) < interval {
            return None;
        }
        let until = self.log.now().plus_seconds(-delay_s);
        // What waits to be read was there first: time stands still until it is.
        let caught_up = self.partitions.keys().all(|partition| self.log.lag(*partition) == 0);
        let is_due = self.partitions.values().any(|partition| partition.first_due().is_some_and(|due| due <= until));
        if !caught_up {
            return None;
        }
        self.last_tick = now;
        is_due.then_some(until)
    }

    /// Appends what was rated, and begins its commit.
    fn send(&mut self) -> Result<(), LogError> {
        let rated = self.rated.as_mut().expect("invariant: only a rated batch is sent");
        rated.began = self.log.elapsed();
        self.log.begin()?;
        rated.append(&mut self.log)?;
        self.log.commit(rated.batch.positions())?;
        self.partitions.values_mut().for_each(Partition::seal);
        self.in_flight = self.rated.take();
        Ok(())
    }

    /// Waits for the commit in flight, if there is one, and publishes what it made final.
    fn settle(&mut self) -> Result<(), LogError> {
        if self.in_flight.is_none() {
            return Ok(());
        }
        self.log.settle()?;
        self.partitions.values_mut().for_each(Partition::settle);
        let mut rated = self.in_flight.take().expect("invariant: it was there a moment ago");
        let dedup_size_bytes = self.partitions.values().map(Partition::dedup_size_bytes).sum();
        let account_count = self.partitions.values().map(Partition::account_count).sum();
        let took = self.log.elapsed().saturating_sub(rated.began);
        self.lags.clear();
        self.lags.extend(self.partitions.keys().map(|partition| (*partition, self.log.lag(*partition))));
        self.observer.committed(&rated.committed(took, &self.lags, account_count, dedup_size_bytes));
        rated.clear();
        self.spare.push(rated);
        Ok(())
    }

    /// Lets ownership change; whether it did. What was rated or gathered is then forgotten: it was not appended, so
    /// whoever owns its partition next reads it again.
    fn turn(&mut self) -> Result<bool, LogError> {
        let mut changes = std::mem::take(&mut self.changes);
        self.log.turn(&mut changes)?;
        if changes.is_empty() {
            self.changes = changes;
            return Ok(false);
        }
        self.drop_partitions();
        let mut owned = Vec::new();
        for change in changes.drain(..) {
            self.observer.changed(&change);
            match change {
                Change::Assigned(partitions) => owned = partitions,
                Change::Revoked(_) | Change::Lost(_) => owned.clear(),
            }
        }
        self.changes = changes;
        self.partitions = owned.iter().map(|partition| (*partition, Partition::default())).collect();
        self.is_restoring = !owned.is_empty();
        if self.is_restoring {
            self.log.begin_restore(&owned)?;
        }
        Ok(true)
    }

    fn drop_partitions(&mut self) {
        self.give_back();
        let partitions: Vec<u32> = std::mem::take(&mut self.partitions).into_keys().collect();
        self.observer.dropped(&partitions);
        self.recent.clear();
        self.gathered.clear();
        self.gathered_since = None;
        self.replay.clear();
        self.is_restoring = false;
    }

    /// Forgets what is not known to be final, and what was to be kept with it.
    fn give_back(&mut self) {
        for rated in [self.rated.take(), self.in_flight.take()].into_iter().flatten() {
            rated.give_back(&mut self.observer);
        }
    }

    fn restore(&mut self, engine: &Engine<'_>) -> Result<Step, LogError> {
        if self.turn()? {
            return Ok(Step::Restoring(Progress::default()));
        }
        let mut broken = None;
        let (partitions, observer) = (&mut self.partitions, &mut self.observer);
        let progress = self.log.restore(&mut |saved| {
            if broken.is_none()
                && let Err(why) = take_over(partitions, observer, engine, saved)
            {
                broken = Some(why);
            }
        })?;
        if let Some(why) = broken {
            return Err(LogError::Fatal(why));
        }
        self.observer.restoring(progress);
        if progress.is_done {
            self.partitions.values_mut().for_each(|partition| partition.end_restore(engine.rules));
            self.is_restoring = false;
            self.last_tick = self.log.elapsed();
            self.observer.restored(self.partitions.iter().map(|(number, partition)| (*number, partition)));
        }
        Ok(Step::Restoring(progress))
    }

    /// Nothing of the transaction will be seen: memory goes back to the last commit, and the batches come again.
    fn recover(&mut self, why: &str) -> Result<(), LogError> {
        self.observer.aborted(why);
        self.log.abort()?;
        self.partitions.values_mut().for_each(Partition::roll_back);
        let later = self.replay.drain(..).collect::<Vec<_>>();
        for mut rated in [self.in_flight.take(), self.rated.take()].into_iter().flatten() {
            self.replay.push_back((std::mem::take(&mut rated.batch), rated.tick));
            rated.give_back(&mut self.observer);
            rated.clear();
            self.spare.push(rated);
        }
        self.replay.extend(later);
        self.turn()?;
        Ok(())
    }

    /// The partitions it owns.
    pub fn partitions(&self) -> &BTreeMap<u32, Partition> {
        &self.partitions
    }

    /// What it runs on.
    pub fn log(&self) -> &L {
        &self.log
    }

    /// What it runs on.
    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    /// Who watches it.
    pub fn observer(&self) -> &O {
        &self.observer
    }
}

fn take_over<O: Observer>(
    partitions: &mut BTreeMap<u32, Partition>,
    observer: &mut O,
    engine: &Engine<'_>,
    saved: Saved<'_>,
) -> Result<(), String> {
    let number = saved.partition;
    let partition = partitions.get_mut(&number).expect("invariant: only owned partitions are restored");
    let taken = match saved.output {
        Output::Accounts if saved.value.is_empty() || account::is_call(saved.value) => {
            observer.kept(number, saved.key, saved.value);
            Ok(())
        }
        Output::Accounts if account::is_user(saved.value) => {
            partition.restore_user(saved.value).map(|key| observer.saved(number, &key, saved.value))
        }
        Output::Accounts => partition
            .restore_account(saved.value, engine.rules)
            .map(|org| observer.saved(number, org.as_bytes(), saved.value)),
        Output::Seen => partition.restore_seen(saved.value, &engine.limits),
        Output::Debits | Output::Events | Output::Rejects => Ok(()),
    };
    taken.map_err(|error| {
        format!("partition {number} cannot be restored from {}: {error}; nothing was rated", saved.output.name())
    })
}
