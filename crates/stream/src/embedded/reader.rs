//! Reading the store from any process, while another writes to it or while none does: only what is committed is seen.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr;

use drawdown_engine::log::{Input, Output, Position};
use rusqlite::types::{Type, Value};
use rusqlite::{OptionalExtension as _, params};

use super::block::Unpacker;
use super::restore::PARTITION;
use super::store::{Store, StoreError, key, sql, unsigned};

/// How many accounts are read at once.
const ACCOUNTS_AT_ONCE: i64 = 4096;

/// Where reading an output goes on: a message of a block. The default is the oldest that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor {
    /// Blocks are numbered in the order of their transactions, over all outputs and for ever.
    pub block: u64,
    /// The message within it.
    pub index: u32,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block, self.index)
    }
}

/// A text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not hold a block and an index")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    /// Reads what [`Cursor`] is shown as.
    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (block, index) = text.split_once('.').ok_or(NoCursor)?;
        let (block, index): (u64, u32) = (block.parse().map_err(|_| NoCursor)?, index.parse().map_err(|_| NoCursor)?);
        // What the store numbers blocks with has 63 bits.
        if block <= i64::MAX as u64 { Ok(Cursor { block, index }) } else { Err(NoCursor) }
    }
}

/// A message of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Where reading goes on after it.
    pub next: Cursor,
    /// Whose partition.
    pub partition: u32,
    /// When it was committed: milliseconds since 1970.
    pub logged_ms: i64,
    /// The organisation.
    pub key: &'a [u8],
    /// What was appended.
    pub value: &'a [u8],
}

/// Reads a store.
pub struct Reader {
    store: Store,
    unpacker: Unpacker,
}

/// One stored block.
struct Stored {
    id: u64,
    partition: u32,
    logged_ms: i64,
    size_bytes: usize,
    bytes: Vec<u8>,
}

impl Reader {
    /// Opens the store of a directory.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::new(Store::open_for_reading(directory)?)
    }

    pub(super) fn new(store: Store) -> Result<Self, StoreError> {
        let path = store.path.clone();
        let fault = |source| StoreError::Directory { path, what: "cannot read", source, mend: "free some memory" };
        Ok(Reader { unpacker: Unpacker::new().map_err(fault)?, store })
    }

    /// Lets everything that is read from now on be of one moment, until [`Reader::release`]. The store keeps what is
    /// overwritten meanwhile, so not for long.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn hold(&mut self) -> Result<(), StoreError> {
        let connection = &self.store.connection;
        let hold = || {
            connection.execute_batch("begin")?;
            // The moment is that of the first reading.
            connection.query_row("select count(*) from position", [], |_| Ok(()))
        };
        hold().map_err(|error| self.store.fault("read the store", error))
    }

    /// Ends [`Reader::hold`].
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn release(&mut self) -> Result<(), StoreError> {
        let released = self.store.connection.execute_batch("commit");
        released.map_err(|error| self.store.fault("read the store", error))
    }

    /// Shows `each` the messages of an output from `cursor` on ([`Output::Accounts`] has none here), up to the last
    /// that is committed now. Says where to go on: call it again to follow.
    ///
    /// # Errors
    /// The store cannot be read, or is damaged.
    pub fn messages(
        &mut self,
        output: Output,
        cursor: Cursor,
        each: &mut dyn FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<Cursor, StoreError> {
        let mut cursor = cursor;
        while let Some(block) = self.block(output, cursor)? {
            let from = if block.id == cursor.block { cursor.index } else { 0 };
            if self.show(&block, from, &mut cursor, each)?.is_break() {
                break;
            }
            cursor = Cursor { block: block.id + 1, index: 0 };
        }
        Ok(cursor)
    }

    /// The cursor behind all that is committed now: what comes from there on is new.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn end(&self) -> Result<Cursor, StoreError> {
        let last = "select coalesce(max(id), 0) from block";
        let last = self.store.connection.query_row(last, [], |row| row.get(0));
        let last = last.map_err(|error| self.store.fault("read the store", error))?;
        Ok(Cursor { block: unsigned(last) + 1, index: 0 })
    }

    /// The cursor of the first message of an output that was committed at or after an instant (milliseconds since
    /// 1970), or at most one transaction before.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn since(&self, output: Output, partition: u32, logged_ms: i64) -> Result<Cursor, StoreError> {
        let first =
            "select id from block where output = ? and partition = ? and logged_ms >= ? order by logged_ms, id limit 1";
        let read = || {
            let mut first = self.store.connection.prepare_cached(first)?;
            first.query_row(params![output.name(), partition, logged_ms], |row| row.get(0)).optional()
        };
        match read().map_err(|error| self.store.fault("read the store", error))? {
            Some(block) => Ok(Cursor { block: unsigned(block), index: 0 }),
            None => self.end(),
        }
    }

    /// The state of an organisation as it was last written.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn account(&self, org: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let read = || {
            let mut select =
                self.store.connection.prepare_cached("select state from account where partition = ? and org = ?")?;
            select.query_row(params![PARTITION, key(org)], |row| row.get(0)).optional()
        };
        read().map_err(|error| self.store.fault("read the store", error))
    }

    /// Shows `each` the organisation and state of every account, in the order of organisations.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn accounts(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        let mut after = Value::Null;
        loop {
            after = self.accounts_after(PARTITION, &after, each)?.1;
            if after == Value::Null {
                return Ok(());
            }
        }
    }

    /// The next accounts after one (from the first, where it is null): how many, and the last, null where no more follow.
    pub(super) fn accounts_after(
        &self,
        partition: u32,
        after: &Value,
        each: &mut dyn FnMut(&[u8], &[u8]),
    ) -> Result<(u64, Value), StoreError> {
        let mut read = || {
            let mut select = self.store.connection.prepare_cached(match after {
                Value::Null => {
                    "select org, state from account where partition = ?1 and ?2 is null order by org limit ?3"
                }
                _ => "select org, state from account where partition = ?1 and org > ?2 order by org limit ?3",
            })?;
            let mut rows = select.query(params![partition, after, ACCOUNTS_AT_ONCE])?;
            let mut count = 0;
            let mut last = Value::Null;
            while let Some(row) = rows.next()? {
                let org = row.get_ref(0)?;
                let state = row.get_ref(1)?.as_bytes().map_err(|error| wrong_type(1, error))?;
                each(org.as_bytes().map_err(|error| wrong_type(0, error))?, state);
                count += 1;
                if count == ACCOUNTS_AT_ONCE as u64 {
                    last = org.try_into()?;
                }
            }
            Ok((count, last))
        };
        read().map_err(|error| self.store.fault("read the accounts", error))
    }

    /// How many accounts a partition has, and how many blocks of an output.
    pub(super) fn counts(&self, partition: u32, output: Output) -> Result<(u64, u64), StoreError> {
        let read = || {
            let connection = &self.store.connection;
            let accounts = "select count(*) from account where partition = ?";
            let accounts = connection.query_row(accounts, [partition], |row| row.get(0))?;
            let blocks = "select count(*) from block where output = ? and partition = ?";
            let blocks = connection.query_row(blocks, params![output.name(), partition], |row| row.get(0))?;
            Ok((unsigned(accounts), unsigned(blocks)))
        };
        read().map_err(|error| self.store.fault("read the store", error))
    }

    /// Up to where the inputs were read.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn positions(&self) -> Result<Vec<Position>, StoreError> {
        let read = || {
            let mut select = self.store.connection.prepare_cached("select partition, input, next from position")?;
            let rows = select.query_map([], |row| {
                let name: String = row.get(1)?;
                Ok((row.get(0)?, name, unsigned(row.get(2)?)))
            })?;
            let mut positions = Vec::new();
            for row in rows {
                let (partition, name, next) = row?;
                let input = Input::ALL.into_iter().find(|input| input.name() == name);
                positions.extend(input.map(|input| Position { input, partition, next }));
            }
            Ok(positions)
        };
        read().map_err(|error| self.store.fault("read the store", error))
    }

    /// The block of an output that holds `cursor`, or the first after it.
    fn block(&self, output: Output, cursor: Cursor) -> Result<Option<Stored>, StoreError> {
        let read = || {
            let mut select = self.store.connection.prepare_cached(
                "select id, partition, logged_ms, size_bytes, bytes
                 from block indexed by block_by_output where id >= ? and output = ? order by id limit 1",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(Stored {
                    id: unsigned(row.get(0)?),
                    partition: row.get(1)?,
                    logged_ms: row.get(2)?,
                    size_bytes: unsigned(row.get(3)?) as usize,
                    bytes: row.get(4)?,
                })
            };
            select.query_row(params![sql(cursor.block), output.name()], row).optional()
        };
        read().map_err(|error| self.store.fault("read the store", error))
    }

    /// Shows the messages of a block, moving `cursor` along.
    fn show(
        &mut self,
        block: &Stored,
        from: u32,
        cursor: &mut Cursor,
        each: &mut dyn FnMut(Message<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StoreError> {
        let Stored { id, partition, logged_ms, .. } = *block;
        let shown = self.unpacker.unpack(&block.bytes, block.size_bytes, from, &mut |message| {
            *cursor = Cursor { block: id, index: message.index + 1 };
            each(Message { next: *cursor, partition, logged_ms, key: message.key, value: message.value })
        });
        shown.map_err(|source| StoreError::Damaged { path: self.store.path.clone(), block: id, source })
    }
}

fn wrong_type(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}
