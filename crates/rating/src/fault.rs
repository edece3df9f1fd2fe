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
