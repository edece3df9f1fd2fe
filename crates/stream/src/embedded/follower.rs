//! Following an output from where one left off, with the place kept in a small file beside the store.
//!
//! Invariant: the file is written whole or not at all, and lasts once it is said to be written; so after any crash what
//! follows was not let go of, and some of it may have been given before.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use drawdown_engine::log::Output;

use super::reader::{Cursor, NoCursor, Reader};
use super::store::StoreError;

/// The directory of places, in the directory of a log.
const CONNECTORS: &str = "connectors";
/// How many messages are read at once.
const MESSAGES_AT_ONCE: usize = 1024;
/// How many that wait are counted.
const COUNTED_MAX: u64 = 100_000;
/// How often the store is looked at while nothing is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Why an output cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The place cannot be read or kept.
    #[error("{}: {source}", path.display())]
    Place {
        /// The file that holds it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Follows an output of a store, as one of any number that do, each under a name of its own.
pub struct Follower {
    directory: PathBuf,
    path: PathBuf,
    output: Output,
    /// Opened once there is a store.
    reader: Option<Reader>,
    /// Read, and not given yet.
    waiting: VecDeque<Waiting>,
    /// Up to where it was given.
    given: Cursor,
    /// When the last that was given was committed.
    logged_ms: Option<i64>,
    is_caught_up: bool,
}

/// A message that was read.
struct Waiting {
    /// The place after it.
    next: Cursor,
    logged_ms: i64,
    value: Vec<u8>,
}

impl Follower {
    /// Goes on after what `name` let go of; from the oldest that is kept, the first time. The store need not be there yet.
    ///
    /// # Errors
    /// The place cannot be read.
    pub fn open(directory: &Path, name: &str, output: Output) -> Result<Self, FollowError> {
        let path = directory.join(CONNECTORS).join(format!("{name}.position"));
        let given = match std::fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|error: NoCursor| {
                let source = io::Error::new(io::ErrorKind::InvalidData, error);
                FollowError::Place { path: path.clone(), source }
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Cursor::default(),
            Err(source) => return Err(FollowError::Place { path, source }),
        };
        let directory = directory.to_owned();
        let (waiting, logged_ms) = (VecDeque::new(), None);
        Ok(Follower { directory, path, output, reader: None, waiting, given, logged_ms, is_caught_up: false })
    }

    /// The next message; `None` if none came within `wait`.
    ///
    /// # Errors
    /// The store cannot be read. Trying again goes on where it was.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FollowError> {
        let deadline = Instant::now() + wait;
        loop {
            if let Some(message) = self.waiting.pop_front() {
                (self.given, self.logged_ms) = (message.next, Some(message.logged_ms));
                return Ok(Some(message.value));
            }
            self.read()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if self.waiting.is_empty() && left.is_zero() {
                self.is_caught_up = true;
                return Ok(None);
            }
            if self.waiting.is_empty() {
                std::thread::sleep(left.min(LOOK_INTERVAL));
            }
        }
    }

    /// Whether everything was given that was there when it was opened.
    pub fn is_caught_up(&self) -> bool {
        self.is_caught_up
    }

    /// When the message that was given last was committed: milliseconds since 1970.
    pub fn logged_ms(&self) -> Option<i64> {
        self.logged_ms
    }

    /// How many messages come after the one that was given last; of very many so many as are counted.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn waiting_count(&mut self) -> Result<u64, FollowError> {
        let (mut count, read) = (self.waiting.len() as u64, self.waiting.back().map_or(self.given, |last| last.next));
        if let Some(reader) = &mut self.reader {
            reader.messages(self.output, read, &mut |_| {
                count += 1;
                if count < COUNTED_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(count)
    }

    /// Lets go of everything that was given.
    ///
    /// # Errors
    /// The place cannot be kept; it is what it was, or what it was to be.
    pub fn commit(&mut self) -> Result<(), FollowError> {
        self.keep().map_err(|source| FollowError::Place { path: self.path.clone(), source })
    }

    fn read(&mut self) -> Result<(), FollowError> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::open(&self.directory)?),
        };
        reader.messages(self.output, self.given, &mut |message| {
            let (next, logged_ms, value) = (message.next, message.logged_ms, message.value.to_vec());
            self.waiting.push_back(Waiting { next, logged_ms, value });
            let is_enough = self.waiting.len() >= MESSAGES_AT_ONCE;
            if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(())
    }

    fn keep(&self) -> io::Result<()> {
        let connectors = self.directory.join(CONNECTORS);
        std::fs::create_dir_all(&connectors)?;
        let draft = self.path.with_extension("position.part");
        let mut file = File::create(&draft)?;
        writeln!(file, "{}", self.given)?;
        file.sync_all()?;
        std::fs::rename(&draft, &self.path)?;
        File::open(connectors)?.sync_all()
    }
}
