//! The boundary cases of reading usage records (boundaries.md U1–U8, U10–U14, N4, T5, T8), by their ids, in the formats
//! where they arise.

use drawdown_wire::source::{Context, Decoded, Profile};
use drawdown_wire::{CallType, Cdr, Flags, Reason, Rejection};

use super::{profile, read, show};

const BERLIN: &str = "asterisk-csv,zone=Europe/Berlin,region=DE";

/// A row of Master.csv.
fn asterisk(dst: &str, start: &str, answer: &str, end: &str, billsec: &str, disposition: &str) -> String {
    format!(
        "\"acme\",\"100\",\"{dst}\",\"internal\",\"\"\"Ann\"\" <100>\",\"PJSIP/100-1\",\"PJSIP/t-1\",\"Dial\",\"x\",\
         \"{start}\",\"{answer}\",\"{end}\",99,{billsec},\"{disposition}\",\"DOCUMENTATION\""
    )
}

fn check(specification: &str, rows: &[(&str, &str)]) {
    let profile = profile(specification);
    for (row, expected) in rows {
        let found = read(&profile, row.as_bytes(), &Context::default());
        assert_eq!(found, [*expected], "{row}");
    }
}

fn decode<'a>(profile: &'a Profile, row: &'a str, context: Context<'a>) -> Result<Cdr<'a>, Rejection> {
    match profile.decode(row.as_bytes(), None, &context)? {
        Decoded::Cdr(cdr) => Ok(cdr),
        Decoded::NotACall => panic!("not a call: {row}"),
    }
}

/// U1: the profile's name is the source, unless CloudEvents names one.
#[test]
fn u1_identity() {
    let profile = profile(BERLIN);
    let row = asterisk("+4420", "2026-01-01 10:00:00", "", "", "0", "BUSY");
    let cdr = decode(&profile, &row, Context::default()).expect("a call");
    assert_eq!((&*cdr.source, &*cdr.id), ("asterisk-csv", "/PJSIP/100-1/PJSIP/t-1/2026-01-01 10:00:00"));
    let event = Context { ce_id: Some("e1"), ce_source: Some("//pbx"), ..Context::default() };
    let cdr = decode(&profile, &row, event).expect("a call");
    assert_eq!((&*cdr.source, &*cdr.id), ("//pbx", "e1"));
}

/// U2: `duration` rules, the difference is flagged; an end before the start is rejected. Ringing is no difference.
#[test]
fn u2_duration_and_span() {
    let row = |answer, end, billsec| asterisk("+4420", "2026-01-01 10:00:00", answer, end, billsec, "ANSWERED");
    check(
        BERLIN,
        &[
            (
                &row("2026-01-01 10:00:30", "2026-01-01 10:01:30", "60"),
                "acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:30Z 60 s",
            ),
            (
                &row("2026-01-01 10:00:30", "2026-01-01 10:01:32", "60"),
                "acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:30Z 60 s duration-mismatch",
            ),
            (
                &row("", "2026-01-01 10:01:32", "60"),
                "acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:00Z 60 s",
            ),
            (
                &row("2026-01-01 10:00:30", "", "60"),
                "acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:30Z 60 s",
            ),
            (&row("2026-01-01 10:00:30", "2026-01-01 10:00:29", "60"), "end-before-start (end)"),
        ],
    );
}

/// U3: fractions round up, negative is rejected, above 24 hours is flagged.
#[test]
fn u3_absurd_durations() {
    let row = |billsec| asterisk("+4420", "2026-01-01 10:00:00", "2026-01-01 10:00:00", "", billsec, "ANSWERED");
    let call = |rest: &str| format!("acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:00Z {rest}");
    check(
        BERLIN,
        &[
            (&row("3.2"), &call("4 s")),
            (&row("86400"), &call("86400 s")),
            (&row("86401"), &call("86401 s long-call")),
            (&row("-1"), "negative-duration (billsec)"),
            (&row("1e300"), "bad-field (billsec)"),
            (&row("ten"), "bad-field (billsec)"),
            (&row(""), "missing-field (billsec)"),
        ],
    );
}

fn freeswitch(variables: &str) -> String {
    format!(
        "{{\"variables\":{{\"uuid\":\"u\",\"accountcode\":\"acme\",\"start_uepoch\":\"1767261600000000\",{variables}}},\
         \"callflow\":[{{\"caller_profile\":{{\"destination_number\":\"+4420\",\"context\":\"default\"}}}}]}}"
    )
}

/// U4: a sub-second call is known by a finer field only. U5: the answer time is the start.
#[test]
fn u4_u5_sub_second_calls_and_answer_times() {
    let call = |rest: &str| format!("acme freeswitch-json/…u user_out +4420 {rest}");
    check(
        "freeswitch-json",
        &[
            (
                &freeswitch(r#""answer_uepoch":"1767261607500000","billsec":"0","billmsec":"400""#),
                &call("2026-01-01T10:00:07.5Z 1 s"),
            ),
            (
                &freeswitch(r#""answer_uepoch":"1767261607500000","billsec":"0","billmsec":"0""#),
                &call("2026-01-01T10:00:07.5Z 0 s"),
            ),
            (
                &freeswitch(r#""answer_uepoch":"1767261607500000","billsec":"7","billmsec":"7400""#),
                &call("2026-01-01T10:00:07.5Z 7 s"),
            ),
            (&freeswitch(r#""answer_uepoch":"0","billsec":"0""#), &call("2026-01-01T10:00:00Z 0 s")),
            (
                &freeswitch(r#""answer_uepoch":"0","billsec":"9""#),
                &call("2026-01-01T10:00:00Z 0 s unanswered-with-billsec"),
            ),
        ],
    );
}

/// U6: billed seconds of a row that is not `ANSWERED` do not count, and are flagged.
#[test]
fn u6_unanswered_with_billed_seconds() {
    let row = |disposition| asterisk("+4420", "2026-01-01 10:00:00", "", "2026-01-01 10:01:00", "60", disposition);
    let expected = "acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:00Z 0 s unanswered-with-billsec";
    check(BERLIN, &[(&row("NO ANSWER"), expected), (&row("FAILED"), expected), (&row("answered"), expected)]);
}

/// U7 and domain.md section 1: the hour that is skipped, and the one that happens twice.
#[test]
fn u7_clock_changes() {
    let row = |start: &str| asterisk("+4420", start, "", "", "0", "BUSY");
    check(
        BERLIN,
        &[
            (
                &row("2026-03-29 02:30:00"),
                "acme asterisk-csv/…:30:00 user_out +4420 2026-03-29T01:30:00Z 0 s nonexistent-time",
            ),
            (
                &row("2026-10-25 02:30:00"),
                "acme asterisk-csv/…:30:00 user_out +4420 2026-10-25T00:30:00Z 0 s ambiguous-time",
            ),
            (&row("2026-02-30 02:30:00"), "bad-field (start)"),
            (&row("2026-10-25T02:30:00Z"), "bad-field (start)"),
            (&row(""), "missing-field (start)"),
        ],
    );
}

/// U7: a call within the hour that happens twice, over the change of the clocks, did not end before it began.
#[test]
fn u7_calls_across_the_end_of_summer_time() {
    let profile = profile(BERLIN);
    let row = |answer: &str, end: &str, billsec: &str| {
        let [answer, end] = [answer, end].map(|time| format!("2026-10-25 {time}"));
        asterisk("+4420", &answer, &answer, &end, billsec, "ANSWERED")
    };
    for (answer, end, billsec, start_utc, end_utc, flags) in [
        ("02:50:00", "02:10:00", "1200", "00:50:00", "01:10:00", Flags::AMBIGUOUS_TIME),
        ("02:10:00", "02:50:00", "2400", "00:10:00", "00:50:00", Flags::AMBIGUOUS_TIME),
        ("01:50:00", "02:10:00", "1200", "23:50:00", "00:10:00", Flags::AMBIGUOUS_TIME),
        ("03:50:00", "04:10:00", "1200", "02:50:00", "03:10:00", Flags::NONE),
    ] {
        let row = row(answer, end, billsec);
        let cdr = decode(&profile, &row, Context::default()).expect(end);
        let ended = cdr.end.expect("an end").to_string();
        assert_eq!((&cdr.start.to_string()[11..19], &ended[11..19], cdr.flags), (start_utc, end_utc, flags), "{row}");
    }
    let row = row("03:50:00", "02:10:00", "1200");
    let rejection = decode(&profile, &row, Context::default()).expect_err("even the later is before the start");
    assert_eq!(rejection.reason, Reason::EndBeforeStart);
}

/// U8: broken quotes are data; a wrong count of columns is a rejection by itself, and the next line is read.
#[test]
fn u8_broken_quotes() {
    let good = asterisk("+4420", "2026-01-01 10:00:00", "", "", "0", "BUSY");
    let broken = good.replace("\"\"\"Ann\"\" <100>\"", "\"\"Ann\" <100>\"");
    let open = good.replace("\"\"\"Ann\"\" <100>\"", "\"Ann");
    let short = "\"acme\",\"100\"";
    let call = "acme asterisk-csv/…:00:00 user_out +4420 2026-01-01T09:00:00Z 0 s";
    let file = [&good, &broken, &open, short, &good].join("\r\n");
    let found = read(&profile(BERLIN), file.as_bytes(), &Context::default());
    assert_eq!(found, [call, &format!("{call} quoting"), "column-count", "column-count", call]);
    let profile = profile(BERLIN);
    let cdr = decode(&profile, &broken, Context::default()).expect("read tolerantly");
    assert_eq!(cdr.text.user_display_name.as_deref(), Some("\"Ann\" <100>"));
}

/// U10: the record and its key must agree; a silent record takes the key, then `--org`.
#[test]
fn u10_organisation() {
    let profile = profile(BERLIN);
    let row = asterisk("+4420", "2026-01-01 10:00:00", "", "", "0", "BUSY");
    let silent = row.replace("\"acme\"", "\"\"");
    let org = |row: &str, key, org| {
        let context = Context { key, org, ..Context::default() };
        decode(&profile, row, context)
            .map(|cdr| cdr.org.into_owned())
            .map_err(|rejection| (rejection.reason, rejection.field.unwrap_or_default()))
    };
    assert_eq!(org(&row, None, Some("other")), Ok("acme".into()));
    assert_eq!(org(&row, Some("acme"), None), Ok("acme".into()));
    assert_eq!(org(&row, Some("other"), None), Err((Reason::OrgMismatch, "accountcode".into())));
    assert_eq!(org(&silent, Some("other"), Some("third")), Ok("other".into()));
    assert_eq!(org(&silent, None, Some("third")), Ok("third".into()));
    assert_eq!(org(&silent, None, None), Err((Reason::MissingField, "accountcode".into())));
}

/// U11, U12: no user is fine; call types are exact, and `dr_*` is Direct Routing.
#[test]
fn u11_u12_users_and_call_types() {
    let profile = profile("teams-export");
    let header = "UsageId,AAD ObjectId,User Location,Call Type,Destination Number,Start Time,Duration Seconds";
    let header = profile.header("t", &[header.as_bytes().to_vec()]).expect("a header");
    let decode = |call_type: &str| {
        let row = format!("u1,,US,{call_type},+4420,2026-01-01T00:00:00Z,1");
        let context = Context { org: Some("o"), ..Context::default() };
        let decoded = profile.decode(row.as_bytes(), header.as_ref(), &context);
        match decoded {
            Ok(Decoded::Cdr(cdr)) => {
                assert_eq!(cdr.text.user_id, None);
                Ok(cdr.call_type)
            }
            other => Err(show(&other)),
        }
    };
    assert_eq!(decode("user_out"), Ok(CallType::UserOut));
    assert_eq!(decode("dr_xyz"), Ok(CallType::DirectRouting));
    for unknown in ["User_Out", "ByotIn", "user_out_x", "oneway"] {
        assert_eq!(decode(unknown), Err("unknown-call-type (Call Type)".into()));
    }
    assert_eq!(decode(""), Err("missing-field (Call Type)".into()));
}

/// U13, T8: offsets are converted, full precision is kept, a year before 1970 is missing.
#[test]
fn u13_t8_times() {
    let row = |at: &str| {
        format!(
            r#"{{"id":"1","orgId":"o","callType":"user_in","duration":0,"startDateTime":"{at}","receivedAt":"{at}"}}"#
        )
    };
    for (at, utc) in [
        ("2025-12-31T23:59:59.9999999Z", "2025-12-31T23:59:59.9999999Z"),
        ("2026-01-01T00:59:59.99999999999999+01:00", "2025-12-31T23:59:59.999999999Z"),
    ] {
        let (row, native) = (row(at), profile("native"));
        let cdr = decode(&native, &row, Context::default()).expect("a call");
        assert_eq!(cdr.start.to_string(), utc);
        // T5: arrival as the row claims it.
        assert_eq!(cdr.received, Some(cdr.start));
    }
    let found = read(&profile("native"), row("0001-01-01T00:00:00Z").as_bytes(), &Context::default());
    assert_eq!(found, ["missing-field (startDateTime)"]);
}

/// U14, N4: emergency before everything, even where the switch has an extension of that number.
#[test]
fn u14_n4_numbers_of_a_switch() {
    let row = |dst| asterisk(dst, "2026-01-01 10:00:00", "", "", "0", "BUSY");
    let call = |callee: &str| format!("acme asterisk-csv/…:00:00 user_out {callee} 2026-01-01T09:00:00Z 0 s");
    check(
        BERLIN,
        &[
            (&row("112"), &call("emergency")),
            (&row("110"), &call("emergency")),
            (&row("100"), &call("internal")),
            (&row("*72"), &call("internal")),
            (&row("*72*1"), "bad-number (dst)"),
            (&row("#31#0301234567"), "bad-number (dst)"),
            (&row("030 1234567"), &call("+49301234567")),
            (&row("0049 30 1234567"), &call("+49301234567")),
            (&row("+49301234***"), &format!("{} masked", call("+49301234*"))),
            (&row("***"), &format!("{} masked", call("*"))),
            (&row("anonymous"), "bad-number (dst)"),
            (&row(""), "missing-field (dst)"),
        ],
    );
}

/// Local numbers without a region are refused, not guessed (domain.md section 2).
#[test]
fn no_region_no_guess() {
    let row = asterisk("030 1234567", "2026-01-01 10:00:00", "", "", "0", "BUSY");
    let profile = profile("asterisk-csv,zone=UTC");
    let rejection = decode(&profile, &row, Context::default()).expect_err("no region");
    assert_eq!(rejection.reason, Reason::BadNumber);
    assert!(rejection.detail.contains("no region is known"), "{rejection}");
    assert!(!rejection.detail.contains("1234567"), "{rejection}");
}

/// Which of the two was meant, nobody knows; fields that are not read may be there as often as they like.
#[test]
fn a_field_that_is_there_twice_is_refused() {
    let call = freeswitch(r#""answer_uepoch":"1767261607500000","billsec":"7","note":"a","note":"b""#);
    let twice = call.replace("\"billsec\":\"7\"", "\"billsec\":\"7\",\"billsec\":\"9\"");
    let elsewhere = call.replace("\"callflow\":", "\"variables\":{\"billsec\":\"9\"},\"callflow\":");
    check(
        "freeswitch-json",
        &[
            (&call, "acme freeswitch-json/…u user_out +4420 2026-01-01T10:00:07.5Z 7 s"),
            (&twice, "bad-field (variables.billsec)"),
            (&elsewhere, "bad-field (variables.billsec)"),
        ],
    );
}

/// Percent-encoded values of mod_json_cdr.
#[test]
fn percent_encoded_values() {
    let row = freeswitch(r#""answer_uepoch":"0","billsec":"0","sip_call_id":"a%40b%2","user_name":"caf%C3%A9%FF""#);
    let profile = profile("freeswitch-json");
    let cdr = decode(&profile, &row, Context::default()).expect("a call");
    assert_eq!(cdr.text.call_id.as_deref(), Some("a@b%2"));
    assert_eq!(cdr.text.user_id.as_deref(), Some("caf%C3%A9%FF"), "what is no UTF-8 stays as it is");
    assert_eq!(cdr.flags, Flags::NONE);
}
