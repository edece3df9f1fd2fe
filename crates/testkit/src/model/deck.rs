//! Decks and rate plans, read from the same TOML and CSV text as the real ones; standard column names only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use toml::{Table, Value};

use super::bands::Bands;
use super::money::{self, RoundingMode};
use super::time;

#[derive(Clone, Debug)]
pub struct Row {
    /// Where the row stands in its CSV; the header is line 1.
    pub line: usize,
    pub prefix: String,
    pub destination: String,
    pub product: String,
    pub fee: Decimal,
    pub initial_s: u64,
    pub increment_s: u64,
    pub minimum: Decimal,
    pub maximum: Option<Decimal>,
    pub band: Option<String>,
    pub origin: Option<String>,
    pub blocked: bool,
    /// Not for the pool or the add-on of a conference, whatever the numbering plan says (U20).
    pub premium: bool,
    /// (from second, price per minute), ascending; the first begins at 0.
    pub tiers: Vec<(u64, Decimal)>,
}

#[derive(Clone, Debug)]
pub struct ModelDeck {
    pub id: String,
    pub version: u64,
    pub currency: String,
    pub effective_from: Timestamp,
    pub mode: RoundingMode,
    pub decimals: u32,
    pub bands: Option<Bands>,
    pub rows: Vec<Row>,
}

impl ModelDeck {
    /// Reads a deck from the text of its manifest and of its rows.
    ///
    /// # Errors
    /// Says what is missing or unreadable, without a line: the model is fed with decks known to be sound.
    pub fn read(manifest: &str, csv: &str) -> Result<Self, String> {
        let table: Table = manifest.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let (mode, decimals) = match table.get("rounding") {
            None => (RoundingMode::HalfUp, 6),
            Some(rounding) => read_rounding(rounding)?,
        };
        Ok(Self {
            id: text(&table, "id")?,
            version: table.get("version").and_then(Value::as_integer).ok_or("version is missing")?.unsigned_abs(),
            currency: text(&table, "currency")?,
            effective_from: time::parse(&text(&table, "effectiveFrom")?).ok_or("effectiveFrom is not an instant")?,
            mode,
            decimals,
            bands: table.get("bands").map(Bands::read).transpose()?,
            rows: read_rows(csv)?,
        })
    }
}

fn read_rounding(rounding: &Value) -> Result<(RoundingMode, u32), String> {
    let mode = rounding.get("mode").and_then(Value::as_str).unwrap_or("half-up");
    let mode = RoundingMode::parse(mode).ok_or(format!("rounding.mode: {mode}"))?;
    let decimals = rounding.get("decimals").and_then(Value::as_integer).unwrap_or(6);
    Ok((mode, u32::try_from(decimals).map_err(|error| error.to_string())?))
}

fn read_rows(csv: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        let cells = header.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty()).collect();
        rows.push(read_row(index + 2, &cells).map_err(|error| format!("line {}: {error}", index + 2))?);
    }
    Ok(rows)
}

fn read_row(line: usize, cells: &BTreeMap<&str, &str>) -> Result<Row, String> {
    let given = |column: &str| cells.get(column).map(|cell| (*cell).to_owned());
    let amount = |column: &str| cells.get(column).map(|cell| money::parse(cell).ok_or(format!("{column}: {cell}")));
    let seconds = |column: &str| cells.get(column).map(|cell| cell.parse::<u64>().map_err(|e| e.to_string()));
    let mut tiers = vec![(0, amount("price_per_minute").ok_or("no price_per_minute")??)];
    for (from, price) in [("tier2_from_s", "tier2_price_per_minute"), ("tier3_from_s", "tier3_price_per_minute")] {
        if let (Some(from), Some(price)) = (seconds(from), amount(price)) {
            tiers.push((from?, price?));
        }
    }
    Ok(Row {
        line,
        prefix: given("prefix").ok_or("no prefix")?,
        destination: given("destination").unwrap_or_default(),
        product: given("product").unwrap_or("outbound".to_owned()),
        fee: amount("connection_fee").transpose()?.unwrap_or_default(),
        initial_s: seconds("initial_s").transpose()?.unwrap_or(60),
        increment_s: seconds("increment_s").transpose()?.unwrap_or(60),
        minimum: amount("minimum_charge").transpose()?.unwrap_or_default(),
        maximum: amount("maximum_charge").transpose()?,
        band: given("band"),
        origin: given("origin_prefix"),
        blocked: given("blocked").is_some_and(|cell| cell == "true"),
        premium: given("premium").is_some_and(|cell| cell == "true"),
        tiers,
    })
}

/// What an organisation is sold: which deck serves which product.
#[derive(Clone, Debug)]
pub struct ModelPlan {
    pub id: String,
    pub currency: String,
    pub products: BTreeMap<String, String>,
}

impl ModelPlan {
    /// Reads a rate plan from its TOML.
    ///
    /// # Errors
    /// Says which key is missing.
    pub fn read(manifest: &str) -> Result<Self, String> {
        let table: Table = manifest.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let mut products = BTreeMap::new();
        if let Some(Value::Table(sold)) = table.get("products") {
            for (product, deck) in sold {
                products.insert(product.clone(), deck.as_str().ok_or("a deck's id is text")?.to_owned());
            }
        }
        Ok(Self { id: text(&table, "id")?, currency: text(&table, "currency")?, products })
    }
}

fn text(table: &Table, key: &str) -> Result<String, String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned).ok_or(format!("{key} is missing"))
}
