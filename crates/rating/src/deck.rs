//! A deck: an immutable, versioned rate table in one currency.

mod columns;
mod compile;
mod figures;
mod manifest;
mod quotes;
mod rows;
mod warnings;

use drawdown_units::{Currency, Timestamp};

use crate::bands::{BandIndex, Bands, OUTSIDE};
use crate::index::Index;
use crate::{Called, Fault, Number, Product, Rounding, Row};

pub(crate) use manifest::{read_currency, read_id};

pub use manifest::rows_file_of;

/// A compiled deck. Nothing about it can be changed, and every question it is asked has one answer.
#[derive(Debug)]
pub struct Deck {
    id: String,
    version: u32,
    currency: Currency,
    effective_from: Timestamp,
    withdrawn_at: Option<Timestamp>,
    rounding: Rounding,
    manifest_name: String,
    bands: Option<Bands>,
    rows: Box<[Row]>,
    choices: Box<[Choice]>,
    outbound: Index,
    toll_free_inbound: Index,
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
    /// What is legal but suspicious, alike ones in one.
    pub warnings: Vec<Fault>,
}

/// The rows of the longest prefix that begins a called number: usually one, several where callers or bands differ.
#[derive(Debug, Clone, Copy)]
pub struct Match<'d> {
    deck: &'d Deck,
    /// The first row of the prefix.
    first: &'d Row,
    /// Whether a longer prefix of the deck could match under the mask (boundaries.md N1).
    pub masked_uncertain: bool,
}

/// The rows of a prefix that has several.
#[derive(Debug)]
struct Choice {
    /// The rows with an origin prefix, the longest first.
    by_origin: Box<[(Number, Variants)]>,
    /// The rows for every other caller.
    otherwise: Option<Variants>,
}

/// The row for each band, as indices of rows, or one row for all of them. Every band has one: compiling refuses gaps.
#[derive(Debug)]
enum Variants {
    One(u32),
    ByBand(Box<[u32]>),
}

/// The rows that a call may be priced by once prefix and origin are settled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowsByBand<'d> {
    /// One, whatever the time.
    One(&'d Row),
    /// By [`BandIndex`].
    Several(&'d [u32]),
}

impl Deck {
    /// Reads and checks a deck.
    ///
    /// # Errors
    /// Every fault of manifest and rows, in one pass; of more than a thousand the first, and how many more.
    pub fn compile(text: DeckText<'_>) -> Result<Compiled, Vec<Fault>> {
        compile::compile(text)
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

    /// The same deck, withdrawn at that instant: its rows can be read, but a catalogue chooses it for no call any more.
    #[must_use]
    pub fn withdrawn(mut self, at: Timestamp) -> Deck {
        self.withdrawn_at = Some(at);
        self
    }

    /// Since when it is withdrawn.
    pub fn withdrawn_at(&self) -> Option<Timestamp> {
        self.withdrawn_at
    }

    /// How charges are rounded.
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// What faults call the manifest it was read from.
    pub fn manifest_name(&self) -> &str {
        &self.manifest_name
    }

    /// The rows in the order of their file.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The longest prefix that surely begins the called number (boundaries.md N1, N5). The hot path: no allocation.
    #[inline]
    pub fn look_up(&self, product: Product, called: Called) -> Option<Match<'_>> {
        let index = self.index(product);
        let first = index.longest(called.number, |row| self.rows[row as usize].prefix)?;
        let masked_uncertain = self.is_uncertain(product, called);
        Some(Match { deck: self, first: &self.rows[first as usize], masked_uncertain })
    }

    /// Whether a longer prefix of the deck could match under the mask of the called number, whether or not another one
    /// matches without it (boundaries.md N1).
    pub fn is_uncertain(&self, product: Product, called: Called) -> bool {
        called.masked && self.index(product).continues(called.number)
    }

    /// The row in force at `start`.
    #[inline]
    pub(crate) fn row_at<'d>(&'d self, rows: RowsByBand<'d>, start: Timestamp) -> &'d Row {
        match rows {
            RowsByBand::One(row) => row,
            RowsByBand::Several(_) => self.row_in(rows, self.bands().map_or(OUTSIDE, |bands| bands.at(start))),
        }
    }

    /// The row for a band.
    pub(crate) fn row_in<'d>(&'d self, rows: RowsByBand<'d>, band: BandIndex) -> &'d Row {
        match rows {
            RowsByBand::One(row) => row,
            RowsByBand::Several(by_band) => &self.rows[by_band[band] as usize],
        }
    }

    pub(crate) fn bands(&self) -> Option<&Bands> {
        self.bands.as_ref()
    }

    fn index(&self, product: Product) -> &Index {
        match product {
            Product::Outbound => &self.outbound,
            Product::TollFreeInbound => &self.toll_free_inbound,
        }
    }
}

impl<'d> Match<'d> {
    /// The digits that matched.
    pub fn prefix(&self) -> Number {
        self.first.prefix
    }

    /// The row for a caller and the start of a call: longest origin first, then the band (boundaries.md N6, C7). `None`
    /// where the prefix has rows for other callers only.
    pub fn row(&self, caller: Option<Number>, start: Timestamp) -> Option<&'d Row> {
        Some(self.deck.row_at(self.rows_for(caller)?, start))
    }

    #[inline]
    pub(crate) fn rows_for(&self, caller: Option<Number>) -> Option<RowsByBand<'d>> {
        let Some(choice) = self.first.choice.among_rows() else { return Some(RowsByBand::One(self.first)) };
        let choice = &self.deck.choices[choice];
        let of_caller = caller.and_then(|caller| {
            choice.by_origin.iter().find(|(origin, _)| origin.is_prefix_of(caller)).map(|(_, variants)| variants)
        });
        Some(match of_caller.or(choice.otherwise.as_ref())? {
            Variants::One(row) => RowsByBand::One(&self.deck.rows[*row as usize]),
            Variants::ByBand(by_band) => RowsByBand::Several(by_band),
        })
    }
}

#[cfg(test)]
mod tests;
