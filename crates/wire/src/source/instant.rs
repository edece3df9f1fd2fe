//! Instants in a record: what is missing, what is wrong, and how start, end and duration agree.

use drawdown_units::Timestamp;

use super::duration::{Duration, LONG_CALL_S};
use super::quoted;
use crate::flags::Flags;
use crate::rejection::{Reason, Rejection};

/// Reads an RFC 3339 field; a year before 1970 counts as missing (boundaries.md U13).
#[inline]
pub(crate) fn rfc3339(text: Option<&str>, field: &str) -> Result<Option<Timestamp>, Rejection> {
    let Some(text) = text else { return Ok(None) };
    match Timestamp::parse(text) {
        Ok(instant) => Ok(is_given(instant).then_some(instant)),
        Err(error) => Err(bad_time(text, field, &error)),
    }
}

/// A year before 1970 is how sources write "never" (boundaries.md U13).
#[inline]
pub(crate) fn is_given(instant: Timestamp) -> bool {
    instant >= Timestamp::EPOCH
}

#[cold]
pub(crate) fn bad_time(text: &str, field: &str, problem: &dyn std::fmt::Display) -> Rejection {
    Rejection::of_field(Reason::BadField, field, format!("{} is no time: {problem}", quoted(text)))
}

/// The flags that start, end and duration earn together, or the rejection of an end before the start (boundaries.md U2,
/// U3). They are compared if `is_compared`.
#[inline]
pub(crate) fn check_span(
    start: Timestamp,
    end: Option<Timestamp>,
    duration: Duration,
    is_compared: bool,
    end_field: &str,
) -> Result<Flags, Rejection> {
    let flags = Flags::NONE.with_if(duration.seconds > LONG_CALL_S, Flags::LONG_CALL);
    let Some(end) = end else { return Ok(flags) };
    if end < start {
        return Err(end_before_start(start, end, end_field));
    }
    let span_nanos = i128::from(end.seconds() - start.seconds()) * 1_000_000_000 + i128::from(end.nanos())
        - i128::from(start.nanos());
    let off_by_nanos = (span_nanos - i128::from(duration.nanos)).unsigned_abs();
    Ok(flags.with_if(is_compared && off_by_nanos > 1_000_000_000, Flags::DURATION_MISMATCH))
}

#[cold]
fn end_before_start(start: Timestamp, end: Timestamp, end_field: &str) -> Rejection {
    Rejection::of_field(Reason::EndBeforeStart, end_field, format!("the end {end} lies before the start {start}"))
}
