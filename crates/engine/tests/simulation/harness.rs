//! Workers on one simulated cluster, one step at a time, in an order that the seed decides.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use drawdown_engine::log::{Log, LogError};
use drawdown_engine::sim::{Faults, Produced, Random, Settings, SimCluster, SimLog, Upstream};
use drawdown_engine::worker::{self, Profiles, Sources, Step, TimeSource};
use drawdown_engine::{Engine, Partition, Worker};
use drawdown_units::Timestamp;
use drawdown_wire::account;
use drawdown_wire::source::Profile;

use crate::found::Found;
use crate::script::{self, Script, Sent};
use crate::views::{Published, Views};

/// A log of a simulated process, or one that does something to it.
pub trait Simulated: Log + Sized + 'static {
    fn leave(self);
}

impl Simulated for SimLog {
    fn leave(self) {
        SimLog::leave(self);
    }
}

pub struct Harness<L: Simulated> {
    pub cluster: SimCluster,
    pub script: Script,
    wrap: fn(SimLog) -> L,
    profile: Arc<Profile>,
    settings: worker::Settings,
    workers: Vec<Process<L>>,
    random: RefCell<Random>,
    /// How much of the script was sent.
    sent: Cell<usize>,
    /// The time of day.
    now: Cell<Timestamp>,
    /// To where time is let run on in the end.
    pub until: Cell<Timestamp>,
    upstream: Cell<Option<Upstream>>,
    has_new_decks: Cell<bool>,
    pub published: Rc<RefCell<Published>>,
    /// How many processes were started, all in all.
    started: Cell<usize>,
    pub deaths: Cell<usize>,
    broken: RefCell<Option<String>>,
    /// Which calls are authorised: apart, so that a seed stands for the same records with and without them.
    calls: RefCell<Random>,
    has_calls: Cell<bool>,
    /// How many promises were made.
    promises: Cell<u64>,
}

/// One process: running, or to be started again.
struct Process<L> {
    worker: RefCell<Option<Worker<L, Views>>>,
    down_until: Cell<Duration>,
    step: Cell<Option<Step>>,
}

/// Rounds after which everything must have been sent.
const ROUNDS_MAX: usize = 100_000;
/// How often time goes on after everything was read.
const LEAPS: usize = 3;
/// Rounds after which everything must be done, once nothing goes wrong any more.
const LAST_ROUNDS_MAX: usize = 1_500;

impl<L: Simulated> Harness<L> {
    pub fn new(seed: u64, tune: impl FnOnce(&mut Settings), wrap: fn(SimLog) -> L) -> Rc<Self> {
        let mut random = Random::new(seed ^ 0x51A7);
        let script = Script::new(seed);
        let faults = Faults::any(&mut random);
        let mut settings = Settings { partitions: script.partitions, faults, ..Settings::default() };
        tune(&mut settings);
        let cluster = SimCluster::new(seed, settings);
        cluster.set_now(script.floors[0]);
        let (now, until) = (Cell::new(script.floors[0]), Cell::new(script.until));
        let worker_count = random.below(3) + 1;
        let process =
            |_| Process { worker: RefCell::new(None), down_until: Cell::new(Duration::ZERO), step: Cell::new(None) };
        let harness = Rc::new(Harness {
            settings: any_settings(&mut random),
            cluster,
            script,
            wrap,
            profile: Arc::new(Profile::named("native").expect("a profile of the program")),
            workers: (0..worker_count).map(process).collect(),
            random: RefCell::new(random),
            sent: Cell::new(0),
            now,
            until,
            upstream: Cell::new(None),
            has_new_decks: Cell::new(false),
            published: Rc::default(),
            started: Cell::new(0),
            deaths: Cell::new(0),
            broken: RefCell::new(None),
            calls: RefCell::new(Random::new(seed ^ 0xCA11)),
            has_calls: Cell::new(true),
            promises: Cell::new(0),
        });
        let others = Rc::downgrade(&harness);
        harness.cluster.set_meanwhile(Rc::new(move || {
            if let Some(harness) = others.upgrade() {
                harness.go_on();
            }
        }));
        harness
    }

    /// Sends the whole script while things go wrong, then lets everything come to rest.
    pub fn run(&self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            self.act();
            if self.sent.get() == self.script.sent.len() {
                self.run_on();
                if self.chance(15) {
                    break;
                }
            }
        }
        self.come_to_rest()?;
        for _ in 0..LEAPS {
            self.leap();
        }
        self.come_to_rest()
    }

    /// With nothing to read, time goes on to what is due next, while processes stand still in the middle of telling it
    /// to their partitions, and others take those over.
    fn leap(&self) {
        let dues = self.workers.iter().filter_map(|process| {
            let worker = process.worker.borrow();
            worker.as_ref()?.partitions().values().filter_map(Partition::first_due).min()
        });
        let Some(due) = dues.min() else { return };
        self.until.set(self.until.get().max(due.plus_seconds(self.below(3_600) as i64)));
        self.set_now(self.until.get());
        self.cluster.set_faults(Faults {
            pause_per_mille: 200,
            pause_max: Duration::from_secs(2),
            ..Faults::default()
        });
        for _ in 0..10 {
            self.step(self.below(self.workers.len() as u64));
            self.wait(Duration::from_millis(200));
        }
    }

    fn chance(&self, per_mille: u32) -> bool {
        self.random.borrow_mut().chance(per_mille)
    }

    fn below(&self, limit: u64) -> usize {
        usize::try_from(self.random.borrow_mut().below(limit)).expect("a small number")
    }

    fn act(&self) {
        match self.below(100) {
            0..55 => self.step(self.below(self.workers.len() as u64)),
            55..80 => (0..=self.below(6)).for_each(|_| self.send()),
            80..94 => self.wait(Duration::from_millis(60)),
            94..96 => self.wait(Duration::from_millis(2_500)),
            96 => self.come_or_go(self.below(self.workers.len() as u64)),
            97 => self.cluster.compact(),
            _ => self.end_upstream(),
        }
    }

    fn wait(&self, longest: Duration) {
        let wait = self.random.borrow_mut().duration(longest);
        self.cluster.advance(wait);
    }

    /// While one process stands still: the others run, and records come in.
    fn go_on(&self) {
        // Now and then long enough to take everything over, and go on with it.
        let rounds = if self.chance(150) { 12 } else { self.below(5) };
        for _ in 0..rounds {
            (0..self.workers.len()).for_each(|index| self.step(index));
            self.wait(Duration::from_millis(40));
        }
        if self.chance(300) {
            self.send();
        }
    }

    /// One step of a process; nothing, if it is the one that stands still.
    fn step(&self, index: usize) {
        let process = &self.workers[index];
        let Ok(mut slot) = process.worker.try_borrow_mut() else { return };
        if slot.is_none() && self.cluster.elapsed() < process.down_until.get() {
            return;
        }
        let worker = slot.get_or_insert_with(|| self.start(index));
        let catalogue = &self.script.catalogues[usize::from(self.has_new_decks.get())];
        let Script { rules, limits, .. } = &self.script;
        let engine = Engine { catalogue, rules, limits: *limits, open_unknown: None };
        if matches!(process.step.get(), Some(Step::Rating(_))) {
            self.authorise(worker);
        }
        match worker.step(&engine) {
            Ok(step) => process.step.set(Some(step)),
            Err(error) => {
                worker.observer().forget();
                *slot = None;
                process.step.set(None);
                self.deaths.set(self.deaths.get() + 1);
                let rest = self.random.borrow_mut().duration(Duration::from_millis(1_500));
                let is_quick = self.chance(500);
                process.down_until.set(self.cluster.elapsed() + if is_quick { Duration::ZERO } else { rest });
                self.judge(&error);
            }
        }
    }

    /// Some promise to a running call of a partition that was read back changes.
    fn authorise(&self, worker: &Worker<L, Views>) {
        let mut random = self.calls.borrow_mut();
        if !self.has_calls.get() || worker.partitions().is_empty() || !random.chance(300) {
            return;
        }
        let nth = usize::try_from(random.below(worker.partitions().len() as u64)).expect("a small number");
        let partition = *worker.partitions().keys().nth(nth).expect("one of them");
        let call = random.below(6).to_string();
        self.promises.set(self.promises.get() + 1);
        let promised = random.chance(700).then_some(self.promises.get());
        worker.observer().calls.borrow_mut().change(partition, &call, promised);
    }

    /// A process may die of what its log says, but not of what it read back.
    fn judge(&self, error: &LogError) {
        let text = error.to_string();
        if matches!(error, LogError::Abort(_)) || text.contains("cannot be restored") {
            self.broken.borrow_mut().get_or_insert(text);
        }
    }

    fn start(&self, index: usize) -> Worker<L, Views> {
        let ordinal = u32::try_from(index).expect("a few");
        let log = (self.wrap)(SimLog::start(&self.cluster, ordinal));
        self.started.set(self.started.get() + 1);
        let (cluster, published) = (self.cluster.clone(), Rc::clone(&self.published));
        let views = Views { cluster, process: self.started.get(), published, calls: RefCell::default() };
        let sources = Sources::new(Arc::clone(&self.profile), Profiles::default());
        Worker::new(log, views, self.settings, sources)
    }

    /// A process that runs is stopped in good order; one that does not is started.
    fn come_or_go(&self, index: usize) {
        let process = &self.workers[index];
        let running = process.worker.borrow_mut().take();
        process.step.set(None);
        match running {
            None => process.down_until.set(Duration::ZERO),
            Some(worker) => {
                let rest = self.random.borrow_mut().duration(Duration::from_secs(2));
                process.down_until.set(self.cluster.elapsed() + rest);
                worker.observer().forget();
                // Held up while it stops, it lets the others run, and perhaps its own successor.
                if let Ok((log, views)) = worker.stop() {
                    views.forget();
                    log.leave();
                }
            }
        }
    }

    fn send(&self) {
        let next = self.sent.get();
        let Some(message) = self.script.sent.get(next) else { return };
        let is_time = next >= self.script.change_before || self.chance(30);
        self.has_new_decks.set(self.has_new_decks.get() || is_time);
        // Who is in the middle of a step goes on with the decks it began with: what needs the new ones is not sent yet.
        let is_busy = self.workers.iter().any(|process| process.worker.try_borrow_mut().is_err());
        if next == self.script.change_before && is_busy {
            return;
        }
        if self.chance(40) {
            let garbage = script::garbage(&mut self.random.borrow_mut(), message);
            self.produce(&garbage);
        }
        if self.chance(30) {
            let in_vain = self.cluster.open_upstream();
            self.cluster.produce_within(in_vain, message.input, message.partition, &produced(message));
            self.cluster.end_upstream(in_vain, false);
        }
        if self.chance(30) && self.upstream.get().is_none() {
            self.upstream.set(Some(self.cluster.open_upstream()));
        }
        self.produce(message);
        self.sent.set(next + 1);
        self.tell_time();
    }

    fn produce(&self, message: &Sent) {
        match self.upstream.get() {
            Some(upstream) if self.chance(500) => {
                self.cluster.produce_within(upstream, message.input, message.partition, &produced(message));
            }
            _ => self.cluster.produce(message.input, message.partition, &produced(message)),
        }
    }

    fn end_upstream(&self) {
        if let Some(upstream) = self.upstream.take() {
            self.cluster.end_upstream(upstream, true);
        }
        self.tell_time();
    }

    /// Once everything was sent, time alone goes on, in leaps, up to the end.
    fn run_on(&self) {
        if self.upstream.get().is_none() && self.chance(150) {
            let left_s = self.until.get().seconds() - self.now.get().seconds();
            let leap_s = self.below(left_s.max(0).unsigned_abs() / 3 + 2);
            let now = self.now.get().plus_seconds(i64::try_from(leap_s).expect("a few days"));
            self.set_now(now.min(self.until.get()));
        }
    }

    fn set_now(&self, now: Timestamp) {
        self.now.set(now.max(self.now.get()));
        self.cluster.set_now(self.now.get());
    }

    /// Never later than what is still to come, or cannot be read yet.
    fn tell_time(&self) {
        if self.upstream.get().is_none() {
            self.set_now(self.script.floors[self.sent.get()]);
        }
    }

    fn come_to_rest(&self) -> Result<(), String> {
        self.cluster.set_faults(Faults::default());
        self.has_calls.set(false);
        while self.sent.get() < self.script.sent.len() {
            self.send();
        }
        self.has_new_decks.set(true);
        self.end_upstream();
        self.set_now(self.until.get());
        let mut calm = 0;
        for _ in 0..LAST_ROUNDS_MAX {
            (0..self.workers.len()).for_each(|index| self.step(index));
            self.cluster.advance(Duration::from_millis(60));
            calm = if self.is_calm() { calm + 1 } else { 0 };
            if calm == 4 {
                return self.broken.take().map_or(Ok(()), Err);
            }
        }
        Err(self.broken.take().unwrap_or_else(|| format!("it never came to rest; the latest calls:{}", self.latest())))
    }

    /// Everything was read and committed, every partition is owned, and nothing is due.
    fn is_calm(&self) -> bool {
        let mut owned = 0;
        for process in &self.workers {
            let worker = process.worker.borrow();
            let Some(worker) = worker.as_ref() else { return false };
            if !matches!(process.step.get(), Some(Step::Rating(0) | Step::Unassigned)) {
                return false;
            }
            let until = self.until.get();
            if worker.partitions().values().any(|it| it.first_due().is_some_and(|due| due <= until)) {
                return false;
            }
            owned += worker.partitions().len();
        }
        owned == self.script.partitions as usize && self.cluster.is_done()
    }

    /// What is published in the end is what was committed last.
    pub fn check_views(&self, partition: u32, found: &Found) -> Result<(), String> {
        let published = self.published.borrow();
        let of = published.states.iter().filter(|((_, of, _), _)| *of == partition);
        let views: BTreeMap<&Vec<u8>, &Vec<u8>> = of.map(|((_, _, org), state)| (org, state)).collect();
        let accounts = found.states.iter().filter(|(_, state)| !account::is_user(state));
        if views == accounts.collect() { Ok(()) } else { Err("what is published is not the latest".into()) }
    }

    /// What the owner promises to running calls is in the log, and nothing else is; and no promise was followed by an older
    /// one, of a process that did not own the partition any more.
    pub fn check_calls(&self, partition: u32, found: &Found) -> Result<(), String> {
        let mut kept = BTreeMap::new();
        for (key, state) in &found.calls {
            let before = kept.insert(key, state);
            if before.is_some_and(|before| !state.is_empty() && state < before) {
                return Err(format!("a promise went back from {before:?} to {state:?}"));
            }
        }
        kept.retain(|_, state| !state.is_empty());
        for process in &self.workers {
            let worker = process.worker.borrow();
            let Some(worker) = worker.as_ref().filter(|worker| worker.partitions().contains_key(&partition)) else {
                continue;
            };
            let calls = worker.observer().calls.borrow();
            let promised = calls.promised.iter().filter(|((of, _), _)| *of == partition);
            let promised: BTreeMap<&Vec<u8>, &Vec<u8>> = promised.map(|((_, key), state)| (key, state)).collect();
            if !calls.unkept.is_empty() {
                return Err(format!("{} promises are not kept", calls.unkept.len()));
            }
            if promised != kept {
                return Err(format!("promised: {promised:?}, kept: {kept:?}"));
            }
        }
        Ok(())
    }

    fn latest(&self) -> String {
        let trace = self.cluster.trace();
        trace.iter().rev().take(40).rev().map(|call| format!("\n  {call:?}")).collect()
    }
}

fn produced(message: &Sent) -> Produced<'_> {
    Produced { arrival: message.arrival, key: message.key.as_deref(), value: &message.value }
}

fn any_settings(random: &mut Random) -> worker::Settings {
    let mut pick = |choices: [usize; 4]| choices[usize::try_from(random.below(4)).expect("below 4")];
    worker::Settings {
        records_max: pick([1, 5, 20, 1_000]),
        bytes_max: pick([1, 2_000, 20_000, 1 << 20]),
        interval: Duration::from_millis(pick([1, 10, 50, 200]) as u64),
        // Nor does it keep up with what is there already.
        ahead_max_s: None,
        // No delay: the time of day never runs ahead of what is still to come.
        time: TimeSource::Clock { delay_s: 0, interval: Duration::from_millis(pick([1, 30, 100, 500]) as u64) },
    }
}
