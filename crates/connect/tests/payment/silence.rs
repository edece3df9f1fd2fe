//! Gateways that do not answer: nothing is settled on a guess, nobody waits for another's charge, and no place is lost.

use std::sync::Arc;
use std::time::Duration;

use drawdown_connect::payment::{Gateway, Outcome, Settings};
use drawdown_units::Money;

use crate::bed::{Alive, Bed, SECRET, gateway, sandbox, settings};

const STEPS_MAX: usize = 100_000;

fn until(alive: &mut Alive, what: &str, is_so: impl Fn(&Alive) -> bool) {
    for _ in 0..STEPS_MAX {
        if is_so(alive) {
            return;
        }
        assert!(alive.step());
    }
    panic!("it never comes to this: {what}");
}

#[test]
fn an_answer_that_was_lost_is_asked_for_again_under_the_same_key() {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.open("o", r#"{"card":"tok_ok"}"#);
    sandbox.lose_answers(3);
    let mut alive = bed.connect(gateway(&sandbox, SECRET, Duration::from_secs(10)), settings());
    until(&mut alive, "done", |_| bed.is_done());
    assert_eq!((sandbox.requests("t/o/1/1"), sandbox.payments("o/1")), (4, 1));
    assert_eq!((bed.count("o", "RechargeSucceeded"), alive.connector.tally().unanswered()), (1, 3));
}

#[test]
fn a_gateway_that_is_away_settles_nothing() {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.open("o", r#"{"card":"tok_ok"}"#);
    sandbox.be_away(true);
    let commands = bed.commands();
    let mut alive = bed.connect(gateway(&sandbox, SECRET, Duration::from_secs(10)), settings());
    until(&mut alive, "tried", |alive| alive.connector.tally().unanswered() >= 5);
    assert!(!bed.is_done() && bed.commands() == commands, "nothing is settled, and nothing let go");
    sandbox.be_away(false);
    until(&mut alive, "done", |_| bed.is_done());
    assert_eq!((sandbox.payments("o/1"), bed.count("o", "RechargeSucceeded")), (1, 1));
    assert_eq!(alive.connector.tally().settled(Outcome::Succeeded), 1);
}

#[test]
fn what_has_no_answer_for_too_long_is_left_to_the_next_request() {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.open("o", r#"{"card":"tok_ok"}"#);
    sandbox.lose_answers(u32::MAX);
    let hold = Duration::from_millis(60);
    let settings = Settings { hold, ..settings() };
    let mut alive = bed.connect(gateway(&sandbox, SECRET, Duration::from_secs(10)), settings);
    until(&mut alive, "let go", |_| bed.is_done());
    assert_eq!((alive.connector.tally().let_go(), bed.count("o", "RechargeSucceeded")), (1, 0));
    sandbox.lose_answers(0);
    bed.wait(15 * 60);
    assert_eq!(bed.count("o", "RechargeRequested"), 2, "the engine asks again under the same id");
    until(&mut alive, "done", |_| bed.is_done());
    assert_eq!((sandbox.payments("o/1"), sandbox.attempts("o/1")), (1, 1));
    assert_eq!(bed.purchased("o"), Money::parse("100").unwrap());
}

/// The slow card takes longer than anybody waits.
#[test]
fn one_without_an_answer_holds_nobody_up() {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.open("slow", r#"{"card":"tok_slow"}"#);
    bed.open("ok", r#"{"card":"tok_ok"}"#);
    bed.open("agreed", r#"{"agreement":"EA-1"}"#);
    let impatient = Duration::from_millis(10);
    let gateway: Arc<dyn Gateway> = Arc::new(Either {
        patient: gateway(&sandbox, SECRET, Duration::from_secs(10)),
        impatient: gateway(&sandbox, SECRET, impatient),
    });
    let mut alive = bed.connect(gateway, settings());
    until(&mut alive, "the others are settled", |_| {
        bed.count("ok", "RechargeSucceeded") + bed.count("agreed", "RechargeSucceeded") == 2
    });
    until(&mut alive, "tried", |alive| alive.connector.tally().unanswered() >= 2);
    let tally = alive.connector.tally();
    assert_eq!((tally.settled(Outcome::Succeeded), tally.agreed()), (1, 1), "what is agreed is not the gateway's");
    assert!(tally.took.take().len() >= 3, "answered or not, each has its time");
    assert_eq!((bed.count("slow", "RechargeSucceeded"), bed.is_done()), (0, false));
    assert_eq!(sandbox.payments("slow/1"), 1, "it was paid: only nobody knows yet");
}

/// Has patience for all cards but the slow one.
struct Either {
    patient: Arc<dyn Gateway>,
    impatient: Arc<dyn Gateway>,
}

impl Gateway for Either {
    fn charge(
        &self,
        charge: &drawdown_connect::payment::Charge,
    ) -> Result<drawdown_connect::payment::Answer, drawdown_connect::payment::Unreachable> {
        let is_slow = charge.card.expose().starts_with("tok_slow");
        if is_slow { self.impatient.charge(charge) } else { self.patient.charge(charge) }
    }
}

/// After an outage the log holds requests whose answers stand further on: they are not charged.
#[test]
fn what_the_log_has_the_answer_to_is_not_charged() {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.open("o", r#"{"card":"tok_ok"}"#);
    bed.wait(3600);
    assert_eq!(bed.count("o", "RechargeRequested"), 5);
    bed.command(br#"{"commandId":"desk","orgId":"o","at":"2026-03-05T01:00:00Z","type":"settleRecharge","rechargeId":"o/1","outcome":"succeeded","processedAt":"2026-03-05T01:00:00Z"}"#);
    let mut alive = bed.connect(gateway(&sandbox, SECRET, Duration::from_secs(10)), settings());
    until(&mut alive, "done", |_| bed.is_done());
    assert_eq!((sandbox.attempts("o/1"), bed.count("o", "RechargeSucceeded")), (0, 1));
}

#[test]
fn nothing_is_charged_or_settled_while_history_is_read() {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.open("ok", r#"{"card":"tok_ok"}"#);
    bed.open("agreed", r#"{"agreement":"EA-1"}"#);
    bed.be_history(true);
    let commands = bed.commands();
    let few = Settings { open_max: 1, hold: Duration::ZERO, ..settings() };
    let mut alive = bed.connect(gateway(&sandbox, SECRET, Duration::from_secs(10)), few);
    for _ in 0..50 {
        assert!(alive.step());
    }
    assert_eq!((sandbox.attempts("ok/1"), bed.commands()), (0, commands));
    bed.be_history(false);
    until(&mut alive, "done", |_| bed.is_done());
    assert_eq!(bed.count("ok", "RechargeSucceeded") + bed.count("agreed", "RechargeSucceeded"), 2);
}
