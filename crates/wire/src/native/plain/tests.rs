use proptest::prelude::*;

use drawdown_ledger::effects::Debited;
use drawdown_units::{Currency, Money};

use super::super::row;
use super::*;
use crate::debit::{DebitLine, Pricing};
use crate::flags::Flags;
use crate::source::Context;

const ROW: &str = r#"{"id":"9c4984c7-6c3c-427d-a30c-bd0b2eacee90","callId":"1835317186_112562680@61.221.3.176","orgId":"contoso","userId":"db03c14b-06eb-4189-939b-7cbf3a20ba27","userPrincipalName":"richard.malk@contoso.com","userDisplayName":"Zoë Malk","startDateTime":"2019-11-01T00:00:08.2589935Z","endDateTime":"2019-11-01T00:03:47.2589935Z","duration":219,"charge":0.00,"callType":"user_out","currency":"USD","calleeNumber":"+442071838750","usageCountryCode":"US","tenantCountryCode":"","connectionCharge":-1.5,"callerNumber":"+12065550100","destinationContext":"International","conferenceId":null}"#;

/// Whether `text` is taken as a plain row. If so the reader takes it too, to the same row.
fn is_taken(text: &str) -> bool {
    let (mut plain, mut whole) = (Row::default(), Row::default());
    if read(text, &mut plain).is_none() {
        return false;
    }
    row::by_reader(text, &mut whole).unwrap_or_else(|rejection| panic!("{text}: {rejection}"));
    assert_eq!(plain, whole, "{text}");
    true
}

#[test]
fn rows_as_sources_write_them_are_taken() {
    assert!(is_taken(ROW));
    assert!(is_taken(&ROW.replace(":", ": ").replace(",\"", ", \"").replace("00: 0", "00:0")), "one space after each");
    assert!(is_taken(&ROW.replacen('{', r#"{"@odata.etag":"x","retries":-3,"note":null,"#, 1)), "unknown fields");
    let reversed: Vec<&str> = ROW[1..ROW.len() - 1].split(',').rev().take(6).collect();
    assert!(is_taken(&format!("{{{}}}", reversed.join(","))), "keys out of order");
    assert!(is_taken(r#"{"revision":0}"#));
}

#[test]
fn whatever_else_there_is_goes_to_the_reader() {
    let with = |field: &str| ROW.replacen('{', &format!("{{{field},"), 1);
    for text in [
        String::new(),
        "{".into(),
        "{}".into(),
        format!(" {ROW}"),
        format!("{ROW}\n"),
        format!("{ROW},"),
        ROW.replace("duration\":", "duration\":\t"),
        ROW.replace("duration\":", "duration\" :"),
        ROW.replace(",\"callType", ",  \"callType"),
        ROW.replace("219", "0219"),
        ROW.replace("219", "2e1"),
        ROW.replace("219", "219."),
        ROW.replace("219", "-"),
        ROW.replace("219", "\"219\""),
        ROW.replace("219", "true"),
        ROW.replace("\"contoso\"", "7"),
        ROW.replace("null", "nul"),
        ROW.replace("null", "nullx"),
        ROW.replace("Malk\"", "\\u00e9\""),
        ROW.replace("Malk\"", "\u{1}\""),
        ROW.replace('}', ",}"),
        with("\"void\":false"),
        with("\"id\":\"twice\""),
        with("\"more\":{}"),
        with("\"more\":[]"),
        with("\"more\":true"),
        with("\"more\""),
    ] {
        assert!(!is_taken(&text), "{text}");
    }
    for end in 0..ROW.len() {
        assert!(!ROW.is_char_boundary(end) || !is_taken(&ROW[..end]), "cut off at {end}");
    }
}

/// What is copied from the record in runs is what would be written field by field.
#[test]
fn runs_are_the_fields_of_the_debit() {
    let written = |text: &str| {
        let cdr = crate::native::decode(text.as_bytes(), &Context::default()).expect("a row");
        let debited = Debited { seq: 1, at: cdr.start, balance_after: Money::ZERO };
        let (cdr, currency) = (&cdr, Currency::parse("USD").expect("a currency"));
        let (pool, funding, lots, pricing, flags) = (None, &[][..], &[][..], Pricing::Free, Flags::NONE);
        let mut line = Vec::new();
        DebitLine { cdr, pricing, currency, debited, pool, funding, lots, flags }.write(&mut line);
        let fields: serde_json::Value = serde_json::from_slice(&line).expect("a debit");
        // As long as before: nothing is there twice.
        (cdr.text.runs.iter().count(), (fields, line.len()))
    };
    let without = |field: &str| {
        let start = ROW.find(&format!("\"{field}\"")).expect("a field");
        format!("{}{}", &ROW[..start], &ROW[start + ROW[start..].find(',').expect("another") + 1..])
    };
    for (row, runs) in [
        (ROW.to_owned(), 5),
        (without("orgId").replacen('{', r#"{"orgId":"o","#, 1), 0),
        (without("userPrincipalName"), 5),
        (ROW.replace("\"US\"", "null"), 5),
        (ROW.replace(",\"", ", \""), 0),
        (ROW.replacen('{', "{\"unknown\":1,", 1), 0),
        (ROW.replace("\"conferenceId\":null", "\"operator\":\"x\",\"callDurationSource\":\"y\""), 5),
        // boundaries.md U13: there is no end, so it stands between two runs.
        (ROW.replace("2019-11-01T00:03:47.2589935Z", "0001-01-01T00:00:00Z"), 6),
        (ROW.replace("2019-11-01T00:03:47.2589935Z", "1969-12-31T23:59:59Z"), 6),
    ] {
        let ((count, taken), (none, read)) = (written(&row), written(&format!(" {row}")));
        assert_eq!((count, none), (runs, 0), "{row}");
        assert_eq!(taken, read, "{row}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_taken_the_reader_takes_as_well(
        at in 0..ROW.len(),
        length in 0..6_usize,
        inserted in "[\"\\\\{}\\[\\]:,. 019eE+\\-anultrfsé]{0,4}",
    ) {
        let end = (at + length).min(ROW.len());
        prop_assume!(ROW.is_char_boundary(at) && ROW.is_char_boundary(end));
        is_taken(&format!("{}{inserted}{}", &ROW[..at], &ROW[end..]));
    }

    #[test]
    fn in_any_order(fields in prop::collection::vec((0..18_usize, "[a-z0-9: .]{0,20}|null|-?[0-9]{1,3}(\\.[0-9]{1,2})?"), 1..12)) {
        let names: Vec<&str> = ROW.split('"').filter(|name| name.ends_with(|c: char| c.is_ascii_alphabetic())).collect();
        let field = |(name, value): &(usize, String)| {
            let is_bare = value == "null" || value.parse::<f64>().is_ok();
            let value = if is_bare { value.clone() } else { format!("\"{value}\"") };
            format!("\"{}\":{value}", names[name % names.len()])
        };
        let fields: Vec<String> = fields.iter().map(field).collect();
        is_taken(&format!("{{{}}}", fields.join(",")));
    }
}
