//! What a running process says of its API and its connectors: a customer's first hour, and an endpoint of webhooks
//! that is down.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{Client, PATIENCE};
use crate::process::Process;
use drawdown_connect::payment::sandbox::{Sandbox, Settings};
use drawdown_connect::secret::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "sandbox";

fn configure(dir: &Path, gateway: &str) {
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
    let (store, endpoints) = (dir.join("store"), dir.join("endpoints.toml"));
    let text = format!(
        "[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [payment]\nprovider = \"http\"\nurl = {gateway:?}\nsecret = {SECRET:?}\n[webhooks]\nendpoints = {endpoints:?}\n"
    );
    std::fs::write(dir.join("drawdown.toml"), text).expect("it can be written");
    // A port of which nobody answers.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let text = format!(
        "[[endpoints]]\nname = \"crm\"\nurl = \"http://{closed}/\"\n\
         secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n"
    );
    std::fs::write(endpoints, text).expect("it can be written");
}

/// The value of one line of the metrics, if it is there.
pub fn value(client: &Client, series: &str) -> Option<f64> {
    let answer = client.get("/metrics");
    let text = String::from_utf8(answer.body).expect("text");
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?.parse().ok()
}

/// Waits until a line of the metrics is as expected.
fn wait_for(client: &Client, series: &str, is_so: impl Fn(f64) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !value(client, series).is_some_and(&is_so) {
        assert!(Instant::now() < deadline, "{series} is {:?}", value(client, series));
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn open(client: &Client) {
    let terms =
        json!({"orgId": "contoso", "currency": "USD", "ratePlan": "standard", "country": "US", "licensing": "none"});
    client.post("/v1/accounts", &terms).expect(201);
    let (funds, key) = (json!({"amount": "10.00"}), [("idempotency-key", "order-1")]);
    for _ in 0..3 {
        client.send("POST", "/v1/accounts/contoso/lots", &key, Some(&funds)).expect(201);
    }
    // Less is left than the trigger: it is recharged at once.
    let terms =
        json!({"enabled": true, "rechargeAmount": "50", "triggerAmount": "20", "paymentMethod": {"card": "tok_ok"}});
    client.send("PUT", "/v1/accounts/contoso/auto-recharge", &[], Some(&terms)).expect(200);
}

fn call(client: &Client, id: &str, number: &str) -> Value {
    let request = json!({"orgId": "contoso", "callId": id, "userId": "u1", "calleeNumber": number});
    client.post("/v1/authorisations", &request).expect(200)
}

#[test]
fn a_running_process_counts_its_api_and_its_connectors() {
    let settings = Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        secret: Secret::new(SECRET),
        failures: 0,
        slowness: Duration::ZERO,
    };
    let sandbox = Sandbox::start(settings).expect("a gateway");
    let dir = TempDir::new().expect("a directory");
    configure(dir.path(), &sandbox.url());
    let log = dir.path().join("serve.log");
    let process = Process::start(&dir.path().join("drawdown.toml"), &log);
    let client = Client::of_log(&log);

    open(&client);
    let is = |expected: f64| move |value: f64| value == expected;
    wait_for(&client, "drawdown_api_commands_total{type=\"addFunds\",answer=\"done\"}", is(1.0));
    wait_for(&client, "drawdown_api_replays_total{type=\"addFunds\"}", is(2.0));
    let lots = "route=\"/v1/accounts/{org}/lots\",method=\"POST\",status=\"2xx\"";
    wait_for(&client, &format!("drawdown_http_requests_total{{{lots}}}"), is(3.0));

    // The gateway answered, and the connector let go of everything.
    wait_for(&client, "drawdown_charges_total{outcome=\"succeeded\"}", is(1.0));
    wait_for(&client, "drawdown_charge_seconds_count", is(1.0));
    wait_for(&client, "drawdown_connector_lag_events{connector=\"payment\"}", is(0.0));
    assert_eq!(value(&client, "drawdown_connector_running{connector=\"payment\"}"), Some(1.0));
    // The endpoint did not: its first event is tried again, and those behind it wait.
    wait_for(&client, "drawdown_webhooks_total{endpoint=\"crm\",outcome=\"retried\"}", |count| count >= 1.0);
    wait_for(&client, "drawdown_connector_lag_events{connector=\"webhook-crm\"}", |count| count >= 4.0);
    wait_for(&client, "drawdown_connector_lag_seconds{connector=\"webhook-crm\"}", |seconds| seconds > 1.0);
    assert_eq!(value(&client, "drawdown_dead_letters{channel=\"webhook\"}"), Some(0.0));

    assert_eq!(call(&client, "call-1", "+442071838750")["allowed"], true);
    assert_eq!(call(&client, "call-2", "+999")["allowed"], false);
    assert_eq!(value(&client, "drawdown_authorisations_total{outcome=\"granted\"}"), Some(1.0));
    assert_eq!(value(&client, "drawdown_authorisations_refused_total{reason=\"no-row\"}"), Some(1.0));
    assert_eq!(value(&client, "drawdown_authorisation_seconds_count"), Some(2.0));
    assert_eq!(value(&client, "drawdown_reservations"), Some(1.0));
    assert_eq!(value(&client, "drawdown_reserved_micros{currency=\"USD\"}"), Some(75_000.0));
    let record = json!({"id": "call-1", "source": "pbx", "orgId": "contoso", "userId": "u1", "callType": "user_out",
        "calleeNumber": "+442071838750", "callerNumber": "+12065550100", "duration": 90,
        "startDateTime": drawdown_api::meters::clock().plus_seconds(-120).to_string()});
    client.post("/v1/cdrs", &record).expect(202);
    wait_for(&client, "drawdown_reservations_released_total{by=\"record\"}", is(1.0));
    assert_eq!(value(&client, "drawdown_reserved_micros{currency=\"USD\"}"), Some(0.0));
    process.stop();
}
