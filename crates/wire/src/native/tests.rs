use std::borrow::Cow;

use super::*;
use crate::flags::Flags;

const ROW: &str = r#"{"id":"9c4984c7-6c3c-427d-a30c-bd0b2eacee90","callId":"1835317186_112562680@61.221.3.176","orgId":"contoso","userId":"db03c14b-06eb-4189-939b-7cbf3a20ba27","userPrincipalName":"richard.malk@contoso.com","userDisplayName":"Richard Malk","startDateTime":"2019-11-01T00:00:08.2589935Z","endDateTime":"2019-11-01T00:03:47.2589935Z","duration":219,"charge":0.00,"callType":"user_out","currency":"USD","calleeNumber":"+442071838750","usageCountryCode":"US","tenantCountryCode":"US","connectionCharge":0.0,"callerNumber":"+12065550100","destinationContext":"International","destinationName":"United Kingdom","conferenceId":null,"licenseCapability":"MCOPSTNPP","inventoryType":"Subscriber","operator":"Microsoft","callDurationSource":"microsoft"}"#;

fn with(field: &str, value: &str) -> String {
    let key = format!("\"{field}\":");
    match ROW.find(&key) {
        Some(at) => {
            let rest = &ROW[at + key.len()..];
            let end = match rest.strip_prefix('"') {
                Some(text) => 2 + text.find('"').expect("closed"),
                None => rest.find([',', '}']).expect("ends"),
            };
            format!("{}{value}{}", &ROW[..at + key.len()], &rest[end..])
        }
        None => ROW.replacen('{', &format!("{{\"{field}\":{value},"), 1),
    }
}

fn decode(text: &str) -> Result<Cdr<'_>, Rejection> {
    super::decode(text.as_bytes(), &Context::default())
}

fn check_rejected(text: &str, reason: Reason, field: Option<&str>) {
    let rejection = decode(text).expect_err(text);
    assert_eq!((rejection.reason, rejection.field.as_deref()), (reason, field), "{rejection} for {text}");
    assert!(!rejection.detail.contains("2071838750"), "{rejection}");
}

#[test]
fn a_clean_row_is_borrowed_whole() {
    let cdr = decode(ROW).expect("a row");
    assert_eq!((&*cdr.source, &*cdr.id, &*cdr.org), ("native", "9c4984c7-6c3c-427d-a30c-bd0b2eacee90", "contoso"));
    assert_eq!((cdr.seconds, cdr.revision, cdr.void, cdr.flags), (219, 0, false, Flags::NONE));
    assert_eq!(cdr.start.to_string(), "2019-11-01T00:00:08.2589935Z");
    assert_eq!(cdr.caller, Number::parse_clean("+12065550100"));
    let number = Number::parse_clean("+442071838750").expect("a number");
    assert_eq!(cdr.callee, Callee::Number { number, masked: false });
    assert_eq!(cdr.text.conference_id, None);
    assert_eq!(cdr.text.upstream_charge.as_deref(), Some("0.00"), "kept as written");
    for text in [&cdr.id, &cdr.org, &cdr.text.call_type].into_iter().chain(&cdr.text.upstream_charge) {
        assert!(matches!(text, Cow::Borrowed(_)), "{text}");
    }
}

/// boundaries.md U2, U3, U4.
#[test]
fn duration_rules() {
    for (value, seconds, flags) in [
        ("219", 219, Flags::NONE),
        ("\"219\"", 219, Flags::NONE),
        ("218.2", 219, Flags::NONE),
        ("220", 220, Flags::NONE),
        ("220.1", 221, Flags::DURATION_MISMATCH),
        ("217.99", 218, Flags::DURATION_MISMATCH),
        ("0", 0, Flags::DURATION_MISMATCH),
        ("0.0", 0, Flags::DURATION_MISMATCH),
        ("0.001", 1, Flags::DURATION_MISMATCH),
        ("86400", 86_400, Flags::DURATION_MISMATCH),
        ("86401", 86_401, Flags::DURATION_MISMATCH.with(Flags::LONG_CALL)),
    ] {
        let text = with("duration", value);
        let cdr = decode(&text).expect(value);
        assert_eq!((cdr.seconds, cdr.flags), (seconds, flags), "{value}");
    }
    for (value, reason) in [
        ("-5", Reason::NegativeDuration),
        ("-0.1", Reason::NegativeDuration),
        ("1e300", Reason::BadField),
        ("4294967296", Reason::BadField),
        ("\"abc\"", Reason::BadField),
        ("true", Reason::BadField),
        ("[1]", Reason::BadField),
        ("{}", Reason::BadField),
        ("null", Reason::MissingField),
        ("\"\"", Reason::MissingField),
    ] {
        check_rejected(&with("duration", value), reason, Some("duration"));
    }
}

/// boundaries.md T8, U2, U13.
#[test]
fn times() {
    let start = |value: &str| decode(&with("startDateTime", value)).map(|cdr| cdr.start.to_string());
    assert_eq!(start("\"2019-11-01T01:00:08.258993599999+01:00\"").as_deref(), Ok("2019-11-01T00:00:08.258993599Z"));
    check_rejected(&with("startDateTime", "\"0001-01-01T00:00:00Z\""), Reason::MissingField, Some("startDateTime"));
    check_rejected(&with("startDateTime", "\"2019-11-01T00:00:08\""), Reason::BadField, Some("startDateTime"));
    check_rejected(&with("startDateTime", "1572566408"), Reason::BadField, Some("startDateTime"));
    check_rejected(
        &with("startDateTime", "\"2019-11-01T00:03:47.258993501Z\""),
        Reason::EndBeforeStart,
        Some("endDateTime"),
    );
    for missing in ["null", "\"\"", "\"0001-01-01T00:00:00Z\""] {
        assert_eq!(decode(&with("endDateTime", missing)).expect("a row").end, None);
    }
    let text = with("receivedAt", "\"2019-11-02T00:00:00Z\"");
    assert_eq!(decode(&text).expect("T5").received.map(|at| at.to_string()).as_deref(), Some("2019-11-02T00:00:00Z"));
}

/// boundaries.md U1, U10.
#[test]
fn identity_and_organisation() {
    let decode = |text: &str, context: Context<'_>| {
        super::decode(text.as_bytes(), &context)
            .map(|cdr| format!("{} {} {}", cdr.source, cdr.id, cdr.org))
            .map_err(|rejection| rejection.reason)
    };
    let text = with("id", "17");
    let none = Context::default();
    assert_eq!(decode(&text, none), Ok("native 17 contoso".into()));
    assert_eq!(decode(&text, Context { profile: Some("graph"), ..none }), Ok("graph 17 contoso".into()));
    let event = Context { profile: Some("graph"), ce_source: Some("//sbc1"), ce_id: Some("e1"), ..none };
    assert_eq!(decode(&text, event), Ok("//sbc1 e1 contoso".into()));
    assert_eq!(decode(&text, Context { key: Some("contoso"), ..none }), Ok("native 17 contoso".into()));
    assert_eq!(decode(&text, Context { key: Some("fabrikam"), ..none }), Err(Reason::OrgMismatch));
    let silent = text.replace("\"orgId\":\"contoso\",", "");
    assert_eq!(
        decode(&silent, Context { key: Some("fabrikam"), org: Some("x"), ..none }),
        Ok("native 17 fabrikam".into())
    );
    assert_eq!(decode(&silent, Context { org: Some("x"), ..none }), Ok("native 17 x".into()));
    assert_eq!(decode(&silent, none), Err(Reason::MissingField));
}

/// They are keys of messages, and stay in accounts: a byte more is too many.
#[test]
fn ids_have_an_end() {
    let long = |length: usize| format!("\"{}\"", "x".repeat(length));
    for field in ["id", "orgId", "userId"] {
        decode(&with(field, &long(512))).expect(field);
        check_rejected(&with(field, &long(513)), Reason::BadField, Some(field));
    }
    let silent = ROW.replace("\"orgId\":\"contoso\",", "");
    let key = "x".repeat(513);
    let rejection = super::decode(silent.as_bytes(), &Context { key: Some(&key), ..Context::default() });
    assert_eq!(rejection.expect_err("a long key").field.as_deref(), Some("orgId"));
}

#[test]
fn cloud_events_in_one_object() {
    let event = |attributes: &str| format!("{{\"specversion\":\"1.0\",\"type\":\"call\",{attributes}\"data\":{ROW}}}");
    let decode = |text: &str, context: Context<'_>| {
        super::decode(text.as_bytes(), &context)
            .map(|cdr| format!("{} {} {}", cdr.source, cdr.id, cdr.org))
            .map_err(|rejection| (rejection.reason, rejection.field.unwrap_or_default()))
    };
    let none = Context::default();
    let whole = event(r#""id":"e1","source":"//sbc1","partitionkey":"contoso","#);
    assert_eq!(decode(&whole, none), Ok("//sbc1 e1 contoso".into()));
    assert_eq!(decode(&whole, Context { key: Some("contoso"), ..none }), Ok("//sbc1 e1 contoso".into()));
    assert_eq!(decode(&whole, Context { key: Some("x"), ..none }), Err((Reason::OrgMismatch, "partitionkey".into())));
    let other = event(r#""id":"e1","source":"//sbc1","partitionkey":"x","#);
    assert_eq!(decode(&other, none), Err((Reason::OrgMismatch, "orgId".into())));
    let silent = event(r#""id":"e1","source":"//sbc1","#).replace("\"orgId\":\"contoso\",", "");
    assert_eq!(decode(&silent, none), Err((Reason::MissingField, "orgId".into())));
    assert_eq!(decode(&silent, Context { org: Some("y"), ..none }), Ok("//sbc1 e1 y".into()));
    assert_eq!(decode(&event(r#""id":"e1","#), none), Err((Reason::MissingField, "source".into())));
    assert_eq!(decode(&event(r#""source":"e1","#), none), Err((Reason::MissingField, "id".into())));
    let version = whole.replace("\"1.0\"", "\"0.3\"");
    assert_eq!(decode(&version, none), Err((Reason::BadField, "specversion".into())));
}

/// boundaries.md U11, U12, U14.
#[test]
fn call_types_decide_what_is_looked_at() {
    let callee = |call_type: &str, number: &str| {
        decode(&with("callType", call_type).replace("\"+442071838750\"", number))
            .map(|cdr| cdr.callee)
            .map_err(|r| r.reason)
    };
    assert_eq!(callee("\"user_in\"", "\"nonsense\""), Ok(Callee::NotRated));
    assert_eq!(callee("\"dr_xyz\"", "null"), Ok(Callee::NotRated));
    assert_eq!(callee("\"user_out\"", "\"911\""), Ok(Callee::Emergency));
    assert_eq!(callee("\"user_out\"", "\"nonsense\""), Err(Reason::BadNumber));
    assert_eq!(callee("\"conf_in\"", "null"), Err(Reason::MissingField));
    assert_eq!(callee("\"User_out\"", "null"), Err(Reason::UnknownCallType));
    assert_eq!(callee("\"ByotIn\"", "null"), Err(Reason::UnknownCallType));
    assert_eq!(callee("null", "null"), Err(Reason::MissingField));
    assert!(decode(&with("userId", "null")).is_ok(), "U11");
    let masked = with("calleeNumber", "\"+4420***\"");
    assert_eq!(decode(&masked).expect("masked").flags, Flags::MASKED);
}

#[test]
fn other_fields() {
    assert_eq!(decode(&with("revision", "3")).expect("revision").revision, 3);
    assert_eq!(decode(&with("revision", "null")).expect("revision").revision, 0);
    for wrong in ["-1", "1.5", "4294967296", "\"x\""] {
        check_rejected(&with("revision", wrong), Reason::BadField, Some("revision"));
    }
    assert!(decode(&with("void", "true")).expect("void").void);
    check_rejected(&with("void", "\"yes\""), Reason::BadField, Some("void"));
    assert_eq!(decode(&with("charge", "1e-9")).expect("kept").text.upstream_charge.as_deref(), Some("1e-9"));
    let escaped = with("userDisplayName", r#""Ren\u00e9e \"R\"""#);
    assert_eq!(decode(&escaped).expect("escapes").text.user_display_name.as_deref(), Some("Renée \"R\""));
    assert!(decode(&with("somethingNew", r#"{"a":[1,2,{"b":null}]}"#)).is_ok(), "unknown fields are ignored");
}

#[test]
fn what_is_no_row_is_undecodable() {
    for text in
        ["", "  ", "null", "[]", "\"x\"", "42", "{", "{\"id\":", "\u{feff}{}", "{}{}", "{\"id\":\"a\",}", "\0\0"]
    {
        let rejection = decode(text).expect_err(text);
        let expected = if text == "{}" { Reason::MissingField } else { Reason::Undecodable };
        assert_eq!(rejection.reason, expected, "{text:?}: {rejection}");
    }
    let rejection = super::decode(b"{\"id\":\"\xff\"}", &Context::default()).expect_err("not UTF-8");
    assert!(rejection.detail.contains("not UTF-8 at byte 7"), "{rejection}");
    for end in 0..ROW.len() {
        decode(&ROW[..end]).expect_err("truncated");
    }
    check_rejected(&ROW.replacen('{', "{\"id\":\"x\",", 1), Reason::BadField, Some("id"));
    check_rejected(&with("id", "[1]"), Reason::BadField, Some("id"));
    check_rejected(&with("id", "1.5"), Reason::BadField, Some("id"));
    check_rejected(&with("calleeNumber", "true"), Reason::BadField, Some("calleeNumber"));
}

/// Such a record would end the process, were it read.
#[test]
fn nesting_has_an_end() {
    for nested in ["[".repeat(200_000), "{\"a\":".repeat(200_000)] {
        let text = format!("{{\"more\":{nested}");
        let rejection = super::decode(text.as_bytes(), &Context::default()).expect_err("too deep");
        assert_eq!(
            (rejection.reason, &*rejection.detail),
            (Reason::Undecodable, "lists or objects are nested too deep")
        );
    }
}

/// What is borrowed from a row is written into debits without being looked at, which rests on this: a JSON string holds
/// no control character, and one with an escape is not borrowed.
#[test]
fn borrowed_texts_need_no_escaping() {
    for control in 0..0x20_u8 {
        let row = format!(
            r#"{{"id":"1","orgId":"o","callType":"user_in","startDateTime":"2026-01-01T00:00:00Z","duration":1,"userDisplayName":"a{}b"}}"#,
            char::from(control)
        );
        assert!(
            crate::native::decode(row.as_bytes(), &Context::default()).is_err(),
            "control character {control:#04x} was let through"
        );
    }
    let row = br#"{"id":"1","orgId":"o","callType":"user_in","startDateTime":"2026-01-01T00:00:00Z","duration":1,"userDisplayName":"a\"b\u0001c"}"#;
    let cdr = crate::native::decode(row, &Context::default()).expect("a row");
    assert!(matches!(cdr.text.user_display_name, Some(Cow::Owned(text)) if text == "a\"b\u{1}c"));
}
