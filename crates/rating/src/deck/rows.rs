//! The rows of a deck: its CSV, by whatever names and conventions the manifest declares.

use std::sync::Arc;

use csv::ByteRecord;
use drawdown_units::{DecimalError, Price};
use rustc_hash::FxHashMap;

use super::columns::Column;
use super::figures::Figures;
use super::manifest::{INCREMENT_MAX_S, Manifest, fault_of_figure};
use super::quotes::Broken;
use crate::fault::{Faults, Place, Shown};
use crate::row::Choosing;
use crate::{Memo, Number, Product, Row, Tier};

/// The CSV and what faults call it.
#[derive(Clone, Copy)]
pub(super) struct RowsText<'a> {
    pub file: &'a str,
    pub bytes: &'a [u8],
}

/// Reads every row it can; every one it cannot is a fault.
pub(super) fn read(text: RowsText<'_>, manifest: &Manifest<'_>, manifest_name: &str, faults: &mut Faults) -> Vec<Row> {
    let bytes = text.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text.bytes);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(manifest.delimiter).from_reader(bytes);
    let mut record = ByteRecord::new();
    let mut lines = Lines { bytes, counted_to: 0, line: 1 };
    let mut header: Option<Header> = None;
    let mut names = Destinations::default();
    let mut rows = Vec::new();
    // Reading from memory cannot fail, and bytes need not be UTF-8: what remains is the end of the records.
    while let Ok(true) = reader.read_byte_record(&mut record) {
        let line = lines.of(&record);
        match (&header, Broken::find(lines.rest(), manifest.delimiter)) {
            (None, None) => header = Some(Header::read(text.file, line, &record, manifest, manifest_name, faults)),
            (None, Some(broken)) => {
                broken.tell(text.file, line, None, faults);
                return rows;
            }
            (Some(header), _) if !header.is_usable() => break,
            (Some(header), Some(broken)) => {
                broken.tell(text.file, line, header.names.get(broken.cell).map(String::as_str), faults);
            }
            (Some(header), None) => {
                let cells = Cells { file: text.file, line, header, record: &record };
                rows.extend(cells.are_sound(faults).then(|| read_row(cells, manifest, &mut names, faults)).flatten());
            }
        }
    }
    if header.is_none() {
        let place = Place { file: text.file, line: None, column: None };
        faults.add(place, format_args!("the file is empty"), format_args!("write a header line and at least one row"));
    } else if rows.is_empty() && faults.is_empty() {
        let place = Place { file: text.file, line: None, column: None };
        faults.add(place, format_args!("there are no rows"), format_args!("write at least one row below the header"));
    }
    rows
}

/// Line numbers of records. Counted here because the reader's own are those of the line end before a record.
struct Lines<'a> {
    bytes: &'a [u8],
    counted_to: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, record: &ByteRecord) -> u32 {
        let offset = record.position().map_or(0, |position| position.byte()) as usize;
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let start = offset.wrapping_add(blank);
        let passed = self.bytes.get(self.counted_to..start).unwrap_or_default();
        let newlines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.counted_to = start.max(self.counted_to);
        self.line
    }

    /// From the record on whose line was asked for last.
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.counted_to..).unwrap_or_default()
    }
}

/// Which cell holds which column.
struct Header {
    names: Vec<String>,
    cell_of: [Option<usize>; Column::COUNT],
}

impl Header {
    fn read(
        file: &str,
        line: u32,
        record: &ByteRecord,
        manifest: &Manifest<'_>,
        manifest_name: &str,
        faults: &mut Faults,
    ) -> Header {
        let names: Vec<String> = record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        let mut header = Header { names: Vec::new(), cell_of: [None; Column::COUNT] };
        for (at, name) in names.iter().enumerate() {
            let place = Place { file, line: Some(line), column: Some(name) };
            if manifest.ignored.contains(&name.as_str()) {
                continue;
            }
            let mapped = manifest.mapped.iter().find(|mapped| mapped.theirs == name).map(|mapped| mapped.ours);
            let Some(column) = mapped.or_else(|| Column::parse(name)) else {
                faults.add(
                    place,
                    format_args!("unknown column {}", Shown(name)),
                    format_args!(
                        "map it under [columns] in the manifest, list it in ignore under [csv], or use one of {}",
                        Column::names().join(", ")
                    ),
                );
                continue;
            };
            if header.cell_of[column as usize].replace(at).is_some() {
                let what = format_args!("there are two columns for {}", column.name());
                faults.add(place, what, format_args!("keep one; list the other in ignore under [csv]"));
            }
        }
        for mapped in manifest.mapped.iter().filter(|mapped| !names.iter().any(|name| name == mapped.theirs)) {
            faults.add(
                Place { file: manifest_name, line: Some(mapped.line), column: Some(mapped.theirs) },
                format_args!("{file} has no such column"),
                format_args!("write the name as it stands in the header"),
            );
        }
        for column in Column::REQUIRED {
            if header.cell_of[column as usize].is_none() {
                let place = Place { file, line: Some(line), column: Some(column.name()) };
                let mend = format_args!("add it, or map the vendor's name under [columns] in the manifest");
                faults.add(place, format_args!("the column is missing"), mend);
            }
        }
        header.names = names;
        header
    }

    /// Without its required columns a file has no rows to speak of.
    fn is_usable(&self) -> bool {
        Column::REQUIRED.iter().all(|column| self.cell_of[*column as usize].is_some())
    }
}

/// One record, by column.
#[derive(Clone, Copy)]
struct Cells<'r> {
    file: &'r str,
    line: u32,
    header: &'r Header,
    record: &'r ByteRecord,
}

impl<'r> Cells<'r> {
    /// Whether every cell is there and is text.
    fn are_sound(self, faults: &mut Faults) -> bool {
        let (expected_count, found_count) = (self.header.names.len(), self.record.len());
        if found_count != expected_count {
            let missing = self.header.names.get(found_count).map(String::as_str);
            faults.add(
                Place { file: self.file, line: Some(self.line), column: missing },
                format_args!("{found_count} cells, where the header has {expected_count}"),
                format_args!("write one cell for each column, and quote those that hold the delimiter"),
            );
            return false;
        }
        let mut are_sound = true;
        for (name, cell) in self.header.names.iter().zip(self.record) {
            let (what, mend) = match core::str::from_utf8(cell) {
                Err(_) => ("the cell is not UTF-8", "save the file as UTF-8"),
                Ok(text) if text.contains('\0') => ("the cell holds a NUL byte", "remove it"),
                Ok(_) => continue,
            };
            let place = Place { file: self.file, line: Some(self.line), column: Some(name) };
            faults.add(place, format_args!("{what}"), format_args!("{mend}"));
            are_sound = false;
        }
        are_sound
    }

    /// The text of a cell without spaces around it; `None` where it is empty or the deck has no such column.
    fn text(self, column: Column) -> Option<&'r str> {
        let cell = self.record.get(self.header.cell_of[column as usize]?)?;
        core::str::from_utf8(cell).ok().map(str::trim).filter(|text| !text.is_empty())
    }

    fn place(self, column: Column) -> Place<'r> {
        let theirs = self.header.cell_of[column as usize].and_then(|at| self.header.names.get(at));
        Place { file: self.file, line: Some(self.line), column: Some(theirs.map_or(column.name(), String::as_str)) }
    }

    /// A cell that may be empty: the default, or what `read` makes of its text, or a fault and nothing.
    fn optional<T>(self, column: Column, default: T, read: impl FnOnce(&'r str) -> Option<T>) -> Option<T> {
        self.text(column).map_or(Some(default), read)
    }

    fn figure<T>(
        self,
        column: Column,
        figures: Figures,
        text: &str,
        read: impl FnOnce(Figures, &str) -> Result<T, DecimalError>,
        faults: &mut Faults,
    ) -> Option<T> {
        read(figures, text).map_err(|error| fault_of_figure(self.place(column), text, figures, error, faults)).ok()
    }

    /// A whole number of seconds from `least` to `most`.
    fn seconds(self, column: Column, text: &str, least: u32, most: u32, faults: &mut Faults) -> Option<u32> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = text.parse().ok().filter(|seconds| is_plain && (least..=most).contains(seconds));
        if seconds.is_none() {
            let what = format_args!("{} is no number of seconds from {least} to {most}", Shown(text));
            faults.add(self.place(column), what, format_args!("write a whole number in that range"));
        }
        seconds
    }

    /// Digits, perhaps after `+`.
    fn digits(self, column: Column, text: &str, faults: &mut Faults) -> Option<Number> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let number = Number::from_digits(digits.as_bytes());
        if number.is_none() {
            faults.add(
                self.place(column),
                format_args!("{} is no prefix of an E.164 number", Shown(text)),
                format_args!("write 1 to 15 digits in international form, the first of them 1 to 9"),
            );
        }
        number
    }
}

/// Destination names, each kept once: a deck repeats them by the thousand.
#[derive(Default)]
struct Destinations(FxHashMap<String, Arc<str>>);

impl Destinations {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(name);
        self.0.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }
}

/// One row. Every cell is read before anything is given up, so that each of several faults in a row is found.
fn read_row(cells: Cells<'_>, manifest: &Manifest<'_>, names: &mut Destinations, faults: &mut Faults) -> Option<Row> {
    let (defaults, figures) = (&manifest.defaults, manifest.figures);
    let prefix = read_prefix(cells, faults);
    let price = cells.figure(Column::Price, figures, cells.text(Column::Price).unwrap_or(""), Figures::price, faults);
    let mut money = |column, default| {
        cells.optional(column, default, |text| {
            cells.figure(column, figures, text, |figures, text| figures.money(text).map(Some), faults)
        })
    };
    let connection_fee = money(Column::ConnectionFee, Some(defaults.connection_fee));
    let minimum = money(Column::MinimumCharge, Some(defaults.minimum));
    let maximum = money(Column::MaximumCharge, defaults.maximum);
    let initial_s = cells.optional(Column::InitialS, defaults.initial_s, |text| {
        cells.seconds(Column::InitialS, text, 0, INCREMENT_MAX_S, faults)
    });
    let increment_s = cells.optional(Column::IncrementS, defaults.increment_s, |text| {
        cells.seconds(Column::IncrementS, text, 1, INCREMENT_MAX_S, faults)
    });
    let product = cells.optional(Column::Product, defaults.product, |text| read_product(cells, text, faults));
    let band = cells.optional(Column::Band, None, |text| read_band(cells, text, manifest, faults).map(Some));
    let origin_prefix =
        cells.optional(Column::OriginPrefix, None, |text| cells.digits(Column::OriginPrefix, text, faults).map(Some));
    let blocked =
        cells.optional(Column::Blocked, defaults.blocked, |text| read_flag(cells, Column::Blocked, text, faults));
    let premium =
        cells.optional(Column::Premium, defaults.premium, |text| read_flag(cells, Column::Premium, text, faults));
    let tiers = read_tiers(cells, figures, faults);
    let destination = names.get(cells.text(Column::Destination).unwrap_or(defaults.destination));
    let tiers = tiers?;
    let choice = if tiers.is_empty() { Choosing::NOTHING } else { Choosing::TIER };
    let row = Row {
        prefix: prefix?,
        destination,
        product: product?,
        price: price?,
        connection_fee: connection_fee??,
        initial_s: initial_s?,
        increment_s: increment_s?,
        minimum: minimum??,
        maximum: maximum?,
        band: band?,
        origin_prefix: origin_prefix?,
        blocked: blocked?,
        premium: premium?,
        tiers,
        line: cells.line,
        choice,
        as_written: Memo::default(),
    };
    check_bounds(cells, &row, faults).then_some(row)
}

fn read_prefix(cells: Cells<'_>, faults: &mut Faults) -> Option<Number> {
    match cells.text(Column::Prefix) {
        Some(text) => cells.digits(Column::Prefix, text, faults),
        None => {
            let place = cells.place(Column::Prefix);
            faults.add(place, format_args!("the prefix is missing"), format_args!("write it, or delete the row"));
            None
        }
    }
}

fn read_product(cells: Cells<'_>, text: &str, faults: &mut Faults) -> Option<Product> {
    let product = Product::parse(text);
    if product.is_none() {
        let what = format_args!("{} is no product", Shown(text));
        let known = Product::ALL.map(Product::as_str).join(" or ");
        faults.add(cells.place(Column::Product), what, format_args!("write {known}"));
    }
    product
}

fn read_band(cells: Cells<'_>, text: &str, manifest: &Manifest<'_>, faults: &mut Faults) -> Option<Arc<str>> {
    let known = manifest.bands.as_ref().map_or(&[][..], |bands| &bands.names[..]);
    let band = known.iter().find(|band| ***band == *text).cloned();
    // Where the bands themselves are faulty, that fault is enough.
    if band.is_none() && !manifest.has_faulty_bands {
        let what = format_args!("the manifest has no band {}", Shown(text));
        let mend = format_args!("define it under [[bands.band]], or leave the cell empty");
        faults.add(cells.place(Column::Band), what, mend);
    }
    band
}

fn read_flag(cells: Cells<'_>, column: Column, text: &str, faults: &mut Faults) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["true", "yes", "1"]) {
        return Some(true);
    }
    if is(["false", "no", "0"]) {
        return Some(false);
    }
    let what = format_args!("{} is neither true nor false", Shown(text));
    faults.add(cells.place(column), what, format_args!("write true, yes or 1; or false, no or 0"));
    None
}

fn read_tiers(cells: Cells<'_>, figures: Figures, faults: &mut Faults) -> Option<Box<[Tier]>> {
    let mut tiers: Vec<Tier> = Vec::new();
    let mut is_open = true;
    for (from_column, price_column) in
        [(Column::Tier2From, Column::Tier2Price), (Column::Tier3From, Column::Tier3Price)]
    {
        let (from, price) = match (cells.text(from_column), cells.text(price_column)) {
            (None, None) => {
                is_open = false;
                continue;
            }
            (Some(from), Some(price)) if is_open => (from, price),
            (Some(_), Some(_)) => {
                let mend = format_args!("fill tier 2 before tier 3");
                faults.add(cells.place(from_column), format_args!("tier 3 without tier 2"), mend);
                return None;
            }
            (from, _) => {
                let missing = if from.is_none() { from_column } else { price_column };
                let what = format_args!("the tier has a price and a beginning, or neither");
                faults.add(cells.place(missing), what, format_args!("fill both cells or none"));
                return None;
            }
        };
        let least = tiers.last().map_or(1, |tier| tier.from_s.saturating_add(1));
        let from_s = cells.seconds(from_column, from, least, u32::MAX, faults);
        let price: Option<Price> = cells.figure(price_column, figures, price, Figures::price, faults);
        tiers.push(Tier { from_s: from_s?, price: price? });
    }
    Some(tiers.into_boxed_slice())
}

/// Minimum above maximum is refused (boundaries.md C2).
fn check_bounds(cells: Cells<'_>, row: &Row, faults: &mut Faults) -> bool {
    let Some(maximum) = row.maximum.filter(|maximum| *maximum < row.minimum) else { return true };
    faults.add(
        cells.place(Column::MaximumCharge),
        format_args!("the maximum charge {maximum} is below the minimum {}", row.minimum),
        format_args!("raise the maximum or lower the minimum"),
    );
    false
}
