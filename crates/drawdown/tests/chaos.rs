//! Chaos on a real cluster of three brokers: processes are killed, frozen and thawed, restarted one after the other; a
//! broker is killed. In the end every record is debited or rejected exactly once, and every debit and event equals that
//! of `drawdown rate` on the same files, to the last decimal.
//!
//! The seed decides who is killed and when; it is printed, and `DRAWDOWN_SEED` sets it.

#[path = "common/process.rs"]
mod process;
#[path = "chaos/world.rs"]
mod world;

use std::time::Duration;

use drawdown_testkit::kafka;
use world::World;

/// Kills of a process, at least.
const KILLS: usize = 20;

#[test]
fn whatever_dies_every_call_is_charged_once() {
    if !kafka::runs_here() {
        return;
    }
    let mut world = World::new("chaos");
    world.start(0);
    world.start(1);
    world.say("two processes; one is killed every few seconds");
    for _ in 0..KILLS / 2 {
        world.load_for(Duration::from_millis(1_500));
        world.kill_and_restart();
    }
    world.say("a third joins");
    world.start(2);
    for _ in 0..KILLS / 2 {
        world.load_for(Duration::from_millis(1_500));
        world.kill_and_restart();
    }
    world.load_for(Duration::from_secs(3));
    world.say("one is frozen beyond its session, its partitions go elsewhere, then it wakes");
    world.freeze(1);
    world.load_for(Duration::from_secs(14));
    world.thaw(1);
    world.load_for(Duration::from_secs(2));
    world.say("a broker is killed and comes back");
    world.kill_broker(1);
    world.load_for(Duration::from_secs(6));
    world.restart_broker(1);
    world.load_for(Duration::from_secs(2));
    world.say("a rolling restart, then one leaves for good");
    for instance in 0..3 {
        world.stop(instance);
        world.start(instance);
        world.load_for(Duration::from_secs(1));
    }
    world.stop(2);
    world.load_rest();
    world.drain();
    for instance in 0..2 {
        world.stop(instance);
    }
    world.audit();
}
