//! Many threads on one balance.

use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;

use super::world::{World, ask};
use super::*;

#[test]
fn ten_thousand_at_once_are_promised_no_more_than_there_is() {
    let mut world = World::new("prefix,destination,price_per_minute\n44,Britain,0.10\n");
    world.open("acme", "none");
    // 7,777 calls of five minutes, and one of one minute.
    world.buy("acme", "3888.60");
    let authoriser = Authoriser::default();
    let (whole, short, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let begin = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (world, authoriser, begin) = (&world, &authoriser, &begin);
            let (whole, short, refused) = (&whole, &short, &refused);
            scope.spawn(move || {
                begin.wait();
                for call in 0..1_250 {
                    let request = ask("acme", &format!("{thread}-{call}"), "+442071838750");
                    let answer = authoriser.authorise(world.terms(), &world.partition, &request, world.now);
                    match (answer.granted_seconds, reason(&answer)) {
                        (Some(300), None) => whole.fetch_add(1, Ordering::Relaxed),
                        (Some(60), None) => short.fetch_add(1, Ordering::Relaxed),
                        (None, Some(RefusalReason::FundsPromised)) => refused.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other:?}"),
                    };
                }
            });
        }
    });
    let counts = [whole, short, refused].map(AtomicUsize::into_inner);
    assert_eq!(counts, [7_777, 1, 2_222]);
    assert_eq!(authoriser.promised("acme").money, money("3888.60"));
    assert_eq!(authoriser.count(), 7_778);
}

/// A debit is seen before its reservation is gone, so that its money is never there twice.
#[test]
fn money_is_never_there_twice_while_calls_are_rated() {
    use std::sync::Mutex;

    struct Shared(Mutex<World>);
    impl Ledger for Shared {
        fn with<R>(&self, org: &str, look: impl FnOnce(Option<&Account>) -> R) -> R {
            look(self.0.lock().unwrap().partition.account(org))
        }

        fn partition(&self, _: &str) -> Option<u32> {
            Some(0)
        }
    }
    let mut world = World::new("prefix,destination,price_per_minute\n44,Britain,0.10\n");
    world.open("acme", "none");
    world.buy("acme", "100.00");
    let terms_of = World::new("prefix,destination,price_per_minute\n44,Britain,0.10\n");
    let now = world.now;
    let (authoriser, shared) = (Authoriser::default(), Shared(Mutex::new(world)));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (authoriser, shared, terms_of) = (&authoriser, &shared, &terms_of);
            scope.spawn(move || {
                for call in 0..500 {
                    let request = ask("acme", &format!("{thread}-{call}"), "+442071838750");
                    let answer = authoriser.authorise(terms_of.terms(), shared, &request, now);
                    if let Some(seconds) = answer.granted_seconds {
                        shared.0.lock().unwrap().rate(&request, now, seconds);
                        assert!(authoriser.release("acme", &request.call_id, Released::Request));
                    }
                }
            });
        }
    });
    let world = shared.0.into_inner().unwrap();
    let account = world.partition.account("acme").unwrap();
    assert_eq!((account.balance(), account.head().overdraft), (Money::ZERO, Money::ZERO));
    assert_eq!(authoriser.count(), 0);
}
