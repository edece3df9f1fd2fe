//! `drawdown deck`, as an operator runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A directory of its own for one test, in which the binary runs.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("deck-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        Dir(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).expect("a file");
    }

    /// A deck called `name`, with a plain manifest.
    fn deck(&self, name: &str, rows: impl AsRef<[u8]>) {
        self.write(&format!("{name}.toml"), manifest(name));
        self.write(&format!("{name}.csv"), rows);
    }

    fn run(&self, args: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_drawdown")).current_dir(&self.0).args(args).output();
        Ran::of(&output.expect("the binary runs"))
    }
}

fn manifest(name: &str) -> String {
    format!(
        "id = \"{name}\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = \"2026-01-01T00:00:00Z\"\nrows = \"{name}.csv\"\n"
    )
}

/// A finished run.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config");

#[test]
fn the_bundled_decks_are_clean_but_for_warnings() {
    let dir = Dir::new("bundled");
    let acs = format!("{CONFIG}/decks/acs-pstn.toml");
    let features = format!("{CONFIG}/decks/sample-features.toml");
    let ran = dir.run(&["deck", "check", &acs, &features]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("6,592 rows, 6,592 prefixes, 451 destinations, 0.011 to 0.708 USD a minute"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("0 faults, 2 warnings\n"), "{}", ran.out);
    assert_eq!(dir.run(&["deck", "check", "--strict", &acs]).code, Some(1), "warnings count when strict");
    assert_eq!(dir.run(&["deck", "check", "--strict", &features]).code, Some(0));
    let json = dir.run(&["deck", "check", "--json", &acs]).json();
    assert_eq!((&json["decks"][0]["rows"], &json["decks"][0]["priceMax"]), (&6592.into(), &"0.708".into()));
    assert_eq!((&json["clean"], json["warnings"].as_array().map(Vec::len)), (&false.into(), Some(2)));
}

/// Every bad input names file, line and column, and what to do; the exit code is 2; nothing panics.
#[test]
fn bad_rows_are_named_by_file_line_and_column() {
    let dir = Dir::new("bad-rows");
    let header = "prefix,price_per_minute\n";
    for (rows, expected) in [
        ("prefix,price_per_minute,colour\n44,0.01,red\n", "deck.csv:1: colour: unknown column \"colour\"; map it"),
        (&format!("{header}44,0.01\n49,0.02\n44,0.03\n"), "deck.csv:4: prefix: lines 2 and 4 have the same prefix 44"),
        (&format!("{header}44,1e-9\n"), "deck.csv:2: price_per_minute: \"1e-9\" is not a plain decimal number"),
        (&format!("{header}44,NaN\n"), "deck.csv:2: price_per_minute: \"NaN\" is not a plain decimal number"),
        (&format!("{header}44,\"0,05\"\n"), "write it with a point, or set decimal = \",\""),
        (&format!("{header}44,0,05\n"), "deck.csv:2"),
        (&format!("{header}44,-0.01\n"), "deck.csv:2: price_per_minute: \"-0.01\" is out of range"),
        (&format!("{header}44,\n"), "deck.csv:2: price_per_minute"),
        (&format!("{header}044,0.01\n"), "deck.csv:2: prefix: \"044\" is no prefix of an E.164 number"),
        (&format!("{header}{},0.01\n", "4".repeat(40)), "deck.csv:2: prefix: \"4444"),
        (&format!("{header}44,0.01\n4\0 9,0.02\n"), "deck.csv:3: prefix: the cell holds a NUL byte; remove it"),
        ("\u{feff}prefix,price_per_minute\r\n44,0.01\r\n49,x\r\n", "deck.csv:3: price_per_minute: \"x\""),
        ("price_per_minute\n0.01\n", "deck.csv:1: prefix: the column is missing"),
        ("", "deck.csv: the file is empty"),
        (header, "deck.csv: there are no rows"),
    ] {
        dir.deck("deck", rows);
        let ran = dir.run(&["deck", "check", "deck.toml"]);
        assert_eq!(ran.code, Some(2), "{rows:?}: {}", ran.out);
        assert!(ran.out.starts_with("error: ") && ran.out.contains(expected), "{rows:?}\n  gave {}", ran.out);
        assert_eq!(ran.err, "", "findings are the output, not a failure of the program");
        let rated = dir.run(&["deck", "price", "deck.toml", "+442071838750", "60"]);
        assert_eq!((rated.code, rated.out.as_str()), (Some(2), ""), "{rows:?}");
        assert!(rated.err.contains(expected), "{rows:?}\n  gave {}", rated.err);
    }
    dir.deck("deck", [0_u8, 159, 146, 150, 10, 255, 254, 44, 34, 10, 0, 0].as_slice());
    assert_eq!(dir.run(&["deck", "check", "deck.toml"]).code, Some(2), "binary rubbish");
    dir.deck("deck", "\u{feff}prefix,price_per_minute\r\n44,0.01\r\n\r\n49,0.02\r\n");
    assert_eq!(dir.run(&["deck", "check", "--strict", "deck.toml"]).code, Some(0), "a mark and CRLF are fine");
}

#[test]
fn every_fault_is_found_in_one_pass() {
    let dir = Dir::new("one-pass");
    dir.write("a.toml", manifest("a").replace("USD", "usd").replace("version = 1", "version = 1\nversoin = 2"));
    dir.write("a.csv", "prefix,price_per_minute,initial_s\n44,x,y\nz,0.01,60\n");
    dir.write("b.toml", "id = \"b\"\nversion = \"one\"\n");
    dir.write("c.toml", manifest("c"));
    dir.write("d.toml", b"\xff\xfe".as_slice());
    let ran = dir.run(&["deck", "check", "a.toml", "b.toml", "c.toml", "d.toml", "e.toml"]);
    assert_eq!(ran.code, Some(2));
    for expected in [
        "a.toml:4: currency: \"usd\" is no currency",
        "a.toml:3: versoin",
        "a.csv:2: price_per_minute: \"x\"",
        "a.csv:2: initial_s: \"y\"",
        "a.csv:3: prefix: \"z\"",
        "b.toml:2: version",
        "b.toml: rows",
        "b.toml: currency",
        "c.csv: cannot be read: No such file",
        "d.toml:1: this is not UTF-8 text",
        "e.toml: cannot be read: No such file",
    ] {
        assert!(ran.out.contains(expected), "{expected}\n{}", ran.out);
    }
    let json = dir.run(&["deck", "check", "--json", "a.toml"]).json();
    let fault = json["faults"].as_array().and_then(|faults| faults.iter().find(|fault| fault["column"] == "initial_s"));
    assert_eq!(fault.map(|fault| (&fault["file"], &fault["line"])), Some((&"a.csv".into(), &2.into())));
    assert_eq!(json["decks"].as_array().map(Vec::len), Some(0));
}

#[test]
fn versions_and_plans_are_checked_against_one_another() {
    let dir = Dir::new("versions");
    dir.deck("a", "prefix,price_per_minute\n44,0.01\n");
    dir.deck("b", "prefix,price_per_minute\n49,0.01\n");
    assert_eq!(dir.run(&["deck", "check", "a.toml", "b.toml"]).code, Some(0), "two decks are no fault");
    let ran = dir.run(&["deck", "check", "a.toml", "b.toml", "a.toml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.out.contains("has version 1 of deck a too"), "{}", ran.out);
    dir.write("plan.toml", "id = \"p\"\ncurrency = \"USD\"\n[products]\noutbound = \"a\"\n");
    assert_eq!(dir.run(&["deck", "check", "--rate-plan", "plan.toml", "a.toml"]).code, Some(0));
    let ran = dir.run(&["deck", "check", "--rate-plan", "plan.toml", "b.toml"]);
    assert!(ran.code == Some(2) && ran.out.contains("plan.toml: outbound: there is no deck a"), "{}", ran.out);
}

const OLD_ROWS: &str = "\
prefix,destination,price_per_minute,connection_fee,increment_s
1,North America,0.01,,
44,United Kingdom,0.03,,
447,United Kingdom - Mobile,0.10,,
49,Germany,0.02,0.01,
33,France,0.02,,
39,Italy,0,,
";
const NEW_ROWS: &str = "\
prefix,destination,price_per_minute,connection_fee,increment_s
1,North America,0.01,,
44,United Kingdom,0.04,,
447,United Kingdom - Mobile,0.09,,1
49,Germany,0.02,0.02,
39,Italy,0.05,,
41,Switzerland,0.05,,
";

#[test]
fn two_decks_are_compared_row_by_row() {
    let dir = Dir::new("diff");
    dir.deck("old", OLD_ROWS);
    dir.deck("new", NEW_ROWS);
    let ran = dir.run(&["deck", "diff", "old.toml", "new.toml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    insta::assert_snapshot!(ran.out);
    assert_eq!(dir.run(&["deck", "diff", "--strict", "old.toml", "new.toml"]).code, Some(1));
    let same = dir.run(&["deck", "diff", "--strict", "old.toml", "old.toml"]);
    assert!(same.code == Some(0) && same.out.contains("6 rows alike"), "{}", same.out);
    let json = dir.run(&["deck", "diff", "--json", "old.toml", "new.toml"]).json();
    assert_eq!((&json["dearer"][0]["percent"], &json["dearer"][1]["percent"]), (&Value::Null, &"+33.33".into()));
    assert_eq!(json["cheaper"][0]["others"][0]["after"], "60/1 s");
    assert_eq!((&json["added"][0]["prefix"], &json["removed"][0]["line"]), (&"41".into(), &6.into()));
    assert!(json.get("calls").is_none());
    dir.write("euro.toml", manifest("old").replace("USD", "EUR"));
    let ran = dir.run(&["deck", "diff", "old.toml", "euro.toml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("old.toml is in USD, euro.toml in EUR: nothing is converted"), "{}", ran.err);
}

#[test]
fn long_tables_are_cut_unless_all_is_asked_for() {
    let dir = Dir::new("diff-long");
    let rows = |price: &str| {
        let rows: String = (100..200).map(|prefix| format!("{prefix},{price}\n")).collect();
        format!("prefix,price_per_minute\n{rows}")
    };
    dir.deck("old", rows("0.01"));
    dir.deck("new", rows("0.02"));
    let lines = |args: &[&str]| {
        let ran = dir.run(&[&["deck", "diff", "old.toml", "new.toml"], args].concat());
        (ran.out.lines().filter(|line| line.contains("+100.00 %")).count(), ran.out)
    };
    let (shown, out) = lines(&[]);
    assert!(shown == 20 && out.contains("and 80 more; --all shows them"), "{out}");
    assert_eq!((lines(&["--top", "3"]).0, lines(&["--all"]).0), (3, 100));
}

fn call(id: u32, callee: &str, seconds: u32, org: &str) -> String {
    format!(
        r#"{{"id":"c{id}","orgId":"{org}","callType":"user_out","startDateTime":"2026-03-02T10:00:00Z","duration":{seconds},"calleeNumber":"{callee}"}}"#
    )
}

#[test]
fn real_calls_are_priced_by_both_decks() {
    let dir = Dir::new("diff-calls");
    dir.deck("old", OLD_ROWS);
    dir.deck("new", NEW_ROWS);
    let lines = [
        call(1, "+442071838750", 61, "one"),
        call(2, "+447911123456", 61, "one"),
        call(3, "+33142685300", 60, "one"),
        call(4, "+41443334455", 60, "one"),
        call(5, "+81312345678", 60, "one"),
        call(6, "+4930123456", 1, "two"),
        call(7, "+4930123456", 0, "two"),
        call(8, "+4930123456", 9, "two").replace("user_out", "user_in"),
        call(9, "+0", 9, "two"),
        "{\"id\":".to_owned(),
    ];
    dir.write("calls.jsonl", lines.join("\n"));
    let ran = dir.run(&["deck", "diff", "old.toml", "new.toml", "--calls", "calls.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    insta::assert_snapshot!(ran.out.split_once("Calls, USD").map(|(_, calls)| calls).unwrap_or_default());
    let json =
        dir.run(&["deck", "diff", "--json", "old.toml", "new.toml", "--calls", "calls.jsonl", "--org", "two"]).json();
    let calls = &json["calls"];
    assert_eq!((&calls["total"]["calls"], &calls["total"]["difference"]), (&2.into(), &"0.01".into()));
    assert_eq!((&calls["leftOut"], &calls["free"], &calls["rejected"]), (&5.into(), &1.into(), &2.into()));
    let ran = dir.run(&["deck", "diff", "old.toml", "new.toml", "--calls", "none.jsonl"]);
    assert!(ran.code == Some(2) && ran.err.contains("none.jsonl"), "{}", ran.err);
    let ran = dir.run(&["deck", "diff", "old.toml", "new.toml", "--calls", "calls.jsonl", "--source", "nonesuch"]);
    assert!(ran.code == Some(2) && ran.err.contains("nonesuch"), "{}", ran.err);
}

#[test]
fn a_price_is_explained() {
    let dir = Dir::new("price");
    dir.write("d.toml", manifest("d").replace("rows =", "rounding = { mode = \"half-even\", decimals = 4 }\nrows ="));
    dir.write(
        "d.csv",
        "prefix,destination,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge,blocked,origin_prefix,tier2_from_s,tier2_price_per_minute\n\
         44,United Kingdom,0.015,0.01,60,6,,,,,,\n\
         447,United Kingdom - Mobile,0.10,,1,1,0.05,1.00,,,,\n\
         447,United Kingdom - Mobile,0.20,,1,1,,,,41,,\n\
         49,Germany,0.02,,60,60,,,,,120,0.005\n\
         882,Satellite,5,,60,60,,,true,,,\n",
    );
    let at = ["--at", "2026-03-02T10:00:00Z"];
    let price = |args: &[&str]| dir.run(&[&["deck", "price", "d.toml"], args, &at].concat());
    let explained: Vec<String> = [
        &["+442071838750", "219"][..],
        &["+447911123456", "7"],
        &["+447911123456", "6000"],
        &["+447911123456", "7", "--from", "+41443334455"],
        &["+4930123456", "200"],
        &["+882161234567", "30"],
        &["+44", "0"],
        &["+44207***", "60"],
        &["+44***", "60"],
        &["112", "60", "--region", "de"],
        &["020 7183 8750", "61", "--region", "GB"],
        &["+81312345678", "60"],
        &["+442071838750", "60", "--product", "toll-free-inbound"],
    ]
    .iter()
    .map(|args| {
        let ran = price(args);
        format!("$ deck price d.toml {}\n{}exit {:?} {}\n", args.join(" "), ran.out, ran.code, ran.err)
    })
    .collect();
    insta::assert_snapshot!(explained.concat());
    let json = price(&["+4930123456", "200", "--json"]).json();
    assert_eq!((&json["charge"]["amount"], &json["charge"]["billableSeconds"]), (&"0.05".into(), &240.into()));
    assert_eq!((&json["parts"][1]["fromSecond"], &json["parts"][1]["pricePerMinute"]), (&120.into(), &"0.005".into()));
    let json = price(&["+81312345678", "60", "--json"]).json();
    assert_eq!((&json["rated"], &json["flags"][0]), (&false.into(), &"unrated".into()));
    let early = dir.run(&["deck", "price", "d.toml", "+44", "60", "--at", "2025-03-02T10:00:00Z"]);
    assert!(early.code == Some(0) && early.out.contains("in force only from 2026-01-01"), "{}", early.out);
    assert_eq!(dir.run(&["deck", "price", "d.toml", "+44", "60"]).code, Some(0), "now, where no time is given");
}

#[test]
fn wrong_arguments_say_what_to_write() {
    let dir = Dir::new("arguments");
    dir.deck("d", "prefix,price_per_minute\n44,0.01\n");
    for (args, expected) in [
        (&["02071838750", "60"][..], "not in international form; write it as +442071838750"),
        (&["+44x", "60"], "NUMBER"),
        (&["+4412345678901234", "60"], "more than 15 digits"),
        (&["+0123", "60"], "a 0 after the +"),
        (&["+44", "1.5"], "1.5"),
        (&["+44", "-1"], "-1"),
        (&["+44", "60", "--at", "yesterday"], "not an RFC 3339 time"),
        (&["+44", "60", "--from", "0"], "write + and at most 15 digits"),
        (&["+44", "60", "--region", "Wales"], "write a country's two letters"),
        (&["+44", "60", "--product", "voice"], "write outbound or toll-free-inbound"),
    ] {
        let ran = dir.run(&[&["deck", "price", "d.toml"], args].concat());
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.out);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
    }
}
