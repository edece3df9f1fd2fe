//! What became of every row between two decks.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use drawdown_rating::{Deck, Number, Product, Row};
use drawdown_units::Price;

/// What a row is known by in both decks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'d> {
    product: Product,
    prefix: Number,
    origin: Option<Number>,
    band: Option<&'d str>,
}

/// All rows of two decks, each in one list.
#[derive(Debug, Default)]
pub struct Changes<'d> {
    /// Rows that only the second deck has, in the order of their prefixes.
    pub added: Vec<&'d Row>,
    /// Rows that only the first has, likewise.
    pub removed: Vec<&'d Row>,
    /// Rows whose price per minute is higher, the greatest relative change first.
    pub dearer: Vec<Changed<'d>>,
    /// Rows whose price per minute is lower, likewise.
    pub cheaper: Vec<Changed<'d>>,
    /// Rows of the same price that differ in something else, in the order of their prefixes.
    pub otherwise: Vec<Changed<'d>>,
    /// How many rows are the same in both.
    pub alike_count: u64,
}

/// A row that both decks have, not alike.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'d> {
    pub before: &'d Row,
    pub after: &'d Row,
}

impl<'d> Changes<'d> {
    /// Compares two decks.
    pub fn between(before: &'d Deck, after: &'d Deck) -> Self {
        let mut changes = Changes::default();
        let mut rows_before = by_key(before);
        for (key, after) in by_key(after) {
            match rows_before.remove(&key) {
                None => changes.added.push(after),
                Some(before) => changes.add(Changed { before, after }),
            }
        }
        changes.removed = rows_before.into_values().collect();
        changes.dearer.sort_by_key(|row| Reverse(row.magnitude()));
        changes.cheaper.sort_by_key(|row| Reverse(row.magnitude()));
        changes
    }

    fn add(&mut self, row: Changed<'d>) {
        if row.after.price > row.before.price {
            self.dearer.push(row);
        } else if row.after.price < row.before.price {
            self.cheaper.push(row);
        } else if row.others().is_empty() {
            self.alike_count += 1;
        } else {
            self.otherwise.push(row);
        }
    }

    /// Whether every row is alike.
    pub fn is_empty(&self) -> bool {
        let changed = [&self.dearer, &self.cheaper, &self.otherwise];
        self.added.is_empty() && self.removed.is_empty() && changed.iter().all(|rows| rows.is_empty())
    }
}

fn by_key(deck: &Deck) -> BTreeMap<Key<'_>, &Row> {
    deck.rows().iter().map(|row| (Key::of(row), row)).collect()
}

impl<'d> Key<'d> {
    fn of(row: &'d Row) -> Self {
        Key { product: row.product, prefix: row.prefix, origin: row.origin_prefix, band: row.band.as_deref() }
    }
}

impl Changed<'_> {
    /// How much the price changed in relation to what it was; what was free before comes first.
    fn magnitude(self) -> u128 {
        let (before, after) = (nanos(self.before.price), nanos(self.after.price));
        (before.abs_diff(after) << 64).checked_div(before).unwrap_or(u128::MAX)
    }

    /// The change of the price in per cent; `None` where the row was free before.
    pub fn percent(self) -> Option<String> {
        percent(self.before.price.nanos().into(), self.after.price.nanos().into())
    }

    /// What changed beside the price per minute: a name, what it was, what it is.
    pub fn others(self) -> Vec<(&'static str, String, String)> {
        let (before, after) = (self.before, self.after);
        let increments = |row: &Row| format!("{}/{} s", row.initial_s, row.increment_s);
        let maximum = |row: &Row| row.maximum.map_or("none".to_owned(), |maximum| maximum.to_string());
        let figures = [
            ("fee", before.connection_fee.to_string(), after.connection_fee.to_string()),
            ("increments", increments(before), increments(after)),
            ("minimum", before.minimum.to_string(), after.minimum.to_string()),
            ("maximum", maximum(before), maximum(after)),
            ("tiers", tiers(before), tiers(after)),
            ("blocked", before.blocked.to_string(), after.blocked.to_string()),
            ("premium", before.premium.to_string(), after.premium.to_string()),
            ("destination", before.destination.to_string(), after.destination.to_string()),
        ];
        figures.into_iter().filter(|(_, before, after)| before != after).collect()
    }
}

/// The later prices of a row's tiers: `0.01 from 60 s, 0.005 from 600 s`.
pub fn tiers(row: &Row) -> String {
    let texts: Vec<String> = row.tiers.iter().map(|tier| format!("{} from {} s", tier.price, tier.from_s)).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn nanos(price: Price) -> u128 {
    u128::from(price.nanos().unsigned_abs())
}

/// The change from one amount to another in per cent with two decimals, such as `+33.33`; `None` from nothing.
pub fn percent(before: i128, after: i128) -> Option<String> {
    let difference = (after - before).unsigned_abs();
    let hundredths = difference.checked_mul(20_000)?.checked_div(before.unsigned_abs())?.div_ceil(2);
    let sign = if hundredths == 0 {
        ""
    } else if after < before {
        "-"
    } else {
        "+"
    };
    Some(format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_cent_is_rounded_half_away_from_zero() {
        for (before, after, expected) in [
            (3, 4, Some("+33.33")),
            (3, 5, Some("+66.67")),
            (4, 3, Some("-25.00")),
            (5, 5, Some("0.00")),
            (20_000, 20_001, Some("+0.01")),
            (20_001, 20_002, Some("0.00")),
            (1, 0, Some("-100.00")),
            (0, 1, None),
            (0, 0, None),
        ] {
            assert_eq!(percent(before, after).as_deref(), expected, "{before} {after}");
        }
    }
}
