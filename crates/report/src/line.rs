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
}

/// A debit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(crate) struct Debit<'a> {
    pub id: Text<'a>,
    pub seq: u64,
    /// The debit that this one takes back.
    pub reverses: Option<Reverses>,
    pub call: Call<'a>,
    pub charge: Charge<'a>,
    pub funding: Vec<Funding<'a>>,
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
    pub pool: Option<Text<'a>>,
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
