//! Reading a debit back: what explaining, auditing and recomputing need, borrowed from its line.

use std::fmt;

use serde::Deserialize;

use crate::number::Redacted;
use crate::text::{ReadError, Text, check_kind, figure, read_line};

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
    /// The debit that this one takes back, if it is a reversal.
    pub reverses: Option<Reverses>,
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

/// Which debit a reversal takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reverses {
    /// Its revision.
    pub revision: u32,
    /// Its place.
    pub seq: u64,
    /// The record was withdrawn: no debit follows in its place.
    pub void: bool,
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
    /// The seconds that were rated, where a pool covered others.
    pub rated_seconds: Option<u32>,
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
    /// `pool`, `lot`, `overdraft`, `postUsage`, `uncollected` or `unlicensed`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// Which pool.
    pub pool: Option<Text<'a>>,
    /// Which of the pool's minutes.
    #[serde(rename = "use")]
    pub of: Option<Text<'a>>,
    /// The pool's month.
    pub month: Option<Text<'a>>,
    /// Minutes drawn.
    pub minutes: Option<i64>,
    /// Minutes that the pool held.
    pub size: Option<u64>,
    /// Which lot.
    pub lot_id: Option<Text<'a>>,
    /// Decimal text; empty in the line of a pool, which has no amount.
    #[serde(default)]
    pub amount: Text<'a>,
    /// Decimal text; whole minutes in the line of a pool.
    #[serde(deserialize_with = "figure")]
    pub before: Text<'a>,
    /// Decimal text; whole minutes in the line of a pool.
    #[serde(deserialize_with = "figure")]
    pub after: Text<'a>,
    /// The lot that some of what a reversal gives back went to.
    pub returned_to: Option<Text<'a>>,
}

impl Funding<'_> {
    /// Whether minutes were drawn, not money.
    pub fn is_pool(&self) -> bool {
        &*self.kind == "pool"
    }
}
