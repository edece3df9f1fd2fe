//! Killed at every step, and at several in a row: every recharge is paid once, and booked once.

use std::time::{Duration, Instant};

use drawdown_connect::payment::sandbox::Sandbox;
use drawdown_units::Money;

use crate::bed::{Bed, Point, SECRET, gateway, sandbox, settings};

/// Organisation, way of paying, and how many attempts its recharge takes.
const ORGS: [(&str, &str, usize); 6] = [
    ("ok", r#"{"card":"tok_ok"}"#, 1),
    ("flaky", r#"{"card":"tok_flaky"}"#, 3),
    ("slow/1", r#"{"card":"tok_slow"}"#, 1),
    ("declined", r#"{"card":"tok_declined"}"#, 1),
    ("expired", r#"{"card":"tok_expired"}"#, 1),
    ("agreed", r#"{"agreement":"EA-1","purchaseOrder":"PO-1"}"#, 0),
];

/// Steps that no world takes.
const STEPS_MAX: usize = 100_000;

/// Plays a world to its end, with kills.
fn play(kills: &[(Point, usize)]) -> (Bed, Sandbox) {
    let (bed, sandbox) = (Bed::new(), sandbox());
    bed.kill_at(kills);
    ORGS.iter().for_each(|(org, payment, _)| bed.open(org, payment));
    let gateway = gateway(&sandbox, SECRET, Duration::from_secs(10));
    let mut alive = bed.connect(gateway.clone(), settings());
    // An hour and a half: three attempts, and no second recharge of those that were declined.
    for _ in 0..9 {
        for step in 0.. {
            assert!(step < STEPS_MAX, "it does not come to rest: {kills:?}");
            if !alive.step() {
                alive = bed.connect(gateway.clone(), settings());
            }
            if bed.is_done() {
                break;
            }
        }
        bed.wait(600);
    }
    (bed, sandbox)
}

fn check(bed: &Bed, sandbox: &Sandbox, kills: &[(Point, usize)]) {
    for (org, payment, attempts) in ORGS {
        let is_declined = payment.contains("declined") || payment.contains("expired");
        let paid = usize::from(!is_declined);
        let by_card = paid * usize::from(attempts > 0);
        let recharge = format!("{org}/1");
        assert_eq!(sandbox.payments(&recharge), by_card, "{org} is paid once: {kills:?}");
        assert_eq!(sandbox.attempts(&recharge), attempts, "{org} is tried as often as it must be: {kills:?}");
        assert_eq!(
            bed.purchased(org),
            Money::from_micros(if is_declined { 0 } else { 100_000_000 }),
            "{org}: {kills:?}"
        );
        for (kind, count) in [
            ("RechargeSucceeded", paid),
            ("InvoiceIssued", paid),
            ("RechargeFailed", 1 - paid),
            ("RechargeAttemptFailed", attempts.max(1) - 1),
            ("CommandRefused", 0),
        ] {
            assert_eq!(bed.count(org, kind), count, "{kind} of {org}: {kills:?}");
        }
    }
}

#[test]
fn killed_anywhere_it_pays_once_and_books_once() {
    let (bed, sandbox) = play(&[]);
    check(&bed, &sandbox, &[]);
    let (asked, answered) = (bed.passed(Point::BeforeCharge), bed.passed(Point::BeforeCommand));
    assert_eq!((asked, answered), (7, 8), "nothing is done twice where nothing is killed");
    for point in Point::ALL {
        for nth in 1..=bed.passed(point) {
            let kills = [(point, nth)];
            let (bed, sandbox) = play(&kills);
            check(&bed, &sandbox, &kills);
        }
    }
}

#[test]
fn killed_again_and_again_it_pays_once_and_books_once() {
    let seed = std::env::var("DRAWDOWN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_305_u64);
    println!("DRAWDOWN_SEED={seed}");
    let mut random = Random(seed);
    let started = Instant::now();
    for world in 0..24 {
        let kills: Vec<_> = (0..1 + random.below(6))
            .map(|_| (Point::ALL[random.below(Point::ALL.len())], 1 + random.below(3)))
            .collect();
        let (bed, sandbox) = play(&kills);
        check(&bed, &sandbox, &kills);
        println!("world {world}: {kills:?}, {:?}", started.elapsed());
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % limit as u64) as usize
    }
}
