use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream as Stream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::Extension;
use axum::routing::{get, post};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::body::{self, limited};
use crate::meters::Telemetry;
use crate::tls::{Files, Tls};

/// Times that a test can wait for.
const LIMITS: Limits = Limits {
    connection_count_max: 64,
    peer_count_max: 32,
    handshake_time_max: Duration::from_millis(300),
    head_time_max: Duration::from_millis(300),
    connection_time_max: Duration::from_secs(20),
};
const BODY: body::Limit =
    body::Limit { bytes_max: 100_000, grace: Duration::from_millis(300), bytes_per_second_min: 1_000_000 };
/// What a test waits for an answer at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that says `fine`, how long a body was, and from where a request came.
struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(tls: Option<TlsAcceptor>, limits: Limits) -> Self {
        Running::behind(Proxies::default(), tls, limits)
    }

    fn behind(proxies: Proxies, tls: Option<TlsAcceptor>, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let length = async |body: Bytes| body.len().to_string();
        let whence = async |Extension(peer): Extension<Peer>| peer.0.ip().to_string();
        let router =
            Router::new().route("/", get(async || "fine")).route("/length", post(length)).route("/peer", get(whence));
        let router = limited(router, BODY);
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let meters = Arc::new(Telemetry::begin("0.0.0").http());
            runtime.block_on(serve(listener, router, tls, limits, proxies, meters, stopped));
        });
        Running { address, stop, thread: Some(thread) }
    }

    fn plain() -> Self {
        Running::start(None, LIMITS)
    }

    fn connect(&self) -> Stream {
        let stream = Stream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What is answered to bytes as they are, up to the end of the connection.
    fn answer(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        let _ = stream.write_all(request);
        rest(&mut stream)
    }

    fn is_fine(&self) -> bool {
        self.answer(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ends_with("\r\n\r\nfine")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        let failed = self.thread.take().is_some_and(|thread| thread.join().is_err());
        assert!(!failed || std::thread::panicking(), "the server panicked");
    }
}

/// Everything up to the end. That the end comes is part of every test.
fn rest(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let began = Instant::now();
    let result = stream.read_to_end(&mut bytes);
    assert!(began.elapsed() < PATIENCE, "the connection was left open: {result:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes a byte now and then, until the other side has had enough; how long that took.
fn trickle(stream: &mut (impl Read + Write), text: &[u8]) -> (Duration, String) {
    let began = Instant::now();
    for byte in text.iter().cycle() {
        if began.elapsed() > PATIENCE || stream.write_all(&[*byte]).and_then(|()| stream.flush()).is_err() {
            break;
        }
        if began.elapsed() > Duration::from_secs(1) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = rest(stream);
    (began.elapsed(), answer)
}

#[test]
fn a_head_that_trickles_is_not_waited_for() {
    let server = Running::plain();
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let (took, answer) = trickle(&mut slow, b"a: b\r\n");
    assert!(took < PATIENCE && (answer.is_empty() || answer.starts_with("HTTP/1.1 408")), "{took:?} {answer}");
    assert!(server.is_fine());
    let mut silent = server.connect();
    assert_eq!(rest(&mut silent), "");
}

#[test]
fn a_body_that_trickles_is_not_waited_for() {
    let server = Running::plain();
    let mut slow = server.connect();
    slow.write_all(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 50000\r\n\r\n").unwrap();
    let (_, answer) = trickle(&mut slow, b"x");
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("/problems/body-too-slow"), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(server.is_fine());
}

#[test]
fn a_body_that_is_too_long_is_refused_before_and_while_it_comes() {
    let server = Running::plain();
    let said = server.answer(b"POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 413") && said.contains("/problems/body-too-large"), "{said}");
    assert!(said.contains("at most 100000 bytes"), "{said}");
    let whole = |length: usize| {
        let mut request = b"POST /length HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
        request.extend(b"transfer-encoding: chunked\r\n\r\n");
        for _ in 0..length / 10_000 {
            request.extend(b"2710\r\n");
            request.extend([b'x'; 10_000]);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
        server.answer(&request)
    };
    assert!(whole(100_000).ends_with("\r\n\r\n100000"));
    let chunked = whole(200_000);
    assert!(chunked.starts_with("HTTP/1.1 413") && chunked.contains("/problems/body-too-large"), "{chunked}");
    assert!(server.is_fine());
}

#[test]
fn what_is_no_http_ends_its_connection_and_nothing_else() {
    let server = Running::plain();
    let huge = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(2_000));
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "z".repeat(200_000));
    let chunk = |body: &str| format!("POST /length HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    let length = |value: &str| format!("POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: {value}\r\n\r\nabc");
    let both = "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd".to_owned();
    let requests = [
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: x\r\na: \0\r\n\r\n".to_owned(),
        chunk("zz\r\nabc\r\n0\r\n\r\n"),
        chunk("fffffffffffffffffff\r\n"),
        chunk("3\r\nabcdef\r\n"),
        chunk(&format!("3;{}\r\nabc\r\n", "e".repeat(100_000))),
        length("-1"),
        length("99999999999999999999999"),
        length("3,4"),
        both,
        huge,
        many,
        long,
    ];
    for request in requests {
        let answer = server.answer(request.as_bytes());
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(is_refused, "{:.80}\n{answer}", request);
        assert!(server.is_fine(), "{request:.80}");
    }
}

#[test]
fn nobody_takes_the_connections_of_the_others() {
    let server = Running::start(None, Limits { peer_count_max: 3, head_time_max: PATIENCE, ..LIMITS });
    let held: Vec<Stream> = (0..3).map(|_| server.connect()).collect();
    // Connections are accepted in order: by the time that this one is looked at, the three are in.
    assert_eq!(rest(&mut server.connect()), "");
    let peers = Arc::new(Peers::new(1));
    let of = |text: &str| text.parse::<IpAddr>().unwrap();
    let place = Peers::enter(&peers, of("192.0.2.1"));
    assert!(place.is_some() && Peers::enter(&peers, of("192.0.2.1")).is_none());
    assert!(Peers::enter(&peers, of("192.0.2.2")).is_some());
    drop(place);
    assert!(Peers::enter(&peers, of("192.0.2.1")).is_some());
    drop(held);
    let began = Instant::now();
    while !server.is_fine() {
        assert!(began.elapsed() < PATIENCE, "places are given back");
    }
}

#[test]
fn the_peer_is_known() {
    let server = Running::plain();
    assert!(server.answer(b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ends_with("127.0.0.1"));
    let passed_on = b"GET /peer HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.9\r\nconnection: close\r\n\r\n";
    assert!(server.answer(passed_on).ends_with("127.0.0.1"), "anybody can say anything");
    let proxies = Proxies::parse(&["127.0.0.0/8".to_owned()]).unwrap();
    let server = Running::behind(proxies, None, Limits { peer_count_max: 3, head_time_max: PATIENCE, ..LIMITS });
    assert!(server.answer(passed_on).ends_with("192.0.2.9"));
    let _held: Vec<Stream> = (0..10).map(|_| server.connect()).collect();
    assert!(server.is_fine(), "and a proxy has the connections of all its clients");
}

/// A certificate of `localhost`, put where `files` says.
fn certify(files: &Files) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

fn secure(server: &Running, trusted: &CertificateDer<'static>) -> StreamOwned<ClientConnection, Stream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), server.connect())
}

const KEPT: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// One answer on a connection that stays open.
fn ask(stream: &mut StreamOwned<ClientConnection, Stream>) -> std::io::Result<String> {
    stream.write_all(KEPT)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"fine") {
        let mut part = [0; 1024];
        let count = stream.read(&mut part)?;
        assert!(count > 0, "the connection ended");
        answer.extend(&part[..count]);
    }
    Ok(String::from_utf8(answer).unwrap())
}

#[test]
fn a_certificate_is_renewed_under_an_open_connection() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
    let old = certify(&files);
    let tls = Arc::new(Tls::open(&files).unwrap());
    let server = Running::start(Some(tls.acceptor()), Limits { head_time_max: PATIENCE, ..LIMITS });
    let mut open = secure(&server, &old);
    assert!(ask(&mut open).unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(open.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let new = certify(&files);
    assert!(tls.look());
    assert!(ask(&mut open).unwrap().starts_with("HTTP/1.1 200"), "what is open stays open");
    assert!(ask(&mut secure(&server, &new)).is_ok());
    assert!(ask(&mut secure(&server, &old)).is_err(), "the old one is not shown any more");
}

#[test]
fn a_handshake_that_dawdles_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
    let trusted = certify(&files);
    let tls = Arc::new(Tls::open(&files).unwrap());
    let server = Running::start(Some(tls.acceptor()), LIMITS);
    assert_eq!(rest(&mut server.connect()), "", "silence");
    // The head of a long record, and then a byte now and then.
    let mut slow = server.connect();
    slow.write_all(b"\x16\x03\x01\x40\x00").unwrap();
    let (took, _) = trickle(&mut slow, b"\x01");
    assert!(took < PATIENCE);
    let plain = server.answer(KEPT);
    assert!(!plain.contains("fine"), "{plain}");
    assert!(ask(&mut secure(&server, &trusted)).is_ok());
}
