//! Emergency and other short codes by region: config/numbers/short_codes.csv, made from libphonenumber's metadata.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What is known of a short code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShortCode {
    pub(super) is_emergency: bool,
    /// The numbering plan says that the caller pays nothing.
    pub(super) is_free: bool,
}

static TABLE: LazyLock<HashMap<(&'static str, &'static str), ShortCode>> =
    LazyLock::new(|| parse(include_str!("../../../../config/numbers/short_codes.csv")));

/// The short code `digits` of `region`, an upper-case ISO 3166 code.
pub(super) fn find(region: &str, digits: &str) -> Option<ShortCode> {
    TABLE.get(&(region, digits)).copied()
}

/// Whether `digits` are an emergency number in some region.
pub(super) fn is_emergency_somewhere(digits: &str) -> bool {
    static CODES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let emergencies = TABLE.iter().filter(|(_, code)| code.is_emergency);
        emergencies.map(|((_, digits), _)| *digits).collect()
    });
    CODES.contains(digits)
}

fn parse(text: &'static str) -> HashMap<(&'static str, &'static str), ShortCode> {
    text.lines()
        .skip(1)
        .map(|line| {
            let mut columns = line.split(',');
            let mut next = || columns.next().expect("invariant: four columns, checked by a test");
            let (region, number, emergency, free) = (next(), next(), next(), next());
            ((region, number), ShortCode { is_emergency: emergency == "1", is_free: free == "1" })
        })
        .collect()
}
