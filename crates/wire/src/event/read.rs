//! Reading an account event back: one shape for all of them, in which a field that an event has not is absent.

use serde::Deserialize;

use crate::text::{ReadError, Text, read_line};

/// Reads one account event.
///
/// # Errors
/// What is wrong with the line.
pub fn read(line: &[u8]) -> Result<AccountEvent<'_>, ReadError> {
    let event: AccountEvent<'_> = read_line(line)?;
    crate::text::check_kind(event.schema_version, "", "")?;
    Ok(event)
}

/// An account event. Money and times are texts: who reads them decides what a wrong one means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct AccountEvent<'a> {
    schema_version: u32,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub org_id: Text<'a>,
    pub seq: u64,
    pub at: Text<'a>,
    pub balance_after: Text<'a>,
    pub command_id: Option<Text<'a>>,
    pub debit_seq: Option<u64>,
    pub currency: Option<Text<'a>>,
    pub country: Option<Text<'a>>,
    pub rate_plan: Option<Text<'a>>,
    pub mode: Option<Text<'a>>,
    pub strict: Option<bool>,
    pub lot_id: Option<Text<'a>>,
    pub amount: Option<Text<'a>>,
    pub purchased_at: Option<Text<'a>>,
    pub expires_at: Option<Text<'a>>,
    /// Outstanding after a settlement, or owed at closing.
    pub overdraft: Option<Text<'a>>,
    /// Owed at closing.
    pub post_usage: Option<Text<'a>>,
    /// The lots that a negative adjustment drew.
    #[serde(default)]
    pub lots: Vec<LotDraw<'a>>,
    pub recharge_id: Option<Text<'a>>,
    pub sending: Option<u32>,
    pub invoice: Option<u64>,
    pub reason: Option<Text<'a>>,
    /// A pool's name.
    pub pool: Option<Text<'a>>,
    /// Which of its minutes.
    #[serde(rename = "use")]
    pub of: Option<Text<'a>>,
    pub month: Option<Text<'a>>,
    pub percent: Option<u64>,
    pub used: Option<u64>,
    pub size: Option<u64>,
    pub user_id: Option<Text<'a>>,
    pub licence: Option<Text<'a>>,
    pub since: Option<Text<'a>>,
    pub licensing: Option<Text<'a>>,
}

/// What an adjustment drew from one lot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct LotDraw<'a> {
    pub lot_id: Text<'a>,
    pub amount: Text<'a>,
    pub before: Text<'a>,
    pub after: Text<'a>,
}
