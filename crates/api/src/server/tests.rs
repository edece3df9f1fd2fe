mod counting;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use super::*;
use crate::access::Scope;
use crate::health::Stage;
use crate::views::{Totals, Views};
use drawdown_units::Timestamp;

/// One account, `contoso`.
struct OneAccount;

impl Views for OneAccount {
    fn account(&self, org: &str) -> Option<Vec<u8>> {
        (org == "contoso/emea").then(|| b"{\"orgId\":\"contoso/emea\"}".to_vec())
    }

    fn user(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn list(&self, _: &str, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn totals(&self, _: Timestamp) -> Totals {
        Totals { recharges_outstanding: 7, ..Totals::default() }
    }

    fn size_bytes(&self) -> usize {
        600
    }

    fn staleness(&self) -> Duration {
        Duration::from_secs(3)
    }
}

fn start(stale_after: Duration) -> (Server, Arc<Health>, Arc<Telemetry>) {
    start_with(stale_after, Guard::of_everybody())
}

fn start_with(stale_after: Duration, guard: Guard) -> (Server, Arc<Health>, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::begin("0.0.0"));
    let health = Arc::new(Health::new(1, stale_after));
    let routes = Routes {
        telemetry: Arc::clone(&telemetry),
        health: Arc::clone(&health),
        service: Arc::new(Service::of_views(&telemetry, Arc::new(OneAccount))),
    };
    (Server::start(([127, 0, 0, 1], 0).into(), routes, guard).unwrap(), health, telemetry)
}

/// Status and body.
fn get(server: &Server, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("http://{}{path}", server.address())).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

/// A request as it stands; the status of its answer.
fn send(server: &Server, request: &str) -> u16 {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn metrics_are_brought_up_to_date_when_asked_for() {
    let (server, health, telemetry) = start(Duration::MAX);
    telemetry.worker(0).aborted();
    let (status, text) = get(&server, "/metrics");
    assert_eq!(status, 200);
    for line in [
        "drawdown_aborts_total 1",
        "drawdown_recharges_outstanding 7",
        "drawdown_views_staleness_seconds 3",
        "drawdown_state_bytes 600",
        "drawdown_healthy 1",
        "drawdown_ready 0",
    ] {
        assert!(text.lines().any(|held| held == line), "{line}\n{text}");
    }
    health.pulse(0).enter(Stage::Rating);
    let (_, text) = get(&server, "/metrics");
    assert!(text.lines().any(|held| held == "drawdown_ready 1"), "{text}");
}

#[test]
fn health_and_readiness_say_what_is_amiss() {
    let (server, health, _) = start(Duration::MAX);
    assert_eq!(get(&server, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&server, "/readyz"), (503, "worker 0 is joining\n".to_owned()));
    health.pulse(0).enter(Stage::Rating);
    assert_eq!(get(&server, "/readyz"), (200, "ok\n".to_owned()));
    let (stuck, ..) = start(Duration::ZERO);
    std::thread::yield_now();
    let (status, text) = get(&stuck, "/healthz");
    assert_eq!(status, 503, "{text}");
    assert!(text.starts_with("worker 0 was last heard of "), "{text}");
}

#[test]
fn an_account_is_shown_as_it_stands_on_the_wire() {
    let (server, ..) = start(Duration::MAX);
    let found = get(&server, "/v1/accounts/contoso%2Femea");
    assert_eq!(found, (200, "{\"orgId\":\"contoso/emea\"}".to_owned()));
    let (status, text) = get(&server, "/v1/accounts/nobody");
    assert_eq!(status, 404);
    assert!(text.contains("no account of this organisation here"), "{text}");
    assert_eq!(get(&server, "/nothing").0, 404);
}

#[test]
fn a_request_that_is_none_ends_its_connection_and_nothing_else() {
    let (server, ..) = start(Duration::MAX);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(100_000)).as_bytes()).unwrap();
    let mut answer = String::new();
    // The server may also just close: what it may not do is wait for more.
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(get(&server, "/healthz").0, 200);
}

/// An idle connection does not hold the server up, and afterwards the address is free.
#[test]
fn it_stops_in_good_order() {
    let (server, ..) = start(Duration::MAX);
    let address = server.address();
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut begin = [0; 15];
    idle.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 OK");
    server.stop();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    TcpListener::bind(address).unwrap();
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let (server, _, telemetry) = start(Duration::MAX);
    let health = Arc::new(Health::new(0, Duration::MAX));
    let service = Arc::new(Service::of_views(&telemetry, Arc::new(OneAccount)));
    let routes = Routes { telemetry, health, service };
    let error = Server::start(server.address(), routes, Guard::of_everybody()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

/// Health and metrics are for everybody; accounts are for whom the keys say.
#[test]
fn an_account_is_shown_to_whom_it_is_for() {
    use crate::access::Settings;
    use crate::access::keys::{Entry, NewKey, append};
    use crate::access::rate::Rate;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.toml");
    let key_for = |scopes: Vec<Scope>, org: &str| {
        let key = NewKey::generate().unwrap();
        let (id, hash, orgs) = (key.id().to_owned(), key.hash(), Some(vec![org.to_owned()]));
        append(&file, &Entry { id, name: "a".to_owned(), hash, scopes, orgs, expires: None, rate: None }).unwrap();
        key
    };
    let (own, other) = (key_for(vec![Scope::Read], "contoso/emea"), key_for(vec![Scope::Read], "fabrikam"));
    let ingest = key_for(vec![Scope::Ingest], "contoso/emea");
    let rate = Rate { per_second: 100, burst: 100 };
    let settings = Settings { keys_file: Some(file), oidc: None, rate };
    let (health, telemetry) = (Arc::new(Health::new(0, Duration::MAX)), Arc::new(Telemetry::begin("0.0.0")));
    let service = Arc::new(Service::of_views(&telemetry, Arc::new(OneAccount)));
    let routes = Routes { telemetry, health, service };
    let guard = Guard::open(settings, None, 1_000).unwrap();
    let server = Server::start(([127, 0, 0, 1], 0).into(), routes, guard).unwrap();
    let ask = |org: &str, key: &NewKey| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.get(format!("http://{}/v1/accounts/{org}", server.address()));
        let mut response = request.header("authorization", format!("Bearer {}", key.expose())).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    assert_eq!(get(&server, "/healthz").0, 200);
    assert_eq!(get(&server, "/v1/accounts/contoso%2Femea").0, 401);
    assert_eq!(ask("contoso%2Femea", &own).0, 200);
    assert_eq!(ask("contoso%2Femea", &ingest).0, 403);
    let hidden = ask("contoso%2Femea", &other);
    assert_eq!(hidden.0, 404);
    assert_eq!(hidden, ask("fabrikam", &other), "as one that does not exist");
}

#[test]
fn who_asks_nobody_listens_to_no_page_of_another_site() {
    let (server, ..) = start(Duration::MAX);
    for (head, status) in [
        ("host: 127.0.0.1:9464", 200),
        ("host: [::1]:9464", 200),
        ("host: localhost", 200),
        ("host: localhost:9464\r\norigin: http://localhost:9464", 200),
        ("host: rebound.example:9464", 403),
        ("host: 127.0.0.1.rebound.example", 403),
        ("host: localhost:9464\r\norigin: http://rebound.example", 403),
        ("host: localhost:9464\r\norigin: http://localhost:3000", 403),
        ("host: localhost:9464\r\norigin: null", 403),
    ] {
        let request = format!("GET /v1/accounts/contoso%2Femea HTTP/1.1\r\n{head}\r\nconnection: close\r\n\r\n");
        assert_eq!(send(&server, &request), status, "{head}");
    }
}
