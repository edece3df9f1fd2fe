//! Random decks and rate plans, as the text of their files.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;

use super::rng::Rng;
use crate::model::time;

/// One version of a deck: its manifest names `csv_name`.
#[derive(Clone, Debug)]
pub struct DeckFiles {
    pub toml_name: String,
    pub toml: String,
    pub csv_name: String,
    pub csv: String,
}

#[derive(Clone, Debug)]
pub struct PlanFile {
    pub name: String,
    pub toml: String,
}

/// Numbers that are toll-free to nobody but a deck.
pub const INBOUND: [&str; 4] = ["4930", "493012", "4989", "120255"];
/// Callers' prefixes that origin rows ask for.
pub const ORIGINS: [&str; 4] = ["44", "4420", "49", "1"];
const OUTBOUND: [&str; 14] =
    ["44", "442", "4420", "447", "44790", "49", "4912", "49123", "1", "1787", "1204", "7", "39066", "8816"];
const PRICES: [&str; 10] = ["1", "0.5", "2.5", "10", "0.1", "0.0137", "0.333333333", "0.000000001", "0.05", "1.2345"];
const CENTS: [&str; 6] = ["0.01", "0.05", "0.5", "1", "2.25", "0.000005"];
const MODES: [&str; 5] = ["half-up", "half-even", "half-down", "up", "down"];

/// With a column that marks premium rows, or without.
pub fn random_decks(rng: &mut Rng, start: Timestamp, premium: bool) -> (Vec<DeckFiles>, Vec<PlanFile>) {
    let mut decks = Vec::new();
    for id in ["alpha", "beta", "gamma"] {
        let currency = if id == "gamma" { "EUR" } else { "USD" };
        // Some worlds begin before their first version, so that a call finds no deck.
        let mut effective = start + time::days(rng.between(-400, 10));
        for version in 1..=rng.between(1, 3) {
            decks.push(random_deck(rng, id, version, currency, effective, premium));
            // A quarter of the versions begin together with the one before.
            if !rng.chance(25) {
                effective += time::days(rng.between(1, 200)) + time::minutes(rng.between(0, 1_440));
            }
        }
    }
    (decks, plans())
}

/// The plans every world has; `lean` sells no inbound product.
fn plans() -> Vec<PlanFile> {
    let plan = |id: &str, currency: &str, products: &str| PlanFile {
        name: format!("{id}.toml"),
        toml: format!("id = \"{id}\"\ncurrency = \"{currency}\"\n\n[products]\n{products}"),
    };
    vec![
        plan("lean", "USD", "outbound = \"alpha\"\n"),
        plan("full", "USD", "outbound = \"beta\"\ntoll-free-inbound = \"alpha\"\n"),
        plan("inbound-only", "USD", "toll-free-inbound = \"beta\"\n"),
        plan("euro", "EUR", "outbound = \"gamma\"\n"),
    ]
}

fn random_deck(
    rng: &mut Rng,
    id: &str,
    version: i64,
    currency: &str,
    effective: Timestamp,
    premium: bool,
) -> DeckFiles {
    let name = format!("{id}-v{version}");
    let csv_name = format!("{name}.csv");
    let mut toml = format!(
        "id = \"{id}\"\nversion = {version}\ncurrency = \"{currency}\"\neffectiveFrom = \"{effective}\"\n\
         rows = \"{csv_name}\"\n"
    );
    if rng.chance(80) {
        let (mode, decimals) = (rng.pick(&MODES), rng.below(7));
        let _ = writeln!(toml, "rounding = {{ mode = \"{mode}\", decimals = {decimals} }}");
    }
    let scheme = rng.chance(60).then(|| rng.pick(&SCHEMES));
    if let Some(scheme) = scheme {
        toml.push_str(&bands_text(rng, scheme, effective));
    }
    let csv = random_rows(rng, scheme);
    let csv = if premium { mark_premium(rng, &csv) } else { csv };
    DeckFiles { toml_name: format!("{name}.toml"), toml, csv_name, csv }
}

/// (band, days, from, to)
type Entry = (&'static str, &'static [&'static str], &'static str, &'static str);

#[derive(Clone, Copy)]
struct Scheme {
    entries: &'static [Entry],
    names: &'static [&'static str],
    /// Whether every minute of the week and of holidays has a band.
    complete: bool,
}

const WORKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri"];
const FREE_DAYS: &[&str] = &["sat", "sun", "holiday"];
const ALL_DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"];
const SCHEMES: [Scheme; 3] = [
    Scheme {
        entries: &[
            ("peak", WORKDAYS, "08:00", "18:00"),
            ("offpeak", WORKDAYS, "00:00", "08:00"),
            ("offpeak", WORKDAYS, "18:00", "24:00"),
            ("offpeak", FREE_DAYS, "00:00", "24:00"),
        ],
        names: &["peak", "offpeak"],
        complete: true,
    },
    Scheme {
        entries: &[
            ("night", ALL_DAYS, "00:00", "06:30"),
            ("day", ALL_DAYS, "06:30", "21:15"),
            ("night", ALL_DAYS, "21:15", "24:00"),
        ],
        names: &["day", "night"],
        complete: true,
    },
    Scheme { entries: &[("weekend", FREE_DAYS, "00:00", "24:00")], names: &["weekend"], complete: false },
];

fn bands_text(rng: &mut Rng, scheme: Scheme, effective: Timestamp) -> String {
    let zone = rng.pick(&["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata", "Australia/Lord_Howe"]);
    let selection = rng.pick(&["start", "split"]);
    let mut text = format!("\n[bands]\nzone = \"{zone}\"\nselection = \"{selection}\"\n");
    let day = |days: i64| (effective + time::days(days)).to_string()[..10].to_owned();
    let holidays: Vec<String> = (0..rng.below(30)).map(|_| format!("\"{}\"", day(rng.between(0, 500)))).collect();
    let _ = writeln!(text, "holidays = [{}]", holidays.join(", "));
    for (name, days, from, to) in scheme.entries {
        let days = days.join("\", \"");
        let _ = writeln!(
            text,
            "\n[[bands.band]]\nname = \"{name}\"\ndays = [\"{days}\"]\nfrom = \"{from}\"\nto = \"{to}\""
        );
    }
    text
}

const HEADER: &str = "prefix,destination,product,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,\
maximum_charge,band,origin_prefix,blocked,tier2_from_s,tier2_price_per_minute,tier3_from_s,tier3_price_per_minute\n";

/// Every group of (prefix, origin) has a row for each minute of the week, and every prefix a row without an origin.
fn random_rows(rng: &mut Rng, scheme: Option<Scheme>) -> String {
    let mut groups: BTreeMap<(&str, String, &str), ()> = BTreeMap::new();
    for _ in 0..rng.between(4, 14) {
        let extra = if rng.chance(30) { rng.between(1, 4).unsigned_abs() } else { 0 };
        let extra = usize::try_from(extra).expect("a few digits");
        let prefix = format!("{}{}", rng.pick(&OUTBOUND), rng.digits(extra));
        groups.insert(("outbound", prefix.clone(), ""), ());
        while rng.chance(25) {
            groups.insert(("outbound", prefix.clone(), rng.pick(&ORIGINS)), ());
        }
    }
    for _ in 0..rng.below(4) {
        groups.insert(("toll-free-inbound", (rng.pick(&INBOUND)).to_owned(), ""), ());
    }
    let mut csv = HEADER.to_owned();
    for (product, prefix, origin) in groups.into_keys() {
        for band in bands_of_group(rng, scheme) {
            let cells = random_cells(rng);
            let _ = writeln!(
                csv,
                "{prefix},Zone {prefix},{product},{},{},{},{},{},{},{band},{origin},{},{}",
                cells.price,
                cells.fee,
                cells.initial_s,
                cells.increment_s,
                cells.minimum,
                cells.maximum,
                cells.blocked,
                cells.tiers
            );
        }
    }
    csv
}

/// A prefix is premium in all its rows, or in none.
fn mark_premium(rng: &mut Rng, csv: &str) -> String {
    let mut marks: BTreeMap<&str, &str> = BTreeMap::new();
    let mut marked = String::new();
    for (index, line) in csv.lines().enumerate() {
        let prefix = line.split(',').next().unwrap_or(line);
        let mark = *marks.entry(prefix).or_insert_with(|| if rng.chance(8) { "true" } else { "" });
        let _ = writeln!(marked, "{line},{}", if index == 0 { "premium" } else { mark });
    }
    marked
}

fn bands_of_group(rng: &mut Rng, scheme: Option<Scheme>) -> Vec<&'static str> {
    let Some(scheme) = scheme.filter(|_| rng.chance(60)) else { return vec![""] };
    let mut bands = scheme.names.to_vec();
    if !scheme.complete || rng.chance(30) {
        if rng.chance(50) {
            bands.pop();
        }
        bands.push("");
    }
    bands
}

struct Cells {
    price: &'static str,
    fee: &'static str,
    initial_s: String,
    increment_s: String,
    minimum: &'static str,
    maximum: &'static str,
    blocked: &'static str,
    tiers: String,
}

fn random_cells(rng: &mut Rng) -> Cells {
    let some = |rng: &mut Rng, percent: usize, of: &[&'static str]| if rng.chance(percent) { rng.pick(of) } else { "" };
    let (initial_s, increment_s) = match rng.below(6) {
        0 => (String::new(), String::new()),
        1 => ("1".to_owned(), "1".to_owned()),
        2 => ("6".to_owned(), "6".to_owned()),
        3 => ("30".to_owned(), "6".to_owned()),
        4 => ("0".to_owned(), "7".to_owned()),
        _ => ("60".to_owned(), rng.between(1, 90).to_string()),
    };
    let tiers = match rng.below(10) {
        0..7 => ",,,".to_owned(),
        7 | 8 => format!("{},{},,", rng.between(1, 200), rng.pick(&PRICES)),
        _ => format!("60,{},{},{}", rng.pick(&PRICES), rng.between(61, 600), rng.pick(&PRICES)),
    };
    Cells {
        price: rng.pick(&PRICES),
        fee: some(rng, 30, &CENTS),
        initial_s,
        increment_s,
        minimum: some(rng, 20, &CENTS),
        // Never below a minimum: such a deck is refused (C2).
        maximum: some(rng, 20, &["2.25", "5", "12.5"]),
        blocked: some(rng, 5, &["true"]),
        tiers,
    }
}
