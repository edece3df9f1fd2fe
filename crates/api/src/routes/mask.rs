//! Tokens of cards stay here: whoever reads an account or its events sees enough of one to know it again.

use serde_json::Value;

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

/// Masks every token in a value.
pub(super) fn mask(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value {
                    Value::String(token) if name == "card" => *token = masked(token),
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
    use super::*;

    #[test]
    fn of_a_token_the_end_is_shown() {
        let line = br#"{"amount":"1.00","paymentMethod":{"card":"tok_secret_4242"},"list":[{"card":"short"}]}"#;
        let text = String::from_utf8(shown(line.to_vec())).unwrap();
        assert_eq!(text, r#"{"amount":"1.00","list":[{"card":"…"}],"paymentMethod":{"card":"…4242"}}"#);
        let other = br#"{"b":1,  "a":2}"#.to_vec();
        assert_eq!(shown(other.clone()), other, "a line without a token stays as it is, byte for byte");
    }
}
