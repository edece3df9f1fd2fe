//! The figures of authorisation: configuration, with defaults that suit a switch that asks again every few minutes.

use drawdown_units::Money;
use drawdown_wire::number::NumberPlan;

/// By what calls are authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The longest that a call may last, in seconds.
    pub maximum_s: u32,
    /// For how long a call is granted at a time, unless the switch asks for another time, in seconds.
    pub slice_s: u32,
    /// How long after the end of what was granted a reservation is kept for the call's record, in seconds.
    pub grace_s: u32,
    /// How far beyond its balance an organisation may be promised money. Strict accounts have no overdraft.
    pub overdraft: Money,
    /// How many reservations one organisation may have at once.
    pub of_org_count_max: usize,
    /// How many reservations there may be at once in all.
    pub count_max: usize,
    /// How numbers are dialled at the switches that ask.
    pub number_plan: NumberPlan,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            maximum_s: 4 * 3_600,
            slice_s: 300,
            grace_s: 300,
            overdraft: Money::ZERO,
            of_org_count_max: 20_000,
            count_max: 500_000,
            number_plan: NumberPlan::unknown(),
        }
    }
}
