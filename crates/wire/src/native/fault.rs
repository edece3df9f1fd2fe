//! Why the JSON reader refused a row, in words, with the field. Slow, and only run on refused rows.

use super::depth::is_too_deep;
use super::row::{Kind, kind_of, wrong_kind};
use crate::rejection::{Reason, Rejection};

/// Whether the first character that is not white space opens an object. (The reader would take an array for the fields
/// in order.)
#[inline]
pub(crate) fn begins_object(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(b'{') => true,
        _ => bytes.trim_ascii_start().first() == Some(&b'{'),
    }
}

#[cold]
pub(crate) fn not_an_object(bytes: &[u8]) -> Rejection {
    let found = match bytes.trim_ascii_start() {
        [] => "nothing but white space".to_owned(),
        [b'[', ..] => "a JSON array".to_owned(),
        [0xEF, 0xBB, 0xBF, ..] => "a byte order mark".to_owned(),
        [byte, ..] if byte.is_ascii_graphic() => format!("{:?}", char::from(*byte)),
        [byte, ..] => format!("the byte 0x{byte:02x}"),
    };
    Rejection::new(Reason::Undecodable, format!("a JSON object is expected, but it begins with {found}"))
}

/// The record as text, of which the reader can skip whatever is in it.
#[inline]
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Rejection> {
    if is_too_deep(bytes) {
        return Err(Rejection::new(Reason::Undecodable, "lists or objects are nested too deep"));
    }
    simdutf8::basic::from_utf8(bytes).map_err(|_| not_utf8(bytes))
}

#[cold]
fn not_utf8(bytes: &[u8]) -> Rejection {
    let valid_bytes = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    Rejection::new(Reason::Undecodable, format!("not UTF-8 at byte {valid_bytes}"))
}

/// The rejection for `text`, which the reader refused with `error`.
#[cold]
pub(crate) fn name(text: &str, error: &sonic_rs::Error) -> Rejection {
    let mut seen: Vec<String> = Vec::new();
    for entry in sonic_rs::to_object_iter(text) {
        let Ok((key, value)) = entry else { break };
        let Some(kind) = kind_of(&key) else { continue };
        if seen.iter().any(|name| *name == *key) {
            return Rejection::of_field(Reason::BadField, &*key, "given twice");
        }
        let raw = value.as_raw_str();
        if !is_of(&kind, raw) {
            return wrong_kind(&key, &kind, raw);
        }
        seen.push(key.to_string());
    }
    undecodable(error)
}

/// The reader's own text quotes the record, numbers and all: only the place is told.
pub(crate) fn undecodable(error: &sonic_rs::Error) -> Rejection {
    let what = if error.is_eof() { "ends too early" } else { "is not valid JSON" };
    Rejection::new(Reason::Undecodable, format!("the record {what} at byte {}", error.offset()))
}

fn is_of(kind: &Kind, raw: &str) -> bool {
    let is_integer = |raw: &str| raw.parse::<u64>().is_ok() || raw.parse::<i64>().is_ok();
    match (kind, raw.as_bytes()) {
        (_, b"null") => true,
        (Kind::Text, [b'"', ..]) => true,
        (Kind::Text, _) => is_integer(raw),
        (Kind::Number, [first, ..]) => matches!(first, b'0'..=b'9' | b'-' | b'"'),
        (Kind::Truth, b"true" | b"false") => true,
        _ => false,
    }
}
