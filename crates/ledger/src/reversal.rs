//! What a correction takes back: exactly the amounts of the debit that it corrects (boundaries.md D8).

use compact_str::CompactString;
use drawdown_units::{Money, Timestamp};

use crate::effects::{Debited, PoolLine};
use crate::entitlements::Returned;
use crate::lots::LotId;
use crate::plans::Use;

/// The lines of a debit, to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// What was charged.
    pub charge: Money,
    /// The minutes it drew from a pool.
    pub pool: Option<PoolBack>,
    /// Who paid how much, in the order of the debit.
    pub lines: Vec<(Funder, Money)>,
    /// The name of the lot that is made of what cannot go back where it came from (boundaries.md D7).
    pub lot: LotId,
}

/// Minutes that were drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolBack {
    /// The pool's name.
    pub pool: CompactString,
    /// Which of its minutes.
    pub of: Use,
    /// The month's first instant.
    pub month: Timestamp,
    /// How many.
    pub minutes: u32,
    /// What the pool held then, for the record.
    pub size: u64,
}

impl PoolBack {
    /// What it means to the pool.
    pub fn returned(&self) -> Returned<'_> {
        Returned { pool: &self.pool, of: self.of, month: self.month, minutes: self.minutes }
    }
}

/// Who paid a debit, by name: lots may have come and gone since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Funder {
    /// This lot.
    Lot(LotId),
    /// Nobody at the time.
    Overdraft,
    /// The post-usage invoice.
    PostUsage,
    /// Nobody, in a strict account.
    Uncollected,
    /// Nobody: the user might not draw credits.
    Unlicensed,
}

impl Funder {
    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Funder::Lot(_) => "lot",
            Funder::Overdraft => "overdraft",
            Funder::PostUsage => "postUsage",
            Funder::Uncollected => "uncollected",
            Funder::Unlicensed => "unlicensed",
        }
    }
}

/// The ledger's side of a reversing debit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// Place, time and balance: right after its lines, before a lot is made of what they could not give back.
    pub debited: Debited,
    /// The charge, below zero.
    pub charge: Money,
    /// Minutes given back.
    pub pool: Option<PoolLine>,
    /// Money given back.
    pub lines: Vec<ReversedLine>,
}

/// One line of a reversing debit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversedLine {
    /// Who had paid.
    pub funder: Funder,
    /// The amount, below zero.
    pub amount: Money,
    /// What the lot held, or what had accrued.
    pub before: Money,
    /// The same figure afterwards.
    pub after: Money,
    /// Some of it, or all, went to the lot of this name instead.
    pub returned_to: Option<LotId>,
}
