//! The report as a workbook: numbers that are numbers, times that are times, in as many sheets as the rows take.
//!
//! Rows go to a temporary file as they come, so memory does not grow with them. Texts are stored as texts: no cell can
//! be a formula. A workbook has no numbers but binary fractions; the ones here are read from the text of the cents, and
//! any program that shows two decimals shows exactly those.

use std::io::Write;
use std::path::Path;

use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::cell::{COLUMNS, Cell};
use super::csv::cents_text;
use super::{Row, Rows, Summary};
use crate::fault::Fault;

/// The most rows on a sheet, below the header: what spreadsheets hold.
pub const SHEET_ROWS_MAX: u32 = 1_048_575;

/// The longest text of a cell, in UTF-16 units.
const CELL_UNITS_MAX: usize = 32_767;

/// How wide the columns are, in characters.
const WIDTHS: [u8; COLUMNS.len()] = [38, 34, 16, 13, 38, 34, 24, 18, 20, 16, 21, 24, 18, 20, 20, 16, 15, 12, 9, 22];

/// How cells look.
struct Formats {
    header: Format,
    time: Format,
    count: Format,
    money: Format,
}

/// Writes all rows into a workbook, and returns what they come to. `sheet_rows_max` is [`SHEET_ROWS_MAX`] but in tests;
/// temporary files go to `directory`.
///
/// # Errors
/// What writing meets, what reading the rows meets, and a text that is longer than a cell holds.
pub fn write(rows: &mut Rows, out: impl Write + Send, sheet_rows_max: u32, directory: &Path) -> Result<Summary, Fault> {
    let mut workbook = Workbook::new();
    workbook.set_tempdir(directory).map_err(Fault::Workbook)?;
    let formats = Formats::new();
    let mut sheet = add_sheet(&mut workbook, &formats).map_err(Fault::Workbook)?;
    let mut place = 0;
    while let Some(row) = rows.next_row()? {
        if place == sheet_rows_max {
            sheet = add_sheet(&mut workbook, &formats).map_err(Fault::Workbook)?;
            place = 0;
        }
        place += 1;
        write_row(sheet, place, &row, &formats)?;
    }
    workbook.save_to_writer(out).map_err(Fault::Workbook)?;
    Ok(std::mem::take(&mut rows.summary))
}

fn write_row(sheet: &mut Worksheet, place: u32, row: &Row<'_>, formats: &Formats) -> Result<(), Fault> {
    for ((cell, name), column) in row.cells().into_iter().zip(COLUMNS).zip(0..) {
        if let Cell::Text(text) = cell
            && text.len() > CELL_UNITS_MAX
            && text.encode_utf16().count() > CELL_UNITS_MAX
        {
            return Err(Fault::CellTooLong { column: name, id: row.usage_id.chars().take(64).collect() });
        }
        write_cell(sheet, place, column, cell, formats).map_err(Fault::Workbook)?;
    }
    Ok(())
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell<'_>,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Text("") => {}
        Cell::Text(text) => drop(sheet.write_string(row, column, text)?),
        Cell::Time(seconds) => {
            let at = ExcelDateTime::from_timestamp(seconds)?;
            sheet.write_datetime_with_format(row, column, at, &formats.time)?;
        }
        Cell::Count(count) => drop(sheet.write_number_with_format(row, column, count, &formats.count)?),
        Cell::Cents(cents) => {
            let nearest: f64 = cents_text(cents).parse().expect("invariant: digits and a point");
            sheet.write_number_with_format(row, column, nearest, &formats.money)?;
        }
    }
    Ok(())
}

/// A sheet with its widths, and a header that stays in sight.
fn add_sheet<'w>(workbook: &'w mut Workbook, formats: &Formats) -> Result<&'w mut Worksheet, XlsxError> {
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    for (column, width) in (0..).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    for (column, name) in (0..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, name, &formats.header)?;
    }
    Ok(sheet)
}

impl Formats {
    fn new() -> Self {
        Formats {
            header: Format::new().set_bold().set_align(FormatAlign::Left),
            // The zone is part of it: a workbook's times have none.
            time: Format::new().set_num_format("yyyy\\-mm\\-dd\\Thh:mm:ss\\Z"),
            count: Format::new().set_num_format("0"),
            money: Format::new().set_num_format("0.00"),
        }
    }
}
