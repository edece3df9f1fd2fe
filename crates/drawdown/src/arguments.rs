//! Values of arguments that several commands take.

use drawdown_units::Timestamp;

/// An instant, or a day, which is its first one.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let full = if text.len() == "2026-03-01".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&full).map_err(|error| format!("{error}; write 2026-03-01 or 2026-03-01T08:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_instant() {
        assert_eq!(parse_time("2026-03-01"), parse_time("2026-03-01T00:00:00Z"));
        for wrong in ["2026-02-30", "yesterday", "2026-03-01T00:00:00"] {
            assert!(parse_time(wrong).is_err_and(|error| error.contains("write 2026-03-01")), "{wrong}");
        }
    }
}
