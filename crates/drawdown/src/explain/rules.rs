//! The rules by which funders are asked, each with a name that stays.

use drawdown_wire::debit::Funding;

/// A rule, by name and in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub name: &'static str,
    pub words: &'static str,
}

/// The rule by which the funder of a line was asked.
pub fn rule_of(line: &Funding<'_>) -> Rule {
    let (name, words) = match (&*line.kind, line.of.as_deref()) {
        ("pool", Some("dial-out")) => {
            ("conferencing-pool", "dial-out first uses the minutes of the organisation's conferencing licences")
        }
        ("pool", _) => {
            ("calling-plan-pool", "a user's call first uses the minutes of the first plan that has any of its kind")
        }
        ("lot", _) => ("lots-in-order", "money is spent first in first out, from lots valid when the call started"),
        ("overdraft", _) => ("overdraft", "what no lot covers of a finished call is owed until the next money"),
        ("postUsage", _) => ("post-usage", "in this mode what no lot covers accrues for the monthly invoice"),
        ("uncollected", _) => ("strict", "in a strict account what no lot covers is uncollected"),
        ("unlicensed", _) => {
            ("unlicensed", "money needs the credits licence and a calling plan or conferencing, as of the call's start")
        }
        _ => ("unknown", "a rule that this program does not know"),
    };
    Rule { name, words }
}
