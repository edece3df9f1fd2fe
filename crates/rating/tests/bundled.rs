//! The decks and plans that ship in `config/`.

use std::fs;
use std::path::{Path, PathBuf};

use drawdown_rating::{
    Call, Called, Catalogue, Compiled, Deck, DeckText, Number, Product, RatePlan, Uncharged, rows_file_of,
};
use drawdown_units::{Money, Price, Timestamp};

fn config(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(path)
}

fn compile(name: &str) -> Compiled {
    let manifest = fs::read_to_string(config(&format!("decks/{name}.toml"))).expect("the manifest");
    let rows_name = rows_file_of(&manifest).expect("rows = …");
    let rows = fs::read(config(&format!("decks/{rows_name}"))).expect("the rows");
    let manifest_name = format!("{name}.toml");
    let text = DeckText { manifest_name: &manifest_name, manifest: &manifest, rows_name: &rows_name, rows: &rows };
    Deck::compile(text)
        .unwrap_or_else(|faults| panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

fn number(digits: &str) -> Number {
    Number::from_digits(digits.as_bytes()).unwrap_or_else(|| panic!("{digits}"))
}

fn call(digits: &str, seconds: u32) -> Call {
    Call {
        product: Product::Outbound,
        called: Called { number: number(digits), masked: false },
        caller: None,
        start: Timestamp::parse("2026-03-02T11:00:00Z").expect("a time"),
        seconds,
    }
}

/// Every row of the real deck is what its own prefix costs, for one second, a minute, and a second more; the expected
/// amounts are worked out from the text of the CSV.
#[test]
fn the_real_deck_prices_every_row() {
    let Compiled { deck, .. } = compile("acs-pstn");
    let csv = fs::read_to_string(config("decks/acs-pstn.csv")).expect("the rows");
    let mut row_count = 0;
    for (at, line) in csv.lines().enumerate().skip(1) {
        let (rest, price) = line.rsplit_once(',').expect("a price");
        let (_, prefix) = rest.rsplit_once(',').expect("a prefix");
        let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
        let micros: i64 = format!("{whole}{fraction:0<6}").parse().expect("micros");
        for (seconds, minutes) in [(1, 1), (60, 1), (61, 2)] {
            let charge = deck.charge(&call(prefix, seconds)).expect("a row");
            assert_eq!(charge.amount, Money::from_micros(micros * minutes), "{line} for {seconds} s");
            assert_eq!(charge.row.line as usize, at + 1);
            assert_eq!(charge.billable_seconds, 60 * minutes as u64);
            // A subscriber's number behind the prefix finds this row or a longer one.
            let longer =
                deck.look_up(Product::Outbound, Called { number: number(&format!("{prefix}7000")), masked: false });
            assert!(longer.expect("a row").prefix().length() >= charge.row.prefix.length());
        }
        assert_eq!(Price::parse(price), Ok(deck.rows()[at - 1].price));
        row_count += 1;
    }
    assert_eq!((row_count, deck.rows().len()), (6_592, 6_592));
}

#[test]
fn the_warnings_of_the_real_deck_are_few() {
    let Compiled { warnings, .. } = compile("acs-pstn");
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(shown.len() <= 8, "{}", shown.join("\n"));
    println!("{}", shown.join("\n"));
}

/// One call for each feature, with the sum it comes to worked out by hand.
#[test]
fn the_sample_deck_shows_every_feature() {
    let Compiled { deck, warnings } = compile("sample-features");
    assert!(warnings.is_empty(), "{warnings:?}");
    let at = |start: &str, digits: &str, seconds: u32| {
        let start = Timestamp::parse(start).expect("a time");
        deck.charge(&Call { start, ..call(digits, seconds) }).map(|charge| charge.amount.to_string())
    };
    let (noon, night, saturday) = ("2026-03-02T11:00:00Z", "2026-03-02T22:00:00Z", "2026-03-07T11:00:00Z");
    for (start, digits, seconds, amount) in [
        (noon, "493012345678", 61, "0.036"),
        (noon, "4915112345678", 61, "0.122"),
        (noon, "442071838750", 66, "0.0352"),
        (night, "442071838750", 60, "0.009"),
        (saturday, "442071838750", 60, "0.024"),
        // 0.03 + 600 s at 0.09 + 3,000 s at 0.07 + 6 s at 0.05
        (noon, "81312345678", 3_601, "4.435"),
        (noon, "8821", 60, "10.00"),
        (noon, "8821", 36_000, "1000.00"),
        (noon, "882999", 1, "3.00"),
    ] {
        assert_eq!(at(start, digits, seconds).as_deref(), Ok(amount), "+{digits} {seconds} s at {start}");
    }
    let from = |origin: Option<&str>| {
        let charge = deck.charge(&Call { caller: origin.map(number), ..call("33140000000", 1) });
        charge.map(|charge| charge.price_per_minute.to_string())
    };
    assert_eq!(from(Some("14255550100")).as_deref(), Ok("0.055"));
    assert_eq!(from(Some("493012345")).as_deref(), Ok("0.015"));
    assert_eq!(from(Some("498912345")).as_deref(), Ok("0.02"));
    assert_eq!(from(None).as_deref(), Ok("0.02"));
    let inbound = Call { product: Product::TollFreeInbound, ..call("498001234567", 60) };
    assert_eq!(deck.charge(&inbound).map(|charge| charge.amount.to_string()).as_deref(), Ok("0.021"));
    assert!(deck.charge(&call("882999", 1)).expect("a row").row.blocked);
    assert_eq!(deck.charge(&call("7", 1)).err(), Some(Uncharged::NoRow));
}

#[test]
fn the_sample_plan_fits_the_sample_deck() {
    let text = fs::read_to_string(config("plans/sample-rate-plan.toml")).expect("the plan");
    let plan = RatePlan::parse("sample-rate-plan.toml", &text).expect("a plan");
    let catalogue = Catalogue::new(vec![compile("sample-features").deck], vec![plan]).expect("a catalogue");
    let plan = catalogue.plan("sample-rate-plan").expect("the plan");
    let start = Timestamp::parse("2026-03-02T11:00:00Z").expect("a time");
    let deck = catalogue.deck_in_force(plan, Product::Outbound, start).expect("a deck");
    assert_eq!((deck.id(), deck.version()), ("sample-features", 1));
}
