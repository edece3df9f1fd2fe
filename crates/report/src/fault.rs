//! Why there is no report.

use std::io;

/// What went wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The lines could not be read.
    #[error("the lines could not be read")]
    Read(#[source] io::Error),
    /// A line is not what it should be.
    #[error("{name}:{line}: {field}: {problem}")]
    Line {
        /// Where the lines come from.
        name: String,
        /// Which of them, from 1.
        line: u64,
        /// The field, or `line` for the whole of it.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Debits and events contradict each other.
    #[error("organisation {org}, seq {seq}: {problem}; `drawdown verify` lists all that differs")]
    Inconsistent {
        /// Whose.
        org: String,
        /// The place among the organisation's debits and events.
        seq: u64,
        /// What does not fit.
        problem: String,
    },
    /// Nothing is there of the organisation.
    #[error("{name}: nothing of organisation {org}; organisations are named as `orgId` has them")]
    UnknownOrg {
        /// Where the lines come from.
        name: String,
        /// Who was asked for.
        org: String,
    },
    /// The organisation had no account yet.
    #[error("organisation {org} was opened on {opened}, after {month}")]
    NotYet {
        /// Who was asked for.
        org: String,
        /// When.
        month: String,
        /// The first entry there is.
        opened: drawdown_units::Timestamp,
    },
    /// The rows could not be sorted on disk.
    #[error("rows could not be sorted in {directory}; there must be room for all rows of the report")]
    Sort {
        /// The directory of temporary files.
        directory: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The report could not be written.
    #[error("the report could not be written")]
    Write(#[source] io::Error),
    /// The workbook could not be written.
    #[error("the workbook could not be written")]
    Workbook(#[source] rust_xlsxwriter::XlsxError),
    /// A text is longer than a cell of a workbook holds.
    #[error("{column} of usage {id} is longer than the 32,767 characters of a cell; write CSV instead")]
    CellTooLong {
        /// The column.
        column: &'static str,
        /// The beginning of the row's id.
        id: String,
    },
}
