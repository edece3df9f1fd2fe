//! A running call and what it is promised, among the states of accounts: there until the call has ended.

use drawdown_ledger::plans::Use;
use drawdown_rating::Number;
use drawdown_units::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::ReadError;
use super::licences::{SEPARATOR, user_key};
use super::packed::{self, Instant};
use crate::cdr::{CallType, Callee};
use crate::json::{Writer, key};

/// The first byte of a running call's state.
const CALL_FORM: u8 = b'r';

/// A call as it was authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningCall {
    /// Whose.
    pub org: Box<str>,
    /// The id that its usage record will have.
    pub call: Box<str>,
    /// What kind.
    pub call_type: CallType,
    /// Who is called.
    pub callee: Callee,
    /// Who calls, if the number is known.
    pub caller: Option<Number>,
    /// Whose call it is.
    pub user: Option<Box<str>>,
    /// Whether it stays in the country, if the switch said so.
    pub is_domestic: Option<bool>,
    /// When it began.
    pub start: Timestamp,
    /// How long it may last, in seconds.
    pub granted_s: u32,
    /// What it is promised.
    pub claim: Claim,
    /// That of the account.
    pub currency: Currency,
    /// When the promise ends, if nobody asks for more.
    pub due: Timestamp,
}

/// What one call is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Minutes, where a pool covers such a call.
    pub pool: Option<PoolClaim>,
    /// What it costs without a pool; `None` where no money may be drawn for it.
    pub bare: Option<Money>,
}

/// Minutes of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolClaim {
    /// The pool's name.
    pub pool: Box<str>,
    /// The month of the call's start.
    pub month: Timestamp,
    /// Which of its minutes.
    pub of: Use,
    /// As many as the call may last, whether or not the pool has them.
    pub minutes: u32,
    /// What the pool holds for calls of that start.
    pub size: u64,
}

#[derive(Serialize, Deserialize)]
struct CallState<'a> {
    org: &'a str,
    call: &'a str,
    call_type: u8,
    callee: CalleeState,
    caller: Option<NumberState>,
    user: Option<&'a str>,
    is_domestic: Option<bool>,
    start: Instant,
    granted_s: u32,
    #[serde(borrow)]
    pool: Option<PoolClaimState<'a>>,
    bare: Option<i64>,
    currency: [u8; 3],
    due: Instant,
}

/// A number by its digits, and how many there are.
type NumberState = (u64, u8);

/// Variants are told by their places: new ones come last.
#[derive(Serialize, Deserialize)]
enum CalleeState {
    Number(NumberState, bool),
    NothingVisible,
    Emergency,
    ShortCode(bool),
    Internal,
    NotRated,
}

#[derive(Serialize, Deserialize)]
struct PoolClaimState<'a> {
    pool: &'a str,
    month: Instant,
    of: u8,
    minutes: u32,
    size: u64,
}

/// Told by their places: new ones come last.
const CALL_TYPES: [(CallType, &str); 8] = [
    (CallType::UserOut, "user_out"),
    (CallType::ConfOut, "conf_out"),
    (CallType::UcapOut, "ucap_out"),
    (CallType::ConfIn, "conf_in"),
    (CallType::UcapIn, "ucap_in"),
    (CallType::UnassignedIn, "unassigned_in"),
    (CallType::UserIn, "user_in"),
    (CallType::DirectRouting, "dr_out"),
];

/// The key of a running call's state among those of accounts.
pub fn call_key(org: &str, call: &str) -> Vec<u8> {
    let mut key = user_key(org, "");
    key.push(SEPARATOR);
    key.extend_from_slice(call.as_bytes());
    key
}

/// Organisation and call of a key that [`call_key`] made.
pub fn call_of_key(key: &[u8]) -> Option<(&str, &str)> {
    let middle = key.windows(2).position(|pair| pair == [SEPARATOR; 2])?;
    let text = |bytes| std::str::from_utf8(bytes).ok();
    Some((text(&key[..middle])?, text(&key[middle + 2..])?))
}

/// Whether a state is that of a running call, not of an account or of a user.
pub fn is_call(state: &[u8]) -> bool {
    state.first() == Some(&CALL_FORM)
}

/// Appends the state of a running call in the binary form.
pub fn pack_call(out: &mut Vec<u8>, running: &RunningCall) {
    out.push(CALL_FORM);
    let currency = running.currency.as_str().as_bytes().try_into();
    let state = CallState {
        org: &running.org,
        call: &running.call,
        call_type: place_of(running.call_type) as u8,
        callee: CalleeState::of(running.callee),
        caller: running.caller.map(digits),
        user: running.user.as_deref(),
        is_domestic: running.is_domestic,
        start: packed::instant(running.start),
        granted_s: running.granted_s,
        pool: running.claim.pool.as_ref().map(|claim| PoolClaimState {
            pool: &claim.pool,
            month: packed::instant(claim.month),
            of: claim.of as u8,
            minutes: claim.minutes,
            size: claim.size,
        }),
        bare: running.claim.bare.map(Money::micros),
        currency: currency.expect("invariant: a currency has three letters"),
        due: packed::instant(running.due),
    };
    packed::append(out, 160, &state);
}

/// Reads what [`pack_call`] wrote.
///
/// # Errors
/// What is wrong with it.
pub fn unpack_call(bytes: &[u8]) -> Result<RunningCall, ReadError> {
    let body = bytes.split_first().filter(|(form, _)| **form == CALL_FORM).map(|(_, body)| body);
    let body = body.ok_or_else(|| ReadError("not the state of a running call".to_owned()))?;
    let state: CallState<'_> = postcard::from_bytes(body).map_err(|error| ReadError(error.to_string()))?;
    let call_type = CALL_TYPES.get(usize::from(state.call_type)).map(|(call_type, _)| *call_type);
    let currency = std::str::from_utf8(&state.currency).ok().and_then(Currency::parse);
    Ok(RunningCall {
        org: state.org.into(),
        call: state.call.into(),
        call_type: call_type.ok_or_else(|| ReadError(format!("call type {}", state.call_type)))?,
        callee: state.callee.into_callee()?,
        caller: state.caller.map(number).transpose()?,
        user: state.user.map(Into::into),
        is_domestic: state.is_domestic,
        start: packed::timestamp(state.start)?,
        granted_s: state.granted_s,
        claim: Claim {
            pool: state.pool.map(PoolClaimState::into_claim).transpose()?,
            bare: state.bare.map(Money::from_micros),
        },
        currency: currency.ok_or_else(|| ReadError("no currency".to_owned()))?,
        due: packed::timestamp(state.due)?,
    })
}

/// Appends the state of a running call as one line of JSON.
pub fn write_call(out: &mut Vec<u8>, running: &RunningCall) {
    let mut json = Writer::new(out);
    json.text("{\"schemaVersion\":1,\"type\":\"running-call\",\"orgId\":", &running.org);
    json.text(key!("callId"), &running.call);
    if let Some(user) = &running.user {
        json.text(key!("userId"), user);
    }
    json.plain(key!("callType"), CALL_TYPES[place_of(running.call_type)].1);
    if let Callee::Number { number, masked } = running.callee {
        json.text(key!("calleeNumber"), &format!("+{number}{}", if masked { "*" } else { "" }));
    }
    json.time(key!("startDateTime"), running.start);
    json.integer(key!("grantedSeconds"), running.granted_s);
    json.time(key!("dueAt"), running.due);
    json.plain(key!("currency"), running.currency.as_str());
    if let Some(claim) = &running.claim.pool {
        json.text(",\"pool\":{\"pool\":", &claim.pool);
        json.month(key!("month"), claim.month);
        json.plain(key!("use"), claim.of.name());
        json.integer(key!("minutes"), claim.minutes);
        json.raw("}");
    }
    if let Some(bare) = running.claim.bare {
        json.money(key!("amountWithoutPool"), bare);
    }
    json.raw("}\n");
}

fn place_of(call_type: CallType) -> usize {
    CALL_TYPES.iter().position(|(held, _)| *held == call_type).expect("invariant: every call type is in the list")
}

fn digits(number: Number) -> NumberState {
    (number.padded(), number.length())
}

fn number((padded, length): NumberState) -> Result<Number, ReadError> {
    let digits = format!("{padded:015}");
    let number = digits.get(..usize::from(length)).and_then(|digits| Number::from_digits(digits.as_bytes()));
    number.filter(|number| number.padded() == padded).ok_or_else(|| ReadError("no telephone number".to_owned()))
}

impl CalleeState {
    fn of(callee: Callee) -> Self {
        match callee {
            Callee::Number { number, masked } => CalleeState::Number(digits(number), masked),
            Callee::NothingVisible => CalleeState::NothingVisible,
            Callee::Emergency => CalleeState::Emergency,
            Callee::ShortCode { free } => CalleeState::ShortCode(free),
            Callee::Internal => CalleeState::Internal,
            Callee::NotRated => CalleeState::NotRated,
        }
    }

    fn into_callee(self) -> Result<Callee, ReadError> {
        Ok(match self {
            CalleeState::Number(digits, masked) => Callee::Number { number: number(digits)?, masked },
            CalleeState::NothingVisible => Callee::NothingVisible,
            CalleeState::Emergency => Callee::Emergency,
            CalleeState::ShortCode(free) => Callee::ShortCode { free },
            CalleeState::Internal => Callee::Internal,
            CalleeState::NotRated => Callee::NotRated,
        })
    }
}

impl PoolClaimState<'_> {
    fn into_claim(self) -> Result<PoolClaim, ReadError> {
        let of = Use::ALL.get(usize::from(self.of)).copied();
        Ok(PoolClaim {
            pool: self.pool.into(),
            month: packed::timestamp(self.month)?,
            of: of.ok_or_else(|| ReadError(format!("use {} of a pool", self.of)))?,
            minutes: self.minutes,
            size: self.size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> RunningCall {
        RunningCall {
            org: "contoso".into(),
            call: "a-b@192.0.2.1".into(),
            call_type: CallType::ConfOut,
            callee: Callee::Number { number: Number::parse_clean("+442071838750").unwrap(), masked: true },
            caller: Number::parse_clean("+1"),
            user: Some("ünï".into()),
            is_domestic: Some(false),
            start: Timestamp::from_parts(1_790_000_000, 5),
            granted_s: 300,
            claim: Claim {
                pool: Some(PoolClaim {
                    pool: "MCOPSTN2/DE".into(),
                    month: Timestamp::from_parts(1_788_000_000, 0),
                    of: Use::International,
                    minutes: 5,
                    size: 600,
                }),
                bare: Some(Money::from_micros(115_000)),
            },
            currency: Currency::parse("EUR").unwrap(),
            due: Timestamp::from_parts(1_790_000_600, 0),
        }
    }

    #[test]
    fn comes_back_as_it_was_packed() {
        let plain = RunningCall {
            user: None,
            caller: None,
            is_domestic: None,
            claim: Claim { pool: None, bare: None },
            ..running()
        };
        let callees = [
            Callee::NothingVisible,
            Callee::Emergency,
            Callee::ShortCode { free: true },
            Callee::ShortCode { free: false },
            Callee::Internal,
            Callee::NotRated,
            running().callee,
        ];
        let all = callees.map(|callee| RunningCall { callee, ..plain.clone() });
        let types = CALL_TYPES.map(|(call_type, _)| RunningCall { call_type, ..running() });
        for call in all.iter().chain(&types) {
            let mut state = Vec::new();
            pack_call(&mut state, call);
            assert!(is_call(&state) && !super::super::is_user(&state));
            assert_eq!(&unpack_call(&state).unwrap(), call);
            for cut in 0..state.len() {
                assert!(unpack_call(&state[..cut]).is_err(), "{cut} of {} bytes", state.len());
            }
        }
        assert_eq!(Use::ALL.len(), 3, "each use of a pool is kept by its place");
        for (call_type, name) in CALL_TYPES {
            assert_eq!(CallType::parse(name), Some(call_type));
        }
    }

    #[test]
    fn a_key_says_whose_call_it_is() {
        for (org, call) in [("contoso", "1"), ("ü", "a\u{ff}"), ("x", "")] {
            let key = call_key(org, call);
            assert_eq!(call_of_key(&key), Some((org, call)));
            assert_eq!(super::super::org_of_key(&key), org.as_bytes());
        }
        for other in [&b"contoso"[..], b"", &user_key("contoso", "1"), &user_key("contoso", "")] {
            assert_eq!(call_of_key(other), None);
        }
    }

    #[test]
    fn is_one_line_of_json() {
        let mut line = Vec::new();
        write_call(&mut line, &running());
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["calleeNumber"], "+442071838750*");
        assert_eq!(value["pool"]["minutes"], 5);
        assert_eq!(value["amountWithoutPool"], "0.115");
        assert!(line.ends_with(b"}\n"));
    }
}
