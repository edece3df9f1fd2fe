//! What reports read of debits and account events, borrowed from the line.
//!
//! Money and times are texts here: whoever reads them says what is wrong with one. Fields that no report needs are
//! passed over, so that a later field breaks nothing.

use std::fmt;

use drawdown_wire::Text;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// What every line begins with: enough to pass over those of other organisations.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Head<'a> {
    pub schema_version: u32,
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub org_id: Text<'a>,
    pub seq: u64,
}

/// A debit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Debit<'a> {
    pub id: Text<'a>,
    pub seq: u64,
    pub at: Text<'a>,
    /// The debit that this one takes back.
    pub reverses: Option<Reverses>,
    pub call: Call<'a>,
    pub charge: Charge<'a>,
    pub funding: Vec<Funding<'a>>,
    pub balance_after: Text<'a>,
    #[serde(default)]
    pub flags: Vec<Text<'a>>,
}

/// Which debit a reversal takes back.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Reverses {
    pub seq: u64,
}

/// The call of a [`Debit`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Call<'a> {
    pub call_type: Text<'a>,
    pub start_date_time: Text<'a>,
    pub end_date_time: Option<Text<'a>>,
    pub duration: u32,
    /// Digits of the called number, as rated.
    pub called: Option<Text<'a>>,
    /// Digits of the caller's number, where `callerNumber` is not simply `+` and these digits.
    pub caller: Option<Text<'a>>,
    pub call_id: Option<Text<'a>>,
    pub conference_id: Option<Text<'a>>,
    pub user_id: Option<Text<'a>>,
    pub user_principal_name: Option<Text<'a>>,
    pub user_display_name: Option<Text<'a>>,
    pub caller_number: Option<Text<'a>>,
    pub callee_number: Option<Text<'a>>,
    pub inventory_type: Option<Text<'a>>,
    pub usage_country_code: Option<Text<'a>>,
    pub tenant_country_code: Option<Text<'a>>,
    pub destination_context: Option<Text<'a>>,
    pub destination_name: Option<Text<'a>>,
}

/// The charge of a [`Debit`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Charge<'a> {
    pub amount: Text<'a>,
    pub currency: Text<'a>,
    /// Why no price was found.
    pub unrated: Option<Text<'a>>,
    pub connection_fee: Option<Text<'a>>,
    pub destination: Option<Text<'a>>,
}

/// One funding line of a [`Debit`]: of a pool it has minutes, of anyone else an amount.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Funding<'a> {
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub amount: Option<Figure<'a>>,
    pub before: Option<Figure<'a>>,
    pub after: Option<Figure<'a>>,
    pub lot_id: Option<Text<'a>>,
    /// Of a reversal: the lot that holds what could not go back to where it came from.
    pub returned_to: Option<Text<'a>>,
    pub pool: Option<Text<'a>>,
    #[serde(rename = "use")]
    pub pool_use: Option<Text<'a>>,
    pub month: Option<Text<'a>>,
    pub minutes: Option<i64>,
    pub size: Option<i64>,
}

/// An account event: one shape for all of them, in which a field that an event has not is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Event<'a> {
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    pub seq: u64,
    pub at: Text<'a>,
    pub balance_after: Text<'a>,
    pub debit_seq: Option<u64>,
    pub currency: Option<Text<'a>>,
    pub lot_id: Option<Text<'a>>,
    pub amount: Option<Text<'a>>,
    pub purchased_at: Option<Text<'a>>,
    pub expires_at: Option<Text<'a>>,
    pub reference: Option<Text<'a>>,
    pub reason: Option<Text<'a>>,
    /// The lots that a negative adjustment drew.
    #[serde(default)]
    pub lots: Vec<LotDraw<'a>>,
    /// Outstanding after a settlement.
    pub overdraft: Option<Text<'a>>,
    pub recharge_id: Option<Text<'a>>,
    pub invoice: Option<u64>,
    /// Of a post-usage statement.
    pub month: Option<Text<'a>>,
    pub enabled: Option<bool>,
    pub recharge_amount: Option<Text<'a>>,
    pub trigger_amount: Option<Text<'a>>,
}

/// What an adjustment drew from one lot.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct LotDraw<'a> {
    pub lot_id: Text<'a>,
    pub amount: Text<'a>,
    pub before: Text<'a>,
    pub after: Text<'a>,
}

/// A figure: minutes are numbers, money is a text.
#[derive(Debug)]
pub(crate) enum Figure<'a> {
    Count(i64),
    Amount(Text<'a>),
}

struct FigureVisitor;

impl<'de> Visitor<'de> for FigureVisitor {
    type Value = Figure<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number or a decimal text")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Figure<'de>, E> {
        i64::try_from(count).map(Figure::Count).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, count: i64) -> Result<Figure<'de>, E> {
        Ok(Figure::Count(count))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Figure<'de>, E> {
        Text::deserialize(serde::de::value::BorrowedStrDeserializer::new(text)).map(Figure::Amount)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Figure<'de>, E> {
        Text::deserialize(serde::de::value::StrDeserializer::new(text)).map(Figure::Amount)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Figure<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FigureVisitor)
    }
}
