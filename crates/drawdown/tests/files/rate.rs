//! `drawdown rate` as it is used: the same bytes with any number of threads and any way of reading, exit codes, and
//! input that is not what it should be: every line is accounted for.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::{directory, drawdown};
use serde_json::Value;

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

/// `rate` with the bundled deck into `out`.
fn rate(out: &Path) -> Command {
    let mut command = drawdown();
    command.arg("rate").arg("--deck").arg(config("decks/acs-pstn.toml")).arg("--out").arg(out);
    command
}

/// The demonstration's calls and commands.
fn demo(out: &Path) -> Command {
    let mut command = rate(out);
    command.arg("--commands").arg(config("demo/commands.jsonl")).args(["--until", "2026-04-01T00:00:00Z"]);
    command
}

fn calls() -> PathBuf {
    config("demo/cdrs.jsonl")
}

fn run(command: &mut Command) -> Output {
    command.output().expect("drawdown runs")
}

fn well(command: &mut Command) -> Value {
    let output = run(command.arg("--json"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a summary")
}

const FILES: [&str; 4] = ["debits.jsonl", "account-events.jsonl", "rejects.jsonl", "accounts.jsonl"];

fn outputs(out: &Path) -> [Vec<u8>; 4] {
    FILES.map(|name| std::fs::read(out.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[test]
fn the_summary_of_the_demonstration() {
    let directory = directory("rate", "summary");
    let output = run(demo(&directory.join("out")).arg(calls()));
    let text = String::from_utf8(output.stdout).expect("text");
    let text: String = text.lines().filter(|line| !line.starts_with("took")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!("rate_demo", text);
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let directory = directory("rate", "threads");
    let generated = directory.join("generated");
    let mut generate = drawdown();
    generate.args([
        "generate",
        "--records",
        "6000",
        "--seed",
        "5",
        "--orgs",
        "40",
        "--duplicates",
        "2",
        "--broken",
        "1",
    ]);
    let output = run(generate.arg("--out").arg(&generated));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rated = ["1", "2", "5"].map(|threads| {
        let out = directory.join(threads);
        let mut command = rate(&out);
        command.arg("--commands").arg(generated.join("commands.jsonl")).args(["--until", "2026-06-01T00:00:00Z"]);
        let summary = well(command.args(["--threads", threads]).arg(generated.join("cdrs.jsonl")));
        assert_eq!(summary["threads"].to_string(), threads);
        outputs(&out)
    });
    assert!(rated[0].iter().all(|bytes| !bytes.is_empty()));
    assert!(rated[0] == rated[1] && rated[1] == rated[2], "the bytes depend on the number of threads");
}

#[test]
fn standard_input_and_gzip_are_read_like_a_file() {
    let directory = directory("rate", "ways");
    let file = directory.join("file");
    well(demo(&file).arg(calls()));
    let [debits, events, _, accounts] = outputs(&file);

    let piped = directory.join("piped");
    let bytes = std::fs::read(calls()).expect("the calls");
    let mut child =
        demo(&piped).args(["--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
    child.stdin.take().expect("its input").write_all(&bytes).expect("it reads");
    assert!(child.wait().expect("it ends").success());

    let zipped = directory.join("cdrs.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).expect("a Vec takes everything");
    std::fs::write(&zipped, encoder.finish().expect("it ends")).expect("the file is written");
    let unzipped = directory.join("unzipped");
    well(demo(&unzipped).arg(&zipped));

    for out in [piped, unzipped] {
        let [same_debits, same_events, _, same_accounts] = outputs(&out);
        assert!((&debits, &events, &accounts) == (&same_debits, &same_events, &same_accounts), "{}", out.display());
    }
}

/// boundaries.md T4: inputs are merged by their heads. The calls dealt out to three files come together again.
#[test]
fn several_inputs_are_merged_by_arrival() {
    let directory = directory("rate", "merged");
    let whole = directory.join("whole");
    let text = std::fs::read_to_string(calls()).expect("the calls");
    // The line that is cut off has no arrival of its own, so it would not keep its place.
    let lines: Vec<&str> = text.lines().filter(|line| line.ends_with('}')).collect();
    let all = directory.join("all.jsonl");
    std::fs::write(&all, lines.join("\n")).expect("the file is written");
    well(demo(&whole).arg(&all));

    let parts = directory.join("parts");
    let mut command = demo(&parts);
    for part in 0..3 {
        let path = directory.join(format!("part-{part}.jsonl"));
        let dealt: Vec<&str> = lines.iter().skip(part).step_by(3).copied().collect();
        std::fs::write(&path, dealt.join("\n")).expect("the file is written");
        command.arg(path);
    }
    well(&mut command);
    let ([debits, events, _, accounts], [same_debits, same_events, _, same_accounts]) =
        (outputs(&whole), outputs(&parts));
    assert!((debits, events, accounts) == (same_debits, same_events, same_accounts));
}

#[test]
fn without_commands_every_call_is_priced_and_goes_on_the_invoice() {
    let directory = directory("rate", "post-usage");
    let summary = well(rate(&directory).arg(calls()));
    let charged = &summary["charged"][0];
    assert_eq!(charged["amount"], charged["byFunder"]["postUsage"]);
    assert_eq!(summary["accounts"], 7, "wingtip is opened too: {summary}");
}

/// The charges of one account stay below 10^12 units: those of ten leave 64 bits.
#[test]
fn charges_of_many_accounts_are_summed_exactly() {
    let directory = directory("rate", "absurd");
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).expect("the file is written");
    write(
        "gold.toml",
        "id = \"gold\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = \"2026-01-01T00:00:00Z\"\nrows = \"gold.csv\"\n",
    );
    write("gold.csv", "prefix,price_per_minute,connection_fee\n44,0,999999999999.999999\n");
    let lines = (0..10).map(|number| record(number).replace("contoso", &format!("org-{number}")) + "\n");
    write("cdrs.jsonl", &lines.collect::<String>());
    let mut command = drawdown();
    command.args(["rate", "--threads", "1", "--deck"]).arg(directory.join("gold.toml"));
    let summary = well(command.arg("--out").arg(directory.join("out")).arg(directory.join("cdrs.jsonl")));
    for amount in [
        &summary["charged"][0]["amount"],
        &summary["charged"][0]["byFunder"]["postUsage"],
        &summary["dearestDestinations"][0]["amount"],
    ] {
        assert_eq!(amount, "9999999999999.99999", "{summary}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_names_what_is_wrong() {
    let directory = directory("rate", "usage");
    let out = directory.join("out");
    let empty = directory.join("empty.toml");
    std::fs::write(&empty, "").expect("the file is written");
    let no_deck = || {
        let mut command = drawdown();
        command.arg("rate").arg(calls());
        command
    };
    for (command, message) in [
        (rate(&out).arg("no-such-file.jsonl"), "no-such-file.jsonl"),
        (rate(&out).arg(calls()).args(["--commands", "no-such-commands.jsonl"]), "no-such-commands.jsonl"),
        (rate(&out).arg(calls()).args(["--source", "no-such-source"]), "no-such-source"),
        (rate(&out).arg(calls()).args(["--rate-plan", "no-such-plan.toml"]), "no-such-plan.toml"),
        (rate(&out).arg(calls()).args(["--until", "tomorrow"]), "tomorrow"),
        (rate(&out).arg(calls()).args(["--threads", "0"]), "--threads"),
        (rate(&out).arg(calls()).arg("--deck").arg(&empty), "empty.toml"),
        (rate(&empty).arg(calls()), "empty.toml"),
        (&mut no_deck(), "--deck"),
        (&mut rate(&out), "INPUT"),
    ] {
        let output = run(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {stderr}");
        assert!(stderr.contains(message), "{command:?}: {stderr}");
    }
    assert!(!out.join("debits.jsonl").exists(), "nothing was written");
}

#[test]
fn strict_makes_rejects_exit_code_1() {
    let directory = directory("rate", "strict");
    assert_eq!(run(demo(&directory).arg(calls()).arg("--strict")).status.code(), Some(1));
    let sound = directory.join("sound.jsonl");
    std::fs::write(&sound, record(1)).expect("the file is written");
    assert_eq!(run(rate(&directory).arg(&sound).arg("--strict")).status.code(), Some(0));
}

/// A record that is debited.
fn record(number: u32) -> String {
    format!(
        r#"{{"id":"r-{number}","orgId":"contoso","callType":"user_out","calleeNumber":"+442071838750","startDateTime":"2026-03-02T08:00:00Z","duration":60,"usageCountryCode":"US"}}"#
    )
}

/// Rates one file of `bytes`; expects as many debited and rejected records, and nothing unaccounted for.
#[track_caller]
fn check_bytes(name: &str, bytes: &[u8], debited: u64, rejected: u64) {
    let directory = directory("rate", name);
    let file = directory.join("input");
    std::fs::write(&file, bytes).expect("the file is written");
    let summary = well(rate(&directory.join("out")).arg(&file));
    let records = &summary["records"];
    let count = |name: &str| records[name].as_u64().expect("a count");
    assert_eq!(count("in"), count("debited") + count("duplicate") + count("rejected"), "{name}: {records}");
    assert_eq!((count("debited"), count("rejected")), (debited, rejected), "{name}: {records}");
    let rejects = std::fs::read_to_string(directory.join("out/rejects.jsonl")).expect("rejects are text");
    let rejects: Vec<Value> = rejects.lines().map(|line| serde_json::from_str(line).expect("a reject")).collect();
    let counted = rejects.iter().filter(|reject| reject["counted"] == true).count() as u64;
    assert_eq!(counted, rejected, "{name}: each is in rejects.jsonl");
    for reject in &rejects {
        assert_eq!(reject["origin"]["file"], *file.display().to_string(), "{name}: {reject}");
        assert!(reject["origin"]["line"].as_u64().is_some_and(|line| line > 0), "{name}: {reject}");
    }
}

#[test]
fn whatever_is_in_a_file_every_line_is_accounted_for() {
    let (one, two) = (record(1), record(2));
    check_bytes("empty", b"", 0, 0);
    check_bytes("blank-lines", b"\n\n  \n\r\n", 0, 0);
    check_bytes("no-newline", one.as_bytes(), 1, 0);
    check_bytes("truncated", format!("{one}\n{}", &two[..two.len() - 20]).as_bytes(), 1, 1);
    check_bytes("crlf", format!("{one}\r\n{two}\r\n").as_bytes(), 2, 0);
    check_bytes("bom", format!("\u{feff}{one}\n{two}\n").as_bytes(), 2, 0);
    check_bytes("nul", format!("{one}\n\0\0\0\n{two}\n").as_bytes(), 2, 1);
    check_bytes("nul-inside", format!("{one}\n{}\n", two.replace("r-2", "r\0-2")).as_bytes(), 1, 1);
    check_bytes("not-utf-8", [one.as_bytes(), b"\n\xff\xfe\xfd\n", two.as_bytes()].concat().as_slice(), 2, 1);
    check_bytes("other-json", format!("{one}\n[]\n3\n\"x\"\nnull\n{two}\n").as_bytes(), 2, 4);
    check_bytes("array", format!("[{one},\n{two}]").as_bytes(), 2, 0);
    check_bytes("twice", format!("{one}\n{one}\n").as_bytes(), 1, 0);
    let wrong = [
        two.replace("\"duration\":60", "\"duration\":-60"),
        two.replace("\"duration\":60", "\"duration\":1e99"),
        two.replace("+442071838750", "+0442071838750"),
        two.replace("+442071838750", &format!("+{}", "4".repeat(40))),
        two.replace("2026-03-02T08:00:00Z", "2026-03-02 08:00"),
        two.replace("user_out", "user_sideways"),
        two.replace("\"orgId\":\"contoso\",", ""),
    ];
    check_bytes("wrong-fields", format!("{one}\n{}\n", wrong.join("\n")).as_bytes(), 1, wrong.len() as u64);
    let binary: Vec<u8> = (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let lines = binary.split(|byte| *byte == b'\n').filter(|line| line.iter().any(|byte| !byte.is_ascii_whitespace()));
    check_bytes("binary", &[b"x", &binary[..]].concat(), 0, lines.count() as u64);
}

/// A line of 100 MB is rejected by its head, length and hash, in a few megabytes of memory.
#[test]
fn a_line_of_100_megabytes_is_rejected_in_bounded_memory() {
    const LINE_BYTES: usize = 100_000_000;
    let directory = directory("rate", "long-line");
    let mut command = rate(&directory);
    let mut child =
        command.args(["--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("drawdown runs");
    let mut input = child.stdin.take().expect("its input");
    let block = vec![b'a'; 1_000_000];
    for _ in 0..LINE_BYTES / block.len() {
        input.write_all(&block).expect("it reads");
    }
    if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak of its memory");
        let peak_kb: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        assert!(peak_kb < 60_000, "{peak_kb} kB");
    }
    input.write_all(format!("\n{}\n", record(1)).as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let summary: Value = serde_json::from_slice(&output.stdout).expect("a summary");
    let records = &summary["records"];
    assert_eq!((&records["in"], &records["debited"]), (&2.into(), &1.into()), "{records}");
    assert_eq!(records["rejectedBy"]["too-large"], 1);
    let reject = std::fs::read_to_string(directory.join("rejects.jsonl")).expect("rejects");
    let reject: Value = serde_json::from_str(reject.trim_end()).expect("a reject");
    assert_eq!(reject["length"], LINE_BYTES);
    assert!(reject["record"].as_str().is_some_and(|head| head.len() <= 65_536));
}
