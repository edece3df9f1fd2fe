//! A native row as the JSON reader leaves it: borrowed texts, numbers as written.

use std::borrow::Cow;
use std::fmt;

use drawdown_units::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use sonic_rs::LazyValue;

use super::{fault, plain};
use crate::cdr::Runs;
use crate::rejection::{Reason, Rejection};

/// Defines [`Row`], how it is filled from JSON, and what kind each field is, from one list of names.
macro_rules! row {
    ($($field:ident: $kind:ident = $name:literal,)+) => {
        /// Every field that is read. Others are skipped.
        #[derive(Debug, Default, PartialEq, Eq)]
        pub(super) struct Row<'a> {
            $(pub(super) $field: row!(@type $kind 'a),)+
        }

        #[allow(non_camel_case_types, reason = "the fields' own names")]
        #[derive(Clone, Copy)]
        enum Name {
            $($field,)+
            Unknown,
        }

        impl Name {
            #[inline]
            fn of(name: &str) -> Self {
                match name {
                    $($name => Name::$field,)+
                    _ => Name::Unknown,
                }
            }
        }

        impl<'de> Fill<'_, 'de> {
            #[inline]
            fn fill<A: MapAccess<'de>>(&mut self, name: Name, map: &mut A) -> Result<(), A::Error> {
                match name {
                    $(Name::$field => self.row.$field = map.next_value()?,)+
                    Name::Unknown => drop(map.next_value::<IgnoredAny>()?),
                }
                Ok(())
            }
        }

        impl<'a> Row<'a> {
            /// Takes the fields that stand at `cursor`, as long as each comes later in the list than the one before it.
            /// `None` leaves the row to the reader.
            #[inline]
            pub(super) fn take_in_order(&mut self, cursor: &mut plain::Cursor<'a>, seen: &mut u64) -> Option<()> {
                $(
                    let here = cursor.rest_length();
                    if cursor.take_key(concat!("\"", $name, "\":")) {
                        let bit = 1 << Name::$field as u32;
                        if *seen & bit != 0 {
                            return None;
                        }
                        *seen |= bit;
                        plain::Value::take(&mut self.$field, cursor)?;
                        row!(@run $kind cursor here (self.$field) $field);
                        cursor.take_separator()?;
                        if cursor.has_ended {
                            return Some(());
                        }
                    }
                )+
                Some(())
            }
        }

        /// The kind of the field `name`, if it is one that is read.
        pub(super) fn kind_of(name: &str) -> Option<Kind> {
            match name {
                $($name => Some(row!(@kind $kind)),)+
                _ => None,
            }
        }
    };
    (@type Text $life:lifetime) => { Field<$life> };
    (@type Carried $life:lifetime) => { Field<$life> };
    (@type Time $life:lifetime) => { Field<$life> };
    (@type Seconds $life:lifetime) => { Decimal<$life> };
    (@type Number $life:lifetime) => { Decimal<$life> };
    (@type Truth $life:lifetime) => { Void };
    (@kind Carried) => { Kind::Text };
    (@kind Time) => { Kind::Text };
    (@kind Seconds) => { Kind::Number };
    (@kind $kind:ident) => { Kind::$kind };
    // What a debit carries as it is.
    (@run Carried $cursor:ident $at:ident ($field:expr) $name:ident) => {
        if $field.0.is_some() {
            $cursor.add_to_runs($at);
        }
    };
    // What a debit writes anew, which mostly comes to the same.
    (@run Time $cursor:ident $at:ident ($field:expr) $name:ident) => {
        if $field.get().is_some_and(is_kept) {
            $cursor.add_to_runs($at).$name = true;
        }
    };
    (@run Seconds $cursor:ident $at:ident ($field:expr) $name:ident) => {
        if $field.get().is_some_and(|seconds| seconds.bytes().all(|byte| byte.is_ascii_digit())) {
            $cursor.add_to_runs($at).$name = true;
        }
    };
    (@run $kind:ident $cursor:ident $at:ident ($field:expr) $name:ident) => { let _ = $at; };
}

row! {
    id: Text = "id",
    call_id: Carried = "callId",
    org_id: Text = "orgId",
    user_id: Carried = "userId",
    user_principal_name: Carried = "userPrincipalName",
    user_display_name: Carried = "userDisplayName",
    start_date_time: Time = "startDateTime",
    end_date_time: Time = "endDateTime",
    duration: Seconds = "duration",
    charge: Number = "charge",
    call_type: Carried = "callType",
    currency: Text = "currency",
    callee_number: Carried = "calleeNumber",
    usage_country_code: Carried = "usageCountryCode",
    tenant_country_code: Carried = "tenantCountryCode",
    connection_charge: Number = "connectionCharge",
    caller_number: Carried = "callerNumber",
    destination_context: Carried = "destinationContext",
    destination_name: Carried = "destinationName",
    conference_id: Carried = "conferenceId",
    license_capability: Carried = "licenseCapability",
    inventory_type: Carried = "inventoryType",
    operator: Carried = "operator",
    call_duration_source: Carried = "callDurationSource",
    received_at: Text = "receivedAt",
    revision: Number = "revision",
    void: Truth = "void",
    // Only CloudEvents have it: then the row is inside `data`.
    specversion: Text = "specversion",
}

/// Reads a row into `row`, which is empty; what the reader refuses is named. UTF-8 is checked first, since the reader
/// would do so last, after it had already given texts away. Returns what can be carried on in runs.
///
/// A row is 700 bytes: it is filled in place, because the way out through the reader would copy it five times.
#[inline]
pub(super) fn read<'a>(bytes: &'a [u8], row: &mut Row<'a>) -> Result<Runs<'a>, Rejection> {
    if !fault::begins_object(bytes) {
        return Err(fault::not_an_object(bytes));
    }
    let text = fault::utf8(bytes)?;
    if let Some(runs) = plain::read(text, row) {
        return Ok(runs);
    }
    *row = Row::default();
    by_reader(text, row).map(|()| Runs::default())
}

/// [`read`] for every row there can be.
pub(super) fn by_reader<'a>(text: &'a str, row: &mut Row<'a>) -> Result<(), Rejection> {
    let mut reader = sonic_rs::Deserializer::from_str(text);
    let filled = Fill { row, seen: 0 }.deserialize(&mut reader).and_then(|()| reader.end());
    filled.map_err(|error| fault::name(text, &error))
}

/// Whether a time, if it is one, stands in the debit just as it stands here. A year before 1970 counts as missing
/// (boundaries.md U13), and what is missing is not written.
#[inline]
fn is_kept(time: &str) -> bool {
    // In UTC and with the year first, texts are in the order of their instants.
    Timestamp::is_as_written(time) && time >= "1970"
}

/// Fills a row from an object. A field that is there twice is an error: no one can say which was meant.
struct Fill<'r, 'a> {
    row: &'r mut Row<'a>,
    /// One bit a [`Name`].
    seen: u64,
}

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a usage record")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name>()? {
            let bit = 1 << name as u32;
            if self.seen & bit != 0 && !matches!(name, Name::Unknown) {
                return Err(Error::custom("given twice"));
            }
            self.seen |= bit;
            self.fill(name, &mut map)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Name {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            #[inline]
            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name::of(name))
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// A text field: a string, or an integer as its digits. Null and empty are absent.
#[derive(Debug, Default, PartialEq, Eq)]
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
#[derive(Debug, Default, PartialEq, Eq)]
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
#[derive(Debug, Default, PartialEq, Eq)]
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
