//! Our own contract, between the adapter and the sandbox.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use drawdown_connect::payment::{Charge, Outcome, key, signature};
use drawdown_connect::secret::Secret;
use drawdown_units::{Currency, Money, Timestamp};

use crate::bed::{SECRET, gateway, sandbox};

const PATIENCE: Duration = Duration::from_secs(10);

pub fn charge(card: &str, attempt: u32, sending: u32) -> Charge {
    Charge {
        key: key("t", "o/1", attempt),
        recharge: "o/1".into(),
        org: "o".into(),
        attempt,
        sending,
        at: Timestamp::EPOCH,
        amount: Money::parse("50").expect("money"),
        currency: Currency::parse("USD").expect("a currency"),
        card: Secret::new(card.to_owned()),
    }
}

#[test]
fn every_card_does_what_it_says() {
    for (card, expected) in [
        ("tok_ok", (Outcome::Succeeded, None)),
        ("tok_expired", (Outcome::Declined, Some("expired card"))),
        ("tok_declined", (Outcome::Declined, Some("card declined"))),
        ("tok_flaky", (Outcome::Failed, Some("issuer not available"))),
        ("tok_slow", (Outcome::Succeeded, None)),
        ("tok_other", (Outcome::Declined, Some("no such card"))),
    ] {
        let sandbox = sandbox();
        let gateway = gateway(&sandbox, SECRET, PATIENCE);
        let first = gateway.charge(&charge(card, 1, 1)).unwrap();
        assert_eq!((first.outcome, first.reason.as_deref()), expected, "{card}");
        assert!(first.processed.is_some());
        assert_eq!(gateway.charge(&charge(card, 1, 2)), Ok(first), "{card}: the same answer under the same key");
        assert_eq!((sandbox.requests("t/o/1/1"), sandbox.attempts("o/1")), (2, 1));
    }
}

#[test]
fn a_wrong_secret_charges_nothing_and_settles_nothing() {
    let sandbox = sandbox();
    let unknown = gateway(&sandbox, "whsec_other", PATIENCE).charge(&charge("tok_ok", 1, 1)).unwrap_err();
    assert_eq!(unknown.to_string(), "status 401");
    assert_eq!((sandbox.refused(), sandbox.attempts("o/1")), (1, 0));
}

#[test]
fn a_request_that_was_tampered_with_is_refused() {
    let sandbox = sandbox();
    let secret = Secret::new(SECRET.to_owned());
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let body = r#"{"rechargeId":"o/1","attempt":1,"amount":"50.00","paymentMethod":{"card":"tok_ok"}}"#;
    let signed = signature::sign(&secret, "t/o/1/1", now_s, body.as_bytes());
    let send = |key: &str, timestamp_s: u64, body: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{}/charges", sandbox.url())).header(signature::KEY, key);
        let request =
            request.header(signature::TIMESTAMP, timestamp_s.to_string()).header(signature::SIGNATURE, &signed);
        request.send(body).unwrap().status().as_u16()
    };
    assert_eq!(send("t/o/1/1", now_s, &body.replace("50.00", "5000.00")), 401);
    assert_eq!(send("t/o/1/2", now_s, body), 401);
    assert_eq!(send("t/o/1/1", now_s + 1, body), 401);
    assert_eq!(sandbox.attempts("o/1"), 0);
    assert_eq!(send("t/o/1/1", now_s, body), 200);
    assert_eq!((sandbox.refused(), sandbox.payments("o/1")), (3, 1));
}

#[test]
fn no_connection_is_no_answer_and_shows_no_secret() {
    let sandbox = sandbox();
    let gateway = gateway(&sandbox, SECRET, PATIENCE);
    drop(sandbox);
    let unknown = gateway.charge(&charge("tok_hidden", 1, 1)).unwrap_err();
    let told = format!("{unknown} {unknown:?}");
    assert!(!told.contains("tok_hidden") && !told.contains(SECRET), "{told}");
}
