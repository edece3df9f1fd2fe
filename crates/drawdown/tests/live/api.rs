//! The API of a running process: from an empty store to a rated call and its explanation, on the embedded store and on a
//! real Kafka; what is said again is done once; what was acknowledged is there after the process was killed.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::client::{self, Client};
use crate::process::{Process, drawdown, run};
use drawdown_testkit::kafka::{self, Broker};
use serde_json::{Value, json};
use tempfile::TempDir;

fn bundled(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

/// A pipeline with a deck and nothing else.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new(log: &str) -> Self {
        let dir = TempDir::new().expect("a directory");
        let (store, deck) = (dir.path().join("store"), bundled("decks/acs-pstn.toml"));
        let text = format!(
            "{log}\n[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n[http]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(dir.path().join("drawdown.toml"), text).expect("it can be written");
        Desk { dir }
    }

    fn on_kafka(broker: &Broker, test: &str) -> Self {
        let prefix = kafka::topic_prefix(test);
        let desk = Desk::new(&format!(
            "[kafka]\nbrokers = [{:?}]\nprefix = {prefix:?}\ngroup = \"{prefix}group\"\ninstance = \"one\"",
            broker.brokers()
        ));
        run(drawdown()
            .args(["topics", "create", "--partitions", "4", "--replication", "1", "--config"])
            .arg(desk.path("drawdown.toml")));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self) -> (Process, Client) {
        // A log of its own, so that the address is that of this process.
        let number = std::fs::read_dir(self.dir.path()).expect("a directory").count();
        let log = self.path(&format!("serve-{number}.log"));
        let process = Process::start(&self.path("drawdown.toml"), &log);
        (process, Client::of_log(&log))
    }
}

fn open(client: &Client, org: &str) {
    let terms = json!({"orgId": org, "currency": "USD", "ratePlan": "standard", "country": "US", "licensing": "none"});
    let done = client.post("/v1/accounts", &terms).expect(201);
    assert_eq!(done["events"][0]["type"], "AccountOpened", "{done}");
}

fn now() -> String {
    drawdown_api::meters::clock().plus_seconds(-120).to_string()
}

fn call(org: &str, id: &str, seconds: u32) -> Value {
    json!({"id": id, "source": "switch-1", "orgId": org, "userId": "u1", "callType": "user_out",
        "calleeNumber": "+442071838750", "callerNumber": "+12065550100", "startDateTime": now(), "duration": seconds})
}

/// What a newcomer does, by requests alone.
fn a_call_from_nothing(desk: &Desk) {
    let (process, client) = desk.start();
    open(&client, "contoso");
    let funds = json!({"lotId": "L1", "amount": "100.00", "reference": "PO 4711"});
    let again = [("idempotency-key", "order-1")];
    let first = client.send("POST", "/v1/accounts/contoso/lots", &again, Some(&funds));
    let done = first.expect(201);
    assert_eq!(done["commandId"], "order-1");
    assert_eq!(done["events"][0]["actor"]["subject"], "local", "who did it stands in the event: {done}");
    assert_eq!(done["events"][0]["actor"]["address"], "127.0.0.1");
    // The very same again, and another under the same key.
    let second = client.send("POST", "/v1/accounts/contoso/lots", &again, Some(&funds));
    assert_eq!((second.expect(201), second.header("idempotency-replayed")), (done.clone(), Some("true")));
    let other = json!({"lotId": "L1", "amount": "200.00"});
    let refused = client.send("POST", "/v1/accounts/contoso/lots", &again, Some(&other)).expect(422);
    assert_eq!(refused["type"], "/problems/idempotency-key-reused");

    assert_eq!(client.post("/v1/cdrs", &call("contoso", "call-1", 90)).expect(202)["accepted"], 1);
    let debits = client.wait_for("/v1/accounts/contoso/debits", |page| page["items"][0].is_object());
    let debit = &debits["items"][0];
    assert_eq!((&debit["id"], &debit["funding"][0]["lotId"]), (&json!("call-1"), &json!("L1")), "{debit}");
    let explained = client.get("/v1/accounts/contoso/calls/call-1/explanation").expect(200);
    assert_eq!(explained["items"][0]["recomputed"]["equal"], true, "{explained}");
    client.wait_for("/v1/accounts/contoso/balance", |balance| balance["settled"] == debit["balanceAfter"]);
    assert_eq!(client.get("/v1/accounts/contoso/lots").expect(200)["lots"][0]["lotId"], "L1");

    // Killed and started again: the key is still known, from the log.
    process.kill_9();
    let (process, client) = desk.start();
    let third = client.send("POST", "/v1/accounts/contoso/lots", &again, Some(&funds));
    assert_eq!((third.expect(201), third.header("idempotency-replayed")), (done, Some("true")));
    let refused = client.send("POST", "/v1/accounts/contoso/lots", &again, Some(&other)).expect(422);
    assert_eq!(refused["type"], "/problems/idempotency-key-reused");
    assert_eq!(client.get("/v1/accounts/contoso/commands/order-1").expect(200)["outcome"], "applied");

    settings(&client);
    pages(&client);
    refusals(&client);
    process.stop();
}

fn settings(client: &Client) {
    let path = "/v1/accounts/contoso/auto-recharge";
    assert_eq!(client.get(path).expect(404)["type"], "/problems/not-set");
    let wanted = json!({"enabled": true, "rechargeAmount": "100", "triggerAmount": "20",
        "paymentMethod": {"card": "tok_of_contoso_4242"}});
    client.send("PUT", path, &[], Some(&wanted)).expect(200);
    let shown = client.get(path);
    let tag = shown.header("etag").expect("a mark").to_owned();
    assert_eq!(shown.expect(200)["paymentMethod"]["card"], "…4242", "no token leaves the server");
    let fewer = json!({"enabled": true, "rechargeAmount": "50", "triggerAmount": "20",
        "paymentMethod": {"card": "tok_of_contoso_4242"}});
    let keyed = [("if-match", &*tag), ("idempotency-key", "fewer")];
    let first = client.send("PUT", path, &keyed, Some(&fewer)).expect(200);
    let again = client.send("PUT", path, &keyed, Some(&fewer));
    assert_eq!(
        (again.expect(200), again.header("idempotency-replayed")),
        (first, Some("true")),
        "it is the same request"
    );
    let stale = client.send("PUT", path, &[("if-match", &tag)], Some(&wanted)).expect(412);
    assert_eq!(stale["type"], "/problems/precondition-failed");
    let payment = json!({"paymentMethod": {"agreement": "EA-1", "purchaseOrder": "PO-1"}});
    let (method, keyed) = ("/v1/accounts/contoso/payment-method", [("idempotency-key", "agreement")]);
    let first = client.send("PUT", method, &keyed, Some(&payment)).expect(200);
    let shown = client.get(path).expect(200);
    assert_eq!((&shown["paymentMethod"]["agreement"], &shown["rechargeAmount"]), (&json!("EA-1"), &json!("50.00")));
    // What is beside the payment method is none of its business.
    client.send("PUT", path, &[], Some(&wanted)).expect(200);
    let again = client.send("PUT", method, &keyed, Some(&payment));
    assert_eq!((again.expect(200), again.header("idempotency-replayed")), (first, Some("true")));
    assert_eq!(client.get(path).expect(200)["rechargeAmount"], "100.00", "it was not done again");
    let licence = "/v1/accounts/contoso/users/u1/licences/MCOPSTN1";
    client.send("PUT", licence, &[], Some(&json!({"country": "US"}))).expect(200);
    assert_eq!(client.get("/v1/accounts/contoso/users/u1").expect(200)["userId"], "u1");
    client.send("DELETE", licence, &[], None).expect(200);
}

fn pages(client: &Client) {
    let calls: Vec<Value> = (2..12).map(|number| call("contoso", &format!("call-{number}"), 60)).collect();
    assert_eq!(client.post("/v1/cdrs", &json!(calls)).expect(202)["accepted"], 10);
    client.wait_for("/v1/accounts/contoso/debits?limit=1000", |page| {
        page["items"].as_array().is_some_and(|items| items.len() == 11)
    });
    let (mut ids, mut cursor) = (HashSet::new(), String::new());
    for _ in 0..20 {
        let after = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let page = client.get(&format!("/v1/accounts/contoso/debits?limit=4{after}")).expect(200);
        let items = page["items"].as_array().expect("a list");
        assert!(
            items.iter().all(|item| ids.insert(item["id"].as_str().expect("an id").to_owned())),
            "none comes twice"
        );
        cursor = page["next"].as_str().expect("a cursor").to_owned();
        if page["isEnd"] == true {
            break;
        }
    }
    assert_eq!(ids.len(), 11, "none is left out");
    let one = client.get("/v1/accounts/contoso/debits?id=call-7").expect(200);
    assert_eq!(one["items"].as_array().map(Vec::len), Some(1));
    let events = client.get("/v1/accounts/contoso/events?type=FundsAdded").expect(200);
    assert_eq!(events["items"].as_array().map(Vec::len), Some(1), "{events}");
    let usage = client.get("/v1/accounts/contoso/reports/usage?from=2020-01-01&to=2100-01-01");
    assert_eq!(String::from_utf8_lossy(&usage.body).lines().count(), 12, "a header and a row a call");
    let month = &now()[..7];
    let statement = client.get(&format!("/v1/accounts/contoso/reports/statement?month={month}"));
    assert_eq!(statement.expect(200)["orgId"], "contoso");
}

fn refusals(client: &Client) {
    let check = |answer: client::Answer, status: u16, kind: &str, field: Option<&str>| {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        let problem = answer.expect(status);
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["field"].as_str(), field, "{problem}");
    };
    let lots = "/v1/accounts/contoso/lots";
    check(client.post(lots, &json!({"amount": 5})), 422, "bad-field", Some("amount"));
    check(client.post(lots, &json!({"amount": "5.00", "expire": "x"})), 422, "bad-field", Some("expire"));
    check(client.post(lots, &json!({"amount": "5.00", "at": now()})), 422, "bad-field", Some("at"));
    check(client.post(lots, &json!({})), 422, "missing-field", Some("amount"));
    check(client.post(lots, &json!({"lotId": "L1", "amount": "5.00"})), 409, "refused", None);
    check(client.post("/v1/accounts/nobody/lots", &json!({"amount": "5.00"})), 404, "unknown-account", None);
    check(client.get("/v1/accounts/nobody"), 404, "unknown-account", None);
    check(client.get("/v1/accounts/contoso/debits?limit=0"), 422, "bad-field", Some("limit"));
    check(client.get("/v1/accounts/contoso/debits?cursor=there"), 422, "bad-cursor", Some("cursor"));
    check(client.get("/v1/accounts/contoso/debits?colour=red"), 400, "malformed", None);
    check(client.get("/v1/nothing"), 404, "not-found", None);
    check(client.send("PATCH", "/v1/accounts", &[], None), 405, "method-not-allowed", None);
    check(client.post("/v1/cdrs", &json!([])), 400, "malformed", None);
    check(client.post("/v1/cdrs?source=/etc/passwd", &call("contoso", "x", 1)), 422, "bad-field", Some("source"));
    let text = client.try_send("POST", lots, &[], Some(("text/plain", b"amount=5"))).expect("an answer");
    check(text, 415, "unsupported-media-type", None);
}

#[test]
fn a_call_from_nothing_on_the_embedded_store() {
    a_call_from_nothing(&Desk::new("[log]\nkind = \"embedded\""));
}

#[test]
fn a_call_from_nothing_on_kafka() {
    if !kafka::runs_here() {
        return;
    }
    let broker = Broker::single().expect("a broker");
    let desk = Desk::on_kafka(&broker, "api-call");
    a_call_from_nothing(&desk);
}

/// The status of an answer that never ends.
fn status_of_stream(client: &Client, path: &str) -> u16 {
    let address = client.base.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(client::PATIENCE)).expect("a socket");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").expect("it is sent");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// Two processes share the partitions; whichever is asked, the owner answers.
#[test]
fn either_process_answers_for_every_organisation() {
    const ORGS: usize = 16;
    if !kafka::runs_here() {
        return;
    }
    let broker = Broker::single().expect("a broker");
    let desk = Desk::on_kafka(&broker, "api-owners");
    let text = std::fs::read_to_string(desk.path("drawdown.toml")).expect("a configuration");
    let text = text.replace("[embedded]", "[log]\nworkers = 1\n[embedded]");
    let start = |name: &str| {
        let config = desk.path(&format!("{name}.toml"));
        let own = text.replace("instance = \"one\"", &format!("instance = {name:?}"));
        std::fs::write(&config, own).expect("it can be written");
        let log = desk.path(&format!("{name}.log"));
        let process = Process::start(&config, &log);
        (process, Client::of_log(&log), log)
    };
    let (_one, first, _) = start("one");
    let (two, second, log) = start("two");
    let deadline = std::time::Instant::now() + client::PATIENCE;
    // The second has its share once it says so.
    while !std::fs::read_to_string(&log).expect("a log").lines().any(|line| line.contains("restored partitions=2")) {
        assert!(std::time::Instant::now() < deadline, "the second process owns nothing");
        std::thread::sleep(Duration::from_millis(100));
    }
    let clients = [&first, &second];
    for number in 0..ORGS {
        let org = format!("org-{number}");
        let (here, there) = (clients[number % 2], clients[(number + 1) % 2]);
        open(here, &org);
        let funds = json!({"lotId": "L1", "amount": "10.00"});
        there.post(&format!("/v1/accounts/{org}/lots"), &funds).expect(201);
        for client in clients {
            let balance = client.get(&format!("/v1/accounts/{org}/balance")).expect(200);
            assert_eq!(balance["settled"], "10.00", "{org}: {balance}");
        }
        let call = json!({"orgId": org, "callId": "c", "userId": "u", "calleeNumber": "+442071838750"});
        let answers = clients.map(|client| client.post("/v1/authorisations", &call).expect(200));
        assert_eq!(answers[0]["allowed"], true, "{}", answers[0]);
        assert_eq!(answers[0]["grantedSeconds"], answers[1]["grantedSeconds"], "the same reservation");
        let reserved = clients.map(|client| client.get(&format!("/v1/accounts/{org}/balance")).expect(200));
        assert_eq!(reserved[0]["reserved"], reserved[1]["reserved"], "held once, by the owner");
    }
    let month = &now()[..7];
    for (client, number) in clients.into_iter().cycle().zip(0..8) {
        let of = |rest: &str| format!("/v1/accounts/org-{}{rest}", number / 2);
        let statement = client.get(&of(&format!("/reports/statement?month={month}"))).expect(200);
        assert_eq!(statement["orgId"], format!("org-{}", number / 2));
        let usage = client.get(&of("/reports/usage?from=2020-01-01&to=2100-01-01"));
        assert_eq!(String::from_utf8_lossy(&usage.body).lines().count(), 1, "a header and no call: {usage:?}");
        for lines in ["debits", "events"] {
            assert_eq!(status_of_stream(client, &of(&format!("/{lines}/stream"))), 200);
        }
        client.get(&format!("/v1/accounts/nobody/reports/statement?month={month}")).expect(404);
    }
    let reserved = |client: &Client, number: usize| {
        let balance = client.wait_for(&format!("/v1/accounts/org-{number}/balance"), |it| it["reserved"].is_string());
        balance["reserved"].as_str().map(str::to_owned)
    };
    let before: Vec<_> = (0..ORGS).map(|number| reserved(&first, number)).collect();
    assert!(before.iter().flatten().all(|reserved| reserved != "0.00"), "{before:?}");
    std::thread::sleep(PROMISES_KEPT);
    two.kill_9();
    let after: Vec<_> = (0..ORGS).map(|number| reserved(&first, number)).collect();
    assert_eq!(after, before, "whoever owns a partition next keeps what was promised");
}

/// By then what is promised to a call is in the log: twenty times as long as a transaction waits for more.
const PROMISES_KEPT: Duration = Duration::from_secs(1);

#[test]
fn what_is_promised_to_a_running_call_is_promised_after_a_kill() {
    let desk = Desk::new("[log]\nkind = \"embedded\"");
    let (process, client) = desk.start();
    open(&client, "contoso");
    client.post("/v1/accounts/contoso/lots", &json!({"lotId": "L1", "amount": "1.00"})).expect(201);
    let call = |id: &str| json!({"orgId": "contoso", "callId": id, "userId": "u", "calleeNumber": "+442071838750"});
    let ask = |client: &Client, id: &str| client.post("/v1/authorisations", &call(id)).expect(200);
    let mut calls = 0;
    while ask(&client, &calls.to_string())["allowed"] == true {
        calls += 1;
    }
    assert!(calls > 1, "the balance pays for several");
    let reserved = client.get("/v1/accounts/contoso/balance").expect(200)["reserved"].clone();
    std::thread::sleep(PROMISES_KEPT);
    process.kill_9();

    let (process, client) = desk.start();
    let balance = client.wait_for("/v1/accounts/contoso/balance", |it| it["reserved"].is_string());
    assert_eq!(balance["reserved"], reserved);
    let refused = ask(&client, "another");
    assert_eq!(refused["refusal"]["reason"], "funds-promised", "{refused}");
    assert_eq!(ask(&client, "0")["allowed"], true, "a call that runs is the same call still");
    let shown = run(drawdown().args(["tail", "accounts", "--config"]).arg(desk.path("drawdown.toml")));
    assert_eq!(shown.lines().filter(|line| line.contains("\"type\":\"running-call\"")).count(), calls, "{shown}");
    for id in 0..calls {
        client.post("/v1/authorisations/release", &json!({"orgId": "contoso", "callId": id.to_string()})).expect(200);
    }
    std::thread::sleep(PROMISES_KEPT);
    process.kill_9();

    let (process, client) = desk.start();
    let balance = client.wait_for("/v1/accounts/contoso/balance", |it| it["reserved"].is_string());
    assert_eq!(balance["reserved"], "0.00");
    process.stop();
}

/// Clients add money while the process is killed and started again: what was acknowledged is there, once, and what was
/// not may be there once at most.
fn killed_under_load(desk: &Desk, kills: usize) {
    const CLIENTS: usize = 4;
    let base = Arc::new(Mutex::new(String::new()));
    let acknowledged = Arc::new(Mutex::new(Vec::<String>::new()));
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (mut process, client) = desk.start();
    open(&client, "contoso");
    base.lock().expect("a lock").clone_from(&client.base);
    let threads: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (base, acknowledged, stop, sent) =
                (Arc::clone(&base), Arc::clone(&acknowledged), Arc::clone(&stop), Arc::clone(&sent));
            std::thread::spawn(move || {
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    let client = Client::new(&base.lock().expect("a lock").clone());
                    let key = format!("{number}-{count}");
                    let body = json!({"lotId": key, "amount": "1.00"}).to_string();
                    let body = Some(("application/json", body.as_bytes()));
                    let path = "/v1/accounts/contoso/lots";
                    match client.try_send("POST", path, &[("idempotency-key", &key)], body) {
                        Ok(answer) if answer.status == 201 => {
                            acknowledged.lock().expect("a lock").push(key);
                            count += 1;
                            sent.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(answer) => {
                            let text = String::from_utf8_lossy(&answer.body);
                            assert!([202, 409, 503].contains(&answer.status), "{} {text}", answer.status);
                            // The same again, sometimes; something new, sometimes.
                            count += count % 2;
                            std::thread::sleep(Duration::from_millis(20));
                        }
                        Err(_) => {
                            count += 1;
                            std::thread::sleep(Duration::from_millis(20));
                        }
                    }
                }
            })
        })
        .collect();
    for _ in 0..kills {
        let before = sent.load(Ordering::Relaxed);
        let deadline = std::time::Instant::now() + client::PATIENCE;
        while sent.load(Ordering::Relaxed) < before + 20 {
            assert!(std::time::Instant::now() < deadline, "nothing goes on");
            std::thread::sleep(Duration::from_millis(10));
        }
        process.kill_9();
        let (next, client) = desk.start();
        process = next;
        base.lock().expect("a lock").clone_from(&client.base);
    }
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().expect("it did not panic"));
    let client = Client::new(&base.lock().expect("a lock").clone());
    // What is still on its way arrives first.
    client.post("/v1/accounts/contoso/lots", &json!({"lotId": "last", "amount": "1.00"})).expect(201);
    let lots = client.get("/v1/accounts/contoso/lots").expect(200);
    let lots = lots["lots"].as_array().expect("a list");
    let ids: Vec<&str> = lots.iter().map(|lot| lot["lotId"].as_str().expect("a name")).collect();
    let there: HashSet<&str> = ids.iter().copied().collect();
    assert_eq!(there.len(), ids.len(), "no lot is there twice");
    let acknowledged = acknowledged.lock().expect("a lock");
    let lost: Vec<_> = acknowledged.iter().filter(|key| !there.contains(key.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(acknowledged.len() >= 20 * kills);
    process.stop();
}

#[test]
fn nothing_acknowledged_is_lost_on_the_embedded_store() {
    killed_under_load(&Desk::new("[log]\nkind = \"embedded\""), 5);
}

#[test]
fn nothing_acknowledged_is_lost_on_kafka() {
    if !kafka::runs_here() {
        return;
    }
    let broker = Broker::single().expect("a broker");
    let desk = Desk::on_kafka(&broker, "api-killed");
    killed_under_load(&desk, 3);
}
