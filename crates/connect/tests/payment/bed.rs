//! A partition of the engine as both ends of the log, and what kills a connector between any two steps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use drawdown_connect::feed::{Feed, FeedError, Orders};
use drawdown_connect::payment::http::{self, HttpGateway};
use drawdown_connect::payment::sandbox::{self, Sandbox};
use drawdown_connect::payment::{Answer, Charge, Connector, Gateway, Settings, Unreachable};
use drawdown_connect::secret::Secret;
use drawdown_engine::{Engine, Limits, Outputs, Partition};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText};
use drawdown_units::{Money, Timestamp};
use drawdown_wire::command;
use drawdown_wire::event::{self, Cause};
use serde_json::Value;

pub const SECRET: &str = "whsec_tests";

/// Where a connector can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    BeforeCharge,
    /// The charge was made, and its answer lost.
    AfterCharge,
    BeforeCommand,
    AfterCommand,
    BeforeCommit,
    AfterCommit,
}

impl Point {
    pub const ALL: [Point; 6] = [
        Point::BeforeCharge,
        Point::AfterCharge,
        Point::BeforeCommand,
        Point::AfterCommand,
        Point::BeforeCommit,
        Point::AfterCommit,
    ];
}

/// The log: a partition, its events, and how far the connector committed.
struct Log {
    catalogue: Arc<Catalogue>,
    rules: Rules,
    partition: Partition,
    now: Timestamp,
    events: Vec<Vec<u8>>,
    committed: usize,
    commands: usize,
    /// The feed has not given yet what was there when it was opened.
    is_history: bool,
    /// Where to kill next, and after how many times there.
    kills: Vec<(Point, usize)>,
    passed: BTreeMap<Point, usize>,
}

/// One for all worlds: a price list takes its time.
fn catalogue() -> Arc<Catalogue> {
    static CATALOGUE: OnceLock<Arc<Catalogue>> = OnceLock::new();
    let compiled = CATALOGUE.get_or_init(|| {
        let text = DeckText {
            manifest_name: "acs-pstn.toml",
            manifest: include_str!("../../../../config/decks/acs-pstn.toml"),
            rows_name: "acs-pstn.csv",
            rows: include_bytes!("../../../../config/decks/acs-pstn.csv"),
        };
        let deck = Deck::compile(text).expect("a deck").deck;
        Arc::new(Catalogue::new(vec![deck], Vec::new()).expect("a catalogue"))
    });
    Arc::clone(compiled)
}

/// Shared by everything around one world.
#[derive(Clone)]
pub struct Bed(Arc<Mutex<Log>>);

impl Bed {
    pub fn new() -> Self {
        Bed(Arc::new(Mutex::new(Log {
            catalogue: catalogue(),
            rules: Rules::default(),
            partition: Partition::default(),
            now: Timestamp::parse("2026-03-05T00:00:00Z").expect("an instant"),
            events: Vec::new(),
            committed: 0,
            commands: 0,
            is_history: false,
            kills: Vec::new(),
            passed: BTreeMap::new(),
        })))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().expect("nobody panicked")
    }

    /// Opens an account that asks for 100.00 at once, to be paid so.
    pub fn open(&self, org: &str, payment: &str) {
        let plan = self.log().catalogue.sole_plan().expect("one plan").to_owned();
        let open = format!(r#""type":"openAccount","currency":"USD","ratePlan":"{plan}","country":"US""#);
        let configure = format!(
            r#""type":"configureAutoRecharge","enabled":true,"rechargeAmount":"100","triggerAmount":"20","paymentMethod":{payment}"#
        );
        for (number, command) in [open, configure].into_iter().enumerate() {
            let at = self.log().now;
            let command = format!(r#"{{"commandId":"{org}-{number}","orgId":"{org}","at":"{at}",{command}}}"#);
            self.command(command.as_bytes());
        }
    }

    pub fn command(&self, bytes: &[u8]) {
        let log = &mut *self.log();
        let envelope = command::decode(bytes).expect("a command that the wire takes");
        let engine =
            Engine { catalogue: &log.catalogue, rules: &log.rules, limits: Limits::default(), open_unknown: None };
        let mut outputs = Outputs::default();
        log.partition.command(&engine, log.now, &envelope, &mut outputs);
        log.commands += 1;
        log.take(&outputs.events);
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: i64) {
        let log = &mut *self.log();
        log.now = log.now.plus_seconds(seconds);
        let engine =
            Engine { catalogue: &log.catalogue, rules: &log.rules, limits: Limits::default(), open_unknown: None };
        let mut events = Vec::new();
        log.partition.tick(&engine, log.now, |org, occurrence| event::write(&mut events, org, occurrence, Cause::Time));
        log.take(&events);
    }

    /// What was bought on an account in all.
    pub fn purchased(&self, org: &str) -> Money {
        self.log().partition.account(org).expect("an account").head().purchased
    }

    /// How many events of a kind an organisation has.
    pub fn count(&self, org: &str, kind: &str) -> usize {
        let log = self.log();
        let events = log.events.iter().map(|line| serde_json::from_slice::<Value>(line).expect("JSON"));
        events.filter(|event| event["orgId"] == org && event["type"] == kind).count()
    }

    /// How many commands the log was given.
    pub fn commands(&self) -> usize {
        self.log().commands
    }

    /// Whether everything was read, handled and committed.
    pub fn is_done(&self) -> bool {
        let log = self.log();
        log.committed == log.events.len()
    }

    pub fn be_history(&self, is_history: bool) {
        self.log().is_history = is_history;
    }

    pub fn kill_at(&self, kills: &[(Point, usize)]) {
        self.log().kills = kills.iter().rev().copied().collect();
    }

    /// How often the connector came by a point.
    pub fn passed(&self, point: Point) -> usize {
        self.log().passed.get(&point).copied().unwrap_or(0)
    }

    /// Whether whoever comes by here is killed.
    fn pass(&self, point: Point) -> bool {
        let mut log = self.log();
        *log.passed.entry(point).or_default() += 1;
        let Some((next, left)) = log.kills.last_mut().filter(|(next, _)| *next == point) else { return false };
        assert_eq!(*next, point);
        *left -= 1;
        let is_killed = *left == 0;
        if is_killed {
            log.kills.pop();
        }
        is_killed
    }

    /// A connector that goes on from where the last one left off.
    pub fn connect(&self, gateway: Arc<dyn Gateway>, settings: Settings) -> Alive {
        let is_dead: Arc<AtomicBool> = Arc::default();
        let end = End { bed: self.clone(), is_dead: Arc::clone(&is_dead), next: self.log().committed };
        let orders = End { bed: self.clone(), is_dead: Arc::clone(&is_dead), next: 0 };
        let mortal: Arc<dyn Gateway> = Arc::new(Mortal { gateway, bed: self.clone(), is_dead: Arc::clone(&is_dead) });
        let bed = self.clone();
        let clock = Box::new(move || bed.log().now);
        let connector = Connector::new(end, orders, &mortal, settings, clock).expect("threads");
        Alive { connector, is_dead }
    }
}

impl Log {
    fn take(&mut self, lines: &[u8]) {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        self.events.extend(lines.map(<[u8]>::to_vec));
    }
}

/// A connector, until it is killed.
pub struct Alive {
    pub connector: Connector<End, End>,
    is_dead: Arc<AtomicBool>,
}

impl Alive {
    /// One step; false once it was killed.
    pub fn step(&mut self) -> bool {
        let outcome = self.connector.step();
        let is_dead = self.is_dead.load(Ordering::SeqCst);
        assert!(outcome.is_ok() || is_dead, "{outcome:?}");
        !is_dead
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }
}

/// The log as one connector has it.
pub struct End {
    bed: Bed,
    is_dead: Arc<AtomicBool>,
    next: usize,
}

impl End {
    fn pass(&self, point: Point) -> Result<(), FeedError> {
        let killed = || FeedError("killed".to_owned());
        if self.is_dead.load(Ordering::SeqCst) {
            return Err(killed());
        }
        if self.bed.pass(point) {
            self.is_dead.store(true, Ordering::SeqCst);
            return Err(killed());
        }
        Ok(())
    }
}

impl Feed for End {
    fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FeedError> {
        let line = self.bed.log().events.get(self.next).cloned();
        self.next += usize::from(line.is_some());
        if line.is_none() {
            std::thread::sleep(wait.min(Duration::from_millis(1)));
        }
        Ok(line)
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        self.pass(Point::BeforeCommit)?;
        self.bed.log().committed = self.next;
        self.pass(Point::AfterCommit)
    }

    fn is_caught_up(&mut self) -> bool {
        !self.bed.log().is_history
    }
}

impl Orders for End {
    fn send(&mut self, _: &str, command: &[u8]) -> Result<(), FeedError> {
        self.pass(Point::BeforeCommand)?;
        self.bed.command(command);
        self.pass(Point::AfterCommand)
    }
}

/// A gateway whose caller may die.
struct Mortal {
    gateway: Arc<dyn Gateway>,
    bed: Bed,
    is_dead: Arc<AtomicBool>,
}

impl Mortal {
    fn pass(&self, point: Point) -> Result<(), Unreachable> {
        if self.is_dead.load(Ordering::SeqCst) || self.bed.pass(point) {
            self.is_dead.store(true, Ordering::SeqCst);
            return Err(Unreachable("killed".to_owned()));
        }
        Ok(())
    }
}

impl Gateway for Mortal {
    fn charge(&self, charge: &Charge) -> Result<Answer, Unreachable> {
        self.pass(Point::BeforeCharge)?;
        let answer = self.gateway.charge(charge)?;
        self.pass(Point::AfterCharge)?;
        Ok(answer)
    }
}

pub fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub fn sandbox() -> Sandbox {
    let slowness = Duration::from_millis(20);
    let secret = Secret::new(SECRET.to_owned());
    Sandbox::start(sandbox::Settings { listen: local(), secret, failures: 2, slowness }).expect("a port")
}

pub fn gateway(sandbox: &Sandbox, secret: &str, timeout: Duration) -> Arc<dyn Gateway> {
    let settings = http::Settings { url: sandbox.url(), secret: Secret::new(secret.to_owned()), timeout };
    Arc::new(HttpGateway::new(settings).expect("a URL"))
}

/// As in earnest, but with waits that a test has time for.
pub fn settings() -> Settings {
    let (backoff, backoff_max) = (Duration::from_millis(5), Duration::from_millis(50));
    let commit_interval = Duration::from_millis(2);
    Settings { namespace: "t".to_owned(), backoff, backoff_max, commit_interval, ..Settings::default() }
}
