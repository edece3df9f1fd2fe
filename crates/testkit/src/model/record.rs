//! A usage record read from its native JSON row (U, N), clean `+digits`, masked numbers and a few emergency codes only.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::names::{flag, reason};
use super::time;

/// The called number, as far as it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// The visible digits, all of them or those before the mask.
    Digits {
        visible: String,
        masked: bool,
    },
    Emergency,
    /// Of a call that costs nothing whatever was dialled.
    NotNeeded,
}

/// What a call type asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Outbound,
    Inbound,
    UserIn,
    DirectRouting,
}

/// The fields that rating, identity and attribution read (D2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub org: String,
    pub call_type: String,
    pub callee: Option<String>,
    pub caller: Option<String>,
    pub start: Timestamp,
    pub seconds: u64,
    pub user: Option<String>,
    pub conference: Option<String>,
    pub usage_country: Option<String>,
    pub tenant_country: Option<String>,
    pub destination_context: Option<String>,
    pub void: bool,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub id: String,
    pub revision: u64,
    pub kind: Kind,
    pub called: Called,
    pub content: Content,
    /// Flags that need no deck.
    pub flags: Vec<&'static str>,
}

impl Record {
    /// Reads a row, or says why it cannot be rated.
    pub fn read(row: &Value) -> Result<Self, &'static str> {
        let id = text(row, "id").ok_or(reason::MISSING_FIELD)?;
        let org = text(row, "orgId").ok_or(reason::MISSING_FIELD)?;
        let call_type = text(row, "callType").ok_or(reason::MISSING_FIELD)?;
        let kind = Kind::of(&call_type).ok_or(reason::UNKNOWN_CALL_TYPE)?;
        let start = instant(row, "startDateTime")?.ok_or(reason::MISSING_FIELD)?;
        let end = instant(row, "endDateTime")?;
        let seconds = whole_seconds(row)?;
        let mut flags = span_flags(start, end, seconds)?;
        let callee = text(row, "calleeNumber");
        let country = text(row, "usageCountryCode").or_else(|| text(row, "tenantCountryCode"));
        let called = read_called(kind, callee.as_deref(), country.as_deref())?;
        if matches!(called, Called::Digits { masked: true, .. }) {
            flags.push(flag::MASKED);
        }
        let content = Content {
            org,
            call_type,
            callee,
            caller: text(row, "callerNumber"),
            start,
            seconds,
            user: text(row, "userId"),
            conference: text(row, "conferenceId"),
            usage_country: text(row, "usageCountryCode"),
            tenant_country: text(row, "tenantCountryCode"),
            destination_context: text(row, "destinationContext"),
            void: row.get("void").and_then(Value::as_bool).unwrap_or(false),
        };
        let revision = row.get("revision").and_then(Value::as_u64).unwrap_or(0);
        Ok(Self { id, revision, kind, called, content, flags })
    }

    /// The digits of the caller; nothing when it is masked or not a number: origin is then unknown.
    pub fn caller_digits(&self) -> String {
        let caller = self.content.caller.as_deref().unwrap_or("");
        let Some(rest) = caller.strip_prefix('+') else { return String::new() };
        if rest.chars().all(|c| c.is_ascii_digit()) { rest.to_owned() } else { String::new() }
    }
}

impl Kind {
    /// Exact lower-case names; any name that begins `dr_` is Direct Routing (U12).
    fn of(call_type: &str) -> Option<Self> {
        Some(match call_type {
            "user_out" | "user_out_conf" | "user_out_transfer" | "user_out_forwarding" | "conf_out" | "ucap_out" => {
                Self::Outbound
            }
            "conf_in" | "ucap_in" | "unassigned_in" => Self::Inbound,
            "user_in" => Self::UserIn,
            other if other.starts_with("dr_") => Self::DirectRouting,
            _ => return None,
        })
    }
}

/// `receivedAt` of a native row, if it is given (T5).
pub fn received_at(row: &Value) -> Option<Timestamp> {
    text(row, "receivedAt").and_then(|text| time::parse(&text))
}

fn text(row: &Value, field: &str) -> Option<String> {
    row.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An instant; one before 1970 counts as missing (U13).
fn instant(row: &Value, field: &str) -> Result<Option<Timestamp>, &'static str> {
    let Some(text) = text(row, field) else { return Ok(None) };
    let instant = time::parse(&text).ok_or(reason::BAD_FIELD)?;
    Ok(Some(instant).filter(|instant| *instant >= Timestamp::UNIX_EPOCH))
}

/// Fractions round up (U3); a native 0 stays 0 (U4).
fn whole_seconds(row: &Value) -> Result<u64, &'static str> {
    let duration = match row.get("duration") {
        None | Some(Value::Null) => return Err(reason::MISSING_FIELD),
        Some(duration) => duration,
    };
    if let Some(seconds) = duration.as_u64() {
        return Ok(seconds);
    }
    let text = duration.to_string();
    if text.starts_with('-') {
        return Err(reason::NEGATIVE_DURATION);
    }
    let (whole, fraction) = text.split_once('.').ok_or(reason::BAD_FIELD)?;
    let whole = whole.parse::<u64>().map_err(|_| reason::BAD_FIELD)?;
    Ok(if fraction.chars().all(|digit| digit == '0') { whole } else { whole + 1 })
}

fn read_called(kind: Kind, callee: Option<&str>, country: Option<&str>) -> Result<Called, &'static str> {
    if matches!(kind, Kind::UserIn | Kind::DirectRouting) {
        return Ok(Called::NotNeeded);
    }
    let callee = callee.ok_or(reason::MISSING_FIELD)?;
    let Some(rest) = callee.strip_prefix('+') else {
        return if is_emergency(callee, country) { Ok(Called::Emergency) } else { Err(reason::BAD_NUMBER) };
    };
    let visible: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let masked = rest.contains('*');
    let is_clean = rest.chars().all(|c| c.is_ascii_digit() || c == '*') && !rest.is_empty();
    if !is_clean || rest.len() > 15 || visible.starts_with('0') {
        return Err(reason::BAD_NUMBER);
    }
    Ok(Called::Digits { visible, masked })
}

/// The few codes the workloads dial; never with a `+` (U14).
fn is_emergency(dialled: &str, country: Option<&str>) -> bool {
    let codes: &[&str] = match country {
        Some("DE") => &["110", "112"],
        Some("US") => &["911"],
        Some("GB") => &["999", "112"],
        _ => &[],
    };
    codes.contains(&dialled)
}

/// What start, end and duration say together (U2, U3).
fn span_flags(start: Timestamp, end: Option<Timestamp>, seconds: u64) -> Result<Vec<&'static str>, &'static str> {
    let mut flags = Vec::new();
    if let Some(end) = end {
        let elapsed = end.duration_since(start);
        if elapsed.is_negative() {
            return Err(reason::END_BEFORE_START);
        }
        let claimed = SignedDuration::from_secs(i64::try_from(seconds).map_err(|_| reason::BAD_FIELD)?);
        if (elapsed - claimed).abs() > SignedDuration::from_secs(1) {
            flags.push(flag::DURATION_MISMATCH);
        }
    }
    if seconds > 86_400 {
        flags.push(flag::LONG_CALL);
    }
    Ok(flags)
}
