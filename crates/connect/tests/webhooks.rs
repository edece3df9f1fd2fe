//! Events sent to a real HTTP server.

mod common;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use drawdown_connect::dead::{DeadLetters, FileDeadLetters, Limits, Replayed};
use drawdown_connect::notice::Notice;
use drawdown_connect::stop::Stop;
use drawdown_connect::webhook::{
    self, Answer, Client, Deliverer, Ended, Endpoint, Failure, Filter, Retries, SigningSecret, Timeouts, Url,
};
use drawdown_testkit::mail::MailServer;
use tempfile::TempDir;

use common::http::{Request, Server};
use common::{Log, LogFeed, balance_exhausted, mode_set, wait_for};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

struct Dead {
    letters: Arc<FileDeadLetters>,
    _directory: TempDir,
}

fn dead() -> Dead {
    let directory = tempfile::tempdir().expect("a directory");
    let letters = FileDeadLetters::open(directory.path().join("dead.jsonl"), Limits::default()).expect("a file");
    Dead { letters: Arc::new(letters), _directory: directory }
}

fn endpoint(name: &str, url: &str, filter: Filter) -> Endpoint {
    let secrets = [OLD, NEW].map(|text| SigningSecret::parse(text).expect("a secret")).to_vec();
    Endpoint::new(name, Url::parse(url).expect("an address"), secrets, filter).expect("an endpoint")
}

fn client() -> Client {
    let second = Duration::from_secs(1);
    Client::new(Timeouts { connect: second, whole: second }, None).expect("a client")
}

/// Two pauses, three attempts.
fn retries() -> Retries {
    Retries { delays: vec![Duration::from_millis(1); 2], retry_after_max: Duration::from_millis(20) }
}

fn deliverer(endpoint: Endpoint, feed: LogFeed, dead: &Dead) -> Deliverer<LogFeed> {
    Deliverer::new(endpoint, feed, client(), retries(), Arc::<FileDeadLetters>::clone(&dead.letters))
}

fn is_signed(request: &Request, secret: &str) -> bool {
    let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
    let headers = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let secret = SigningSecret::parse(secret).expect("a secret");
    webhook::verify(&secret, headers, request.body.as_bytes(), now, 60).is_ok()
}

fn ids(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| request.headers["webhook-id"].clone()).collect()
}

#[test]
fn events_arrive_in_order_and_signed_by_every_secret() {
    let server = Server::start(&[]);
    let lines = [balance_exhausted("contoso", 1), mode_set("contoso", 2), balance_exhausted("Ümlaut & Söhne.", 1)];
    let (log, stop, dead) = (Log::of(lines.clone()), Stop::new(), dead());
    let filter = Filter { events: vec!["BalanceExhausted".to_owned()], orgs: Vec::new() };
    let mut deliverer = deliverer(endpoint("crm", &server.url("/hook"), filter), log.follow(&stop), &dead);
    assert_eq!(deliverer.run(&stop), Ended::Stopped);
    let requests = server.requests();
    let bodies: Vec<_> = requests.iter().map(|request| request.body.clone()).collect();
    assert_eq!(bodies, [lines[0].clone(), lines[2].clone()]);
    for request in &requests {
        assert!(is_signed(request, OLD) && is_signed(request, NEW));
        assert!(!is_signed(request, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
        assert_eq!((request.path.as_str(), request.headers["content-type"].as_str()), ("/hook", "application/json"));
    }
    assert_ne!(requests[0].headers["webhook-id"], requests[1].headers["webhook-id"]);
    assert_eq!(deliverer.counts().delivered.load(Ordering::Relaxed), 2);
    assert_eq!(log.committed(), 3);
}

#[test]
fn what_failed_is_sent_again_under_its_id_before_anything_else_is() {
    let target = Server::start(&[]);
    let redirect = format!("302 Found\r\nLocation: {}\r\n", target.url("/elsewhere"));
    for first in ["500 Oh\r\n", "", "429 Slow\r\nRetry-After: 86400\r\n", &redirect] {
        let server = Server::start(&[first, "503 Busy\r\n"]);
        let log = Log::of([balance_exhausted("contoso", 1), balance_exhausted("contoso", 2)]);
        let (stop, dead) = (Stop::new(), dead());
        let mut deliverer = deliverer(endpoint("crm", &server.url("/"), Filter::default()), log.follow(&stop), &dead);
        assert_eq!(deliverer.run(&stop), Ended::Stopped);
        let ids = ids(&server.requests());
        assert_eq!(ids.len(), 4, "{first}");
        assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{first}");
        assert_eq!(deliverer.counts().retried.load(Ordering::Relaxed), 2);
    }
    assert!(target.requests().is_empty(), "a redirect was followed");
}

#[test]
fn an_endpoint_that_is_gone_is_left_alone_and_its_place_kept() {
    let server = Server::start(&["204 Fine\r\n", "410 Gone\r\n"]);
    let log = Log::of((1..=3).map(|seq| balance_exhausted("contoso", seq)));
    let (stop, dead) = (Stop::new(), dead());
    let mut deliverer = deliverer(endpoint("crm", &server.url("/"), Filter::default()), log.follow(&stop), &dead);
    assert_eq!(deliverer.run(&stop), Ended::Gone);
    assert_eq!((server.requests().len(), log.committed()), (2, 1));
    assert_eq!(deliverer.counts().gone.load(Ordering::Relaxed), 1);
}

#[test]
fn what_was_given_up_is_kept_and_sent_again_on_demand() {
    let server = Server::start(&["500 Oh\r\n", "500 Oh\r\n", "400 No\r\n", "204 Fine\r\n", "500 Still\r\n"]);
    let log = Log::of([balance_exhausted("contoso", 1), balance_exhausted("contoso", 2)]);
    let (stop, dead) = (Stop::new(), dead());
    let endpoint = endpoint("crm", &server.url("/"), Filter::default());
    assert_eq!(deliverer(endpoint.clone(), log.follow(&stop), &dead).run(&stop), Ended::Stopped);
    assert_eq!(log.committed(), 2);
    let letters = dead.letters.all().expect("letters");
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].status, letters[0].attempts, letters[0].to.as_str()), (Some(400), 3, "crm"));
    assert_eq!(letters[0].body, balance_exhausted("contoso", 1));

    let replay =
        |endpoints: &[Endpoint]| webhook::replay(dead.letters.as_ref(), endpoints, &client()).expect("replayed");
    assert_eq!(replay(&[]), Replayed { passed_over: 1, ..Replayed::default() });
    assert_eq!(replay(std::slice::from_ref(&endpoint)), Replayed { failed: 1, ..Replayed::default() });
    assert_eq!(dead.letters.all().expect("letters"), letters);
    assert_eq!(replay(&[endpoint]), Replayed { sent: 1, ..Replayed::default() });
    assert!(dead.letters.all().expect("letters").is_empty());
    let requests = server.requests();
    let last = requests.last().expect("a request");
    assert!(last.headers["webhook-id"] == letters[0].id && is_signed(last, OLD));
    assert_eq!(ids(&requests)[0], letters[0].id);
}

#[test]
fn who_is_stopped_in_between_sends_the_same_again() {
    let stop = Stop::new();
    let asked = stop.clone();
    let server = Server::hooked(&["204 Fine\r\n", "500 Oh\r\n"], {
        let count = std::sync::atomic::AtomicU32::new(0);
        Box::new(move |_| {
            if count.fetch_add(1, Ordering::Relaxed) == 1 {
                asked.ask();
            }
        })
    });
    let log = Log::of((1..=3).map(|seq| balance_exhausted("contoso", seq)));
    let dead = dead();
    let endpoint = endpoint("crm", &server.url("/"), Filter::default());
    assert_eq!(deliverer(endpoint.clone(), log.follow(&stop), &dead).run(&stop), Ended::Stopped);
    assert_eq!(log.committed(), 1);
    let stop = Stop::new();
    assert_eq!(deliverer(endpoint, log.follow(&stop), &dead).run(&stop), Ended::Stopped);
    let ids = ids(&server.requests());
    assert_eq!(ids.len(), 4);
    assert!(ids[0] != ids[1] && ids[1] == ids[2] && ids[2] != ids[3]);
    assert!(dead.letters.all().expect("letters").is_empty());
}

#[test]
fn an_endpoint_that_never_answers_holds_up_nobody_else() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let slow = format!("http://{}", silent.local_addr().expect("an address"));
    let server = Server::start(&[]);
    let log = || Log::of((1..=20).map(|seq| balance_exhausted("contoso", seq)));
    let (slow_log, quick_log) = (log(), log());
    let (slow_stop, quick_stop, dead) = (Stop::new(), Stop::new(), dead());
    let mut held = deliverer(endpoint("slow", &slow, Filter::default()), slow_log.follow(&slow_stop), &dead);
    let running = thread::spawn({
        let stop = slow_stop.clone();
        move || held.run(&stop)
    });
    let mut quick =
        deliverer(endpoint("quick", &server.url("/"), Filter::default()), quick_log.follow(&quick_stop), &dead);
    quick.run(&quick_stop);
    assert_eq!(server.requests().len(), 20);
    wait_for("the bound on waiting", || !dead.letters.all().expect("letters").is_empty());
    slow_stop.ask();
    assert_eq!(running.join().expect("no panic"), Ended::Stopped);
    assert!(slow_log.committed() < 20);
}

/// So that whoever builds a receiver by it builds one that works.
#[test]
fn the_example_of_the_manual_is_right() {
    let manual = include_str!("../../../config/webhooks/README.md");
    let field = |name: &str| {
        let line = manual.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("  "));
        line.expect("a line of the example").trim()
    };
    let secret = SigningSecret::parse(field("secret")).expect("a secret");
    let notice = Notice::read(field("body").as_bytes()).expect("an event");
    assert_eq!(webhook::id(&notice), field("webhook-id"));
    let timestamp = field("webhook-timestamp").parse().expect("a number");
    let signature = webhook::sign(&[secret], &webhook::id(&notice), timestamp, notice.line().as_bytes());
    assert_eq!(signature, field("webhook-signature"));
}

/// Any server within TLS will do: that of mails greets before it is asked, and is not understood, but it was trusted.
#[test]
fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    if !drawdown_testkit::mail::runs_here() {
        return;
    }
    let server = MailServer::start().expect("a server");
    let endpoint = endpoint("crm", &format!("https://localhost:{}/", server.smtps()), Filter::default());
    let error = |authorities: Option<&[u8]>| {
        let client = Client::new(Timeouts::default(), authorities).expect("a client");
        match client.send(&endpoint, "evt_1", "{}") {
            Answer::Failed(Failure { status: None, error, .. }) => error,
            other => panic!("{other:?}"),
        }
    };
    let authority = std::fs::read(server.authority()).expect("a certificate");
    assert!(error(None).contains("certificate"), "{}", error(None));
    assert!(!error(Some(&authority)).contains("certificate"), "{}", error(Some(&authority)));
}
