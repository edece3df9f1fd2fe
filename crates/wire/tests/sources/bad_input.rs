//! Input that is broken in every way one meets: each is a rejection that names the field, and the rest is read.

use drawdown_wire::source::{Context, Profile};

use super::{profile, read};

const NATIVE: &str = r#"{"id":"a","orgId":"o","callType":"user_out","startDateTime":"2026-01-01T00:00:00Z","endDateTime":"2026-01-01T00:01:00Z","duration":60,"calleeNumber":"+442071838750","usageCountryCode":"GB"}"#;
const CALL: &str = "o native/…a user_out +442071838750 2026-01-01T00:00:00Z 60 s";

fn check(input: &[u8], expected: &[&str]) {
    assert_eq!(read(&profile("native"), input, &Context::default()), expected, "{}", String::from_utf8_lossy(input));
}

#[test]
fn broken_lines_cost_themselves_only() {
    let truncated = &NATIVE[..100];
    let input = [
        NATIVE.as_bytes(),
        truncated.as_bytes(),
        b"\x00\x01\x02\xff\xfe binary \x00",
        b"",
        b"null",
        b"[1,2]",
        b"{\"id\":\"\xff\"}",
        b"{\"id\":\"nul \x00 inside\"}",
        NATIVE.as_bytes(),
    ]
    .join(&b"\r\n"[..]);
    check(
        &input,
        &[CALL, "undecodable", "undecodable", "undecodable", "undecodable", "undecodable", "undecodable", CALL],
    );
}

#[test]
fn marks_and_line_ends() {
    let bom = [b"\xEF\xBB\xBF", NATIVE.as_bytes(), b"\r\n", NATIVE.as_bytes()].concat();
    check(&bom, &[CALL, CALL]);
    let list = format!("\u{feff}[\r\n{NATIVE},\r\n{NATIVE}\r\n]");
    check(list.as_bytes(), &[CALL, CALL]);
    let pretty = NATIVE.replace('{', "{\n  ").replace(",\"", ",\n  \"").replace('}', "\n}");
    check(format!("{pretty}\n{pretty}\n").as_bytes(), &[CALL, CALL]);
    let page = format!("{{\"@odata.count\":1,\"value\":[{NATIVE}],\"@odata.nextLink\":\"x\"}}");
    check(page.as_bytes(), &[CALL]);
    check(format!("{page}\n{page}").as_bytes(), &[CALL, CALL]);
}

#[test]
fn absurd_fields_name_themselves() {
    for (from, to, expected) in [
        ("\"id\":\"a\"", "\"id\":null", "missing-field (id)"),
        ("\"id\":\"a\"", "\"id\":{}", "bad-field (id)"),
        ("\"duration\":60", "\"duration\":-60", "negative-duration (duration)"),
        ("\"duration\":60", "\"duration\":1e300", "bad-field (duration)"),
        ("\"duration\":60", "\"duration\":NaN", "undecodable"),
        ("\"duration\":60", "\"duration\":[60]", "bad-field (duration)"),
        ("00:01:00Z", "00:01:00", "bad-field (endDateTime)"),
        ("T00:01:00Z", "T25:01:00Z", "bad-field (endDateTime)"),
        ("\"endDateTime\":\"2026-01-01", "\"endDateTime\":\"2025-01-01", "end-before-start (endDateTime)"),
        ("+442071838750", "+4420718387504420718387504420718387504420", "bad-number (calleeNumber)"),
        ("+442071838750", "4420718387504420718387504420718387504420", "bad-number (calleeNumber)"),
        ("+442071838750", "+0", "bad-number (calleeNumber)"),
        ("+442071838750", "\\u0000", "bad-number (calleeNumber)"),
        ("\"+442071838750\"", "true", "bad-field (calleeNumber)"),
        ("\"GB\"", "\"Atlantis\"", CALL),
        ("user_out", "", "missing-field (callType)"),
    ] {
        assert!(NATIVE.contains(from), "{from}");
        check(NATIVE.replace(from, to).as_bytes(), &[expected]);
    }
}

#[test]
fn a_json_profile_rejects_as_the_native_one_does() {
    let profile = profile("twilio");
    let call = r#"{"sid":"a","account_sid":"o","direction":"outbound-api","status":"completed","to":"+442071838750","duration":"60","start_time":"Thu, 01 Jan 2026 00:00:00 +0000"}"#;
    let whole = "o twilio/…a user_out +442071838750 2026-01-01T00:00:00Z 60 s";
    let input = [
        call.to_owned(),
        call[..call.len() - 5].to_owned(),
        call.replace("\"60\"", "{\"s\":60}"),
        call.replace("\"60\"", "null"),
        call.replace("completed", "in-progress"),
        call.replace("outbound-api", "sideways"),
        call.replace("Thu, 01 Jan", "Thu, 32 Jan"),
        format!("{call} trailing"),
        "[]".to_owned(),
        call.to_owned(),
    ]
    .join("\n");
    let found = read(&profile, input.as_bytes(), &Context::default());
    assert_eq!(
        found,
        [
            whole,
            "undecodable",
            "bad-field (duration)",
            "missing-field (duration)",
            "not a call",
            "unknown-call-type (direction)",
            "bad-field (start_time)",
            "undecodable",
            "undecodable",
            whole,
        ]
    );
}

/// The Latin-1 of an old switch is told, not guessed.
#[test]
fn csv_that_is_not_utf_8() {
    let profile = profile("asterisk-csv,zone=UTC");
    let found = read(&profile, b"\"acme\",\"Ren\xe9\"\n\0\0\0\n,,,,\n", &Context::default());
    assert_eq!(found, ["undecodable", "column-count", "column-count"]);
}

#[test]
fn a_header_of_another_file_is_refused_at_once() {
    let profile: Profile = profile("teams-export");
    let faults = profile.header("calls.csv", &[b"a,b,c".to_vec()]).expect_err("another file");
    assert_eq!(faults.len(), 5, "{faults:?}");
    assert!(faults[0].to_string().starts_with("calls.csv:1: the header has no column UsageId"), "{}", faults[0]);
}
