//! What is promised to running calls, through the log and back: after a restart nothing is promised twice.

use drawdown_engine::worker::Messages;
use drawdown_testkit::workload::{Options, Rng, Workload};
use drawdown_wire::account::{self, RunningCall};

use super::world::{World, ask, questions};
use super::*;

const PARTITION: u32 = 0;

/// A log that keeps what it is given, by key.
#[derive(Default)]
struct Kept(std::collections::BTreeMap<Vec<u8>, Vec<u8>>);

impl Kept {
    /// A transaction that is committed. Returns how many messages it had.
    fn commit(&mut self, authoriser: &Authoriser) -> usize {
        let mut states = Messages::default();
        authoriser.keep(PARTITION, &mut states);
        for (key, state) in states.iter() {
            match state {
                [] => self.0.remove(key),
                _ => self.0.insert(key.to_vec(), state.to_vec()),
            };
        }
        states.count()
    }

    /// A process that begins with what was kept.
    fn restart(&self, settings: Settings) -> Authoriser {
        let authoriser = Authoriser::new(settings);
        self.0.iter().for_each(|(key, state)| authoriser.restore(PARTITION, key, state));
        authoriser
    }

    fn calls(&self) -> Vec<RunningCall> {
        self.0.values().map(|state| account::unpack_call(state).unwrap()).collect()
    }
}

fn one_org() -> World {
    let mut world = World::new("prefix,destination,price_per_minute\n44,Britain,0.10\n");
    world.open("acme", "none");
    world.buy("acme", "1.00");
    world
}

#[test]
fn what_is_promised_survives_a_restart() {
    let world = one_org();
    let (authoriser, mut kept) = (Authoriser::default(), Kept::default());
    let (terms, now) = (world.terms(), world.now);
    let ask_for =
        |call: &str, seconds| AuthorisationRequest { seconds: Some(seconds), ..ask("acme", call, "+442071838750") };
    assert!(authoriser.authorise(terms, &world.partition, &ask_for("a", 480), now).allowed);
    assert!(authoriser.has_unkept());
    assert_eq!(kept.commit(&authoriser), 1);
    assert!(!authoriser.has_unkept());
    assert_eq!(kept.commit(&authoriser), 0);
    assert_eq!(kept.calls()[0].claim.bare, Some(money("0.80")));

    let after = kept.restart(Settings::default());
    assert_eq!((after.promised("acme"), after.count()), (authoriser.promised("acme"), 1));
    assert!(!after.has_unkept());
    let refused = after.authorise(terms, &world.partition, &ask_for("b", 180), now);
    assert_eq!(refused.granted_seconds, Some(120), "what is promised to the first call is not promised again");
    // The first is the same call still, and may go on.
    let again = after.authorise(terms, &world.partition, &ask_for("a", 480), now);
    assert_eq!(again.granted_seconds, Some(480));

    assert!(after.release("acme", "a", Released::Record));
    assert_eq!(kept.commit(&after), 2);
    assert_eq!(kept.calls().iter().map(|call| &*call.call).collect::<Vec<_>>(), ["b"]);
    // Nobody asks for more: what is due goes, and what was kept of it.
    assert_eq!(after.sweep(now.plus_seconds(10_000)), 1);
    assert_eq!(kept.commit(&after), 1);
    assert!(kept.0.is_empty());
}

#[test]
fn a_call_that_the_log_never_knew_leaves_nothing_there() {
    let world = one_org();
    let authoriser = Authoriser::default();
    let request = ask("acme", "a", "+442071838750");
    assert!(authoriser.authorise(world.terms(), &world.partition, &request, world.now).allowed);
    assert!(authoriser.release("acme", "a", Released::Request));
    assert!(!authoriser.has_unkept());
    assert_eq!(Kept::default().commit(&authoriser), 0);
}

/// What the log knows of the first is taken out, whatever became of the second.
#[test]
fn an_id_that_is_used_again_leaves_nothing_there() {
    let world = one_org();
    let (authoriser, mut kept) = (Authoriser::default(), Kept::default());
    let request = ask("acme", "a", "+442071838750");
    let authorise = || assert!(authoriser.authorise(world.terms(), &world.partition, &request, world.now).allowed);
    authorise();
    assert_eq!(kept.commit(&authoriser), 1);
    for _ in 0..2 {
        assert!(authoriser.release("acme", "a", Released::Request));
        authorise();
    }
    assert!(authoriser.release("acme", "a", Released::Request));
    assert_eq!(kept.commit(&authoriser), 1);
    assert!(kept.0.is_empty());
}

#[test]
fn what_an_aborted_transaction_took_along_is_kept_with_the_next() {
    let world = one_org();
    let (authoriser, mut kept) = (Authoriser::default(), Kept::default());
    let request = ask("acme", "a", "+442071838750");
    authoriser.authorise(world.terms(), &world.partition, &request, world.now);
    let mut aborted = Messages::default();
    authoriser.keep(PARTITION, &mut aborted);
    // It ends before anybody knows that it was not kept.
    authoriser.release("acme", "a", Released::Request);
    aborted.iter().for_each(|(key, _)| authoriser.not_kept(PARTITION, key));
    assert_eq!(kept.commit(&authoriser), 1);
    assert!(kept.0.is_empty());
    assert!(!authoriser.has_unkept());
}

#[test]
fn who_owns_a_partition_again_believes_the_log() {
    let world = one_org();
    let (authoriser, mut kept) = (Authoriser::default(), Kept::default());
    let (terms, now) = (world.terms(), world.now);
    for call in ["told", "ended elsewhere"] {
        let request = AuthorisationRequest { seconds: Some(60), ..ask("acme", call, "+442071838750") };
        assert!(authoriser.authorise(terms, &world.partition, &request, now).allowed);
    }
    kept.commit(&authoriser);
    let untold = AuthorisationRequest { seconds: Some(60), ..ask("acme", "untold", "+442071838750") };
    assert!(authoriser.authorise(terms, &world.partition, &untold, now).allowed);
    authoriser.forget(&[PARTITION + 1]);
    assert_eq!(authoriser.count(), 3);
    authoriser.forget(&[PARTITION]);
    assert_eq!((authoriser.count(), authoriser.promised("acme").money), (0, Money::ZERO));
    assert!(!authoriser.has_unkept());
    // As a topic tells it that was not compacted.
    let states = kept.0.iter().chain(&kept.0);
    states.for_each(|(key, state)| authoriser.restore(PARTITION, key, state));
    authoriser.restore(PARTITION, &account::call_key("acme", "ended elsewhere"), &[]);
    assert_eq!((authoriser.count(), authoriser.promised("acme").money), (1, money("0.10")));
    assert!(!authoriser.has_unkept());
}

/// In random worlds, with restarts at random: no more is promised than there is, and each call is promised what it was.
#[test]
fn restarts_change_no_promise() {
    for seed in 0..40_u64 {
        let workload = Workload::generate(seed, Options { operations: 120, ..Options::default() });
        let world = World::of_workload(&workload);
        let questions = questions(&workload);
        if questions.is_empty() {
            continue;
        }
        let mut rng = Rng::new(seed ^ 0x4e57);
        let mut kept = Kept::default();
        let mut authoriser = Authoriser::default();
        let mut promised = 0;
        for step in 0..150 {
            let call_id = format!("call-{}", rng.between(0, 40));
            let seconds = Some(rng.between(1, 900) as u32);
            let request = AuthorisationRequest { call_id, seconds, ..rng.pick(&questions) };
            match rng.weighted(&[70, 20, 10]) {
                0 => {
                    authoriser.authorise(world.terms(), &world.partition, &request, world.now);
                }
                1 => {
                    authoriser.release(&request.org_id, &request.call_id, Released::Request);
                }
                _ => {
                    kept.commit(&authoriser);
                    let after = kept.restart(Settings::default());
                    assert_eq!(after.count(), authoriser.count(), "seed {seed}, step {step}");
                    for org in world.partition.accounts().map(Account::org) {
                        let (was, is) = (authoriser.promised(org), after.promised(org));
                        let sorted = |promised: &Promised| {
                            let mut minutes = promised.minutes.clone();
                            minutes.sort();
                            minutes
                        };
                        assert_eq!(sorted(&is), sorted(&was), "seed {seed}, step {step}: {org}");
                        // Where a pool may be used up, all that claim it are promised what they would cost without.
                        assert!(is.money >= was.money, "seed {seed}, step {step}: {org}");
                        promised += was.calls;
                    }
                    authoriser = after;
                }
            }
        }
        assert!(promised > 0 || world.partition.accounts().count() == 0, "seed {seed} promised nothing");
    }
}
