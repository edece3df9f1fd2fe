//! What an input did to an account: the answer of `Account::apply`.

use std::sync::Arc;

use compact_str::CompactString;
use drawdown_units::{Currency, Money, Timestamp};

use crate::command::{Licensing, Mode, Outcome, Settings};
use crate::entitlements::Undo;
use crate::lots::LotId;
use crate::plans::{Country, LicenceName, Use};
use crate::recharge::Recharge;
use crate::reversal::Reversed;

/// Everything one input caused, in order. Buffers are reused: a caller clears it between inputs.
#[derive(Debug, Default)]
pub struct Effects {
    /// Account events, in the order of their `seq`.
    pub occurrences: Vec<Occurrence>,
    /// The debit of a call, if the input was one.
    pub debit: Option<Debited>,
    /// The minutes it drew from a pool.
    pub pool: Option<PoolLine>,
    /// Who paid the debit.
    pub funding: Vec<FundingLine>,
    /// The debit that reversed an earlier one, if the input was a correction.
    pub reversed: Option<Reversed>,
    /// The recharge state as it was before a call changed it: what undoing the call needs beyond [`crate::account::Head`].
    pub recharge_before: Option<Recharge>,
    /// What undoes the changes of licences and pools, oldest first: nothing else keeps what they were.
    pub undo: Vec<Undo>,
}

impl Effects {
    /// Forgets everything, keeping the buffers.
    pub fn clear(&mut self) {
        self.occurrences.clear();
        self.debit = None;
        self.pool = None;
        self.funding.clear();
        self.reversed = None;
        self.recharge_before = None;
        self.undo.clear();
    }
}

/// The ledger's side of a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debited {
    /// Its place among the debits and events of the account.
    pub seq: u64,
    /// The account's clock when it was booked.
    pub at: Timestamp,
    /// The balance afterwards.
    pub balance_after: Money,
}

/// The line of a pool in a debit's funding: minutes, and no amount (boundaries.md P18).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLine {
    /// The pool's name.
    pub pool: CompactString,
    /// Which of its minutes.
    pub of: Use,
    /// The month's first instant.
    pub month: Timestamp,
    /// How many were drawn; negative where they were given back.
    pub minutes: i64,
    /// Minutes used before.
    pub before: u64,
    /// Minutes used afterwards.
    pub after: u64,
    /// Minutes that the pool held.
    pub size: u64,
}

/// One line of a debit's funding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingLine {
    /// Who paid.
    pub source: FundingSource,
    /// How much.
    pub amount: Money,
    /// The source's figure before: what a lot held, or what had accrued.
    pub before: Money,
    /// The same figure afterwards.
    pub after: Money,
}

/// Who pays in money. (Pools of included minutes come before: [`PoolLine`].)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FundingSource {
    /// The lot at this place in `Account::lots`, valid until the account's next input.
    Lot(u32),
    /// Nobody yet: the next money settles it.
    Overdraft,
    /// The post-usage invoice.
    PostUsage,
    /// Nobody, in a strict account.
    Uncollected,
    /// Nobody: the user may not draw credits.
    Unlicensed,
}

impl FundingSource {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            FundingSource::Lot(_) => "lot",
            FundingSource::Overdraft => "overdraft",
            FundingSource::PostUsage => "postUsage",
            FundingSource::Uncollected => "uncollected",
            FundingSource::Unlicensed => "unlicensed",
        }
    }
}

/// One account event with its place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Its place among the debits and events of the account.
    pub seq: u64,
    /// The account's clock, or the instant it was due if time alone caused it (boundaries.md T3).
    pub at: Timestamp,
    /// The balance right after it.
    pub balance_after: Money,
    /// Time alone caused it, not the input that discovered it.
    pub due: bool,
    /// What happened.
    pub event: Event,
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was opened.
    AccountOpened {
        /// Its currency.
        currency: Currency,
        /// What it is sold.
        rate_plan: Arc<str>,
        /// Prepaid or post-usage.
        mode: Mode,
        /// The tenant's country.
        country: [u8; 2],
        /// What lots do not cover is uncollected.
        strict: bool,
        /// Whether users need licences to draw credits.
        licensing: Licensing,
    },
    /// A lot was bought.
    FundsAdded {
        /// The lot.
        lot: LotId,
        /// What it holds.
        amount: Money,
        /// Its date.
        purchased: Timestamp,
        /// Its end.
        expires: Timestamp,
        /// The buyer's reference.
        reference: Option<Box<str>>,
    },
    /// New money paid for old calls.
    OverdraftSettled {
        /// The lot that paid.
        lot: LotId,
        /// How much.
        amount: Money,
        /// What is still outstanding.
        overdraft: Money,
    },
    /// A positive adjustment made a lot.
    AdjustedUp {
        /// The lot.
        lot: LotId,
        /// What it holds.
        amount: Money,
        /// Its date.
        purchased: Timestamp,
        /// Its end.
        expires: Timestamp,
        /// Why.
        reason: Box<str>,
    },
    /// A negative adjustment took from lots.
    AdjustedDown {
        /// The amount, below zero.
        amount: Money,
        /// From which lots: lot, amount, before, after.
        lots: Vec<(LotId, Money, Money, Money)>,
        /// Why.
        reason: Box<str>,
    },
    /// A lot's time will soon be over.
    LotExpiring {
        /// The lot.
        lot: LotId,
        /// What it still holds.
        amount: Money,
        /// Its end.
        expires: Timestamp,
    },
    /// A lot's time was over: it left the balance.
    LotExpired {
        /// The lot.
        lot: LotId,
        /// What it still held.
        amount: Money,
    },
    /// The grace after expiry was over: the rest went to breakage.
    LotForfeited {
        /// The lot.
        lot: LotId,
        /// What it still held.
        amount: Money,
    },
    /// The rest of a lot was paid back.
    LotRefunded {
        /// The lot.
        lot: LotId,
        /// What it still held.
        amount: Money,
        /// Why.
        reason: Box<str>,
    },
    /// The balance fell from above zero to zero or below.
    BalanceExhausted,
    /// Automatic recharging was set.
    AutoRechargeConfigured {
        /// How.
        settings: Arc<Settings>,
    },
    /// A purchase was asked for, or asked for again under the same id.
    RechargeRequested {
        /// The counter in its id.
        number: u64,
        /// How much.
        amount: Money,
        /// The account's currency.
        currency: Currency,
        /// 1 for the first time this id is sent, then 2, 3, …
        sending: u32,
        /// Which attempt at paying it is, from 1.
        attempt: u32,
        /// How to pay.
        settings: Arc<Settings>,
    },
    /// It was paid: there is a lot.
    RechargeSucceeded {
        /// The counter in its id.
        number: u64,
        /// The lot, named as the recharge.
        lot: LotId,
        /// How much.
        amount: Money,
        /// When it was paid, as the payment side says.
        processed: Timestamp,
        /// The lot's date: the same, unless that cannot be.
        purchased: Timestamp,
        /// The lot's end.
        expires: Timestamp,
    },
    /// The invoice of a paid recharge.
    InvoiceIssued {
        /// Gapless per account, from 1.
        invoice: u64,
        /// The counter in the recharge's id.
        number: u64,
        /// How much.
        amount: Money,
        /// The lot that was bought.
        lot: LotId,
        /// How it was paid.
        settings: Arc<Settings>,
    },
    /// An attempt failed and will be made again.
    RechargeAttemptFailed {
        /// The counter in its id.
        number: u64,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// The payment side's words.
        reason: Option<Box<str>>,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// It failed for good: recharging is disarmed.
    RechargeFailed {
        /// The counter in its id.
        number: u64,
        /// Declined, or the last attempt failed.
        outcome: Outcome,
        /// The payment side's words.
        reason: Option<Box<str>>,
        /// When the cool-down ends.
        rearm_at: Timestamp,
    },
    /// The monthly cap refused a recharge.
    RechargeCapReached {
        /// The cap.
        cap: Money,
        /// The first instant of the month.
        month: Timestamp,
        /// What succeeded or is outstanding in that month.
        counted: Money,
        /// The recharge that did not fit.
        amount: Money,
    },
    /// A user has a licence.
    LicenceAssigned {
        /// Whose.
        user: Box<str>,
        /// Which.
        licence: LicenceName,
        /// Country of use.
        country: Country,
        /// Since when: earlier than now where it was held already.
        since: Timestamp,
    },
    /// A user has a licence no more.
    LicenceRemoved {
        /// Whose.
        user: Box<str>,
        /// Which.
        licence: LicenceName,
        /// Country of use.
        country: Country,
    },
    /// A pool of minutes is used to a part that someone should know of (boundaries.md P9).
    PoolThresholdReached {
        /// The pool's name.
        pool: CompactString,
        /// Which of its minutes.
        of: Use,
        /// The month's first instant.
        month: Timestamp,
        /// Which part.
        percent: u64,
        /// Minutes used.
        used: u64,
        /// Minutes that it holds.
        size: u64,
    },
    /// A correction gave money back to lots that are gone: there is a new lot of it (boundaries.md D6, D7, L7).
    FundsReturned {
        /// The lot.
        lot: LotId,
        /// What it holds.
        amount: Money,
        /// Its date.
        purchased: Timestamp,
        /// Its end.
        expires: Timestamp,
    },
    /// A month of post-usage charges is over (domain.md section 8).
    PostUsageStatement {
        /// The month's first instant.
        month: Timestamp,
        /// What accrued since the last statement; below zero where corrections took back more.
        amount: Money,
        /// What accrued in all.
        post_usage: Money,
    },
    /// Another rate plan from now on.
    RatePlanSet {
        /// Its name.
        rate_plan: Arc<str>,
    },
    /// Another mode from now on.
    ModeSet {
        /// Which.
        mode: Mode,
    },
    /// Closed: what is still owed stays payable.
    AccountClosed {
        /// Outstanding overdraft.
        overdraft: Money,
        /// Accrued post-usage charges.
        post_usage: Money,
    },
    /// A command was refused (boundaries.md X7).
    CommandRefused {
        /// Which command.
        command: &'static str,
        /// Why.
        refusal: Refusal,
    },
}

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $detail:literal;)+) => {
        /// Why a command was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal { $($(#[doc = $doc])+ $variant,)+ }

        impl Refusal {
            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Refusal::$variant => $name,)+ }
            }

            /// A sentence for a person.
            pub fn detail(self) -> &'static str {
                match self { $(Refusal::$variant => $detail,)+ }
            }
        }
    };
}

refusals! {
    /// The account is there already.
    AccountExists = "account-exists", "an account of this organisation was opened before";
    /// The account was closed.
    AccountClosed = "account-closed", "the account is closed";
    /// Not the account's currency.
    CurrencyMismatch = "currency-mismatch", "an account has one currency, and there is no conversion";
    /// No such rate plan is configured.
    UnknownRatePlan = "unknown-rate-plan", "no rate plan of this name is configured";
    /// The lot id is taken (boundaries.md L12).
    LotExists = "lot-exists", "a lot of this id was added before, by another command";
    /// Zero or less.
    AmountNotPositive = "amount-not-positive", "the amount must be above 0";
    /// Dated more than the tolerance ahead (boundaries.md L2).
    LotInTheFuture = "lot-in-the-future", "purchasedAt lies more than 5 minutes ahead of the command's arrival";
    /// Its time is over already (boundaries.md L2).
    LotAlreadyExpired = "lot-already-expired", "the lot would have expired before it arrived";
    /// A negative adjustment above the balance (boundaries.md L9).
    InsufficientBalance = "insufficient-balance", "a negative adjustment may not exceed the balance";
    /// No such lot.
    UnknownLot = "unknown-lot", "the account has no lot of this id";
    /// Expired, forfeited or refunded (boundaries.md L11).
    LotNotRefundable = "lot-not-refundable", "the lot is expired, forfeited or refunded already";
    /// Below the minimum (boundaries.md R17).
    RechargeTooSmall = "recharge-amount-too-small", "rechargeAmount is below the minimum";
    /// Not whole units (boundaries.md R17).
    RechargeNotWhole = "recharge-amount-not-whole", "rechargeAmount must be whole currency units";
    /// Not whole units, or negative (boundaries.md R17).
    TriggerNotWhole = "trigger-not-whole", "triggerAmount must be a whole number of currency units, 0 or above";
    /// A cap that no recharge fits under (boundaries.md R17).
    CapBelowAmount = "cap-below-amount", "monthlyCap is below rechargeAmount";
    /// No such recharge: money may have moved (boundaries.md R18).
    UnknownRecharge = "unknown-recharge", "no recharge of this id was requested: money may have moved, look into it";
    /// It has its answer.
    AlreadySettled = "already-settled", "this recharge was settled before";
    /// The retry is not due yet (boundaries.md R13).
    NoAttemptPending = "no-attempt-pending", "no attempt of this recharge is waiting for an answer";
    /// Beyond what an account can hold.
    AmountTooLarge = "amount-too-large", "the amount is beyond what an account can hold";
    /// Another amount than was asked for.
    RechargeAmountMismatch = "recharge-amount-mismatch", "the payment side settled another amount than was requested: look into it, then settle it right or add the funds by hand";
    /// The user has no such licence.
    LicenceNotHeld = "licence-not-held", "the user does not hold this licence";
}
