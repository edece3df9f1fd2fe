//! The thread that writes: takes one transaction, compresses, writes and syncs it, and gives it back with the outcome.
//!
//! Meanwhile the worker decodes what comes next. There is never more than one transaction here.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use drawdown_engine::log::{LogError, Output};
use rusqlite::{TransactionBehavior, params};

use super::Retention;
use super::block::Packer;
use super::store::{Store, StoreError, key, sql};
use super::transaction::Transaction;

/// How many blocks that are too old one commit removes of each output: more than it adds, and little beside it.
const FORGOTTEN_BLOCKS: i64 = 4;
const DAY_MS: i64 = 86_400_000;

/// The thread's handle.
pub struct Writer {
    jobs: Option<SyncSender<Box<Transaction>>>,
    outcomes: Receiver<(Box<Transaction>, Result<(), LogError>)>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The store cannot be read, or the system gives no thread.
    pub fn start(store: Store, retention: Retention) -> Result<Self, StoreError> {
        let (jobs, jobs_of_thread) = sync_channel::<Box<Transaction>>(1);
        let (outcomes_of_thread, outcomes) = sync_channel(1);
        let path = store.path.clone();
        let fault = |what, source| StoreError::Directory { path, what, source, mend: "free some memory" };
        let mut writing = match Writing::new(store, retention) {
            Ok(writing) => writing,
            Err(Unwritten::Store(error)) => return Err(error),
            Err(Unwritten::Memory(error)) => return Err(fault("cannot compress", error)),
        };
        let run = move || {
            for mut transaction in jobs_of_thread {
                let outcome = writing.write(&mut transaction).map_err(LogError::from);
                if outcomes_of_thread.send((transaction, outcome)).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(run);
        let thread = thread.map_err(|error| fault("cannot start a thread", error))?;
        Ok(Writer { jobs: Some(jobs), outcomes, thread: Some(thread) })
    }

    /// Hands a transaction over, without waiting.
    ///
    /// # Errors
    /// The thread is gone.
    pub fn submit(&mut self, transaction: Box<Transaction>) -> Result<(), LogError> {
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(transaction));
        sent.and_then(Result::ok).ok_or_else(gone)
    }

    /// Waits for the outcome of what was submitted.
    ///
    /// # Errors
    /// It was not written.
    pub fn wait(&mut self) -> Result<Box<Transaction>, LogError> {
        let (transaction, outcome) = self.outcomes.recv().map_err(|_| gone())?;
        outcome.map(|()| transaction)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was told by the missing outcome already.
            let _ = thread.join();
        }
    }
}

fn gone() -> LogError {
    LogError::Fatal("the thread that writes the store has ended; start again".to_owned())
}

/// What the thread owns.
struct Writing {
    store: Store,
    retention: Retention,
    packer: Packer,
    /// Log time never goes back, whatever the clock does.
    logged_ms: i64,
}

/// Why a transaction was not written.
enum Unwritten {
    Store(StoreError),
    Memory(io::Error),
}

impl From<Unwritten> for LogError {
    fn from(error: Unwritten) -> Self {
        match error {
            Unwritten::Store(error) => error.into(),
            Unwritten::Memory(error) => LogError::Fatal(format!("cannot compress: {error}; free some memory")),
        }
    }
}

impl Writing {
    fn new(store: Store, retention: Retention) -> Result<Self, Unwritten> {
        let last = "select coalesce((select logged_ms from block order by id desc limit 1), 0)";
        let logged_ms = store.connection.query_row(last, [], |row| row.get(0));
        let logged_ms = logged_ms.map_err(|error| Unwritten::Store(store.fault("read the store", error)))?;
        let packer = Packer::new().map_err(Unwritten::Memory)?;
        Ok(Writing { store, retention, packer, logged_ms })
    }

    fn write(&mut self, transaction: &mut Transaction) -> Result<(), Unwritten> {
        self.logged_ms = self.logged_ms.max(transaction.logged_ms);
        let logged_ms = self.logged_ms;
        let Store { connection, path } = &mut self.store;
        let (packer, retention) = (&mut self.packer, &self.retention);
        let mut write = || -> Result<(), Fault> {
            let open = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write_blocks(&open, transaction, packer, logged_ms)?;
            write_accounts(&open, transaction)?;
            write_positions(&open, transaction)?;
            forget(&open, retention, logged_ms)?;
            Ok(open.commit()?)
        };
        write().map_err(|fault| match fault {
            Fault::Sqlite(source) => {
                Unwritten::Store(StoreError::Sqlite { path: path.clone(), what: "write to the store", source })
            }
            Fault::Memory(error) => Unwritten::Memory(error),
        })
    }
}

enum Fault {
    Sqlite(rusqlite::Error),
    Memory(io::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sqlite(error)
    }
}

fn write_blocks(
    open: &rusqlite::Transaction<'_>,
    transaction: &Transaction,
    packer: &mut Packer,
    logged_ms: i64,
) -> Result<(), Fault> {
    let mut insert = open.prepare_cached(
        "insert into block (output, partition, logged_ms, messages, size_bytes, bytes) values (?, ?, ?, ?, ?, ?)",
    )?;
    for (output, partition, block) in transaction.blocks() {
        let packed = packer.pack(block).map_err(Fault::Memory)?;
        let (count, size_bytes) = (block.count(), block.size_bytes() as i64);
        insert.execute(params![output.name(), partition, logged_ms, count, size_bytes, packed])?;
    }
    Ok(())
}

fn write_accounts(open: &rusqlite::Transaction<'_>, transaction: &mut Transaction) -> rusqlite::Result<()> {
    let mut put = open.prepare_cached(
        "insert into account (partition, org, state) values (?, ?, ?)
         on conflict (partition, org) do update set state = excluded.state",
    )?;
    let mut delete = open.prepare_cached("delete from account where partition = ? and org = ?")?;
    for (partition, org, state) in transaction.accounts() {
        if state.is_empty() {
            delete.execute(params![partition, key(org)])?;
        } else {
            put.execute(params![partition, key(org), state])?;
        }
    }
    Ok(())
}

fn write_positions(open: &rusqlite::Transaction<'_>, transaction: &Transaction) -> rusqlite::Result<()> {
    let mut put = open.prepare_cached("insert or replace into position (partition, input, next) values (?, ?, ?)")?;
    for position in &transaction.positions {
        put.execute(params![position.partition, position.input.name(), sql(position.next)])?;
    }
    for file in &transaction.files {
        file.put(open)?;
    }
    let mut delete = open.prepare_cached("delete from spool_file where id = ?")?;
    for id in &transaction.moved {
        delete.execute([id])?;
    }
    Ok(())
}

/// Removes a few of the blocks that are older than they are kept.
fn forget(open: &rusqlite::Transaction<'_>, retention: &Retention, logged_ms: i64) -> rusqlite::Result<()> {
    let mut delete = open.prepare_cached(
        "delete from block where id in
         (select id from block where output = ? and partition = 0 and logged_ms < ? order by logged_ms limit ?)",
    )?;
    for output in Output::ALL {
        if let Some(days) = retention.days(output) {
            delete.execute(params![output.name(), logged_ms - i64::from(days) * DAY_MS, FORGOTTEN_BLOCKS])?;
        }
    }
    Ok(())
}
