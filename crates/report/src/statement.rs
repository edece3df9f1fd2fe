//! The statement of a month: what was there, what came, what went, what is left; and that it adds up to the last decimal.
//!
//! A month is that of the booking (`at`), in the order of `seq`: a late record of February that was booked in March is on
//! the statement of March, so that a statement, once made, stays true. Debits and events since the account was opened are
//! read, merged by `seq`, and every one is checked on the way; see [`Statement::proofs`] for what is proven at the end.
//! Memory grows with lots, destinations, users, pools, and what happened in the month that was no call.

mod items;
mod json;
mod merge;
mod proof;
mod spend;

use drawdown_units::{Currency, Money, Sum, Timestamp};

use crate::account::{Account, Body, Entry};
use crate::fault::Fault;
use crate::lines::Lines;
use crate::lot::Lot;
use merge::Merge;

pub use crate::account::Flows;
pub use items::{Invoice, Item, Items, PostUsage};
pub use proof::Proof;
pub use spend::{Pool, Spend, Spending, User};

/// A calendar month in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant that is no more of it.
    pub end: Timestamp,
}

/// What is there at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Lots that hold something, in the order in which they are drawn; expired ones too.
    pub lots: Vec<Lot>,
    /// What they hold.
    pub remaining: Sum,
    /// What is spendable, less the overdraft.
    pub balance: Money,
    /// Not settled yet.
    pub overdraft: Money,
    /// Accrued since the account was opened.
    pub post_usage: Money,
    /// Since the account was opened.
    pub uncollected: Money,
    /// Since the account was opened.
    pub unlicensed: Money,
}

/// A statement that adds up.
#[derive(Debug)]
pub struct Statement {
    /// Whose.
    pub org: String,
    /// When.
    pub month: Month,
    /// The account's.
    pub currency: Currency,
    /// The last entry that is in it, or before it: `seq` and `at`.
    pub through: (u64, Timestamp),
    /// Whether something was booked after the month, so that nothing can be missing of it.
    pub is_over: bool,
    /// Before the month.
    pub opening: Position,
    /// In the month.
    pub flows: Flows,
    /// After it.
    pub closing: Position,
    /// Calls by destination, user and pool.
    pub spending: Spending,
    /// What was no call.
    pub items: Items,
}

impl Month {
    /// Reads `2026-03`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let is_plain = year.len() == 4 && month.len() == 2 && text.bytes().all(|byte| byte != b'+');
        let start = Timestamp::from_civil(year.parse().ok()?, month.parse().ok()?, 1, 0, 0, 0, 0)?;
        is_plain.then(|| Month { start, end: start.plus_months(1) })
    }

    /// `2026-03`.
    pub fn text(self) -> String {
        let (year, month, _) = self.start.date();
        format!("{year:04}-{month:02}")
    }
}

impl Position {
    fn of(account: &Account) -> Self {
        Position {
            lots: account.lots(),
            remaining: account.remaining(),
            balance: account.balance,
            overdraft: account.overdraft,
            post_usage: account.post_usage,
            uncollected: account.uncollected,
            unlicensed: account.unlicensed,
        }
    }
}

impl Statement {
    /// Makes the statement of `org` for `month`. The debits come twice, from their beginning: first only to learn which
    /// were taken back, since a reversal does not say again which destination it was.
    ///
    /// # Errors
    /// What reading meets, an organisation of which nothing is there, and the first thing that does not fit, by its `seq`.
    pub fn of(
        org: &str,
        month: Month,
        mut debits_before: impl Lines,
        mut debits: impl Lines,
        mut events: impl Lines,
    ) -> Result<Self, Fault> {
        let reversed = spend::reversed(org, &mut debits_before)?;
        drop(debits_before);
        let mut account = Account::new(org);
        let (mut spending, mut items) = (Spending::remembering(reversed), Items::default());
        let (mut opening, mut is_over) = (None, false);
        let name = events.name().to_owned();
        let mut merge = Merge::new(org, &mut debits, &mut events);
        while merge.advance()? {
            let entry = merge.entry()?;
            if entry.at >= month.end && account.seq == 0 {
                return Err(Fault::NotYet { org: org.to_owned(), month: month.text(), opened: entry.at });
            }
            if entry.at >= month.end {
                is_over = true;
                break;
            }
            if entry.at >= month.start && opening.is_none() {
                opening = Some(begin(&mut account));
            }
            account.book(&entry)?;
            note(&entry, opening.is_some(), &mut spending, &mut items)?;
        }
        let opening = opening.unwrap_or_else(|| begin(&mut account));
        let Some(currency) = account.currency else {
            return Err(Fault::UnknownOrg { name, org: org.to_owned() });
        };
        let statement = Statement {
            org: org.to_owned(),
            month,
            currency,
            through: (account.seq, account.at),
            is_over,
            opening,
            flows: account.flows,
            closing: Position::of(&account),
            spending: spending.sorted(),
            items,
        };
        statement.prove()?;
        Ok(statement)
    }
}

/// The month begins: from now on flows are its own.
fn begin(account: &mut Account) -> Position {
    account.flows = Flows::default();
    Position::of(account)
}

fn note(entry: &Entry<'_>, is_in_month: bool, spending: &mut Spending, items: &mut Items) -> Result<(), Fault> {
    match &entry.body {
        Body::Debit(debit) => spending.note(debit, is_in_month, entry.place),
        Body::Event(event) if is_in_month => items.note(event, entry),
        Body::Event(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_four_digits_and_two() {
        let march = Month::parse("2026-03").expect("a month");
        assert_eq!(
            (march.start.to_string(), march.end.to_string()),
            ("2026-03-01T00:00:00Z".into(), "2026-04-01T00:00:00Z".into())
        );
        assert_eq!(march.text(), "2026-03");
        for wrong in ["2026", "2026-3", "2026-13", "2026-00", "+026-03", "2026-+3", "26-03", "2026-03-01", ""] {
            assert_eq!(Month::parse(wrong), None, "{wrong:?}");
        }
    }
}
