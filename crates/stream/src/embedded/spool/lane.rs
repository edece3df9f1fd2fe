//! The files of one input, one after the other, as one sequence of records.
//!
//! Invariant: a position counts records over all files; a file's first position is past the last of the file before.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use drawdown_engine::log::{Attributes, Batch, Input, LogError, Place, Record, Room};
use drawdown_units::Timestamp;
use drawdown_wire::framing::Kind;

use super::feed::{Event, Feed, Loaded};
use super::moving::{DONE, FAILED, directory_of, identity};
use super::row::{FileRow, Identity, Reading};
use super::{Profiles, is_taken_up, sidecar};
use crate::embedded::restore::PARTITION;
use crate::embedded::{inbox, now};

/// How often a directory is looked at, at most.
const LISTED_EVERY: Duration = Duration::from_millis(5);
/// How long the name of a file may be, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// How many files may be read that are not committed yet.
const OPEN_FILES_MAX: usize = 1000;

/// One input.
pub struct Lane {
    input: Input,
    spool: PathBuf,
    profiles: Profiles,
    /// The position of the next record to be polled.
    next: u64,
    /// Names that were listed and not opened yet, next one first.
    waiting: VecDeque<String>,
    listed: Option<Instant>,
    /// Names that are no text, of files that were there when it was listed.
    passed_over: BTreeSet<OsString>,
    current: Option<Current>,
    /// Files that were begun and not moved, the current one last.
    pub begun: VecDeque<Begun>,
}

/// A file that was begun.
pub struct Begun {
    /// What the store knows of it, or will.
    pub row: FileRow,
    /// Its end is part of a transaction that was handed over.
    pub is_recorded: bool,
}

/// The file that is being read.
struct Current {
    feed: Feed,
    name: String,
    reading: Reading,
    loaded: Option<Loaded>,
    /// The next record of `loaded`.
    at: usize,
    /// How many records were committed before a restart, and are passed over.
    skip: u64,
}

/// What opening a file came to.
enum Opened {
    File(File, Identity, Reading),
    /// It is not there any more.
    Gone,
    Unreadable(Identity, String),
}

impl Lane {
    /// An input that was read up to `next`.
    pub fn new(input: Input, spool: &Path, profiles: Profiles, next: u64) -> Self {
        Lane {
            input,
            spool: spool.to_owned(),
            profiles,
            next,
            waiting: VecDeque::new(),
            listed: None,
            passed_over: BTreeSet::new(),
            current: None,
            begun: VecDeque::new(),
        }
    }

    /// Goes on in the middle of a file, if it is still there: says whether it is.
    pub fn resume(&mut self, row: FileRow) -> Result<bool, LogError> {
        let path = directory_of(&self.spool, self.input).join(&row.identity.name);
        let file = match File::open(&path).and_then(|file| Ok((identity(&row.identity.name, &file.metadata()?), file)))
        {
            Ok((found, file)) if found == row.identity => file,
            _ => {
                tracing::warn!(
                    file = row.identity.name,
                    "was read in part, and is gone or was changed; the rest is not rated"
                );
                return Ok(false);
            }
        };
        tracing::info!(file = row.identity.name, record = self.next - row.first, "going on");
        let skip = self.next.saturating_sub(row.first);
        self.start(file, FileRow { end: None, fault: None, target: None, ..row }, skip)?;
        Ok(true)
    }

    fn start(&mut self, file: File, row: FileRow, skip: u64) -> Result<(), LogError> {
        let (name, reading) = (row.identity.name.clone(), row.reading.clone());
        let feed = Feed::begin(file, &name, self.input, &reading, self.profiles.read)
            .map_err(|error| LogError::Fatal(format!("cannot start a thread to read {name}: {error}")))?;
        self.current = Some(Current { feed, name, reading, loaded: None, at: 0, skip });
        self.begun.push_back(Begun { row, is_recorded: false });
        Ok(())
    }

    /// When the next record arrived; `None` if there is none now.
    pub fn head(&mut self, next_id: &mut i64) -> Result<Option<Timestamp>, LogError> {
        loop {
            let Some(current) = &mut self.current else {
                if self.begun.len() < OPEN_FILES_MAX && self.open_next(next_id)? {
                    continue;
                }
                return Ok(None);
            };
            if let Some(arrival) = current.arrival() {
                return Ok(Some(arrival));
            }
            match current.feed.next() {
                Event::Loaded(loaded) => current.take(loaded),
                Event::Ended(fault) => self.end(fault)?,
            }
        }
    }

    /// Takes records into the batch for as long as `is_due` says so of their arrival, at least the first; those at hand,
    /// as far as there is room.
    pub fn take(&mut self, batch: &mut Batch, room: Room, is_due: impl Fn(Timestamp) -> bool) {
        let Some(current) = &mut self.current else { return };
        let Some(loaded) = &current.loaded else { return };
        let frames = loaded.chunk.frames();
        let first = current.at;
        while let Some(frame) = frames.get(current.at) {
            let arrival = loaded.arrivals[current.at];
            let is_full = batch.count() >= room.records_max || batch.size_bytes() >= room.bytes_max;
            if is_full || (current.at > first && !is_due(arrival)) {
                return;
            }
            let attributes = Attributes {
                source: current.reading.source.as_deref(),
                columns: loaded.columns.as_deref(),
                org: current.reading.org.as_deref(),
                place: Some(Place { file: &current.name, line: frame.line, offset: frame.offset }),
                cut_from: match frame.kind {
                    Kind::Whole => None,
                    Kind::TooLarge { length, hash } => Some((length, hash)),
                },
                ..Attributes::default()
            };
            let (key, value) = loaded.record(frame);
            batch.push(&Record {
                input: self.input,
                partition: PARTITION,
                offset: self.next,
                arrival,
                key: key.as_deref().map(str::as_bytes),
                value,
                attributes,
            });
            self.next += 1;
            current.at += 1;
        }
    }

    /// How many records are known to be there.
    pub fn lag(&mut self) -> Result<u64, LogError> {
        if self.current.is_none() && self.waiting.is_empty() {
            self.list()?;
        }
        let loaded = self.current.as_ref().and_then(|current| Some((current.loaded.as_ref()?, current.at)));
        let loaded = loaded.map_or(0, |(loaded, at)| loaded.arrivals.len() - at);
        Ok((loaded + self.waiting.len() + usize::from(self.current.is_some() && loaded == 0)) as u64)
    }

    /// Notes the end of the current file.
    fn end(&mut self, fault: Option<String>) -> Result<(), LogError> {
        self.current = None;
        let Some(begun) = self.begun.back() else { return Ok(()) };
        let name = &begun.row.identity.name;
        let is_kept = fault.is_some() || !inbox::is_ours(name);
        let target = if is_kept { Some(self.target(name, fault.is_some())?) } else { None };
        if let Some(begun) = self.begun.back_mut() {
            let (row, end) = (&mut begun.row, self.next);
            let (file, records) = (&row.identity.name, end - row.first);
            match &fault {
                None if target.is_none() => tracing::debug!(file, records, "read to its end"),
                None => tracing::info!(file, records, "read to its end"),
                Some(fault) => tracing::error!(file, records, target, "cannot be read further: {fault}"),
            }
            (row.end, row.fault, row.target) = (Some(end), fault, target);
        }
        Ok(())
    }

    /// A name that is free: when it was read, and what it was called, or the end of that.
    fn target(&self, name: &str, is_failed: bool) -> Result<String, LogError> {
        let directory = if is_failed { FAILED } else { DONE };
        let text = now().text();
        let digits = text.as_bytes().iter().take_while(|byte| **byte != b'.').filter(|byte| !b"-:Z".contains(byte));
        let stamp: String = digits.map(|byte| char::from(*byte)).collect();
        let mut number = 1u64;
        loop {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            // Without the input, a file of commands and one of calls could be promised the same name.
            let before = format!("{stamp}Z{suffix}-{}-", self.input.name());
            let room = NAME_BYTES_MAX - before.len() - sidecar::SUFFIX.len();
            let end = &name[name.ceil_char_boundary(name.len().saturating_sub(room))..];
            let target = format!("{directory}/{before}{end}");
            let path = self.spool.join(&target);
            let is_promised = self.begun.iter().any(|begun| begun.row.target.as_ref() == Some(&target));
            let is_there = path.try_exists().map_err(|error| unusable(&path, &error))?;
            if !is_promised && !is_there {
                return Ok(target);
            }
            number += 1;
        }
    }

    /// Opens the next file; `false` if none waits.
    fn open_next(&mut self, next_id: &mut i64) -> Result<bool, LogError> {
        if self.waiting.is_empty() {
            self.list()?;
        }
        let Some(name) = self.waiting.pop_front() else { return Ok(false) };
        let (identity, reading, file) = match self.open(&name) {
            Opened::File(file, identity, reading) => (identity, reading, Ok(file)),
            Opened::Unreadable(identity, fault) => (identity, Reading::default(), Err(fault)),
            Opened::Gone => return Ok(true),
        };
        if self.begun.iter().any(|begun| begun.row.identity == identity) {
            return Ok(true);
        }
        let (input, id, first) = (self.input, *next_id, self.next);
        *next_id += 1;
        let row = FileRow { id, input, identity, reading, first, end: None, fault: None, target: None };
        match file {
            Ok(file) => {
                if !inbox::is_ours(&name) {
                    tracing::info!(file = name, source = row.reading.source, "reading");
                }
                self.start(file, row, 0)?;
            }
            Err(fault) => {
                self.begun.push_back(Begun { row, is_recorded: false });
                self.end(Some(fault))?;
            }
        }
        Ok(true)
    }

    fn open(&self, name: &str) -> Opened {
        let path = directory_of(&self.spool, self.input).join(name);
        let Ok(metadata) = std::fs::metadata(&path) else { return Opened::Gone };
        let reading = match self.input {
            Input::Commands => Ok(Reading::default()),
            Input::Cdrs => sidecar::read(&path, &self.profiles.default),
        };
        let open = || -> io::Result<_> {
            let file = File::open(&path)?;
            // Of the file that was opened, whatever stands under the name by now.
            let metadata = file.metadata()?;
            Ok((file, metadata, reading?))
        };
        match open() {
            Ok((file, metadata, reading)) => Opened::File(file, identity(name, &metadata), reading),
            Err(error) => Opened::Unreadable(identity(name, &metadata), error.to_string()),
        }
    }

    /// Looks which files wait, oldest first.
    fn list(&mut self) -> Result<(), LogError> {
        if self.listed.is_some_and(|listed| listed.elapsed() < LISTED_EVERY) {
            return Ok(());
        }
        self.listed = Some(Instant::now());
        let directory = directory_of(&self.spool, self.input);
        let fault = |error: io::Error| unusable(&directory, &error);
        let mut found: Vec<(SystemTime, String)> = Vec::new();
        let mut passed_over = BTreeSet::new();
        for entry in std::fs::read_dir(&directory).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = match entry.file_name().into_string() {
                Ok(name) => name,
                Err(name) => {
                    if !self.passed_over.contains(&name) {
                        tracing::warn!(?name, "is no text, and is passed over; rename the file");
                    }
                    passed_over.insert(name);
                    continue;
                }
            };
            // What went away in between is not there.
            let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
            if !is_taken_up(&name) || !metadata.is_file() {
                continue;
            }
            let identity = identity(&name, &metadata);
            if !self.begun.iter().any(|begun| begun.row.identity == identity) {
                found.push((metadata.modified().map_err(fault)?, name));
            }
        }
        found.sort();
        self.waiting = found.into_iter().map(|(_, name)| name).collect();
        self.passed_over = passed_over;
        Ok(())
    }
}

impl Current {
    fn arrival(&self) -> Option<Timestamp> {
        self.loaded.as_ref()?.arrivals.get(self.at).copied()
    }

    /// Takes the next records up, but for those that were committed before.
    fn take(&mut self, loaded: Loaded) {
        let skipped = self.skip.min(loaded.arrivals.len() as u64);
        self.skip -= skipped;
        self.at = skipped as usize;
        self.loaded = Some(loaded);
    }
}

/// The spool itself does not work.
pub fn unusable(path: &Path, error: &io::Error) -> LogError {
    let path = path.display();
    LogError::Fatal(format!("{path}: {error}; the spool must be there, and may be read and written, to go on"))
}
