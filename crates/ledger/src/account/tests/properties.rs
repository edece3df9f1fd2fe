//! What holds for every run of inputs.

#![allow(clippy::arithmetic_side_effects, reason = "an overflow panics, as it should in a test")]

use drawdown_units::{Money, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;

use super::books::Books;
use super::random::{DAY_S, Step, apply, call, opening_time, rules, steps, terms};
use crate::account::{Account, Input};
use crate::command::OpenAccount;
use crate::effects::{Debited, Effects, Event, FundingLine, FundingSource, Occurrence};
use crate::recharge::Recharge;

/// Everything that was told, in order.
#[derive(Debug, Default, PartialEq)]
struct Story {
    occurrences: Vec<Occurrence>,
    debits: Vec<Debited>,
    funding: Vec<FundingLine>,
}

impl Story {
    /// Moves the effects of an input here.
    fn hear(&mut self, effects: &mut Effects) {
        self.occurrences.append(&mut effects.occurrences);
        self.debits.extend(effects.debit);
        self.funding.append(&mut effects.funding);
        effects.clear();
    }
}

/// An account opened and driven through `steps`, with the time at the end and the story since the opening.
fn drive(terms: &OpenAccount, steps: &[Step]) -> (Account, Timestamp, Story) {
    let mut effects = Effects::default();
    let mut at = opening_time();
    let mut account = Account::open("acme", terms, at, &mut effects);
    effects.clear();
    let mut story = Story::default();
    for step in steps {
        at = at.plus_seconds(step.gap_s);
        apply(&mut account, at, &step.act, &mut effects);
        story.hear(&mut effects);
    }
    (account, at, story)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// domain.md section 6: conservation, whatever comes; and nothing but an invariant's breach panics.
    #[test]
    fn money_is_conserved(terms in terms(), steps in steps()) {
        let mut effects = Effects::default();
        let mut at = opening_time();
        let mut account = Account::open("acme", &terms, at, &mut effects);
        let mut books = Books::default();
        books.enter(&account, &effects);
        for step in &steps {
            effects.clear();
            at = at.plus_seconds(step.gap_s);
            apply(&mut account, at, &step.act, &mut effects);
            books.enter(&account, &effects);
            books.close(&account);
        }
    }

    /// boundaries.md T1: how often ticks come changes neither events nor state.
    #[test]
    fn ticks_change_nothing(terms in terms(), steps in steps(), ticks in any::<[(bool, Index); 4]>()) {
        let (mut plain, end, mut story) = drive(&terms, &steps);
        let end = end.plus_seconds(500 * DAY_S);
        let mut effects = Effects::default();
        plain.apply(end, Input::Time, &rules(), &mut effects);
        story.hear(&mut effects);

        let mut at = opening_time();
        let mut ticked = Account::open("acme", &terms, at, &mut effects);
        effects.clear();
        let mut ticked_story = Story::default();
        for step in &steps {
            for (_, within) in ticks.iter().filter(|(ticks, _)| *ticks && step.gap_s > 0) {
                let tick = at.plus_seconds(within.index(step.gap_s as usize) as i64);
                ticked.apply(tick, Input::Time, &rules(), &mut effects);
            }
            at = at.plus_seconds(step.gap_s);
            apply(&mut ticked, at, &step.act, &mut effects);
            ticked_story.hear(&mut effects);
        }
        while at < end {
            at = at.plus_seconds(DAY_S).min(end);
            ticked.apply(at, Input::Time, &rules(), &mut effects);
        }
        ticked_story.hear(&mut effects);
        prop_assert_eq!(story, ticked_story);
        prop_assert_eq!(plain, ticked);
    }

    /// What is saved at any point opens again as the same account, and goes on in the same way.
    #[test]
    fn saved_accounts_go_on_identically(terms in terms(), steps in steps(), cut in any::<Index>()) {
        let cut = cut.index(steps.len() + 1);
        let (mut account, mut at, _) = drive(&terms, &steps[..cut]);
        let mut restored = Account::restore(account.save(), &rules()).expect("what was saved is sound");
        let fresh_due = account.find_next_due(&rules());
        prop_assert!(account.head.next_due <= fresh_due, "a due may be stale, never late");
        account.head.next_due = fresh_due;
        prop_assert_eq!(&restored, &account);
        let mut effects = Effects::default();
        let (mut story, mut restored_story) = (Story::default(), Story::default());
        for step in &steps[cut..] {
            at = at.plus_seconds(step.gap_s);
            apply(&mut account, at, &step.act, &mut effects);
            story.hear(&mut effects);
            apply(&mut restored, at, &step.act, &mut effects);
            restored_story.hear(&mut effects);
            prop_assert_eq!(&restored_story, &story);
            prop_assert_eq!(&restored, &account);
        }
    }

    /// A run of calls is undone by the figures before it and by what its effects tell.
    #[test]
    fn runs_of_calls_are_undone(
        terms in terms(),
        steps in steps(),
        calls in proptest::collection::vec((0..600_i64, call()), 0..20),
    ) {
        let (mut account, mut at, _) = drive(&terms, &steps);
        at = at.max(account.head().clock);
        let before = account.clone();
        let head = *account.head();
        let mut draws: Vec<(u32, Money)> = Vec::new();
        let mut recharge_before: Option<Recharge> = None;
        for (gap_s, call) in &calls {
            at = at.plus_seconds(*gap_s);
            if account.head().next_due <= at || account.is_closed() {
                break;
            }
            let mut effects = Effects::default();
            apply(&mut account, at, call, &mut effects);
            for line in &effects.funding {
                if let FundingSource::Lot(index) = line.source {
                    draws.push((index, line.before));
                }
            }
            recharge_before = recharge_before.or(effects.recharge_before);
        }
        account.undo_calls(head, draws.into_iter().rev());
        if let Some(recharge) = recharge_before {
            account.undo_recharge(recharge);
        }
        prop_assert_eq!(account, before);
    }

    /// boundaries.md R: at most one request is outstanding, numbers and invoices have no gaps, each money comes once.
    #[test]
    fn recharges_are_numbered_and_paid_once(terms in terms(), steps in steps()) {
        let mut effects = Effects::default();
        let mut at = opening_time();
        let mut account = Account::open("acme", &terms, at, &mut effects);
        let (mut requested, mut paid, mut open) = (0, Vec::new(), None);
        for step in &steps {
            effects.clear();
            at = at.plus_seconds(step.gap_s);
            apply(&mut account, at, &step.act, &mut effects);
            for occurrence in &effects.occurrences {
                if let Event::RechargeRequested { number, sending, .. } = occurrence.event {
                    if sending == 1 {
                        requested += 1;
                        prop_assert_eq!((number, open), (requested, None), "one at a time, without gaps");
                    }
                    open = Some(number);
                }
                if let Event::RechargeSucceeded { number, .. } = occurrence.event {
                    prop_assert!(!paid.contains(&number), "money comes once");
                    paid.push(number);
                    open = open.filter(|it| *it != number);
                }
                if let Event::InvoiceIssued { invoice, .. } = occurrence.event {
                    prop_assert_eq!(invoice, paid.len() as u64);
                }
                if let Event::RechargeFailed { number, .. } = occurrence.event {
                    prop_assert_eq!(open, Some(number));
                    open = None;
                }
            }
            prop_assert_eq!(account.recharge().is_some_and(|it| it.outstanding.is_some()), open.is_some());
        }
    }
}
