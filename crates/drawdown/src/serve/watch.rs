//! Who watches the workers: views, metrics and health, fed once a transaction.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use drawdown_api::{
    Calls, Desk, EventTally, Figures, Guard, Health, Pulse, Routes, Server, Stage, Telemetry, Totals, WorkerMeters,
};
use drawdown_engine::Partition;
use drawdown_engine::inbox::Inbox;
use drawdown_engine::log::{Change, Progress};
use drawdown_engine::worker::{Committed, Messages, Observer};
use drawdown_ledger::{Account, Rules};
use drawdown_rating::Catalogue;
use drawdown_stream::{Views, embedded};
use drawdown_units::Timestamp;
use drawdown_wire::account;

use super::api::{self, Ours};
use super::supply::Supply;
use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::export::{account_line, user_line};

/// What the threads of the process share.
pub struct Shared {
    address: SocketAddr,
    supply: Arc<Supply>,
    /// Whoever prices must know every deck that was published before it began.
    are_decks_known: AtomicBool,
    views: Arc<Fresh>,
    desk: Arc<Desk>,
    calls: Arc<Calls>,
    inbox: Arc<dyn Inbox>,
    ours: Arc<Ours>,
    telemetry: Arc<Telemetry>,
    pulses: Vec<Arc<Pulse>>,
    process: drawdown_api::meters::ProcessMeters,
    server: std::sync::Mutex<Option<Server>>,
    /// The spool of an embedded log.
    spool: Option<std::path::PathBuf>,
    looked_ms: AtomicU64,
    began: Instant,
}

/// Views, and how fresh they are.
struct Fresh {
    views: Arc<Views>,
    rules: Rules,
    began: Instant,
    fresh_ms: AtomicU64,
}

/// How often files of the spool are counted, and reservations of calls given up that nobody asked more time for.
const UPKEEP_INTERVAL_MS: u64 = 2_000;

impl Shared {
    /// Begins to answer over HTTP.
    pub fn new(config: &Arc<Config>, guard: Guard, supply: Arc<Supply>, views: Arc<Views>) -> Result<Self, Failure> {
        let telemetry = Arc::new(Telemetry::begin(env!("CARGO_PKG_VERSION")));
        let health = Arc::new(Health::new(config.workers, config.http.stale_after));
        let began = Instant::now();
        let views = Arc::new(Fresh { views, rules: config.rules.clone(), began, fresh_ms: AtomicU64::new(0) });
        let (desk, ours) = (Arc::new(Desk::default()), Arc::new(Ours::default()));
        let mut service = api::service(
            config,
            &telemetry,
            &supply,
            Arc::clone(&views) as Arc<dyn drawdown_api::Views>,
            Arc::clone(&desk),
            &ours,
        )?;
        let calls = Arc::new(api::calls(config, &telemetry, Arc::clone(&views.views), Arc::clone(&supply)));
        service.calls = Some(Arc::clone(&calls));
        let inbox = Arc::clone(&service.inbox);
        let service = Arc::new(service);
        let routes = Routes { telemetry: Arc::clone(&telemetry), health: Arc::clone(&health), service };
        let listen = config.http.listen;
        let server = Server::start(listen, routes, guard)
            .map_err(|error| Failure::usage(format!("http.listen {listen}: {error}; give another address")))?;
        let shared = Shared {
            address: server.address(),
            pulses: (0..config.workers).map(|worker| health.pulse(worker)).collect(),
            process: telemetry.process(),
            supply,
            are_decks_known: AtomicBool::new(false),
            views,
            desk,
            calls,
            inbox,
            ours,
            telemetry,
            server: std::sync::Mutex::new(Some(server)),
            spool: match &config.log {
                Log::Embedded(embedded) => Some(embedded.directory.clone()),
                Log::Kafka(_) => None,
            },
            looked_ms: AtomicU64::new(0),
            began,
        };
        shared.decks_changed();
        Ok(shared)
    }

    pub fn supply(&self) -> &Supply {
        &self.supply
    }

    /// Where commands and records are put that come from within the process.
    pub fn inbox(&self) -> &Arc<dyn Inbox> {
        &self.inbox
    }

    /// The currency of an organisation's account, if it is here.
    pub fn currency_of(&self, org: &str) -> Option<String> {
        let account = self.views.account(&self.views.views.get(org)?)?;
        Some(account.currency().to_string())
    }

    /// Where the process is reached.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The catalogue in force; `None` while there is none, or not every published deck was read yet.
    pub fn catalogue(&self) -> Option<Arc<Catalogue>> {
        self.supply.current().filter(|_| self.are_decks_known.load(Ordering::Acquire))
    }

    /// Every deck that was published before the process began is known.
    pub fn decks_known(&self) {
        if !self.are_decks_known.swap(true, Ordering::AcqRel) && self.supply.current().is_none() {
            tracing::warn!("there is no deck: nothing is rated until one is published (`drawdown deck publish`)");
        }
    }

    pub fn decks_changed(&self) {
        for (id, version) in self.supply.versions() {
            self.process.deck(&id, version);
        }
    }

    pub fn alive(&self, worker: u32) {
        self.pulses[worker as usize].beat();
    }

    /// The worker's log broke: it has nothing until a new one is restored, and others may decide what was its own.
    pub fn restarted(&self, worker: u32) {
        self.give_up(worker);
        self.pulses[worker as usize].enter(Stage::Failed);
        self.telemetry.worker(worker as usize).failed();
    }

    /// A worker owns nothing any more: first nothing is answered for its partitions, then what is known of them is forgotten.
    fn give_up(&self, worker: u32) {
        let partitions = self.ours.given_up(worker);
        if partitions.is_empty() {
            return;
        }
        self.calls.forget(&partitions);
        // Another worker may have taken one over, and published what it read back.
        for partition in partitions.into_iter().filter(|partition| !self.ours.lists(*partition)) {
            self.views.views.forget(partition);
        }
    }

    pub fn stopped(&self, worker: u32) {
        self.pulses[worker as usize].enter(Stage::Stopped);
    }

    /// What the process counts with.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Counts what lies in the spool, and gives up what calls do not need any more, now and then: whether it was time.
    pub fn look(&self) -> bool {
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now_ms.saturating_sub(self.looked_ms.load(Ordering::Relaxed)) < UPKEEP_INTERVAL_MS {
            return false;
        }
        self.looked_ms.store(now_ms, Ordering::Relaxed);
        self.calls.sweep(drawdown_api::meters::clock());
        if let Some(directory) = &self.spool {
            let (pending, failed) = embedded::spooled(directory);
            self.process.spool(pending, failed);
        }
        true
    }

    /// Ends the HTTP server.
    pub fn stop(&self) {
        let server = self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(server) = server {
            server.stop();
        }
    }
}

impl Fresh {
    fn refreshed(&self) {
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.fresh_ms.store(now_ms, Ordering::Relaxed);
    }

    fn account(&self, state: &[u8]) -> Option<Account> {
        Account::restore(account::unpack(state).ok()?, &self.rules)
    }
}

impl drawdown_api::Views for Fresh {
    fn account(&self, org: &str) -> Option<Vec<u8>> {
        account_line(&self.views.get(org)?).ok()
    }

    fn user(&self, org: &str, user: &str) -> Option<Vec<u8>> {
        user_line(&self.views.user(org, user)?).ok()
    }

    fn list(&self, after: &str, limit: usize) -> Vec<String> {
        self.views.first_after(after, limit)
    }

    fn totals(&self, now: Timestamp) -> Totals {
        let mut totals = Totals::default();
        self.views.each(|state| {
            if let Some(account) = self.account(state) {
                totals.add(&Figures::of(&account), now);
            }
        });
        totals
    }

    fn size_bytes(&self) -> usize {
        self.views.size_bytes()
    }

    fn staleness(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.fresh_ms.load(Ordering::Relaxed)))
    }
}

/// Watches one worker.
pub struct Watch {
    worker: u32,
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
    meters: WorkerMeters,
    events: EventTally,
    /// The last arrival of each partition.
    arrivals: Vec<(u32, Timestamp)>,
}

impl Watch {
    pub fn new(shared: Arc<Shared>, worker: u32) -> Self {
        let meters = shared.telemetry.worker(worker as usize);
        let pulse = Arc::clone(&shared.pulses[worker as usize]);
        pulse.enter(Stage::Joining);
        Watch { worker, shared, pulse, meters, events: EventTally::default(), arrivals: Vec::new() }
    }

    /// The worker took a step: it lives, and is at this stage.
    pub fn step(&self, stage: Stage) {
        if self.pulse.stage() == stage {
            self.pulse.beat();
        } else {
            self.pulse.enter(stage);
        }
        self.shared.views.refreshed();
    }

    fn arrived(&mut self, partition: u32, at: Timestamp) {
        match self.arrivals.iter_mut().find(|(held, _)| *held == partition) {
            Some((_, last)) => *last = (*last).max(at),
            None => self.arrivals.push((partition, at)),
        }
    }
}

impl Observer for Watch {
    fn committed(&mut self, committed: &Committed<'_>) {
        for (partition, states) in committed.states.iter().chain(committed.users) {
            states.iter().for_each(|(key, state)| self.shared.views.views.publish(*partition, key, state));
        }
        self.shared.calls.committed(committed);
        // Views first: whoever is told of a command then reads what it did.
        self.shared.desk.committed(committed.commands, committed.events);
        self.events.clear();
        committed.events.iter().for_each(|(_, line)| self.events.line(line));
        let figures = drawdown_api::meters::Committed {
            took: committed.took,
            records: committed.records,
            bytes: committed.bytes_in,
            written: committed.written,
        };
        self.meters.committed(&figures, committed.tally, &self.events);
        committed.arrivals.iter().for_each(|(partition, at)| self.arrived(*partition, *at));
        let now = drawdown_api::meters::clock();
        for (partition, records) in committed.lags {
            let last = self.arrivals.iter().find(|(held, _)| held == partition).map_or(now, |(_, at)| *at);
            self.meters.lag(*partition, *records, last, now);
        }
        self.meters.holds(committed.account_count, committed.dedup_size_bytes);
    }

    fn aborted(&mut self, why: &str) {
        tracing::warn!("a transaction was aborted and its records are rated again: {why}");
        self.meters.aborted();
    }

    fn changed(&mut self, change: &Change) {
        match change {
            Change::Assigned(partitions) => {
                tracing::info!(?partitions, "assigned");
                self.meters.assigned(partitions);
                self.shared.ours.assigned(self.worker, partitions);
                self.shared.calls.forget(partitions);
            }
            Change::Revoked(partitions) => {
                tracing::info!(?partitions, "given up");
                self.meters.assigned(&[]);
            }
            Change::Lost(partitions) => {
                tracing::warn!(?partitions, "lost: someone else may own them already");
                self.meters.assigned(&[]);
            }
        }
    }

    fn dropped(&mut self, _: &[u32]) {
        self.shared.give_up(self.worker);
    }

    fn has_unkept(&self) -> bool {
        self.shared.calls.has_unkept()
    }

    fn keep(&mut self, partition: u32, states: &mut Messages) {
        self.shared.calls.keep(partition, states);
    }

    fn not_kept(&mut self, partition: u32, key: &[u8]) {
        self.shared.calls.not_kept(partition, key);
    }

    fn kept(&mut self, partition: u32, key: &[u8], state: &[u8]) {
        self.shared.calls.kept(partition, key, state);
    }

    fn saved(&mut self, partition: u32, key: &[u8], state: &[u8]) {
        self.shared.views.views.publish(partition, key, state);
        self.shared.calls.saved(key, state);
    }

    fn restoring(&mut self, progress: Progress) {
        self.meters.restoring(progress);
    }

    fn restored<'p>(&mut self, partitions: impl Iterator<Item = (u32, &'p Partition)>) {
        let (mut accounts, mut count) = (0, 0);
        for (_, partition) in partitions {
            partition.accounts().for_each(|account| self.meters.restored(account));
            accounts += partition.account_count();
            count += 1;
        }
        self.shared.ours.restored(self.worker);
        tracing::info!(partitions = count, accounts, calls = self.shared.calls.count(), "restored");
    }
}
