//! The cells of a row, in the order of the layout.

use super::row::Row;

/// The header: the columns of the Teams export, in its order (domain.md section 10).
pub const COLUMNS: [&str; 20] = [
    "UsageId",
    "Call ID",
    "Conference ID",
    "User Location",
    "AAD ObjectId",
    "UPN",
    "User Display Name",
    "Caller ID",
    "Call Type",
    "Number Type",
    "Domestic/International",
    "Destination Dialed",
    "Destination Number",
    "Start Time",
    "End Time",
    "Duration Seconds",
    "Connection Fee",
    "Charge",
    "Currency",
    "Capability",
];

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// A text from a record: it may be anything.
    Text(&'a str),
    /// Whole seconds since 1970.
    Time(i64),
    /// Seconds.
    Count(u32),
    /// Hundredths of a currency unit.
    Cents(i64),
}

impl Row<'_> {
    /// The cells, rounded to what the layout shows: whole seconds, cents.
    pub fn cells(&self) -> [Cell<'_>; COLUMNS.len()] {
        [
            Cell::Text(self.usage_id),
            Cell::Text(self.call_id),
            Cell::Text(self.conference_id),
            Cell::Text(self.user_location),
            Cell::Text(self.user_id),
            Cell::Text(self.user_principal_name),
            Cell::Text(self.user_display_name),
            Cell::Text(&self.caller),
            Cell::Text(self.call_type),
            Cell::Text(self.number_type),
            Cell::Text(self.destination_context),
            Cell::Text(self.destination),
            Cell::Text(&self.called),
            Cell::Time(self.start_s),
            Cell::Time(self.end_s),
            Cell::Count(self.duration_s),
            Cell::Cents(cents(self.connection_fee_micros)),
            Cell::Cents(cents(self.charge_micros)),
            Cell::Text(self.currency),
            Cell::Text(self.capability),
        ]
    }
}

/// Millionths as cents, half away from zero (boundaries.md C11).
pub(super) fn cents(micros: i64) -> i64 {
    let magnitude = micros.unsigned_abs().saturating_add(5_000) / 10_000;
    let magnitude = i64::try_from(magnitude).expect("invariant: a tenthousandth of 64 bits fits");
    if micros < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_cent_goes_away_from_zero() {
        for (micros, expected) in [(0, 0), (4_999, 0), (5_000, 1), (14_999, 1), (15_000, 2), (-4_999, 0), (-5_000, -1)]
        {
            assert_eq!(cents(micros), expected, "{micros}");
        }
        assert_eq!(cents(i64::MIN), -922_337_203_685_478);
    }
}
