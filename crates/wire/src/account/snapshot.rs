//! An account state as it stands on its line, derived figures included: for audits, which trust none of them.
//!
//! Restoring an account goes another way ([`super::read`]): it recomputes what can be derived.

use serde::Deserialize;

use crate::text::{ReadError, Text, check_kind, read_line};

/// Reads one account state as it stands.
///
/// # Errors
/// What is wrong with the line.
pub fn snapshot(line: &[u8]) -> Result<Snapshot<'_>, ReadError> {
    let snapshot: Snapshot<'_> = read_line(line)?;
    check_kind(snapshot.schema_version, &snapshot.kind, "account")?;
    Ok(snapshot)
}

/// An account state. Money and times are texts: who reads them decides what a wrong one means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct Snapshot<'a> {
    schema_version: u32,
    #[serde(rename = "type")]
    kind: Text<'a>,
    pub org_id: Text<'a>,
    pub seq: u64,
    pub clock: Text<'a>,
    pub currency: Text<'a>,
    pub country: Text<'a>,
    pub mode: Text<'a>,
    pub strict: bool,
    pub closed: bool,
    pub rate_plans: Vec<PlanSnapshot<'a>>,
    pub balance: Text<'a>,
    pub overdraft: Text<'a>,
    pub purchased: Text<'a>,
    pub adjusted: Text<'a>,
    pub spent: Text<'a>,
    pub forfeited: Text<'a>,
    pub refunded: Text<'a>,
    pub remaining: Text<'a>,
    pub charged: Text<'a>,
    pub drawn: Text<'a>,
    pub overdrawn: Text<'a>,
    pub post_usage: Text<'a>,
    pub uncollected: Text<'a>,
    #[serde(default)]
    pub unlicensed: Option<Text<'a>>,
    #[serde(default)]
    pub licensing: Option<Text<'a>>,
    #[serde(default)]
    pub pools: Vec<PoolSnapshot<'a>>,
    #[serde(default)]
    pub users: Vec<UserSnapshot<'a>>,
    pub lots: Vec<LotSnapshot<'a>>,
    pub recharge: Option<RechargeSnapshot<'a>>,
}

/// A rate plan of a [`Snapshot`]; the last one holds now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct PlanSnapshot<'a> {
    pub rate_plan: Text<'a>,
}

/// A lot of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct LotSnapshot<'a> {
    pub lot_id: Text<'a>,
    pub amount: Text<'a>,
    pub remaining: Text<'a>,
    pub purchased_at: Text<'a>,
    pub expires_at: Text<'a>,
    pub state: Text<'a>,
}

/// Automatic recharging of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct RechargeSnapshot<'a> {
    pub number: u64,
    pub invoice: u64,
    pub outstanding: Option<OutstandingSnapshot<'a>>,
}

/// An unanswered request of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct OutstandingSnapshot<'a> {
    pub amount: Text<'a>,
    pub sending: u32,
}

/// A pool of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct PoolSnapshot<'a> {
    pub licence: Text<'a>,
    pub country: Text<'a>,
    pub uses: Vec<UseSnapshot<'a>>,
}

/// What is used of a pool in one month.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct UseSnapshot<'a> {
    #[serde(rename = "use")]
    pub of: Text<'a>,
    pub month: Text<'a>,
    pub used: u64,
}

/// A user of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
#[allow(missing_docs, reason = "the fields are those of the wire, by their names there")]
pub struct UserSnapshot<'a> {
    pub user_id: Text<'a>,
    pub pools: Vec<PoolSnapshot<'a>>,
}
