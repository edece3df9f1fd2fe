use std::sync::Arc;

use drawdown_ledger::Rules;
use drawdown_ledger::account::{Input, RatedCall};
use drawdown_ledger::command::{AddFunds, Command, OpenAccount, PaymentMethod, Settings};
use drawdown_ledger::effects::Effects;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// An account that bought 100 on 2026-01-01, wants a recharge below 20, and made one call.
fn account(org: &str, currency: &str, mode: Mode, charge: &str) -> Account {
    let (mut effects, rules) = (Effects::default(), Rules::default());
    let currency = Currency::parse(currency).unwrap();
    let terms = OpenAccount { currency, rate_plan: Arc::from("standard"), mode, country: *b"GB", strict: false };
    let opened = at("2026-01-01T00:00:00Z");
    let mut account = Account::open(org, &terms, opened, &mut effects);
    let settings = Settings {
        enabled: true,
        amount: money("50"),
        trigger: money("20"),
        monthly_cap: None,
        payment: PaymentMethod::Card("tok".into()),
    };
    let funds = AddFunds {
        lot: "L1".into(),
        amount: money("100"),
        currency: None,
        purchased: opened,
        expires: None,
        reference: None,
    };
    for command in [Command::AddFunds(funds), Command::ConfigureAutoRecharge(settings)] {
        account.apply(opened, Input::Command(&command), &rules, &mut effects);
    }
    let call = RatedCall { charge: money(charge), started: at("2026-02-01T00:00:00Z") };
    account.apply(at("2026-02-01T00:01:00Z"), Input::Call(call), &rules, &mut effects);
    account
}

#[test]
fn sums_are_kept_for_each_currency() {
    let views = AccountViews::default();
    for (org, currency, charge) in [("a", "USD", "10"), ("b", "USD", "30"), ("c", "EUR", "130")] {
        views.publish(0, &account(org, currency, Mode::Prepaid, charge), b"{}");
    }
    let mut totals = views.totals(at("2026-03-01T00:00:00Z"));
    totals.money.sort_by_key(|(currency, _)| *currency);
    let eur = Sums { overdraft: 30_000_000, ..Sums::default() };
    let usd = Sums { balance: 160_000_000, ..Sums::default() };
    assert_eq!(totals.money, [(Currency::parse("EUR").unwrap(), eur), (Currency::parse("USD").unwrap(), usd)]);
    assert_eq!((totals.exhausted, totals.recharges_outstanding), (1, 1));
    assert_eq!(totals.recharge_oldest, Some(at("2026-02-01T00:01:00Z")));
}

#[test]
fn money_counts_as_expiring_in_its_last_thirty_days() {
    let views = AccountViews::default();
    views.publish(0, &account("a", "USD", Mode::Prepaid, "10"), b"{}");
    let expiring = |now| views.totals(at(now)).money[0].1.expiring;
    assert_eq!(expiring("2026-12-01T23:59:59Z"), 0);
    assert_eq!(expiring("2026-12-02T00:00:00Z"), 90_000_000);
}

#[test]
fn who_pays_afterwards_is_not_exhausted() {
    let views = AccountViews::default();
    views.publish(0, &account("a", "USD", Mode::PostUsage, "130"), b"{}");
    let totals = views.totals(at("2026-03-01T00:00:00Z"));
    assert_eq!((totals.exhausted, totals.money[0].1.post_usage), (0, 30_000_000));
}

#[test]
fn the_latest_view_counts_and_those_of_another_process_are_forgotten() {
    let views = AccountViews::default();
    views.publish(3, &account("a", "USD", Mode::Prepaid, "10"), b"old");
    views.publish(3, &account("a", "USD", Mode::Prepaid, "20"), b"new");
    views.publish(4, &account("b", "USD", Mode::Prepaid, "1"), b"other");
    assert_eq!(views.account("a").as_deref(), Some(&b"new"[..]));
    assert_eq!(views.totals(at("2026-03-01T00:00:00Z")).money[0].1.balance, 179_000_000);
    views.forget(&[3]);
    assert_eq!((views.account("a"), views.count()), (None, 1));
}
