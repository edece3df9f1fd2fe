//! The adapter of Stripe against a double of it: a real server that remembers keys and PaymentIntents as Stripe does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drawdown_connect::payment::sandbox::server::{Request, Response, Server};
use drawdown_connect::payment::stripe::{Settings, StripeGateway};
use drawdown_connect::payment::{Charge, Gateway, Outcome};
use drawdown_connect::secret::Secret;
use drawdown_units::{Currency, Money, Timestamp};
use serde_json::{Value, json};

use crate::bed::local;
use crate::contract::charge;

const SECRET: &str = "sk_test_hidden";

#[derive(Default)]
struct Double {
    /// Status, body, and the form that came first, by key.
    by_key: BTreeMap<String, (u16, Value, String)>,
    intents: Vec<Value>,
    searches: usize,
    /// Answered once instead of anything else.
    instead: Option<Response>,
}

struct Stripe {
    _server: Server,
    double: Arc<Mutex<Double>>,
    gateway: StripeGateway,
}

impl Stripe {
    fn new() -> Self {
        let double: Arc<Mutex<Double>> = Arc::default();
        let handling = Arc::clone(&double);
        let server =
            Server::start(local(), Arc::new(move |request| handling.lock().expect("nobody panicked").handle(request)))
                .expect("as the adapter sends it");
        let (url, secret) = (format!("http://{}", server.address()), Secret::new(SECRET.to_owned()));
        // An hour after the charges of the contract are asked for.
        let clock = || Timestamp::EPOCH.plus_seconds(3600);
        let gateway = StripeGateway::new(&Settings { url, secret, timeout: Duration::from_secs(10) }, clock)
            .expect("as the adapter sends it");
        Stripe { _server: server, double, gateway }
    }

    fn charge(&self, charge: &Charge) -> String {
        match self.gateway.charge(charge) {
            Ok(answer) => match answer.reason {
                Some(reason) => format!("{:?}: {reason}", answer.outcome),
                None => format!("{:?} {}", answer.outcome, answer.amount.unwrap_or_default()),
            },
            Err(unreachable) => format!("unknown: {unreachable}"),
        }
    }

    fn made(&self) -> Vec<Value> {
        self.double.lock().expect("nobody panicked").intents.clone()
    }
}

impl Double {
    fn handle(&mut self, request: &Request) -> Response {
        assert_eq!(request.header("authorization"), Some("Bearer sk_test_hidden"));
        assert!(request.header("stripe-version").is_some());
        if let Some(instead) = self.instead.take() {
            return instead;
        }
        match (request.method.as_str(), request.path.split('?').next().expect("as the adapter sends it")) {
            ("POST", "/v1/payment_intents") => self.make(request),
            ("GET", "/v1/payment_intents/search") => {
                self.searches += 1;
                let key = request.path.split("%27").nth(3).expect("as the adapter sends it").replace("%2F", "/");
                let found: Vec<_> =
                    self.intents.iter().filter(|intent| intent["metadata"]["drawdown_key"] == *key).collect();
                Response::of(200, &json!({"object": "search_result", "data": found, "has_more": false}))
            }
            ("GET", path) => {
                let id = path.rsplit('/').next().expect("as the adapter sends it");
                let mut intent =
                    self.intents.iter().find(|intent| intent["id"] == id).cloned().expect("as the adapter sends it");
                intent["status"] = json!("succeeded");
                Response::of(200, &intent)
            }
            other => panic!("{other:?}"),
        }
    }

    fn make(&mut self, request: &Request) -> Response {
        let form = String::from_utf8(request.body.clone()).expect("as the adapter sends it");
        let fields: BTreeMap<String, String> =
            form.split('&').map(|pair| pair.split_once('=').expect("as the adapter sends it")).map(unescaped).collect();
        let key = request.header("idempotency-key").expect("as the adapter sends it").to_owned();
        if let Some((status, body, first)) = self.by_key.get(&key) {
            if *first != form {
                return Response::of(400, &json!({"error": {"type": "idempotency_error"}}));
            }
            return Response::of(*status, body);
        }
        let (status, body) = self.confirm(&fields);
        self.by_key.insert(key, (status, body.clone(), form));
        Response::of(status, &body)
    }

    fn confirm(&mut self, fields: &BTreeMap<String, String>) -> (u16, Value) {
        for (name, value) in [("confirm", "true"), ("off_session", "true"), ("payment_method_types[]", "card")] {
            assert_eq!(fields[name], value);
        }
        let amount: u64 = fields["amount"].parse().expect("as the adapter sends it");
        let metadata =
            json!({"recharge_id": fields["metadata[recharge_id]"], "drawdown_key": fields["metadata[drawdown_key]"]});
        let mut intent = json!({
            "id": format!("pi_{}", self.intents.len()), "object": "payment_intent", "created": 1_772_800_000,
            "amount_received": amount, "currency": fields["currency"], "metadata": metadata, "status": "succeeded",
            "customer": fields.get("customer"), "last_payment_error": null,
        });
        let card = fields
            .get("payment_method")
            .or(fields.get("payment_method_data[card][token]"))
            .expect("as the adapter sends it");
        let refused =
            |code: &str, decline: Option<&str>| json!({"type": "card_error", "code": code, "decline_code": decline});
        let error = match card.as_str() {
            "pm_ok" | "tok_visa" => None,
            "pm_action" => {
                intent["status"] = json!("requires_action");
                None
            }
            "pm_processing" => {
                intent["status"] = json!("processing");
                None
            }
            "pm_expired" => Some(refused("expired_card", None)),
            "pm_poor" => Some(refused("card_declined", Some("insufficient_funds"))),
            "pm_later" => Some(refused("card_declined", Some("try_again_later"))),
            _ => {
                return (
                    400,
                    json!({"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "payment_method"}}),
                );
            }
        };
        if let Some(mut error) = error {
            intent["status"] = json!("requires_payment_method");
            intent["last_payment_error"] = error.clone();
            self.intents.push(intent.clone());
            error["payment_intent"] = intent;
            return (402, json!({"error": error}));
        }
        self.intents.push(intent.clone());
        (200, intent)
    }
}

fn unescaped((name, value): (&str, &str)) -> (String, String) {
    let unescape = |text: &str| {
        [("%5B", "["), ("%5D", "]"), ("%2F", "/"), ("+", " "), ("%20", " ")]
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    (unescape(name), unescape(value))
}

#[test]
fn every_status_means_what_it_says() {
    for (card, expected) in [
        ("pm_ok", "Succeeded 50.00"),
        ("tok_visa", "Succeeded 50.00"),
        ("cus_1:pm_ok", "Succeeded 50.00"),
        ("pm_expired", "Declined: expired card"),
        ("pm_poor", "Declined: insufficient funds"),
        ("pm_later", "Failed: try again later"),
        ("pm_action", "Declined: authentication required"),
        ("pm_processing", "Succeeded 50.00"),
        ("pm_gone", "Declined: resource missing"),
    ] {
        let stripe = Stripe::new();
        assert_eq!(stripe.charge(&charge(card, 1, 1)), expected, "{card}");
        assert_eq!(stripe.charge(&charge(card, 1, 1)), expected, "{card}, once more");
        let made = stripe.made();
        assert_eq!(made.len(), usize::from(card != "pm_gone"), "{card}");
        assert!(
            made.iter()
                .all(|intent| intent["customer"] == if card.contains(':') { json!("cus_1") } else { json!(null) })
        );
    }
}

#[test]
fn amounts_are_those_of_the_currency() {
    for (amount, currency, expected) in [
        ("50.01", "USD", "Succeeded 50.01"),
        ("5000", "JPY", "Succeeded 5000.00"),
        ("50.01", "JPY", "Declined: 50.01 is no amount that can be charged in JPY"),
    ] {
        let stripe = Stripe::new();
        let (money, currency) = (Money::parse(amount).unwrap(), Currency::parse(currency).unwrap());
        assert_eq!(stripe.charge(&Charge { amount: money, currency, ..charge("pm_ok", 1, 1) }), expected);
        let asked: Vec<_> = stripe.made().iter().map(|intent| intent["amount_received"].clone()).collect();
        assert_eq!(
            asked,
            if expected.starts_with('S') { vec![json!(5000 + u64::from(amount == "50.01"))] } else { Vec::new() }
        );
    }
}

#[test]
fn what_says_nothing_about_the_charge_settles_nothing() {
    let error = |status, kind: &str, code: &str| Response::of(status, &json!({"error": {"type": kind, "code": code}}));
    for (instead, expected) in [
        (error(409, "idempotency_error", "idempotency_key_in_use"), "unknown: status 409, idempotency_key_in_use"),
        (error(429, "invalid_request_error", "rate_limit"), "unknown: status 429, rate_limit"),
        (error(500, "api_error", ""), "unknown: status 500"),
        (error(401, "invalid_request_error", "api_key_expired"), "unknown: status 401, api_key_expired"),
        (Response::Json(502, b"<html>".to_vec()), "unknown: status 502"),
        (Response::Json(200, b"<html>".to_vec()), "unknown: an answer that cannot be read"),
        (Response::of(302, &json!({})), "unknown: status 302"),
    ] {
        let stripe = Stripe::new();
        stripe.double.lock().unwrap().instead = Some(instead);
        assert_eq!(stripe.charge(&charge("pm_ok", 1, 1)), expected);
        assert_eq!(stripe.charge(&charge("pm_ok", 1, 1)), "Succeeded 50.00");
        assert_eq!(stripe.made().len(), 1);
    }
    let stripe = Stripe::new();
    stripe.double.lock().unwrap().instead = Some(Response::Cut);
    assert!(stripe.charge(&charge("pm_ok", 1, 1)).starts_with("unknown: "));
}

/// Stripe forgets keys after a day; what was charged is found by its mark.
#[test]
fn what_was_asked_for_before_is_looked_for_before_it_is_charged() {
    let stripe = Stripe::new();
    assert_eq!(stripe.charge(&charge("pm_ok", 1, 1)), "Succeeded 50.00");
    stripe.double.lock().unwrap().by_key.clear();
    assert_eq!(stripe.charge(&charge("pm_ok", 1, 97)), "Succeeded 50.00");
    assert_eq!(stripe.made().len(), 1, "charged once");
    assert_eq!(stripe.charge(&charge("pm_ok", 2, 98)), "Succeeded 50.00");
    assert_eq!(
        (stripe.made().len(), stripe.double.lock().unwrap().searches),
        (2, 2),
        "another attempt is another charge"
    );
}

/// Whoever charged it died before it was settled, and is back when the key is forgotten: it asks for the first time.
#[test]
fn what_was_asked_for_long_ago_is_looked_for_before_it_is_charged() {
    let stripe = Stripe::new();
    let asked = charge("pm_ok", 1, 1);
    assert_eq!(stripe.charge(&asked), "Succeeded 50.00");
    assert_eq!(stripe.double.lock().unwrap().searches, 0, "what was asked for just now was never charged before");
    stripe.double.lock().unwrap().by_key.clear();
    let long_ago = Charge { at: Timestamp::EPOCH.plus_seconds(-25 * 3600), ..asked };
    assert_eq!(stripe.charge(&long_ago), "Succeeded 50.00");
    assert_eq!((stripe.made().len(), stripe.double.lock().unwrap().searches), (1, 1), "charged once");
}

#[test]
fn a_way_of_paying_that_was_changed_meanwhile_charges_nobody_twice() {
    for (first, expected) in [("pm_ok", "Succeeded 50.00"), ("pm_later", "Failed: try again later")] {
        let stripe = Stripe::new();
        assert_eq!(stripe.charge(&charge(first, 1, 1)), expected);
        assert_eq!(stripe.charge(&charge("tok_visa", 1, 1)), expected, "what came of the first is what counts");
        assert_eq!(stripe.made().len(), 1);
    }
}

#[test]
fn secrets_are_not_shown() {
    let stripe = Stripe::new();
    let answer = stripe.gateway.charge(&charge("pm_hidden", 1, 1)).unwrap();
    assert_eq!(answer.outcome, Outcome::Declined);
    let settings = Settings { url: String::new(), secret: Secret::new(SECRET.to_owned()), timeout: Duration::ZERO };
    let told = format!("{:?} {settings:?} {answer:?}", stripe.gateway);
    assert!(!told.contains("hidden"), "{told}");
}
