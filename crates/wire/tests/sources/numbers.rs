//! Every row of the two files that libphonenumber made.

use std::io::Read;

use drawdown_rating::Number;
use drawdown_wire::Callee;
use drawdown_wire::number::{self, NumberPlan, classify};

fn rows(text: &str) -> csv::Reader<&[u8]> {
    csv::Reader::from_reader(text.as_bytes())
}

fn dialled_strings() -> String {
    let mut text = String::new();
    let bytes = &include_bytes!("../data/dialled_strings_libphonenumber.csv.gz")[..];
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
    text
}

#[test]
fn every_dialled_string_is_what_libphonenumber_makes_of_it() {
    let text = dialled_strings();
    let mut count = 0;
    let mut wrong = Vec::new();
    for row in rows(&text).records() {
        let row = row.expect("csv");
        let (raw, region, result, e164) =
            (&row[0], Some(&row[1]).filter(|region| !region.is_empty()), &row[3], &row[4]);
        count += 1;
        let found = number::normalise(raw, region).unwrap_or_default();
        let classified = classify(&NumberPlan::unknown(), raw, region, "calleeNumber");
        // boundaries.md N3: more than 15 digits are no number, even where libphonenumber lets them be.
        let number = Number::parse_clean(e164);
        let is_right = match (&classified, number) {
            (Ok(Callee::Number { number: found, masked: false }), Some(number)) => *found == number,
            (Err(_), None) => true,
            _ => false,
        };
        if !is_right || found != e164 || (result == "ok") == e164.is_empty() {
            wrong.push(format!("{raw:?} in {region:?}: {found:?} and {classified:?}, not {e164:?}"));
        }
    }
    assert_eq!(count, 10_937);
    assert!(wrong.is_empty(), "{} wrong, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
}

/// boundaries.md U20, U21, U22.
#[test]
fn type_and_region_are_libphonenumbers() {
    let text = dialled_strings();
    let mut count = 0;
    for row in rows(&text).records() {
        let row = row.expect("csv");
        let (kind, Some(number), number_type, region) = (&row[2], Number::parse_clean(&row[4]), &row[7], &row[8])
        else {
            continue;
        };
        if kind != "e164" {
            continue;
        }
        count += 1;
        assert_eq!(number::is_toll_free(number), number_type == "TOLL_FREE", "{number}");
        assert_eq!(number::is_premium(number), number_type == "PREMIUM_RATE", "{number}");
        let found = number::region_of(number);
        assert_eq!(found.as_ref().map(|code| &code[..]), Some(region.as_bytes()), "{number}");
    }
    assert_eq!(count, 1_091);
}

#[test]
fn every_short_code_is_found_before_normalising() {
    let text = include_str!("../data/short_and_emergency.csv");
    let mut count = 0;
    for row in rows(text).records() {
        let row = row.expect("csv");
        let (region, digits, cost, is_emergency) = (&row[0], &row[1], &row[2], &row[3] == "1");
        count += 1;
        let found = classify(&NumberPlan::unknown(), digits, Some(region), "calleeNumber");
        match found {
            Ok(Callee::Emergency) => assert!(is_emergency, "{region} {digits}"),
            Ok(Callee::ShortCode { free }) => {
                assert!(!is_emergency && (free || cost != "TOLL_FREE"), "{region} {digits} {free}");
            }
            other => panic!("{region} {digits}: {other:?}"),
        }
        // boundaries.md U14: a string with + is never a short code.
        let with_plus = classify(&NumberPlan::unknown(), &format!("+{digits}"), Some(region), "calleeNumber");
        assert!(!matches!(with_plus, Ok(Callee::Emergency | Callee::ShortCode { .. })), "+{digits}");
    }
    assert_eq!(count, 630);
}
