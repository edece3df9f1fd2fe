//! Reading a line and its values: each as what it must be, or a fault that names file, line and field.

use std::fmt::Display;

use drawdown_units::{Currency, Money, Timestamp};
use drawdown_wire::Text;
use serde::Deserialize;

use crate::fault::Fault;
use crate::line::{Figure, Head};

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub name: &'a str,
    pub line: u64,
}

/// The one version of the lines there is.
const SCHEMA_VERSION: u32 = 1;

impl Place<'_> {
    /// Reads a line whose head was read before.
    pub fn read<'a, T: Deserialize<'a>>(self, bytes: &'a [u8]) -> Result<T, Fault> {
        // The fast reader first; its messages are no help, so a line that it refuses is read again by the other.
        sonic_rs::from_slice(bytes).map_err(|fast| {
            let slow = serde_json::from_slice::<T>(bytes).err().map(|error| error.to_string());
            let fast = || fast.to_string().lines().next().unwrap_or_default().to_owned();
            self.fault("line", slow.unwrap_or_else(fast))
        })
    }

    /// Reads what every line begins with.
    pub fn head(self, bytes: &[u8]) -> Result<Head<'_>, Fault> {
        let head: Head<'_> = self.read(bytes)?;
        if head.schema_version != SCHEMA_VERSION {
            let problem = format!("{}, where this program reads version {SCHEMA_VERSION}", head.schema_version);
            return Err(self.fault("schemaVersion", problem));
        }
        Ok(head)
    }

    pub fn fault(self, field: impl Into<String>, problem: impl Display) -> Fault {
        let (name, field, problem) = (self.name.to_owned(), field.into(), problem.to_string());
        Fault::Line { name, line: self.line, field, problem }
    }

    pub fn need<T>(self, field: &str, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| self.fault(field, "missing"))
    }

    pub fn money(self, field: &str, text: &str) -> Result<Money, Fault> {
        Money::parse(text).map_err(|error| self.fault(field, format_args!("{text:?}: {error}")))
    }

    pub fn time(self, field: &str, text: &str) -> Result<Timestamp, Fault> {
        Timestamp::parse(text).map_err(|error| self.fault(field, format_args!("{text:?}: {error}")))
    }

    pub fn currency(self, field: &str, text: &str) -> Result<Currency, Fault> {
        Currency::parse(text).ok_or_else(|| self.fault(field, format_args!("{text:?}: not a currency such as USD")))
    }

    pub fn need_text<'t>(self, field: &str, text: Option<&'t Text<'_>>) -> Result<&'t str, Fault> {
        self.need(field, text.map(|text| &**text))
    }

    pub fn need_money(self, field: &str, text: Option<&Text<'_>>) -> Result<Money, Fault> {
        self.money(field, self.need_text(field, text)?)
    }

    pub fn need_time(self, field: &str, text: Option<&Text<'_>>) -> Result<Timestamp, Fault> {
        self.time(field, self.need_text(field, text)?)
    }

    /// A figure that must be a number.
    pub fn count(self, field: &str, figure: Option<&Figure<'_>>) -> Result<i64, Fault> {
        match figure {
            Some(Figure::Count(count)) => Ok(*count),
            Some(Figure::Amount(text)) => Err(self.fault(field, format_args!("{text:?}, where a number is expected"))),
            None => Err(self.fault(field, "missing")),
        }
    }

    /// A figure that must be an amount; the field's name is put together only where it is needed.
    pub fn amount(self, list: &str, index: usize, part: &str, figure: Option<&Figure<'_>>) -> Result<Money, Fault> {
        match figure {
            Some(Figure::Amount(text)) => {
                Money::parse(text).or_else(|_| self.money(&format!("{list}[{index}].{part}"), text))
            }
            Some(Figure::Count(count)) => Err(self
                .fault(format!("{list}[{index}].{part}"), format_args!("{count}, where a decimal text is expected"))),
            None => Err(self.fault(format!("{list}[{index}].{part}"), "missing")),
        }
    }
}
