//! Why a record was not debited: an outcome, not an error. Published whole with the record, and counted.

use std::fmt;

/// The kinds of rejection, as they are counted and named on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Not JSON, not CSV, truncated, or not UTF-8.
    Undecodable,
    /// Larger than a record may be.
    TooLarge,
    /// A line whose number of columns is not the header's (boundaries.md U8).
    ColumnCount,
    /// A field that rating needs is not there.
    MissingField,
    /// A field is there, but is not what it should be.
    BadField,
    /// The called number is no number (boundaries.md N3).
    BadNumber,
    /// Not a call type we know (boundaries.md U12).
    UnknownCallType,
    /// The end lies before the start (boundaries.md U2).
    EndBeforeStart,
    /// A duration below zero (boundaries.md U3).
    NegativeDuration,
    /// The organisation was never opened (boundaries.md U9).
    UnknownOrg,
    /// The organisation was closed (boundaries.md U9, L18).
    OrgClosed,
    /// `orgId` is not the key (boundaries.md U10).
    OrgMismatch,
    /// The call starts too far after it arrived (boundaries.md T9).
    InTheFuture,
    /// Older than the de-duplication window: cannot be proven new (domain.md section 9).
    TooLate,
    /// A known identity with other content and no higher revision (boundaries.md D4).
    Quarantined,
    /// A `void` of what was never debited (boundaries.md D5).
    NothingToVoid,
    /// A correction of a debit that cannot be read back.
    OriginalNotFound,
    /// The charge is beyond what an account can hold.
    ChargeTooLarge,
    /// A command that no account could answer, since none was opened.
    Refused,
    /// Debited without a price: the copy of such a record, which is not counted as rejected (boundaries.md U16).
    Unrated,
}

impl Reason {
    /// Every reason, in order: for counters with bounded labels.
    pub const ALL: [Reason; 20] = [
        Reason::Undecodable,
        Reason::TooLarge,
        Reason::ColumnCount,
        Reason::MissingField,
        Reason::BadField,
        Reason::BadNumber,
        Reason::UnknownCallType,
        Reason::EndBeforeStart,
        Reason::NegativeDuration,
        Reason::UnknownOrg,
        Reason::OrgClosed,
        Reason::OrgMismatch,
        Reason::InTheFuture,
        Reason::TooLate,
        Reason::Quarantined,
        Reason::NothingToVoid,
        Reason::OriginalNotFound,
        Reason::ChargeTooLarge,
        Reason::Refused,
        Reason::Unrated,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Undecodable => "undecodable",
            Reason::TooLarge => "too-large",
            Reason::ColumnCount => "column-count",
            Reason::MissingField => "missing-field",
            Reason::BadField => "bad-field",
            Reason::BadNumber => "bad-number",
            Reason::UnknownCallType => "unknown-call-type",
            Reason::EndBeforeStart => "end-before-start",
            Reason::NegativeDuration => "negative-duration",
            Reason::UnknownOrg => "unknown-org",
            Reason::OrgClosed => "org-closed",
            Reason::OrgMismatch => "org-mismatch",
            Reason::InTheFuture => "in-the-future",
            Reason::TooLate => "too-late",
            Reason::Quarantined => "quarantined",
            Reason::NothingToVoid => "nothing-to-void",
            Reason::OriginalNotFound => "original-not-found",
            Reason::ChargeTooLarge => "charge-too-large",
            Reason::Refused => "refused",
            Reason::Unrated => "unrated",
        }
    }
}

/// How many bytes a detail or the name of a field may have: what is quoted in it may be as long as a record.
const TEXT_BYTES_MAX: usize = 1024;

/// One rejection: the kind, the field it is about, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The kind.
    pub reason: Reason,
    /// The field at fault, by the source's own name, where there is one.
    pub field: Option<String>,
    /// What was found and what was expected. Never a whole telephone number.
    pub detail: String,
}

impl Rejection {
    /// A rejection that is about no single field.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Rejection { reason, field: None, detail: bounded(detail.into()) }
    }

    /// A rejection about `field`.
    pub fn of_field(reason: Reason, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Rejection { reason, field: Some(bounded(field.into())), detail: bounded(detail.into()) }
    }
}

fn bounded(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('…');
    }
    text
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.name())?;
        if let Some(field) = &self.field {
            write!(f, " ({field})")?;
        }
        write!(f, ": {}", self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_has_an_end() {
        let long = "€".repeat(100_000);
        let rejection = Rejection::of_field(Reason::BadField, &*long, &*long);
        assert!(rejection.detail.len() <= TEXT_BYTES_MAX + '…'.len_utf8(), "{rejection}");
        assert_eq!(rejection.field.as_ref(), Some(&rejection.detail));
        assert_eq!(rejection.detail.trim_start_matches('€'), "…");
    }
}
