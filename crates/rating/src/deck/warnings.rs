//! What is legal in a deck but deserves a look. One warning for all rows of a kind: a deck has thousands of rows, and
//! nobody reads thousands of warnings.

use core::fmt::Write as _;

use drawdown_units::Price;
use rustc_hash::FxHashMap;

use super::{Deck, Variants};
use crate::bands::Selection;
use crate::fault::Place;
use crate::{Fault, Product, Row};

/// How many lines a warning names.
const LINES_NAMED_MAX: usize = 5;
/// A price this many times the median is probably a mistake of decimals.
const DEAR_FACTOR: i64 = 100;
/// A price this many times that of the covering prefix is worth knowing.
const DEARER_FACTOR: i64 = 10;
/// Prefixes longer than this are whole numbers rather than destinations.
const PREFIX_DIGITS_MAX: u8 = 12;

/// Every warning about `deck`, whose rows were read from `file`.
pub(super) fn of(deck: &Deck, file: &str) -> Vec<Fault> {
    let mut warnings = Vec::new();
    let mut warn = |finding: Finding| warnings.extend(finding.into_warning(file));
    for product in Product::ALL {
        warn(dear(deck, product));
        warn(redundant(deck, product));
        warn(dearer_within(deck, product));
    }
    warn(free(deck));
    warn(long(deck));
    warn(misspelt(deck));
    warn(only_by_origin(deck));
    warn(uneven_bands(deck));
    warnings
}

/// Rows that share something suspicious.
struct Finding {
    lines: Vec<u32>,
    column: &'static str,
    /// What is suspicious, as in "… in 3 rows".
    what: String,
    mend: &'static str,
}

impl Finding {
    fn into_warning(mut self, file: &str) -> Option<Fault> {
        self.lines.sort_unstable();
        let line = *self.lines.first()?;
        let count = self.lines.len();
        let mut lines = String::new();
        for (at, line) in self.lines.iter().take(LINES_NAMED_MAX).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(lines, "{comma}{line}").expect("invariant: writing to a String cannot fail");
        }
        let (rows, more) = (if count == 1 { "row" } else { "rows" }, count.saturating_sub(LINES_NAMED_MAX));
        let and_more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let noun = if count == 1 { "line" } else { "lines" };
        let place = Place { file, line: Some(line), column: Some(self.column) };
        let what = format_args!("{} in {count} {rows} ({noun} {lines}{and_more})", self.what);
        Some(place.fault(what, format_args!("{}", self.mend)))
    }
}

fn lines_where(deck: &Deck, is_suspicious: impl Fn(&Row) -> bool) -> Vec<u32> {
    deck.rows().iter().filter(|row| is_suspicious(row)).map(|row| row.line).collect()
}

/// The rows of prefixes that have one, each with that of the next shorter prefix that covers it.
fn nested(deck: &Deck, product: Product) -> impl Iterator<Item = (&Row, &Row)> {
    deck.index(product).nested().filter_map(|(indexed, covering)| {
        let row = deck.rows.get(indexed.row as usize)?;
        let covering = deck.rows.get(covering?.row as usize)?;
        let are_single = row.choice.among_rows().or(covering.choice.among_rows()).is_none();
        are_single.then_some((row, covering))
    })
}

fn median_price(deck: &Deck, product: Product) -> Price {
    let mut prices: Vec<Price> = deck
        .rows()
        .iter()
        .filter(|row| row.product == product && !row.blocked && row.price > Price::ZERO)
        .map(|row| row.price)
        .collect();
    prices.sort_unstable();
    prices.get(prices.len() / 2).copied().unwrap_or_default()
}

fn is_times(dear: Price, factor: i64, cheap: Price) -> bool {
    cheap > Price::ZERO && dear.nanos() >= cheap.nanos().saturating_mul(factor)
}

fn dear(deck: &Deck, product: Product) -> Finding {
    let median = median_price(deck, product);
    Finding {
        lines: lines_where(deck, |row| row.product == product && is_times(row.price, DEAR_FACTOR, median)),
        column: "price_per_minute",
        what: format!("a price of {DEAR_FACTOR} times the median {median} or more"),
        mend: "check the decimals",
    }
}

fn redundant(deck: &Deck, product: Product) -> Finding {
    let lines = nested(deck, product)
        .filter(|(row, covering)| {
            let as_covering = Row { prefix: covering.prefix, line: covering.line, ..(*row).clone() };
            as_covering == **covering
        })
        .map(|(row, _)| row.line)
        .collect();
    Finding {
        lines,
        column: "prefix",
        what: "nothing that the shorter covering prefix does not say".to_owned(),
        mend: "such rows may be left out",
    }
}

fn dearer_within(deck: &Deck, product: Product) -> Finding {
    let lines = nested(deck, product)
        .filter(|(row, covering)| {
            row.destination != covering.destination && is_times(row.price, DEARER_FACTOR, covering.price)
        })
        .map(|(row, _)| row.line)
        .collect();
    Finding {
        lines,
        column: "prefix",
        what: format!(
            "{DEARER_FACTOR} times the price or more of the shorter covering prefix, which is another destination's,"
        ),
        mend: "make sure that callers expect it",
    }
}

fn free(deck: &Deck) -> Finding {
    let is_free = |row: &Row| {
        let has_price = row.price > Price::ZERO || row.tiers.iter().any(|tier| tier.price > Price::ZERO);
        !has_price && !row.blocked && row.connection_fee.is_zero() && row.minimum.is_zero()
    };
    Finding {
        lines: lines_where(deck, is_free),
        column: "price_per_minute",
        what: "no charge, and no block,".to_owned(),
        mend: "check that nothing is to be charged",
    }
}

fn long(deck: &Deck) -> Finding {
    Finding {
        lines: lines_where(deck, |row| row.prefix.length() > PREFIX_DIGITS_MAX),
        column: "prefix",
        what: format!("a prefix of more than {PREFIX_DIGITS_MAX} digits"),
        mend: "check that it is not a figure of another column",
    }
}

/// Names that differ from an earlier one in case and spaces only.
fn misspelt(deck: &Deck) -> Finding {
    let mut first_spellings: FxHashMap<String, &str> = FxHashMap::default();
    let mut example = None;
    let mut lines = Vec::new();
    for row in deck.rows() {
        let folded = row.destination.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let first = *first_spellings.entry(folded).or_insert(&row.destination);
        if first != &*row.destination {
            example = example.or(Some((first, &*row.destination)));
            lines.push(row.line);
        }
    }
    let (first, other) = example.unwrap_or_default();
    Finding {
        lines,
        column: "destination",
        what: format!("a destination that other rows write otherwise (as {first:?} and {other:?})"),
        mend: "write one destination one way",
    }
}

/// Prefixes that leave callers from elsewhere, and unknown ones, unrated.
fn only_by_origin(deck: &Deck) -> Finding {
    let lines = Product::ALL.into_iter().flat_map(|product| deck.index(product).nested()).filter_map(|(indexed, _)| {
        let row = deck.rows.get(indexed.row as usize)?;
        let choice = deck.choices.get(row.choice.among_rows()?)?;
        choice.otherwise.is_none().then_some(row.line)
    });
    Finding {
        lines: lines.collect(),
        column: "origin_prefix",
        what: "a prefix for some callers only".to_owned(),
        mend: "add a row without origin prefix, or other calls to it go unrated",
    }
}

/// Where calls are split, the increments, fee and bounds of the start's row hold to the end: rows that differ in them
/// may not do what their author thinks.
fn uneven_bands(deck: &Deck) -> Finding {
    let is_split = deck.bands().is_some_and(|bands| bands.selection == Selection::Split);
    let terms = |row: &Row| (row.connection_fee, row.initial_s, row.increment_s, row.minimum, row.maximum);
    let all = deck.choices.iter().flat_map(|choice| choice.by_origin.iter().map(|(_, v)| v).chain(&choice.otherwise));
    let lines = all.filter(|_| is_split).filter_map(|variants| match variants {
        Variants::One(_) => None,
        Variants::ByBand(by_band) => {
            let mut rows = by_band.iter().filter_map(|row| deck.rows.get(*row as usize));
            let first = rows.next()?;
            rows.any(|row| terms(row) != terms(first)).then_some(first.line)
        }
    });
    Finding {
        lines: lines.collect(),
        column: "band",
        what: "fee, increments or bounds unlike those of the prefix in another band".to_owned(),
        mend: "in a split call those of the band of its start hold to the end",
    }
}
