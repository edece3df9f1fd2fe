//! The store: one SQLite database, written ahead and synced at each commit.
//!
//! Invariant: whatever one transaction of the log writes is in one transaction of the store. Several processes may read
//! while one writes. What the tables hold is told by their comments, which `sqlite3 drawdown.db .schema` shows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use drawdown_engine::log::LogError;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};

/// The database's name in the directory of the log.
pub const FILE: &str = "drawdown.db";
/// The layout of the tables, as `user_version`.
const FORMAT: i64 = 1;
/// `drdn`: what `file` shows of the database.
const APPLICATION_ID: i64 = 0x6472_646E;
/// Blocks are megabytes, so large pages; measured at half of the time of 4 KiB.
const PAGE_BYTES: i64 = 16 << 10;
/// After how many pages the write-ahead log is taken into the database: accounts that are written again and again
/// meanwhile are written there once.
const CHECKPOINT_PAGES: i64 = 4000;
const CACHE_KIB: i64 = 64 << 10;
/// Only a reader that opens the store after a crash makes a writer wait, and not for long.
const BUSY_WAIT: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
create table if not exists block (
    -- Messages of one output in the order of their transactions; a transaction has one for each output it wrote to,
    -- more if they are large. `bytes` is a zstd frame of `size_bytes`: for each message the lengths of its key and
    -- value (32 bits each, least first), its key, its value.
    id integer primary key autoincrement,
    output text not null,
    partition integer not null,
    logged_ms integer not null,
    messages integer not null,
    size_bytes integer not null,
    bytes blob not null
);
create index if not exists block_by_output on block (output);
create index if not exists block_by_time on block (output, partition, logged_ms);
create table if not exists account (
    -- The state of each organisation as it was last written.
    partition integer not null,
    org text not null,
    state blob not null,
    primary key (partition, org)
) without rowid;
create table if not exists position (
    -- Up to where each input was read: how many records of it, over all files.
    partition integer not null,
    input text not null,
    next integer not null,
    primary key (partition, input)
) without rowid;
create table if not exists spool_file (
    -- Files that are being read, or were read and are not known yet to have been moved.
    id integer primary key,
    input text not null,
    name text not null,
    inode integer not null,
    size_bytes integer not null,
    modified_ns integer not null,
    source text,
    org text,
    -- The position of its first record, and past its last once its end was seen.
    first integer not null,
    end integer,
    -- Why the rest could not be read.
    fault text,
    -- Where it goes once it was read up to its end.
    target text
);
";

/// Why a store does not open, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory is missing, or may not be used so.
    #[error("{}: {what}: {source}; {mend}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
        /// What to do.
        mend: &'static str,
    },
    /// Another process has it.
    #[error(
        "{} is in use by process {pid}: one process at a time may write there; stop it, or give this one a directory of its own",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// By whom, as far as that is known.
        pid: String,
    },
    /// A database that is none of ours, or of another version.
    #[error("{}: {what}", path.display())]
    NotOurs {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// What SQLite says.
    #[error("{}: cannot {what}: {source}; {}", path.display(), mend(source))]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Its message.
        source: rusqlite::Error,
    },
    /// A block that cannot be taken apart.
    #[error("{}: block {block}: {source}; restore the directory from a backup", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// Its `id`.
        block: u64,
        /// What is wrong with it.
        source: std::io::Error,
    },
}

impl From<StoreError> for LogError {
    fn from(error: StoreError) -> Self {
        LogError::Fatal(error.to_string())
    }
}

/// A connection, with the name of its file for messages.
pub struct Store {
    /// SQLite's.
    pub connection: Connection,
    /// The database.
    pub path: PathBuf,
}

impl Store {
    /// Opens the store of a directory for writing; makes it if there is none.
    ///
    /// # Errors
    /// It cannot be opened or made, or is none of ours.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Self::connect(path, flags)?;
        store.prepare().map_err(|source| store.fault("open the store", source))?;
        store.check()?;
        Ok(store)
    }

    /// Opens the store of a directory for reading, beside the process that writes to it.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it is none of ours.
    pub fn open_for_reading(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        if let Err(source) = std::fs::metadata(&path) {
            let mend = "give the directory that `serve` runs on";
            return Err(StoreError::Directory { path, what: "there is no store to read", source, mend });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Self::connect(path, flags)?;
        store.check()?;
        Ok(store)
    }

    fn connect(path: PathBuf, flags: OpenFlags) -> Result<Self, StoreError> {
        let connect = || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(BUSY_WAIT)?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            Ok(connection)
        };
        match connect() {
            Ok(connection) => Ok(Store { connection, path }),
            Err(source) => Err(StoreError::Sqlite { path, what: "open the store", source }),
        }
    }

    fn prepare(&self) -> rusqlite::Result<()> {
        let connection = &self.connection;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
        if (format, tables) == (0, 0) {
            connection.execute_batch(&format!(
                "begin immediate;{SCHEMA}pragma application_id={APPLICATION_ID};pragma user_version={FORMAT};commit;"
            ))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        let number = |name: &str| {
            let value = self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            value.map_err(|source| self.fault("read the store", source))
        };
        let what = match (number("application_id")?, number("user_version")?) {
            (APPLICATION_ID, FORMAT) => return Ok(()),
            (APPLICATION_ID, format) => {
                format!("has format {format}; this version of drawdown reads {FORMAT}: take the version that wrote it")
            }
            _ => "is a database, but none of drawdown's; give another directory".to_owned(),
        };
        Err(StoreError::NotOurs { path: self.path.clone(), what })
    }

    /// What SQLite said when `what` was tried.
    pub fn fault(&self, what: &'static str, source: rusqlite::Error) -> StoreError {
        StoreError::Sqlite { path: self.path.clone(), what, source }
    }
}

/// What to do about it.
fn mend(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseCorrupt, DiskFull, NotADatabase, ReadOnly};
    match error.sqlite_error_code() {
        Some(DiskFull) => "free space on its disk and start again; what was committed is safe",
        Some(ReadOnly | CannotOpen) => "see that the directory may be written to, and start again",
        Some(DatabaseCorrupt | NotADatabase) => {
            "look at it with `sqlite3 … 'pragma integrity_check'`, or restore a backup"
        }
        Some(DatabaseBusy) => "another program holds it locked: let go of it there",
        _ => "see that its disk works and has space, and start again; what was committed is safe",
    }
}

/// A number as SQLite holds it.
pub fn sql(number: u64) -> i64 {
    i64::try_from(number).expect("invariant: nothing is counted beyond 2^63")
}

/// A number as it was stored; a negative one never was.
pub fn unsigned(number: i64) -> u64 {
    number.max(0) as u64
}

/// A key: text where it is text, so that `sqlite3` shows it.
pub fn key(bytes: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match std::str::from_utf8(bytes) {
        Ok(_) => ValueRef::Text(bytes),
        Err(_) => ValueRef::Blob(bytes),
    })
}
