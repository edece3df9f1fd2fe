//! A native row as the JSON reader leaves it: borrowed texts, numbers as written.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use sonic_rs::LazyValue;

use super::fault;
use crate::rejection::{Reason, Rejection};

/// Every field that is read. Others are skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Row<'a> {
    #[serde(borrow)]
    pub(super) id: Field<'a>,
    #[serde(borrow)]
    pub(super) call_id: Field<'a>,
    #[serde(borrow)]
    pub(super) org_id: Field<'a>,
    #[serde(borrow)]
    pub(super) user_id: Field<'a>,
    #[serde(borrow)]
    pub(super) user_principal_name: Field<'a>,
    #[serde(borrow)]
    pub(super) user_display_name: Field<'a>,
    #[serde(borrow)]
    pub(super) start_date_time: Field<'a>,
    #[serde(borrow)]
    pub(super) end_date_time: Field<'a>,
    #[serde(borrow)]
    pub(super) duration: Decimal<'a>,
    #[serde(borrow)]
    pub(super) charge: Decimal<'a>,
    #[serde(borrow)]
    pub(super) call_type: Field<'a>,
    #[serde(borrow)]
    pub(super) currency: Field<'a>,
    #[serde(borrow)]
    pub(super) callee_number: Field<'a>,
    #[serde(borrow)]
    pub(super) usage_country_code: Field<'a>,
    #[serde(borrow)]
    pub(super) tenant_country_code: Field<'a>,
    #[serde(borrow)]
    pub(super) connection_charge: Decimal<'a>,
    #[serde(borrow)]
    pub(super) caller_number: Field<'a>,
    #[serde(borrow)]
    pub(super) destination_context: Field<'a>,
    #[serde(borrow)]
    pub(super) destination_name: Field<'a>,
    #[serde(borrow)]
    pub(super) conference_id: Field<'a>,
    #[serde(borrow)]
    pub(super) license_capability: Field<'a>,
    #[serde(borrow)]
    pub(super) inventory_type: Field<'a>,
    #[serde(borrow)]
    pub(super) operator: Field<'a>,
    #[serde(borrow)]
    pub(super) call_duration_source: Field<'a>,
    #[serde(borrow)]
    pub(super) received_at: Field<'a>,
    #[serde(borrow)]
    pub(super) revision: Decimal<'a>,
    pub(super) void: Void,
    /// Only CloudEvents have it: then the row is inside `data`.
    #[serde(borrow)]
    pub(super) specversion: Field<'a>,
}

/// Reads a row; what the reader refuses is named. UTF-8 is checked first, since the reader would do so last, after it
/// had already given texts away.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Result<Row<'_>, Rejection> {
    if !fault::begins_object(bytes) {
        return Err(fault::not_an_object(bytes));
    }
    let text = fault::utf8(bytes)?;
    sonic_rs::from_str(text).map_err(|error| fault::name(text, &error))
}

/// A text field: a string, or an integer as its digits. Null and empty are absent.
#[derive(Debug, Default)]
pub(super) struct Field<'a>(pub(super) Option<Cow<'a, str>>);

impl Field<'_> {
    #[inline]
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number or null")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field((!text.is_empty()).then_some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field((!text.is_empty()).then(|| Cow::Owned(text.to_owned()))))
    }

    #[inline]
    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field(None))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
        Ok(Field(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field<'de>, E> {
        Ok(Field(Some(Cow::Owned(number.to_string()))))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

/// A number exactly as it was written; a string is taken for the number inside it. Null and empty are absent.
#[derive(Debug, Default)]
pub(super) struct Decimal<'a>(pub(super) Option<Cow<'a, str>>);

impl Decimal<'_> {
    #[inline]
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Decimal<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = LazyValue::deserialize(deserializer)?.as_raw_cow();
        match raw.as_bytes() {
            [b'0'..=b'9' | b'-', ..] => Ok(Decimal(Some(raw))),
            [b'n', ..] | [b'"', b'"'] => Ok(Decimal(None)),
            [b'"', .., b'"'] => Ok(Decimal(Some(unquote(raw).ok_or_else(|| Error::custom(EXPECTED))?))),
            _ => Err(Error::custom(EXPECTED)),
        }
    }
}

const EXPECTED: &str = "expected a number";

/// The text inside the quotes. A backslash is no part of any number, so nothing is unescaped.
#[cold]
fn unquote(raw: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match raw {
        Cow::Borrowed(raw) => raw.get(1..raw.len() - 1).map(Cow::Borrowed),
        Cow::Owned(raw) => raw.get(1..raw.len() - 1).map(|text| Cow::Owned(text.to_owned())),
    }
}

/// `true`, `false` or null.
#[derive(Debug, Default)]
pub(super) struct Void(pub(super) bool);

impl<'de> Deserialize<'de> for Void {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Void(Option::<bool>::deserialize(deserializer)?.unwrap_or(false)))
    }
}

/// What kind of value a field takes, for saying what is wrong with one.
pub(super) enum Kind {
    Text,
    Number,
    Truth,
}

/// The kind of the field `name`, if it is one that is read.
pub(super) fn kind_of(name: &str) -> Option<Kind> {
    match name {
        "duration" | "charge" | "connectionCharge" | "revision" => Some(Kind::Number),
        "void" => Some(Kind::Truth),
        "id" | "callId" | "orgId" | "userId" | "userPrincipalName" | "userDisplayName" | "startDateTime"
        | "endDateTime" | "callType" | "currency" | "calleeNumber" | "usageCountryCode" | "tenantCountryCode"
        | "callerNumber" | "destinationContext" | "destinationName" | "conferenceId" | "licenseCapability"
        | "inventoryType" | "operator" | "callDurationSource" | "receivedAt" | "specversion" => Some(Kind::Text),
        _ => None,
    }
}

/// A rejection about a field whose value is of the wrong kind.
pub(super) fn wrong_kind(field: &str, kind: &Kind, raw: &str) -> Rejection {
    let expected = match kind {
        Kind::Text => "a text",
        Kind::Number => "a number",
        Kind::Truth => "true or false",
    };
    let found = match raw.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    };
    Rejection::of_field(Reason::BadField, field, format!("{found} where {expected} is expected"))
}
