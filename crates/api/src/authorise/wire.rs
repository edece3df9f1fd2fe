//! What a switch asks and what it is told: JSON, camelCase, money as decimal strings, times as RFC 3339.

use drawdown_wire::debit::Unrated;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// May this call go ahead, and for how long?
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorisationRequest {
    /// The organisation that would pay.
    pub org_id: String,
    /// The identity of the call: the `id` that its usage record will have.
    pub call_id: String,
    /// The user who calls; the organiser of a conference that dials out.
    pub user_id: Option<String>,
    /// The number called: E.164, or as dialled in the country of `usageCountryCode`.
    pub callee_number: String,
    /// The caller's number, E.164; only decks with origin prefixes look at it.
    pub caller_number: Option<String>,
    /// The call type as in usage records; `user_out` if not given.
    pub call_type: Option<String>,
    /// Where it is dialled; the account's country if not given.
    pub usage_country_code: Option<String>,
    /// `Domestic` or `International`, where the switch knows and the record will say so.
    pub destination_context: Option<String>,
    /// When the call started; now, if not given.
    pub start_date_time: Option<String>,
    /// For how long to grant it at first, in seconds.
    pub seconds: Option<u32>,
}

/// More time for a running call.
///
/// The fields of the call itself are needed only where its reservation was lost, and make it anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Extension {
    /// The organisation that pays.
    pub org_id: String,
    /// The identity of the call.
    pub call_id: String,
    /// How much longer than until now, in seconds.
    pub seconds: Option<u32>,
    /// As in the request.
    pub user_id: Option<String>,
    /// As in the request.
    pub callee_number: Option<String>,
    /// As in the request.
    pub caller_number: Option<String>,
    /// As in the request.
    pub call_type: Option<String>,
    /// As in the request.
    pub usage_country_code: Option<String>,
    /// As in the request.
    pub destination_context: Option<String>,
    /// When the call started.
    pub start_date_time: Option<String>,
}

/// A call ended, or never came to be: nothing is to be kept for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Release {
    /// The organisation.
    pub org_id: String,
    /// The identity of the call.
    pub call_id: String,
}

/// The answer: whether the call may go ahead, for how long, at what price and paid by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authorisation {
    /// The organisation.
    pub org_id: String,
    /// The identity of the call.
    pub call_id: String,
    /// Whether the call may go ahead. Of an extension: whether it got more time.
    pub allowed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The longest that the call could last in all, by what its organisation has now, in seconds; none where nothing
    /// limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_seconds: Option<u32>,
    /// How long the call may last in all before it needs more time, in seconds; none where nothing limits it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_seconds: Option<u32>,
    /// The end of that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_until: Option<String>,
    /// The price; none where nothing is charged for such a call, or nobody knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Who would pay for the time granted.
    pub funding: Vec<Funding>,
}

/// What a call costs that no minutes cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// ISO 4217 code.
    pub currency: String,
    /// Per minute, at the call's start.
    pub price_per_minute: String,
    /// Once a call.
    pub connection_fee: String,
    /// The first increment, in seconds.
    pub initial_seconds: u32,
    /// Every later increment, in seconds.
    pub increment_seconds: u32,
    /// What the deck calls the destination.
    pub destination: String,
    /// The digits that matched.
    pub prefix: String,
    /// The deck.
    pub deck: String,
    /// Its version.
    pub deck_version: u32,
}

/// A part of what would pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Funding {
    /// Included minutes.
    Pool {
        /// The pool's name.
        pool: String,
        /// How many.
        minutes: u32,
    },
    /// Prepaid money.
    Lots {
        /// How much.
        amount: String,
    },
    /// Money beyond the balance.
    Overdraft {
        /// How much.
        amount: String,
    },
    /// The statement at the month's end.
    PostUsage {
        /// How much.
        amount: String,
    },
}

/// Why a call may not go ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// For machines.
    pub reason: RefusalReason,
    /// For people.
    pub detail: String,
}

/// The kinds of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The organisation was never opened, or is not ours.
    UnknownOrg,
    /// The organisation was closed.
    OrgClosed,
    /// A field is missing or is not what it should be.
    BadField,
    /// The called number is no number.
    BadNumber,
    /// Not a call type we know.
    UnknownCallType,
    /// The deck blocks the destination.
    Blocked,
    /// The user may not draw credits, and no minutes are left for the call.
    Unlicensed,
    /// No minutes are left for the call, and too little money.
    InsufficientFunds,
    /// There would be enough, but it is promised to calls that are running.
    FundsPromised,
    /// The call has lasted as long as any may.
    MaximumDuration,
    /// A running call of that identity is another one.
    CallConflict,
    /// Nothing is kept for the call, and too little is said of it to begin anew.
    UnknownReservation,
    /// The organisation, or all of them, have as many calls running as are kept.
    TooManyCalls,
    /// No row of the deck is for this number.
    NoRow,
    /// No version of the deck that stands is in force when the call starts.
    NoDeck,
    /// The rate plan does not sell such calls.
    NotSold,
    /// Every digit is masked.
    NothingVisible,
    /// A short code that no deck prices.
    ShortCode,
    /// A charge beyond what an account can hold.
    ChargeTooLarge,
}

impl RefusalReason {
    /// Every one, in the order of their numbers.
    pub const ALL: [RefusalReason; 19] = [
        RefusalReason::UnknownOrg,
        RefusalReason::OrgClosed,
        RefusalReason::BadField,
        RefusalReason::BadNumber,
        RefusalReason::UnknownCallType,
        RefusalReason::Blocked,
        RefusalReason::Unlicensed,
        RefusalReason::InsufficientFunds,
        RefusalReason::FundsPromised,
        RefusalReason::MaximumDuration,
        RefusalReason::CallConflict,
        RefusalReason::UnknownReservation,
        RefusalReason::TooManyCalls,
        RefusalReason::NoRow,
        RefusalReason::NoDeck,
        RefusalReason::NotSold,
        RefusalReason::NothingVisible,
        RefusalReason::ShortCode,
        RefusalReason::ChargeTooLarge,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            RefusalReason::UnknownOrg => "unknown-org",
            RefusalReason::OrgClosed => "org-closed",
            RefusalReason::BadField => "bad-field",
            RefusalReason::BadNumber => "bad-number",
            RefusalReason::UnknownCallType => "unknown-call-type",
            RefusalReason::Blocked => "blocked",
            RefusalReason::Unlicensed => "unlicensed",
            RefusalReason::InsufficientFunds => "insufficient-funds",
            RefusalReason::FundsPromised => "funds-promised",
            RefusalReason::MaximumDuration => "maximum-duration",
            RefusalReason::CallConflict => "call-conflict",
            RefusalReason::UnknownReservation => "unknown-reservation",
            RefusalReason::TooManyCalls => "too-many-calls",
            RefusalReason::NoRow => "no-row",
            RefusalReason::NoDeck => "no-deck",
            RefusalReason::NotSold => "not-sold",
            RefusalReason::NothingVisible => "nothing-visible",
            RefusalReason::ShortCode => "short-code",
            RefusalReason::ChargeTooLarge => "charge-too-large",
        }
    }
}

impl From<Unrated> for RefusalReason {
    fn from(why: Unrated) -> Self {
        match why {
            Unrated::NoRow => RefusalReason::NoRow,
            Unrated::NoDeck => RefusalReason::NoDeck,
            Unrated::NotSold => RefusalReason::NotSold,
            Unrated::NothingVisible => RefusalReason::NothingVisible,
            Unrated::ShortCode => RefusalReason::ShortCode,
        }
    }
}

impl Refusal {
    /// A refusal in words.
    pub fn new(reason: RefusalReason, detail: impl Into<String>) -> Self {
        Refusal { reason, detail: detail.into() }
    }
}

impl Authorisation {
    /// A call that may not go ahead.
    pub fn refused(org: &str, call: &str, refusal: Refusal) -> Self {
        Authorisation { allowed: false, refusal: Some(refusal), ..Self::unlimited(org, call) }
    }

    /// A call that nothing limits and nobody pays.
    pub fn unlimited(org: &str, call: &str) -> Self {
        Authorisation {
            org_id: org.to_owned(),
            call_id: call.to_owned(),
            allowed: true,
            refusal: None,
            maximum_seconds: None,
            granted_seconds: None,
            granted_until: None,
            price: None,
            funding: Vec::new(),
        }
    }
}
