//! The call that is asked about, as its usage record will describe it.

use std::borrow::Cow;

use drawdown_ledger::Account;
use drawdown_rating::Number;
use drawdown_units::Timestamp;
use drawdown_wire::cdr::{CallType, Callee, Cdr, Text};
use drawdown_wire::id::ID_BYTES_MAX;
use drawdown_wire::{Flags, Reason, Rejection, number};

use super::settings::Settings;
use super::wire::{AuthorisationRequest, Extension, Refusal, RefusalReason};

/// What rating reads of a call, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub call_type: CallType,
    pub callee: Callee,
    pub caller: Option<Number>,
    pub user: Option<Box<str>>,
    pub is_domestic: Option<bool>,
    pub start: Timestamp,
}

/// How far ahead of the clock a call may start, in seconds (boundaries.md T9).
const FUTURE_S: i64 = 300;
/// How long ago a call may have started.
const PAST_S: i64 = 7 * 86_400;

impl Asked {
    /// Reads a request. The account, where there is one, says where it is dialled if the switch does not.
    pub fn read(
        request: &AuthorisationRequest,
        account: Option<&Account>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        check_ids(&request.org_id, &request.call_id, request.user_id.as_deref())?;
        let name = request.call_type.as_deref().unwrap_or("user_out");
        let call_type = CallType::parse(name).ok_or_else(|| {
            Refusal::new(RefusalReason::UnknownCallType, "callType is none of those of usage records")
        })?;
        let is_domestic = match request.destination_context.as_deref() {
            Some("Domestic") => Some(true),
            Some("International") => Some(false),
            Some(_) => return Err(bad("destinationContext is neither Domestic nor International")),
            None => None,
        };
        let start = match request.start_date_time.as_deref() {
            Some(text) => Timestamp::parse(text).map_err(|error| bad(format!("startDateTime: {error}")))?,
            None => now,
        };
        if start.is_later_by_more_than(FUTURE_S, now) || now.is_later_by_more_than(PAST_S, start) {
            return Err(bad(format!("startDateTime is {start}, too far from {now}")));
        }
        Ok(Asked {
            call_type,
            callee: callee(request, call_type, account, settings)?,
            caller: request.caller_number.as_deref().and_then(Number::parse_clean),
            user: request.user_id.as_deref().map(Into::into),
            is_domestic,
            start,
        })
    }

    /// Whether an emergency number is called, whatever else is said.
    pub fn is_emergency(request: &AuthorisationRequest, account: Option<&Account>, settings: &Settings) -> bool {
        // With a plus it is never a short code (boundaries.md U14).
        Number::parse_clean(&request.callee_number).is_none()
            && callee(request, CallType::UserOut, account, settings) == Ok(Callee::Emergency)
    }

    /// Whether it is the same call, whenever it began.
    pub fn is_same(&self, other: &Asked) -> bool {
        (self.call_type, self.callee, &self.user) == (other.call_type, other.callee, &other.user)
    }

    /// The usage record that such a call would have, but for its length.
    pub fn cdr<'a>(&'a self, org: &'a str, id: &'a str) -> Cdr<'a> {
        let context = self.is_domestic.map(|is_domestic| if is_domestic { "Domestic" } else { "International" });
        Cdr {
            has_plain_identity: false,
            source: Cow::Borrowed("authorisation"),
            id: Cow::Borrowed(id),
            revision: 0,
            void: false,
            org: Cow::Borrowed(org),
            call_type: self.call_type,
            callee: self.callee,
            caller: self.caller,
            start: self.start,
            end: None,
            seconds: 1,
            received: None,
            flags: Flags::NONE,
            text: Text {
                user_id: self.user.as_deref().map(Cow::Borrowed),
                destination_context: context.map(Cow::Borrowed),
                ..Text::default()
            },
        }
    }

    /// How long the call has lasted at `now`, in whole seconds.
    pub fn elapsed_s(&self, now: Timestamp) -> u32 {
        let seconds = now.seconds().saturating_sub(self.start.seconds());
        let seconds = if now.nanos() > self.start.nanos() { seconds.saturating_add(1) } else { seconds };
        u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)
    }
}

impl Extension {
    /// The call as it would be asked about for the first time; `None` if too little is said of it.
    pub(super) fn as_request(&self) -> Option<AuthorisationRequest> {
        self.start_date_time.as_ref()?;
        Some(AuthorisationRequest {
            org_id: self.org_id.clone(),
            call_id: self.call_id.clone(),
            user_id: self.user_id.clone(),
            callee_number: self.callee_number.clone()?,
            caller_number: self.caller_number.clone(),
            call_type: self.call_type.clone(),
            usage_country_code: self.usage_country_code.clone(),
            destination_context: self.destination_context.clone(),
            start_date_time: self.start_date_time.clone(),
            seconds: self.seconds,
        })
    }
}

/// As a usage record's called number is read, in the country of the account where none is named (boundaries.md U14).
/// Nothing that may be an emergency is stopped because nobody knows where it is dialled.
fn callee(
    request: &AuthorisationRequest,
    call_type: CallType,
    account: Option<&Account>,
    settings: &Settings,
) -> Result<Callee, Refusal> {
    let (plan, dialled) = (&settings.number_plan, &*request.callee_number);
    if call_type.product().is_none() {
        return Ok(Callee::NotRated);
    }
    let country = account.map(Account::country);
    let of_account = country.as_ref().and_then(|country| std::str::from_utf8(country).ok());
    let region = request.usage_country_code.as_deref().filter(|code| !code.trim().is_empty());
    let region = region.or(of_account.filter(|code| number::is_region(code)));
    match number::classify(plan, dialled, region, "calleeNumber") {
        Err(_)
            if region.is_none_or(|region| !number::is_region(region.trim())) && number::may_be_emergency(dialled) =>
        {
            Ok(Callee::Emergency)
        }
        classified => classified.map_err(|rejection| refusal_of(&rejection)),
    }
}

fn check_ids(org: &str, call: &str, user: Option<&str>) -> Result<(), Refusal> {
    for (field, id) in [("orgId", Some(org)), ("callId", Some(call)), ("userId", user)] {
        match id {
            Some("") => return Err(bad(format!("{field} is empty"))),
            Some(id) if id.len() > ID_BYTES_MAX => {
                return Err(bad(format!("{field} is longer than {ID_BYTES_MAX} bytes")));
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn bad(detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalReason::BadField, detail)
}

/// What the rater would reject is refused for the same reason.
pub(super) fn refusal_of(rejection: &Rejection) -> Refusal {
    let reason = match rejection.reason {
        Reason::BadNumber => RefusalReason::BadNumber,
        Reason::ChargeTooLarge => RefusalReason::ChargeTooLarge,
        _ => RefusalReason::BadField,
    };
    Refusal::new(reason, rejection.detail.clone())
}
