//! Bodies that are JSON objects, read strictly: no key twice, no text longer than a name or a reason is.
//!
//! What is read here may be written to the log and carried by every event after it, so it is bounded before it is taken.

use axum::http::{HeaderMap, StatusCode};
use drawdown_wire::strict::Strict;
use serde_json::{Map, Value};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_measured_in_characters() {
        assert!(!is_long(&"ä".repeat(TEXT_LENGTH_MAX)));
        assert!(is_long(&"a".repeat(TEXT_LENGTH_MAX + 1)));
        assert!(has_long_text(&serde_json::json!({"a": [{"b": "x".repeat(TEXT_LENGTH_MAX + 1)}]})));
    }
}
