//! What a control plane reads of the log, and of the decks: who keeps them is not known here.

use std::sync::atomic::AtomicBool;

use drawdown_units::Timestamp;
use serde_json::Value;

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Debits.
    Debits,
    /// Account events.
    Events,
    /// What was not debited.
    Rejects,
}

/// What is asked of the log.
pub struct Query<'a> {
    /// Which lines.
    pub lines: Lines,
    /// Of which organisation.
    pub org: &'a str,
    /// Where to go on: what [`Page::next`] said; the oldest that is kept, if nothing is given.
    pub cursor: Option<&'a str>,
    /// Where to begin without a cursor: with the first that was committed at or after this instant, or a little before.
    pub since: Option<Timestamp>,
    /// How many lines at most.
    pub limit: usize,
    /// Which of them.
    pub wanted: &'a mut dyn FnMut(&[u8]) -> bool,
}

/// A line, and where to go on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As it is on the wire.
    pub bytes: Vec<u8>,
    /// The cursor after it.
    pub next: String,
}

/// Some lines, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The lines.
    pub lines: Vec<Line>,
    /// Where to go on, whether or not anything is there yet. A page may be short, or empty, and not be the last.
    pub next: String,
    /// Everything that was committed when it was read.
    pub is_end: bool,
}

/// Why something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// The cursor is none of ours.
    #[error("the cursor is none that this server gave; leave it out to begin anew")]
    BadCursor,
    /// What was asked for is not what it should be: the field, and what is wrong with it.
    #[error("{1}")]
    BadRequest(&'static str, String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The log, or what is made of it, is not to be had now.
    #[error("{0}")]
    Unavailable(String),
}

/// A report of calls, as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180.
    Csv,
    /// A workbook.
    Xlsx,
}

/// The log's lines, and what is made of them. All of it may take its time: never called on a thread that answers.
pub trait Books: Send + Sync + 'static {
    /// Some lines of an organisation.
    ///
    /// # Errors
    /// The cursor is wrong, or the log cannot be read.
    fn page(&self, query: &mut Query<'_>) -> Result<Page, BooksError>;

    /// The cursor behind everything that is committed now.
    ///
    /// # Errors
    /// The log cannot be read.
    fn end(&self, lines: Lines, org: &str) -> Result<String, BooksError>;

    /// One debit in words, `{about, text}` each, and in figures; and whether it would be charged the same again. `account`
    /// is the state of its organisation, as the line on the wire: it says which decks may price its calls.
    ///
    /// # Errors
    /// It is no debit.
    fn explain(&self, debit: &[u8], account: &[u8]) -> Result<Value, BooksError>;

    /// The usage report of an organisation: the calls that started from one instant to before another. Given up once
    /// whoever asked is gone.
    ///
    /// # Errors
    /// The log cannot be read.
    fn usage(
        &self,
        org: &str,
        from: Timestamp,
        to: Timestamp,
        format: Format,
        is_gone: &AtomicBool,
    ) -> Result<Vec<u8>, BooksError>;

    /// The statement of an organisation's month, such as `2026-03`. Given up once whoever asked is gone.
    ///
    /// # Errors
    /// The log cannot be read, or what it holds does not add up.
    fn statement(&self, org: &str, month: &str, is_gone: &AtomicBool) -> Result<Value, BooksError>;
}

/// What a call would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceQuery<'a> {
    /// By which rate plan.
    pub plan: &'a str,
    /// The called number, or the caller's where the callee pays.
    pub number: &'a str,
    /// When it would start.
    pub at: Timestamp,
    /// How long it would last, in seconds.
    pub seconds: u32,
}

/// Decks and rate plans in force.
pub trait Decks: Send + Sync + 'static {
    /// Every deck version, withdrawn ones too, and every rate plan in force.
    fn list(&self) -> Value;

    /// Publishes a deck (a manifest and its rows) or a rate plan (no rows) to every process. Says what was published.
    ///
    /// # Errors
    /// Its faults, with their lines, or that it contradicts what is in force.
    fn publish(&self, manifest: &str, rows: Option<&str>) -> Result<Value, BooksError>;

    /// Withdraws a version of a deck, for good: no process prices a call by it any more. Says since when.
    ///
    /// # Errors
    /// There is no such version.
    fn withdraw(&self, id: &str, version: u32) -> Result<Value, BooksError>;

    /// What changes from one version of a deck to another.
    ///
    /// # Errors
    /// There is no such version.
    fn diff(&self, id: &str, from: u32, to: u32) -> Result<Value, BooksError>;

    /// What a call would cost, and by which row.
    ///
    /// # Errors
    /// There is no such plan, or no price.
    fn price(&self, query: &PriceQuery<'_>) -> Result<Value, BooksError>;
}
