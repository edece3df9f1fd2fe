//! What the tests of this crate share: decks and calls from short texts.

use drawdown_units::Timestamp;

use crate::{Call, Called, Compiled, Deck, DeckText, Fault, Number, Product};

/// The keys that every manifest needs.
pub const MANIFEST: &str = r#"id = "test"
version = 1
currency = "USD"
effectiveFrom = "2026-01-01T00:00:00Z"
rows = "test.csv"
"#;

pub fn compile(manifest: &str, rows: &[u8]) -> Result<Compiled, Vec<Fault>> {
    Deck::compile(DeckText { manifest_name: "test.toml", manifest, rows_name: "test.csv", rows })
}

/// A deck of the usual manifest with `more` keys and these rows.
pub fn deck(more: &str, rows: &str) -> Deck {
    match compile(&format!("{MANIFEST}{more}"), rows.as_bytes()) {
        Ok(compiled) => compiled.deck,
        Err(faults) => panic!("{}", joined(&faults)),
    }
}

pub fn joined(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub fn number(digits: &str) -> Number {
    Number::from_digits(digits.as_bytes()).unwrap_or_else(|| panic!("{digits}"))
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An outbound call at noon of a Monday; stars at the end mask the number.
pub fn call(called: &str, seconds: u32) -> Call {
    let digits = called.trim_end_matches('*');
    Call {
        product: Product::Outbound,
        called: Called { number: number(digits), masked: digits != called },
        caller: None,
        start: at("2026-03-02T12:00:00Z"),
        seconds,
    }
}
