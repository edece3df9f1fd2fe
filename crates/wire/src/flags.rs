//! What a debit is flagged with: a small set of names, kept as bits.

/// A set of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[doc = $doc:literal])+ $constant:ident = $bit:literal, $name:literal;)+) => {
        impl Flags {
            $($(#[doc = $doc])+ pub const $constant: Flags = Flags(1 << $bit);)+

            /// Every flag with its name on the wire, in the order in which they are written.
            pub const NAMES: &'static [(Flags, &'static str)] = &[$((Flags::$constant, $name)),+];
        }
    };
}

flags! {
    /// The called number was masked (boundaries.md N1).
    MASKED = 0, "masked";
    /// A longer row could match under the mask (boundaries.md N1).
    MASKED_UNCERTAIN = 1, "masked-uncertain";
    /// No price was found: the charge is 0 and the call can be re-rated (boundaries.md U16).
    UNRATED = 2, "unrated";
    /// The row is a blocked one: charged by its price (domain.md section 3).
    BLOCKED = 3, "blocked";
    /// `duration` and the two times differ by more than a second (boundaries.md U2).
    DURATION_MISMATCH = 4, "duration-mismatch";
    /// Above 24 hours (boundaries.md U3).
    LONG_CALL = 5, "long-call";
    /// Not answered, yet with billed seconds (boundaries.md U6).
    UNANSWERED_WITH_BILLSEC = 6, "unanswered-with-billsec";
    /// A local time in the repeated hour of a clock change: the earlier instant was taken, for an end before the start the
    /// later.
    AMBIGUOUS_TIME = 7, "ambiguous-time";
    /// A local time that a clock change skipped: read with the offset before it (boundaries.md U7).
    NONEXISTENT_TIME = 8, "nonexistent-time";
    /// Broken CSV quoting, read as data (boundaries.md U8).
    QUOTING = 9, "quoting";
    /// An extension or feature code (boundaries.md N4).
    INTERNAL = 10, "internal";
    /// An emergency number: free.
    EMERGENCY = 11, "emergency";
    /// Direct Routing: free.
    DIRECT_ROUTING = 12, "direct-routing";
    /// `user_in`: free.
    INBOUND = 13, "user-in";
    /// Inbound on a toll number: free.
    TOLL_NUMBER = 14, "toll-number";
    /// A short code.
    SHORT_CODE = 15, "short-code";
    /// The call was not answered or had no connected time: free.
    ZERO_SECONDS = 16, "zero-seconds";
    /// Wholly paid by included minutes.
    INCLUDED = 17, "included";
    /// Unlimited dial-out of the organiser: free (boundaries.md U19).
    DIAL_OUT_ADD_ON = 18, "dial-out-add-on";
    /// Takes an earlier debit back (boundaries.md D13).
    REVERSAL = 19, "reversal";
}

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// `other` too, if `condition`.
    #[must_use]
    pub const fn with_if(self, condition: bool, other: Flags) -> Flags {
        if condition { self.with(other) } else { self }
    }

    /// Whether all of `other` is set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names that are set, in order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}
