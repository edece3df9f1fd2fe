//! A call as a line of JSON, with the field names of Microsoft Graph and `orgId`: those that rating, attribution and
//! reports read, about 560 bytes. The hot path: bytes, no formatting.

use super::corrections::Correction;
use super::record::{Call, Caller, Damage, Direction};
use super::switch::Switch;

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Bruno", "Chen", "Dalia", "Emil", "Fatima", "Grace", "Hugo", "Ines", "Jonas", "Kofi", "Lena", "Mira",
    "Noor", "Oskar", "Priya",
];
const LAST_NAMES: [&str; 16] = [
    "Adler", "Bauer", "Castillo", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kowalski",
    "Larsen", "Moreau", "Novak", "Okafor", "Patel",
];

/// Appends the line of a call.
pub fn write(switch: &Switch, call: &Call<'_>, line: &mut Vec<u8>) {
    write_row(switch, call, None, line);
    line.push(b'\n');
}

/// Appends the line of a call with something wrong in it.
pub fn write_broken(switch: &Switch, call: &Call<'_>, damage: Damage, line: &mut Vec<u8>) {
    let from = line.len();
    write_row(switch, call, Some(damage), line);
    if damage == Damage::Truncated {
        // Anywhere in its middle half.
        let length = line.len() - from;
        line.truncate(from + length / 4 + (call.call_id % (length as u64 / 2)) as usize);
    }
    line.push(b'\n');
}

fn write_row(switch: &Switch, call: &Call<'_>, damage: Option<Damage>, line: &mut Vec<u8>) {
    let (first, last) = names_of(call.user);
    text(line, b"{\"id\":\"");
    uuid(line, call.id);
    text(line, b"\",\"callId\":\"");
    hex(line, call.call_id);
    text(line, b"\",\"orgId\":\"");
    org_id(line, call.organisation.index);
    text(line, b"\",\"userId\":\"");
    user_id(line, call.user);
    text(line, b"\",\"userPrincipalName\":\"");
    for byte in first.bytes().chain([b'.']).chain(last.bytes()) {
        line.push(byte.to_ascii_lowercase());
    }
    text(line, b"@");
    org_id(line, call.organisation.index);
    text(line, b".example\",\"userDisplayName\":\"");
    text(line, first.as_bytes());
    line.push(b' ');
    text(line, last.as_bytes());
    line.push(b'"');
    write_times(switch, call, damage, line);
    write_duration(call, damage, line);
    string(line, b"callType", if damage == Some(Damage::UnknownCallType) { "User_Out" } else { call.kind.name });
    write_numbers(call, damage, line);
    let country = call.organisation.home.country;
    string(line, b"usageCountryCode", country);
    string(line, b"tenantCountryCode", country);
    if call.kind.direction == Direction::Out {
        let context = if call.destination.country == country { "Domestic" } else { "International" };
        string(line, b"destinationContext", context);
    }
    string(line, b"destinationName", call.destination.name);
    if call.kind.caller == Caller::Organiser {
        text(line, b",\"conferenceId\":\"");
        hex(line, call.call_id.rotate_left(17));
        line.push(b'"');
    }
    string(line, b"licenseCapability", call.kind.capability);
    if let Some(correction) = call.correction {
        write_correction(switch, correction, line);
    }
    line.push(b'}');
}

fn write_correction(switch: &Switch, correction: Correction, line: &mut Vec<u8>) {
    text(line, b",\"receivedAt\":\"");
    text(line, switch.timeline.at(correction.received).text().as_bytes());
    text(line, b"\",\"revision\":");
    number(line, correction.revision.into());
    if correction.is_void {
        text(line, b",\"void\":true");
    }
}

fn write_times(switch: &Switch, call: &Call<'_>, damage: Option<Damage>, line: &mut Vec<u8>) {
    let (start, mut end) = (switch.timeline.at(call.start), switch.timeline.at(call.end));
    if damage != Some(Damage::NoStart) {
        text(line, b",\"startDateTime\":\"");
        text(line, start.text().as_bytes());
        line.push(b'"');
    }
    if damage == Some(Damage::EndBeforeStart) {
        end = start.plus_seconds(-60);
    }
    text(line, b",\"endDateTime\":\"");
    text(line, end.text().as_bytes());
    line.push(b'"');
}

fn write_duration(call: &Call<'_>, damage: Option<Damage>, line: &mut Vec<u8>) {
    text(line, b",\"duration\":");
    match damage {
        Some(Damage::NegativeDuration) => text(line, b"-1"),
        Some(Damage::DurationInWords) => text(line, b"\"three minutes\""),
        Some(_) | None => number(line, call.seconds.into()),
    }
}

fn write_numbers(call: &Call<'_>, damage: Option<Damage>, line: &mut Vec<u8>) {
    let (callee, caller) = match call.kind.direction {
        Direction::In => (call.own_number, call.other_number),
        Direction::Out | Direction::DirectRouting => (call.other_number, call.own_number),
    };
    text(line, b",\"calleeNumber\":\"+");
    if damage == Some(Damage::BadNumber) {
        text(line, b"0123456789012345678");
    } else {
        number(line, callee / 10_u64.pow(call.masked_digits));
        for _ in 0..call.masked_digits {
            line.push(b'*');
        }
    }
    text(line, b"\",\"callerNumber\":\"+");
    number(line, caller);
    line.push(b'"');
}

fn names_of(user: u64) -> (&'static str, &'static str) {
    (FIRST_NAMES[(user % 16) as usize], LAST_NAMES[(user / 16 % 16) as usize])
}

/// The id of an organisation: `org-000001` is the giant.
pub fn org_id(line: &mut Vec<u8>, index: u64) {
    text(line, b"org-");
    let number_from_1 = index + 1;
    for zeros_below in [100_000, 10_000, 1_000, 100, 10] {
        if number_from_1 < zeros_below {
            line.push(b'0');
        }
    }
    number(line, number_from_1);
}

/// The id of a user.
pub fn user_id(line: &mut Vec<u8>, user: u64) {
    uuid(line, (u128::from(user) << 64) | u128::from(user.rotate_left(29)));
}

fn text(line: &mut Vec<u8>, bytes: &[u8]) {
    line.extend_from_slice(bytes);
}

/// A field; neither name nor value needs escaping.
fn string(line: &mut Vec<u8>, name: &[u8], value: &str) {
    text(line, b",\"");
    text(line, name);
    text(line, b"\":\"");
    text(line, value.as_bytes());
    line.push(b'"');
}

fn number(line: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), value);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text(line, &digits[at..]);
}

fn hex(line: &mut Vec<u8>, bits: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    line.extend((0..16).rev().map(|place| DIGITS[(bits >> (4 * place) & 15) as usize]));
}

/// The usual form: 8-4-4-4-12 digits.
fn uuid(line: &mut Vec<u8>, bits: u128) {
    let from = line.len();
    hex(line, (bits >> 64) as u64);
    hex(line, bits as u64);
    let digits: [u8; 32] = line[from..].try_into().expect("invariant: two times sixteen digits");
    line.truncate(from);
    for (at, digit) in digits.into_iter().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            line.push(b'-');
        }
        line.push(digit);
    }
}
