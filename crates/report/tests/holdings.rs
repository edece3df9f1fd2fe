//! What to buy, and what is about to be lost, from the hand-made log.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod common;

use common::{DEBITS, EVENTS, at, debits, events, lines};
use drawdown_report::Fault;
use drawdown_report::breakage::Breakage;
use drawdown_report::funding::{Funding, Wishes};
use drawdown_report::statement::{Month, Statement};

const WISHES: Wishes = Wishes { lead_time_hours: 24, risk_ppm: 10_000 };

#[test]
fn what_to_buy() {
    let funding = |org, at| Funding::of(org, at, WISHES, events(), debits()).unwrap();
    insta::assert_snapshot!("funding", format!("{:#}", funding("contoso", None).json()));
    let early = Wishes { lead_time_hours: 24 * 365, ..WISHES };
    let early = Funding::of("adatum", Some(at("2026-03-02T12:00:00Z")), early, events(), debits()).unwrap();
    assert_eq!((early.recommendation, early.current), (None, None), "the past is shorter than a window");
    assert_eq!(early.usage.to_string(), "1.95");
}

/// The balance and lots are those that a statement, made another way, ends with.
#[test]
fn holdings_are_those_of_the_statement() {
    for (org, month) in [("contoso", "2026-02"), ("contoso", "2026-03"), ("contoso", "2026-04"), ("adatum", "2026-03")]
    {
        let month = Month::parse(month).unwrap();
        let closing = Statement::of(org, month, debits(), debits(), events()).unwrap().closing;
        let last = month.end.plus_seconds(-1);
        let funding = Funding::of(org, Some(last), WISHES, events(), debits()).unwrap();
        assert_eq!(funding.balance, closing.balance.into(), "{org} {month:?}");
        let breakage = Breakage::of(Some(org), Some(last), events(), debits()).unwrap();
        let held = breakage.organisations.first().map(|it| it.figures.active.plus(it.figures.expired));
        assert_eq!(held.unwrap_or_default(), closing.remaining, "{org} {month:?}");
    }
}

#[test]
fn what_is_about_to_be_lost() {
    for (name, time) in [("breakage_february", "2026-02-28T00:00:00Z"), ("breakage_grace", "2026-03-11T00:00:00Z")] {
        let breakage = Breakage::of(None, Some(at(time)), events(), debits()).unwrap();
        insta::assert_snapshot!(name, format!("{:#}", breakage.json()));
    }
    let breakage = Breakage::of(None, None, events(), debits()).unwrap();
    assert_eq!(breakage.at, at("2026-05-01T00:00:00Z"), "the last of all bookings");
    assert_eq!(breakage.totals["USD"].forfeited.to_string(), "4.09");
}

#[test]
fn an_organisation_that_is_not_there() {
    let is_unknown = |fault: Fault| matches!(fault, Fault::UnknownOrg { .. });
    assert!(is_unknown(Funding::of("nobody", None, WISHES, events(), debits()).unwrap_err()));
    assert!(is_unknown(Breakage::of(Some("nobody"), None, events(), debits()).unwrap_err()));
}

/// A log of which something is missing gives lots that cannot be.
#[test]
fn lots_that_cannot_be_are_a_fault() {
    for (dropped, problem) in [
        ("\"id\":\"late-grace\"", "lot PO-1, made here, is forfeited and would hold 0.60"),
        ("\"type\":\"RechargeSucceeded\"", "lot contoso/1 is drawn but never came"),
    ] {
        let keep = |text: &str| text.lines().filter(|line| !line.contains(dropped)).collect::<Vec<_>>().join("\n");
        let (events, debits) = (keep(EVENTS), keep(DEBITS));
        let fault = Breakage::of(None, None, lines("e", &events), lines("d", &debits)).unwrap_err();
        assert!(fault.to_string().contains(problem), "{fault}");
    }
}
