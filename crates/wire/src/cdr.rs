//! A usage record after decoding: what every source is brought to before it is rated.
//!
//! Invariant: a `Cdr` that exists is complete. Its times are instants, its called number is classified, its duration is
//! whole seconds; whatever stood in the way of that was a [`Rejection`](crate::Rejection).

use std::borrow::Cow;
use std::fmt;

use drawdown_rating::{Number, Product};
use drawdown_units::Timestamp;

use crate::flags::Flags;
use crate::number::Redacted;

/// One finished call leg. Borrows from the bytes it was decoded from wherever nothing had to be unescaped.
#[derive(Debug, Clone)]
pub struct Cdr<'a> {
    /// First half of the identity (boundaries.md U1): `ce_source`, else the profile's name, else `native`.
    pub source: Cow<'a, str>,
    /// Second half of the identity, as the source wrote it.
    pub id: Cow<'a, str>,
    /// 0 where the source has none (boundaries.md D4).
    pub revision: u32,
    /// The record withdraws an earlier one.
    pub void: bool,
    /// The tenant that pays.
    pub org: Cow<'a, str>,
    /// `source`, `id` and `org`, where they are borrowed, need no escaping in JSON.
    pub has_plain_identity: bool,
    /// What kind of call.
    pub call_type: CallType,
    /// The number called, classified.
    pub callee: Callee,
    /// The caller's number where it is a clean one: only origin-based rows look at it.
    pub caller: Option<Number>,
    /// Answer time where the source has one, else the start (boundaries.md U5).
    pub start: Timestamp,
    /// End of the call, if given.
    pub end: Option<Timestamp>,
    /// Connected time in whole seconds, fractions rounded up (boundaries.md U3, U4).
    pub seconds: u32,
    /// Arrival as a native row claims it (boundaries.md T5).
    pub received: Option<Timestamp>,
    /// What decoding noticed.
    pub flags: Flags,
    /// Text carried through to the debit, unread by rating but for identity and attribution.
    pub text: Text<'a>,
}

/// The texts of a record that go through to the debit as they are.
#[derive(Clone, Default)]
pub struct Text<'a> {
    /// What is borrowed here was a JSON string without escapes: it can be written as one without being looked at. (The
    /// upstream's own figures are taken as they stand, and excepted.)
    pub is_plain: bool,
    /// The fields from `call_id` to `call_duration_source`, with start, end and duration as far as it says so, if the record
    /// has them as the debit will: they are copied from there.
    pub runs: Runs<'a>,
    /// `callId`: not unique, never an identity.
    pub call_id: Option<Cow<'a, str>>,
    /// `userId`; the organiser for `conf_out` (boundaries.md U17).
    pub user_id: Option<Cow<'a, str>>,
    /// `userPrincipalName`.
    pub user_principal_name: Option<Cow<'a, str>>,
    /// `userDisplayName`.
    pub user_display_name: Option<Cow<'a, str>>,
    /// `callType` as written.
    pub call_type: Cow<'a, str>,
    /// `callerNumber` as written.
    pub caller_number: Option<Cow<'a, str>>,
    /// `calleeNumber` as written.
    pub callee_number: Option<Cow<'a, str>>,
    /// `conferenceId`.
    pub conference_id: Option<Cow<'a, str>>,
    /// `inventoryType`: the number type.
    pub inventory_type: Option<Cow<'a, str>>,
    /// `usageCountryCode`.
    pub usage_country_code: Option<Cow<'a, str>>,
    /// `tenantCountryCode`.
    pub tenant_country_code: Option<Cow<'a, str>>,
    /// `destinationContext`: `Domestic`, `International` or none.
    pub destination_context: Option<Cow<'a, str>>,
    /// `destinationName`, the upstream's.
    pub destination_name: Option<Cow<'a, str>>,
    /// `licenseCapability`.
    pub license_capability: Option<Cow<'a, str>>,
    /// `operator`.
    pub operator: Option<Cow<'a, str>>,
    /// `callDurationSource`.
    pub call_duration_source: Option<Cow<'a, str>>,
    /// The upstream's own `charge`, as written: kept for reconciliation, never trusted.
    pub upstream_charge: Option<Cow<'a, str>>,
    /// The upstream's own `connectionCharge`, as written.
    pub upstream_connection_charge: Option<Cow<'a, str>>,
    /// The upstream's own `currency`.
    pub upstream_currency: Option<Cow<'a, str>>,
}

/// How many [`Runs`] there can be. A row in the order of Microsoft's reference has four or five.
pub(crate) const RUNS_MAX: usize = 6;

/// Which fields that are read, and written anew, stand in [`Runs`] just as they would be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// `startDateTime`.
    pub start_date_time: bool,
    /// `endDateTime`.
    pub end_date_time: bool,
    /// `duration`.
    pub duration: bool,
}

/// Neighbouring fields of a JSON record, `"name":"value","name":"value"`: each run is copied at once. None, where the
/// record has its fields in another order, with spaces, or in more pieces than these.
#[derive(Clone, Copy, Default)]
pub struct Runs<'a> {
    record: &'a str,
    /// Where each begins and ends.
    spans: [(u32, u32); RUNS_MAX],
    count: u8,
    held: Held,
}

impl<'a> Runs<'a> {
    /// The first `count` of `spans`, which are byte offsets into `record`.
    pub(crate) fn new(record: &'a str, spans: [(u32, u32); RUNS_MAX], count: usize, held: Held) -> Self {
        Runs { record, spans, count: count.min(RUNS_MAX) as u8, held }
    }

    /// What they hold besides texts that are carried through.
    pub fn held(&self) -> Held {
        self.held
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Each, without a comma before or after it.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        let spans = &self.spans[..usize::from(self.count)];
        spans.iter().map(|(start, end)| self.record.get(*start as usize..*end as usize).unwrap_or_default())
    }
}

impl fmt::Debug for Text<'_> {
    /// Redacted: whole numbers and people's names in a log are personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("call_type", &self.call_type)
            .field("caller_number", &Redacted(self.caller_number.as_deref()))
            .field("callee_number", &Redacted(self.callee_number.as_deref()))
            .field("usage_country_code", &self.usage_country_code)
            .finish_non_exhaustive()
    }
}

/// The call types of domain.md section 1, by what they mean for rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallType {
    /// `user_out`, `user_out_conf`, `user_out_transfer`, `user_out_forwarding`.
    UserOut,
    /// `conf_out`: dial-out of a conference, on its organiser.
    ConfOut,
    /// `ucap_out`: a resource account calls out.
    UcapOut,
    /// `conf_in`: dial-in to a conference.
    ConfIn,
    /// `ucap_in`: a call to a resource account.
    UcapIn,
    /// `unassigned_in`: a call to a service number without an owner.
    UnassignedIn,
    /// `user_in`: costs nothing.
    UserIn,
    /// `dr_*`: Direct Routing, costs nothing.
    DirectRouting,
}

impl CallType {
    /// Exact lower-case names; any name beginning `dr_` is Direct Routing (boundaries.md U12).
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "user_out" | "user_out_conf" | "user_out_transfer" | "user_out_forwarding" => Self::UserOut,
            "user_in" => Self::UserIn,
            "conf_out" => Self::ConfOut,
            "conf_in" => Self::ConfIn,
            "ucap_out" => Self::UcapOut,
            "ucap_in" => Self::UcapIn,
            "unassigned_in" => Self::UnassignedIn,
            _ if name.starts_with("dr_") => Self::DirectRouting,
            _ => return None,
        })
    }

    /// The product that prices it (boundaries.md U18); `None` for what never costs anything.
    pub fn product(self) -> Option<Product> {
        match self {
            Self::UserOut | Self::ConfOut | Self::UcapOut => Some(Product::Outbound),
            Self::ConfIn | Self::UcapIn | Self::UnassignedIn => Some(Product::TollFreeInbound),
            Self::UserIn | Self::DirectRouting => None,
        }
    }
}

/// The called number, as far as rating cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee {
    /// An E.164 number, or its visible beginning if `masked`.
    Number {
        /// The digits that are certain.
        number: Number,
        /// Some digits were hidden.
        masked: bool,
    },
    /// Masked with no digit visible: matches nothing (boundaries.md N2).
    NothingVisible,
    /// An emergency number of the region: free, never blocked.
    Emergency,
    /// Another short code of the region; `free` where the numbering plan calls it toll-free.
    ShortCode {
        /// The numbering plan says that the caller pays nothing.
        free: bool,
    },
    /// An extension or feature code declared by the profile's number plan (boundaries.md N4).
    Internal,
    /// Not looked at, since this call type costs nothing.
    NotRated,
}

impl Callee {
    /// Whether some or all digits of the called number were hidden (boundaries.md N1, N2).
    pub fn is_masked(&self) -> bool {
        matches!(self, Self::Number { masked: true, .. } | Self::NothingVisible)
    }
}
