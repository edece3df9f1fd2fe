//! Numbers as a report shows them: the other party's lose their last digits, by the tenant's country (boundaries.md X3).

use std::borrow::Cow;

use crate::line::Call;

/// Which party is not one of the tenant's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The called one.
    Outbound,
    /// The caller.
    Inbound,
    /// It cannot be told, so both are taken for strangers.
    Unknown,
}

impl Direction {
    /// By the parts of a call type: `user_out_conf`, `conf_in`, `dr_unassigned_in`.
    pub fn of(call_type: &str) -> Self {
        let part = call_type.split('_').find_map(|part| match part {
            "out" => Some(Direction::Outbound),
            "in" => Some(Direction::Inbound),
            _ => None,
        });
        part.unwrap_or(Direction::Unknown)
    }
}

/// How many digits of the other party's number are not shown.
pub(super) fn digits_lost(tenant_country: &str) -> usize {
    match tenant_country.to_ascii_uppercase().as_str() {
        "CH" | "FR" => 4,
        "BE" | "DE" | "DK" | "ES" | "FI" | "IT" | "NL" | "NO" | "SE" => 3,
        _ => 0,
    }
}

/// The caller's and the called number.
pub(super) fn numbers<'a>(call: &'a Call<'a>, direction: Direction, lost: usize) -> (Cow<'a, str>, Cow<'a, str>) {
    let caller = number(call.caller_number.as_deref(), call.caller.as_deref());
    let called = number(call.callee_number.as_deref(), call.called.as_deref());
    match direction {
        Direction::Outbound => (caller, masked(called, lost)),
        Direction::Inbound => (masked(caller, lost), called),
        Direction::Unknown => (masked(caller, lost), masked(called, lost)),
    }
}

/// A number as `+` and digits wherever it was understood: else as the source wrote it, such as `anonymous` or `110`.
fn number<'a>(written: Option<&'a str>, digits: Option<&'a str>) -> Cow<'a, str> {
    match (written, digits) {
        // The digits of a number that came masked are only those that are visible.
        (Some(written), _) if is_international(written) || written.contains('*') => Cow::Borrowed(written),
        (_, Some(digits)) => Cow::Owned(format!("+{digits}")),
        (written, None) => Cow::Borrowed(written.unwrap_or_default()),
    }
}

fn is_international(written: &str) -> bool {
    written.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Replaces the last `lost` digits; those that are stars already count. Of an address such as `sip:+49…@host` the
/// number is what stands before the host and its parameters.
fn masked(number: Cow<'_, str>, lost: usize) -> Cow<'_, str> {
    if lost == 0 {
        return number;
    }
    let end = number.find(['@', ';']).unwrap_or(number.len());
    let is_lost = |(_, byte): &(usize, u8)| byte.is_ascii_digit() || *byte == b'*';
    let Some((from, _)) = number[..end].bytes().enumerate().rev().filter(is_lost).take(lost).last() else {
        return number;
    };
    let hidden: String = number[from..end].chars().map(|c| if c.is_ascii_digit() { '*' } else { c }).collect();
    Cow::Owned([&number[..from], &hidden, &number[end..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digits_are_lost() {
        for (number, lost, shown) in [
            ("+493012345678", 3, "+493012345***"),
            ("+41446681827", 4, "+4144668****"),
            ("+14155550100", 0, "+14155550100"),
            ("+4912345***", 3, "+4912345***"),
            ("+4912345***", 4, "+491234****"),
            ("030 12-34", 3, "030 1*-**"),
            ("12", 3, "**"),
            ("anonymous", 3, "anonymous"),
            ("", 4, ""),
            ("sip:+4930123456@sbc1.example;user=phone42", 3, "sip:+4930123***@sbc1.example;user=phone42"),
            ("Zoë 4711", 3, "Zoë 4***"),
        ] {
            assert_eq!(masked(number.into(), lost), shown);
        }
    }

    #[test]
    fn a_direction_is_told_by_the_call_type() {
        for (call_type, direction) in [
            ("user_out_transfer", Direction::Outbound),
            ("conf_out", Direction::Outbound),
            ("unassigned_in", Direction::Inbound),
            ("dr_in_ucap", Direction::Inbound),
            ("dr_out", Direction::Outbound),
            ("dr_interworking", Direction::Unknown),
        ] {
            assert_eq!(Direction::of(call_type), direction, "{call_type}");
        }
    }

    #[test]
    fn a_number_is_shown_as_it_was_understood() {
        for (written, digits, shown) in [
            (Some("+493012345678"), Some("493012345678"), "+493012345678"),
            (Some("0049 30 12345678"), Some("493012345678"), "+493012345678"),
            (Some("+4930123***"), Some("4930123"), "+4930123***"),
            (Some("110"), None, "110"),
            (None, Some("493012345678"), "+493012345678"),
            (None, None, ""),
        ] {
            assert_eq!(number(written, digits), shown);
        }
    }
}
