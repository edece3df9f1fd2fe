#![no_main]
//! A manifest, a zero byte, rows.
use drawdown_rating::{Deck, DeckText};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (manifest, rows) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Ok(manifest) = std::str::from_utf8(manifest) {
        let _ = Deck::compile(DeckText { manifest_name: "m.toml", manifest, rows_name: "r.csv", rows });
    }
});
