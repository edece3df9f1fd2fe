//! The report as CSV: RFC 4180, hence CRLF; UTF-8 without a mark; UTC as ISO 8601.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and anyone who can choose a display
//! name could thus choose what is computed on the desk of whoever opens the report. Such a text gets an apostrophe in
//! front, which spreadsheets take for "this is text". Numbers, with their `+` and perhaps stars at the end, are none and
//! stay; a star between digits multiplies.

use std::fmt::Write as _;
use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use super::cell::{COLUMNS, Cell};
use super::{Rows, Summary};
use crate::fault::Fault;

/// Writes all rows under their header, and returns what they come to.
///
/// # Errors
/// What writing meets, and what reading the rows meets.
pub fn write(rows: &mut Rows, out: impl Write) -> Result<Summary, Fault> {
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(1 << 18).from_writer(out);
    csv.write_record(COLUMNS).map_err(write_fault)?;
    let mut text = String::new();
    while let Some(row) = rows.next_row()? {
        for cell in row.cells() {
            write_cell(&mut csv, cell, &mut text).map_err(write_fault)?;
        }
        csv.write_record(None::<&[u8]>).map_err(write_fault)?;
    }
    csv.flush().map_err(Fault::Write)?;
    Ok(std::mem::take(&mut rows.summary))
}

fn write_cell(csv: &mut Writer<impl Write>, cell: Cell<'_>, text: &mut String) -> csv::Result<()> {
    text.clear();
    match cell {
        Cell::Text(it) if is_formula(it) => text.extend(["'", it]),
        Cell::Text(it) => return csv.write_field(it),
        Cell::Time(seconds) => {
            let at = drawdown_units::Timestamp::from_parts(seconds, 0);
            return csv.write_field(at.text().as_bytes());
        }
        Cell::Count(count) => write!(text, "{count}").expect("invariant: a text takes everything"),
        Cell::Cents(cents) => text.push_str(&cents_text(cents)),
    }
    csv.write_field(text.as_bytes())
}

/// `-0.05`, for five cents below nothing.
pub(super) fn cents_text(cents: i64) -> String {
    let (sign, magnitude) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
}

/// Whether a spreadsheet would compute it. A tab or a line end in front is cut off by some before they look.
fn is_formula(text: &str) -> bool {
    match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r' | b'\n', ..] => true,
        [b'+' | b'-', ..] => !text[1..].trim_end_matches('*').bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

fn write_fault(error: csv::Error) -> Fault {
    let text = error.to_string();
    let kind = error.into_kind();
    Fault::Write(if let csv::ErrorKind::Io(error) = kind { error } else { io::Error::other(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_compute_is_told_from_numbers() {
        for text in ["=1+1", "@SUM(A1)", "+1+cmd|'/C calc'!A0", "-2-3", "\t=1", "+", "+49 30", "+4420*1234", "+*44"] {
            assert_eq!(is_formula(text), text != "+", "{text:?}");
        }
        for text in ["", "+493012345678", "+4930123***", "+***", "-12", "Vance, Adele", "a=b"] {
            assert!(!is_formula(text), "{text:?}");
        }
    }

    #[test]
    fn cents_have_two_decimals() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (1_234, "12.34"), (-100, "-1.00")] {
            assert_eq!(cents_text(cents), text);
        }
    }
}
