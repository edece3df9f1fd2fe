//! What the server counts of what it answers, as `/metrics` shows it.

use super::*;
use crate::access::Settings;
use crate::access::keys::{Entry, NewKey, append};
use crate::access::rate::Rate;

/// The value of one line of the metrics.
#[track_caller]
fn value(server: &Server, series: &str) -> f64 {
    let (_, text) = get(server, "/metrics");
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

fn requests(server: &Server, route: &str, method: &str, status: &str) -> f64 {
    let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
    value(server, &format!("drawdown_http_requests_total{{{labels}}}"))
}

fn refused(server: &Server, reason: &str) -> f64 {
    value(server, &format!("drawdown_http_refused_total{{reason=\"{reason}\"}}"))
}

#[test]
fn requests_are_counted_by_the_path_of_the_table_and_all_others_together() {
    let (server, ..) = start(Duration::MAX);
    assert_eq!(requests(&server, "/v1/accounts/{org}", "GET", "2xx"), 0.0, "it stands at nothing from the start");
    for path in ["/v1/accounts/contoso%2Femea", "/v1/accounts/contoso%2Femea?x=1", "/v1/accounts/nobody"] {
        get(&server, path);
    }
    for unknown in ["/", "/v1/nothing", "/v1/accounts/a/b/c/d", "/wp-login.php"] {
        assert_eq!(get(&server, unknown).0, 404);
    }
    let page = get(&server, "/openapi.json").0;
    assert_eq!(page, 200);
    assert_eq!(requests(&server, "/v1/accounts/{org}", "GET", "2xx"), 2.0);
    assert_eq!(requests(&server, "/v1/accounts/{org}", "GET", "4xx"), 1.0);
    assert_eq!(requests(&server, "other", "GET", "4xx"), 4.0);
    assert_eq!(requests(&server, "/docs", "GET", "2xx"), 1.0);
    assert_eq!(value(&server, "drawdown_http_request_seconds_count{route=\"/v1/accounts/{org}\"}"), 3.0);
    let (_, text) = get(&server, "/metrics");
    assert!(!text.contains("contoso") && !text.contains("wp-login"), "a path that was asked for is nowhere");
}

#[test]
fn a_method_that_a_path_does_not_take_is_another() {
    let (server, ..) = start(Duration::MAX);
    for method in ["PATCH", "MKCOL", "X"] {
        let request = format!("{method} /v1/accounts/a HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        assert_eq!(send(&server, &request), 405);
    }
    assert_eq!(requests(&server, "/v1/accounts/{org}", "other", "4xx"), 3.0);
}

#[test]
fn what_a_limit_refuses_is_counted_by_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (file, key) = (dir.path().join("keys.toml"), NewKey::generate().unwrap());
    let (id, hash, scopes) = (key.id().to_owned(), key.hash(), vec![Scope::Admin]);
    append(&file, &Entry { id, name: "a".to_owned(), hash, scopes, orgs: None, expires: None, rate: None }).unwrap();
    let settings = Settings { keys_file: Some(file), oidc: None, rate: Rate { per_second: 1, burst: 4 } };
    let (server, ..) = start_with(Duration::MAX, Guard::open(settings, None, 1_000).unwrap());
    let ask = |key: &str, request: &str, length: usize| {
        let head = format!("host: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n");
        send(&server, &format!("{request} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n"))
    };
    assert_eq!(ask(key.expose(), "POST /v1/cdrs", 1_001), 413);
    assert_eq!(refused(&server, "body-size"), 1.0);
    let statuses: Vec<u16> = (0..8).map(|_| ask(key.expose(), "GET /v1/accounts/a", 0)).collect();
    let limited = statuses.iter().filter(|status| **status == 429).count();
    assert!(limited >= 3, "{statuses:?}");
    assert_eq!(refused(&server, "rate"), limited as f64);
    let strangers: Vec<u16> = (0..25).map(|_| ask("dk_nobody_AAAA", "GET /v1/accounts/a", 0)).collect();
    let held_back = strangers.iter().filter(|status| **status == 429).count();
    assert!(held_back >= 3, "{strangers:?}");
    assert_eq!(refused(&server, "failures"), held_back as f64);
    assert_eq!(refused(&server, "time"), 0.0);
}

#[test]
fn open_connections_are_counted_as_long_as_they_are_open() {
    let (server, ..) = start(Duration::MAX);
    let open = || value(&server, "drawdown_http_connections");
    let held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    // The connection that asks is one too. They are accepted in order.
    assert_eq!(open(), 4.0);
    assert_eq!(value(&server, "drawdown_http_streams"), 0.0);
    drop(held);
    let deadline = Instant::now() + Duration::from_secs(10);
    while open() > 1.0 {
        assert!(Instant::now() < deadline, "they are let go of");
        std::thread::sleep(Duration::from_millis(10));
    }
}
