//! Kafka's milliseconds and our instants.

use std::time::SystemTime;

use drawdown_units::Timestamp;

pub(super) fn from_ms(ms: i64) -> Timestamp {
    Timestamp::from_parts(ms.div_euclid(1000), ms.rem_euclid(1000) as u32 * 1_000_000)
}

pub(super) fn to_ms(at: Timestamp) -> i64 {
    at.milliseconds().max(0)
}

/// The time of day. A clock before 1970 counts as 1970.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs() as i64, since.subsec_nanos())
}
