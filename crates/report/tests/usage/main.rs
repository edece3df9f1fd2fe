//! Usage reports, as CSV and as workbooks, from the hand-made log.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests are tests")]

#[path = "../common/mod.rs"]
mod common;
mod workbook;

use common::{DEBITS, at, debits, lines, sorter};
use drawdown_report::usage::{self, Revisions, Rows, Selection, Summary};
use drawdown_report::{Fault, Sorter};
use proptest::prelude::*;

fn march(org: &str, revisions: Revisions) -> Selection {
    let (from, to) = (at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
    Selection { org: org.to_owned(), from, to, revisions, tenant_country: None }
}

fn rows(selection: &Selection) -> Rows {
    usage::collect(&mut debits(), selection, sorter()).unwrap()
}

fn csv(selection: &Selection) -> (String, Summary) {
    let (mut rows, mut out) = (rows(selection), Vec::new());
    let summary = usage::write_csv(&mut rows, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), summary)
}

/// The records of a CSV, the header among them.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn the_calls_of_a_month_as_they_stand() {
    let (text, summary) = csv(&march("contoso", Revisions::Standing));
    assert_eq!(text.matches("\r\n").count() as u64, summary.rows + 1);
    insta::assert_snapshot!("standing", text.replace("\r\n", "\n"));
    insta::assert_snapshot!("standing_summary", format!("{:#}", summary.json()));
}

#[test]
fn every_revision_with_its_reversal() {
    let (text, summary) = csv(&march("contoso", Revisions::All));
    let corrected = |record: &&Vec<String>| ["corr-1", "void-1", "big-2", "unl-void"].contains(&&*record[0]);
    let shown = records(&text)
        .iter()
        .filter(corrected)
        .map(|it| [&it[0], &it[13], &it[17], &it[19]].map(|s| s.as_str()).join(" "))
        .collect::<Vec<_>>();
    insta::assert_snapshot!("all_revisions", shown.join("\n"));
    let standing = csv(&march("contoso", Revisions::Standing)).1;
    assert_eq!(summary.money["USD"].exact, standing.money["USD"].exact, "what was taken back adds up to nothing");
    assert_eq!(summary.rows, standing.rows + standing.corrected);
}

/// boundaries.md X1: a reversal takes back the fee that is part of the charge.
#[test]
fn connection_fees_of_what_was_taken_back_add_up_to_nothing() {
    let debits = DEBITS.replace("\"connectionFee\":\"0.00\"", "\"connectionFee\":\"0.05\"");
    let mut rows = usage::collect(&mut lines("d", &debits), &march("contoso", Revisions::All), sorter()).unwrap();
    let mut out = Vec::new();
    usage::write_csv(&mut rows, &mut out).unwrap();
    let records = records(&String::from_utf8(out).unwrap());
    let fees =
        |id: &str| records.iter().filter(|record| record[0] == id).map(|record| &*record[16]).collect::<Vec<_>>();
    assert_eq!(fees("void-1"), ["0.05", "-0.05"]);
    assert_eq!(fees("corr-1"), ["0.05", "0.05", "-0.05"]);
    assert_eq!(fees("unl-void"), ["0.00", "0.00"], "nobody paid the fee either");
}

/// boundaries.md X3: by the record's tenant country, else by the one that was given.
#[test]
fn numbers_are_masked_by_the_country_given_where_a_record_names_none() {
    let called = |tenant_country: Option<&str>| {
        let selection =
            Selection { tenant_country: tenant_country.map(str::to_owned), ..march("adatum", Revisions::All) };
        let text = csv(&selection).0;
        records(&text).iter().filter(|record| record[0] == "s-2").map(|record| record[12].clone()).next().unwrap()
    };
    assert_eq!((called(None), called(Some("CH"))), ("+447911123456".to_owned(), "+44791112****".to_owned()));
}

/// boundaries.md T8: an instant is compared at full precision.
#[test]
fn the_last_instant_of_february_is_not_march() {
    let is_in = |selection: &Selection| csv(selection).0.contains("\r\nfeb-late,");
    let in_march = march("contoso", Revisions::Standing);
    assert!(!is_in(&in_march));
    assert!(is_in(&Selection { from: at("2026-02-28T23:59:59.9999999Z"), ..in_march }));
}

#[test]
fn an_organisation_without_calls_has_a_header() {
    let (text, summary) = csv(&march("nobody", Revisions::Standing));
    assert_eq!((text.lines().count(), summary.rows), (1, 0));
}

#[test]
fn a_reversal_whose_debit_is_elsewhere_is_said() {
    let reversal = DEBITS.lines().find(|line| line.contains("void-1") && line.contains("reverses")).unwrap();
    let selection = march("contoso", Revisions::Standing);
    let mut rows = usage::collect(&mut lines("part", reversal), &selection, sorter()).unwrap();
    let summary = usage::write_csv(&mut rows, Vec::new()).unwrap();
    assert_eq!((summary.rows, summary.reversals_alone), (0, 1));
}

#[test]
fn a_line_that_cannot_be_read_ends_the_report_and_is_named() {
    let line = DEBITS.lines().find(|line| line.contains("split-1")).unwrap();
    for (from, to, message) in [
        (
            "\"amount\":\"0.30\",\"currency\"",
            "\"amount\":\"0,30\",\"currency\"",
            "d:2: charge.amount: \"0,30\": not a plain decimal number",
        ),
        ("2026-03-02T09:40:00Z", "yesterday", "d:2: call.startDateTime: \"yesterday\""),
        ("\"type\":\"lot\"", "\"type\":\"barter\"", "d:2: funding[1].type: \"barter\""),
        ("\"type\":\"debit\"", "\"type\":\"FundsAdded\"", "d:2: type: \"FundsAdded\", where \"debit\" is expected"),
        ("\"schemaVersion\":1", "\"schemaVersion\":2", "d:2: schemaVersion: 2, where this program reads version 1"),
        ("\"duration\":400", "\"duration\":-1", "d:2: line: invalid value: integer `-1`"),
        ("\"call\":{", "\"call\":", "d:2: line: "),
        ("USD", "dollars", "d:2: charge.currency: \"dollars\""),
        ("\"pool\":\"MCOPSTN1/US\",", "", "d:2: funding.pool: missing"),
    ] {
        let changed = format!("\n{}\n", line.replace(from, to));
        assert_ne!(changed.trim(), line, "{from}");
        let fault = usage::collect(&mut lines("d", &changed), &march("contoso", Revisions::All), sorter()).unwrap_err();
        assert!(fault.to_string().starts_with(message), "{fault}");
    }
}

/// boundaries.md U13: a year before 1970 counts as missing, so the call ends when its seconds are over.
#[test]
fn an_end_before_1970_is_none() {
    let line = DEBITS.lines().find(|line| line.contains("\"feb-1\"")).unwrap();
    let without = line.replace(",\"endDateTime\":\"2026-02-27T09:00:30.6234567Z\"", "");
    assert_ne!(without, line);
    for end in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
        let selection = Selection { from: at("2026-02-01T00:00:00Z"), ..march("contoso", Revisions::Standing) };
        let collect = |line: &str| usage::collect(&mut lines("d", line), &selection, sorter()).unwrap();
        let shown = |line: &str| {
            let mut out = Vec::new();
            usage::write_csv(&mut collect(line), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let with_end = line.replace("2026-02-27T09:00:30.6234567Z", end);
        assert_eq!(shown(&with_end), shown(&without), "{end}");
        let out = std::io::Cursor::new(Vec::new());
        usage::write_xlsx(&mut collect(&with_end), out, usage::SHEET_ROWS_MAX, &std::env::temp_dir()).unwrap();
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let sorter = Sorter::new("/no/such/directory".into(), 0);
    let fault = usage::collect(&mut debits(), &march("contoso", Revisions::All), sorter).unwrap_err();
    assert!(matches!(&fault, Fault::Sort { .. }) && fault.to_string().contains("/no/such/directory"), "{fault}");
}

proptest! {
    /// Neither the order of the lines nor the memory for sorting changes a byte.
    #[test]
    fn the_report_is_the_same_whatever_the_order(order in Just((0..DEBITS.lines().count()).collect::<Vec<_>>()).prop_shuffle(), memory in 0_usize..40_000) {
        let all: Vec<&str> = DEBITS.lines().collect();
        let shuffled: Vec<&str> = order.into_iter().map(|line| all[line]).collect();
        for revisions in [Revisions::Standing, Revisions::All] {
            let selection = march("contoso", revisions);
            let sorter = Sorter::new(std::env::temp_dir(), memory);
            let mut rows = usage::collect(&mut lines("shuffled", &shuffled.join("\n")), &selection, sorter).unwrap();
            let mut out = Vec::new();
            usage::write_csv(&mut rows, &mut out).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), csv(&selection).0);
        }
    }
}
