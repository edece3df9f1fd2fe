//! The usage report: one row for each call, in the layout of the Teams export (domain.md section 10, boundaries.md X1–X4).
//!
//! Which revision: by default the calls as they stand. A debit that was reversed and the debit that reversed it are both
//! left out, so each call has the row of its latest revision and a voided call has none; since a correction may move a
//! call to another start, that is decided by `seq` and not by comparing rows. [`Revisions::All`] shows every debit;
//! a reversal then has its call's row with a negative charge and fee.
//!
//! Which calls: those that started in `[from, to)`, however late they were booked.
//! Rows are sorted by start, then id, then `seq`, outside of memory: see [`Sorter`].

mod cell;
mod csv;
mod mask;
mod row;
mod summary;
mod xlsx;

use drawdown_units::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::fault::Fault;
use crate::fields::Place;
use crate::line::Debit;
use crate::lines::Lines;
use crate::sort::{Sorted, Sorter};

pub use cell::{COLUMNS, Cell};
pub use csv::write as write_csv;
pub use row::Row;
pub use summary::{Money, Summary};
pub use xlsx::{SHEET_ROWS_MAX, write as write_xlsx};

/// Which calls a report is of.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Who pays for them.
    pub org: String,
    /// They started at this instant or later…
    pub from: Timestamp,
    /// … and before this one.
    pub to: Timestamp,
    /// Which of a call's revisions.
    pub revisions: Revisions,
    /// The tenant's country for calls whose record names none: it decides how numbers are masked.
    pub tenant_country: Option<String>,
}

/// Which of a call's revisions have rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revisions {
    /// The one that stands.
    Standing,
    /// Every one, and every reversal with its negative charge.
    All,
}

/// The rows of a report, in order.
#[derive(Debug)]
pub struct Rows {
    sorted: Sorted,
    directory: String,
    /// The `seq` of debits that were reversed.
    reversed: FxHashSet<u64>,
    /// The connection fees, in millionths, of those of them that were met, until their reversals are, which say no fee.
    /// Few at a time: start and id of a reversal are those of its debit, so it follows at once.
    fees_micros: FxHashMap<u64, i64>,
    revisions: Revisions,
    summary: Summary,
}

/// Reads all debits, once, and sorts the rows of those that were selected.
///
/// # Errors
/// A line of the organisation that is no debit, what reading meets, and what sorting on disk meets.
pub fn collect(lines: &mut impl Lines, selection: &Selection, mut sorter: Sorter) -> Result<Rows, Fault> {
    let name = lines.name().to_owned();
    let directory = sorter.directory().display().to_string();
    let sort_fault = |source| Fault::Sort { directory: directory.clone(), source };
    let (mut reversed, mut key, mut value) = (FxHashSet::default(), Vec::new(), Vec::new());
    while let Some(line) = lines.next_line().map_err(Fault::Read)? {
        let place = Place { name: &name, line: line.number };
        let head = place.head(line.bytes)?;
        if *head.org_id != *selection.org {
            continue;
        }
        if *head.kind != *"debit" {
            return Err(place.fault("type", format_args!("{:?}, where \"debit\" is expected", &*head.kind)));
        }
        let debit: Debit<'_> = place.read(line.bytes)?;
        let start = place.time("call.startDateTime", &debit.call.start_date_time)?;
        if start < selection.from || start >= selection.to {
            continue;
        }
        reversed.extend(debit.reverses.map(|reverses| reverses.seq));
        row::key_of(start, &debit, &mut key);
        let row = Row::of(&debit, start, selection.tenant_country.as_deref(), place)?;
        value.clear();
        value = postcard::to_extend(&row, value).expect("invariant: a row is plain data");
        sorter.push(&key, &value).map_err(sort_fault)?;
    }
    let sorted = sorter.finish().map_err(sort_fault)?;
    let summary = Summary::before(&reversed);
    let fees_micros = FxHashMap::default();
    Ok(Rows { sorted, directory, reversed, fees_micros, revisions: selection.revisions, summary })
}

impl Rows {
    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// What reading temporary files meets.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Fault> {
        let connection_fee_micros = loop {
            let advanced = self.sorted.advance();
            if !advanced.map_err(|source| Fault::Sort { directory: self.directory.clone(), source })? {
                return Ok(None);
            }
            let row = decode(&self.sorted);
            let is_reversed = self.reversed.contains(&row.seq);
            self.summary.meet(&row, is_reversed);
            if is_reversed {
                self.fees_micros.insert(row.seq, row.connection_fee_micros);
            }
            let fee_back = row.reverses.map(|seq| -self.fees_micros.remove(&seq).unwrap_or_default());
            let is_shown = self.revisions == Revisions::All || !(is_reversed || row.reverses.is_some());
            if is_shown {
                self.summary.add(&row);
                break fee_back.unwrap_or(row.connection_fee_micros);
            }
        };
        // Read again: a borrow that is returned from within the loop would last through it.
        Ok(Some(Row { connection_fee_micros, ..decode(&self.sorted) }))
    }

    /// What the rows given out so far come to; of the whole report once the last was given out.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

fn decode(sorted: &Sorted) -> Row<'_> {
    postcard::from_bytes(sorted.value()).expect("invariant: temporary files hold the rows that were written to them")
}
