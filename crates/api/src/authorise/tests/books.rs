//! The decoded view against the account itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use drawdown_ledger::Opening;
use drawdown_testkit::workload::{Options, Rng, Workload};
use drawdown_wire::account;

use super::super::books::States;
use super::world::{World, ask};
use super::*;

/// States as a process keeps them.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl States for Kept {
    fn account(&self, org: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(org.as_bytes()).cloned()
    }

    fn users(&self, org: &str, each: &mut dyn FnMut(&[u8])) {
        let kept = self.0.lock().unwrap();
        kept.iter()
            .filter(|(key, state)| account::is_user(state) && account::org_of_key(key) == org.as_bytes())
            .for_each(|(_, state)| each(state));
    }

    fn partition(&self, _: &str) -> Option<u32> {
        Some(0)
    }
}

/// Publishes what is new.
fn publish(world: &World, kept: &Kept, books: &Books) {
    for held in world.partition.accounts() {
        let mut states = Vec::new();
        let mut state = Vec::new();
        account::pack(&mut state, held);
        states.push((held.org().as_bytes().to_vec(), state));
        for user in held.entitlements().into_iter().flat_map(|it| it.users()) {
            let mut state = Vec::new();
            account::pack_user(&mut state, held.org(), user);
            states.push((account::user_key(held.org(), &user.id), state));
        }
        for (key, state) in states {
            let before = kept.0.lock().unwrap().insert(key.clone(), state.clone());
            if before.as_ref() != Some(&state) {
                books.committed(&key, &state);
            }
        }
    }
}

#[test]
fn the_view_follows_the_account() {
    for seed in 1..=12 {
        let workload = Workload::generate(seed, Options { operations: 300, ..Options::default() });
        let mut world = World::of_workload(&workload);
        let kept = Arc::new(Kept::default());
        let books = Books::new(Arc::clone(&kept) as Arc<dyn States>, world.rules.clone(), 64);
        publish(&world, &kept, &books);
        let mut rng = Rng::new(seed);
        let orgs: Vec<String> = world.partition.accounts().map(|account| account.org().to_owned()).collect();
        for step in 0..60 {
            let org = rng.pick(&orgs);
            let user = rng.pick(&["u1", "u2", "u3"]);
            match rng.below(4) {
                0 => world.licence(&org, user, rng.pick(&["MCOPSTN1", "MCOPSTN8", "MCOMEETADV", "MCOPSTNPP"])),
                1 => world.command(
                    &org,
                    serde_json::json!({ "type": "removeLicence", "userId": user, "licence": "MCOPSTN1" }),
                ),
                2 => world.buy(&org, "10.00"),
                _ => {
                    let id = format!("made-here-{seed}-{step}");
                    let request = AuthorisationRequest { user_id: Some(user.into()), ..ask(&org, &id, "+12125550100") };
                    if !world.partition.account(&org).is_some_and(Account::is_closed) {
                        world.rate(&request, world.now, 100);
                    }
                }
            }
            world.now = world.now.plus_seconds(rng.between(0, 50_000));
            publish(&world, &kept, &books);
            if rng.chance(50) {
                let anew = Books::new(Arc::clone(&kept) as Arc<dyn States>, world.rules.clone(), 64);
                let expected = anew.with(&org, |account| content(account.expect("an account")));
                let seen = books.with(&org, |account| content(account.expect("an account")));
                assert_eq!(seen, expected, "seed {seed}, step {step}");
                let owner = world.partition.account(&org).expect("an account").save();
                assert_eq!((seen.head, seen.lots), (owner.head, owner.lots), "seed {seed}, step {step}");
            }
        }
    }
}

/// Everything an account is made of; in what order users came to be known does not matter.
fn content(account: &Account) -> Opening {
    let mut content = account.save();
    content.users.sort_by(|a, b| a.id.cmp(&b.id));
    content.pools.sort_by(|a, b| (&a.licence, a.country).cmp(&(&b.licence, b.country)));
    content
}

#[test]
fn an_account_is_seen_from_the_moment_it_is_opened() {
    let mut world = World::new("prefix,price_per_minute\n44,0.10\n");
    let kept = Arc::new(Kept::default());
    let books = Books::new(Arc::clone(&kept) as Arc<dyn States>, world.rules.clone(), 1);
    assert!(books.with("acme", |account| account.is_none()));
    for org in ["acme", "b", "c", "d"] {
        world.open(org, "none");
    }
    publish(&world, &kept, &books);
    for org in ["acme", "b", "c", "d", "acme"] {
        assert!(books.with(org, |account| account.is_some()), "{org}");
    }
    assert!(books.with("nobody", |account| account.is_none()));
}
