//! Rows as nearly every source writes them: one flat object of texts without escapes and of numbers, its keys mostly in the
//! order of Microsoft's reference. They are read without the JSON reader, in two thirds of its time.
//!
//! Nothing is refused here. Whatever is not quite so is left to the reader, which decides alone what a row is; what is
//! taken here it would have taken too, to the same row (a property in the tests, and a fuzz target).

use std::borrow::Cow;

use super::row::{Decimal, Field, Row, Void};
use crate::cdr::{Held, RUNS_MAX, Runs};

/// Rows whose keys go back to the beginning of the list more often are quicker with the reader.
const ROUNDS_MAX: u32 = 8;

/// Reads a row into `row`, which is empty. `None`: the row is not as plain as that, and `row` holds anything.
#[inline]
pub(super) fn read<'a>(text: &'a str, row: &mut Row<'a>) -> Option<Runs<'a>> {
    if !is_plain(text.as_bytes()) {
        return None;
    }
    let mut cursor = Cursor::new(text)?;
    let mut seen = 0;
    for round in 0..ROUNDS_MAX {
        // One round takes whatever stands in the order of the list.
        row.take_in_order(&mut cursor, &mut seen)?;
        if !cursor.has_ended {
            cursor.skip_unknown()?;
        }
        if cursor.has_ended {
            return Some(if round == 0 { cursor.runs() } else { Runs::default() });
        }
    }
    None
}

/// Without escapes and control characters every text ends at the next quote. Two least values of bytes, since those are
/// found for many bytes at once.
fn is_plain(bytes: &[u8]) -> bool {
    let least = |(byte, to_escape): (u8, u8), next: &u8| (byte.min(*next), to_escape.min(*next ^ b'\\'));
    let (byte, to_escape) = bytes.iter().fold((u8::MAX, u8::MAX), least);
    byte >= 0x20 && to_escape != 0
}

/// A place in an object that is [`is_plain`].
pub(super) struct Cursor<'a> {
    text: &'a str,
    rest: &'a [u8],
    /// The object's end, and nothing after it.
    pub has_ended: bool,
    /// No space was stepped over.
    is_tight: bool,
    spans: [(u32, u32); RUNS_MAX],
    span_count: usize,
    held: Held,
}

impl<'a> Cursor<'a> {
    /// Before the first key.
    #[inline]
    fn new(text: &'a str) -> Option<Self> {
        let mut cursor = Cursor {
            text,
            rest: text.as_bytes().strip_prefix(b"{")?,
            has_ended: false,
            is_tight: true,
            spans: [(0, 0); RUNS_MAX],
            span_count: 0,
            held: Held::default(),
        };
        cursor.skip_space();
        Some(cursor)
    }

    /// Steps over `key`, which is given as it is written, with its quotes and its colon, if it stands here.
    #[inline(always)]
    pub fn take_key(&mut self, key: &'static str) -> bool {
        // Inlined always, since comparing with a constant is a load or two.
        let Some(rest) = self.rest.strip_prefix(key.as_bytes()) else { return false };
        self.rest = rest;
        self.skip_space();
        true
    }

    /// Steps over what follows a value: a comma, or the object's end.
    #[inline(always)]
    pub fn take_separator(&mut self) -> Option<()> {
        match self.rest {
            [b',', rest @ ..] => {
                self.rest = rest;
                self.skip_space();
                Some(())
            }
            [b'}'] => {
                self.has_ended = true;
                Some(())
            }
            _ => None,
        }
    }

    /// Some write one space after colons and commas.
    #[inline(always)]
    fn skip_space(&mut self) {
        if let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
            self.is_tight = false;
        }
    }

    /// How many bytes there are from here to the end.
    #[inline(always)]
    pub fn rest_length(&self) -> usize {
        self.rest.len()
    }

    /// Notes the field that began where `rest_length` was, and ends here, for [`Runs`].
    #[inline(always)]
    pub fn add_to_runs(&mut self, rest_length: usize) -> &mut Held {
        let offset = |rest_length: usize| self.text.len().wrapping_sub(rest_length) as u32;
        let (start, end) = (offset(rest_length), offset(self.rest.len()));
        // A comma is between neighbours.
        let last = self.span_count.checked_sub(1).and_then(|last| self.spans.get_mut(last));
        match last {
            Some(last) if last.1.wrapping_add(1) == start => last.1 = end,
            _ => {
                if let Some(free) = self.spans.get_mut(self.span_count) {
                    *free = (start, end);
                }
                self.span_count = self.span_count.saturating_add(1);
            }
        }
        &mut self.held
    }

    fn runs(&self) -> Runs<'a> {
        let is_short = u32::try_from(self.text.len()).is_ok();
        if self.is_tight && is_short && self.span_count <= RUNS_MAX {
            Runs::new(self.text, self.spans, self.span_count, self.held)
        } else {
            Runs::default()
        }
    }

    /// A field that is not read, if its value is a text or a number. A key that is read may stand here as well: then it is its
    /// turn in the next round.
    fn skip_unknown(&mut self) -> Option<()> {
        let before = self.rest;
        let key = self.string()?;
        if super::row::kind_of(key).is_some() {
            self.rest = before;
            return Some(());
        }
        self.rest = self.rest.strip_prefix(b":")?;
        self.skip_space();
        match self.rest.first()? {
            b'"' => drop(self.string()?),
            _ => drop(self.number()?),
        }
        self.take_separator()
    }

    /// The text between the quote that stands here and the next one.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        let [b'"', inside @ ..] = self.rest else { return None };
        let length = memchr::memchr(b'"', inside)?;
        self.rest = inside.get(length.checked_add(1)?..)?;
        self.back(inside, length)
    }

    /// The first bytes of what was the rest once.
    #[inline]
    fn back(&self, rest: &[u8], length: usize) -> Option<&'a str> {
        let start = self.text.len().checked_sub(rest.len())?;
        self.text.get(start..start.checked_add(length)?)
    }

    /// A number without an exponent, as JSON has them, or `null`.
    #[inline]
    fn number(&mut self) -> Option<Option<&'a str>> {
        if let Some(rest) = self.rest.strip_prefix(b"null") {
            self.rest = rest;
            return Some(None);
        }
        let before = self.rest;
        let unsigned = before.strip_prefix(b"-").unwrap_or(before);
        let (whole, mut rest) = digits(unsigned);
        let is_number = match whole {
            [] => false,
            [b'0'] => true,
            [first, ..] => *first != b'0',
        };
        if let Some(decimals) = rest.strip_prefix(b".") {
            let (decimals, after) = digits(decimals);
            rest = if decimals.is_empty() { return None } else { after };
        }
        if !is_number {
            return None;
        }
        self.rest = rest;
        self.back(before, before.len().checked_sub(rest.len())?).map(Some)
    }
}

fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.split_at(count)
}

/// A value that a plain row can have.
pub(super) trait Value<'a> {
    /// Takes the value that stands here, in place; `None` leaves the row to the reader.
    fn take(&mut self, cursor: &mut Cursor<'a>) -> Option<()>;
}

impl<'a> Value<'a> for Field<'a> {
    #[inline]
    fn take(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        if let Some(rest) = cursor.rest.strip_prefix(b"null") {
            cursor.rest = rest;
            return Some(());
        }
        let text = cursor.string()?;
        if !text.is_empty() {
            self.0 = Some(Cow::Borrowed(text));
        }
        Some(())
    }
}

impl<'a> Value<'a> for Decimal<'a> {
    #[inline]
    fn take(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        self.0 = cursor.number()?.map(Cow::Borrowed);
        Some(())
    }
}

impl<'a> Value<'a> for Void {
    fn take(&mut self, _: &mut Cursor<'a>) -> Option<()> {
        None
    }
}

#[cfg(test)]
mod tests;
