//! What is said of a deck that was withdrawn, and which decks are advised.

use std::path::Path;

use drawdown_rating::DeckText;
use drawdown_units::Timestamp;

use super::*;
use crate::deck::load::load;

const DEBITS: &str = include_str!("../../tests/files/golden/v1/debits.jsonl");

fn deck() -> Deck {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
    load(&manifest).expect("a deck of the repository").deck
}

fn withdrawn() -> Deck {
    deck().withdrawn(Timestamp::parse("2026-04-01T00:00:00Z").expect("an instant"))
}

fn priced() -> Value {
    let line = DEBITS.lines().find(|line| line.contains("pricePerMinute")).expect("a priced debit");
    serde_json::from_str(line).expect("JSON")
}

/// The same call, as if no deck had priced it.
fn unrated() -> Value {
    let mut unrated = priced();
    unrated["charge"] = json!({"amount": "0.00", "currency": "USD", "unrated": "no-deck"});
    unrated["funding"] = json!([]);
    unrated["flags"] = json!(["unrated"]);
    unrated
}

fn texts(debit: &Value, decks: &[Deck], about: &str) -> (Value, Vec<String>) {
    let offered = |_, started| in_force(decks, started);
    let told = explained(debit.to_string().as_bytes(), decks, &offered).expect("a debit");
    let lines = told["explanation"].as_array().expect("a list").iter().filter(|line| line["about"] == about);
    let texts = lines.filter_map(|line| line["text"].as_str()).map(str::to_owned).collect();
    (told, texts)
}

#[test]
fn a_withdrawn_deck_still_explains_what_it_priced() {
    for (deck, is_withdrawn) in [(deck(), false), (withdrawn(), true)] {
        let (told, about_deck) = texts(&priced(), &[deck], "deck");
        assert_eq!(told["recomputed"]["equal"], true, "{told}");
        assert_eq!(about_deck[0].ends_with("; withdrawn since 2026-04-01T00:00:00Z"), is_withdrawn, "{about_deck:?}");
    }
}

#[test]
fn a_withdrawn_deck_is_no_way_out_for_an_unrated_call() {
    for (deck, is_offered) in [(deck(), true), (withdrawn(), false)] {
        let (told, todo) = texts(&unrated(), &[deck], "to do");
        assert_eq!(todo.iter().any(|text| text.contains("has a row now")), is_offered, "{told}");
    }
}

#[test]
fn decks_that_would_not_have_priced_the_call_are_not_advised() {
    let deck = |id: &str, version: u32, currency: &str, from: &str| {
        let manifest = format!(
            "id = \"{id}\"\nversion = {version}\ncurrency = \"{currency}\"\neffectiveFrom = \"{from}\"\nrows = \"r.csv\"\n"
        );
        let rows = b"prefix,price_per_minute\n33,1\n";
        let text = DeckText { manifest_name: "m.toml", manifest: &manifest, rows_name: "r.csv", rows };
        Deck::compile(text).expect("a sound deck").deck
    };
    let decks = [
        deck("a", 1, "USD", "2026-01-01T00:00:00Z"),
        deck("a", 3, "USD", "2026-02-01T00:00:00Z"),
        deck("a", 2, "USD", "2026-02-01T00:00:00Z"),
        deck("a", 4, "USD", "2026-04-01T00:00:00Z"),
        deck("b", 1, "EUR", "2026-01-01T00:00:00Z"),
        deck("c", 1, "USD", "2026-01-01T00:00:00Z"),
    ];
    let (told, todo) = texts(&unrated(), &decks, "to do");
    let advised: Vec<&str> = todo.iter().filter_map(|text| text.split_once(" has a row now").map(|it| it.0)).collect();
    assert_eq!(advised, ["deck a version 3", "deck c version 1"], "{told}");
}
