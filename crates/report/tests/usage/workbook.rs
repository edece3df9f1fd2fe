//! Workbooks, opened again by readers that know nothing of who wrote them.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use calamine::{Data, Reader, Xlsx};
use drawdown_report::Fault;
use drawdown_report::usage::{self, COLUMNS, Revisions, SHEET_ROWS_MAX};

use super::common::{DEBITS, at, lines, sorter};
use super::{csv, march, records, rows};

fn workbook(sheet_rows_max: u32) -> Vec<u8> {
    let (mut rows, mut out) = (rows(&march("contoso", Revisions::All)), Cursor::new(Vec::new()));
    usage::write_xlsx(&mut rows, &mut out, sheet_rows_max, &std::env::temp_dir()).unwrap();
    out.into_inner()
}

/// The records of the CSV; without the apostrophe in front of formulas, which a workbook does not need.
fn expected() -> Vec<Vec<String>> {
    let mut expected = records(&csv(&march("contoso", Revisions::All)).0);
    for cell in expected.iter_mut().flatten() {
        if let Some(text) = cell.strip_prefix('\'') {
            *cell = text.to_owned();
        }
    }
    expected
}

/// A cell as the CSV writes it; in a column of times or figures it must be one.
fn text_of(cell: &Data, column: usize) -> String {
    match (COLUMNS[column], cell) {
        ("Start Time" | "End Time", Data::DateTime(time)) => {
            let seconds = ((time.as_f64() - 25_569.0) * 86_400.0).round();
            at("1970-01-01T00:00:00Z").plus_seconds(seconds as i64).to_string()
        }
        ("Duration Seconds", Data::Float(number)) => format!("{number:.0}"),
        ("Connection Fee" | "Charge", Data::Float(number)) => format!("{number:.2}"),
        (name @ ("Start Time" | "End Time" | "Duration Seconds" | "Connection Fee" | "Charge"), other) => {
            panic!("{name} is {other:?}")
        }
        (_, Data::String(text)) => text.clone(),
        (_, Data::Empty) => String::new(),
        (name, other) => panic!("{name} is {other:?}"),
    }
}

fn read_back(workbook: Vec<u8>) -> Vec<Vec<Vec<String>>> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(workbook)).unwrap();
    let text_rows = |range: &calamine::Range<Data>| {
        let row = |(place, row): (usize, &[Data])| {
            let text =
                |(column, cell): (usize, &Data)| if place == 0 { cell.to_string() } else { text_of(cell, column) };
            row.iter().enumerate().map(text).collect::<Vec<_>>()
        };
        range.rows().enumerate().map(row).collect::<Vec<_>>()
    };
    workbook.worksheets().iter().map(|(_, range)| text_rows(range)).collect()
}

#[test]
fn says_what_the_csv_says() {
    assert_eq!(read_back(workbook(SHEET_ROWS_MAX)), [expected()]);
}

#[test]
fn rows_that_do_not_fit_go_to_further_sheets() {
    let expected = expected();
    let (header, body) = expected.split_first().unwrap();
    for sheet_rows_max in [1, 7, body.len() as u32 - 1, body.len() as u32] {
        let sheets = read_back(workbook(sheet_rows_max));
        assert_eq!(sheets.len(), body.len().div_ceil(sheet_rows_max as usize));
        assert!(sheets.iter().all(|sheet| sheet[0] == *header), "each has the header");
        let rows: Vec<_> = sheets.into_iter().flat_map(|sheet| sheet.into_iter().skip(1)).collect();
        assert_eq!(rows, body);
    }
}

#[test]
fn a_text_that_no_cell_holds_is_named() {
    let line = DEBITS.lines().find(|line| line.contains("split-1")).unwrap();
    let long = line.replace("Vance, Adele", &"x".repeat(32_768));
    let mut rows = usage::collect(&mut lines("d", &long), &march("contoso", Revisions::All), sorter()).unwrap();
    let fault = usage::write_xlsx(&mut rows, Cursor::new(Vec::new()), 10, &std::env::temp_dir()).unwrap_err();
    assert!(matches!(fault, Fault::CellTooLong { column: "User Display Name", .. }), "{fault}");
}

/// Whether LibreOffice is there; if not, that is said, and in CI it is a failure.
fn soffice_is_there() -> bool {
    let is_there = Command::new("soffice").arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "soffice is not installed: apt-get install libreoffice-calc");
        eprintln!("soffice is not installed (apt-get install libreoffice-calc): NOT CHECKED");
    }
    is_there
}

/// Converts the first sheet to CSV, cells as they are shown.
fn shown_by_libreoffice(directory: &Path, workbook: &Path) -> PathBuf {
    let profile = format!("-env:UserInstallation=file://{}", directory.join("profile").display());
    // Comma, quotes, UTF-8; cells as they are shown is the default, though not where more is said.
    let filter = "csv:Text - txt - csv (StarCalc):44,34,76";
    let output = Command::new("soffice")
        .args([&profile, "--headless", "--convert-to", filter, "--outdir"])
        .args([directory, workbook])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    workbook.with_extension("csv")
}

#[test]
fn libreoffice_shows_what_the_csv_says() {
    if !soffice_is_there() {
        return;
    }
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libreoffice");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("usage.xlsx");
    std::fs::write(&path, workbook(SHEET_ROWS_MAX)).unwrap();
    let shown = std::fs::read_to_string(shown_by_libreoffice(&directory, &path)).unwrap();
    assert_eq!(records(&shown), expected());
}
