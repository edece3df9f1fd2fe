//! The values of arguments.

use drawdown_report::statement::Month;
use drawdown_units::Money;

pub fn parse_month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "no month; write 2026-03".to_owned())
}

/// A share as parts of a million.
pub fn parse_percent(text: &str) -> Result<u32, String> {
    let wrong = || "not a share between 0% and 100% with at most four decimals; write 1% or 0.5%".to_owned();
    let percent = Money::parse(text.strip_suffix('%').unwrap_or(text).trim_end()).map_err(|_| wrong())?;
    let ppm = percent.micros() / 100;
    let is_exact = percent.micros() % 100 == 0 && (0..=1_000_000).contains(&ppm);
    u32::try_from(ppm).ok().filter(|_| is_exact).ok_or_else(wrong)
}

/// As it was written, without idle zeros.
pub fn percent_text(ppm: u32) -> String {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_exactly() {
        for (text, ppm, again) in [
            ("1%", 10_000, "1%"),
            ("0.5 %", 5_000, "0.5%"),
            ("0.0001", 1, "0.0001%"),
            ("100", 1_000_000, "100%"),
            ("0", 0, "0%"),
        ] {
            assert_eq!(parse_percent(text), Ok(ppm), "{text}");
            assert_eq!(percent_text(ppm), again);
        }
        for wrong in ["", "%", "-1%", "101", "0.00001", "1e-2", "half"] {
            assert!(parse_percent(wrong).is_err(), "{wrong}");
        }
    }
}
