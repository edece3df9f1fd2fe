//! What is wrong with a deck or plan, where, and how to mend it.

use core::fmt;

/// One fault, or one warning, found while reading. Shown as `file:line: column: what; mend`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as its reader named it.
    pub file: String,
    /// The line in it, from 1, where one line is to blame.
    pub line: Option<u32>,
    /// The column of the CSV or the key of the TOML.
    pub column: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ": {column}")?;
        }
        write!(f, ": {}; {}", self.what, self.mend)
    }
}

impl core::error::Error for Fault {}

/// Where in the files a fault lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub file: &'a str,
    pub line: Option<u32>,
    pub column: Option<&'a str>,
}

impl Place<'_> {
    pub fn fault(self, what: fmt::Arguments<'_>, mend: fmt::Arguments<'_>) -> Fault {
        Fault {
            file: self.file.to_owned(),
            line: self.line,
            column: self.column.map(str::to_owned),
            what: what.to_string(),
            mend: mend.to_string(),
        }
    }
}

/// The faults of one pass. Only the first are kept, so that a file of rubbish costs no memory; the rest are counted.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    kept: Vec<Fault>,
    more_count: usize,
}

impl Faults {
    const KEPT_MAX: usize = 1_000;

    pub fn add(&mut self, place: Place<'_>, what: fmt::Arguments<'_>, mend: fmt::Arguments<'_>) {
        if self.kept.len() < Self::KEPT_MAX {
            self.kept.push(place.fault(what, mend));
        } else {
            self.more_count = self.more_count.saturating_add(1);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The faults kept; if there were more, one that counts them.
    pub fn into_list(mut self) -> Vec<Fault> {
        if let (Some(last), 1..) = (self.kept.last(), self.more_count) {
            let place = Place { file: &last.file.clone(), line: None, column: None };
            let more_count = self.more_count;
            self.kept.push(place.fault(format_args!("and {more_count} more faults"), format_args!("mend these first")));
        }
        self.kept
    }
}

/// A text as a fault shows it: quoted, and cut where it is long.
pub(crate) struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARS_MAX: usize = 40;
        match self.0.char_indices().nth(CHARS_MAX) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}
