use std::sync::Arc;

use drawdown_ledger::Rules;
use drawdown_ledger::account::{Input, RatedCall};
use drawdown_ledger::command::{AddFunds, Command, Licensing, OpenAccount, PaymentMethod, Settings};
use drawdown_ledger::effects::Effects;
use serde_json::json;

use super::*;

/// Accounts of these names, in order, of which nothing else is known.
pub(crate) struct Named(pub Vec<String>);

impl Views for Named {
    fn account(&self, org: &str) -> Option<Vec<u8>> {
        self.0.iter().any(|held| held == org).then(|| json!({"orgId": org}).to_string().into_bytes())
    }

    fn user(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn list(&self, after: &str, limit: usize) -> Vec<String> {
        self.0.iter().filter(|org| org.as_str() > after).take(limit).cloned().collect()
    }

    fn totals(&self, _: Timestamp) -> Totals {
        Totals::default()
    }

    fn size_bytes(&self) -> usize {
        0
    }

    fn staleness(&self) -> Duration {
        Duration::ZERO
    }
}

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
    let licensing = Licensing::None;
    let terms =
        OpenAccount { currency, rate_plan: Arc::from("standard"), mode, country: *b"GB", strict: false, licensing };
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
    let call = RatedCall::paid(money(charge), at("2026-02-01T00:00:00Z"));
    account.apply(at("2026-02-01T00:01:00Z"), Input::Call(call), &rules, &mut effects);
    account
}

fn totals(accounts: &[Account], now: &str) -> Totals {
    let mut totals = Totals::default();
    accounts.iter().for_each(|account| totals.add(&Figures::of(account), at(now)));
    totals
}

#[test]
fn sums_are_kept_for_each_currency() {
    let accounts = [("a", "USD", "10"), ("b", "EUR", "130"), ("c", "USD", "30")];
    let accounts = accounts.map(|(org, currency, charge)| account(org, currency, Mode::Prepaid, charge));
    let totals = totals(&accounts, "2026-03-01T00:00:00Z");
    let eur = Sums { overdraft: 30_000_000, ..Sums::default() };
    let usd = Sums { balance: 160_000_000, ..Sums::default() };
    assert_eq!(totals.money, [(Currency::parse("USD").unwrap(), usd), (Currency::parse("EUR").unwrap(), eur)]);
    assert_eq!((totals.exhausted, totals.recharges_outstanding), (1, 1));
    assert_eq!(totals.recharge_oldest, Some(at("2026-02-01T00:01:00Z")));
}

#[test]
fn money_counts_as_expiring_in_its_last_thirty_days() {
    let account = [account("a", "USD", Mode::Prepaid, "10")];
    let expiring = |now| totals(&account, now).money[0].1.expiring;
    assert_eq!(expiring("2026-12-01T23:59:59Z"), 0);
    assert_eq!(expiring("2026-12-02T00:00:00Z"), 90_000_000);
}

#[test]
fn who_pays_afterwards_is_not_exhausted() {
    let totals = totals(&[account("a", "USD", Mode::PostUsage, "130")], "2026-03-01T00:00:00Z");
    assert_eq!((totals.exhausted, totals.money[0].1.post_usage), (0, 30_000_000));
}
