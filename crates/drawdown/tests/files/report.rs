//! `drawdown report` on the hand-made log of the library's own tests: command lines, texts, exit codes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::common::{directory, drawdown};
use serde_json::Value;

fn log() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/data")
}

fn report(args: &[&str]) -> Output {
    drawdown().arg("report").args(args).output().expect("the program runs")
}

/// What a report that ends well prints.
fn printed(args: &[&str]) -> String {
    let output = report(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn fails(args: &[&str], code: i32, message: &str) {
    let output = report(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
    assert!(error.contains(message), "{args:?}: {error}");
}

const MARCH: [&str; 6] = ["--org", "contoso", "--from", "2026-03-01", "--to", "2026-04-01"];

fn usage<'a>(input: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["usage", input], &MARCH[..], more].concat()
}

#[test]
fn texts_for_people() {
    let log = log().display().to_string();
    insta::assert_snapshot!("statement", printed(&["statement", &log, "--org", "contoso", "--month", "2026-03"]));
    insta::assert_snapshot!(
        "statement_post_usage",
        printed(&["statement", &log, "--org", "tailspin", "--month", "2026-04"])
    );
    insta::assert_snapshot!(
        "funding",
        printed(&["funding", &log, "--org", "contoso", "--at", "2026-03-12", "--risk", "2.5%"])
    );
    insta::assert_snapshot!("breakage", printed(&["breakage", &log, "--at", "2026-02-28"]));
    insta::assert_snapshot!("breakage_lots", printed(&["breakage", &log, "--org", "contoso", "--at", "2026-03-11"]));
}

#[test]
fn json_for_scripts() {
    let log = log().display().to_string();
    for args in [
        &["statement", &log, "--org", "contoso", "--month", "2026-03", "--json"][..],
        &["funding", &log, "--org", "contoso", "--json"],
        &["breakage", &log, "--json"],
    ] {
        let text = printed(args);
        assert!(serde_json::from_str::<Value>(&text).is_ok_and(|json| json.is_object()), "{text}");
        assert_eq!(text.lines().count(), 1);
    }
}

/// A report that goes to standard output has its summary beside it; one that goes to a file prints it.
#[test]
fn a_usage_report_and_its_summary() {
    let (log, directory) = (log().display().to_string(), directory("report", "usage"));
    let output = report(&usage(&log, &[]));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "28 rows; charges 16.755 USD exactly, 16.82 by the lines, 0.065 more; not in them: 0.525 unlicensed\n"
    );
    assert!(output.stdout.starts_with(b"UsageId,Call ID,") && output.stdout.ends_with(b",MCOPSTNPP\r\n"));
    let csv = directory.join("march.csv");
    let summary = printed(&usage(&log, &["--out", &csv.display().to_string(), "--json"]));
    let summary: Value = serde_json::from_str(&summary).expect("a summary");
    assert_eq!((&summary["rows"], &summary["money"][0]["exact"]), (&28.into(), &"16.755".into()));
    assert_eq!(std::fs::read(&csv).expect("the file"), output.stdout);
    let workbook = directory.join("march.XLSX");
    printed(&usage(&log, &["--out", &workbook.display().to_string(), "--all-revisions"]));
    assert!(std::fs::read(&workbook).expect("the file").starts_with(b"PK"));
    let names = std::fs::read_dir(&directory).expect("the directory").count();
    assert_eq!(names, 2, "nothing is left beside the files");
}

#[test]
fn debits_may_be_a_file_a_compressed_one_or_a_pipe() {
    let (log, directory) = (log(), directory("report", "inputs"));
    let debits = std::fs::read(log.join("debits.jsonl")).expect("the debits");
    let expected = printed(&usage(&log.display().to_string(), &[]));
    let path = directory.join("debits.jsonl.gz");
    let file = std::fs::File::create(&path).expect("a file");
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(&debits).expect("written");
    gzip.finish().expect("finished");
    for input in [directory, path, log.join("debits.jsonl")] {
        assert_eq!(printed(&usage(&input.display().to_string(), &[])), expected, "{}", input.display());
    }
    let mut command = drawdown();
    command.arg("report").args(usage("-", &[])).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program runs");
    child.stdin.take().expect("a pipe").write_all(&debits).expect("written");
    assert_eq!(String::from_utf8_lossy(&child.wait_with_output().expect("it ends").stdout), expected);
}

#[test]
fn wrong_command_lines_say_what_to_do() {
    let log = log().display().to_string();
    fails(&usage("no-such-file", &[]), 2, "no-such-file");
    fails(&usage(&log, &["--format", "xlsx"]), 2, "a workbook needs a file: give --out FILE");
    fails(&usage(&log, &["--out", "/no/such/directory/x.csv"]), 2, "/no/such/directory/x.csv.part: cannot be written");
    fails(&["usage", &log, "--org", "contoso", "--from", "2026-04-01", "--to", "2026-03-01"], 2, "is not before --to");
    fails(&["usage", &log, "--org", "contoso", "--from", "March", "--to", "2026-03-01"], 2, "write 2026-03-01");
    fails(&["statement", &log, "--org", "nobody", "--month", "2026-03"], 2, "nothing of organisation nobody");
    fails(&["statement", &log, "--org", "adatum", "--month", "2026-02"], 2, "was opened on 2026-03-01");
    fails(&["statement", &log, "--org", "contoso", "--month", "March"], 2, "write 2026-03");
    fails(&["statement", &log, "--debits", "-", "--org", "contoso", "--month", "2026-03"], 2, "give a file");
    fails(&["funding", &log, "--org", "contoso", "--risk", "many"], 2, "write 1% or 0.5%");
    fails(&["breakage", "no-such-directory"], 2, "no-such-directory");
}

/// A contradiction is a finding; a line that cannot be read is a fault; and neither leaves a file behind.
#[test]
fn a_log_that_is_broken() {
    let (log, directory) = (log(), directory("report", "broken"));
    let debits = std::fs::read_to_string(log.join("debits.jsonl")).expect("the debits");
    let events = std::fs::read_to_string(log.join("account-events.jsonl")).expect("the events");
    std::fs::write(directory.join("account-events.jsonl"), events).expect("written");
    let path = directory.display().to_string();
    let without_one: String = debits.split_inclusive('\n').filter(|line| !line.contains("\"id\":\"pool-1\"")).collect();
    std::fs::write(directory.join("debits.jsonl"), without_one).expect("written");
    fails(&["statement", &path, "--org", "contoso", "--month", "2026-03"], 1, "organisation contoso, seq 8: missing");
    std::fs::write(directory.join("debits.jsonl"), debits.replacen("\"duration\":290", "\"duration\":\"long\"", 1))
        .expect("written");
    let out = directory.join("out.csv").display().to_string();
    fails(&usage(&path, &["--out", &out]), 3, "debits.jsonl:3: line: invalid type: string \"long\", expected u32");
    assert_eq!(std::fs::read_dir(&directory).expect("the directory").count(), 2);
}
