//! What is sent, how often and under which key: asked of a server that answers by a script.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

use crate::process::drawdown;

const KEY: &str = "dk_scripted_hush-hush-hush";

/// Answers one connection after another, each with the next of its answers, and remembers what was asked.
struct Scripted {
    url: String,
    thread: JoinHandle<Vec<String>>,
}

/// An answer; an empty one closes the connection without a word.
fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn scripted(answers: Vec<String>) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let serve = |answer: String| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let asked = read(&mut stream);
            stream.write_all(answer.as_bytes()).expect("the client reads");
            asked
        };
        answers.into_iter().map(serve).collect()
    });
    Scripted { url, thread }
}

/// A request, to its last byte.
fn read(stream: &mut TcpStream) -> String {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).expect("the client writes");
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if body.len() >= length || count == 0 {
                return text;
            }
        }
        assert!(count > 0, "cut off: {text}");
    }
}

fn header<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let fields = request.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

fn command(url: &str, line: &str) -> Command {
    let mut command = drawdown();
    command.args(line.split(' ')).args(["--url", url]).env("DRAWDOWN_API_KEY", KEY);
    command
}

fn end(output: &Output) -> (Option<i32>, String) {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("hush"), "{text}");
    (output.status.code(), text)
}

const FUNDS: &str = "funds add contoso 5";
const DONE: &str = r#"{"commandId":"k","orgId":"contoso","outcome":"applied","events":[]}"#;
const BUSY: &str =
    r#"{"type":"/problems/not-accepted","title":"Not accepted","status":503,"detail":"it is not known"}"#;

fn the_key_of(asked: &[String]) -> &str {
    let keys: HashSet<_> = asked.iter().filter_map(|request| header(request, "idempotency-key")).collect();
    assert_eq!(keys.len(), 1, "one key: {asked:?}");
    keys.into_iter().next().expect("a key")
}

#[test]
fn a_server_that_is_not_ready_is_asked_again_under_the_same_key() {
    let underway = r#"{"type":"/problems/request-underway","title":"Request underway","status":409,"detail":"wait"}"#;
    let server = scripted(vec![
        answer(503, "retry-after: 0\r\n", BUSY),
        answer(409, "retry-after: 1\r\n", underway),
        answer(201, "", DONE),
    ]);
    let output = command(&server.url, FUNDS).output().expect("the program starts");
    assert_eq!(end(&output).0, Some(0), "{output:?}");
    let asked = server.thread.join().expect("it did not panic");
    assert_eq!(the_key_of(&asked).len(), 36, "one that no other has");
    assert!(
        asked.iter().all(|request| header(request, "authorization") == Some(&format!("Bearer {KEY}"))),
        "{asked:?}"
    );
    assert!(asked.iter().all(|request| request.ends_with(r#"{"amount":"5"}"#)), "{asked:?}");
}

#[test]
fn a_change_that_takes_longer_is_followed() {
    let pending = r#"{"commandId":"k","orgId":"contoso","outcome":"pending"}"#;
    let unknown = r#"{"type":"/problems/unknown-command","title":"Unknown command","status":404,"detail":"not known"}"#;
    let refused = r#"{"type":"/problems/refused","title":"Refused","status":409,"detail":"no","rule":"lot-exists"}"#;
    for (last, code) in [(answer(200, "", DONE), 0), (answer(409, "", refused), 2)] {
        let place = "location: /v1/accounts/contoso/commands/k\r\nretry-after: 1\r\n";
        let answers = vec![
            answer(202, place, pending),
            answer(404, "", unknown),
            answer(200, "retry-after: 1\r\n", pending),
            last,
        ];
        let server = scripted(answers);
        let output = command(&server.url, FUNDS).output().expect("the program starts");
        assert_eq!(end(&output).0, Some(code), "{output:?}");
        let asked = server.thread.join().expect("it did not panic");
        assert!(
            asked[1..].iter().all(|request| request.starts_with("GET /v1/accounts/contoso/commands/k ")),
            "{asked:?}"
        );
    }
}

/// The key is named, so that the same can be sent again; where nothing can have arrived, it is not.
#[test]
fn where_the_outcome_is_not_known_the_key_is_named() {
    let refused_later = answer(503, "", BUSY);
    for last in [String::new(), refused_later] {
        let server = scripted(vec![last]);
        let (code, text) = end(&command(&server.url, FUNDS).output().expect("the program starts"));
        let asked = server.thread.join().expect("it did not panic");
        assert_eq!(code, Some(3), "{text}");
        assert!(text.contains(&format!("--idempotency-key {}", the_key_of(&asked))), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let (code, text) = end(&command(&format!("http://{nobody}"), FUNDS).output().expect("the program starts"));
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("is `drawdown serve` running there?") && !text.contains("idempotency"), "{text}");
}

/// The key goes to the server that was named; what is no answer of ours is a fault, and steers no terminal.
#[test]
fn redirects_and_strangers_are_faults() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = format!("location: http://{}/v1/accounts\r\n", elsewhere.local_addr().expect("an address"));
    for answer in [answer(307, &place, ""), answer(200, "", "<html>"), answer(404, "", "\u{1b}[2Jnginx")] {
        let server = scripted(vec![answer]);
        let (code, text) = end(&command(&server.url, "account list").output().expect("the program starts"));
        server.thread.join().expect("it did not panic");
        assert_eq!((code, text.lines().count()), (Some(3), 1), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
    elsewhere.set_nonblocking(true).expect("it can be");
    assert!(elsewhere.accept().is_err(), "nobody came");
}

/// Everybody on a machine can read the arguments of its processes.
#[test]
fn the_key_is_no_argument() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let mut child =
        command(&url, "account list").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let (mut stream, _) = listener.accept().expect("a connection");
    let asked = read(&mut stream);
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("it runs");
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    assert!(asked.contains(KEY), "the server got it: {asked}");
    assert!(arguments.contains("account") && !arguments.contains("hush"), "{arguments}");
    for wrong in ["http://me:hush@127.0.0.1", "127.0.0.1:9464"] {
        let (code, text) = end(&command(wrong, "account list").output().expect("the program starts"));
        assert_eq!(code, Some(2), "{text}");
    }
    let help = drawdown().args(["account", "list", "--help"]).env("DRAWDOWN_API_KEY", KEY).output().expect("it starts");
    assert_eq!(end(&help).0, Some(0));
}
