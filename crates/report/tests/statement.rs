//! Statements from the hand-made log: every one adds up, and none is made of a log that does not.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{DEBITS, EVENTS, debits, events, lines};
use drawdown_report::Fault;
use drawdown_report::statement::{Month, Statement};

fn statement(org: &str, month: &str) -> Statement {
    Statement::of(org, Month::parse(month).unwrap(), debits(), debits(), events()).unwrap()
}

fn fault_of(debits: &str, events: &str) -> Fault {
    let month = Month::parse("2026-03").unwrap();
    Statement::of("contoso", month, lines("d", debits), lines("d", debits), lines("e", events)).unwrap_err()
}

#[test]
fn a_month_with_everything() {
    insta::assert_snapshot!("contoso_march", format!("{:#}", statement("contoso", "2026-03").json()));
}

#[test]
fn strict_and_post_usage_accounts() {
    insta::assert_snapshot!("adatum_march", format!("{:#}", statement("adatum", "2026-03").json()));
    insta::assert_snapshot!("tailspin_april", format!("{:#}", statement("tailspin", "2026-04").json()));
}

/// What one month leaves is what the next one finds.
#[test]
fn months_follow_from_each_other() {
    for org in ["contoso", "adatum", "tailspin"] {
        let months =
            if org == "contoso" { ["2026-02", "2026-03", "2026-04"] } else { ["2026-03", "2026-04", "2026-05"] };
        let statements = months.map(|month| statement(org, month));
        for pair in statements.windows(2) {
            assert_eq!(pair[0].closing, pair[1].opening, "{org}, {:?}", pair[1].month);
        }
        let calls: u64 = statements.iter().map(|it| it.flows.calls).sum();
        let debits = DEBITS.lines().filter(|line| line.contains(&format!("\"orgId\":\"{org}\"")));
        assert_eq!(calls, debits.filter(|line| !line.contains("reverses")).count() as u64);
    }
}

#[test]
fn an_organisation_that_is_not_there() {
    let fault = Statement::of("nobody", Month::parse("2026-03").unwrap(), debits(), debits(), events()).unwrap_err();
    assert!(matches!(&fault, Fault::UnknownOrg { org, .. } if org == "nobody"), "{fault}");
    let fault = Statement::of("adatum", Month::parse("2026-02").unwrap(), debits(), debits(), events()).unwrap_err();
    assert_eq!(fault.to_string(), "organisation adatum was opened on 2026-03-01T00:00:00Z, after 2026-02");
}

/// Each line that is changed or missing is a fault that names its `seq`.
#[test]
fn no_statement_is_made_of_a_log_that_does_not_add_up() {
    for (id, seq, from, to) in [
        ("split-1", None, "\"amount\":\"0.30\",\"before\"", "\"amount\":\"0.31\",\"before\""),
        ("split-1", None, "\"amount\":\"0.30\",\"currency\"", "\"amount\":\"0.29\",\"currency\""),
        ("split-1", None, "\"balanceAfter\":\"", "\"balanceAfter\":\"1"),
        ("split-1", None, "USD", "EUR"),
        ("big-2", None, "\"type\":\"overdraft\"", "\"type\":\"postUsage\""),
        ("unl-1", None, "\"after\":\"0.425\"", "\"after\":\"0.42\""),
        ("FundsReturned", None, "\"amount\":\"2.505\"", "\"amount\":\"2.50\""),
        ("FundsReturned", None, "\"debitSeq\":", "\"debitSeq\":9"),
        ("OverdraftSettled", None, "\"overdraft\":\"0.00\"", "\"overdraft\":\"0.01\""),
        ("LotForfeited", None, "PO-1", "PO-9"),
        ("LotForfeited", None, "\"amount\":\"", "\"amount\":\"1"),
        ("adj-2", None, "\"amount\":\"-0.40\"", "\"amount\":\"-0.41\""),
        ("PO-3", None, "FundsAdded", "FundsSubtracted"),
        ("late-grace", Some(1), "\"seq\":", "\"seq\":9"),
    ] {
        let change = |text: &str| {
            let changed = |line: &str| {
                let is_it =
                    line.contains("contoso") && line.contains(id) && line.contains(from) && !line.contains("reverses");
                if is_it { line.replacen(from, to, 1) } else { line.to_owned() }
            };
            text.lines().map(changed).collect::<Vec<_>>().join("\n")
        };
        let (debits, events) = (change(DEBITS), change(EVENTS));
        assert!(debits != DEBITS.trim_end() || events != EVENTS.trim_end(), "{id}: {from}");
        let line = DEBITS
            .lines()
            .chain(EVENTS.lines())
            .find(|line| {
                line.contains("contoso") && line.contains(id) && line.contains(from) && !line.contains("reverses")
            })
            .unwrap();
        let own: u64 = line.split("\"seq\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        match fault_of(&debits, &events) {
            Fault::Inconsistent { org, seq: found, problem } => {
                assert_eq!((&*org, found), ("contoso", own), "{id}: {problem}");
                assert!(seq.is_none() || problem.contains("missing"), "{problem}");
            }
            other => panic!("{id}: {other}"),
        }
    }
}

#[test]
fn a_line_that_is_missing_is_named() {
    for dropped in ["pool-1", "LicenceAssigned", "FundsReturned"] {
        let keep = |text: &str| {
            let mut was_dropped = false;
            let kept = text.lines().filter(|line| {
                was_dropped || !line.contains(dropped) || {
                    was_dropped = true;
                    false
                }
            });
            kept.collect::<Vec<_>>().join("\n")
        };
        let fault = fault_of(&keep(DEBITS), &keep(EVENTS));
        assert!(matches!(&fault, Fault::Inconsistent { problem, .. } if problem.contains("missing")), "{fault}");
    }
}
