use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::money::{RoundingMode, round_sixtieths};
use super::{Script, deck, row, time};
use crate::model::{Model, ModelDeck, Options};

/// The charge of one call under one deck.
fn charge(deck: ModelDeck, seconds: i64, start: &str) -> Value {
    debit(vec![deck], row("C1", seconds, start))["charge"].clone()
}

fn debit(decks: Vec<ModelDeck>, row: Value) -> Value {
    let mut script = Script::with_decks(decks);
    script.command("2026-01-01T00:00:00Z", "openAccount", json!({}));
    let arrival = time::parse(row["startDateTime"].as_str().expect("a start")).expect("an instant");
    let outputs = script.model.feed_cdr(&row, arrival);
    outputs.into_iter().find(|output| output["type"] == "debit").expect("a debit")
}

fn amount(csv: &str, seconds: i64) -> Value {
    charge(deck("", csv), seconds, "2026-02-01T00:00:00Z")["amount"].clone()
}

#[test]
fn increments_fee_and_bounds() {
    let full = "prefix,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge\n";
    for (cells, seconds, expected) in [
        ("44,0.6,0.1,60,60,,", 61, "1.30"),
        ("44,0.6,0.1,30,6,,", 31, "0.46"),
        ("44,0.6,0.1,30,6,,", 1, "0.40"),
        ("44,0.6,0,0,7,,", 8, "0.14"),
        ("44,0.6,0.1,1,1,0.5,", 1, "0.50"),
        ("44,0.6,0.1,1,1,,2", 3_600, "2.00"),
        // Neither fee nor minimum (C1).
        ("44,0.6,0.1,60,60,0.5,", 0, "0.00"),
    ] {
        assert_eq!(amount(&format!("{full}{cells}\n"), seconds), expected, "{cells} for {seconds} s");
    }
}

#[test]
fn ties_are_decided_on_the_exact_quotient_c12() {
    // 0.000001 × 30 / 60 = 0.0000005: a tie at six decimals.
    assert_eq!(amount("prefix,price_per_minute,initial_s,increment_s\n44,0.000001,30,6\n", 30), "0.000001");
    // 0.333333333 × 59 / 60 = 0.32777777745: at two decimals 0.33 or 0.32.
    let sixtieths = Decimal::new(333_333_333, 9) * Decimal::from(59);
    let rounded = |mode| round_sixtieths(sixtieths, mode, 2).to_string();
    assert_eq!(rounded(RoundingMode::HalfUp), "0.33");
    assert_eq!(rounded(RoundingMode::Down), "0.32");
    // 0.125 exactly, and a hair above.
    let tie = Decimal::new(75, 1);
    let above = tie + Decimal::new(1, 9);
    for (mode, at_tie, above_tie) in [
        (RoundingMode::HalfUp, "0.13", "0.13"),
        (RoundingMode::HalfEven, "0.12", "0.13"),
        (RoundingMode::HalfDown, "0.12", "0.13"),
        (RoundingMode::Up, "0.13", "0.13"),
        (RoundingMode::Down, "0.12", "0.12"),
    ] {
        assert_eq!(round_sixtieths(tie, mode, 2).to_string(), at_tie, "{mode:?}");
        assert_eq!(round_sixtieths(above, mode, 2).to_string(), above_tie, "{mode:?}");
    }
}

#[test]
fn tiers_price_each_increment_by_its_beginning() {
    let csv = "prefix,price_per_minute,initial_s,increment_s,tier2_from_s,tier2_price_per_minute\n44,6,60,30,70,3\n";
    // 0–60 at 6, 60–90 begins below 70 so at 6, 90–120 at 3: 6 + 3 + 1.5.
    assert_eq!(amount(csv, 100), "10.50");
}

const PEAK: &str = "
[bands]
zone = \"Europe/Berlin\"
selection = \"SELECTION\"
holidays = [\"2026-12-25\"]
[[bands.band]]
name = \"peak\"
days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]
from = \"08:00\"
to = \"18:00\"
";

#[test]
fn bands_of_the_start_or_split() {
    let csv = "prefix,price_per_minute,band\n44,6,peak\n44,1,\n";
    let in_mode = |selection: &str| deck(&PEAK.replace("SELECTION", selection), csv);
    // Thursday 17:58:30 in Berlin, four minutes: two begin before 18:00, two after.
    for (selection, start, expected) in [
        ("start", "2026-07-02T15:58:30Z", "24.00"),
        ("split", "2026-07-02T15:58:30Z", "14.00"),
        // [from, to): 18:00 itself is out, a tick earlier is in (C8).
        ("start", "2026-07-02T16:00:00Z", "4.00"),
        ("start", "2026-07-02T15:59:59.9999999Z", "24.00"),
        // In winter the same wall clock is an hour later; a holiday goes before its weekday.
        ("start", "2026-12-24T16:59:00Z", "24.00"),
        ("start", "2026-12-25T12:00:00Z", "4.00"),
    ] {
        assert_eq!(charge(in_mode(selection), 240, start)["amount"], expected, "{selection} {start}");
    }
}

#[test]
fn the_longest_prefix_then_the_longest_origin_n6() {
    let csv = "prefix,price_per_minute,origin_prefix\n44,1,\n4420,2,\n4420,3,49\n4420,4,4930\n447,5,\n";
    for (callee, caller, expected) in [
        ("+442071838750", "+49301234", "4.00"),
        ("+442071838750", "+49891234", "3.00"),
        ("+442071838750", "anonymous", "2.00"),
        ("+441111111111", "+49301234", "1.00"),
        ("+442", "+49301234", "1.00"),
    ] {
        let mut call = row("C1", 60, "2026-02-01T00:00:00Z");
        call["calleeNumber"] = json!(callee);
        call["callerNumber"] = json!(caller);
        assert_eq!(debit(vec![deck("", csv)], call)["charge"]["amount"], expected, "{callee} from {caller}");
    }
}

#[test]
fn a_masked_number_matches_on_what_is_seen_n1_n2() {
    let csv = "prefix,price_per_minute\n44,1\n44207,2\n";
    for (callee, flags, expected) in [
        ("+44***", json!(["masked", "masked-uncertain"]), "1.00"),
        ("+44207***", json!(["masked"]), "2.00"),
        ("+442**750", json!(["masked", "masked-uncertain"]), "1.00"),
        ("+441***", json!(["masked"]), "1.00"),
        ("+***", json!(["masked", "unrated"]), "0.00"),
        ("+4", json!(["unrated"]), "0.00"),
    ] {
        let mut call = row("C1", 60, "2026-02-01T00:00:00Z");
        call["calleeNumber"] = json!(callee);
        let debit = debit(vec![deck("", csv)], call);
        assert_eq!((&debit["charge"]["amount"], &debit["flags"]), (&json!(expected), &flags), "{callee}");
    }
}

#[test]
fn the_version_in_force_at_the_start_c4_c5() {
    let version = |version: u64, from: &str| {
        let manifest = format!("id = \"main\"\nversion = {version}\ncurrency = \"USD\"\neffectiveFrom = \"{from}\"\n");
        ModelDeck::read(&manifest, &format!("prefix,price_per_minute\n44,{version}\n")).expect("a sound deck")
    };
    let decks = vec![
        version(1, "2026-02-01T00:00:00Z"),
        version(3, "2026-03-01T00:00:00Z"),
        version(2, "2026-03-01T00:00:00Z"),
    ];
    let mut model = Model::new(decks, Vec::new(), Options::default());
    model.feed_command(&json!({
        "commandId": "c1", "orgId": "acme", "at": "2026-01-01T00:00:00Z", "type": "openAccount", "currency": "USD",
        "ratePlan": "any", "country": "GB",
    }));
    let arrival = time::parse("2026-03-02T00:00:00Z").expect("an instant");
    for (start, expected) in [
        ("2026-01-31T23:59:59.9999999Z", json!({ "amount": "0.00", "currency": "USD", "unrated": "no-deck" })),
        ("2026-02-01T00:00:00Z", json!(1)),
        ("2026-02-28T23:59:59.9999999Z", json!(1)),
        ("2026-03-01T00:00:00Z", json!(3)),
    ] {
        let charge = &model.feed_cdr(&row(start, 60, start), arrival);
        let charge = &charge.iter().find(|output| output["type"] == "debit").expect("a debit")["charge"];
        assert_eq!(charge.get("deckVersion").unwrap_or(charge), &expected, "{start}");
    }
}

#[test]
fn durations_and_their_flags_u2_u3_u4() {
    for (duration, end, billable, flags) in [
        (json!(0.4), None, 60, json!([])),
        (json!(60.5), None, 120, json!([])),
        (json!(0), None, 0, json!(["zero-seconds"])),
        (json!(86_401), None, 86_460, json!(["long-call"])),
        (json!(60), Some("2026-02-01T00:01:01Z"), 60, json!([])),
        (json!(60), Some("2026-02-01T00:01:01.0000001Z"), 60, json!(["duration-mismatch"])),
    ] {
        let mut call = row("C1", 0, "2026-02-01T00:00:00.0000000009Z");
        call["duration"] = duration.clone();
        call["endDateTime"] = json!(end);
        let debit = debit(vec![deck("", "prefix,price_per_minute\n44,1\n")], call);
        assert_eq!((&debit["charge"]["billableSeconds"], &debit["flags"]), (&json!(billable), &flags), "{duration}");
    }
}
