//! What is said of a deck that was withdrawn.

use std::path::Path;

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

fn texts(debit: &Value, deck: Deck, about: &str) -> (Value, Vec<String>) {
    let told = explained(debit.to_string().as_bytes(), &[deck]).expect("a debit");
    let lines = told["explanation"].as_array().expect("a list").iter().filter(|line| line["about"] == about);
    let texts = lines.filter_map(|line| line["text"].as_str()).map(str::to_owned).collect();
    (told, texts)
}

#[test]
fn a_withdrawn_deck_still_explains_what_it_priced() {
    for (deck, is_withdrawn) in [(deck(), false), (withdrawn(), true)] {
        let (told, about_deck) = texts(&priced(), deck, "deck");
        assert_eq!(told["recomputed"]["equal"], true, "{told}");
        assert_eq!(about_deck[0].ends_with("; withdrawn since 2026-04-01T00:00:00Z"), is_withdrawn, "{about_deck:?}");
    }
}

#[test]
fn a_withdrawn_deck_is_no_way_out_for_an_unrated_call() {
    let mut unrated = priced();
    unrated["charge"] = json!({"amount": "0.00", "currency": "USD", "unrated": "no-deck"});
    unrated["funding"] = json!([]);
    unrated["flags"] = json!(["unrated"]);
    for (deck, is_offered) in [(deck(), true), (withdrawn(), false)] {
        let (told, todo) = texts(&unrated, deck, "to do");
        assert_eq!(todo.iter().any(|text| text.contains("has a row now")), is_offered, "{told}");
    }
}
