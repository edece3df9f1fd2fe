//! A deck: an immutable, versioned rate table in one currency.

use drawdown_units::{Currency, Timestamp};

use crate::{Called, Fault, Number, Product, Rounding, Row};

/// A compiled deck. Nothing about it can be changed, and every question it is asked has one answer.
#[derive(Debug)]
pub struct Deck {
    id: String,
    version: u32,
    currency: Currency,
    effective_from: Timestamp,
    rounding: Rounding,
    rows: Box<[Row]>,
}

/// The text of a deck, read by the caller: this crate opens no files.
#[derive(Debug, Clone, Copy)]
pub struct DeckText<'a> {
    /// What faults call the manifest.
    pub manifest_name: &'a str,
    /// The TOML.
    pub manifest: &'a str,
    /// What faults call the rows.
    pub rows_name: &'a str,
    /// The CSV.
    pub rows: &'a [u8],
}

/// A deck and what its author should look at.
#[derive(Debug)]
pub struct Compiled {
    /// The deck.
    pub deck: Deck,
    /// What is legal but suspicious.
    pub warnings: Vec<Fault>,
}

/// The rows of the longest prefix that begins a called number: usually one, several where callers or bands differ.
#[derive(Debug, Clone, Copy)]
pub struct Match<'d> {
    /// The digits that matched.
    pub prefix: Number,
    /// Whether a longer prefix of the deck could match under the mask (boundaries.md N1).
    pub masked_uncertain: bool,
    rows: &'d [Row],
}

/// The file that a manifest says its rows are in, relative to the manifest.
///
/// # Errors
/// The manifest is not TOML, or does not name the file.
pub fn rows_file_of(manifest: &str) -> Result<String, Fault> {
    let _ = manifest;
    Err(Fault { file: String::new(), line: None, column: None, what: String::new(), mend: String::new() })
}

impl Deck {
    /// Reads and checks a deck.
    ///
    /// # Errors
    /// Every fault of manifest and rows, in one pass.
    pub fn compile(text: DeckText<'_>) -> Result<Compiled, Vec<Fault>> {
        let _ = text;
        Err(Vec::new())
    }

    /// The name that rate plans and debits know the deck by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version, unique with the id.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The currency of every figure in it.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The first instant at which a call that starts is priced by this version (boundaries.md C4).
    pub fn effective_from(&self) -> Timestamp {
        self.effective_from
    }

    /// How charges are rounded.
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// The rows in the order of their file.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The longest prefix that surely begins the called number (boundaries.md N1, N5). The hot path: no allocation.
    pub fn look_up(&self, product: Product, called: Called) -> Option<Match<'_>> {
        let _ = product;
        Some(Match { prefix: called.number, masked_uncertain: false, rows: &self.rows })
    }
}

impl<'d> Match<'d> {
    /// The row for a caller and the start of a call: longest origin first, then the band (boundaries.md N6, C7).
    pub fn row(&self, caller: Option<Number>, start: Timestamp) -> Option<&'d Row> {
        let _ = (caller, start);
        self.rows.first()
    }
}
