//! One line of CSV: found columns, not copied ones.
//!
//! A line without quotes is cut at its delimiters and that is all. Quotes are read as RFC 4180 has them; where they are
//! broken, the quote is data and the line is flagged (boundaries.md U8).

use std::borrow::Cow;

use super::profile::FieldRef;

/// The most columns a line may have. CUCM's have some 130.
pub(crate) const COLUMNS_MAX: usize = 256;

/// Delimiter and quote of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
}

/// Which column each field of a profile is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub(crate) dialect: Dialect,
    pub(crate) columns_min: usize,
    pub(crate) columns_max: usize,
    /// By field of the profile; `None` where the file lacks it.
    pub(crate) columns: Vec<Option<u16>>,
}

/// A line cut into columns.
pub(crate) struct Line<'a> {
    text: &'a str,
    quote: Option<u8>,
    /// Where columns begin; one more than there are columns, as if a delimiter followed the last.
    starts: [u32; COLUMNS_MAX + 1],
    pub(crate) columns_count: usize,
    pub(crate) has_broken_quotes: bool,
}

impl<'a> Line<'a> {
    /// Cuts `text`; `None` if it has more than [`COLUMNS_MAX`] columns.
    pub(crate) fn split(text: &'a str, dialect: Dialect) -> Option<Self> {
        let mut line = Line {
            text,
            quote: dialect.quote,
            starts: [0; COLUMNS_MAX + 1],
            columns_count: 0,
            has_broken_quotes: false,
        };
        let bytes = text.as_bytes();
        match dialect.quote.filter(|quote| memchr::memchr(*quote, bytes).is_some()) {
            None => {
                for end in memchr::memchr_iter(dialect.delimiter, bytes) {
                    line.end_column(end)?;
                }
            }
            Some(quote) => {
                let mut position = 0;
                while let Some(end) = line.column_end(bytes, position, dialect.delimiter, quote) {
                    line.end_column(end)?;
                    position = end + 1;
                }
            }
        }
        line.end_column(bytes.len())?;
        Some(line)
    }

    fn end_column(&mut self, end: usize) -> Option<()> {
        self.columns_count += 1;
        *self.starts.get_mut(self.columns_count)? = u32::try_from(end + 1).ok()?;
        Some(())
    }

    /// The delimiter that ends the column which begins at `from`.
    fn column_end(&mut self, bytes: &[u8], from: usize, delimiter: u8, quote: u8) -> Option<usize> {
        let blank = bytes[from..].iter().take_while(|byte| **byte == b' ').count();
        let mut position = from + blank;
        if bytes.get(position) != Some(&quote) {
            let end = memchr::memchr(delimiter, &bytes[from..]).map(|distance| from + distance);
            self.has_broken_quotes |= memchr::memchr(quote, &bytes[from..end.unwrap_or(bytes.len())]).is_some();
            return end;
        }
        position += 1;
        loop {
            let Some(distance) = memchr::memchr(quote, &bytes[position..]) else {
                self.has_broken_quotes = true;
                return None;
            };
            let after = position + distance + 1;
            let blank = bytes[after..].iter().take_while(|byte| **byte == b' ').count();
            match bytes.get(after) {
                Some(byte) if *byte == quote => position = after + 1,
                _ if after + blank == bytes.len() => return None,
                _ if bytes[after + blank] == delimiter => return Some(after + blank),
                _ => {
                    self.has_broken_quotes = true;
                    position = after;
                }
            }
        }
    }

    /// The value of a column, without its quotes and the spaces around it; empty is absent.
    pub(crate) fn column(&self, index: usize) -> Option<Cow<'a, str>> {
        if index >= self.columns_count {
            return None;
        }
        let (start, end) = (self.starts[index] as usize, self.starts[index + 1] as usize - 1);
        let raw = self.text[start..end].trim_ascii();
        let value = match self.quote {
            Some(quote) if raw.as_bytes().first() == Some(&quote) => unquote(raw, quote),
            _ => Cow::Borrowed(raw),
        };
        (!value.is_empty()).then_some(value)
    }
}

fn unquote(raw: &str, quote: u8) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    if bytes.len() < 2 || bytes.last() != Some(&quote) {
        return Cow::Borrowed(raw);
    }
    let inner = &raw[1..raw.len() - 1];
    if memchr::memchr(quote, inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let quote = char::from(quote);
    let doubled: String = [quote, quote].iter().collect();
    Cow::Owned(inner.replace(&doubled, quote.encode_utf8(&mut [0; 4])))
}

impl<'a> super::assemble::Fields<'a> for (&Line<'a>, &Header) {
    fn get(&self, field: FieldRef) -> Option<Cow<'a, str>> {
        self.0.column(usize::from(self.1.columns[field.index()]?))
    }
}

/// A column name as it is compared: letters and digits in lower case, so that `Start Time` is `StartTime`.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> (Vec<Option<String>>, bool) {
        let line = Line::split(text, Dialect { delimiter: b',', quote: Some(b'"') }).expect("columns");
        let values = (0..line.columns_count).map(|index| line.column(index).map(Cow::into_owned)).collect();
        (values, line.has_broken_quotes)
    }

    /// boundaries.md U8: broken quotes are data, and flagged.
    #[test]
    fn quotes() {
        for (text, expected, is_broken) in [
            ("", &[""][..], false),
            ("a,b,,c", &["a", "b", "", "c"], false),
            (" a , b ", &["a", "b"], false),
            ("\"a\",\"b,c\",\"\"", &["a", "b,c", ""], false),
            ("\"say \"\"hi\"\", he said\",x", &["say \"hi\", he said", "x"], false),
            ("\"\"\"Ann\"\" <100>\",x", &["\"Ann\" <100>", "x"], false),
            ("\"a\" , \"b\"", &["a", "b"], false),
            ("\"\"Ann\" <100>\",x", &["\"Ann\" <100>", "x"], true),
            ("\"a\"b,c", &["\"a\"b,c"], true),
            ("a\"b,c", &["a\"b", "c"], true),
            ("\"a,b", &["\"a,b"], true),
            ("\"", &["\""], true),
            ("a,\"", &["a", "\""], true),
            ("\u{e9},\"\u{e9}\"", &["\u{e9}", "\u{e9}"], false),
        ] {
            let expected: Vec<Option<String>> =
                expected.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect();
            assert_eq!(columns(text), (expected, is_broken), "{text}");
        }
    }

    #[test]
    fn too_many_columns_are_none() {
        let dialect = Dialect { delimiter: b',', quote: None };
        assert!(Line::split(&",".repeat(COLUMNS_MAX - 1), dialect).is_some());
        assert!(Line::split(&",".repeat(COLUMNS_MAX), dialect).is_none());
    }

    #[test]
    fn names_fold() {
        assert_eq!(folded("Start Time"), folded("startTime"));
        assert_eq!(folded("\u{feff}globalCallID_callId"), "globalcallidcallid");
    }
}
