//! From text to a deck: everything is checked here, so that rating has nothing left to doubt.

use core::cmp::Reverse;

use super::manifest::{self, Manifest};
use super::rows::{self, RowsText};
use super::{Choice, Compiled, Deck, DeckText, Variants, warnings};
use crate::bands::{BandIndex, Bands, OUTSIDE};
use crate::fault::{Faults, Place};
use crate::index::{Index, Indexed};
use crate::keys::{Keys, Source};
use crate::row::Choosing;
use crate::{Fault, Number, Product, Row};

/// See [`Deck::compile`].
pub(super) fn compile(text: DeckText<'_>) -> Result<Compiled, Vec<Fault>> {
    let mut faults = Faults::default();
    let source = Source { file: text.manifest_name, text: text.manifest };
    let Some(table) = source.parse(&mut faults) else { return Err(faults.into_list()) };
    let manifest = manifest::read(Keys::of_document(source, &table), &mut faults);
    let rows_text = RowsText { file: text.rows_name, bytes: text.rows };
    let mut rows = rows::read(rows_text, &manifest, text.manifest_name, &mut faults);
    let order = in_order(&rows, manifest.bands.as_ref());
    refuse_twins(&rows, &order, text.rows_name, &mut faults);
    refuse_too_many(rows.len(), text.rows_name, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into_list());
    }
    let mut assembly =
        Assembly { rows: &mut rows, bands: manifest.bands.as_ref(), file: text.rows_name, choices: Vec::new() };
    let [outbound, toll_free_inbound] =
        [Product::Outbound, Product::TollFreeInbound].map(|product| assembly.prefixes(&order, product, &mut faults));
    let choices = assembly.choices;
    if !faults.is_empty() {
        return Err(faults.into_list());
    }
    let Manifest { id, version, currency, effective_from, rounding, bands, .. } = manifest;
    let deck = Deck {
        id,
        version,
        currency,
        effective_from,
        withdrawn_at: None,
        rounding,
        manifest_name: text.manifest_name.to_owned(),
        bands,
        rows: rows.into_boxed_slice(),
        choices: choices.into_boxed_slice(),
        outbound: Index::new(&outbound),
        toll_free_inbound: Index::new(&toll_free_inbound),
    };
    let warnings = warnings::of(&deck, text.rows_name);
    Ok(Compiled { deck, warnings })
}

/// A row by what must be unique in a deck, in the order in which rows are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    product: Product,
    prefix: Number,
    origin_length: Reverse<u8>,
    origin: Option<Number>,
    band: BandIndex,
}

/// Every row's key and index, ascending by key, then by line.
fn in_order(rows: &[Row], bands: Option<&Bands>) -> Vec<(Key, u32)> {
    let band_of = |row: &Row| row.band.as_deref().and_then(|name| bands?.index_of(name)).unwrap_or(OUTSIDE);
    let key = |row: &Row| Key {
        product: row.product,
        prefix: row.prefix,
        origin_length: Reverse(row.origin_prefix.map_or(0, Number::length)),
        origin: row.origin_prefix,
        band: band_of(row),
    };
    let mut order: Vec<(Key, u32)> = rows.iter().map(key).zip(0..).collect();
    order.sort_unstable();
    order
}

/// Equal rows in one deck are an error with both line numbers (boundaries.md C10).
fn refuse_twins(rows: &[Row], order: &[(Key, u32)], file: &str, faults: &mut Faults) {
    for twins in order.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (Some(first), Some(second)) = (rows.get(twins[0].1 as usize), rows.get(twins[1].1 as usize)) else {
            continue;
        };
        faults.add(
            Place { file, line: Some(second.line), column: Some("prefix") },
            format_args!(
                "lines {} and {} have the same prefix {}, product, origin and band",
                first.line, second.line, second.prefix
            ),
            format_args!("keep one of them"),
        );
    }
}

fn refuse_too_many(row_count: usize, file: &str, faults: &mut Faults) {
    if row_count > Index::ROWS_MAX {
        let what = format_args!("{row_count} rows are too many");
        faults.add(
            Place { file, line: None, column: None },
            what,
            format_args!("split the deck; {} are the most", Index::ROWS_MAX),
        );
    }
}

/// Puts the rows of each prefix together.
struct Assembly<'a> {
    rows: &'a mut [Row],
    bands: Option<&'a Bands>,
    file: &'a str,
    choices: Vec<Choice>,
}

impl Assembly<'_> {
    /// The prefixes of a product, each with its first row, which learns what there is to choose.
    fn prefixes(&mut self, order: &[(Key, u32)], product: Product, faults: &mut Faults) -> Vec<Indexed> {
        let from = order.partition_point(|(key, _)| key.product < product);
        let to = order.partition_point(|(key, _)| key.product <= product);
        let groups = order[from..to].chunk_by(|a, b| a.0.prefix == b.0.prefix);
        let index = |group: &[(Key, u32)]| {
            let &(Key { prefix, .. }, row) = group.first()?;
            if let Some(choice) = self.choice(group, faults) {
                self.rows.get_mut(row as usize)?.choice = choice;
            }
            Some(Indexed { prefix, row })
        };
        groups.filter_map(index).collect()
    }

    /// What there is to choose among the rows of one prefix; nothing where there is one row for all calls.
    fn choice(&mut self, group: &[(Key, u32)], faults: &mut Faults) -> Option<Choosing> {
        let mut by_origin = Vec::new();
        let mut otherwise = None;
        for of_origin in group.chunk_by(|a, b| a.0.origin == b.0.origin) {
            let variants = self.variants(of_origin, faults);
            match of_origin.first().and_then(|(key, _)| key.origin) {
                Some(origin) => by_origin.push((origin, variants)),
                None => otherwise = Some(variants),
            }
        }
        if by_origin.is_empty() && matches!(otherwise, Some(Variants::One(_))) {
            return None;
        }
        self.choices.push(Choice { by_origin: by_origin.into_boxed_slice(), otherwise });
        Some(Choosing::among(self.choices.len().wrapping_sub(1)))
    }

    /// The row for each band, of rows that differ in nothing else. A band without a row of its own takes the row without
    /// band; where there is none either, calls would go unrated by the clock, and the deck is refused (boundaries.md C7).
    fn variants(&self, group: &[(Key, u32)], faults: &mut Faults) -> Variants {
        let row_for = |band: BandIndex| group.iter().find(|(key, _)| key.band == band).map(|(_, row)| *row);
        let bandless = row_for(OUTSIDE);
        if let (Some(row), 1) = (bandless, group.len()) {
            return Variants::One(row);
        }
        let names = self.bands.map_or(&[][..], |bands| &bands.names[..]);
        let mut by_band = Vec::with_capacity(names.len().saturating_add(1));
        let has_outside = self.bands.is_some_and(Bands::has_outside);
        let unused = group.first().map(|(_, row)| *row).filter(|_| !has_outside);
        let mut missing: Vec<String> = Vec::new();
        match bandless.or(unused) {
            Some(row) => by_band.push(row),
            None => missing.push("the hours outside of every band".to_owned()),
        }
        for (band, name) in (1..).zip(names) {
            match row_for(band).or(bandless) {
                Some(row) => by_band.push(row),
                None => missing.push(format!("band {name:?}")),
            }
        }
        if let (false, Some((key, row))) = (missing.is_empty(), group.first()) {
            let line = self.rows.get(*row as usize).map(|row| row.line);
            faults.add(
                Place { file: self.file, line, column: Some("band") },
                format_args!("prefix {} has no row for {}", key.prefix, missing.join(" and ")),
                format_args!("add one, or a row without band for all other hours"),
            );
        }
        Variants::ByBand(by_band.into_boxed_slice())
    }
}
