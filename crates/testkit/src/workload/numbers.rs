//! Called numbers whose country is beyond doubt.
//!
//! Where a call's country matters, its number is one of these: valid, so that libphonenumber and the model's own small
//! table agree. Elsewhere numbers are of any length.

use serde_json::{Value, json};

use super::world::World;

/// `x` is any digit, `N` one from 2 to 9. All but the last three are of ordinary lines; those are premium.
const NUMBERS: [(&str, usize); 24] = [
    ("1212Nxxxxxx", 8),
    ("1202Nxxxxxx", 4),
    ("1416Nxxxxxx", 5),
    ("1204Nxxxxxx", 4),
    ("1787Nxxxxxx", 5),
    ("1939Nxxxxxx", 2),
    ("1876Nxxxxxx", 2),
    ("44207xxxxxxx", 9),
    ("447900xxxxxx", 6),
    ("4930xxxxxxxx", 9),
    ("331xxxxxxxx", 2),
    ("390612xxxxxx", 2),
    ("4144Nxxxxxx", 1),
    ("7495xxxxxxx", 3),
    ("7727Nxxxxxx", 2),
    ("38044Nxxxxxx", 1),
    ("90212Nxxxxxx", 1),
    ("813Nxxxxxxx", 1),
    ("5255Nxxxxxxx", 1),
    ("6128xxxxxxx", 1),
    // A satellite telephone: of no country.
    ("8816xxxxxxxx", 2),
    ("1900Nxxxxxx", 3),
    ("44909Nxxxxxx", 3),
    ("499001xxxxxx", 3),
];
const PREMIUM: usize = 3;
/// Under these there are many countries.
const UNDECIDED: [&str; 3] = ["1", "7", "4"];

impl World {
    /// Mostly one that the deck of the call has a row for.
    pub fn priced_number(&mut self, row: &Value) -> String {
        let org = row["orgId"].as_str().unwrap_or_default();
        let prefixes: Vec<String> = match self.deck_of(org, self.timeline.now) {
            Some(deck) => deck.rows.iter().map(|row| row.prefix.clone()).collect(),
            None => Vec::new(),
        };
        let mut number = self.decided_number();
        for _ in 0..self.rng.below(8) {
            if prefixes.iter().any(|prefix| number[1..].starts_with(prefix)) {
                break;
            }
            number = self.decided_number();
        }
        number
    }

    /// A number of `NUMBERS`, at times masked behind the digits that decide, or before them.
    pub fn decided_number(&mut self) -> String {
        if self.rng.chance(4) {
            return format!("+{}******", self.rng.pick(&UNDECIDED));
        }
        let is_masked = self.rng.chance(10);
        let choice = if is_masked { &NUMBERS[..NUMBERS.len() - PREMIUM] } else { &NUMBERS[..] };
        let weights: Vec<usize> = choice.iter().map(|(_, weight)| *weight).collect();
        let (pattern, _) = choice[self.rng.weighted(&weights)];
        let digits: String = pattern.chars().map(|c| self.digit(c)).collect();
        if !is_masked {
            return format!("+{digits}");
        }
        let decided = pattern.find(['x', 'N']).unwrap_or(pattern.len());
        let visible = decided + self.rng.below(pattern.len() - decided);
        format!("+{}{}", &digits[..visible], "*".repeat(pattern.len() - visible))
    }

    fn digit(&mut self, pattern: char) -> char {
        let lowest = match pattern {
            'x' => 0,
            'N' => 2,
            digit => return digit,
        };
        let digit = self.rng.between(lowest, 9).unsigned_abs();
        char::from_digit(u32::try_from(digit).expect("a digit"), 10).expect("a digit")
    }

    pub fn destination_context(&mut self) -> Value {
        let choice = if self.options.credits { 5 } else { 2 };
        match self.rng.below(choice) {
            0 | 2 => json!("Domestic"),
            1 => json!("International"),
            _ => Value::Null,
        }
    }

    /// Where the country of the called number says which pool there is, gives it one that is beyond doubt.
    pub fn decide_number(&mut self, row: &mut Value) {
        let matters = row["callType"] == "conf_out" || row["destinationContext"].is_null();
        let is_outbound = row["callType"].as_str().is_some_and(|name| name.ends_with("_out") || name.contains("_out_"));
        let is_number = row["calleeNumber"].as_str().is_some_and(|number| number.starts_with('+'));
        if self.options.credits && matters && is_outbound && is_number {
            row["calleeNumber"] = json!(self.priced_number(row));
        }
    }
}

/// Whether a number is one of those made here.
#[cfg(test)]
pub fn is_decided(number: &str) -> bool {
    let digits = number.trim_start_matches('+').trim_end_matches('*');
    let fits = |pattern: &str| {
        let is_digit = |(pattern, digit): (char, char)| match pattern {
            'x' => digit.is_ascii_digit(),
            'N' => ('2'..='9').contains(&digit),
            literal => literal == digit,
        };
        let decided = pattern.find(['x', 'N']).unwrap_or(pattern.len());
        let is_whole = digits.len() == pattern.len() || (number.ends_with('*') && digits.len() >= decided);
        is_whole && pattern.chars().zip(digits.chars()).all(is_digit)
    };
    UNDECIDED.contains(&digits) || NUMBERS.iter().any(|(pattern, _)| fits(pattern))
}
