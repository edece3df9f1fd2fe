//! Bodies that nobody means well with: each gets a clear answer, and the engine goes on as if nothing had been said.

use crate::client::{Answer, Client};
use crate::guarded::{Guarded, call, furnish, recharging, terms};
use drawdown_api::routes::{Endpoint, Shape, endpoints};
use serde_json::{Value, json};

const JSON: &str = "application/json";

fn send(client: &Client, method: &str, path: &str, media: &str, body: &[u8]) -> Answer {
    // What is too long is refused before it is sent; who sends it all the same may see no more than a closed connection.
    let headers: &[_] = if body.len() > 1 << 20 { &[("expect", "100-continue")] } else { &[] };
    let answer = client.try_send(method, path, headers, Some((media, body)));
    answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// A problem that says what is wrong, in fewer words than were sent.
fn check(answer: &Answer, statuses: &[u16], what: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(statuses.contains(&answer.status), "{what}: {} {}", answer.status, text.get(..200).unwrap_or(&text));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert!(answer.body.len() < 4096, "{what}: {} bytes", answer.body.len());
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{what}");
}

/// The endpoints that take a body, with a path of an account that is there.
fn taking() -> Vec<(Endpoint, String)> {
    let known = [("{org}", "contoso"), ("{user}", "u1"), ("{licence}", "MCOPSTN1"), ("{lot}", "L1"), ("{number}", "1")];
    let takes = endpoints().into_iter().filter(|endpoint| endpoint.takes != Shape::Nothing);
    let with_path = |endpoint: Endpoint| {
        let path = known.iter().fold(endpoint.path.to_owned(), |path, (name, value)| path.replace(name, value));
        (endpoint, path)
    };
    takes.map(with_path).collect()
}

/// Of each form of nonsense one, to every endpoint that takes something.
fn malformed(client: &Client) {
    let deep = "[".repeat(100_000);
    let deep_inside = format!("{{\"a\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let bodies: [(&str, &[u8]); 8] = [
        ("arrays without end", deep.as_bytes()),
        ("deep inside an object", deep_inside.as_bytes()),
        ("no UTF-8", b"{\"orgId\":\"\xff\xfe\"}"),
        ("half a surrogate", br#"{"orgId":"\ud800"}"#),
        ("a number without end", b"{\"seconds\":1e999999999}"),
        ("no JSON", b"{'orgId': 1}"),
        ("nothing but blanks", b"   "),
        ("a text", b"\"{}\""),
    ];
    for (endpoint, path) in taking() {
        for (name, body) in &bodies {
            let what = format!("{} {path}: {name}", endpoint.method);
            let answer = send(client, endpoint.method.as_str(), &path, JSON, body);
            // What no line of the log can be is refused at once; what a record says of no organisation, too.
            check(&answer, &[400, 422], &what);
        }
    }
    for media in ["application/x-ndjson", "application/cloudevents+json", "application/cloudevents-batch+json"] {
        for (name, body) in &bodies {
            check(&send(client, "POST", "/v1/cdrs", media, body), &[400, 422], &format!("{media}: {name}"));
        }
    }
}

fn keys_that_are_there_twice(client: &Client) {
    let lots = "/v1/accounts/contoso/lots";
    let twice = send(client, "POST", lots, JSON, br#"{"amount":"1.00","amount":"1000.00"}"#);
    check(&twice, &[400], "which amount?");
    assert!(twice.json()["detail"].as_str().is_some_and(|it| it.contains("\"amount\" is there twice")), "{twice:?}");
    let inside = br#"{"paymentMethod":{"card":"a","card":"b"}}"#;
    check(&send(client, "PUT", "/v1/accounts/contoso/payment-method", JSON, inside), &[400], "which card?");
}

/// A text of a mebibyte in every field that is a text, and in every part of a path.
fn texts_without_end(client: &Client) {
    let of = |rest: &str| format!("/v1/accounts/contoso{rest}");
    let call = json!({"orgId": "contoso", "callId": "c", "userId": "u1", "calleeNumber": "+442071838750",
        "callerNumber": "+12065550100", "callType": "user_out", "usageCountryCode": "US",
        "destinationContext": "Domestic", "startDateTime": "2026-01-01T00:00:00Z"});
    let funds = json!({"lotId": "L9", "amount": "1.00", "reference": "r", "currency": "USD",
        "purchasedAt": "2026-01-01T00:00:00Z", "expiresAt": "2027-01-01T00:00:00Z"});
    let requests: Vec<(&str, String, Value)> = vec![
        ("POST", "/v1/accounts".to_owned(), terms("northwind")),
        ("POST", of("/lots"), funds),
        ("POST", of("/lots/L1/refund"), json!({"reason": "r"})),
        ("POST", of("/adjustments"), json!({"amount": "1.00", "reason": "r"})),
        ("POST", of("/recharges/1/settlement"), json!({"outcome": "declined", "reason": "r"})),
        ("PUT", of("/auto-recharge"), recharging()),
        ("PUT", of("/payment-method"), json!({"paymentMethod": {"agreement": "a", "purchaseOrder": "p"}})),
        ("PUT", of("/mode"), json!({"mode": "prepaid"})),
        ("PUT", of("/rate-plan"), json!({"ratePlan": "standard"})),
        ("PUT", of("/users/u1/licences/MCOPSTN1"), json!({"country": "US"})),
        ("POST", "/v1/authorisations".to_owned(), call.clone()),
        ("POST", "/v1/authorisations/extension".to_owned(), call),
        ("POST", "/v1/authorisations/release".to_owned(), json!({"orgId": "contoso", "callId": "c"})),
    ];
    // One that is cut off by the limit of the body, one that is not.
    for length in [1 << 20, 1_000_000] {
        let long = "x".repeat(length);
        for (method, path, body) in &requests {
            for place in texts_of(body) {
                let mut body = body.clone();
                *body.pointer_mut(&place).expect("it is there") = json!(long);
                let what = format!("{method} {path} {place}");
                let answer = send(client, method, path, JSON, body.to_string().as_bytes());
                check(&answer, if length == 1 << 20 { &[413] } else { &[422] }, &what);
                if answer.status == 422 {
                    let field = place.split('/').nth(1).expect("a name");
                    assert_eq!(answer.json()["field"], field, "{what}");
                }
            }
        }
    }
    let long = "x".repeat(2000);
    for path in [format!("/users/{long}/licences/MCOPSTN1"), format!("/users/u1/licences/{long}")] {
        check(&send(client, "PUT", &of(&path), JSON, br#"{"country":"US"}"#), &[422], "a path");
        check(&client.send("DELETE", &of(&path), &[], None), &[422], "a path");
    }
    check(&send(client, "POST", &of(&format!("/lots/{long}/refund")), JSON, br#"{"reason":"r"}"#), &[422], "a lot");
    let nowhere = format!("/v1/accounts/{long}/lots");
    check(&send(client, "POST", &nowhere, JSON, br#"{"amount":"1.00"}"#), &[404], "an organisation");
    check(&client.get(&format!("/v1/accounts/{long}")), &[404], "an organisation");
    let key = [("idempotency-key", &*long)];
    let keyed = client.send("POST", &of("/lots"), &key, Some(&json!({"amount": "1.00"})));
    check(&keyed, &[422], "the id of a command");
    assert_eq!(keyed.json()["field"], "Idempotency-Key");
}

/// Pointers to every text within a body.
fn texts_of(body: &Value) -> Vec<String> {
    let fields = body.as_object().into_iter().flatten();
    fields
        .flat_map(|(name, value)| match value {
            Value::String(_) => vec![format!("/{name}")],
            other => texts_of(other).into_iter().map(|rest| format!("/{name}{rest}")).collect(),
        })
        .collect()
}

fn records_without_end(client: &Client) {
    let calls: Vec<Value> = (0..10_001).map(|number| call("contoso", &format!("many-{number}"))).collect();
    let too_many = send(client, "POST", "/v1/cdrs", JSON, json!(calls).to_string().as_bytes());
    check(&too_many, &[413], "10,001 records");
    let most = send(client, "POST", "/v1/cdrs", JSON, json!(calls[..10_000]).to_string().as_bytes());
    assert_eq!(most.expect(202)["accepted"], 10_000);
    let mut long = call("contoso", "long");
    for field in ["id", "source", "userId", "calleeNumber", "callType"] {
        let short = std::mem::replace(&mut long[field], json!("7".repeat(1 << 20)));
        check(&send(client, "POST", "/v1/cdrs", JSON, long.to_string().as_bytes()), &[413], field);
        // Shorter, it is taken, and what the engine makes of it is its affair: it goes on.
        long[field] = json!("7".repeat(200_000));
        send(client, "POST", "/v1/cdrs", JSON, long.to_string().as_bytes()).expect(202);
        long[field] = short;
    }
    let mut deep = call("contoso", "deep").to_string();
    deep.truncate(deep.len() - 1);
    deep.push_str(&format!(",\"more\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000)));
    send(client, "POST", "/v1/cdrs", JSON, deep.as_bytes()).expect(202);
    send(client, "POST", "/v1/cdrs", JSON, br#"{"orgId":"contoso","id":"a","id":"b"}"#);
}

fn resident_bytes(client: &Client) -> f64 {
    let metrics = String::from_utf8(client.get("/metrics").body).expect("text");
    let line = metrics.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
    line.and_then(|bytes| bytes.parse().ok()).expect("a figure")
}

#[test]
fn nothing_that_is_sent_stops_the_engine() {
    let pipeline = Guarded::new();
    let key = pipeline.key("admin", None);
    let (mut process, mut client) = pipeline.start();
    client.key = Some(key);
    furnish(&client, "contoso");
    let account = client.get("/v1/accounts/contoso").body;
    let before = resident_bytes(&client);
    malformed(&client);
    keys_that_are_there_twice(&client);
    texts_without_end(&client);
    assert_eq!(client.get("/v1/accounts/contoso").body, account, "nothing of it was done");
    records_without_end(&client);
    let last = json!({"lotId": "last", "amount": "1.00"});
    client.post("/v1/accounts/contoso/lots", &last).expect(201);
    client.post("/v1/cdrs", &call("contoso", "last")).expect(202);
    client.wait_for("/v1/accounts/contoso/calls/last/explanation", |page| page["items"][0].is_object());
    assert!(process.is_alive());
    assert_eq!(client.get("/healthz").status, 200);
    let log = std::fs::read_dir(pipeline.path("")).expect("a directory").filter_map(Result::ok);
    let log = log.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|it| it == "log"));
    let log = std::fs::read_to_string(log.expect("a log")).expect("text");
    assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    let grown = resident_bytes(&client) - before;
    assert!(grown < 256e6, "{grown} bytes more than before");
    process.stop();
}
