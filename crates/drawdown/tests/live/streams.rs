//! As many streams as there may be, all of which hear the same, and not one more.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::client::{Client, PATIENCE};
use crate::metrics::value;
use crate::process::Process;

/// How many there may be.
const STREAMS_MAX: usize = 256;

/// One who follows the account events of `contoso`.
struct Follower(BufReader<TcpStream>);

impl Follower {
    /// Asks to follow; with the status of the answer.
    fn ask(client: &Client) -> (Self, u16) {
        let address = client.base.strip_prefix("http://").expect("an address");
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.write_all(b"GET /v1/accounts/contoso/events/stream HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
        let mut follower = Follower(BufReader::new(stream));
        let status = follower.line();
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        (follower, status.expect("a status"))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).expect("a line in time") > 0, "the stream ended");
        line
    }

    /// Reads on to a line that holds `text`.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }
}

fn configure(dir: &Path) {
    let deck = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/decks/acs-pstn.toml");
    let store = dir.join("store");
    // Whoever is trusted may have as many connections as there are; anybody else has fewer than there are streams.
    let text = format!(
        "[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n[http]\nlisten = \"127.0.0.1:0\"\n\
         trusted_proxies = [\"127.0.0.1\"]\n"
    );
    std::fs::write(dir.join("drawdown.toml"), text).expect("it can be written");
}

#[test]
fn streams_are_as_many_as_may_be_and_all_of_them_hear() {
    let dir = TempDir::new().expect("a directory");
    configure(dir.path());
    let log = dir.path().join("serve.log");
    let process = Process::start(&dir.path().join("drawdown.toml"), &log);
    let client = Client::of_log(&log);
    let terms =
        json!({"orgId": "contoso", "currency": "USD", "ratePlan": "standard", "country": "US", "licensing": "none"});
    client.post("/v1/accounts", &terms).expect(201);

    let mut followers: Vec<Follower> = (0..STREAMS_MAX)
        .map(|number| {
            let (follower, status) = Follower::ask(&client);
            assert_eq!(status, 200, "stream {number}");
            follower
        })
        .collect();
    let (mut refused, status) = Follower::ask(&client);
    assert_eq!(status, 503);
    assert_eq!(refused.wait_for("retry-after").trim(), "retry-after: 10");
    assert_eq!(value(&client, "drawdown_http_refused_total{reason=\"streams\"}"), Some(1.0));
    assert_eq!(value(&client, "drawdown_http_streams"), Some(STREAMS_MAX as f64));

    client.post("/v1/accounts/contoso/lots", &json!({"lotId": "heard", "amount": "1.00"})).expect(201);
    for follower in &mut followers {
        assert!(follower.wait_for("data: ").contains("\"lotId\":\"heard\""));
    }

    // A place that is given back is taken by whoever asks next.
    followers.pop();
    let deadline = Instant::now() + PATIENCE;
    while Follower::ask(&client).1 != 200 {
        assert!(Instant::now() < deadline, "the place of a follower that left is free again");
        std::thread::sleep(Duration::from_millis(100));
    }
    process.stop();
}
