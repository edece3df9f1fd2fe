//! The manifest of a deck: its TOML.

mod bands;

use drawdown_units::{Currency, Money, Timestamp};

use super::columns::Column;
use super::figures::Figures;
use crate::bands::Bands;
use crate::fault::{Fault, Faults, Place, Shown};
use crate::keys::{Entry, Keys, Source};
use crate::{Product, Rounding, RoundingMode};

/// A manifest as read. Where a key was faulty it holds a stand-in, so that the rows can be checked all the same; a deck
/// is made of it only if there was no fault.
#[derive(Debug)]
pub(super) struct Manifest<'a> {
    pub id: String,
    pub version: u32,
    pub currency: Currency,
    pub effective_from: Timestamp,
    pub rounding: Rounding,
    pub bands: Option<Bands>,
    /// There are bands, but not even stand-ins for them.
    pub has_faulty_bands: bool,
    pub mapped: Vec<Mapped<'a>>,
    pub ignored: Vec<&'a str>,
    pub delimiter: u8,
    pub figures: Figures,
    pub defaults: Defaults<'a>,
}

/// A vendor's name for one of our columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapped<'a> {
    pub theirs: &'a str,
    pub ours: Column,
    pub line: u32,
}

/// What a row has where its cell is empty or its column is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults<'a> {
    pub destination: &'a str,
    pub product: Product,
    pub connection_fee: Money,
    pub initial_s: u32,
    pub increment_s: u32,
    pub minimum: Money,
    pub maximum: Option<Money>,
    pub blocked: bool,
    pub premium: bool,
}

impl Default for Defaults<'_> {
    fn default() -> Self {
        Defaults {
            destination: "",
            product: Product::Outbound,
            connection_fee: Money::ZERO,
            initial_s: 60,
            increment_s: 60,
            minimum: Money::ZERO,
            maximum: None,
            blocked: false,
            premium: false,
        }
    }
}

/// The file that a manifest says its rows are in, relative to the manifest.
///
/// # Errors
/// The manifest is not TOML, or does not name the file. The fault's `file` is `deck manifest`: the caller knows better.
pub fn rows_file_of(manifest: &str) -> Result<String, Fault> {
    let source = Source { file: "deck manifest", text: manifest };
    let mut faults = Faults::default();
    let rows = source.parse(&mut faults).and_then(|table| {
        let mut keys = Keys::of_document(source, &table);
        rows_file(&mut keys, &mut faults).map(str::to_owned)
    });
    rows.ok_or_else(|| faults.into_list().swap_remove(0))
}

fn rows_file<'t>(keys: &mut Keys<'t>, faults: &mut Faults) -> Option<&'t str> {
    keys.require("rows", "name the CSV file, such as rows = \"deck.csv\"", faults)?.text(faults)
}

/// Reads every key; whatever is wrong becomes a fault.
pub(super) fn read<'t>(mut keys: Keys<'t>, faults: &mut Faults) -> Manifest<'t> {
    rows_file(&mut keys, faults);
    let figures = keys.get("numbers").and_then(|entry| read_figures(entry, faults)).unwrap_or_default();
    let (delimiter, ignored) = keys.get("csv").and_then(|entry| read_csv(entry, faults)).unwrap_or((b',', Vec::new()));
    let bands_entry = keys.get("bands");
    let has_bands = bands_entry.is_some();
    let bands = bands_entry.and_then(|entry| bands::read(entry, faults));
    let manifest = Manifest {
        id: read_id(&mut keys, faults).unwrap_or_default(),
        version: keys
            .require("version", "number the versions of a deck: version = 1", faults)
            .and_then(|entry| entry.count(faults))
            .unwrap_or_default(),
        currency: read_currency(&mut keys, faults).unwrap_or_else(no_currency),
        effective_from: read_effective_from(&mut keys, faults).unwrap_or(Timestamp::EPOCH),
        rounding: keys.get("rounding").map(|entry| read_rounding(entry, faults)).unwrap_or_default(),
        has_faulty_bands: has_bands && bands.is_none(),
        bands,
        mapped: keys.get("columns").map(|entry| read_columns(entry, faults)).unwrap_or_default(),
        ignored,
        delimiter,
        figures,
        defaults: keys.get("defaults").map(|entry| read_defaults(entry, figures, faults)).unwrap_or_default(),
    };
    keys.finish(faults);
    manifest
}

/// Stands in for a currency that could not be read.
fn no_currency() -> Currency {
    Currency::parse("XXX").expect("invariant: XXX is ISO 4217 for no currency")
}

pub(crate) fn read_id(keys: &mut Keys<'_>, faults: &mut Faults) -> Option<String> {
    let entry = keys.require("id", "give it a name: id = \"…\"", faults)?;
    let id = entry.text(faults)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > 64 || !id.chars().all(is_plain) {
        faults.add(
            entry.place(),
            format_args!("{} is no id", Shown(id)),
            format_args!("use 1 to 64 of the letters a–z, digits, '-', '_' and '.'"),
        );
        return None;
    }
    Some(id.to_owned())
}

pub(crate) fn read_currency(keys: &mut Keys<'_>, faults: &mut Faults) -> Option<Currency> {
    let entry = keys.require("currency", "write its ISO 4217 code, such as currency = \"USD\"", faults)?;
    let text = entry.text(faults)?;
    let currency = Currency::parse(text);
    if currency.is_none() {
        let what = format_args!("{} is no currency", Shown(text));
        faults.add(entry.place(), what, format_args!("write three capital letters, such as USD"));
    }
    currency
}

fn read_effective_from(keys: &mut Keys<'_>, faults: &mut Faults) -> Option<Timestamp> {
    let mend = "say from when it prices calls: effectiveFrom = \"2026-01-01T00:00:00Z\"";
    let entry = keys.require("effectiveFrom", mend, faults)?;
    let text = entry.time_text(faults)?;
    Timestamp::parse(&text)
        .map_err(|error| faults.add(entry.place(), format_args!("{} is {error}", Shown(&text)), format_args!("{mend}")))
        .ok()
}

fn read_rounding(entry: Entry<'_>, faults: &mut Faults) -> Rounding {
    let mut rounding = Rounding::default();
    let Some(mut keys) = entry.table(faults) else { return rounding };
    if let Some(entry) = keys.get("mode")
        && let Some(text) = entry.text(faults)
    {
        match RoundingMode::parse(text) {
            Some(mode) => rounding.mode = mode,
            None => entry.unknown(text, &RoundingMode::ALL.map(RoundingMode::as_str), faults),
        }
    }
    if let Some(entry) = keys.get("decimals")
        && let Some(decimals) = entry.count(faults)
    {
        match u8::try_from(decimals) {
            Ok(decimals @ 0..=Rounding::DECIMALS_MAX) => rounding.decimals = decimals,
            Ok(_) | Err(_) => {
                let what = format_args!("{decimals} decimals are more than an amount can keep");
                faults.add(entry.place(), what, format_args!("write 0 to {}", Rounding::DECIMALS_MAX));
            }
        }
    }
    keys.finish(faults);
    rounding
}

fn read_columns<'t>(entry: Entry<'t>, faults: &mut Faults) -> Vec<Mapped<'t>> {
    let Some(keys) = entry.table(faults) else { return Vec::new() };
    let mut mapped: Vec<Mapped<'t>> = Vec::new();
    for entry in keys.entries() {
        let Some(text) = entry.text(faults) else { continue };
        let Some(ours) = Column::parse(text) else {
            entry.unknown(text, &Column::names(), faults);
            continue;
        };
        if let Some(first) = mapped.iter().find(|mapped| mapped.ours == ours) {
            faults.add(
                entry.place(),
                format_args!("{text} is mapped from {} on line {} already", Shown(first.theirs), first.line),
                format_args!("map one column to it and list the other in ignore under [csv]"),
            );
            continue;
        }
        mapped.push(Mapped { theirs: entry.key.trim(), ours, line: entry.line });
    }
    mapped
}

fn read_figures(entry: Entry<'_>, faults: &mut Faults) -> Option<Figures> {
    let mut keys = entry.table(faults)?;
    let decimal = keys.get("decimal").and_then(|entry| read_sign(entry, &['.', ','], faults));
    let separators = [',', '.', ' ', '\'', '’', '_', '\u{a0}', '\u{202f}'];
    let thousands = keys.get("thousands").and_then(|entry| read_sign(entry, &separators, faults));
    keys.finish(faults);
    let figures = Figures { decimal: decimal.unwrap_or('.'), thousands };
    if thousands == Some(figures.decimal) {
        let what = format_args!("decimals and thousands have the same sign {:?}", figures.decimal);
        faults.add(entry.place(), what, format_args!("give them different signs"));
    }
    Some(figures)
}

fn read_sign(entry: Entry<'_>, known: &[char], faults: &mut Faults) -> Option<char> {
    let text = entry.text(faults)?;
    let sign = known.iter().copied().find(|sign| text.chars().eq([*sign]));
    if sign.is_none() {
        let known: Vec<String> = known.iter().map(|sign| format!("{sign:?}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        entry.unknown(text, &known, faults);
    }
    sign
}

fn read_csv<'t>(entry: Entry<'t>, faults: &mut Faults) -> Option<(u8, Vec<&'t str>)> {
    let mut keys = entry.table(faults)?;
    let delimiter = keys.get("delimiter").and_then(|entry| read_sign(entry, &[',', ';', '\t', '|'], faults));
    let ignored = keys.get("ignore").and_then(|entry| entry.texts(faults)).unwrap_or_default();
    keys.finish(faults);
    Some((delimiter.map_or(b',', |sign| sign as u8), ignored.into_iter().map(str::trim).collect()))
}

fn read_defaults<'t>(entry: Entry<'t>, figures: Figures, faults: &mut Faults) -> Defaults<'t> {
    let mut defaults = Defaults::default();
    let Some(mut keys) = entry.table(faults) else { return defaults };
    if let Some(destination) = keys.get("destination").and_then(|entry| entry.text(faults)) {
        defaults.destination = destination;
    }
    if let Some(entry) = keys.get("product")
        && let Some(text) = entry.text(faults)
    {
        match Product::parse(text) {
            Some(product) => defaults.product = product,
            None => entry.unknown(text, &Product::ALL.map(Product::as_str), faults),
        }
    }
    if let Some(fee) = keys.get("connection_fee").and_then(|entry| read_money(entry, figures, faults)) {
        defaults.connection_fee = fee;
    }
    if let Some(initial_s) = keys.get("initial_s").and_then(|entry| read_seconds(entry, 0, faults)) {
        defaults.initial_s = initial_s;
    }
    if let Some(increment_s) = keys.get("increment_s").and_then(|entry| read_seconds(entry, 1, faults)) {
        defaults.increment_s = increment_s;
    }
    if let Some(minimum) = keys.get("minimum_charge").and_then(|entry| read_money(entry, figures, faults)) {
        defaults.minimum = minimum;
    }
    defaults.maximum = keys.get("maximum_charge").and_then(|entry| read_money(entry, figures, faults));
    if let Some(blocked) = keys.get("blocked").and_then(|entry| entry.flag(faults)) {
        defaults.blocked = blocked;
    }
    if let Some(premium) = keys.get("premium").and_then(|entry| entry.flag(faults)) {
        defaults.premium = premium;
    }
    keys.finish(faults);
    defaults
}

/// An amount: in quotes as the deck writes figures, without quotes as TOML does.
fn read_money(entry: Entry<'_>, figures: Figures, faults: &mut Faults) -> Option<Money> {
    let (text, is_quoted) = entry.figure(faults)?;
    let figures = if is_quoted { figures } else { Figures::default() };
    figures.money(text).map_err(|error| fault_of_figure(entry.place(), text, figures, error, faults)).ok()
}

/// A fault that a figure could not be read.
pub(super) fn fault_of_figure(
    place: Place<'_>,
    text: &str,
    figures: Figures,
    error: drawdown_units::DecimalError,
    faults: &mut Faults,
) {
    faults.add(place, format_args!("{} is {error}", Shown(text)), format_args!("{}", figures.mend(text, error)));
}

/// The longest increment, a day: more is a mistake of units.
pub(super) const INCREMENT_MAX_S: u32 = 86_400;

fn read_seconds(entry: Entry<'_>, least: u32, faults: &mut Faults) -> Option<u32> {
    let seconds = entry.count(faults)?;
    if !(least..=INCREMENT_MAX_S).contains(&seconds) {
        let what = format_args!("{seconds} seconds are no increment");
        faults.add(entry.place(), what, format_args!("write {least} to {INCREMENT_MAX_S}"));
        return None;
    }
    Some(seconds)
}
