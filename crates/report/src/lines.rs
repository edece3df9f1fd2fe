//! Lines of JSON, one after the other, from whatever keeps them.

use std::io::{self, BufRead};

/// One line, without its end.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its place, from 1, for messages.
    pub number: u64,
    /// What it says.
    pub bytes: &'a [u8],
}

/// Lines in their order; those of one organisation in the order of their `seq`.
pub trait Lines {
    /// Where they come from, for messages.
    fn name(&self) -> &str;

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// What reading meets.
    fn next_line(&mut self) -> io::Result<Option<Line<'_>>>;
}

impl<L: Lines + ?Sized> Lines for Box<L> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        (**self).next_line()
    }
}

/// The lines of a reader, held one at a time. Blank ones are passed over.
#[derive(Debug)]
pub struct Buffered<R> {
    name: String,
    reader: R,
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Buffered<R> {
    /// Reads from `reader`; `name` is for messages.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Buffered { name: name.into(), reader, number: 0, line: Vec::new() }
    }
}

impl<R: BufRead> Lines for Buffered<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.line.clear();
            if self.reader.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(Line { number: self.number, bytes: self.line.trim_ascii() }))
    }
}
