//! Cells of a CSV whose quotes are broken. The reader takes them without a word: rows below a quote that is left open
//! become text of its cell, down to the next quote or the end of the file.
//!
//! Follows the reader's rules: a quote opens a cell only where the cell begins, and a doubled one inside is a quote.

use crate::fault::{Faults, Place};

/// The first cell of a record whose quotes are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// Its place in the record, from 0.
    pub cell: usize,
    /// How many lines the opening quote stands below the record's first.
    opened: u32,
    /// How many lines the closing quote does, if there is one: then other text follows it.
    closed: Option<u32>,
}

impl Broken {
    /// The first such cell of the record that `text` begins with.
    pub fn find(text: &[u8], delimiter: u8) -> Option<Broken> {
        let lines_above = |rest: &[u8]| line_ends(text.split_at(text.len().saturating_sub(rest.len())).0);
        let mut rest = text;
        for cell in 0.. {
            rest = match rest.strip_prefix(b"\"") {
                None => from(rest, |byte| byte == delimiter || is_line_end(byte)),
                Some(inside) => {
                    let Some(closed) = after_closing_quote(inside) else {
                        return Some(Broken { cell, opened: lines_above(rest), closed: None });
                    };
                    let end = from(closed, |byte| byte != b' ');
                    if end.first().is_some_and(|byte| *byte != delimiter && !is_line_end(*byte)) {
                        return Some(Broken { cell, opened: lines_above(rest), closed: Some(lines_above(closed)) });
                    }
                    end
                }
            };
            rest = rest.strip_prefix(&[delimiter])?;
        }
        None
    }

    /// Adds the fault. The record begins at `line`, and `column` is the cell's.
    pub fn tell(self, file: &str, line: u32, column: Option<&str>, faults: &mut Faults) {
        let place = Place { file, line: Some(line.saturating_add(self.opened)), column };
        let mend = format_args!("close it where the cell ends, and double the quotes inside of the cell");
        match self.closed {
            None => faults.add(place, format_args!("the cell's quote is never closed"), mend),
            Some(closed) => {
                let line = line.saturating_add(closed);
                faults.add(place, format_args!("the cell's quote is closed on line {line}, and text follows"), mend);
            }
        }
    }
}

/// What follows the quote that closes a cell; `None` if none does.
fn after_closing_quote(mut inside: &[u8]) -> Option<&[u8]> {
    loop {
        let after = from(inside, |byte| byte == b'"').strip_prefix(b"\"")?;
        match after.strip_prefix(b"\"") {
            Some(rest) => inside = rest,
            None => return Some(after),
        }
    }
}

/// `text` from the first byte that `is_sought`.
fn from(text: &[u8], is_sought: impl Fn(u8) -> bool) -> &[u8] {
    let length = text.iter().position(|byte| is_sought(*byte)).unwrap_or(text.len());
    text.split_at(length).1
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn line_ends(text: &[u8]) -> u32 {
    u32::try_from(text.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX)
}
