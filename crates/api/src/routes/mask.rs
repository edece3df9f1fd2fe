//! Tokens of cards stay here: whoever reads an account or its events sees enough of one to know it again.

use serde_json::{Map, Value};

/// The name under which a token stands on the wire, as it is written there.
const FIELD: &[u8] = b"\"card\":";

/// A line as it may be shown.
pub(super) fn shown(line: Vec<u8>) -> Vec<u8> {
    if !line.windows(FIELD.len()).any(|window| window == FIELD) {
        return line;
    }
    match serde_json::from_slice::<Value>(&line) {
        Ok(mut value) => {
            mask(&mut value);
            value.to_string().into_bytes()
        }
        Err(_) => line,
    }
}

/// A reject as it may be shown. A command stands in it as a text: one that cannot be read, and so not masked, is left out.
pub(super) fn shown_reject(line: Vec<u8>) -> Vec<u8> {
    let Ok(mut reject) = serde_json::from_slice::<Map<String, Value>>(&line) else { return line };
    if reject.get("kind") != Some(&Value::from("command")) {
        return line;
    }
    reject.remove("recordHex");
    let record = reject.remove("record");
    let command = record.as_ref().and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(mut command) = command {
        mask(&mut command);
        reject.insert("record".to_owned(), command.to_string().into());
    }
    if reject.get("field") == Some(&Value::from("paymentMethod.card")) {
        // It may repeat what was given in a token's place.
        reject.insert("detail".to_owned(), "is no token of a card".into());
    }
    Value::Object(reject).to_string().into_bytes()
}

/// Masks every token in a value.
pub(super) fn mask(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(token) if name == "card" => *token = masked(token),
                    // The number of a card, or whatever else was given in a token's place.
                    Value::Number(_) | Value::Array(_) | Value::Object(_) if name == "card" => *value = "…".into(),
                    other => mask(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(mask),
        _ => {}
    }
}

/// The last four characters, if that is little of it.
fn masked(token: &str) -> String {
    let count = token.chars().count();
    let tail = token.chars().skip(count.saturating_sub(4));
    if count > 8 { std::iter::once('…').chain(tail).collect() } else { "…".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_token_the_end_is_shown() {
        let line = br#"{"amount":"1.00","paymentMethod":{"card":"tok_secret_4242"},"list":[{"card":"short"}]}"#;
        let text = String::from_utf8(shown(line.to_vec())).unwrap();
        assert_eq!(text, r#"{"amount":"1.00","list":[{"card":"…"}],"paymentMethod":{"card":"…4242"}}"#);
        let other = br#"{"b":1,  "a":2}"#.to_vec();
        assert_eq!(shown(other.clone()), other, "a line without a token stays as it is, byte for byte");
    }

    #[test]
    fn a_rejected_command_shows_no_token() {
        let check = |line: Value, expected: Value| {
            let shown = shown_reject(line.to_string().into_bytes());
            assert_eq!(serde_json::from_slice::<Value>(&shown).unwrap(), expected);
        };
        let reject = |record: &str| json!({"kind": "command", "reason": "unknown-org", "record": record});
        let command = r#"{"orgId":"x", "paymentMethod":{"c\u0061rd" : "tok_secret_4242"}}"#;
        check(reject(command), reject(r#"{"orgId":"x","paymentMethod":{"card":"…4242"}}"#));
        check(reject(r#"{"card":4242424242424242}"#), reject(r#"{"card":"…"}"#));
        check(
            reject(r#"{"paymentMethod":{"card":"tok_secret_4242"}"#),
            json!({"kind": "command", "reason": "unknown-org"}),
        );
        check(json!({"kind": "command", "recordHex": "746f6b"}), json!({"kind": "command"}));
        let of_card = |detail: &str| json!({"kind": "command", "field": "paymentMethod.card", "detail": detail});
        check(of_card("is 4242424242424242, where a text is expected"), of_card("is no token of a card"));
        let cdr = br#"{"kind":"cdr",  "record":"no JSON"}"#.to_vec();
        assert_eq!(shown_reject(cdr.clone()), cdr, "a usage record stays as it is, byte for byte");
    }
}
