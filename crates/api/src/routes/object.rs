//! Bodies that are JSON objects, read strictly: no key twice, no text longer than a name or a reason is.
//!
//! What is read here may be written to the log and carried by every event after it, so it is bounded before it is taken.

use std::fmt;

use axum::http::{HeaderMap, StatusCode};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use crate::problem::Problem;
use crate::service::header;

/// How long a text may be, in characters.
pub(crate) const TEXT_LENGTH_MAX: usize = 1000;

/// A body that is an object of ordinary texts. None at all is an empty object.
///
/// # Errors
/// It is no object, or one of its texts is too long.
pub(super) fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let fields = object_of_files(headers, body)?;
    for (name, value) in &fields {
        if has_long_text(value) {
            return Err(too_long(name));
        }
        if is_long(name) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body has a field of an endless name"));
        }
    }
    Ok(fields)
}

/// A body that is an object, whose texts may be files.
///
/// # Errors
/// It is none.
pub(super) fn object_of_files(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let media = header(headers, "content-type").unwrap_or_default();
    if !media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json")) {
        let detail = format!("the body is {media:?}; application/json is read here");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail));
    }
    match serde_json::from_slice(body) {
        Ok(Strict(Value::Object(map))) => Ok(map),
        Ok(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body is JSON, but no object")),
        Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("the body is no JSON: {error}"))),
    }
}

/// Whether a text is longer than any that is taken.
pub(super) fn is_long(text: &str) -> bool {
    text.len() > TEXT_LENGTH_MAX && text.chars().nth(TEXT_LENGTH_MAX).is_some()
}

/// What is said of a field whose text is too long.
pub(super) fn too_long(field: &str) -> Problem {
    let detail = format!("is of more than {TEXT_LENGTH_MAX} characters");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field(field).rule("bad-field")
}

fn has_long_text(value: &Value) -> bool {
    match value {
        Value::String(text) => is_long(text),
        Value::Array(list) => list.iter().any(has_long_text),
        Value::Object(map) => map.iter().any(|(name, value)| is_long(name) || has_long_text(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value none of whose objects has a key twice: which of the two was meant, nobody knows.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let Strict(value) = map.next_value()?;
            match fields.entry(name) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(held) if is_long(held.key()) => return Err(de::Error::custom("a key is there twice")),
                Entry::Occupied(held) => {
                    return Err(de::Error::custom(format!("the key {:?} is there twice", held.key())));
                }
            };
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        for text in ["null", "true", "-7", "18446744073709551615", "0.5", "\"ä\\u0000\"", r#"[1,{"a":[],"b":{}}]"#] {
            let Strict(value) = serde_json::from_str(text).expect("JSON");
            assert_eq!(value, serde_json::from_str::<Value>(text).expect("JSON"), "{text}");
        }
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#, "1e999"] {
            assert!(serde_json::from_str::<Strict>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_is_measured_in_characters() {
        assert!(!is_long(&"ä".repeat(TEXT_LENGTH_MAX)));
        assert!(is_long(&"a".repeat(TEXT_LENGTH_MAX + 1)));
        assert!(has_long_text(&serde_json::json!({"a": [{"b": "x".repeat(TEXT_LENGTH_MAX + 1)}]})));
    }
}
