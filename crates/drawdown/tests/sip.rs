//! `config/switches/kamailio.cfg` as it stands, with real calls: Kamailio asks a running process, SIPp calls through it.

#[path = "common/client.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod client;
#[path = "common/process.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod process;

use std::fs::File;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{Client, PATIENCE};
use drawdown_testkit::sip;
use process::{Process, drawdown, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 0.32 USD a minute, by the second.
const AFGHANISTAN: &str = "+93701234567";

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A program that ends with the test, and after some minutes by itself if the test was killed: `timeout` hands signals on.
struct Guarded {
    child: Child,
}

impl Guarded {
    fn start(command: &Command, log: &Path) -> Self {
        let output = File::create(log).expect("a log file");
        let mut guarded = Command::new("timeout");
        guarded.args(["-k", "5", "300"]).arg(command.get_program()).args(command.get_args());
        guarded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        guarded.stdin(Stdio::null()).stdout(output.try_clone().expect("a log file")).stderr(output);
        Guarded { child: guarded.spawn().expect("the program starts") }
    }

    /// Waits until it ended; whether it did well.
    fn is_well(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// What a telephone saw: the first lines of what it sent and received, in order.
struct Seen {
    lines: Vec<String>,
    is_well: bool,
}

impl Seen {
    /// Asserts that these came, in this order; others may have come between.
    fn assert_order(&self, wanted: &[&str]) {
        let mut rest = self.lines.iter();
        for wanted in wanted {
            assert!(rest.any(|line| line.starts_with(wanted)), "{wanted} of {wanted:?} in {:#?}", self.lines);
        }
        assert!(self.is_well, "{:#?}", self.lines);
    }
}

/// A process that rates, a proxy that asks it, and telephones.
struct Exchange {
    dir: TempDir,
    server: Option<Process>,
    /// May do anything; the proxy may authorise alone.
    office: Client,
    proxy: Guarded,
    proxy_port: u16,
    callee_port: u16,
}

impl Exchange {
    fn start() -> Self {
        let dir = TempDir::new().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let [key, admin] = ["authorise", "admin"].map(|scope| {
            let words = ["key", "new", "--name", scope, "--scope", scope, "--file"];
            run(drawdown().args(words).arg(path("keys.toml"))).trim().to_owned()
        });
        configure(dir.path());
        let server = Process::start(&path("drawdown.toml"), &path("serve.log"));
        let mut office = Client::of_log(&path("serve.log"));
        office.key = Some(admin);
        let (proxy_port, callee_port) = (sip::udp_port().expect("a port"), sip::udp_port().expect("a port"));
        let mut kamailio = Command::new("kamailio");
        // In the foreground, to stderr, two workers, little memory.
        kamailio.args(["-DD", "-E", "-n", "2", "-m", "32", "-M", "4", "-f"]);
        kamailio.arg(repository("config/switches/kamailio.cfg")).args(["-Y", &dir.path().display().to_string()]);
        kamailio.env("DRAWDOWN_URL", &office.base).env("DRAWDOWN_TOKEN", key).env("CALL_SECONDS", "600");
        kamailio.env("SIP_LISTEN", format!("udp:127.0.0.1:{proxy_port}")).env("SIP_CALLERS", "127.0.0.1");
        kamailio.env("SIP_NEXT_HOP", format!("sip:127.0.0.1:{callee_port}"));
        let proxy = Guarded::start(&kamailio, &path("kamailio.log"));
        Exchange { dir, server: Some(server), office, proxy, proxy_port, callee_port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An account, with money or without.
    fn open(&self, org: &str, amount: Option<&str>) {
        let terms =
            json!({"orgId": org, "currency": "USD", "ratePlan": "standard", "country": "DE", "licensing": "none"});
        self.office.post("/v1/accounts", &terms).expect(201);
        if let Some(amount) = amount {
            let lot = json!({"lotId": "L1", "amount": amount});
            self.office.post(&format!("/v1/accounts/{org}/lots"), &lot).expect(201);
        }
    }

    fn balance(&self, org: &str) -> Value {
        self.office.get(&format!("/v1/accounts/{org}/balance")).expect(200)
    }

    fn phone(&self, name: &str, scenario: &str, port: u16) -> Command {
        let mut sipp = Command::new("sipp");
        let sip = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip");
        sipp.arg("-sf").arg(sip.join(scenario)).args(["-i", "127.0.0.1", "-p", &port.to_string(), "-m", "1"]);
        sipp.args(["-nostdin", "-trace_msg", "-message_file"]).arg(self.path(name));
        sipp
    }

    /// `org` calls `number`, and hangs up after `wait` if nobody else has; the scenarios are the caller's and the callee's.
    /// Returns what the caller saw, and the callee.
    fn call(&self, org: &str, number: &str, id: &str, scenarios: [&str; 2], wait: Duration) -> (Seen, Seen) {
        let (caller_log, callee_log) = (format!("{id}-caller.log"), format!("{id}-callee.log"));
        let callee = self.phone(&callee_log, scenarios[1], self.callee_port);
        let mut callee = Guarded::start(&callee, &self.path(&format!("{id}-callee.out")));
        let port = sip::udp_port().expect("a port");
        let mut caller = self.phone(&caller_log, scenarios[0], port);
        caller.args(["-s", number, "-key", "user", "u1", "-key", "org", org, "-cid_str", id]);
        caller.args(["-recv_timeout", &wait.as_millis().to_string(), &format!("127.0.0.1:{}", self.proxy_port)]);
        let mut caller = Guarded::start(&caller, &self.path(&format!("{id}-caller.out")));
        let is_well = caller.is_well();
        let caller = Seen { lines: self.lines(&caller_log), is_well };
        // A callee that nobody called waits forever.
        let is_well = !self.lines(&callee_log).is_empty() && callee.is_well();
        drop(callee);
        (caller, Seen { lines: self.lines(&callee_log), is_well })
    }

    fn lines(&self, log: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(log)).unwrap_or_default();
        let is_first = |line: &&str| line.starts_with("SIP/2.0 ") || line.ends_with(" SIP/2.0");
        text.lines().filter(is_first).map(str::to_owned).collect()
    }
}

/// A pipeline with keys, and the bundled deck by the second.
fn configure(dir: &Path) {
    let deck = std::fs::read_to_string(repository("config/decks/acs-pstn.toml")).expect("the bundled deck");
    std::fs::write(dir.join("deck.toml"), deck.replace("_s = 60", "_s = 1")).expect("it can be written");
    std::fs::copy(repository("config/decks/acs-pstn.csv"), dir.join("acs-pstn.csv")).expect("the bundled rows");
    let (store, deck, keys) = (dir.join("store"), dir.join("deck.toml"), dir.join("keys.toml"));
    let text = format!(
        "[log]\nkind = \"embedded\"\n[embedded]\ndirectory = {store:?}\n[rating]\ndecks = [{deck:?}]\n\
         [http]\nlisten = \"127.0.0.1:0\"\nkeys_file = {keys:?}\n"
    );
    std::fs::write(dir.join("drawdown.toml"), text).expect("it can be written");
}

fn cdr(org: &str, id: &str) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let start = drawdown_units::Timestamp::from_parts(now.as_secs() as i64 - 60, 0).to_string();
    json!({"id": id, "source": "switch-1", "orgId": org, "userId": "u1", "callType": "user_out",
        "calleeNumber": AFGHANISTAN, "startDateTime": start, "duration": 30})
}

const CONNECTED: [&str; 3] = ["INVITE", "SIP/2.0 200", "ACK"];
const TALK: [&str; 2] = ["caller.xml", "callee.xml"];
const SHORT: Duration = Duration::from_secs(1);

/// Money is held while the call runs and until its record is debited.
fn a_call_with_money_is_connected(exchange: &Exchange) {
    exchange.open("contoso", Some("10.00"));
    let (caller, callee) = exchange.call("contoso", AFGHANISTAN, "paid", TALK, SHORT);
    for phone in [&caller, &callee] {
        phone.assert_order(&[&CONNECTED[..], &["BYE", "SIP/2.0 200"]].concat());
    }
    // 600 s were asked for.
    let held = exchange.balance("contoso");
    assert_eq!((&held["reserved"], &held["settled"]), (&json!("3.20"), &json!("10.00")), "{held}");
    exchange.office.post("/v1/cdrs", &cdr("contoso", "paid")).expect(202);
    let path = "/v1/accounts/contoso/balance";
    let after = exchange.office.wait_for(path, |balance| balance["reserved"] == "0.00");
    assert_eq!(after["settled"], "9.84", "{after}");
}

fn a_call_that_nobody_answers_gives_its_money_back(exchange: &Exchange) {
    let (caller, callee) = exchange.call("contoso", AFGHANISTAN, "busy", ["caller.xml", "busy.xml"], SHORT);
    caller.assert_order(&["INVITE", "SIP/2.0 486", "ACK"]);
    callee.assert_order(&["INVITE", "SIP/2.0 486", "ACK"]);
    exchange.office.wait_for("/v1/accounts/contoso/balance", |balance| balance["reserved"] == "0.00");
    let given_up = ["cancel.xml", "cancelled.xml"];
    let (caller, callee) = exchange.call("contoso", AFGHANISTAN, "given-up", given_up, SHORT);
    caller.assert_order(&["INVITE", "SIP/2.0 180", "CANCEL", "SIP/2.0 487", "ACK"]);
    callee.assert_order(&["INVITE", "SIP/2.0 180", "CANCEL", "SIP/2.0 487", "ACK"]);
    exchange.office.wait_for("/v1/accounts/contoso/balance", |balance| balance["reserved"] == "0.00");
}

fn a_call_without_money_is_refused(exchange: &Exchange) {
    exchange.open("fabrikam", None);
    let (caller, callee) = exchange.call("fabrikam", AFGHANISTAN, "unpaid", TALK, SHORT);
    caller.assert_order(&["INVITE", "SIP/2.0 402", "ACK"]);
    assert!(callee.lines.is_empty(), "it never rang: {:#?}", callee.lines);
    let (caller, callee) = exchange.call("nobody", AFGHANISTAN, "unknown", TALK, SHORT);
    caller.assert_order(&["INVITE", "SIP/2.0 402", "ACK"]);
    assert!(callee.lines.is_empty(), "it never rang: {:#?}", callee.lines);
}

/// A request that only looks as if it came within a call is no way around the question.
fn a_forged_tag_is_refused(exchange: &Exchange) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(PATIENCE)).expect("it can be set");
    let (port, proxy) = (socket.local_addr().expect("an address").port(), exchange.proxy_port);
    let request = format!(
        "INVITE sip:{AFGHANISTAN}@127.0.0.1:{} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-forged\r\n\
         Route: <sip:127.0.0.1:{proxy};lr>\r\nFrom: <sip:u1@fabrikam>;tag=one\r\nTo: <sip:u2@fabrikam>;tag=two\r\n\
         Call-ID: forged\r\nCSeq: 1 INVITE\r\nContact: <sip:u1@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\n\
         Content-Length: 0\r\n\r\n",
        exchange.callee_port
    );
    socket.send_to(request.as_bytes(), ("127.0.0.1", proxy)).expect("it can be sent");
    let mut answer = [0; 2_048];
    let length = socket.recv(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("SIP/2.0 481"), "{answer}");
}

/// 112 by the proxy's own list, 110 because the API knows what it is in Germany.
fn emergency_numbers_go_through(exchange: &Exchange) {
    for number in ["112", "110"] {
        let (caller, callee) = exchange.call("fabrikam", number, number, TALK, SHORT);
        caller.assert_order(&CONNECTED);
        callee.assert_order(&CONNECTED);
    }
}

/// The balance pays for five seconds, and nobody hangs up.
fn a_call_ends_with_its_money(exchange: &Exchange) {
    exchange.open("tailspin", Some("0.03"));
    let from = Instant::now();
    let (caller, callee) = exchange.call("tailspin", AFGHANISTAN, "cut", TALK, PATIENCE);
    assert!(from.elapsed() > Duration::from_secs(3), "{:?}", from.elapsed());
    for phone in [&caller, &callee] {
        phone.assert_order(&[&CONNECTED[..], &["BYE", "SIP/2.0 200"]].concat());
    }
    // Both are hung up on: the address is theirs, not that of the other side.
    assert!(caller.lines.iter().any(|line| line.starts_with("BYE sip:u1@")), "{:#?}", caller.lines);
    assert_eq!(exchange.balance("tailspin")["reserved"], "0.026667");
}

fn only_emergency_numbers_pass_while_nothing_answers(exchange: &mut Exchange) {
    exchange.server.take().expect("it runs").stop();
    let (caller, callee) = exchange.call("contoso", AFGHANISTAN, "silent", TALK, SHORT);
    caller.assert_order(&["INVITE", "SIP/2.0 503", "ACK"]);
    assert!(callee.lines.is_empty(), "it never rang: {:#?}", callee.lines);
    let (caller, callee) = exchange.call("fabrikam", "112", "emergency", TALK, SHORT);
    caller.assert_order(&CONNECTED);
    callee.assert_order(&CONNECTED);
}

#[test]
fn calls_through_kamailio() {
    if !sip::runs_here() {
        return;
    }
    let mut exchange = Exchange::start();
    a_call_with_money_is_connected(&exchange);
    a_call_that_nobody_answers_gives_its_money_back(&exchange);
    a_call_without_money_is_refused(&exchange);
    a_forged_tag_is_refused(&exchange);
    emergency_numbers_go_through(&exchange);
    a_call_ends_with_its_money(&exchange);
    only_emergency_numbers_pass_while_nothing_answers(&mut exchange);
    assert!(exchange.proxy.child.try_wait().is_ok_and(|status| status.is_none()), "the proxy runs on");
}
