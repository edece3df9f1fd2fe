//! An HTTP server that answers what it was told to, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Called with each request, before it is answered.
type Hook = Box<dyn Fn(&Request) + Send>;

/// Answers 204 once the scripted answers are used up. An empty answer drops the connection.
pub struct Server {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<String>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answers: &[&str]) -> Self {
        Server::hooked(answers, Box::new(|_| {}))
    }

    pub fn hooked(answers: &[&str], hook: Hook) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Server {
            address: listener.local_addr().expect("an address"),
            answers: Arc::new(Mutex::new(answers.iter().map(|&answer| answer.to_owned()).collect())),
            requests: Arc::default(),
        };
        let (answers, requests) = (Arc::clone(&server.answers), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.expect("a connection"), &answers, &requests, &hook);
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("a lock").clone()
    }
}

fn serve(stream: TcpStream, answers: &Mutex<VecDeque<String>>, requests: &Mutex<Vec<Request>>, hook: &Hook) {
    let mut reader = BufReader::new(&stream);
    let Some(request) = read(&mut reader) else { return };
    hook(&request);
    requests.lock().expect("a lock").push(request);
    let answer = answers.lock().expect("a lock").pop_front().unwrap_or_else(|| "204 No Content\r\n".to_owned());
    if !answer.is_empty() {
        // Who asked may be gone.
        let _ = write!(&stream, "HTTP/1.1 {answer}Connection: close\r\nContent-Length: 0\r\n\r\n");
    }
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body: String::from_utf8(body).ok()? })
}
