//! The country of a called number, of those the workloads dial.
//!
//! Only prefixes that decide are here: `44` alone could be Jersey, `7` Kazakhstan, `1` a score of countries. What is
//! masked before it is decided has no country (U21).

/// The longest entry that a number begins with counts.
const COUNTRIES: [(&str, &str); 22] = [
    ("1202", "US"),
    ("1212", "US"),
    ("1900", "US"),
    ("1204", "CA"),
    ("1416", "CA"),
    ("1787", "PR"),
    ("1939", "PR"),
    ("1876", "JM"),
    ("4420", "GB"),
    ("447900", "GB"),
    ("44909", "GB"),
    ("49", "DE"),
    ("33", "FR"),
    ("390612", "IT"),
    ("41", "CH"),
    ("7495", "RU"),
    ("7727", "KZ"),
    ("380", "UA"),
    ("90", "TR"),
    ("81", "JP"),
    ("52", "MX"),
    ("61", "AU"),
];

/// What libphonenumber calls `PREMIUM_RATE`, of the numbers the workloads dial (U20).
const PREMIUM: [&str; 3] = ["1900", "44909", "499001"];

const ZONE_A: &str = "AU AT BE BR BG CA CN HR CZ DK EE FI FR DE GR HK HU IN IE IT JP LU MY MX NL NZ NO PL PT PR RO RU \
                      SG SK SI ZA KR ES SE CH TW TH GB US";

/// The country of a number by its visible digits.
pub fn country_of(visible: &str) -> Option<&'static str> {
    let matching = COUNTRIES.iter().filter(|(prefix, _)| visible.starts_with(prefix));
    matching.max_by_key(|(prefix, _)| prefix.len()).map(|(_, country)| *country)
}

pub fn is_premium(visible: &str) -> bool {
    PREMIUM.iter().any(|prefix| visible.starts_with(prefix))
}

pub fn is_zone_a(country: &str) -> bool {
    ZONE_A.split_whitespace().any(|member| member == country)
}
