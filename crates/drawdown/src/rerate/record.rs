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
    // Numbers as they were rated: what a profile made of them needs no region any more.
    let called = row.remove("called");
    let caller = row.remove("caller");
    if let Some(digits) = called.as_ref().and_then(Value::as_str).filter(|_| !priced.is_masked) {
        row.insert("calleeNumber".to_owned(), json!(format!("+{digits}")));
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
