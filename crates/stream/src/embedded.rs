//! The log in one directory, for one machine and no Kafka: a database, and a spool into which files are dropped.
//!
//! Invariant: one transaction of the log is one transaction of the database, synced before it is said to be committed;
//! it holds the outputs, the state, the positions, and how far into which file of the spool they reach. Whenever the
//! process is killed, what was committed is there whole, and reading goes on at the record after it.
//!
//! One process writes, held to that by a lock; any number may read beside it ([`Reader`]). There is one partition: a
//! machine that needs more than one thread's worth of rating needs Kafka.

mod block;
pub mod decks;
mod follower;
mod inbox;
mod lock;
mod reader;
mod restore;
mod spool;
mod store;
mod transaction;
mod writer;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use drawdown_engine::log::{Batch, Change, Log, LogError, Output, Position, Progress, Room, Saved};
use drawdown_units::Timestamp;
use drawdown_wire::source::Profile;

pub use follower::{FollowError, Follower};
pub use inbox::SpoolInbox;
pub use reader::{Cursor, Message, NoCursor, Reader};
pub use spool::{DECKS, PlaceError, ReadProfile, SPOOL, keyed, place, spooled};
pub use store::StoreError;

use lock::{Lock, WRITABLE};
pub use restore::PARTITION;
use restore::Restoring;
use spool::{Profiles, Reading, Spool};
use store::Store;
use transaction::Transaction;
use writer::Writer;

/// How often the spool is looked at while nothing is there.
const IDLE_WAIT: Duration = Duration::from_millis(10);

/// How long blocks of messages are kept, by when they were committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days for which it is kept which identities were claimed: more than the de-duplication window.
    pub seen_days: u32,
    /// Days for which debits, events and rejects are kept; for ever if none are given.
    pub messages_days: Option<u32>,
}

impl Retention {
    fn days(&self, output: Output) -> Option<u32> {
        match output {
            Output::Seen => Some(self.seen_days),
            Output::Debits | Output::Events | Output::Rejects => self.messages_days,
            // Have no blocks.
            Output::Accounts => None,
        }
    }
}

/// Settings of an embedded log.
#[derive(Debug, Clone)]
pub struct EmbeddedSettings {
    /// Where everything is; made if it is not there.
    pub directory: PathBuf,
    /// How long messages are kept.
    pub retention: Retention,
    /// The source profile of files whose sidecar names none.
    pub source: String,
    /// The organisation of records that name none, where the sidecar does not say.
    pub org: Option<String>,
    /// What finds a source profile by its name.
    pub read_profile: ReadProfile,
}

impl EmbeddedSettings {
    /// Native records, identities kept for eight days (a window of seven), messages for ever.
    pub fn new(directory: &Path) -> Self {
        EmbeddedSettings {
            directory: directory.to_owned(),
            retention: Retention { seen_days: 8, messages_days: None },
            source: spool::NATIVE.to_owned(),
            org: None,
            read_profile: Profile::named,
        }
    }
}

/// A log in a directory.
pub struct EmbeddedLog {
    // Closed in this order: the reader first, so that the writer, as the last, puts all into the one file; then the lock.
    reader: Reader,
    writer: Writer,
    spool: Spool,
    /// The transaction that is open, or the memory for the next.
    transaction: Box<Transaction>,
    state: State,
    is_assigned: bool,
    /// `None` until it is asked for.
    restoring: Option<Restoring>,
    opened: Instant,
    _lock: Lock,
}

/// What is going on with the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Open,
    InFlight,
}

impl EmbeddedLog {
    /// Opens the log of a directory, where it was left.
    ///
    /// # Errors
    /// [`LogError::Fatal`]: the directory cannot be made or written to, another process has it, or its store is none of
    /// ours; the message says which and what to do.
    pub fn open(settings: &EmbeddedSettings) -> Result<Self, LogError> {
        let directory = &settings.directory;
        let unusable = |path: PathBuf, source| {
            LogError::from(StoreError::Directory { path, what: "cannot be made", source, mend: WRITABLE })
        };
        std::fs::create_dir_all(directory).map_err(|error| unusable(directory.clone(), error))?;
        let lock = Lock::take(directory)?;
        Spool::create(directory).map_err(|(path, error)| unusable(path, error))?;
        let store = Store::open(directory)?;
        let rows = spool::FileRow::all(&store.connection).map_err(|error| store.fault("read the store", error))?;
        let reader = Reader::open(directory)?;
        let mut committed = [0; 2];
        for position in reader.positions()? {
            committed[spool::index(position.input)] = position.next;
        }
        let default = Reading { source: Some(settings.source.clone()), org: settings.org.clone() };
        let profiles = Profiles { read: settings.read_profile, default };
        Ok(EmbeddedLog {
            spool: Spool::open(directory, profiles, rows, committed)?,
            writer: Writer::start(store, settings.retention)?,
            reader,
            transaction: Box::default(),
            state: State::Idle,
            is_assigned: false,
            restoring: None,
            opened: Instant::now(),
            _lock: lock,
        })
    }

    /// Hands the transaction to the thread that writes.
    fn submit(&mut self) -> Result<(), LogError> {
        self.transaction.logged_ms = self.now().milliseconds();
        self.spool.record(&mut self.transaction);
        self.writer.submit(std::mem::take(&mut self.transaction))?;
        self.state = State::InFlight;
        Ok(())
    }
}

impl Log for EmbeddedLog {
    fn turn(&mut self, changes: &mut Vec<Change>) -> Result<(), LogError> {
        if !self.is_assigned {
            self.is_assigned = true;
            changes.push(Change::Assigned(vec![PARTITION]));
        }
        if self.state == State::Idle && self.spool.has_ended_files() {
            self.submit()?;
            self.settle()?;
        }
        Ok(())
    }

    fn poll(&mut self, batch: &mut Batch, room: Room) -> Result<(), LogError> {
        let started = Instant::now();
        let count = batch.count();
        loop {
            if self.restoring.as_ref().is_some_and(Restoring::is_done) {
                self.spool.poll(batch, room)?;
            }
            let left = room.wait.saturating_sub(started.elapsed());
            let is_full = batch.count() >= room.records_max || batch.size_bytes() >= room.bytes_max;
            if batch.count() > count || is_full || left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(IDLE_WAIT));
        }
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.settle()?;
        self.state = State::Open;
        Ok(())
    }

    fn append(&mut self, output: Output, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        self.transaction.append(output, partition, key, value);
        Ok(())
    }

    fn commit(&mut self, positions: &[Position]) -> Result<(), LogError> {
        self.transaction.positions.extend_from_slice(positions);
        self.submit()
    }

    fn settle(&mut self) -> Result<(), LogError> {
        if self.state != State::InFlight {
            return Ok(());
        }
        let written = self.writer.wait()?;
        self.transaction = written;
        self.transaction.clear();
        self.state = State::Idle;
        self.spool.committed()
    }

    fn abort(&mut self) -> Result<(), LogError> {
        // What was handed over is written; what was not never will be.
        self.settle()?;
        self.transaction.clear();
        self.state = State::Idle;
        Ok(())
    }

    fn begin_restore(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.restoring = Some(match partitions.contains(&PARTITION) {
            true => Restoring::begin(&self.reader)?,
            false => Restoring::nothing(),
        });
        Ok(())
    }

    fn restore(&mut self, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, LogError> {
        match &mut self.restoring {
            Some(restoring) => Ok(restoring.go_on(&mut self.reader, each)?),
            None => Ok(Progress::default()),
        }
    }

    fn read_debits(
        &mut self,
        partition: u32,
        from: Timestamp,
        each: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let cursor = self.reader.since(Output::Debits, partition, from.milliseconds())?;
        self.reader.messages(Output::Debits, cursor, &mut |message| each(message.value))?;
        Ok(())
    }

    fn lag(&mut self, _partition: u32) -> u64 {
        // A spool that cannot be read is told by the next poll; until then nothing may be taken for idle.
        self.spool.lag().unwrap_or(1)
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }
}

/// The time of day.
fn now() -> Timestamp {
    // A clock before 1970 is a broken one, and 1970 as good as any time that it shows.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs() as i64, since.subsec_nanos())
}
