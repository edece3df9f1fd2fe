//! The figures of the rules: configuration, with the defaults of domain.md.

use drawdown_units::Money;

use crate::plans::Plans;

/// The figures an account is kept by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How many calendar months a lot is valid.
    pub lot_months: u32,
    /// How long after its expiry a lot can still be drawn by calls made in time, in seconds.
    pub forfeit_grace_s: i64,
    /// How long before its expiry a lot that still holds money is announced to expire, in seconds; 0 if never.
    pub expiry_notice_s: i64,
    /// How far ahead of its arrival a purchase may be dated, in seconds (boundaries.md L2).
    pub future_tolerance_s: i64,
    /// The least amount of an automatic recharge (boundaries.md R17).
    pub recharge_minimum: Money,
    /// Whether recharge and trigger amounts must be whole units (boundaries.md R17).
    pub recharge_whole_units: bool,
    /// After how long an unanswered recharge request is sent again, in seconds (boundaries.md R3).
    pub resend_s: i64,
    /// How long after each failed attempt the next one is made, in seconds; one more failure is final (R4).
    pub retry_backoff_s: Vec<i64>,
    /// How long a final failure disarms, in seconds (boundaries.md R12).
    pub cooldown_s: i64,
    /// What licences bring; nothing by default, since a catalogue is configuration.
    pub plans: Plans,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            lot_months: 12,
            forfeit_grace_s: 48 * 3600,
            expiry_notice_s: 30 * 24 * 3600,
            future_tolerance_s: 300,
            recharge_minimum: Money::from_micros(50_000_000),
            recharge_whole_units: true,
            resend_s: 15 * 60,
            retry_backoff_s: vec![60, 300, 1800],
            cooldown_s: 24 * 3600,
            plans: Plans::default(),
        }
    }
}
