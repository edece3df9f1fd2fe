//! The longest time against the rater: a record of every length is rated, and taken back.

use drawdown_engine::Limits;
use drawdown_testkit::workload::{Options, Rng, Workload};

use super::world::{World, questions};
use super::*;

const MAXIMUM_S: u32 = 500;

/// What a call of then may draw, less overdraft.
fn holdings(account: &Account, start: Timestamp) -> Money {
    let lots = account.lots().all().iter().filter(|lot| start < lot.expires);
    lots.fold(account.head().overdraft.negated(), |sum, lot| sum.plus(lot.remaining))
}

/// How long the rater would let the call last: every length is tried.
fn by_trying(world: &mut World, request: &AuthorisationRequest, overdraft: Money) -> Option<u32> {
    let mut longest = None;
    for seconds in 1..=MAXIMUM_S {
        let account = world.partition.account(&request.org_id).expect("an account");
        let before = *account.head();
        let is_prepaid = account.mode() == drawdown_ledger::command::Mode::Prepaid;
        let overdraft = if account.is_strict() { Money::ZERO } else { overdraft };
        let holdings = holdings(account, world.now).plus(overdraft);
        let rated = world.rate(request, world.now, seconds);
        let after = *world.partition.account(&request.org_id).expect("an account").head();
        world.partition.roll_back();
        let is_paid = !is_prepaid || rated.charge.is_zero() || rated.charge <= holdings;
        if rated.is_unrated || after.unlicensed != before.unlicensed || !is_paid {
            break;
        }
        longest = Some(seconds);
    }
    longest
}

#[test]
fn the_longest_time_is_what_trying_every_length_gives() {
    let (mut granted, mut limited, mut refused) = (0, 0, 0);
    for seed in 1..=24 {
        let workload = Workload::generate(seed, Options { operations: 300, ..Options::default() });
        let mut rng = Rng::new(seed);
        let mut world = World::of_workload(&workload);
        let questions = questions(&workload);
        for index in 0..20 {
            let request = AuthorisationRequest { call_id: format!("asked-{index}"), ..rng.pick(&questions) };
            // An overdraft, or what may not be spent: so much that most calls come to their end.
            let own =
                world.partition.account(&request.org_id).map_or(Money::ZERO, |account| holdings(account, world.now));
            let overdraft = Money::from_micros(rng.between(0, 1_000_000)).minus(own);
            let authoriser = Authoriser::new(Settings { maximum_s: MAXIMUM_S, overdraft, ..Settings::default() });
            let answer = authoriser.authorise(world.terms(), &world.partition, &request, world.now);
            authoriser.release(&request.org_id, &request.call_id, Released::Request);
            let never = [
                RefusalReason::Blocked,
                RefusalReason::BadNumber,
                RefusalReason::BadField,
                RefusalReason::UnknownCallType,
                RefusalReason::UnknownOrg,
                RefusalReason::OrgClosed,
                RefusalReason::ChargeTooLarge,
            ];
            if reason(&answer).is_some_and(|reason| never.contains(&reason))
                || answer.maximum_seconds.is_none() && answer.allowed
            {
                continue;
            }
            let expected = by_trying(&mut world, &request, overdraft);
            assert_eq!(answer.maximum_seconds, expected, "seed {seed}: {request:?}\n{answer:?}");
            match expected {
                Some(MAXIMUM_S) => granted += 1,
                Some(_) => limited += 1,
                None => refused += 1,
            }
        }
        world.partition.commit(&Limits::default());
    }
    eprintln!("{granted} granted, {limited} limited, {refused} refused");
    assert!(granted > 20 && limited > 5 && refused > 20, "{granted} {limited} {refused}: the worlds are too dull");
}
