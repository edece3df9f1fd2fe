//! Rejects read back: what it takes to show one, and to send it again.

use serde::Deserialize;

use crate::text::{ReadError, Text, check_kind, read_line};

/// Reads one reject.
///
/// # Errors
/// What is wrong with the line.
pub fn read(line: &[u8]) -> Result<Rejected<'_>, ReadError> {
    let rejected: Rejected<'_> = read_line(line)?;
    check_kind(rejected.schema_version, &rejected.message, "reject")?;
    Ok(rejected)
}

/// A reject.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct Rejected<'a> {
    schema_version: u32,
    #[serde(rename = "type")]
    message: Text<'a>,
    pub kind: Text<'a>,
    pub counted: bool,
    pub reason: Text<'a>,
    pub detail: Text<'a>,
    pub org_id: Option<Text<'a>>,
    pub length: u64,
    /// Absent where the record is not text.
    pub record: Option<Text<'a>>,
    pub resend: Option<Resent<'a>>,
}

/// How it can be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct Resent<'a> {
    pub arrival: Text<'a>,
    pub key: Option<Text<'a>>,
    pub ce_id: Option<Text<'a>>,
    pub ce_source: Option<Text<'a>>,
    pub profile: Option<Text<'a>>,
    pub columns: Option<Text<'a>>,
    pub org_id: Option<Text<'a>>,
}
