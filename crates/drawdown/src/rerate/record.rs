//! A correction as a usage record: the call of a debit once more, under the next revision.

use serde_json::{Map, Value, json};

use super::difference::Priced;
use crate::exit::Failure;

/// The record, as a CloudEvent, which carries source and id whatever profile read the first one.
pub fn correction(priced: &Priced<'_>, line: &[u8]) -> Result<String, Failure> {
    let debit: Value = serde_json::from_slice(line).map_err(|error| Failure::Fault(error.into()))?;
    let mut row = match debit["call"].clone() {
        Value::Object(call) => call,
        _ => Map::new(),
    };
    for (from, to) in [
        ("upstreamCharge", "charge"),
        ("upstreamConnectionCharge", "connectionCharge"),
        ("upstreamCurrency", "currency"),
    ] {
        if let Some(value) = row.remove(from) {
            row.insert(to.to_owned(), value);
        }
    }
    // Numbers as they were rated: what a profile made of them needs no region any more. Of a masked one that is its
    // certain digits, which nothing but the profile could tell from what was dialled.
    let called = row.remove("called");
    let caller = row.remove("caller");
    if let Some(digits) = called.as_ref().and_then(Value::as_str) {
        let mask = if priced.is_masked { "***" } else { "" };
        row.insert("calleeNumber".to_owned(), json!(format!("+{digits}{mask}")));
    }
    if let Some(digits) = caller.as_ref().and_then(Value::as_str) {
        row.insert("callerNumber".to_owned(), json!(format!("+{digits}")));
    }
    row.insert("id".to_owned(), debit["id"].clone());
    row.insert("orgId".to_owned(), debit["orgId"].clone());
    row.insert("revision".to_owned(), json!(priced.revision + 1));
    let event = json!({
        "specversion": "1.0",
        "type": "drawdown.correction",
        "source": debit["source"],
        "id": debit["id"],
        "partitionkey": debit["orgId"],
        "data": row,
    });
    Ok(event.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use drawdown_units::Timestamp;
    use drawdown_wire::source::Context;
    use drawdown_wire::{Callee, debit, native};

    use super::*;
    use crate::deck::load::load;

    const DEBITS: &str = include_str!("../../tests/files/golden/v1/debits.jsonl");

    /// A profile read these without their `+`; by the region of the call they would be American numbers.
    #[test]
    fn a_number_is_sent_as_it_was_rated() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
        let decks = [load(&manifest).expect("a deck of the repository").deck];
        let line = DEBITS.lines().find(|line| line.contains("pricePerMinute")).expect("a priced debit");
        let mut written: Value = serde_json::from_str(line).expect("JSON");
        written["call"]["usageCountryCode"] = json!("US");
        for (dialled, called, flags) in
            [("493012345678", "493012345678", json!([])), ("4912345***", "4912345", json!(["masked"]))]
        {
            written["call"]["calleeNumber"] = json!(dialled);
            written["call"]["called"] = json!(called);
            written["flags"] = flags;
            let line = written.to_string();
            let debit = debit::read(line.as_bytes()).expect("a debit");
            let priced = Priced::of(&debit, &decks, Timestamp::MIN..Timestamp::MAX, false).expect("a price");
            let record = correction(&priced, line.as_bytes()).expect("a record");
            let cdr = native::decode(record.as_bytes(), &Context::default()).expect("a usage record");
            let Callee::Number { number, masked } = cdr.callee else { panic!("{:?}", cdr.callee) };
            assert_eq!((number.to_string().as_str(), masked), (called, priced.is_masked));
            assert_eq!((&*cdr.id, cdr.revision), (&*debit.id, debit.revision + 1));
        }
    }
}
