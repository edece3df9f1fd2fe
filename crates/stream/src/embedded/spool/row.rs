//! What the store knows of the files of the spool: enough to go on at the very record, and to move a file once.

use rusqlite::{Connection, params};

use drawdown_engine::log::Input;

use crate::embedded::store::{sql, unsigned};

/// A file, recognised again after a restart. Another file of the same name differs in at least one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name in the spool.
    pub name: String,
    /// Its inode.
    pub inode: u64,
    /// Its size.
    pub size_bytes: u64,
    /// When it was written last, in nanoseconds since 1970.
    pub modified_ns: i64,
}

/// How a file's records are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The source profile, as on the command line.
    pub source: Option<String>,
    /// The organisation of records that name none.
    pub org: Option<String>,
}

/// A row of `spool_file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Its number.
    pub id: i64,
    /// Of which input.
    pub input: Input,
    /// Which file.
    pub identity: Identity,
    /// How it is read.
    pub reading: Reading,
    /// The position of its first record.
    pub first: u64,
    /// Past its last, once its end was seen.
    pub end: Option<u64>,
    /// Why the rest could not be read.
    pub fault: Option<String>,
    /// Where it goes once it was read up to its end, within the spool; without, it is removed then.
    pub target: Option<String>,
}

impl FileRow {
    /// Writes it.
    pub fn put(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut put = connection.prepare_cached(
            "insert or replace into spool_file
             (id, input, name, inode, size_bytes, modified_ns, source, org, first, end, fault, target)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        put.execute(params![
            self.id,
            self.input.name(),
            self.identity.name,
            self.identity.inode.cast_signed(),
            sql(self.identity.size_bytes),
            self.identity.modified_ns,
            self.reading.source,
            self.reading.org,
            sql(self.first),
            self.end.map(sql),
            self.fault,
            self.target,
        ])?;
        Ok(())
    }

    /// Reads all, in the order in which they were begun.
    pub fn all(connection: &Connection) -> rusqlite::Result<Vec<FileRow>> {
        let mut select = connection.prepare(
            "select id, input, name, inode, size_bytes, modified_ns, source, org, first, end, fault, target
             from spool_file order by id",
        )?;
        let rows = select.query_map([], |row| {
            let input: String = row.get(1)?;
            let identity = Identity {
                name: row.get(2)?,
                inode: row.get::<_, i64>(3)?.cast_unsigned(),
                size_bytes: unsigned(row.get(4)?),
                modified_ns: row.get(5)?,
            };
            Ok(FileRow {
                id: row.get(0)?,
                input: if input == Input::Commands.name() { Input::Commands } else { Input::Cdrs },
                identity,
                reading: Reading { source: row.get(6)?, org: row.get(7)? },
                first: unsigned(row.get(8)?),
                end: row.get::<_, Option<i64>>(9)?.map(unsigned),
                fault: row.get(10)?,
                target: row.get(11)?,
            })
        })?;
        rows.collect()
    }
}
