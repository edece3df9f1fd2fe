//! Where called numbers are, for pools of minutes: the country, and whether the rate is a premium one.
//!
//! Asking the numbering plan takes microseconds, as long as rating a record. It is asked once for each area code of `+1`,
//! which decides there (boundaries.md U21), once for each calling code that one country has for itself, and once for each
//! other number seen lately.

use drawdown_rating::Number;

use super::lookup::{is_premium, region_and_premium, region_of};

/// ISO 3166-1 alpha-2 code.
type Country = [u8; 2];

/// What was asked lately.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// By area code under `+1`; the outer `None` was not asked yet.
    area_codes: Vec<Option<Option<Country>>>,
    /// By the first three digits, which hold every calling code.
    codes: Vec<Option<Code>>,
    /// Others, each at the place that its digits choose.
    known: Vec<Option<Known>>,
}

/// What a calling code says of a number's country.
#[derive(Debug, Clone, Copy)]
enum Code {
    /// All of it.
    Decides(Option<Country>),
    /// Nothing yet: several countries share it.
    IsShared,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    number: Number,
    country: Option<Country>,
    is_premium: bool,
}

const KNOWN_COUNT: usize = 4_096;

impl Places {
    /// The country of a number, by its visible digits where others are masked; `None` where they do not decide.
    pub fn country(&mut self, number: Number, masked: bool) -> Option<Country> {
        match area_code(number) {
            Some(code) => self.country_of_area(code),
            None if masked => country_of_beginning(number),
            None => match self.code(number) {
                Code::Decides(country) => country,
                Code::IsShared => self.known(number).country,
            },
        }
    }

    fn code(&mut self, number: Number) -> Code {
        let Some(three) = number.truncated(3).filter(|three| three.length() == 3) else { return Code::IsShared };
        if self.codes.is_empty() {
            self.codes.resize(1_000, None);
        }
        *self.codes[(three.padded() / 1_000_000_000_000) as usize].get_or_insert_with(|| {
            let digits = three.to_string();
            let shared = SHARED.iter().map(|(code, ..)| *code).chain(UNTOLD);
            let is_shared = shared.into_iter().any(|code| digits.starts_with(code));
            if is_shared { Code::IsShared } else { Code::Decides(country_of_beginning(three)) }
        })
    }

    /// Whether it is a premium-rate number (boundaries.md U20).
    pub fn is_premium(&mut self, number: Number) -> bool {
        match area_code(number) {
            // The one area code of premium numbers there.
            Some(code) => code == 900 && (number.length() < 11 || is_premium(number)),
            None => self.known(number).is_premium,
        }
    }

    fn country_of_area(&mut self, code: usize) -> Option<Country> {
        if self.area_codes.is_empty() {
            self.area_codes.resize(1_000, None);
        }
        *self.area_codes[code].get_or_insert_with(|| {
            // An exchange that every area may have.
            let sample = Number::from_digits(format!("1{code:03}2345678").as_bytes());
            sample.and_then(region_of)
        })
    }

    fn known(&mut self, number: Number) -> Known {
        if self.known.is_empty() {
            self.known.resize(KNOWN_COUNT, None);
        }
        let place = (number.padded().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize;
        match self.known[place] {
            Some(known) if known.number == number => known,
            Some(_) | None => {
                let (country, is_premium) = region_and_premium(number);
                let known = Known { number, country, is_premium };
                self.known[place] = Some(known);
                known
            }
        }
    }
}

/// Under a calling code that several countries share: which, where most numbers are, and how those of others begin;
/// without a country where one beginning has numbers of both.
type Sharing = (&'static str, Country, &'static [(&'static str, Option<Country>)]);

/// From libphonenumber's metadata. Codes that are not worth a list have no numbers of their own here.
const SHARED: [Sharing; 7] = [
    (
        "44",
        *b"GB",
        &[
            ("1481", Some(*b"GG")),
            ("1534", Some(*b"JE")),
            ("1624", Some(*b"IM")),
            ("74576", None),
            ("7509", None),
            ("7524", None),
            ("7624", None),
            ("7700", None),
            ("7781", None),
            ("7797", None),
            ("7829", None),
            ("7839", None),
            ("7911", None),
            ("7924", None),
            ("7937", None),
        ],
    ),
    ("7", *b"RU", &[("33622", None), ("7", Some(*b"KZ"))]),
    ("39", *b"IT", &[("06698", Some(*b"VA"))]),
    ("47", *b"NO", &[("79", Some(*b"SJ"))]),
    ("61", *b"AU", &[("89162", None), ("89164", None)]),
    ("358", *b"FI", &[("18", Some(*b"AX"))]),
    ("212", *b"MA", &[("528", None)]),
];

/// Codes shared in ways that a few digits do not tell.
const UNTOLD: [&str; 6] = ["1", "262", "290", "590", "599", "672"];

/// The country of all numbers that begin with these digits, if it is one.
fn country_of_beginning(visible: Number) -> Option<Country> {
    let digits = visible.to_string();
    if UNTOLD.iter().any(|code| digits.starts_with(code)) {
        return None;
    }
    for (code, main, others) in SHARED {
        let Some(rest) = digits.strip_prefix(code) else { continue };
        let of_other = others.iter().find(|(beginning, _)| rest.starts_with(beginning));
        let is_open = others.iter().any(|(beginning, _)| beginning.starts_with(rest));
        return match of_other {
            Some((_, country)) => *country,
            None => (!is_open).then_some(main),
        };
    }
    // The numbering plan looks at no more than the calling code where it has one country.
    region_of(Number::from_digits(format!("{digits:2<10}").as_bytes())?)
}

/// The three digits after `+1`, where they are visible.
fn area_code(number: Number) -> Option<usize> {
    let four = number.truncated(4).filter(|four| four.length() == 4)?.padded() / 100_000_000_000;
    (1_000..2_000).contains(&four).then(|| (four - 1_000) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &str) -> Number {
        Number::from_digits(digits.as_bytes()).unwrap()
    }

    #[test]
    fn countries_and_premium_rates() {
        let mut places = Places::default();
        let table = [
            ("12125550100", Some("US"), false),
            ("14165550100", Some("CA"), false),
            ("17875550100", Some("PR"), false),
            ("18005550100", Some("US"), false),
            ("19001550100", Some("US"), false),
            ("19002345678", Some("US"), true),
            ("1212", Some("US"), false),
            ("121", None, false),
            ("1", None, false),
            ("442071838750", Some("GB"), false),
            ("441481234567", Some("GG"), false),
            ("4930123456", Some("DE"), false),
            ("74951234567", Some("RU"), false),
            ("77271234567", Some("KZ"), false),
            ("80012345678", None, false),
            ("449098790000", Some("GB"), true),
        ];
        // Asked twice: the second answer comes from memory.
        for _ in 0..2 {
            for (digits, country, premium) in table {
                let found = places.country(number(digits), false);
                let found = found.as_ref().map(|country| std::str::from_utf8(country).unwrap());
                assert_eq!((found, places.is_premium(number(digits))), (country, premium), "+{digits}");
            }
        }
    }

    /// boundaries.md U21: a masked number is where its visible digits say, and nowhere where they do not decide.
    #[test]
    fn countries_of_masked_numbers() {
        let mut places = Places::default();
        let table = [
            ("49", Some("DE")),
            ("4930", Some("DE")),
            ("4", None),
            ("44", None),
            ("4420", Some("GB")),
            ("4414", None),
            ("441481", Some("GG")),
            ("44777", Some("GB")),
            ("4477", None),
            ("44778", None),
            ("352", Some("LU")),
            ("7", None),
            ("7495", Some("RU")),
            ("77", Some("KZ")),
            ("3906", None),
            ("39064", Some("IT")),
            ("1", None),
            ("1416", Some("CA")),
        ];
        for (digits, country) in table {
            let found = places.country(number(digits), true);
            let found = found.as_ref().map(|country| std::str::from_utf8(country).unwrap());
            assert_eq!(found, country, "+{digits}***");
        }
    }
}
