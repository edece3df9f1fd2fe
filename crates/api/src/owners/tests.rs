use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use drawdown_units::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::books::{Books, BooksError, Format, Lines, Page, Query};
use crate::health::Health;
use crate::meters::Telemetry;
use crate::server::{Guard, Routes, Server};
use crate::views::tests::Named;

/// Somebody else decides for every organisation.
struct Elsewhere(SocketAddr);

impl Owners for Elsewhere {
    fn known(&self, org: &str) -> Option<Owner> {
        Some(self.find(org))
    }

    fn find(&self, _: &str) -> Owner {
        Owner::There(format!("http://{}", self.0))
    }
}

/// A process that owns nothing.
fn start(owner: SocketAddr) -> Server {
    start_with(&[], |service| {
        service.owners = Arc::new(Elsewhere(owner));
        service.books = Arc::new(OneStatement);
    })
}

fn start_with(orgs: &[&str], change: impl FnOnce(&mut Service)) -> Server {
    let telemetry = Arc::new(Telemetry::begin("0.0.0"));
    let orgs = orgs.iter().map(|org| (*org).to_owned()).collect();
    let mut service = Service::of_views(&telemetry, Arc::new(Named(orgs)));
    change(&mut service);
    let health = Arc::new(Health::new(0, Duration::MAX));
    let routes = Routes { telemetry, health, service: Arc::new(service) };
    Server::start(([127, 0, 0, 1], 0).into(), routes, Guard::of_everybody()).unwrap()
}

/// A log of which a statement can be made, and nothing else.
struct OneStatement;

impl Books for OneStatement {
    fn page(&self, _: &mut Query<'_>) -> Result<Page, BooksError> {
        unreachable!()
    }

    fn end(&self, _: Lines, _: &str) -> Result<String, BooksError> {
        unreachable!()
    }

    fn explain(&self, _: &[u8], _: &[u8]) -> Result<Value, BooksError> {
        unreachable!()
    }

    fn usage(&self, _: &str, _: Timestamp, _: Timestamp, _: Format, _: &AtomicBool) -> Result<Vec<u8>, BooksError> {
        unreachable!()
    }

    fn statement(&self, org: &str, month: &str, _: &AtomicBool) -> Result<Value, BooksError> {
        Ok(json!({"orgId": org, "month": month}))
    }
}

/// An owner that reads the head of one request and goes away; what it read.
fn dying_owner() -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reading = thread::spawn(move || {
        let mut lines = BufReader::new(listener.accept().unwrap().0);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
        head
    });
    (address, reading)
}

fn add_funds(server: &Server, key: Option<&str>) -> axum::http::Response<ureq::Body> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(format!("http://{}/v1/accounts/contoso/lots", server.address()));
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.header("content-type", "application/json").send("{\"amount\":\"5.00\"}").unwrap()
}

#[test]
fn a_change_that_the_owner_may_have_made_can_be_sent_again() {
    for given in [None, Some("order-1")] {
        let (owner, reading) = dying_owner();
        let server = start(owner);
        let mut answer = add_funds(&server, given);
        let head = reading.join().unwrap();
        let key = answer.headers()["idempotency-key"].to_str().unwrap().to_owned();
        assert!(head.contains(&format!("idempotency-key: {key}\r\n")), "{head}");
        assert!(given.is_none_or(|given| key == given), "{key}");
        let problem = answer.body_mut().read_to_string().unwrap();
        assert_eq!(answer.status(), 503, "{problem}");
        assert!(problem.contains("/problems/outcome-unknown") && problem.contains(&key), "{problem}");
    }
}

#[test]
fn a_change_that_the_owner_cannot_have_made_was_not_made() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = start(closed);
    let mut answer = add_funds(&server, None);
    let problem = answer.body_mut().read_to_string().unwrap();
    assert!(problem.contains("/problems/unavailable"), "{problem}");
}

#[test]
fn half_a_body_is_not_passed_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = start(listener.local_addr().unwrap());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "DELETE /v1/accounts/contoso HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody was asked");
}

/// The owner has the account and no log; whoever is asked has a log and no account.
#[test]
fn a_report_is_made_where_it_is_asked_for() {
    let owner = start_with(&["contoso"], |_| {});
    let server = start(owner.address());
    let ask = |org: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let path = format!("/v1/accounts/{org}/reports/statement?month=2026-03");
        let mut answer = agent.get(format!("http://{}{path}", server.address())).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    assert_eq!(ask("contoso"), (200, "{\"month\":\"2026-03\",\"orgId\":\"contoso\"}".to_owned()));
    let (status, problem) = ask("nobody");
    assert!(status == 404 && problem.contains("/problems/unknown-account"), "{problem}");
    drop(owner);
    assert_eq!(ask("contoso").0, 503, "nobody says whether there is such an account");
}
