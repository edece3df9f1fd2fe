//! Random inputs: amounts of every size up to the edge of money, records out of order, years without an input.

#![allow(clippy::arithmetic_side_effects, reason = "an overflow panics, as it should in a test")]

use std::sync::Arc;

use drawdown_units::{Currency, Money, Timestamp};
use proptest::prelude::*;

use crate::account::{Account, Input, RatedCall};
use crate::command::{AddFunds, Command, Licensing, Mode, OpenAccount, Outcome, PaymentMethod, Settings, Settlement};
use crate::effects::Effects;
use crate::rules::Rules;

pub(super) const DAY_S: i64 = 86_400;

/// One random input, `gap_s` after the one before it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub gap_s: i64,
    pub act: Act,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    Command(Command),
    /// `purchasedAt` and `expiresAt` are told by their distance from the input, in seconds.
    Buy {
        lot: u8,
        amount: Money,
        purchased_s: i64,
        life_s: Option<i64>,
    },
    Settle {
        number: u64,
        outcome: Outcome,
        processed_s: i64,
    },
    Call {
        charge: Money,
        age_s: i64,
    },
}

fn amount() -> impl Strategy<Value = Money> {
    let limit = Money::LIMIT.micros();
    prop_oneof![
        8 => (0..10_000_i64).prop_map(|cents| Money::from_micros(cents * 10_000)),
        2 => (0..1_000_i64).prop_map(Money::from_micros),
        1 => (0..3_i64).prop_map(move |less| Money::from_micros(limit - less)),
        1 => (1..5_i64).prop_map(move |part| Money::from_micros(limit / part)),
    ]
}

fn units() -> impl Strategy<Value = Money> {
    prop_oneof![8 => 0..300_i64, 1 => Just(1_000_000_000), 1 => Just(1_000_000_001)]
        .prop_map(|units: i64| Money::from_micros(units * 1_000_000))
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![3 => Just(Outcome::Succeeded), 1 => Just(Outcome::Declined), 2 => Just(Outcome::Failed)]
}

fn settings() -> impl Strategy<Value = Settings> {
    (any::<bool>(), units(), units(), proptest::option::of(units())).prop_map(|(off, amount, trigger, monthly_cap)| {
        let payment = PaymentMethod::Card("tok".into());
        Settings { enabled: !off, amount, trigger, monthly_cap, payment }
    })
}

fn command() -> impl Strategy<Value = Command> {
    let lot = || (0..12_u8).prop_map(|number| format!("L{number}").as_str().into());
    prop_oneof![
        6 => settings().prop_map(Command::ConfigureAutoRecharge),
        4 => (lot(), amount(), any::<bool>()).prop_map(|(lot, amount, down)| {
            let amount = if down { amount.negated() } else { amount };
            Command::Adjust { lot, amount, reason: "random".into() }
        }),
        2 => lot().prop_map(|lot| Command::RefundLot { lot, reason: "random".into() }),
        1 => (0..4_u8).prop_map(|plan| Command::SetRatePlan { rate_plan: Arc::from(format!("plan-{plan}")) }),
        2 => any::<bool>().prop_map(|post| Command::SetMode {
            mode: if post { Mode::PostUsage } else { Mode::Prepaid },
        }),
        1 => Just(Command::CloseAccount),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..12_u8, amount(), -400 * DAY_S..900, proptest::option::of(-DAY_S..500 * DAY_S))
            .prop_map(|(lot, amount, purchased_s, life_s)| Act::Buy { lot, amount, purchased_s, life_s }),
        6 => (0..6_u64, outcome(), -2 * DAY_S..900)
            .prop_map(|(number, outcome, processed_s)| Act::Settle { number, outcome, processed_s }),
        12 => call(),
        4 => command().prop_map(Act::Command),
    ]
}

pub(super) fn call() -> impl Strategy<Value = Act> {
    let age_s = prop_oneof![3 => -300..3 * DAY_S, 1 => -300..90 * DAY_S];
    (amount(), age_s).prop_map(|(charge, age_s)| Act::Call { charge, age_s })
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let gap_s = prop_oneof![
        2 => Just(0),
        4 => 0..3_600_i64,
        3 => 0..40 * DAY_S,
        1 => 300 * DAY_S..400 * DAY_S,
        1 => -3_600..0_i64,
    ];
    proptest::collection::vec((gap_s, act()).prop_map(|(gap_s, act)| Step { gap_s, act }), 0..60)
}

pub(super) fn terms() -> impl Strategy<Value = OpenAccount> {
    (any::<bool>(), any::<bool>()).prop_map(|(post, strict)| OpenAccount {
        currency: Currency::parse("USD").expect("a currency"),
        rate_plan: Arc::from("gold"),
        mode: if post { Mode::PostUsage } else { Mode::Prepaid },
        country: *b"US",
        strict,
        licensing: Licensing::None,
    })
}

/// Silence is sent again rarely, so that a year without an answer stays short.
pub(super) fn rules() -> Rules {
    Rules { resend_s: 10 * DAY_S, ..Rules::default() }
}

pub(super) fn opening_time() -> Timestamp {
    Timestamp::parse("2026-01-15T12:00:00Z").expect("an instant")
}

/// Gives the account one step at `at`; a call that could not be booked is left out, as the engine would.
pub(super) fn apply(account: &mut Account, at: Timestamp, act: &Act, effects: &mut Effects) {
    let rules = rules();
    match act {
        Act::Command(command) => account.apply(at, Input::Command(command), &rules, effects),
        Act::Buy { lot, amount, purchased_s, life_s } => {
            let purchased = at.plus_seconds(*purchased_s);
            let command = Command::AddFunds(AddFunds {
                lot: format!("L{lot}").into(),
                amount: *amount,
                currency: None,
                purchased,
                expires: life_s.map(|life_s| at.plus_seconds(life_s)),
                reference: None,
            });
            account.apply(at, Input::Command(&command), &rules, effects);
        }
        Act::Settle { number, outcome, processed_s } => {
            let (number, processed) = (Some(*number), at.plus_seconds(*processed_s));
            let command = Command::SettleRecharge(Settlement {
                number,
                outcome: *outcome,
                processed,
                reason: None,
                amount: None,
            });
            account.apply(at, Input::Command(&command), &rules, effects);
        }
        Act::Call { charge, age_s } if !account.is_closed() && account.admits(*charge) => {
            let call = RatedCall::paid(*charge, at.plus_seconds(-age_s));
            account.apply(at, Input::Call(call), &rules, effects);
        }
        Act::Call { .. } => account.apply(at, Input::Time, &rules, effects),
    }
}
