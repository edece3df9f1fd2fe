//! A gateway to try the connector with: it speaks our contract over HTTP, moves no money, and counts what it would have.
//!
//! What it does depends on the card alone: see [`CARDS`]. It forgets everything when it ends. It can lose answers after
//! charging, and be away, as networks and real gateways do.

mod cards;
pub mod server;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use drawdown_units::Timestamp;
use serde_json::{Value, json};

use super::signature;
use crate::secret::Secret;
use server::{Request, Response, Server};

pub use cards::CARDS;

/// Settings of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// What requests must be signed with.
    pub secret: Secret,
    /// How many attempts at a recharge fail with the card `tok_flaky` before one succeeds.
    pub failures: u32,
    /// How long the card `tok_slow` takes.
    pub slowness: Duration,
}

/// A gateway that only pretends.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    by_key: BTreeMap<String, Known>,
    refused: u64,
    answers_to_lose: u32,
    is_away: bool,
}

/// What is known under an idempotency key.
#[derive(Debug)]
struct Known {
    recharge: String,
    requests: u64,
    is_paid: bool,
    answer: Value,
}

impl Sandbox {
    /// Starts to listen.
    ///
    /// # Errors
    /// The address is taken, or none of ours.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let state: Arc<Mutex<State>> = Arc::default();
        let listen = settings.listen;
        let handling = Arc::clone(&state);
        let server = Server::start(listen, Arc::new(move |request| handle(&settings, &handling, request)))?;
        Ok(Sandbox { server, state })
    }

    /// What a connector takes for its `url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The next so many answers are lost after the charge was made: the connection is cut.
    pub fn lose_answers(&self, count: u32) {
        self.state().answers_to_lose = count;
    }

    /// Whether it cuts every connection before it reads what it is asked for.
    pub fn be_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// How often a recharge was paid: never more than once, or somebody lost money.
    pub fn payments(&self, recharge: &str) -> usize {
        self.state().by_key.values().filter(|known| known.is_paid && known.recharge == recharge).count()
    }

    /// How many attempts were made at a recharge: keys, not requests.
    pub fn attempts(&self, recharge: &str) -> usize {
        self.state().by_key.values().filter(|known| known.recharge == recharge).count()
    }

    /// How often a key was asked for.
    pub fn requests(&self, key: &str) -> u64 {
        self.state().by_key.get(key).map_or(0, |known| known.requests)
    }

    /// How many requests were repetitions: their key was known.
    pub fn repetitions(&self) -> u64 {
        self.state().by_key.values().map(|known| known.requests.saturating_sub(1)).sum()
    }

    /// The recharges that were paid, each as often as it was.
    pub fn paid(&self) -> Vec<String> {
        self.state().by_key.values().filter(|known| known.is_paid).map(|known| known.recharge.clone()).collect()
    }

    /// How many requests were not believed.
    pub fn refused(&self) -> u64 {
        self.state().refused
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn handle(settings: &Settings, state: &Mutex<State>, request: &Request) -> Response {
    if lock(state).is_away {
        return Response::Cut;
    }
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/charges") {
        return Response::of(404, &json!({"error": "POST /charges is all there is"}));
    }
    let header = |name: &str| request.header(name).unwrap_or_default();
    let key = header(signature::KEY).to_owned();
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (timestamp, signed) = (header(signature::TIMESTAMP), header(signature::SIGNATURE));
    if let Err(why) = signature::verify(&settings.secret, &key, timestamp, signed, &request.body, now_s) {
        lock(state).refused += 1;
        return Response::of(401, &json!({"error": why.to_string()}));
    }
    let Some(charge) = cards::read(&request.body).filter(|_| !key.is_empty()) else {
        return Response::of(400, &json!({"error": "no charge, or no key"}));
    };
    let (answer, is_lost) = {
        let mut state = lock(state);
        let known = state.by_key.entry(key).or_insert_with(|| {
            let (answer, is_paid) = cards::charge(&charge, settings.failures, now(now_s));
            Known { recharge: charge.recharge.clone(), requests: 0, is_paid, answer }
        });
        known.requests += 1;
        let answer = known.answer.clone();
        let is_lost = state.answers_to_lose > 0;
        state.answers_to_lose = state.answers_to_lose.saturating_sub(1);
        (answer, is_lost)
    };
    if cards::is_slow(&charge) {
        thread::sleep(settings.slowness);
    }
    if is_lost { Response::Cut } else { Response::of(200, &answer) }
}

fn now(now_s: u64) -> Timestamp {
    Timestamp::from_parts(i64::try_from(now_s).unwrap_or(i64::MAX), 0)
}
