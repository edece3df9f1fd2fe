//! The spool: directories into which files of usage records and commands are dropped, by renaming, and read in order.
//!
//! Invariant: a position says how many records of an input were read over all files; together with the file that was
//! being read it is in the same transaction as what came of the records, so that a restart goes on at the very record.
//!
//! Where both inputs have records, they are merged by arrival at their heads, as files are by `rate` (boundaries.md T4,
//! T5). Commands that calls need are dropped first.

mod feed;
pub mod keyed;
mod lane;
mod moving;
mod place;
mod row;
mod sidecar;

use std::path::{Path, PathBuf};

use drawdown_engine::log::{Batch, Input, LogError, Room};
use drawdown_rating::Fault;
use drawdown_units::Timestamp;
use drawdown_wire::source::Profile;

use super::transaction::Transaction;
use lane::{Lane, unusable};
use moving::{DONE, FAILED, directory_of, move_once, sync};

pub(crate) use place::put;
pub use place::{PlaceError, place};
pub use row::{FileRow, Reading};

/// The spool's name in the directory of a log.
pub const SPOOL: &str = "spool";
/// Where decks are dropped; taken up elsewhere.
pub const DECKS: &str = "decks";
/// The source profile where none is named.
pub const NATIVE: &str = "native";

/// Reads a source profile by what names it, as on the command line.
pub type ReadProfile = fn(&str) -> Result<Profile, Vec<Fault>>;

/// How files are read.
#[derive(Debug, Clone)]
pub struct Profiles {
    /// What finds a profile by its name.
    pub read: ReadProfile,
    /// How files without a sidecar are read.
    pub default: Reading,
}

/// The spool of a log.
pub struct Spool {
    directory: PathBuf,
    commands: Lane,
    cdrs: Lane,
    /// The number of the next file.
    next_id: i64,
    /// Files that were moved, which the store still knows.
    moved: Vec<i64>,
    /// Up to where commands and usage records are committed.
    committed: [u64; 2],
    /// The same of the transaction in flight.
    in_flight: [u64; 2],
}

/// Whether the spool reads a file of this name.
fn is_taken_up(name: &str) -> bool {
    let is_apart = name.starts_with('.') || [".part", ".tmp", sidecar::SUFFIX].iter().any(|end| name.ends_with(end));
    !is_apart
}

/// How many files wait to be rated, and how many were put aside because they could not be read.
pub fn spooled(directory: &Path) -> (usize, usize) {
    let spool = directory.join(SPOOL);
    let waiting = Input::ALL.map(|input| count(&spool.join(input.name())));
    (waiting.iter().sum(), count(&spool.join(FAILED)))
}

fn count(directory: &Path) -> usize {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter(|name| is_taken_up(&name.to_string_lossy())).count()
}

impl Spool {
    /// Makes the directories of a spool.
    ///
    /// # Errors
    /// The one that cannot be made.
    pub fn create(directory: &Path) -> Result<(), (PathBuf, std::io::Error)> {
        for name in [Input::Cdrs.name(), Input::Commands.name(), DECKS, DONE, FAILED] {
            let path = directory.join(SPOOL).join(name);
            std::fs::create_dir_all(&path).map_err(|error| (path, error))?;
        }
        Ok(())
    }

    /// Opens it where it was left: moves what was read whole, and goes on in the file that was not.
    ///
    /// # Errors
    /// A file cannot be moved.
    pub fn open(
        directory: &Path,
        profiles: Profiles,
        rows: Vec<FileRow>,
        committed: [u64; 2],
    ) -> Result<Self, LogError> {
        let directory = directory.join(SPOOL);
        let [commands, cdrs] = committed;
        let mut spool = Spool {
            commands: Lane::new(Input::Commands, &directory, profiles.clone(), commands),
            cdrs: Lane::new(Input::Cdrs, &directory, profiles, cdrs),
            directory,
            next_id: rows.last().map_or(1, |row| row.id + 1),
            moved: Vec::new(),
            committed,
            in_flight: committed,
        };
        let mut has_moved = false;
        for row in rows {
            let id = row.id;
            let lane = spool.lane(row.input);
            if row.end.is_some_and(|end| end <= committed[index(row.input)]) {
                spool.move_one(&row)?;
                has_moved = true;
            } else if lane.begun.is_empty() && lane.resume(row)? {
                continue;
            }
            spool.moved.push(id);
        }
        spool.sync_if(has_moved)?;
        Ok(spool)
    }

    /// Appends records to the batch, as far as there are any and there is room.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn poll(&mut self, batch: &mut Batch, room: Room) -> Result<(), LogError> {
        while batch.count() < room.records_max && batch.size_bytes() < room.bytes_max {
            let command = self.commands.head(&mut self.next_id)?;
            let cdr = self.cdrs.head(&mut self.next_id)?;
            match (command, cdr) {
                (None, None) => return Ok(()),
                (Some(_), None) => self.commands.take(batch, room, |_| true),
                (None, Some(_)) => self.cdrs.take(batch, room, |_| true),
                (Some(command), Some(cdr)) if command <= cdr => {
                    self.commands.take(batch, room, |arrival: Timestamp| arrival <= cdr);
                }
                (Some(command), Some(_)) => self.cdrs.take(batch, room, |arrival| arrival < command),
            }
        }
        Ok(())
    }

    /// Adds what the store must know of files to a transaction that has its positions.
    pub fn record(&mut self, transaction: &mut Transaction) {
        self.in_flight = self.committed;
        for position in &transaction.positions {
            self.in_flight[index(position.input)] = position.next;
        }
        for (lane, next) in [&mut self.commands, &mut self.cdrs].into_iter().zip(self.in_flight) {
            for begun in lane.begun.iter_mut().filter(|begun| begun.row.first <= next) {
                begun.is_recorded = begun.row.end.is_some_and(|end| end <= next);
                transaction.files.push(begun.row.clone());
            }
        }
        transaction.moved.append(&mut self.moved);
    }

    /// The transaction that was recorded is committed: what was read whole is moved.
    ///
    /// # Errors
    /// A file cannot be moved.
    pub fn committed(&mut self) -> Result<(), LogError> {
        self.committed = self.in_flight;
        let mut has_moved = false;
        for input in Input::ALL {
            while let Some(begun) = self.lane(input).begun.pop_front_if(|begun| begun.is_recorded) {
                self.move_one(&begun.row)?;
                self.moved.push(begun.row.id);
                has_moved = true;
            }
        }
        self.sync_if(has_moved)
    }

    /// Whether a file was found to be at its end after its last record was committed: a transaction of its own must say
    /// so before it is moved.
    pub fn has_ended_files(&self) -> bool {
        let lanes = [&self.commands, &self.cdrs].into_iter().zip(self.committed);
        let mut first = lanes.filter_map(|(lane, committed)| Some((lane.begun.front()?.row.end?, committed)));
        first.any(|(end, committed)| end <= committed)
    }

    /// How many records are known to be there; files that were not opened yet count as one.
    ///
    /// # Errors
    /// The spool cannot be read.
    pub fn lag(&mut self) -> Result<u64, LogError> {
        Ok(self.commands.lag()? + self.cdrs.lag()?)
    }

    fn lane(&mut self, input: Input) -> &mut Lane {
        match input {
            Input::Commands => &mut self.commands,
            Input::Cdrs => &mut self.cdrs,
        }
    }

    fn move_one(&self, row: &FileRow) -> Result<(), LogError> {
        let path = || directory_of(&self.directory, row.input).join(&row.identity.name);
        move_once(&self.directory, row).map_err(|error| unusable(&path(), &error))
    }

    /// A move that does not last would have the file read again, once the store has forgotten it.
    fn sync_if(&self, has_moved: bool) -> Result<(), LogError> {
        if has_moved {
            for name in [DONE, FAILED, Input::Cdrs.name(), Input::Commands.name()] {
                let path = self.directory.join(name);
                sync(&path).map_err(|error| unusable(&path, &error))?;
            }
        }
        Ok(())
    }
}

/// The place of an input in a pair.
pub fn index(input: Input) -> usize {
    match input {
        Input::Commands => 0,
        Input::Cdrs => 1,
    }
}
