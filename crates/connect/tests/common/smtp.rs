//! A mail server that refuses what it was told to: what a real one does only to real addresses.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Which recipients are answered with what, for how many times; everybody else is taken.
#[derive(Default)]
struct State {
    refusals: Vec<(String, String, u32)>,
    taken: Vec<String>,
}

pub struct Picky {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Picky {
    pub fn start(refusals: &[(&str, &str, u32)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let refusals = refusals.iter().map(|(to, answer, times)| (to.to_string(), answer.to_string(), *times));
        let state = Arc::new(Mutex::new(State { refusals: refusals.collect(), ..State::default() }));
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(&stream.expect("a connection"), &shared));
            }
        });
        Picky { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Recipients whose mails were taken, in order.
    pub fn taken(&self) -> Vec<String> {
        self.state.lock().expect("a lock").taken.clone()
    }

    pub fn forgive(&self) {
        self.state.lock().expect("a lock").refusals.clear();
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut out = stream;
    let mut say = |text: &str| write!(out, "{text}\r\n").ok();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut to = String::new();
    say("220 picky")?;
    while let Some(line) = lines.next() {
        match line.get(..4)?.to_ascii_uppercase().as_str() {
            "RCPT" => {
                to = line.split(['<', '>']).nth(1)?.to_owned();
                let mut state = state.lock().expect("a lock");
                let refusal = state.refusals.iter_mut().find(|(whom, _, times)| *whom == to && *times > 0);
                let answer = refusal.map(|(_, answer, times)| {
                    *times -= 1;
                    answer.clone()
                });
                say(answer.as_deref().unwrap_or("250 fine"))?;
            }
            "DATA" => {
                say("354 go on")?;
                lines.by_ref().find(|line| line == ".")?;
                state.lock().expect("a lock").taken.push(to.clone());
                say("250 taken")?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 fine")?,
        }
    }
    None
}
