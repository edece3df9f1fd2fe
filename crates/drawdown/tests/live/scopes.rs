//! Every endpoint of the table with every kind of credential: who may, may; who may not learns nothing and moves nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use crate::client::{Answer, Client};
use crate::described::Description;
use crate::guarded::{Guarded, call, first_call, furnish, recharging, terms};
use crate::process::Process;
use drawdown_api::access::Scope;
use drawdown_api::routes::{Endpoint, Shape, endpoints};
use serde_json::{Value, json};

/// The account that belongs to a scope, so that what one does is not in the way of another.
fn own(scope: Scope) -> String {
    format!("of-{}", scope.name())
}

/// All, but those last that leave nothing for the others to work on.
fn in_order() -> Vec<Endpoint> {
    let mut all = endpoints();
    all.sort_by_key(|endpoint| endpoint.method == "DELETE" && endpoint.path == "/v1/accounts/{org}");
    all
}

fn target(endpoint: &Endpoint, org: &str) -> String {
    let is_diff = endpoint.path.ends_with("/diff");
    let mut target = endpoint.path.replace("{org}", org);
    let id = first_call(org);
    for (name, value) in [
        ("{user}", "u1"),
        ("{licence}", "MCOPSTN1"),
        ("{lot}", "L1"),
        ("{number}", "1"),
        ("{version}", "1"),
        ("{id}", &*id),
    ] {
        target = target.replace(name, value);
    }
    assert!(!target.contains('{'), "{target}: say here what the parameter is");
    let required = endpoint.query.iter().filter_map(|(name, _)| name.strip_prefix('!'));
    for (index, name) in required.enumerate() {
        let value = match name {
            "from" | "to" if is_diff => "1",
            "from" => "2026-01-01",
            "to" => "2026-02-01",
            "month" => "2026-01",
            "plan" => "standard",
            "number" => "%2B442071838750",
            other => panic!("{}: say here what {other} is", endpoint.path),
        };
        target.push_str(&format!("{}{name}={value}", if index == 0 { '?' } else { '&' }));
    }
    target
}

/// A body that would be done, were it let through.
fn body(endpoint: &Endpoint, org: &str) -> Option<Value> {
    let body = match endpoint.takes {
        Shape::Nothing | Shape::PageOf(_) | Shape::File(_) => return None,
        Shape::Command("openAccount") => terms(org),
        Shape::Command("addFunds") => json!({"amount": "5.00"}),
        Shape::Command("adjust") => json!({"amount": "5.00", "reason": "goodwill"}),
        Shape::Command("refundLot") => json!({"reason": "asked for"}),
        Shape::Command("settleRecharge") => json!({"outcome": "succeeded"}),
        Shape::Command("configureAutoRecharge") => recharging(),
        Shape::Command("setMode") => json!({"mode": "prepaid"}),
        Shape::Command("setRatePlan") => json!({"ratePlan": "standard"}),
        Shape::Command("assignLicence") => json!({"country": "US"}),
        Shape::Command(other) => panic!("say here what {other} takes"),
        Shape::Named("PaymentMethod") => json!({"paymentMethod": {"agreement": "EA-1"}}),
        Shape::Named("UsageRecords") => call(org, &format!("another-of-{org}")),
        Shape::Named("Publication") => json!({"manifest": "", "rows": ""}),
        Shape::Named("AuthorisationRequest") => {
            json!({"orgId": org, "callId": "call-3", "calleeNumber": "+442071838750"})
        }
        Shape::Named(_) => json!({"orgId": org, "callId": "call-3"}),
    };
    Some(body)
}

fn ask(client: &Client, endpoint: &Endpoint, org: &str) -> Answer {
    let target = target(endpoint, org);
    if endpoint.path.ends_with("/stream") {
        return head_of(client, &target);
    }
    let text = body(endpoint, org).map(|body| body.to_string());
    let body = text.as_ref().map(|text| ("application/json", text.as_bytes()));
    let answer = client.try_send(endpoint.method.as_str(), &target, &[], body);
    answer.unwrap_or_else(|error| panic!("{} {target}: {error}", endpoint.method))
}

/// The head of an answer whose body may never end; a problem has one that does.
fn head_of(client: &Client, target: &str) -> Answer {
    let address = client.base.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let key = client.key.as_ref().map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {address}\r\n{key}connection: close\r\n\r\n").expect("it is sent");
    let mut lines = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    };
    let first = next();
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{first}"));
    let mut headers = Vec::new();
    loop {
        let line = next();
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let body = if status == 200 { String::new() } else { next() };
    Answer { status, headers, body: body.into_bytes() }
}

fn check_refused(answer: &Answer, status: u16, kind: &str, what: &str) {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{what}: {text}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.json()["type"], format!("/problems/{kind}"), "{what}: {text}");
}

/// What was paid in, and what was corrected by hand. (Who closes an account has the rest of it paid back.)
fn paid_in(admin: &Client, org: &str) -> Value {
    let account = admin.get(&format!("/v1/accounts/{org}")).expect(200);
    json!([account["purchased"], account["adjusted"]])
}

#[test]
fn each_scope_opens_its_own_endpoints_and_no_others() {
    let pipeline = Guarded::new();
    let keys = Scope::ALL.map(|scope| (scope, pipeline.key(scope.name(), None)));
    let (process, mut client) = pipeline.start();
    let mut admin = Client::new(&client.base);
    admin.key = Some(keys[5].1.clone());
    for scope in Scope::ALL {
        furnish(&admin, &own(scope));
    }
    let before = Scope::ALL.map(|scope| paid_in(&admin, &own(scope)));
    let description = Description::new();
    for (scope, key) in &keys {
        client.key = Some(key.clone());
        for endpoint in in_order() {
            // Who opens an account opens another one.
            let org = if endpoint.path == "/v1/accounts" { format!("new-{}", scope.name()) } else { own(*scope) };
            let answer = ask(&client, &endpoint, &org);
            description.check(&endpoint, &answer);
            let what = format!("{} {} with {}", endpoint.method, endpoint.path, scope.name());
            if *scope == endpoint.scope || *scope == Scope::Admin {
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(![401, 403].contains(&answer.status), "{what}: {} {text}", answer.status);
                assert!(answer.status < 500, "{what}: {} {text}", answer.status);
            } else {
                check_refused(&answer, 403, "insufficient-scope", &what);
                assert!(
                    answer.json()["detail"].as_str().is_some_and(|it| it.contains(endpoint.scope.name())),
                    "{what}"
                );
            }
        }
    }
    for (scope, before) in Scope::ALL.into_iter().zip(before) {
        let after = paid_in(&admin, &own(scope));
        let may_move_money = [Scope::Money, Scope::Admin].contains(&scope);
        assert_eq!(after != before, may_move_money, "{}: {before} became {after}", scope.name());
    }
    process.stop();
}

/// Two accounts, and a client that may act for the first alone.
struct Neighbours {
    _pipeline: Guarded,
    process: Process,
    /// With the key for `contoso`.
    client: Client,
    /// With a key for all.
    admin: Client,
    /// What `fabrikam` had before.
    before: Vec<u8>,
}

impl Neighbours {
    fn with_key(scope: &str) -> Self {
        let pipeline = Guarded::new();
        let (bound, for_all) = (pipeline.key(scope, Some("contoso")), pipeline.key("admin", None));
        let (process, mut client) = pipeline.start();
        let mut admin = Client::new(&client.base);
        (client.key, admin.key) = (Some(bound), Some(for_all));
        for org in ["contoso", "fabrikam"] {
            furnish(&admin, org);
        }
        let before = admin.get("/v1/accounts/fabrikam").body;
        Neighbours { _pipeline: pipeline, process, client, admin, before }
    }

    #[track_caller]
    fn end(self) {
        let after = self.admin.get("/v1/accounts/fabrikam").body;
        assert_eq!(after, self.before, "nothing of theirs was touched");
        self.process.stop();
    }
}

#[test]
fn a_key_for_one_organisation_cannot_tell_another_from_none() {
    let neighbours = Neighbours::with_key("admin");
    let client = &neighbours.client;
    let told = |answer: &Answer| {
        let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
        (answer.status, headers, String::from_utf8_lossy(&answer.body).into_owned())
    };
    for endpoint in in_order() {
        let what = format!("{} {}", endpoint.method, endpoint.path);
        if endpoint.is_for_all() {
            check_refused(&ask(client, &endpoint, "contoso"), 403, "insufficient-scope", &what);
            continue;
        }
        let names_org = endpoint.path.contains("{org}") || body(&endpoint, "").is_some();
        if names_org {
            let (theirs, nobodys) = (ask(client, &endpoint, "fabrikam"), ask(client, &endpoint, "nobody"));
            check_refused(&theirs, 404, "unknown-account", &what);
            assert_eq!(told(&theirs), told(&nobodys), "{what}");
        }
        let own = ask(client, &endpoint, "contoso");
        let text = String::from_utf8_lossy(&own.body).into_owned();
        assert!(![401, 403].contains(&own.status) && !text.contains("unknown-account"), "{what}: {text}");
        assert!(!text.contains("fabrikam"), "{what}: {text}");
    }
    neighbours.end();
}

#[test]
fn a_key_for_one_organisation_charges_no_other() {
    let neighbours = Neighbours::with_key("ingest");
    let client = &neighbours.client;
    // What decides who may send it is not what a decoder reads.
    let event =
        json!({"specversion": "1.0", "id": "x", "source": "s", "orgId": "contoso", "data": call("fabrikam", "x")});
    let page = json!({"orgId": "contoso", "value": [call("fabrikam", "x")]});
    let mut numbered = call("fabrikam", "x");
    numbered["partitionkey"] = json!(1);
    let listed = json!({"sid": "x", "account_sid": "fabrikam", "direction": "outbound-api", "status": "completed",
        "from": "+12065550100", "to": "+442071838750", "start_time": numbered["startDateTime"], "duration": "90"});
    client.post("/v1/cdrs", &event).expect(202);
    client.post("/v1/cdrs", &page).expect(202);
    client.post("/v1/cdrs?org=contoso", &numbered).expect(202);
    client.post("/v1/cdrs?org=contoso&source=twilio", &listed).expect(202);
    // A row that names nobody is of whom the request names.
    let mut row = call("contoso", "one-more");
    row.as_object_mut().expect("fields").remove("orgId");
    client.post("/v1/cdrs?org=contoso&source=graph", &row).expect(202);
    let admin = &neighbours.admin;
    admin.wait_for("/v1/accounts/contoso/debits", |page| {
        page["items"].as_array().is_some_and(|debits| debits.iter().any(|debit| debit["id"] == "one-more"))
    });
    let rejects = admin.get("/v1/accounts/contoso/rejects").json();
    let reasons: Vec<&Value> = rejects["items"].as_array().expect("rejects").iter().map(|it| &it["reason"]).collect();
    assert_eq!(reasons, ["org-mismatch", "missing-field", "org-mismatch", "org-mismatch"], "{rejects:#}");
    neighbours.end();
}

#[test]
fn whoever_is_not_known_is_asked_who_they_are() {
    let pipeline = Guarded::new();
    let mut wrong = pipeline.key("admin", None);
    let last = wrong.pop().expect("a key");
    wrong.push(if last == 'A' { 'B' } else { 'A' });
    // Who fails too often is not listened to for a while, so each process is asked a few times only.
    for some in endpoints().chunks(9) {
        let (process, mut client) = pipeline.start();
        for endpoint in some {
            let what = format!("{} {}", endpoint.method, endpoint.path);
            client.key = None;
            let nothing = ask(&client, endpoint, "contoso");
            client.key = Some(wrong.clone());
            for answer in [nothing, ask(&client, endpoint, "contoso")] {
                check_refused(&answer, 401, "unauthenticated", &what);
                assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"drawdown\""), "{what}");
            }
        }
        process.kill_9();
    }
}
