//! The words of the outputs: reasons and flags, each in one place so that a comparison can map them.

/// Reasons for not debiting a usage record, or for not applying a command.
pub mod reason {
    pub const MISSING_FIELD: &str = "missing-field";
    pub const BAD_FIELD: &str = "bad-field";
    pub const UNKNOWN_CALL_TYPE: &str = "unknown-call-type";
    pub const BAD_NUMBER: &str = "bad-number";
    pub const END_BEFORE_START: &str = "end-before-start";
    pub const NEGATIVE_DURATION: &str = "negative-duration";
    pub const UNKNOWN_ORG: &str = "unknown-org";
    pub const ORG_CLOSED: &str = "org-closed";
    pub const IN_THE_FUTURE: &str = "in-the-future";
    pub const TOO_LATE: &str = "too-late";
    pub const QUARANTINED: &str = "quarantined";
    /// A correction of another organisation's debit (D11).
    pub const ORG_MISMATCH: &str = "org-mismatch";
    pub const NOTHING_TO_VOID: &str = "nothing-to-void";
    /// The copy of an unrated debit: in the stream, not counted as rejected.
    pub const UNRATED: &str = "unrated";
    /// A command to open an account that cannot be: there is no account to number a refusal.
    pub const REFUSED: &str = "refused";
    /// A command that cannot be read.
    pub const UNDECODABLE: &str = "undecodable";
}

/// Flags of a debit.
pub mod flag {
    pub const MASKED: &str = "masked";
    pub const MASKED_UNCERTAIN: &str = "masked-uncertain";
    pub const UNRATED: &str = "unrated";
    pub const BLOCKED: &str = "blocked";
    pub const ZERO_SECONDS: &str = "zero-seconds";
    pub const LONG_CALL: &str = "long-call";
    pub const DURATION_MISMATCH: &str = "duration-mismatch";
    pub const USER_IN: &str = "user-in";
    pub const DIRECT_ROUTING: &str = "direct-routing";
    pub const EMERGENCY: &str = "emergency";
    pub const TOLL_NUMBER: &str = "toll-number";
    /// Takes back an earlier debit.
    pub const REVERSAL: &str = "reversal";
    /// Wholly covered by a pool.
    pub const INCLUDED: &str = "included";
    pub const DIAL_OUT_ADD_ON: &str = "dial-out-add-on";
}

/// Why a call found no price.
pub mod unrated {
    pub const NO_ROW: &str = "no-row";
    pub const NO_DECK: &str = "no-deck";
    pub const NOT_SOLD: &str = "not-sold";
    pub const NOTHING_VISIBLE: &str = "nothing-visible";
}

/// Reasons of `CommandRefused`.
pub mod refusal {
    pub const ACCOUNT_EXISTS: &str = "account-exists";
    pub const ACCOUNT_CLOSED: &str = "account-closed";
    pub const CURRENCY_MISMATCH: &str = "currency-mismatch";
    pub const UNKNOWN_RATE_PLAN: &str = "unknown-rate-plan";
    pub const LOT_EXISTS: &str = "lot-exists";
    pub const AMOUNT_NOT_POSITIVE: &str = "amount-not-positive";
    pub const LOT_IN_THE_FUTURE: &str = "lot-in-the-future";
    pub const LOT_ALREADY_EXPIRED: &str = "lot-already-expired";
    pub const INSUFFICIENT_BALANCE: &str = "insufficient-balance";
    pub const UNKNOWN_LOT: &str = "unknown-lot";
    pub const LOT_NOT_REFUNDABLE: &str = "lot-not-refundable";
    pub const RECHARGE_AMOUNT_TOO_SMALL: &str = "recharge-amount-too-small";
    pub const RECHARGE_AMOUNT_NOT_WHOLE: &str = "recharge-amount-not-whole";
    pub const TRIGGER_NOT_WHOLE: &str = "trigger-not-whole";
    pub const CAP_BELOW_AMOUNT: &str = "cap-below-amount";
    pub const UNKNOWN_RECHARGE: &str = "unknown-recharge";
    pub const ALREADY_SETTLED: &str = "already-settled";
    pub const NO_ATTEMPT_PENDING: &str = "no-attempt-pending";
    pub const RECHARGE_AMOUNT_MISMATCH: &str = "recharge-amount-mismatch";
    pub const LICENCE_NOT_HELD: &str = "licence-not-held";
}
