//! Reading a debit back: what explaining, auditing and recomputing need, borrowed from its line.

use std::fmt;

use serde::Deserialize;

use crate::number::Redacted;
use crate::text::{ReadError, Text, check_kind, read_line};

/// Reads one debit.
///
/// # Errors
/// What is wrong with the line.
pub fn read(line: &[u8]) -> Result<Debit<'_>, ReadError> {
    let debit: Debit<'_> = read_line(line)?;
    check_kind(debit.schema_version, &debit.kind, "debit")?;
    Ok(debit)
}

/// A debit. Money and times are texts: who reads them decides what a wrong one means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Debit<'a> {
    schema_version: u32,
    #[serde(rename = "type")]
    kind: Text<'a>,
    /// Identity of the record.
    pub id: Text<'a>,
    /// Identity of the record.
    pub source: Text<'a>,
    /// Revision of the record.
    pub revision: u32,
    /// Who pays.
    pub org_id: Text<'a>,
    /// Place among the org's debits and events.
    pub seq: u64,
    /// When it was booked.
    pub at: Text<'a>,
    /// The call.
    pub call: Call<'a>,
    /// What it cost.
    pub charge: ChargeRead<'a>,
    /// Who paid.
    pub funding: Vec<Funding<'a>>,
    /// The balance afterwards.
    pub balance_after: Text<'a>,
    /// Everything noticed.
    pub flags: Vec<Text<'a>>,
}

/// The call of a [`Debit`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Call<'a> {
    /// As the source wrote it.
    pub call_type: Text<'a>,
    /// When it started.
    pub start_date_time: Text<'a>,
    /// When it ended.
    pub end_date_time: Option<Text<'a>>,
    /// Connected seconds.
    pub duration: u32,
    /// Digits of the called number, as rated.
    pub called: Option<Text<'a>>,
    /// Digits of the caller's number, where `callerNumber` is not simply `+` and these digits.
    pub caller: Option<Text<'a>>,
    /// As the source wrote it.
    pub caller_number: Option<Text<'a>>,
    /// As the source wrote it.
    pub callee_number: Option<Text<'a>>,
    /// Whose call it was.
    pub user_id: Option<Text<'a>>,
    /// Whose call it was, by name.
    pub user_principal_name: Option<Text<'a>>,
    /// Whose call it was, by another name.
    pub user_display_name: Option<Text<'a>>,
    /// The upstream's own charge, kept for reconciliation.
    pub upstream_charge: Option<Text<'a>>,
    /// Its currency.
    pub upstream_currency: Option<Text<'a>>,
}

impl fmt::Debug for Call<'_> {
    /// Redacted: whole numbers and people's names in a log are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("call_type", &self.call_type)
            .field("start_date_time", &self.start_date_time)
            .field("duration", &self.duration)
            .field("called", &Redacted(self.called.as_deref()))
            .finish_non_exhaustive()
    }
}

/// The charge of a [`Debit`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ChargeRead<'a> {
    /// Decimal text.
    pub amount: Text<'a>,
    /// ISO 4217.
    pub currency: Text<'a>,
    /// Why no price was found.
    pub unrated: Option<Text<'a>>,
    /// Decimal text.
    pub connection_fee: Option<Text<'a>>,
    /// Decimal text.
    pub price_per_minute: Option<Text<'a>>,
    /// Whole increments.
    pub billable_seconds: Option<u64>,
    /// The deck's id.
    pub deck: Option<Text<'a>>,
    /// The deck's version.
    pub deck_version: Option<u32>,
    /// `outbound` or `toll-free-inbound`.
    pub product: Option<Text<'a>>,
    /// The row's prefix.
    pub prefix: Option<Text<'a>>,
    /// The caller's prefix, of a row that has one.
    pub origin_prefix: Option<Text<'a>>,
    /// The time band of the row, if it has one.
    pub band: Option<Text<'a>>,
    /// The row's destination.
    pub destination: Option<Text<'a>>,
    /// The row's line in the deck's file.
    pub line: Option<u32>,
    /// Mode and decimals.
    pub rounding: Option<Text<'a>>,
    /// `minimum` or `maximum`, where the row's bound was charged.
    pub bound: Option<Text<'a>>,
    /// Whether more than one price was paid.
    #[serde(default)]
    pub compound: bool,
}

/// One funding line of a [`Debit`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Funding<'a> {
    /// `lot`, `overdraft`, `postUsage` or `uncollected`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// Which lot.
    pub lot_id: Option<Text<'a>>,
    /// Decimal text.
    pub amount: Text<'a>,
    /// Decimal text.
    pub before: Text<'a>,
    /// Decimal text.
    pub after: Text<'a>,
}
