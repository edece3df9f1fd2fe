//! Reading the keys of a TOML file one by one, so that every fault names its line and all are found in one pass.
//!
//! serde would stop at the first fault; here a key that nobody asked for is a fault, and so is one of the wrong kind, and
//! reading goes on.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::{Faults, Place, Shown};

/// A TOML file as text, with what it takes to name a line of it.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl<'a> Source<'a> {
    /// The top table. Each syntax error becomes a fault, and then there is none.
    pub fn parse(self, faults: &mut Faults) -> Option<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map(|span| self.line_at(span.start));
            let place = Place { file: self.file, line, column: None };
            faults.add(place, format_args!("not TOML: {}", error.message()), format_args!("mend the syntax"));
        }
        errors.is_empty().then(|| table.into_inner())
    }

    fn line_at(self, offset: usize) -> u32 {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        u32::try_from(newlines).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// A value and the key it stands under.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'t> {
    pub key: &'t str,
    pub line: u32,
    value: &'t DeValue<'t>,
    source: Source<'t>,
}

/// A table of which every key must be asked for.
pub(crate) struct Keys<'t> {
    source: Source<'t>,
    table: &'t DeTable<'t>,
    /// What the table is called in faults, and its line; nothing for the top one.
    name: &'t str,
    line: Option<u32>,
    asked: Vec<&'static str>,
}

impl<'t> Keys<'t> {
    pub fn of_document(source: Source<'t>, table: &'t DeTable<'t>) -> Self {
        Keys { source, table, name: "", line: None, asked: Vec::new() }
    }

    /// The line on which the table begins.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// The value of `key`, if there is one.
    pub fn get(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.asked.push(key);
        self.table.get_key_value(key).map(|pair| self.entry(pair))
    }

    /// The value of `key`; a fault if there is none.
    pub fn require(&mut self, key: &'static str, mend: &str, faults: &mut Faults) -> Option<Entry<'t>> {
        let entry = self.get(key);
        if entry.is_none() {
            let place = Place { file: self.source.file, line: self.line, column: Some(key) };
            let within = if self.name.is_empty() { "" } else { " in " };
            faults.add(place, format_args!("the key is missing{within}{}", self.name), format_args!("{mend}"));
        }
        entry
    }

    /// Every entry, for tables whose keys are data.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'t>> {
        self.table.iter().map(|pair| self.entry(pair))
    }

    /// A fault for every key that was not asked for.
    pub fn finish(self, faults: &mut Faults) {
        for entry in self.entries() {
            if !self.asked.contains(&entry.key) {
                let within = if self.name.is_empty() { "" } else { " in " };
                faults.add(
                    entry.place(),
                    format_args!("unknown key{within}{}", self.name),
                    format_args!("known are {}", self.asked.join(", ")),
                );
            }
        }
    }

    fn entry(&self, (key, value): (&'t Spanned<toml::de::DeString<'t>>, &'t Spanned<DeValue<'t>>)) -> Entry<'t> {
        let line = self.source.line_at(key.span().start);
        Entry { key: key.get_ref(), line, value: value.get_ref(), source: self.source }
    }
}

impl<'t> Entry<'t> {
    pub fn place(self) -> Place<'t> {
        Place { file: self.source.file, line: Some(self.line), column: Some(self.key) }
    }

    pub fn text(self, faults: &mut Faults) -> Option<&'t str> {
        self.expect(self.value.as_str(), "a text in quotes", faults)
    }

    pub fn flag(self, faults: &mut Faults) -> Option<bool> {
        self.expect(self.value.as_bool(), "true or false", faults)
    }

    /// A whole number of 32 bits.
    pub fn count(self, faults: &mut Faults) -> Option<u32> {
        let integer = self.value.as_integer().and_then(|i| u32::from_str_radix(i.as_str(), i.radix()).ok());
        self.expect(integer, "a whole number from 0 to 4294967295", faults)
    }

    /// The text of a figure, whether or not it stands in quotes; the flag says that it does.
    pub fn figure(self, faults: &mut Faults) -> Option<(&'t str, bool)> {
        let figure = match self.value {
            DeValue::String(text) => Some((text.as_ref(), true)),
            DeValue::Integer(integer) if integer.radix() == 10 => Some((integer.as_str(), false)),
            DeValue::Float(float) => Some((float.as_str(), false)),
            DeValue::Integer(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        self.expect(figure, "a decimal number", faults)
    }

    /// An instant, written as a text or as a TOML time.
    pub fn time_text(self, faults: &mut Faults) -> Option<String> {
        let text = match (self.value.as_str(), self.value.as_datetime()) {
            (Some(text), _) => Some(text.to_owned()),
            (None, Some(time)) => Some(time.to_string()),
            (None, None) => None,
        };
        self.expect(text, "a time such as 2026-01-01T00:00:00Z", faults)
    }

    pub fn texts(self, faults: &mut Faults) -> Option<Vec<&'t str>> {
        let texts = self.value.as_array().and_then(|array| array.iter().map(|item| item.get_ref().as_str()).collect());
        self.expect(texts, "a list of texts", faults)
    }

    pub fn table(self, faults: &mut Faults) -> Option<Keys<'t>> {
        let table = self.value.as_table().map(|table| self.keys(table, self.line));
        self.expect(table, "a table", faults)
    }

    pub fn tables(self, faults: &mut Faults) -> Option<Vec<Keys<'t>>> {
        let tables = self.value.as_array().and_then(|array| {
            let line_of = |item: &Spanned<DeValue<'_>>| self.source.line_at(item.span().start);
            array.iter().map(|item| Some(self.keys(item.get_ref().as_table()?, line_of(item)))).collect()
        });
        self.expect(tables, "a list of tables", faults)
    }

    fn keys(self, table: &'t DeTable<'t>, line: u32) -> Keys<'t> {
        Keys { source: self.source, table, name: self.key, line: Some(line), asked: Vec::new() }
    }

    fn expect<T>(self, value: Option<T>, wanted: &str, faults: &mut Faults) -> Option<T> {
        if value.is_none() {
            let kind = self.value.type_str();
            let shown = self.value.as_integer().map_or("", |integer| integer.as_str());
            let space = if shown.is_empty() { "" } else { " " };
            faults.add(
                self.place(),
                format_args!("{kind}{space}{shown} does not fit here"),
                format_args!("write {wanted}"),
            );
        }
        value
    }

    /// A fault that the text of this entry is none of the `known` ones.
    pub fn unknown(self, text: &str, known: &[&str], faults: &mut Faults) {
        let known = known.join(", ");
        faults.add(self.place(), format_args!("{} is not known", Shown(text)), format_args!("write one of {known}"));
    }
}
