//! What is saved, and what is not opened again.

use std::sync::Arc;

use drawdown_units::{Currency, Money, Timestamp};

use super::script;
use crate::account::{Account, Input, Opening, RatedCall};
use crate::command::{AddFunds, Command, Licence, Licensing, Mode, OpenAccount};
use crate::effects::Effects;
use crate::rules::Rules;

fn saved() -> Opening {
    let (rules, mut effects) = (Rules::default(), Effects::default());
    let now = Timestamp::parse("2026-01-01T00:00:00Z").expect("an instant");
    let terms = OpenAccount {
        currency: Currency::parse("USD").expect("a currency"),
        rate_plan: Arc::from("gold"),
        mode: Mode::Prepaid,
        country: *b"US",
        strict: false,
        licensing: Licensing::None,
    };
    let mut account = Account::open("acme", &terms, now, &mut effects);
    let funds = AddFunds {
        lot: "L1".into(),
        amount: Money::from_micros(10),
        currency: None,
        purchased: now,
        expires: None,
        reference: None,
    };
    account.apply(now, Input::Command(&Command::AddFunds(funds)), &rules, &mut effects);
    let call = RatedCall::paid(Money::from_micros(7), now);
    account.apply(now, Input::Call(call), &rules, &mut effects);
    account.save()
}

/// State that breaks conservation, or that no account could have reached, is refused rather than rated with.
#[test]
fn unsound_state_is_not_opened() {
    let rules = Rules::default();
    assert!(Account::restore(saved(), &rules).is_some());
    let unsound: [fn(&mut Opening); 8] = [
        |it| it.head.purchased = Money::from_micros(11),
        |it| it.head.charged = Money::from_micros(6),
        |it| it.lots[0].remaining = Money::from_micros(2),
        |it| it.lots.clear(),
        |it| it.head.overdraft = Money::from_micros(-1),
        |it| (it.head.purchased, it.head.adjusted) = (Money::from_micros(i64::MAX), Money::from_micros(i64::MAX)),
        |it| (it.head.drawn, it.head.overdrawn) = (Money::from_micros(i64::MIN), Money::from_micros(i64::MIN)),
        |it| (it.lots[0].amount, it.lots[0].remaining) = (Money::from_micros(i64::MAX), Money::from_micros(i64::MAX)),
    ];
    for (number, unsettle) in unsound.iter().enumerate() {
        let mut opening = saved();
        unsettle(&mut opening);
        assert_eq!(Account::restore(opening, &rules), None, "case {number}");
    }
}

/// How many hold a licence is not saved but counted again, also of who had it for no time at all.
#[test]
fn holders_are_counted_again_as_they_were() {
    let rules = Rules { plans: script::plans(), ..Rules::default() };
    let mut account = Account::restore(saved(), &rules).expect("sound");
    let now = account.head().clock;
    let mut effects = Effects::default();
    let licence = |user: &str| Licence { user: user.into(), licence: "EITHER".into(), country: *b"US" };
    let removal = |user: &str| Command::RemoveLicence { user: user.into(), licence: "EITHER".into() };
    for (days, command) in [
        (0, Command::AssignLicence(licence("u1"))),
        (0, removal("u1")),
        (1, Command::AssignLicence(licence("u2"))),
        (2, Command::AssignLicence(licence("u1"))),
        (2, removal("u2")),
    ] {
        account.apply(now.plus_seconds(86_400 * days), Input::Command(&command), &rules, &mut effects);
        // Nothing of the one pool is used, and its count of holders is not saved.
        let saved = Opening { pools: Vec::new(), ..account.save() };
        assert_eq!(Account::restore(saved, &rules).expect("sound"), account);
    }
}
