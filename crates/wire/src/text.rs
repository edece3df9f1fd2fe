//! Reading our own lines back: texts that borrow from the line, and one message for a line that is not what it should be.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// A text of a line, borrowed from it wherever nothing had to be unescaped. (`Option<Cow<str>>` would always copy.)
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A text, or a whole number as its digits.
pub(crate) fn figure<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    struct FigureVisitor;

    impl<'de> Visitor<'de> for FigureVisitor {
        type Value = Text<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a whole number")
        }

        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
            Ok(Text(Cow::Borrowed(text)))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
            Ok(Text(Cow::Owned(text.to_owned())))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
            Ok(Text(Cow::Owned(number.to_string())))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
            Ok(Text(Cow::Owned(number.to_string())))
        }
    }

    deserializer.deserialize_any(FigureVisitor)
}

/// Why a line is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub(crate) String);

/// The one version of our lines there is.
const SCHEMA_VERSION: u32 = 1;

/// Reads a line; only one that cannot be read is read again, by the reader whose messages name the place.
pub(crate) fn read_line<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, ReadError> {
    let text = std::str::from_utf8(line).map_err(|_| ReadError("not UTF-8".to_owned()))?;
    sonic_rs::from_str(text).map_err(|fast| match serde_json::from_str::<T>(text) {
        Err(slow) => ReadError(slow.to_string()),
        Ok(_) => ReadError(fast.to_string().lines().next().unwrap_or_default().to_owned()),
    })
}

pub(crate) fn check_kind(version: u32, kind: &str, expected: &str) -> Result<(), ReadError> {
    if version != SCHEMA_VERSION {
        return Err(ReadError(format!("schemaVersion is {version}; this program reads version {SCHEMA_VERSION}")));
    }
    if kind != expected {
        return Err(ReadError(format!("type is {kind:?}, where {expected:?} is expected")));
    }
    Ok(())
}
