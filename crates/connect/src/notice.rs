//! An account event, as far as telling others of it takes.
//!
//! Invariant: the line stays what it was on the log, to the byte. Fields are looked up by their names there; a connector
//! that knows an event only by some of its fields keeps working when others are added.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::payment::hex;

/// Why a line is no account event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Not JSON, or no object.
    #[error("not an object of JSON: {0}")]
    Json(String),
    /// A field that every event has is missing, or is something else.
    #[error("no field {0}")]
    Field(&'static str),
}

/// One account event.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    line: String,
    org: String,
    seq: u64,
    kind: String,
    fields: Map<String, Value>,
}

impl Notice {
    /// Reads one line, with or without its end.
    ///
    /// # Errors
    /// It is no account event.
    pub fn read(line: &[u8]) -> Result<Self, NoticeError> {
        let line = std::str::from_utf8(line).map_err(|error| NoticeError::Json(error.to_string()))?.trim_end();
        let fields: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| NoticeError::Json(error.to_string()))?;
        let text = |name: &'static str| {
            let text = fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(NoticeError::Field(name))
        };
        let seq = fields.get("seq").and_then(Value::as_u64).ok_or(NoticeError::Field("seq"))?;
        Ok(Notice { org: text("orgId")?, kind: text("type")?, seq, line: line.to_owned(), fields })
    }

    /// The line, without its end.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Whose account.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The event's number in its organisation.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The event's name, such as `RechargeFailed`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// All fields, by their names on the wire.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// A field that holds a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// 32 hexadecimal digits that are the same whenever this event is told of, and nobody else's. `purpose` keeps apart
    /// what tells of the same event in different ways. Safe in any header, whatever the organisation is called.
    pub fn identity(&self, purpose: &str) -> String {
        let mut digest = Sha256::new();
        for part in [purpose, &self.org] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest.update(self.seq.to_be_bytes());
        hex(&digest.finalize()[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::{Notice, NoticeError};

    #[test]
    fn what_is_no_event_is_refused() {
        assert!(matches!(Notice::read(b"[]"), Err(NoticeError::Json(_))));
        assert!(matches!(Notice::read(b"\xff"), Err(NoticeError::Json(_))));
        assert_eq!(Notice::read(br#"{"type":"ModeSet","orgId":"a"}"#), Err(NoticeError::Field("seq")));
        assert_eq!(Notice::read(br#"{"type":"ModeSet","orgId":"","seq":1}"#), Err(NoticeError::Field("orgId")));
    }

    #[test]
    fn identities_are_stable_and_told_apart() {
        let read = |org: &str, seq: u64| {
            let line = format!("{{\"type\":\"ModeSet\",\"orgId\":\"{org}\",\"seq\":{seq}}}\n");
            Notice::read(line.as_bytes()).expect("an event")
        };
        assert_eq!(read("contoso", 7).identity("mail"), "35768ee9bd7e885cdf776901f00e11f8");
        assert_ne!(read("contoso", 7).identity("mail"), read("contoso", 8).identity("mail"));
        assert_ne!(read("contoso", 7).identity("mail"), read("contosp", 7).identity("mail"));
        assert_ne!(read("contoso", 7).identity("mail"), read("contoso", 7).identity("webhook"));
    }
}
